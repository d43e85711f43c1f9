//! Crates read a moment ago. An import, search and RDF want the same crate one after the other, and reading it is most of what
//! each of them does.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use dataset_model::Digest;
use lru::LruCache;
use metadata_store::{CrateError, Ontology, ReadCrate, read_crate};

/// Twice what a projection takes at a time; a crate that was read takes some fifty kilobytes.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// What a reading depends on: the bytes, the dataset's page, and the ontologies.
type Key = (Digest, String, u64);

/// Crates that were read, the newest thousand.
pub(crate) struct RecentReads(Mutex<LruCache<Key, Arc<ReadCrate>>>);

impl Default for RecentReads {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

impl RecentReads {
    /// Reads a crate of this digest, or gives what was read.
    pub(crate) fn read(
        &self,
        (digest, bytes): (Digest, &[u8]),
        page: &str,
        ontology: &Ontology,
    ) -> Result<Arc<ReadCrate>, CrateError> {
        // Asked before reading: a reading that an ontology's change overtook is of the old edition.
        let key = (digest, page.to_owned(), ontology.edition());
        let held = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = held().get(&key) {
            return Ok(read.clone());
        }
        let read = Arc::new(read_crate(bytes, page, ontology)?);
        held().put(key, read.clone());
        Ok(read)
    }
}
