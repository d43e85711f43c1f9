//! A node's own state, checked while it does not run: logs, documents, archive, copies, projections.

use std::collections::{BTreeMap, HashSet};

use archive_store::Archive;
use dataset_model::{DatasetId, DatasetKey, Digest, Entry, MerkleTree, NodeId, Published, VersionNumber};
use futures::StreamExt;
use serde::Serialize;

use crate::{
    Node, NodeConfig, NodeError,
    harvest::sentence,
    mirroring::{object_of, read_copy_key},
};

/// Entries read in one step.
const STEP: u64 = 256;
/// Things that are told one by one.
const MOST_TOLD: usize = 1000;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongThing {
    /// Where.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OwnReport {
    /// Whether all of it holds.
    pub valid: bool,
    /// Entries of each log, hashed again.
    pub logs: BTreeMap<NodeId, u64>,
    /// Crates that are there and have their digest.
    pub crates: u64,
    /// Own versions whose every byte was read.
    pub versions: u64,
    /// Copies of others' versions whose every byte was read.
    pub copies: u64,
    /// Entries that search and RDF have not applied yet; they do at the next start.
    pub behind: BTreeMap<String, u64>,
    /// What is wrong.
    pub findings: Vec<WrongThing>,
    /// Further findings that are not told.
    pub more_findings: u64,
}

impl OwnReport {
    fn find(&mut self, place: impl Into<String>, what: impl ToString) {
        if self.findings.len() < MOST_TOLD {
            self.findings.push(WrongThing { place: place.into(), what: what.to_string() });
        } else {
            self.more_findings += 1;
        }
    }
}

impl Node {
    /// Checks the state of a node that does not run; `told` hears what is being checked.
    ///
    /// # Errors
    /// When the node is running or cannot be opened. What is wrong with it is in the report.
    pub async fn verify(config: NodeConfig, told: impl Fn(&str)) -> Result<OwnReport, NodeError> {
        let node = Self::open(config).await?;
        let mut report = OwnReport::default();
        for log in node.ledger.nodes()? {
            told(&format!("log of {log}"));
            if let Err(error) = node.verify_log(&log, &mut report) {
                report.find(format!("log of {log}"), sentence(&error));
            }
        }
        told("archive");
        let known = node.verify_own_versions(&mut report).await?;
        node.verify_nothing_else(&node.archive, &known, ("archive", &mut report)).await?;
        told("copies");
        let known = node.verify_copies(&mut report).await?;
        node.verify_nothing_else(&node.mirrors.archive, &known, ("mirror", &mut report)).await?;
        told("projections");
        for (name, projector) in [("search", &node.searchable), ("rdf", &node.queryable)] {
            for (log, applied) in projector.applied()? {
                let size = node.ledger.size(&log)?;
                if applied > size {
                    report.find(name, format!("it has applied {applied} entries of '{log}', whose log has {size}"));
                }
            }
            let applied = projector.applied()?;
            let lag = |log: &NodeId| {
                node.ledger.size(log).unwrap_or(0).saturating_sub(applied.get(log).copied().unwrap_or(0))
            };
            let behind: u64 = node.ledger.nodes()?.iter().map(lag).sum();
            report.behind.insert(name.to_owned(), behind);
        }
        report.valid = report.findings.is_empty();
        Ok(report)
    }

    /// Hashes every entry again, and looks for the crates that the newest state of each dataset needs.
    fn verify_log(&self, log: &NodeId, report: &mut OwnReport) -> Result<(), NodeError> {
        let size = self.ledger.size(log)?;
        let mut tree = MerkleTree::default();
        let mut heads: BTreeMap<DatasetId, u64> = BTreeMap::new();
        let mut at = 0;
        while at < size {
            let to = size.min(at + STEP);
            for (index, bytes) in (at..).zip(self.ledger.entries(log, at..to)?) {
                tree.push(&bytes);
                match Entry::from_bytes(&bytes) {
                    Ok(entry) => {
                        if entry.previous != heads.insert(entry.dataset, index) {
                            report.find(format!("log of {log}, entry {index}"), "it does not name the entry before it");
                        }
                    }
                    Err(error) => report.find(format!("log of {log}, entry {index}"), error),
                }
            }
            at = to;
        }
        if tree.root() != self.ledger.root(log, size)? {
            report.find(format!("log of {log}"), "its entries do not give its root");
        }
        report.logs.insert(log.clone(), size);
        for (dataset, index) in heads {
            if self.ledger.head(log, &dataset)? != Some(index) {
                report.find(format!("log of {log}"), format!("the last entry about '{dataset}' is not the one noted"));
            }
            self.verify_crates(&DatasetKey { node: log.clone(), id: dataset }, report)?;
        }
        Ok(())
    }

    fn verify_crates(&self, key: &DatasetKey, report: &mut OwnReport) -> Result<(), NodeError> {
        for (index, entry) in self.history(key)? {
            let Some(digest) = entry.crate_digest() else { return Ok(()) };
            match self.ledger.crate_bytes(&digest)? {
                Some(bytes) if Digest::of(&bytes) == digest => report.crates += 1,
                Some(_) => report.find(format!("crate {digest}"), format!("it has other bytes ({key}, entry {index})")),
                None if self.missing_crates().get(&format!("{}/{digest}", key.node))?.is_some() => {}
                None => report.find(format!("crate {digest}"), format!("it is not there ({key}, entry {index})")),
            }
        }
        Ok(())
    }

    /// Every own version: its list of files, its inventory, every byte. Gives the datasets that have any.
    async fn verify_own_versions(&self, report: &mut OwnReport) -> Result<HashSet<DatasetId>, NodeError> {
        let mut known = HashSet::new();
        let heads: Vec<DatasetId> =
            self.ledger.heads(&self.config.id).map(|head| Ok(head?.0)).collect::<Result<_, NodeError>>()?;
        for id in heads {
            let key = DatasetKey { node: self.config.id.clone(), id };
            let versions = self.copiable(&key)?;
            if versions.is_empty() {
                continue;
            }
            known.insert(key.id.clone());
            for (entry, published) in &versions {
                self.verify_version(&self.archive, (&key.id, entry.version), (published, true), report).await;
                report.versions += 1;
            }
            self.verify_object(&self.archive, &key.id, report).await;
        }
        Ok(known)
    }

    /// Every copy. Gives the objects that hold any.
    async fn verify_copies(&self, report: &mut OwnReport) -> Result<HashSet<DatasetId>, NodeError> {
        let mut known = HashSet::new();
        for row in self.copies().iter_prefix("") {
            let (name, copy) = row?;
            let Some((key, version)) = read_copy_key(&name) else { continue };
            let object = object_of(&key)?;
            let archive = &self.mirrors.archive;
            let entry = self.copiable(&key)?.into_iter().find(|(entry, _)| entry.version == version);
            match entry {
                Some((_, published)) => {
                    self.verify_version(archive, (&object, copy.object_version), (&published, false), report).await;
                }
                None => report.find(
                    format!("copy of {key} {version}"),
                    "its dataset was withdrawn; it is erased at the next start",
                ),
            }
            if known.insert(object.clone()) {
                self.verify_object(archive, &object, report).await;
            }
            report.copies += 1;
        }
        Ok(known)
    }

    async fn verify_version(
        &self,
        archive: &Archive,
        (object, version): (&DatasetId, VersionNumber),
        (published, own): (&Published, bool),
        report: &mut OwnReport,
    ) {
        let place = format!("{object} {version}");
        match archive.manifest(object, version).await {
            Ok(manifest) if manifest.content_root() == published.content_root => {}
            Ok(_) => report.find(&place, "its list of files is not the one that was signed"),
            Err(error) => report.find(&place, sentence(&error)),
        }
        // The inventory of a copy is its own.
        match archive.inventory(object, version).await {
            Ok(bytes) if own && Digest::of(&bytes) != published.inventory => {
                report.find(&place, "its inventory is not the one that was signed");
            }
            Ok(_) => {}
            Err(error) => report.find(&place, sentence(&error)),
        }
    }

    /// Whether an object is valid OCFL, every byte read.
    async fn verify_object(&self, archive: &Archive, object: &DatasetId, report: &mut OwnReport) {
        match archive.verify(object).await {
            Ok(faults) => {
                for fault in faults.iter().filter(|fault| fault.is_error()) {
                    report.find(object.to_string(), fault);
                }
            }
            Err(error) => report.find(object.to_string(), sentence(&error)),
        }
    }

    /// Objects that no log knows, or whose datasets were withdrawn.
    async fn verify_nothing_else(
        &self,
        archive: &Archive,
        known: &HashSet<DatasetId>,
        (name, report): (&str, &mut OwnReport),
    ) -> Result<(), NodeError> {
        let mut objects = archive.list_datasets().await.map_err(NodeError::Archive)?;
        while let Some(object) = objects.next().await {
            match object {
                Ok(object) if known.contains(&object) => {}
                Ok(object) => report.find(format!("{name}: {object}"), "it is there, though no log shows it"),
                Err(error) => report.find(name, sentence(&error)),
            }
        }
        Ok(())
    }
}
