//! Where a record came from, when, and what was done to it on the way: for pages, the API and RDF.

use dataset_model::{DatasetKey, Digest, Entry, Event, NodeId, Summary, Timestamp};
use ledger::Collection;
use metadata_store::{ExtraValue, Provenance};
use serde::{Deserialize, Serialize};

use crate::{Node, NodeError, documents::version_key, image_facts::VOCABULARY};

const PROV: &str = "http://www.w3.org/ns/prov#";
/// Repairs of one record that RDF tells one by one.
const MOST_REPAIRS: usize = 100;

/// Where an imported record was found. Key: `{dataset}/{version}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ImportedFrom {
    /// Its place in the listing.
    pub file: String,
    /// Digest of the bytes as its publisher wrote them.
    pub original: Digest,
    /// E-mail addresses and telephone numbers that were taken out.
    pub withheld: u64,
}

/// Where a record came from, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenanceView {
    /// The node that announced it.
    pub node: NodeId,
    /// Index of its entry in that node's log.
    pub entry: u64,
    /// When that node accepted it.
    pub announced: Timestamp,
    /// When this node took it from that node's log; nothing for its own.
    pub harvested: Option<Timestamp>,
    /// The source it was imported from; nothing for a deposit.
    pub source: Option<SourceView>,
}

/// The source of a catalogue record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceView {
    /// The name of the listing.
    pub name: String,
    /// The record's page at its publisher.
    pub url: String,
    /// Its file in the listing; only the node that imported it knows.
    pub file: Option<String>,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// Digest of the record as its publisher wrote it.
    pub original: Digest,
    /// How many e-mail addresses and telephone numbers were taken out; only the node that imported it knows.
    pub withheld: Option<u64>,
}

impl Node {
    pub(crate) fn imported_from(&self) -> Collection<ImportedFrom> {
        self.ledger.collection("imported_from")
    }

    /// Imported records as their publishers wrote them, where something was taken out. For nobody but the operator: no route
    /// leads here. Key: `{dataset}/{version}`.
    pub(crate) fn original_crates(&self) -> Collection<String> {
        self.ledger.collection("original_crates")
    }

    /// When entries of other logs came. Key: `{node}/{index of the first one}`.
    pub(crate) fn harvest_times(&self) -> Collection<Timestamp> {
        self.ledger.collection("harvest_times")
    }

    /// Where a version of a record came from.
    pub(crate) fn provenance_of(
        &self,
        key: &DatasetKey,
        (index, entry): (u64, &Entry),
        summary: &Summary,
    ) -> Result<ProvenanceView, NodeError> {
        let own = key.node == self.config.id;
        let harvested = if own { None } else { self.harvested_at(&key.node, index)? };
        let source = match &entry.event {
            Event::Catalogue(catalogued) => {
                let document = version_key(&key.id, entry.version);
                let from = if own { self.imported_from().get(&document)? } else { None };
                Some(SourceView {
                    name: catalogued.source.clone(),
                    url: summary.iri.clone(),
                    fetched: entry.time,
                    original: catalogued.original.unwrap_or(catalogued.crate_digest),
                    withheld: from.as_ref().map(|from| from.withheld),
                    file: from.map(|from| from.file),
                })
            }
            Event::Publish(_) | Event::Revise(_) | Event::Withdraw(_) => None,
        };
        Ok(ProvenanceView { node: key.node.clone(), entry: index, announced: entry.time, harvested, source })
    }

    fn harvested_at(&self, node: &NodeId, index: u64) -> Result<Option<Timestamp>, NodeError> {
        let prefix = format!("{node}/");
        Ok(self.harvest_times().last_until(&prefix, &harvest_key(node, index))?.map(|(_, time)| time))
    }

    /// The graph that says where all records come from.
    pub(crate) fn provenance_graph(&self) -> String {
        format!("{}/graphs/provenance", self.config.public_url)
    }
}

/// Indexes are written so that their order is that of the keys.
pub(crate) fn harvest_key(node: &NodeId, index: u64) -> String {
    format!("{node}/{index:020}")
}

/// What the provenance graph says about a record (PROV-O); nothing of one that was withdrawn, so that what it said goes.
pub(crate) fn statements(graph: String, page: &str, told: Option<(&ProvenanceView, &Summary, &str)>) -> Provenance {
    let activity = format!("{page}#provenance");
    let (record, acts) = match told {
        Some((view, summary, node_page)) => {
            (of_record(view, &activity, node_page), of_activity(view, summary, node_page))
        }
        None => (Vec::new(), Vec::new()),
    };
    Provenance { graph, subjects: vec![(page.to_owned(), record), (activity, acts)] }
}

fn of_record(view: &ProvenanceView, activity: &str, node_page: &str) -> Vec<(String, ExtraValue)> {
    let mut facts = vec![
        (RDF_TYPE.to_owned(), ExtraValue::Iri(format!("{PROV}Entity"))),
        (format!("{PROV}wasGeneratedBy"), ExtraValue::Iri(activity.to_owned())),
        (format!("{PROV}generatedAtTime"), ExtraValue::DateTime(view.announced.to_string())),
        (format!("{PROV}wasAttributedTo"), ExtraValue::Iri(node_page.to_owned())),
        (word("logEntry"), ExtraValue::Integer(i64::try_from(view.entry).unwrap_or(i64::MAX))),
    ];
    facts.extend(
        view.source.iter().map(|source| (format!("{PROV}wasDerivedFrom"), ExtraValue::Iri(source.url.clone()))),
    );
    facts.extend(view.harvested.map(|time| (word("harvested"), ExtraValue::DateTime(time.to_string()))));
    facts
}

/// The import of a record, or the deposit of a dataset.
fn of_activity(view: &ProvenanceView, summary: &Summary, node_page: &str) -> Vec<(String, ExtraValue)> {
    let mut facts = vec![
        (RDF_TYPE.to_owned(), ExtraValue::Iri(format!("{PROV}Activity"))),
        (format!("{PROV}endedAtTime"), ExtraValue::DateTime(view.announced.to_string())),
        (format!("{PROV}wasAssociatedWith"), ExtraValue::Iri(node_page.to_owned())),
    ];
    if let Some(source) = &view.source {
        facts.push((format!("{PROV}used"), ExtraValue::Iri(source.url.clone())));
        facts.push((word("source"), ExtraValue::Text(source.name.clone())));
        facts.push((word("originalDigest"), ExtraValue::Text(source.original.to_string())));
        facts.extend(source.file.iter().map(|file| (word("sourceFile"), ExtraValue::Text(file.clone()))));
        let withheld = source.withheld.and_then(|count| i64::try_from(count).ok());
        facts.extend(withheld.map(|count| (word("withheld"), ExtraValue::Integer(count))));
    }
    let repairs = summary.repairs.iter().take(MOST_REPAIRS);
    facts.extend(repairs.map(|repair| {
        (word("repair"), ExtraValue::Text(format!("{}: '{}' read as '{}'", repair.rule, repair.from, repair.to)))
    }));
    facts
}

const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

fn word(name: &str) -> String {
    format!("{VOCABULARY}{name}")
}

#[cfg(test)]
mod tests;
