mod reading;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use dataset_model::{Catalogued, DatasetId, Digest, Entry, Event, Timestamp, VersionNumber, WithdrawReason, Withdrawn};
use futures::{Stream, StreamExt};
use ledger::{Append, Change};

use crate::{
    Actor, ImportReport, ListingItem, Node, NodeError, Scope, SourceName,
    counted::Counted,
    documents::{SourceRecord, version_key},
    harvest::sentence,
    origin::ImportedFrom,
    policy,
};
use reading::Reader;

/// Items whose entries go into one append.
const BATCH: usize = 200;
/// A source with more records than this is not taken for more than half gone without a word from a person.
const SMALL: usize = 20;

/// Bytes of an item's place in a listing: addresses are no longer.
const LONGEST_PATH: usize = 4096;

/// What an import may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shrinking {
    /// Whatever the listing says: a person sent it, or confirmed.
    Confirmed,
    /// Half of a source is not withdrawn at once.
    HeldBack,
}

/// What an import did.
#[derive(Debug)]
pub(crate) struct Taken {
    pub report: ImportReport,
    /// From which moment on the source need only be asked for changes.
    pub progress: Option<String>,
    /// Whether the listing broke off before its reader could say anything about its end.
    pub broken: bool,
}

/// An import under way.
struct Import<'a> {
    node: &'a Node,
    source: &'a SourceName,
    reader: Arc<Reader>,
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
    /// Paths that the source says are gone.
    gone: HashSet<String>,
    ids: HashMap<DatasetId, String>,
    pending: Pending,
    report: ImportReport,
    progress: Option<String>,
    broken: bool,
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
    /// What tells this state of it from others, where the source says so.
    stamp: Option<String>,
}

impl Item {
    fn of(found: Bytes, stamp: Option<String>) -> Result<Self, NodeError> {
        let original = Digest::of(&found);
        let public = metadata_store::public_crate(&found)?;
        let (bytes, private) = match public.changed {
            Some(changed) => (Bytes::from(changed), Some(String::from_utf8_lossy(&found).into_owned())),
            None => (found, None),
        };
        Ok(Self { original, private, withheld: public.withheld as u64, digest: Digest::of(&bytes), bytes, stamp })
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
        listing: S,
    ) -> Result<ImportReport, NodeError>
    where
        S: Stream<Item = Result<ListingItem, NodeError>> + Unpin + Send,
    {
        policy::require(actor, Scope::Curate)?;
        let lock = self.sources_in_use.of(source);
        let _alone = lock.write().await;
        let began = Timestamp::now();
        let Taken { report, broken, .. } = self.take_listing(source, listing, Shrinking::Confirmed).await?;
        self.keep_import(source, began, &report)?;
        match &report.stopped {
            Some(why) if broken => Err(NodeError::Invalid(why.clone())),
            _ => Ok(report),
        }
    }

    /// Takes a listing in; where it breaks off, the report says why. The source is not read by anybody else meanwhile.
    ///
    /// # Errors
    /// When the ledger fails.
    pub(crate) async fn take_listing<S>(
        self: &Arc<Self>,
        source: &SourceName,
        listing: S,
        shrinking: Shrinking,
    ) -> Result<Taken, NodeError>
    where
        S: Stream<Item = Result<ListingItem, NodeError>> + Unpin + Send,
    {
        let bringing = Counted::among(&self.bringing_bulk);
        let mut import = Import::begin(self, source)?;
        let mut listing = import.reader.ahead(listing);
        while let Some(item) = listing.next().await {
            match item {
                Ok(ListingItem::Crate { path, bytes, stamp }) => {
                    self.require_space()?;
                    import.take(path, bytes, stamp)?;
                }
                Ok(ListingItem::Unreadable { path, why }) => import.refuse(path, why),
                Ok(ListingItem::Unchanged { path }) => import.keep(path),
                Ok(ListingItem::Withdrawn { path }) => _ = import.gone.insert(path),
                Ok(ListingItem::Progress { from, changes_only }) => {
                    import.progress = Some(from);
                    import.report.changes_only = changes_only;
                }
                Ok(ListingItem::Doubt { why }) => import.report.stopped = Some(why),
                Ok(ListingItem::End) => import.report.complete = true,
                Err(error) => {
                    import.report.complete = false;
                    import.report.stopped = Some(sentence(&error));
                    import.broken = true;
                    break;
                }
            }
        }
        let taken = import.finish(shrinking)?;
        drop(bringing);
        self.wake_projectors();
        if let Some(last) = self.ledger.size(&self.config.id)?.checked_sub(1) {
            self.wait_until_applied(last).await;
        }
        Ok(taken)
    }
}

impl<'a> Import<'a> {
    fn begin(node: &'a Arc<Node>, source: &'a SourceName) -> Result<Self, NodeError> {
        let prefix = format!("{source}/");
        let (mut known, mut paths, mut ids) = (HashMap::new(), HashMap::new(), HashMap::new());
        for row in node.source_records().iter_prefix(&prefix) {
            let (key, record) = row?;
            let path = key[prefix.len()..].to_owned();
            ids.insert(record.dataset.clone(), record.iri.clone());
            paths.insert(record.iri.clone(), path.clone());
            known.insert(path, record);
        }
        let report = ImportReport { source: source.to_string(), ..ImportReport::default() };
        let (seen, listed, refused, gone, pending, progress, broken) = Default::default();
        let reader = Arc::new(Reader::new(node, source));
        Ok(Self {
            node,
            source,
            reader,
            known,
            paths,
            seen,
            listed,
            refused,
            gone,
            ids,
            pending,
            report,
            progress,
            broken,
        })
    }

    /// What was found at a path is still there.
    fn keep(&mut self, path: String) {
        match self.known.get(&path) {
            Some(record) => {
                self.report.seen += 1;
                self.report.unchanged += 1;
                self.listed.insert(record.dataset.clone());
                self.seen.insert(record.iri.clone(), path);
            }
            None => self.refuse(path, "it is said to be unchanged, and nothing is known of it here".to_owned()),
        }
    }

    fn refuse(&mut self, path: String, why: String) {
        self.report.seen += 1;
        self.report.reject(&path, why);
        self.refused.insert(path);
    }

    fn take(&mut self, path: String, bytes: Bytes, stamp: Option<String>) -> Result<(), NodeError> {
        if path.len() > LONGEST_PATH {
            let start: String = path.chars().take(200).collect();
            self.refuse(start, format!("its place in the listing has more than {LONGEST_PATH} bytes"));
            return Ok(());
        }
        let limit = self.node.config.limits.crate_bytes;
        if bytes.len() as u64 > limit {
            self.refuse(path, format!("larger than {limit} bytes"));
            return Ok(());
        }
        let read = match self.reader.read(&bytes) {
            Ok(read) => read,
            Err(error) => {
                self.refuse(path, error.to_string());
                return Ok(());
            }
        };
        let iri = read.summary.iri.clone();
        if self.reader.is_relative(&iri) {
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
        self.store(path, (bytes, stamp), iri, &read)
    }

    fn store(
        &mut self,
        path: String,
        (bytes, stamp): (Bytes, Option<String>),
        iri: String,
        read: &metadata_store::ReadCrate,
    ) -> Result<(), NodeError> {
        let item = Item::of(bytes, stamp)?;
        let plain = self.reader.id_of(read)?;
        let before = self.known_as(&path, &iri, &plain);
        let unchanged = before.as_ref().is_some_and(|before| item.is(before) && before.iri == iri);
        let dataset = match before {
            Some(before) => before.dataset,
            None => self.free_id(plain, &iri)?,
        };
        self.listed.insert(dataset.clone());
        self.report.flag(&path, &dataset, &read.summary);
        if unchanged {
            self.report.unchanged += 1;
            let moved = self.known.get(&path).is_none_or(|known| known.iri != iri || known.stamp != item.stamp);
            return if moved { self.remember(&path, dataset, iri, &item) } else { Ok(()) };
        }
        let event = Event::Catalogue(Catalogued {
            crate_digest: item.digest,
            original: Some(item.original).filter(|original| *original != item.digest),
            graph: self.graph_digest(&dataset, &item),
            source: self.source.to_string(),
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
        let (published, stamp) = (Some(item.digest), item.stamp.clone());
        let record = SourceRecord { dataset, iri, digest: item.original, published, stamp };
        self.ids.insert(record.dataset.clone(), record.iri.clone());
        let key = format!("{}/{path}", self.source);
        self.pending.changes.push(self.node.source_records().put(&key, &record)?);
        Ok(())
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
        let time = node.time_of_new_entry()?;
        let entry = Entry { dataset: dataset.clone(), version, previous, time, event };
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

    fn finish(mut self, shrinking: Shrinking) -> Result<Taken, NodeError> {
        self.append()?;
        let gone = self.gone();
        let known: HashSet<&DatasetId> = self.known.values().map(|record| &record.dataset).collect();
        if shrinking == Shrinking::HeldBack && known.len() > SMALL && gone.len() * 2 > known.len() {
            self.report.held_back = gone.len() as u64;
            return Ok(Taken { report: self.report, progress: None, broken: self.broken });
        }
        self.forget_paths(&gone);
        for dataset in gone {
            self.withdraw(dataset)?;
        }
        self.append()?;
        Ok(Taken { report: self.report, progress: self.progress, broken: self.broken })
    }

    /// The datasets that are no longer there: those of which the source says so, and those that a complete listing lacks.
    fn gone(&self) -> BTreeSet<DatasetId> {
        // A study may be known under two paths while a file of it cannot be read.
        let refused = self.refused.iter().filter_map(|path| self.known.get(path)).map(|record| &record.dataset);
        let kept: HashSet<&DatasetId> = refused.chain(&self.listed).collect();
        let is_gone = |path: &String| self.report.complete || self.gone.contains(path);
        let gone = self.known.iter().filter(|(path, record)| is_gone(path) && !kept.contains(&record.dataset));
        gone.map(|(_, record)| record.dataset.clone()).collect()
    }

    /// Forgets the paths under which a complete listing has nothing, and those of what is gone.
    fn forget_paths(&mut self, gone: &BTreeSet<DatasetId>) {
        let paths: HashSet<&String> = self.seen.values().chain(&self.refused).collect();
        for (path, record) in &self.known {
            if gone.contains(&record.dataset) || (self.report.complete && !paths.contains(path)) {
                let key = format!("{}/{path}", self.source);
                self.pending.changes.push(self.node.source_records().remove(&key));
            }
        }
    }

    fn withdraw(&mut self, dataset: DatasetId) -> Result<(), NodeError> {
        let own = &self.node.config.id;
        let head = self.node.ledger.head(own, &dataset)?.map(|index| self.node.entry(own, index)).transpose()?;
        // A curator may have taken it back before.
        if head.is_none_or(|entry| matches!(entry.event, Event::Withdraw(_))) {
            return Ok(());
        }
        self.pending.dropped_crates.extend(self.node.held_crates(own, &dataset)?);
        self.pending.changes.extend(self.node.origins_of_versions(&dataset)?);
        self.announce(&dataset, Event::Withdraw(Withdrawn { reason: WithdrawReason::Unlisted }))?;
        self.report.withdrawn += 1;
        if self.pending.entries.len() >= BATCH { self.append() } else { Ok(()) }
    }
}

fn hashed_id(plain: &DatasetId, iri: &str) -> Option<DatasetId> {
    let hash: String = Digest::of(iri).to_string().chars().take(8).collect();
    format!("{plain}-{hash}").parse().ok()
}
