//! Changes that are committed together: those of a long backlog, or of one moment.

use std::collections::{BTreeMap, BTreeSet};

use dataset_model::NodeId;
use oxigraph::{model::Quad, store::BulkLoader};

use super::{GraphChange, bulk, replace};
use crate::{MetadataError, MetadataStore};

/// Files of one index that one commit may add. The engine merges what is added with what it has in one go, however many files
/// that are, so few commits cost less than many; it slows writers down from twenty on.
const MOST_FILES: usize = 18;
/// New graphs of one commit, however small they are.
const MOST_GRAPHS: usize = 32_768;

/// Changes that are committed together, made with [`MetadataStore::begin`]. New graphs, where there are many, wait in sorted files
/// for [`Self::commit`]; other changes show at once. Memory is bounded, however much is added. Dropped without a commit, it leaves
/// what [`MetadataStore::applied`] says as it was: adding the same again makes it good.
pub struct Batch<'a> {
    store: &'a MetadataStore,
    loader: Option<BulkLoader<'a>>,
    /// New graphs that are not committed yet.
    waiting: BTreeSet<String>,
    /// Those of their statements that are in no file yet.
    gathered: Vec<Quad>,
    files: usize,
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl MetadataStore {
    /// Begins a commit of several changes; one at a time.
    pub fn begin(&self) -> Batch<'_> {
        let (waiting, gathered) = Default::default();
        Batch { store: self, loader: None, waiting, gathered, files: 0 }
    }
}

impl Batch<'_> {
    /// Adds changes; of several of one graph the last counts.
    ///
    /// # Errors
    /// When a name is no IRI; none of these changes is made then. When the store cannot be written.
    pub fn add(&mut self, changes: Vec<GraphChange>) -> Result<(), MetadataError> {
        if changes.iter().any(|change| self.waiting.contains(&change.graph)) {
            self.load()?;
        }
        let (new, others) = bulk::sort_out(&self.store.store, changes, !self.waiting.is_empty())?;
        let names: Vec<String> = new.iter().map(|change| change.graph.clone()).collect();
        let new: Vec<Vec<Quad>> = new.into_iter().map(GraphChange::quads).collect::<Result<_, _>>()?;
        if !others.is_empty() {
            let mut transaction = self.store.store.start_transaction().map_err(MetadataError::write)?;
            for change in others {
                replace(&mut transaction, change)?;
            }
            transaction.commit().map_err(MetadataError::write)?;
            self.store.count_commit();
        }
        self.waiting.extend(names);
        for quads in new {
            self.gathered.extend(quads);
            if self.gathered.len() >= bulk::AT_ONCE {
                self.write_files()?;
            }
        }
        Ok(())
    }

    /// Whether further changes are better committed together with these than after them.
    pub fn takes_more(&self) -> bool {
        !self.waiting.is_empty() && self.files < MOST_FILES && self.waiting.len() < MOST_GRAPHS
    }

    /// Makes all changes, and remembers how far each log has been applied. After a crash the store may remember less, and many new
    /// graphs may be missing while others have changed; adding the same again makes it good.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn commit(mut self, applied: &BTreeMap<NodeId, u64>) -> Result<(), MetadataError> {
        self.load()?;
        self.store.state.apply(&self.store.store, applied)
    }

    fn write_files(&mut self) -> Result<(), MetadataError> {
        let quads = std::mem::take(&mut self.gathered);
        if !quads.is_empty() {
            let loader = self.loader.get_or_insert_with(|| bulk::loader(&self.store.store));
            loader.load_quads(quads).map_err(MetadataError::write)?;
            self.files += 1;
        }
        Ok(())
    }

    /// Commits the new graphs, all of them or none.
    fn load(&mut self) -> Result<(), MetadataError> {
        self.write_files()?;
        if let Some(loader) = self.loader.take() {
            loader.commit().map_err(MetadataError::write)?;
            self.store.count_commit();
        }
        self.waiting.clear();
        self.files = 0;
        Ok(())
    }
}
