//! What an OAI-PMH harvester gets: the records this node announced, in the order of its log.

use std::sync::Arc;

use dataset_model::{DatasetId, DatasetKey, Entry, Event, Licence, Summary, Term, Timestamp, VersionNumber};
use federation::oai::{
    Identity, OaiAnswer, OaiCode, OaiError, OaiFormat, OaiHeader, OaiRecord, OaiRequest, OaiSet, Position, Selection,
};
use metadata_store::ExportFormat;
use search_index::FacetValue;

use crate::{Actor, Node, NodeError, SearchRequest, VersionChoice, dataset::kind_of, minting::slug};

/// Records on one page.
const PAGE: usize = 100;

/// The forms of metadata, and what they are made from.
const FORMATS: [(OaiFormat, ExportFormat); 4] = [
    (
        OaiFormat {
            prefix: "oai_dc",
            schema: "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
            namespace: "http://www.openarchives.org/OAI/2.0/oai_dc/",
        },
        ExportFormat::DublinCore,
    ),
    (
        OaiFormat {
            prefix: "oai_datacite",
            schema: "http://schema.datacite.org/oai/oai-1.1/oai.xsd",
            namespace: "http://schema.datacite.org/oai/oai-1.1/",
        },
        ExportFormat::DataCiteXml,
    ),
    (
        OaiFormat {
            prefix: "datacite",
            schema: "https://schema.datacite.org/meta/kernel-4.7/metadata.xsd",
            namespace: "http://datacite.org/schema/kernel-4",
        },
        ExportFormat::DataCiteXml,
    ),
    (
        OaiFormat {
            prefix: "jpcoar_2.0",
            schema: "https://raw.githubusercontent.com/JPCOAR/schema/master/2.0/jpcoar_scm.xsd",
            namespace: "https://github.com/JPCOAR/schema/blob/master/2.0/",
        },
        ExportFormat::Jpcoar,
    ),
];

/// Records, and the token for those after them.
type Page = (Vec<Item>, Option<String>);

/// One dataset as of one entry of the log.
struct Item {
    id: DatasetId,
    version: VersionNumber,
    header: OaiHeader,
}

impl Node {
    /// Answers a question of OAI-PMH 2.0.
    ///
    /// # Errors
    /// When the node cannot answer; what the protocol has a name for is the inner error.
    pub async fn oai(
        self: &Arc<Self>,
        actor: &Actor,
        request: &OaiRequest,
    ) -> Result<Result<OaiAnswer, OaiError>, NodeError> {
        match request {
            OaiRequest::Identify => Ok(Ok(OaiAnswer::Identify(self.oai_identity()?))),
            OaiRequest::ListSets => Ok(Ok(OaiAnswer::Sets(self.oai_sets(actor).await?))),
            OaiRequest::ListMetadataFormats { identifier } => {
                let known = match identifier {
                    Some(identifier) => self.oai_item(identifier)?.is_some(),
                    None => true,
                };
                let formats = FORMATS.map(|(format, _)| format).into();
                Ok(if known { Ok(OaiAnswer::Formats(formats)) } else { Err(unknown()) })
            }
            OaiRequest::GetRecord { identifier, prefix } => {
                let Some(format) = format_of(prefix) else { return Ok(Err(no_such_format())) };
                let Some(item) = self.oai_item(identifier)? else { return Ok(Err(unknown())) };
                let record = self.oai_record(actor, item, prefix, format).await?;
                Ok(Ok(OaiAnswer::Record(Box::new(record))))
            }
            OaiRequest::ListIdentifiers(selection) => {
                let Some(_) = format_of(&selection.prefix) else { return Ok(Err(no_such_format())) };
                let Some((items, token)) = self.oai_page(selection).await? else { return Ok(Err(out_of_range())) };
                let headers = items.into_iter().map(|item| item.header).collect::<Vec<_>>();
                Ok(if headers.is_empty() { Err(none_match()) } else { Ok(OaiAnswer::Headers(headers, token)) })
            }
            OaiRequest::ListRecords(selection) => {
                let Some(format) = format_of(&selection.prefix) else { return Ok(Err(no_such_format())) };
                let Some((items, token)) = self.oai_page(selection).await? else { return Ok(Err(out_of_range())) };
                let mut records = Vec::with_capacity(items.len());
                for item in items {
                    records.push(self.oai_record(actor, item, &selection.prefix, format).await?);
                }
                Ok(if records.is_empty() { Err(none_match()) } else { Ok(OaiAnswer::Records(records, token)) })
            }
        }
    }

    fn oai_identity(&self) -> Result<Identity, NodeError> {
        let own = &self.config.id;
        let earliest = if self.ledger.size(own)? == 0 { Timestamp::now() } else { self.entry(own, 0)?.time };
        Ok(Identity {
            name: self.config.title.clone(),
            admin_email: self.config.admin_email.clone().unwrap_or_else(|| format!("postmaster@{}", self.host())),
            earliest,
            about: self.config.about.clone(),
        })
    }

    fn host(&self) -> &str {
        let rest = self.config.public_url.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or_default()
    }

    fn oai_identifier(&self, id: &DatasetId) -> String {
        format!("oai:{}:{id}", self.host())
    }

    /// The dataset of an identifier as it is now.
    fn oai_item(&self, identifier: &str) -> Result<Option<Item>, NodeError> {
        let prefix = format!("oai:{}:", self.host());
        let Some(id) = identifier.strip_prefix(&prefix).and_then(|id| id.parse::<DatasetId>().ok()) else {
            return Ok(None);
        };
        let Some(head) = self.ledger.head(&self.config.id, &id)? else { return Ok(None) };
        let entry = self.entry(&self.config.id, head)?;
        Ok(Some(self.oai_item_of(entry)?))
    }

    /// One page of a listing, and the token for what follows; nothing when the listing's log is not this one.
    async fn oai_page(self: &Arc<Self>, selection: &Selection) -> Result<Option<Page>, NodeError> {
        let (node, selection) = (self.clone(), selection.clone());
        let page = tokio::task::spawn_blocking(move || node.oai_page_now(&selection)).await;
        page.map_err(|error| NodeError::Internal(format!("listing records: {error}")))?
    }

    fn oai_page_now(&self, selection: &Selection) -> Result<Option<Page>, NodeError> {
        let size = self.ledger.size(&self.config.id)?;
        let begun = selection.position.is_some();
        let Position { size, mut next, mut delivered } = match selection.position {
            Some(position) if position.size > size => return Ok(None),
            Some(position) => position,
            None => Position { size, next: 0, delivered: 0 },
        };
        let mut items = Vec::new();
        while next < size && items.len() < PAGE {
            if let Some(item) = self.oai_listed(next, size, selection)? {
                items.push(item);
                delivered += 1;
            }
            next += 1;
        }
        // Whether anything follows is found out now: an empty last page has no place in the protocol.
        while next < size && self.oai_listed(next, size, selection)?.is_none() {
            next += 1;
        }
        let more = (next < size).then(|| selection.token(Position { size, next, delivered }));
        let token = more.or_else(|| begun.then(String::new));
        Ok(Some((items, token)))
    }

    /// What a listing of the log's first `size` entries has at an entry: the dataset, when nothing newer is among them.
    fn oai_listed(&self, index: u64, size: u64, selection: &Selection) -> Result<Option<Item>, NodeError> {
        let own = &self.config.id;
        let entry = self.entry(own, index)?;
        let late = selection.from.is_none_or(|from| entry.time >= from);
        let early = selection.until.is_none_or(|until| entry.time <= until);
        if !late || !early {
            return Ok(None);
        }
        let mut last = self.ledger.head(own, &entry.dataset)?;
        while let Some(newer) = last.filter(|last| *last >= size) {
            last = self.entry(own, newer)?.previous;
        }
        if last != Some(index) {
            return Ok(None);
        }
        if let Some(set) = &selection.set
            && self.oai_is_outside(&entry, set)?
        {
            return Ok(None);
        }
        let item = self.oai_item_of(entry)?;
        // What was withdrawn has no sets any more: every harvester is told.
        let wanted = |set: &String| item.header.deleted || item.header.sets.iter().any(|own| is_within(own, set));
        Ok(selection.set.as_ref().is_none_or(wanted).then_some(item))
    }

    /// Whether search knows the record of an entry, and that it is not in a set; reading its crate would take ten times as long.
    fn oai_is_outside(&self, entry: &Entry, set: &str) -> Result<bool, NodeError> {
        let key = DatasetKey { node: self.config.id.clone(), id: entry.dataset.clone() };
        let known = self.search.document(&key)?.filter(|known| known.version == entry.version);
        let sets = known.map(|known| {
            let (publisher, licence) = (known.publisher.as_deref(), known.licence.as_deref());
            sets_of(&known.kind, publisher, licence, &known.organisms, &known.methods)
        });
        Ok(sets.is_some_and(|sets| !sets.iter().any(|own| is_within(own, set))))
    }

    fn oai_item_of(&self, entry: Entry) -> Result<Item, NodeError> {
        let key = DatasetKey { node: self.config.id.clone(), id: entry.dataset.clone() };
        let crate_bytes = self.crate_of_entry(&entry)?;
        let page = self.page_of(&key);
        let digest = entry.crate_digest();
        let read = crate_bytes.zip(digest);
        let read =
            read.and_then(|(bytes, digest)| self.recent_reads.read((digest, &bytes), &page, &self.ontology).ok());
        // A crate is gone when its dataset was withdrawn, if by a later entry.
        let deleted = matches!(entry.event, Event::Withdraw(_)) || read.is_none();
        let sets = read.map(|read| sets_of_summary(&entry, &read.summary)).unwrap_or_default();
        let identifier = self.oai_identifier(&entry.dataset);
        let header = OaiHeader { identifier, datestamp: entry.time, sets, deleted };
        Ok(Item { id: entry.dataset, version: entry.version, header })
    }

    async fn oai_record(
        &self,
        actor: &Actor,
        item: Item,
        prefix: &str,
        format: ExportFormat,
    ) -> Result<OaiRecord, NodeError> {
        let Item { id, version, mut header } = item;
        if header.deleted {
            return Ok(OaiRecord { header, metadata: None });
        }
        let choice = VersionChoice::Number(version);
        match self.export(actor, &id, Some(&self.config.id), choice, format).await {
            Ok(exported) => Ok(OaiRecord { header, metadata: Some(wrapped(prefix, &exported.bytes)) }),
            // Withdrawn since the listing began.
            Err(NodeError::Gone(_) | NodeError::NotFound(_)) => {
                header.deleted = true;
                Ok(OaiRecord { header, metadata: None })
            }
            Err(error) => Err(error),
        }
    }

    /// The sets that have records: those of this node's own records.
    async fn oai_sets(self: &Arc<Self>, actor: &Actor) -> Result<Vec<OaiSet>, NodeError> {
        let own = vec![self.config.id.clone()];
        let found = self.search(actor, SearchRequest { node: own, size: 0, ..SearchRequest::default() }).await?;
        let set = |spec: String, name: &str| OaiSet { spec, name: name.to_owned() };
        let mut sets = vec![
            set("kind".into(), "Deposits and catalogue records"),
            set("kind:deposit".into(), "Deposited here"),
            set("kind:catalogue".into(), "Described here, held elsewhere"),
            set("publisher".into(), "By publisher"),
            set("license".into(), "By licence"),
            set("organism".into(), "By organism"),
            set("method".into(), "By imaging method"),
        ];
        let values = |values: &[FacetValue], kind: &str| {
            values.iter().map(|value| set(format!("{kind}:{}", slug(&value.value)), &value.label)).collect::<Vec<_>>()
        };
        sets.extend(values(&found.facets.publisher, "publisher"));
        sets.extend(values(&found.facets.licence, "license"));
        for (values, kind) in [(&found.facets.organism, "organism"), (&found.facets.method, "method")] {
            term_sets(values, kind, &mut sets);
        }
        Ok(sets)
    }
}

/// Sets of the terms that records name, out of a tree; a term that stands in several places once.
fn term_sets(values: &[FacetValue], kind: &str, sets: &mut Vec<OaiSet>) {
    for value in values {
        let local = value.value.rsplit(['/', '#']).next().unwrap_or_default();
        let spec = format!("{kind}:{}", set_name(local));
        if value.recorded != Some(0) && sets.iter().all(|set| set.spec != spec) {
            sets.push(OaiSet { spec, name: value.label.clone() });
        }
        term_sets(&value.children, kind, sets);
    }
}

fn sets_of_summary(entry: &Entry, summary: &Summary) -> Vec<String> {
    let publisher = summary.publisher.as_ref().map(|publisher| publisher.name.as_str());
    let licence = summary.licence.as_ref().map(Licence::label);
    sets_of(kind_of(entry).as_str(), publisher, licence, &summary.organisms, &summary.methods)
}

/// The sets of a record, each with the kind it is of.
fn sets_of(
    kind: &str,
    publisher: Option<&str>,
    licence: Option<&str>,
    organisms: &[Term],
    methods: &[Term],
) -> Vec<String> {
    let mut sets = vec![format!("kind:{kind}")];
    sets.extend(publisher.map(|publisher| format!("publisher:{}", slug(publisher))));
    sets.extend(licence.map(|licence| format!("license:{}", slug(licence))));
    let term = |kind: &str, term: &Term| {
        let local = term.iri.as_str().rsplit(['/', '#']).next().unwrap_or_default().to_owned();
        format!("{kind}:{}", set_name(&local))
    };
    sets.extend(organisms.iter().map(|organism| term("organism", organism)));
    sets.extend(methods.iter().map(|method| term("method", method)));
    sets
}

/// Only what a `setSpec` may hold (§2.6).
fn set_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.!~*'()".contains(c) { c } else { '-' }).collect()
}

/// Whether a set is another one, or within it.
fn is_within(set: &str, other: &str) -> bool {
    set.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn format_of(prefix: &str) -> Option<ExportFormat> {
    FORMATS.iter().find(|(format, _)| format.prefix == prefix).map(|(_, export)| *export)
}

/// An exported document as an element within another; DataCite's OAI form has a wrapping of its own.
fn wrapped(prefix: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let element = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map_or(&*text, |(_, rest)| rest);
    let element = element.trim_start();
    if prefix != "oai_datacite" {
        return element.to_owned();
    }
    format!(
        "<oai_datacite xmlns=\"http://schema.datacite.org/oai/oai-1.1/\" \
         xsi:schemaLocation=\"http://schema.datacite.org/oai/oai-1.1/ http://schema.datacite.org/oai/oai-1.1/oai.xsd\">\n\
         <schemaVersion>4.7</schemaVersion>\n<payload>\n{element}</payload>\n</oai_datacite>\n"
    )
}

fn unknown() -> OaiError {
    OaiError::new(OaiCode::IdDoesNotExist, "There is no record of this identifier here.")
}

fn no_such_format() -> OaiError {
    let known: Vec<&str> = FORMATS.iter().map(|(format, _)| format.prefix).collect();
    OaiError::new(OaiCode::CannotDisseminateFormat, format!("Records can be had as {}.", known.join(", ")))
}

fn out_of_range() -> OaiError {
    OaiError::new(
        OaiCode::BadResumptionToken,
        "This resumption token is of another log; begin the listing again without it.",
    )
}

fn none_match() -> OaiError {
    OaiError::new(OaiCode::NoRecordsMatch, "No record changed in that time, or is in that set.")
}
