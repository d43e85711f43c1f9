//! The harvester's side of [OAI-PMH 2.0](https://www.openarchives.org/OAI/openarchivesprotocol.html).

mod reply;

use std::collections::HashSet;

use url::Url;

use super::SourceClient;
use crate::FederationError;
use reply::Reply;

pub use reply::OaiItem;

/// Pages without any record that are read one after another.
const EMPTY_PAGES: usize = 8;

/// An OAI-PMH provider.
#[derive(Debug, Clone)]
pub struct OaiProvider {
    client: SourceClient,
    base: Url,
}

/// What a provider says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OaiIdentity {
    /// What it calls itself.
    pub name: String,
    /// Whether it tells of deleted records, for ever: what is not told as deleted is still there.
    pub tells_deleted: bool,
    /// Whether its moments are seconds; days otherwise.
    pub to_the_second: bool,
}

/// What to harvest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OaiSelection {
    /// The form of metadata.
    pub prefix: String,
    /// Only what is in this set.
    pub set: Option<String>,
    /// Only what changed at this moment or later, in the provider's granularity.
    pub from: Option<String>,
}

/// A harvest under way.
#[derive(Debug)]
pub struct OaiHarvest {
    provider: OaiProvider,
    next: Option<Vec<(String, String)>>,
    tokens: HashSet<String>,
    identifiers: HashSet<String>,
    /// When the first page was answered, by the provider's clock.
    began: Option<String>,
    /// As many records as the provider says the list has.
    promised: Option<u64>,
    empty: usize,
}

impl OaiProvider {
    /// The provider at a base URL.
    pub fn new(client: SourceClient, base: Url) -> Self {
        Self { client, base }
    }

    /// What the provider says about itself.
    ///
    /// # Errors
    /// When it cannot be had, or is no answer of OAI-PMH 2.0.
    pub async fn identify(&self) -> Result<OaiIdentity, FederationError> {
        let reply = self.ask(&[("verb".into(), "Identify".into())]).await?;
        let deleted =
            reply.deleted_record.ok_or_else(|| self.wrong("does not say what it does with deleted records"))?;
        Ok(OaiIdentity {
            name: reply.name.unwrap_or_default(),
            tells_deleted: deleted == "persistent",
            to_the_second: reply.granularity.is_some_and(|granularity| granularity.contains("ss")),
        })
    }

    /// The forms of metadata it has.
    ///
    /// # Errors
    /// As [`OaiProvider::identify`].
    pub async fn formats(&self) -> Result<Vec<String>, FederationError> {
        Ok(self.ask(&[("verb".into(), "ListMetadataFormats".into())]).await?.formats)
    }

    /// Begins a harvest.
    pub fn harvest(&self, selection: &OaiSelection) -> OaiHarvest {
        let mut query = vec![
            ("verb".to_owned(), "ListRecords".to_owned()),
            ("metadataPrefix".to_owned(), selection.prefix.clone()),
        ];
        query.extend(selection.set.iter().map(|set| ("set".to_owned(), set.clone())));
        query.extend(selection.from.iter().map(|from| ("from".to_owned(), from.clone())));
        OaiHarvest {
            provider: self.clone(),
            next: Some(query),
            tokens: HashSet::new(),
            identifiers: HashSet::new(),
            began: None,
            promised: None,
            empty: 0,
        }
    }

    async fn ask(&self, query: &[(String, String)]) -> Result<Reply, FederationError> {
        let mut url = self.base.clone();
        url.set_query(None);
        url.query_pairs_mut().extend_pairs(query);
        let found = self
            .client
            .get(&url, "text/xml, application/xml;q=0.9, */*;q=0.1", self.client.limits().page_bytes)
            .await?;
        let text = std::str::from_utf8(&found.body).map_err(|_| self.wrong("answered with text that is no UTF-8"))?;
        let reply = Reply::read(text, self.client.limits().items).map_err(|what| self.wrong(&what))?;
        match reply.error {
            Some((code, message)) => Err(FederationError::Oai { url: self.base.to_string(), code, message }),
            None => Ok(reply),
        }
    }

    fn wrong(&self, what: &str) -> FederationError {
        FederationError::malformed(format!("{} {what}", self.base))
    }
}

impl OaiHarvest {
    /// The records of the next page; nothing after the last. Records told twice are given once.
    ///
    /// # Errors
    /// When a page cannot be had or is malformed, and when the list does not get on: a token or a page comes again, or empty
    /// pages follow each other.
    pub async fn next_page(&mut self) -> Result<Option<Vec<OaiItem>>, FederationError> {
        let Some(query) = self.next.take() else { return Ok(None) };
        let reply = match self.provider.ask(&query).await {
            // An empty list is an error of the protocol.
            Err(FederationError::Oai { code, .. }) if code == "noRecordsMatch" && self.tokens.is_empty() => {
                Reply::default()
            }
            reply => reply?,
        };
        if self.began.is_none() {
            self.began = reply.response_date;
        }
        let told = reply.records.len();
        let fresh: Vec<OaiItem> =
            reply.records.into_iter().filter(|record| self.identifiers.insert(record.identifier.clone())).collect();
        let most = self.provider.client.limits().items;
        if self.identifiers.len() > most {
            return Err(FederationError::Unbounded { what: format!("it has more than {most} records") });
        }
        if let Some(token) = reply.token {
            self.promised = self.promised.max(token.complete);
            if !token.text.is_empty() {
                self.go_on(token.text, told, fresh.len())?;
            }
        }
        Ok(Some(fresh))
    }

    /// When the harvest began, by the provider's clock: the next one asks for what changed from then on.
    pub fn began(&self) -> Option<&str> {
        self.began.as_deref()
    }

    /// Why the list may not be whole although it was read to its end, if so.
    pub fn doubt(&self) -> Option<String> {
        let read = self.identifiers.len() as u64;
        let promised = self.promised.filter(|promised| *promised > read)?;
        Some(format!("the list ended after {read} records, and {promised} were announced"))
    }

    fn go_on(&mut self, token: String, told: usize, fresh: usize) -> Result<(), FederationError> {
        let stuck = |what: &str| self.provider.wrong(what);
        self.empty = if told == 0 { self.empty + 1 } else { 0 };
        if told > 0 && fresh == 0 {
            return Err(stuck("gave a page of records again: the list does not get on"));
        }
        if self.empty >= EMPTY_PAGES {
            return Err(stuck("gives pages without records: the list does not get on"));
        }
        if self.tokens.len() >= self.provider.client.limits().pages {
            return Err(stuck("gives more pages than a list may have"));
        }
        if !self.tokens.insert(token.clone()) {
            return Err(stuck("gave a resumption token again: the list does not get on"));
        }
        self.next = Some(vec![("verb".into(), "ListRecords".into()), ("resumptionToken".into(), token)]);
        Ok(())
    }
}
