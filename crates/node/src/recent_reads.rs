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

/// A crate that was read, or is being read: who wants it meanwhile waits, and does not read it a second time.
type Slot = Arc<Mutex<Option<Arc<ReadCrate>>>>;

/// Crates that were read, the newest thousand.
pub(crate) struct RecentReads(Mutex<LruCache<Key, Slot>>);

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
        let slot = {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.get_or_insert(key, Slot::default).clone()
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = &*slot {
            return Ok(read.clone());
        }
        let read = Arc::new(read_crate(bytes, page, ontology)?);
        *slot = Some(read.clone());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const CRATE: &[u8] = br#"{"@graph": [{"@id": "ro-crate-metadata.json", "about": {"@id": "./"}}, {"@id": "./", "@type": "Dataset"}]}"#;

    #[test]
    fn those_who_want_a_crate_at_the_same_time_get_one_reading_of_it() {
        let (reads, ontology, page) = (RecentReads::default(), Ontology::bundled(), "https://node.example/datasets/a");
        let start = Barrier::new(4);
        let read = || {
            start.wait();
            reads.read((Digest::of(CRATE), CRATE), page, &ontology).unwrap()
        };
        let all: Vec<Arc<ReadCrate>> = thread::scope(|scope| {
            let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
            readers.into_iter().map(|reader| reader.join().unwrap()).collect()
        });
        assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
        let other = reads.read((Digest::of(CRATE), CRATE), "https://node.example/datasets/b", &ontology).unwrap();
        assert_ne!(other.summary.iri, all[0].summary.iri, "relative ids start from another page");
        for _ in 0..2 {
            assert!(reads.read((Digest::of("{}"), b"{}"), page, &ontology).is_err());
        }
    }
}
