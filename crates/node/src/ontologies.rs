//! Ontologies of a node: which are loaded, replacing one, and reading again the records that a new edition touches.

mod kept;
mod loading;
mod settling;

use std::sync::{Arc, Mutex};

use dataset_model::{Digest, Timestamp};
use metadata_store::Shortlist;
use serde::{Deserialize, Serialize};

use crate::{Node, NodeError};
pub(crate) use kept::open;

/// An ontology on disk. Key: its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OntologyRecord {
    /// Its folder, below the one of all ontologies.
    folder: String,
    digest: Digest,
    /// Whether it came with the program; a newer program brings its own edition then.
    bundled: bool,
    loaded: Timestamp,
    /// The folder of the edition before, until all records follow this one.
    replaces: Option<String>,
    /// Whether search and RDF follow this edition.
    settled: bool,
}

/// An ontology as listed.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are those of the API, described there")]
pub struct OntologyView {
    pub name: String,
    pub iri: Option<String>,
    pub version: Option<String>,
    pub licence: Option<String>,
    pub terms: u64,
    pub synonyms: u64,
    pub format: String,
    pub digest: Digest,
    /// Whether it came with the program.
    pub bundled: bool,
    pub loaded: Timestamp,
    /// Whether search and RDF follow this edition.
    pub settled: bool,
}

/// What loading an ontology did.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are those of the API, described there")]
pub struct OntologyReport {
    pub name: String,
    pub version: Option<String>,
    pub format: String,
    pub digest: Digest,
    pub terms: u64,
    /// Terms that the edition before did not have.
    pub added: u64,
    /// Terms that are described otherwise than before.
    pub changed: u64,
    /// Terms that are no longer there.
    pub removed: u64,
    /// Records that were read again, because they use a term that changed, or one below it.
    pub records_reexpanded: u64,
}

/// What a node needs beside the ontologies themselves.
#[derive(Default)]
pub(crate) struct Ontologies {
    /// One ontology is loaded at a time.
    loading: Arc<tokio::sync::Mutex<()>>,
    /// The terms in use, counted.
    pub(crate) in_use: Mutex<Option<InUse>>,
}

/// Terms in use, for one state of the index.
pub(crate) struct InUse {
    pub(crate) generation: u64,
    pub(crate) visible: Vec<dataset_model::Access>,
    pub(crate) counted: std::time::Instant,
    pub(crate) terms: Arc<Shortlist>,
}

impl Node {
    fn ontology_records(&self) -> ledger::Collection<OntologyRecord> {
        self.ledger.collection(kept::COLLECTION)
    }

    /// The ontologies, sorted by name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn list_ontologies(&self) -> Result<Vec<OntologyView>, NodeError> {
        let mut views = Vec::new();
        for table in self.ontology.tables() {
            let info = table.info().clone();
            let Some(record) = self.ontology_records().get(&info.name)? else { continue };
            views.push(OntologyView {
                name: info.name,
                iri: info.iri,
                version: info.version,
                licence: info.licence,
                terms: info.terms,
                synonyms: info.synonyms,
                format: info.format,
                digest: info.digest,
                bundled: record.bundled,
                loaded: record.loaded,
                settled: record.settled,
            });
        }
        Ok(views)
    }
}

#[cfg(test)]
mod tests;
