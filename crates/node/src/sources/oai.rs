//! An OAI-PMH provider as a listing.

use federation::{
    FederationError,
    sources::{OaiItem, OaiProvider, OaiSelection, SourceClient},
};
use metadata_store::foreign::{ForeignForm, crate_from_xml};

use super::{
    ListingItem, SourceConfig,
    items::{Hung, Out},
};
use crate::harvest::sentence;

/// Reads a provider: all of it, or what changed `from` a moment on where the provider tells of deletions for ever. Only what it
/// has all of can be complete; what it says is gone counts either way.
pub(super) async fn read(
    client: SourceClient,
    config: &SourceConfig,
    from: Option<String>,
    out: &Out,
) -> Result<Result<(), Hung>, FederationError> {
    let provider = OaiProvider::new(client, config.url.clone());
    let identity = provider.identify().await?;
    let (prefix, form) = form_of(&provider, config).await?;
    let from = from.filter(|_| identity.tells_deleted);
    let changes_only = from.is_some();
    let mut harvest = provider.harvest(&OaiSelection { prefix, set: config.set.clone(), from: from.clone() });
    while let Some(page) = harvest.next_page().await? {
        for item in page {
            if out.item(listed(item, form)).await.is_err() {
                return Ok(Err(Hung));
            }
        }
    }
    if let Some(why) = harvest.doubt() {
        return Ok(out.item(ListingItem::Doubt { why }).await);
    }
    let began =
        harvest.began().map(|began| if identity.to_the_second { began } else { began.get(..10).unwrap_or(began) });
    if let Some(from) = began.map(str::to_owned).or(from).filter(|_| identity.tells_deleted)
        && out.item(ListingItem::Progress { from, changes_only }).await.is_err()
    {
        return Ok(Err(Hung));
    }
    // In a list of changes, what is missing has not changed.
    Ok(if changes_only { Ok(()) } else { out.item(ListingItem::End).await })
}

/// The form to ask for: the one configured, else the best of those that the provider has and we read.
async fn form_of(provider: &OaiProvider, config: &SourceConfig) -> Result<(String, ForeignForm), FederationError> {
    let unread = |what: &str| {
        let known: Vec<&str> = ForeignForm::BY_PREFIX.iter().map(|(prefix, _)| *prefix).collect();
        FederationError::Malformed { what: format!("{what}; {} are read", known.join(", ")) }
    };
    if let Some(prefix) = &config.format {
        let form = ForeignForm::of_prefix(prefix).ok_or_else(|| unread(&format!("no form '{prefix}' is read here")))?;
        return Ok((prefix.clone(), form));
    }
    let offered = provider.formats().await?;
    let best = ForeignForm::BY_PREFIX.iter().find(|(prefix, _)| offered.iter().any(|offer| offer == prefix));
    let (prefix, form) = best.ok_or_else(|| unread(&format!("{} gives {}", config.url, offered.join(", "))))?;
    Ok(((*prefix).to_owned(), *form))
}

fn listed(item: OaiItem, form: ForeignForm) -> ListingItem {
    let path = item.identifier;
    if item.deleted {
        return ListingItem::Withdrawn { path };
    }
    let read = match &item.metadata {
        Some(metadata) => crate_from_xml(form, metadata, &path).map_err(|error| sentence(&error)),
        None => Err("it has no metadata, and is not marked as deleted".to_owned()),
    };
    match read {
        Ok(bytes) => ListingItem::Crate { path, bytes: bytes.into(), stamp: Some(item.datestamp) },
        Err(why) => ListingItem::Unreadable { path, why },
    }
}
