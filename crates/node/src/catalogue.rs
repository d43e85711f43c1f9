use std::{
    collections::{BTreeSet, HashMap, HashSet},
    str::FromStr,
    sync::Arc,
};

use bytes::Bytes;
use dataset_model::{Catalogued, DatasetId, Digest, Entry, Event, Timestamp, VersionNumber, WithdrawReason, Withdrawn};
use futures::{Stream, StreamExt};
use ledger::{Append, Change};

use crate::{
    Actor, ImportReport, Node, NodeError, Scope,
    documents::{SourceRecord, version_key},
    minting::slug,
    origin::ImportedFrom,
    policy,
};

/// Items whose entries go into one append.
const BATCH: usize = 200;

/// The name of an imported source, such as `idr`: letters, digits and hyphens, at most 32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceName(String);

impl FromStr for SourceName {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let valid = !text.is_empty()
            && text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if valid {
            return Ok(Self(text.to_owned()));
        }
        Err(NodeError::Invalid(format!("'{text}' cannot name a source: use 1 to 32 letters, digits and hyphens")))
    }
}

/// One item of a listing.
#[derive(Debug)]
pub enum ListingItem {
    /// A crate, or what should be one.
    Crate {
        /// Where it stands in the listing.
        path: String,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Something the reader of the listing could not read.
    Unreadable {
        /// Where it stands in the listing.
        path: String,
        /// Why.
        why: String,
    },
    /// The listing was read to its end: what it did not hold is gone from the source.
    End,
}

/// An import under way.
struct Import<'a> {
    node: &'a Node,
    source: &'a SourceName,
    /// What is known of the source, by path.
    known: HashMap<String, SourceRecord>,
    /// The paths of what is known, by IRI.
    paths: HashMap<String, String>,
    /// The IRIs seen so far, with their paths.
    seen: HashMap<String, String>,
    /// Datasets the listing holds.
    listed: HashSet<DatasetId>,
    /// Paths that could not be kept: what was stored under them stays, for an unreadable file is no withdrawal.
    refused: HashSet<String>,
    ids: HashMap<DatasetId, String>,
    pending: Pending,
    report: ImportReport,
}

/// A crate as it was found, and as it is given to everybody.
struct Item {
    /// Digest of the bytes as they were found.
    original: Digest,
    /// Those bytes, where others are published.
    private: Option<String>,
    withheld: u64,
    /// What is published.
    bytes: Bytes,
    digest: Digest,
}

impl Item {
    fn of(found: Bytes) -> Result<Self, NodeError> {
        let original = Digest::of(&found);
        let public = metadata_store::public_crate(&found)?;
        let (bytes, private) = match public.changed {
            Some(changed) => (Bytes::from(changed), Some(String::from_utf8_lossy(&found).into_owned())),
            None => (found, None),
        };
        Ok(Self { original, private, withheld: public.withheld as u64, digest: Digest::of(&bytes), bytes })
    }

    /// Whether this is what was found and published before.
    fn is(&self, before: &SourceRecord) -> bool {
        before.digest == self.original && before.published.unwrap_or(before.digest) == self.digest
    }
}

#[derive(Default)]
struct Pending {
    entries: Vec<Vec<u8>>,
    crates: Vec<(Digest, Bytes)>,
    dropped_crates: Vec<Digest>,
    changes: Vec<Change>,
}

impl Node {
    /// Brings a listing of crates in as catalogue records: metadata here, bytes elsewhere. The listing is the source's
    /// new complete state; when it ends with [`ListingItem::End`], what it no longer holds is withdrawn. A listing that
    /// breaks off adds and changes, and takes nothing away.
    ///
    /// # Errors
    /// Unless the actor is a curator; when the listing breaks off (what came before stays).
    pub async fn import<S>(
        self: &Arc<Self>,
        actor: &Actor,
        source: &SourceName,
        mut listing: S,
    ) -> Result<ImportReport, NodeError>
    where
        S: Stream<Item = Result<ListingItem, NodeError>> + Unpin + Send,
    {
        policy::require(actor, Scope::Curate)?;
        let _alone = self.importing.lock().await;
        let mut import = Import::begin(self, source)?;
        while let Some(item) = listing.next().await {
            match item? {
                ListingItem::Crate { path, bytes } => import.take(path, bytes)?,
                ListingItem::Unreadable { path, why } => import.refuse(path, why),
                ListingItem::End => import.report.complete = true,
            }
        }
        let report = import.finish()?;
        self.wake_projectors();
        if let Some(last) = self.ledger.size(&self.config.id)?.checked_sub(1) {
            self.wait_until_applied(last).await;
        }
        Ok(report)
    }
}

impl<'a> Import<'a> {
    fn begin(node: &'a Node, source: &'a SourceName) -> Result<Self, NodeError> {
        let prefix = format!("{}/", source.0);
        let (mut known, mut paths, mut ids) = (HashMap::new(), HashMap::new(), HashMap::new());
        for row in node.source_records().iter_prefix(&prefix) {
            let (key, record) = row?;
            let path = key[prefix.len()..].to_owned();
            ids.insert(record.dataset.clone(), record.iri.clone());
            paths.insert(record.iri.clone(), path.clone());
            known.insert(path, record);
        }
        let report = ImportReport { source: source.0.clone(), ..ImportReport::default() };
        let (seen, listed, refused, pending) = Default::default();
        Ok(Self { node, source, known, paths, seen, listed, refused, ids, pending, report })
    }

    fn refuse(&mut self, path: String, why: String) {
        self.report.seen += 1;
        self.report.reject(&path, why);
        self.refused.insert(path);
    }

    fn take(&mut self, path: String, bytes: Bytes) -> Result<(), NodeError> {
        let limit = self.node.config.limits.crate_bytes;
        if bytes.len() as u64 > limit {
            self.refuse(path, format!("larger than {limit} bytes"));
            return Ok(());
        }
        let base = format!("{}/sources/{}/", self.node.config.public_url, self.source.0);
        let read = match metadata_store::read_crate(&bytes, &base, &self.node.ontology) {
            Ok(read) => read,
            Err(error) => {
                self.refuse(path, error.to_string());
                return Ok(());
            }
        };
        let iri = read.summary.iri.clone();
        if iri.starts_with(&base) {
            self.refuse(path, "the root dataset has no absolute @id, so nobody could find its bytes".into());
            return Ok(());
        }
        if let Some(other) = self.seen.get(&iri) {
            let why = format!("describes {iri}, as does {other}");
            self.refuse(path, why);
            return Ok(());
        }
        self.seen.insert(iri.clone(), path.clone());
        self.report.seen += 1;
        self.report.count(&read.summary);
        self.store(path, bytes, iri, &read)
    }

    fn store(
        &mut self,
        path: String,
        bytes: Bytes,
        iri: String,
        read: &metadata_store::ReadCrate,
    ) -> Result<(), NodeError> {
        let item = Item::of(bytes)?;
        let plain = self.plain_id(&iri, read)?;
        let before = self.known_as(&path, &iri, &plain);
        let unchanged = before.as_ref().is_some_and(|before| item.is(before) && before.iri == iri);
        let dataset = match before {
            Some(before) => before.dataset,
            None => self.free_id(plain, &iri)?,
        };
        self.listed.insert(dataset.clone());
        if unchanged {
            self.report.unchanged += 1;
            let moved = self.known.get(&path).is_none_or(|known| known.iri != iri);
            return if moved { self.remember(&path, dataset, iri, &item) } else { Ok(()) };
        }
        let event = Event::Catalogue(Catalogued {
            crate_digest: item.digest,
            original: Some(item.original).filter(|original| *original != item.digest),
            graph: self.graph_digest(&dataset, &item),
            source: self.source.0.clone(),
        });
        let version = self.announce(&dataset, event)?;
        self.keep_origin(&version_key(&dataset, version), &path, &item)?;
        self.report.stored += 1;
        self.remember(&path, dataset, iri, &item)?;
        self.pending.crates.push((item.digest, item.bytes));
        if self.pending.entries.len() >= BATCH { self.append() } else { Ok(()) }
    }

    /// Keeps where the record was found, and what of it is for nobody else.
    fn keep_origin(&mut self, key: &str, path: &str, item: &Item) -> Result<(), NodeError> {
        let from = ImportedFrom { file: path.to_owned(), original: item.original, withheld: item.withheld };
        self.pending.changes.push(self.node.imported_from().put(key, &from)?);
        if let Some(text) = &item.private {
            self.pending.changes.push(self.node.original_crates().put(key, text)?);
        }
        Ok(())
    }

    /// The record of a study: known by its IRI, whatever its file's name is now; or, when its publisher gave it another
    /// IRI, by file and accession together.
    fn known_as(&self, path: &str, iri: &str, plain: &DatasetId) -> Option<SourceRecord> {
        let free = |record: &&SourceRecord| !self.listed.contains(&record.dataset);
        let by_iri = self.paths.get(iri).and_then(|path| self.known.get(path)).filter(free);
        let same_accession = |record: &&SourceRecord| {
            record.dataset == *plain || hashed_id(plain, &record.iri) == Some(record.dataset.clone())
        };
        let by_file = || self.known.get(path).filter(free).filter(same_accession);
        by_iri.or_else(by_file).cloned()
    }

    /// The digest of the record's graph as everyone reads it: relative ids start from the dataset's page.
    fn graph_digest(&self, dataset: &DatasetId, item: &Item) -> Option<Digest> {
        let page = self.node.config.page(dataset);
        let read = self.node.recent_reads.read((item.digest, &item.bytes), &page, &self.node.ontology);
        read.ok().and_then(|read| read.graph.digest())
    }

    fn remember(&mut self, path: &str, dataset: DatasetId, iri: String, item: &Item) -> Result<(), NodeError> {
        let record = SourceRecord { dataset, iri, digest: item.original, published: Some(item.digest) };
        self.ids.insert(record.dataset.clone(), record.iri.clone());
        let key = format!("{}/{path}", self.source.0);
        self.pending.changes.push(self.node.source_records().put(&key, &record)?);
        Ok(())
    }

    /// `{source}.{accession}`.
    fn plain_id(&self, iri: &str, read: &metadata_store::ReadCrate) -> Result<DatasetId, NodeError> {
        let accession = read.summary.identifiers.first().map(String::as_str);
        let last = iri.trim_end_matches('/').rsplit('/').next();
        let local = slug(accession.filter(|text| !text.contains('/')).or(last).unwrap_or(iri));
        let plain = format!("{}.{local}", self.source.0);
        plain.parse().map_err(|error| NodeError::Internal(format!("{plain}: {error}")))
    }

    /// The plain id; two studies with one accession are told apart by a hash of their IRIs.
    fn free_id(&self, plain: DatasetId, iri: &str) -> Result<DatasetId, NodeError> {
        if self.ids.get(&plain).is_none_or(|of| of == iri) {
            return Ok(plain);
        }
        hashed_id(&plain, iri).ok_or_else(|| NodeError::Internal(format!("'{plain}' is too long for a second study")))
    }

    fn announce(&mut self, dataset: &DatasetId, event: Event) -> Result<VersionNumber, NodeError> {
        let node = self.node;
        let previous = node.ledger.head(&node.config.id, dataset)?;
        let version = match previous {
            None => VersionNumber::FIRST,
            Some(index) => {
                let before = node.entry(&node.config.id, index)?;
                if matches!(event, Event::Withdraw(_)) { before.version } else { before.version.next() }
            }
        };
        let entry = Entry { dataset: dataset.clone(), version, previous, time: Timestamp::now(), event };
        let bytes = entry.to_bytes().map_err(|error| NodeError::Internal(error.to_string()))?;
        self.pending.entries.push(bytes);
        Ok(version)
    }

    fn append(&mut self) -> Result<(), NodeError> {
        let Pending { entries, crates, dropped_crates, changes } = std::mem::take(&mut self.pending);
        if entries.is_empty() {
            return Ok(self.node.ledger.write(changes)?);
        }
        let append = Append { entries, crates, dropped_crates, changes, ..Append::default() };
        self.node.ledger.append(&self.node.config.id, append)?;
        self.node.wake_projectors();
        Ok(())
    }

    fn finish(mut self) -> Result<ImportReport, NodeError> {
        self.append()?;
        if self.report.complete {
            self.withdraw_the_unlisted()?;
            self.append()?;
        }
        Ok(self.report)
    }

    fn withdraw_the_unlisted(&mut self) -> Result<(), NodeError> {
        let paths: HashSet<&String> = self.seen.values().chain(&self.refused).collect();
        // A study may be known under two paths while a file of it cannot be read.
        let kept: HashSet<&DatasetId> = self
            .refused
            .iter()
            .filter_map(|path| self.known.get(path))
            .map(|record| &record.dataset)
            .chain(&self.listed)
            .collect();
        let mut gone = BTreeSet::new();
        for (path, record) in &self.known {
            if !kept.contains(&record.dataset) {
                gone.insert(record.dataset.clone());
            }
            if !paths.contains(path) {
                let key = format!("{}/{path}", self.source.0);
                self.pending.changes.push(self.node.source_records().remove(&key));
            }
        }
        for dataset in gone {
            self.pending.dropped_crates.extend(self.node.held_crates(&self.node.config.id, &dataset)?);
            self.pending.changes.extend(self.node.origins_of_versions(&dataset)?);
            self.announce(&dataset, Event::Withdraw(Withdrawn { reason: WithdrawReason::Unlisted }))?;
            self.report.withdrawn += 1;
            if self.pending.entries.len() >= BATCH {
                self.append()?;
            }
        }
        Ok(())
    }
}

fn hashed_id(plain: &DatasetId, iri: &str) -> Option<DatasetId> {
    let hash: String = Digest::of(iri).to_string().chars().take(8).collect();
    format!("{plain}-{hash}").parse().ok()
}
