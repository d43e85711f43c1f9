use std::sync::{Mutex, PoisonError};

use dataset_model::Access;
use tantivy::Searcher;

use crate::{Facets, Query};

/// The facets of the whole collection, which every visitor asks for first and which cost most to count.
#[derive(Default)]
pub(crate) struct LandingFacets(Mutex<Vec<Counted>>);

struct Counted {
    generation: u64,
    visible: Vec<Access>,
    facets: Facets,
}

/// Kept at once: the few sets of access levels that readers have.
const MAX_KEPT: usize = 8;

impl LandingFacets {
    /// The facets, if they were counted for this snapshot.
    pub(crate) fn get(&self, searcher: &Searcher, query: &Query) -> Option<Facets> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = searcher.generation().generation_id();
        let same = |counted: &&Counted| counted.generation == generation && counted.visible == query.visible;
        kept.iter().find(same).map(|counted| counted.facets.clone())
    }

    /// Keeps the facets counted for a snapshot, and forgets those of others.
    pub(crate) fn keep(&self, searcher: &Searcher, query: &Query, facets: &Facets) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = searcher.generation().generation_id();
        kept.retain(|counted| counted.generation == generation && counted.visible != query.visible);
        kept.truncate(MAX_KEPT - 1);
        kept.push(Counted { generation, visible: query.visible.clone(), facets: facets.clone() });
    }
}
