use std::{
    collections::BTreeMap,
    ops::Range,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, NodeId};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Append, Change, Collection, LedgerError, append, crates,
    database::{Database, Writes},
    durability::Durability,
    frontier::Frontiers,
    keys, log, records,
};

/// The logs of all nodes, the crates they point to, and documents. Cheap to clone; all clones are one ledger.
///
/// Calls block on the disk: from async code use a blocking thread for writes.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) database: Arc<Database>,
    shared: Arc<Shared>,
}

struct Shared {
    /// The edge of every log as applied; who holds it is the single writer.
    frontiers: Mutex<Frontiers>,
    durability: Durability,
    /// How much of each log is durable. Readers see no more, so that no checkpoint is signed that a crash could undo.
    sizes: RwLock<BTreeMap<NodeId, u64>>,
    /// Counts appends, so that what was read of the logs can be kept until the next one.
    generation: AtomicU64,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the ledger in a folder of a local disk, or starts one there.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] when another process or another `Ledger` of this process holds the folder,
    /// [`LedgerError::Damaged`] when size, root, hashes and last entry of a log disagree.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let database = Database::open(dir)?;
        let frontiers = log::open_all(&database)?;
        let sizes = frontiers.iter().map(|(node, frontier)| (node.clone(), frontier.size())).collect();
        let shared = Shared {
            frontiers: Mutex::new(frontiers),
            durability: Durability::default(),
            sizes: RwLock::new(sizes),
            generation: AtomicU64::new(0),
        };
        Ok(Self { database: Arc::new(database), shared: Arc::new(shared) })
    }

    /// How many entries the node's log has; 0 for a node never heard of. Entries count once they are durable.
    ///
    /// # Errors
    /// None today; reading may fail one day.
    pub fn size(&self, node: &NodeId) -> Result<u64, LedgerError> {
        let sizes = self.shared.sizes.read().unwrap_or_else(PoisonError::into_inner);
        Ok(sizes.get(node).copied().unwrap_or(0))
    }

    /// A number that changes with every append to any log, before that append returns. What was read of logs after asking
    /// for it holds as long as it is the same.
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// The nodes whose logs have entries here, in order.
    ///
    /// # Errors
    /// None today; reading may fail one day.
    pub fn nodes(&self) -> Result<Vec<NodeId>, LedgerError> {
        Ok(self.shared.sizes.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect())
    }

    /// Appends to a node's log, and changes documents with it, in one transaction. Returns the indexes of the new entries.
    ///
    /// On return all of it is on the disk. Appends that wait at the same time share one sync of the disk.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the log has not the expected size; [`LedgerError::BadEntry`],
    /// [`LedgerError::BrokenChain`] and [`LedgerError::WrongDigest`] when what is appended is wrong in itself. In all
    /// these cases nothing happened, and nothing when the disk is full ([`LedgerError::Full`]). After [`LedgerError::Write`] no more is written until the ledger is opened again.
    pub fn append(&self, node: &NodeId, append: Append) -> Result<Range<u64>, LedgerError> {
        let mut frontiers = self.shared.frontiers.lock().map_err(|_| LedgerError::Stopped)?;
        let frontier = frontiers.get(node).cloned().unwrap_or_default();
        let actual = frontier.size();
        if let Some(expected) = append.expected_size.filter(|expected| *expected != actual) {
            let latest = self.shared.durability.latest();
            drop(frontiers);
            // Once the append that came before is durable, the caller sees the size it has to expect.
            self.shared.durability.settle(latest, || self.database.sync())?;
            return Err(LedgerError::Conflict { expected, actual });
        }
        let plan = append::plan(&self.database, node, frontier, append)?;
        self.database.require_space(bytes_of(&plan.writes))?;
        let applied = self.shared.durability.apply(|| self.database.apply(plan.writes));
        self.shared.generation.fetch_add(1, Ordering::AcqRel);
        let ticket = applied?;
        if !plan.indexes.is_empty() {
            frontiers.insert(node.clone(), plan.frontier);
        }
        drop(frontiers);
        self.shared.durability.settle(ticket, || self.database.sync())?;
        self.publish(node, plan.indexes.end);
        Ok(plan.indexes)
    }

    /// Changes documents, all or none. On return the changes are on the disk.
    ///
    /// # Errors
    /// When the disk is full, or writing fails.
    pub fn write(&self, changes: Vec<Change>) -> Result<(), LedgerError> {
        let writer = self.shared.frontiers.lock().map_err(|_| LedgerError::Stopped)?;
        let mut writes = Writes::new();
        append::change(&self.database, &mut writes, changes)?;
        self.database.require_space(bytes_of(&writes))?;
        let ticket = self.shared.durability.apply(|| self.database.apply(writes))?;
        drop(writer);
        self.shared.durability.settle(ticket, || self.database.sync())
    }

    /// Bytes that are free where it is kept; nothing where the system does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        self.database.free_bytes()
    }

    /// Fails while there is too little room on the disk to write anything.
    ///
    /// # Errors
    /// [`LedgerError::Full`].
    pub fn require_space(&self) -> Result<(), LedgerError> {
        self.database.require_space(0)
    }

    /// Finds out whether all that was written could be brought to the disk: the engine also writes by itself, and tells of a
    /// failure with the next write.
    ///
    /// # Errors
    /// When it could not; nothing more is written then.
    pub fn check(&self) -> Result<(), LedgerError> {
        self.shared.durability.check(|| self.database.sync())
    }

    /// Whether a read has failed since this was asked last, which may be how the engine told of a write: [`check`](Self::check) finds out.
    pub fn has_failed_to_read(&self) -> bool {
        self.database.has_failed_to_read()
    }

    /// Whether a write has failed, so that nothing more is written until the ledger is opened again.
    pub fn is_stopped(&self) -> bool {
        self.shared.durability.has_failed()
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// When reading fails.
    pub fn entry(&self, node: &NodeId, index: u64) -> Result<Option<Bytes>, LedgerError> {
        records::get(&self.database, &keys::entry(node, index))
    }

    /// The bytes of the entries in a range, in order; of a range that goes past the end of the log, those there are.
    ///
    /// # Errors
    /// When reading fails.
    pub fn entries(&self, node: &NodeId, indexes: Range<u64>) -> Result<Vec<Bytes>, LedgerError> {
        let end = indexes.end.min(self.size(node)?);
        let lost = |key: &[u8]| LedgerError::damaged(format!("the record {} is gone", key.escape_ascii()));
        if indexes.start >= end {
            return Ok(Vec::new());
        }
        let rows = self.database.range(keys::entry(node, indexes.start), keys::entry(node, end));
        rows.map(|row| {
            let (key, value) = row?;
            records::resolve(&self.database, &key, value)?.ok_or_else(|| lost(&key))
        })
        .collect()
    }

    /// The index of the last entry about a dataset.
    ///
    /// # Errors
    /// When reading fails.
    pub fn head(&self, node: &NodeId, dataset: &DatasetId) -> Result<Option<u64>, LedgerError> {
        log::head(&self.database, node, dataset)
    }

    /// The datasets a node's log is about, in order, each with the index of the last entry about it. What is appended
    /// while this runs may or may not show.
    pub fn heads(&self, node: &NodeId) -> impl Iterator<Item = Result<(DatasetId, u64), LedgerError>> + use<> {
        let prefix = keys::heads(node);
        let length = prefix.len();
        self.database.scan(&prefix).map(move |row| {
            let (key, value) = row?;
            Ok((keys::rest(&key, length)?, keys::number(&value)?))
        })
    }

    /// The nodes whose logs have entries about a dataset of this id.
    ///
    /// # Errors
    /// When reading fails.
    pub fn nodes_holding(&self, id: &DatasetId) -> Result<Vec<NodeId>, LedgerError> {
        let held = |node: NodeId| self.head(&node, id).map(|head| head.map(|_| node)).transpose();
        self.nodes()?.into_iter().filter_map(held).collect()
    }

    /// The bytes of a crate.
    ///
    /// # Errors
    /// When reading fails.
    pub fn crate_bytes(&self, digest: &Digest) -> Result<Option<Bytes>, LedgerError> {
        crates::get(&self.database, digest)
    }

    /// Whether a crate is held.
    ///
    /// # Errors
    /// When reading fails.
    pub fn has_crate(&self, digest: &Digest) -> Result<bool, LedgerError> {
        self.database.contains(&keys::crate_bytes(digest))
    }

    /// The documents under a name. The name holds no `/`.
    pub fn collection<T: Serialize + DeserializeOwned>(&self, name: &'static str) -> Collection<T> {
        Collection::new(Arc::clone(&self.database), name)
    }

    fn publish(&self, node: &NodeId, size: u64) {
        if size > 0 {
            let mut sizes = self.shared.sizes.write().unwrap_or_else(PoisonError::into_inner);
            let published = sizes.entry(node.clone()).or_default();
            *published = size.max(*published);
        }
    }
}

/// The bytes of keys and values that are written.
fn bytes_of(writes: &Writes) -> u64 {
    writes.iter().map(|(key, value)| (key.len() + value.as_ref().map_or(0, Vec::len)) as u64).sum()
}
