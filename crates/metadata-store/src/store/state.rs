//! The store's own notes: how far each log was applied, and which ontologies are written.
//!
//! They are no triples, because a query over the union of all graphs sees every triple there is, but a small file in the
//! store's folder. It is written after the engine has made durable what it speaks of, so that it never says too much; when it
//! says too little, entries are applied once more, which changes nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use dataset_model::NodeId;
use oxigraph::{
    model::{GraphNameRef, Quad},
    store::Store,
};
use serde::{Deserialize, Serialize};

use crate::MetadataError;

const FILE: &str = "heliograph-state.json";
/// Entries that may be applied once more after a crash; writing the file costs a flush of the engine.
const MOST_AGAIN: u64 = 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Notes {
    /// Entries of each log that were applied.
    applied: BTreeMap<NodeId, u64>,
    /// The digest of each ontology whose graph is in the store, by its name.
    #[serde(default)]
    ontologies: BTreeMap<String, String>,
}

/// The notes of one store.
pub(super) struct State {
    /// Where they are kept; nowhere for a store in memory.
    path: Option<PathBuf>,
    notes: Mutex<(Notes, Notes)>,
}

impl State {
    /// Reads the notes in a store's folder; a file that cannot be read is none.
    pub(super) fn open(dir: Option<&Path>) -> Self {
        let path = dir.map(|dir| dir.join(FILE));
        let text = path.as_ref().and_then(|path| std::fs::read(path).ok());
        let notes: Notes = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { path, notes: Mutex::new((notes.clone(), notes)) }
    }

    pub(super) fn applied(&self) -> BTreeMap<NodeId, u64> {
        self.lock().0.applied.clone()
    }

    /// The digest of the ontology whose graph is in the store.
    pub(super) fn ontology(&self, name: &str) -> Option<String> {
        self.lock().0.ontologies.get(name).cloned()
    }

    /// Notes how far the logs were applied.
    pub(super) fn apply(&self, store: &Store, applied: &BTreeMap<NodeId, u64>) -> Result<(), MetadataError> {
        let mut notes = self.lock();
        notes.0.applied.clone_from(applied);
        let total = |notes: &Notes| notes.applied.values().sum::<u64>();
        if total(&notes.0).abs_diff(total(&notes.1)) < MOST_AGAIN {
            return Ok(());
        }
        self.write(store, &mut notes)
    }

    /// Notes which ontology a graph holds; nothing where it holds none any more.
    pub(super) fn note_ontology(&self, store: &Store, name: &str, digest: Option<String>) -> Result<(), MetadataError> {
        let mut notes = self.lock();
        match digest {
            Some(digest) => drop(notes.0.ontologies.insert(name.to_owned(), digest)),
            None => drop(notes.0.ontologies.remove(name)),
        }
        self.write(store, &mut notes)
    }

    /// Forgets how far the logs were applied.
    pub(super) fn start_afresh(&self, store: &Store) -> Result<(), MetadataError> {
        let mut notes = self.lock();
        notes.0.applied.clear();
        self.write(store, &mut notes)
    }

    /// Writes what is noted and not written.
    pub(super) fn finish(&self, store: &Store) -> Result<(), MetadataError> {
        let mut notes = self.lock();
        if notes.0 == notes.1 { Ok(()) } else { self.write(store, &mut notes) }
    }

    fn write(&self, store: &Store, notes: &mut (Notes, Notes)) -> Result<(), MetadataError> {
        if let Some(path) = &self.path {
            store.flush().map_err(MetadataError::write)?;
            let text = serde_json::to_vec(&notes.0).map_err(MetadataError::write)?;
            let beside = path.with_extension("new");
            std::fs::write(&beside, text)
                .and_then(|()| std::fs::rename(&beside, path))
                .map_err(MetadataError::write)?;
        }
        notes.1 = notes.0.clone();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, (Notes, Notes)> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the notes that older programs kept as triples.
pub(super) fn remove_old(store: &Store) -> Result<(), MetadataError> {
    let old = store.quads_for_pattern(None, None, None, Some(GraphNameRef::DefaultGraph));
    let old: Vec<Quad> = old.collect::<Result<_, _>>().map_err(MetadataError::read)?;
    for quad in old {
        store.remove(quad.as_ref()).map_err(MetadataError::write)?;
    }
    Ok(())
}
