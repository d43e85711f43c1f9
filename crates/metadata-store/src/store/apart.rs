//! The store as another process reads it, while its owner goes on writing.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use oxigraph::store::Store;

use super::{MetadataStore, QueryAnswer, QueryOptions, query::Asked};
use crate::MetadataError;

/// As often is tried to open a store whose files are being replaced meanwhile.
const ATTEMPTS: usize = 5;

/// A store as it was when it was opened, for reading alone.
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
    /// Opens a store that another process may be writing to.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn open(dir: &Path) -> Result<Self, MetadataError> {
        let mut attempt = 1;
        let store = loop {
            match Store::open_read_only(dir) {
                Ok(store) => break store,
                // A file of the list just read is gone, because its successor is there: the next list names that.
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(source) => {
                    let path = dir.display().to_string();
                    return Err(MetadataError::Open { path, source: Box::new(source) });
                }
            }
        };
        Ok(Self { store, running: Arc::default() })
    }

    /// Answers as [`MetadataStore::query`](super::MetadataStore::query) does.
    ///
    /// # Errors
    /// As there.
    pub fn query(&self, sparql: &str, options: &QueryOptions) -> Result<QueryAnswer, MetadataError> {
        Asked { store: &self.store, running: &self.running }.answer(sparql, options)
    }
}

impl MetadataStore {
    /// Moves what was written lately from the write-ahead log to where it belongs: whoever opens the store next would have to
    /// do it in memory.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn settle(&self) -> Result<(), MetadataError> {
        self.store.flush().map_err(MetadataError::write)
    }

    /// How often this store was written to since it was opened. What is opened by others after one number was read, and before
    /// another, equal one, is what is there now. The files tell nothing of it: the engine's log has its length before it is
    /// written to.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// To be called after what was written can be read.
    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::AcqRel);
    }
}
