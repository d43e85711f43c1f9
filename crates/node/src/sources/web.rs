//! Listings on the web, read with the client of `federation`.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use federation::{
    FederationError,
    sources::{
        Described, FoundFile, IndexListing, SitemapListing, SitemapPage, SourceClient, SourceLimits, describe_page,
    },
};
use futures::stream::{FuturesOrdered, StreamExt};
use metadata_store::foreign::{anchored, crate_from_json_ld};
use url::Url;

use super::{
    Listing, ListingItem, SourceConfig, SourceKind,
    items::{Hung, Out},
    oai,
};
use crate::{NodeError, harvest::sentence};

const CRATE: &str = "application/ld+json, application/json;q=0.9, */*;q=0.1";
/// After so many items in a row that cannot be had for want of an answer, the source is taken for down.
const IN_A_ROW: u32 = 8;

/// What is known of a source from before.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The stamps of what was found, by path.
    pub stamps: HashMap<String, String>,
    /// From which moment on an OAI-PMH provider is asked for changes.
    pub from: Option<String>,
}

/// The listing of a source on the web, read in a task of its own. `contact` is the address that the source is told.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub fn listing_of_web(config: &SourceConfig, contact: &str, record_bytes: u64) -> Result<Listing, NodeError> {
    listing_since(config, contact, record_bytes, Before::default())
}

/// The same of a source of which something is known.
pub(crate) fn listing_since(
    config: &SourceConfig,
    contact: &str,
    record_bytes: u64,
    before: Before,
) -> Result<Listing, NodeError> {
    let answer = Duration::from_secs(config.answer_seconds.max(1));
    let limits = SourceLimits { record_bytes, answer, ..SourceLimits::default() };
    let client =
        SourceClient::new(&config.url, &config.also, contact, limits).map_err(|source| fault(config, source))?;
    let (out, listing) = Listing::new();
    let config = config.clone();
    tokio::spawn(async move {
        let home = config.url.clone();
        let outcome = match config.kind {
            SourceKind::Index => {
                read_all(Walk::Index(IndexListing::new(client.clone(), home)), client, &before, &out).await
            }
            SourceKind::Sitemap => {
                read_all(Walk::Sitemap(SitemapListing::new(client.clone(), home)), client, &before, &out).await
            }
            SourceKind::Oai => oai::read(client, &config, before.from, &out).await,
        };
        match outcome {
            Ok(Ok(()) | Err(Hung)) => {}
            Err(source) => out.broken(fault(&config, source)).await,
        }
    });
    Ok(listing)
}

fn fault(config: &SourceConfig, source: FederationError) -> NodeError {
    NodeError::Source { name: config.name.to_string(), source }
}

/// A listing that names items, each to be fetched by itself.
enum Walk {
    Index(IndexListing),
    Sitemap(SitemapListing),
}

/// What a listing names.
enum Place {
    File(FoundFile),
    Page(SitemapPage),
}

impl Walk {
    async fn next(&mut self) -> Result<Option<Place>, FederationError> {
        Ok(match self {
            Self::Index(listing) => listing.next().await?.map(Place::File),
            Self::Sitemap(listing) => listing.next().await?.map(Place::Page),
        })
    }

    /// What is to be said at its end.
    fn end(&self) -> ListingItem {
        match self {
            Self::Index(listing) => match listing.doubt() {
                Some(why) => ListingItem::Doubt { why: why.to_owned() },
                None => ListingItem::End,
            },
            Self::Sitemap(_) => ListingItem::End,
        }
    }
}

impl Place {
    fn path(&self) -> String {
        match self {
            Self::File(file) => file.path.clone(),
            Self::Page(page) => page.url.to_string(),
        }
    }

    /// Fetches it, unless it is as it was.
    async fn fetch(self, client: SourceClient, stamp: Option<String>) -> Result<ListingItem, FederationError> {
        match self {
            Self::File(file) => fetch_crate(&client, file, stamp).await,
            Self::Page(page) => fetch_page(&client, page, stamp).await,
        }
    }
}

/// Reads what a listing names, several at a time, in order. A source that stops to answer ends it.
async fn read_all(
    mut walk: Walk,
    client: SourceClient,
    before: &Before,
    out: &Out,
) -> Result<Result<(), Hung>, FederationError> {
    let mut fetching = FuturesOrdered::new();
    let (mut ended, mut failed_in_a_row) = (false, 0);
    loop {
        while !ended && fetching.len() < client.limits().at_once.max(1) {
            let Some(place) = walk.next().await? else {
                ended = true;
                break;
            };
            let (path, client) = (place.path(), client.clone());
            let stamp = before.stamps.get(&path).cloned();
            fetching.push_back(async move { (path, place.fetch(client, stamp).await) });
        }
        let Some((path, outcome)) = fetching.next().await else { return Ok(out.item(walk.end()).await) };
        let item = match outcome {
            Ok(item) => {
                failed_in_a_row = 0;
                item
            }
            Err(failure) => {
                failed_in_a_row = if is_silence(&failure) { failed_in_a_row + 1 } else { 0 };
                if failed_in_a_row >= IN_A_ROW {
                    return Err(failure);
                }
                ListingItem::Unreadable { path, why: sentence(&failure) }
            }
        };
        if out.item(item).await.is_err() {
            return Ok(Err(Hung));
        }
    }
}

/// Whether a failure says nothing about the item, but that the source does not answer.
fn is_silence(failure: &FederationError) -> bool {
    matches!(failure, FederationError::Unreachable { .. } | FederationError::Timeout { .. })
        || matches!(failure, FederationError::Refused { status, .. } if *status >= 500 || *status == 429)
}

async fn fetch_crate(
    client: &SourceClient,
    file: FoundFile,
    stamp: Option<String>,
) -> Result<ListingItem, FederationError> {
    let most = client.limits().record_bytes;
    let path = file.path;
    Ok(match client.crawl_unless(&file.url, CRATE, most, stamp.as_deref()).await? {
        None => ListingItem::Unchanged { path },
        Some(found) => as_item(path, found.body, &file.url, found.stamp),
    })
}

async fn fetch_page(
    client: &SourceClient,
    page: SitemapPage,
    stamp: Option<String>,
) -> Result<ListingItem, FederationError> {
    let path = page.url.to_string();
    if page.lastmod.is_some() && page.lastmod == stamp {
        return Ok(ListingItem::Unchanged { path });
    }
    let stamp = page.lastmod;
    Ok(match describe_page(client, &page.url).await? {
        Described::Document(body) => as_item(path, body, &page.url, stamp),
        Described::Embedded(texts) => match crate_from_json_ld(&texts, page.url.as_str()) {
            Ok(bytes) => as_item(path, bytes.into(), &page.url, stamp),
            Err(error) => ListingItem::Unreadable { path, why: sentence(&error) },
        },
        Described::Nothing => {
            let why =
                "the page describes no dataset: it has neither a 'describedby' link (FAIR Signposting) nor JSON-LD";
            ListingItem::Unreadable { path, why: why.to_owned() }
        }
    })
}

/// A document as an item: a crate, whose names start from where it was found, or JSON-LD that describes a dataset.
fn as_item(path: String, bytes: Bytes, url: &Url, stamp: Option<String>) -> ListingItem {
    let read = match anchored(&bytes, url.as_str()) {
        Ok(Some(changed)) => Ok(Bytes::from(changed)),
        Ok(None) => Ok(bytes),
        Err(error) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            crate_from_json_ld(&[text], url.as_str()).map(Bytes::from).map_err(|_| error)
        }
    };
    match read {
        Ok(bytes) => ListingItem::Crate { path, bytes, stamp },
        Err(error) => ListingItem::Unreadable { path, why: sentence(&error) },
    }
}
