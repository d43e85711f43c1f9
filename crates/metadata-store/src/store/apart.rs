//! The store as another process reads it, while its owner goes on writing.

use std::{
    ffi::OsStr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use oxigraph::store::Store;

use super::{MetadataStore, QueryAnswer, QueryOptions, query::Asked};
use crate::MetadataError;

/// A snapshot of a store, for reading alone.
pub struct ReadOnlyStore {
    store: Store,
    running: Arc<AtomicUsize>,
}

impl std::fmt::Debug for ReadOnlyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOnlyStore").finish_non_exhaustive()
    }
}

impl ReadOnlyStore {
    /// Opens a snapshot. A store that is written to must not be opened so: the engine opens its files as it comes to them, its
    /// owner deletes those it has replaced, and a query that misses one never ends.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn open(dir: &Path) -> Result<Self, MetadataError> {
        let failed = |source| MetadataError::Open { path: dir.display().to_string(), source: Box::new(source) };
        Ok(Self { store: Store::open_read_only(dir).map_err(failed)?, running: Arc::default() })
    }

    /// Answers as [`MetadataStore::query`](super::MetadataStore::query) does.
    ///
    /// # Errors
    /// As there.
    pub fn query(&self, sparql: &str, options: &QueryOptions) -> Result<QueryAnswer, MetadataError> {
        Asked { store: &self.store, running: &self.running }.answer(sparql, options)
    }
}

/// Whether a store has merged files that a snapshot of it still reads. Each question goes through all files of a snapshot, and right
/// after a long import there are many; those that took their place are faster, and hold the same.
pub fn has_merged_files_of(store: &Path, snapshot: &Path) -> bool {
    let replaced = |name: &OsStr| Path::new(name).extension() == Some(OsStr::new("sst")) && !store.join(name).exists();
    // A folder that cannot be read is the next reader's to complain about.
    std::fs::read_dir(snapshot).is_ok_and(|entries| entries.flatten().any(|entry| replaced(&entry.file_name())))
}

impl MetadataStore {
    /// Makes a folder that holds the store as it is now and stays that way. It shares the store's files (as hard links) where
    /// they are on one file system.
    ///
    /// # Errors
    /// When the folder is there already, or cannot be written.
    pub fn snapshot(&self, into: &Path) -> Result<(), MetadataError> {
        self.store.backup(into).map_err(MetadataError::write)
    }

    /// How often this store was written to since it was opened. What is opened by others after one number was read, and before
    /// another, equal one, is what is there now.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// To be called after what was written can be read.
    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::AcqRel);
    }
}
