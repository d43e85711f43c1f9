//! The store as another process reads it, while its owner goes on writing.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
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
}

/// A number that changes with every commit to the store in a folder: two equal ones, read one after the other, mean that what
/// was opened at the first is what is there at the second.
///
/// # Errors
/// When the folder cannot be read.
pub fn stamp(dir: &Path) -> Result<u64, MetadataError> {
    // Every commit makes the write-ahead log or the manifest longer, or begins a new one.
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(MetadataError::read)? {
        let entry = entry.map_err(MetadataError::read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".log") || name.starts_with("MANIFEST") || name == "CURRENT" {
            // One that went meanwhile is one that was replaced, and so another list.
            files.push((name, entry.metadata().map_or(u64::MAX, |metadata| metadata.len())));
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    Ok(hasher.finish())
}
