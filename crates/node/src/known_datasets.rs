//! Datasets that were read lately, so that a chunk does not cost a look into the log each.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use dataset_model::DatasetId;

use crate::dataset::Found;

/// Datasets kept at most; when there are more, all are read again.
const MOST: usize = 4096;

/// Datasets by id, each with the generation of the ledger it was read from.
#[derive(Default)]
pub(crate) struct KnownDatasets(RwLock<HashMap<DatasetId, (u64, Arc<Found>)>>);

impl KnownDatasets {
    /// The dataset, when no log has changed since it was read.
    pub(crate) fn get(&self, id: &DatasetId, generation: u64) -> Option<Arc<Found>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(id).filter(|(read_at, _)| *read_at == generation).map(|(_, found)| found.clone())
    }

    /// Keeps a dataset that was read after the ledger gave this generation.
    pub(crate) fn keep(&self, id: &DatasetId, generation: u64, found: Arc<Found>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.clone(), (generation, found));
    }
}

#[cfg(test)]
mod tests {
    use dataset_model::DatasetKey;

    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_given_after_it() {
        let known = KnownDatasets::default();
        let id: DatasetId = "europe-1".parse().unwrap();
        let key = DatasetKey { node: "europe".parse().unwrap(), id: id.clone() };
        known.keep(&id, 7, Arc::new(Found { key, history: Vec::new() }));
        assert!(known.get(&id, 7).is_some());
        assert!(known.get(&id, 8).is_none());
    }
}
