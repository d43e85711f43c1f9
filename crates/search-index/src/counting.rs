//! Which records count for the facets of an answer, and how their values are counted.

use std::sync::Arc;

use rayon::prelude::*;
use tantivy::DocId;
use tantivy::columnar::{Column, ColumnIndex};

use crate::columns::SegmentColumns;
use crate::facets::{COUNT, FACETS, Tally};
use crate::filters::Verdict;
use crate::{FacetSelection, SearchError};

/// From so many records on, facets are counted at the same time: below, waking threads takes longer.
const MANY: usize = 20_000;

/// The records of one segment, sorted by what they count for.
#[derive(Default)]
pub(crate) struct Gathered {
    hits: Vec<DocId>,
    alternatives: [Vec<DocId>; COUNT],
}

impl Gathered {
    /// Takes the next record; they come in order.
    pub(crate) fn take(&mut self, doc: DocId, verdict: Verdict) {
        match verdict {
            Verdict::Matches => self.hits.push(doc),
            Verdict::FailsOne(facet) => self.alternatives.get_mut(facet).into_iter().for_each(|docs| docs.push(doc)),
            Verdict::FailsMore | Verdict::Hidden => {}
        }
    }

    /// Puts the records together with their columns.
    pub(crate) fn of(self, columns: Arc<SegmentColumns>, segment_size: DocId) -> Counted {
        Counted { columns, hits: Chosen::new(self.hits, segment_size), alternatives: self.alternatives }
    }
}

/// The records of one segment that facets count.
pub(crate) struct Counted {
    columns: Arc<SegmentColumns>,
    hits: Chosen,
    alternatives: [Vec<DocId>; COUNT],
}

/// Some records of a segment, by the shorter list: what all of them have is known.
pub(crate) enum Chosen {
    These(Vec<DocId>),
    AllBut(Vec<DocId>),
}

impl Chosen {
    /// Records in order, of a segment of so many.
    pub(crate) fn new(docs: Vec<DocId>, segment_size: DocId) -> Self {
        if docs.len() <= segment_size as usize / 2 {
            return Self::These(docs);
        }
        let mut chosen = docs.into_iter().peekable();
        Self::AllBut((0..segment_size).filter(|doc| chosen.next_if_eq(doc).is_none()).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::These(docs) | Self::AllBut(docs) => docs.len(),
        }
    }

    /// How many of the records have each value of a column, given how many of all have.
    pub(crate) fn counts(&self, column: &Column<u64>, of_all: &[u32]) -> Vec<u32> {
        match self {
            Self::These(docs) => {
                let mut counts = vec![0; of_all.len()];
                count(column, docs, &mut counts);
                counts
            }
            Self::AllBut(docs) => {
                let mut counts = of_all.to_vec();
                each_value(column, docs, |value| change(&mut counts, value, |count| count.saturating_sub(1)));
                counts
            }
        }
    }
}

/// The values of every facet wanted, over all segments, in the order of the facets.
pub(crate) fn tallies(segments: &[Counted], wanted: FacetSelection) -> Result<[Tally; COUNT], SearchError> {
    let mut tallies: [Tally; COUNT] = Default::default();
    let tally = |(facet, tally): (usize, &mut Tally)| {
        if !FACETS.get(facet).is_some_and(|facet| wanted.has(*facet)) {
            return Ok(());
        }
        segments.iter().try_for_each(|segment| {
            let also = segment.alternatives.get(facet).map(Vec::as_slice).unwrap_or_default();
            segment.columns.facets.get(facet).map_or(Ok(()), |column| tally.add(column, &segment.hits, also))
        })
    };
    if segments.iter().map(|segment| segment.hits.len()).sum::<usize>() < MANY {
        tallies.iter_mut().enumerate().try_for_each(tally)?;
    } else {
        tallies.par_iter_mut().enumerate().try_for_each(tally)?;
    }
    Ok(tallies)
}

/// Adds the values of some records.
pub(crate) fn count(column: &Column<u64>, docs: &[DocId], counts: &mut [u32]) {
    each_value(column, docs, |value| change(counts, value, |count| count + 1));
}

fn change(counts: &mut [u32], value: u64, change: impl FnOnce(u32) -> u32) {
    if let Some(count) = usize::try_from(value).ok().and_then(|value| counts.get_mut(value)) {
        *count = change(*count);
    }
}

fn each_value(column: &Column<u64>, docs: &[DocId], mut give: impl FnMut(u64)) {
    match &column.index {
        ColumnIndex::Empty { .. } => {}
        ColumnIndex::Full => {
            let mut values = [0; 128];
            for docs in docs.chunks(values.len()) {
                let Some(values) = values.get_mut(..docs.len()) else { continue };
                column.values.get_vals(docs, values);
                values.iter().for_each(|value| give(*value));
            }
        }
        _ => docs.iter().for_each(|doc| column.values_for_doc(*doc).for_each(&mut give)),
    }
}
