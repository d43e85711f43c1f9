//! One hit for each study: of its records that match, the first in the study's order.

use std::sync::Arc;

use tantivy::{DocId, Score};

use super::snapshot::{Place, Studies};

/// No record of the study has matched.
const NONE: u8 = u8::MAX;

/// Counts studies while records are found, and keeps the one that stands for each.
pub(crate) struct Collapse {
    studies: Arc<Studies>,
    /// Matching records that are alone.
    alone: u64,
    /// The smallest rank of the matching records of each study, and that record's score.
    first: Vec<(u8, Score)>,
}

impl Collapse {
    pub(crate) fn new(studies: Arc<Studies>) -> Self {
        let first = vec![(NONE, 0.0); studies.count()];
        Self { studies, alone: 0, first }
    }

    /// Takes a record that matches; true where it is alone, and so a hit.
    pub(crate) fn take(&mut self, segment: usize, doc: DocId, score: Score) -> bool {
        let Some((study, rank)) = self.studies.of(Place { segment, doc }) else {
            self.alone += 1;
            return true;
        };
        if let Some(first) = self.first.get_mut(study as usize).filter(|first| rank < first.0) {
            *first = (rank, score);
        }
        false
    }

    /// How many studies match.
    pub(crate) fn count(&self) -> u64 {
        self.alone + self.first.iter().filter(|(rank, _)| *rank != NONE).count() as u64
    }

    /// The hits that stand for studies of several records.
    pub(crate) fn hits(&self) -> impl Iterator<Item = (Place, Score)> + '_ {
        let found = (0_u32..).zip(&self.first).filter(|(_, (rank, _))| *rank != NONE);
        found.filter_map(|(study, (rank, score))| Some((*self.studies.records(study).get(usize::from(*rank))?, *score)))
    }
}
