//! Scores that depend on the record and the query alone.
//!
//! BM25 usually weighs words by how rare they are in the index at hand. Such scores change with every write, differ
//! between nodes, and tell an attentive reader about records that are hidden from them. Here the collection is assumed
//! instead of measured, so none of that holds; all words of a query are required anyway, which leaves little for rarity to decide.
//!
//! Sums of floating-point numbers depend on their order, and the engine chooses the order per segment. Each part is
//! therefore rounded to a multiple of 1/256, small enough that all sums are exact: equal records have equal scores wherever they lie.

use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::Field;
use tantivy::{DocId, DocSet, Score, SeekDangerResult, SegmentReader, Term};

use crate::schema::TextField;

const ASSUMED_RECORDS: u64 = 1_000_000;
const ASSUMED_RECORDS_WITH_WORD: u64 = 1_000;
const STEPS_PER_POINT: Score = 256.0;

/// The assumed collection.
pub(crate) struct AssumedCollection<'a>(pub(crate) &'a [TextField]);

impl Bm25StatisticsProvider for AssumedCollection<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let typical = self.0.iter().find(|text| text.field == field).map_or(1, |text| text.typical_words);
        Ok(typical * ASSUMED_RECORDS)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(ASSUMED_RECORDS)
    }

    fn doc_freq(&self, _: &Term) -> tantivy::Result<u64> {
        Ok(ASSUMED_RECORDS_WITH_WORD)
    }
}

/// A query whose scores are multiplied by a weight and rounded.
#[derive(Debug)]
pub(crate) struct Weighted {
    pub(crate) query: Box<dyn Query>,
    pub(crate) weight: Score,
}

impl Clone for Weighted {
    fn clone(&self) -> Self {
        Self { query: self.query.box_clone(), weight: self.weight }
    }
}

impl Query for Weighted {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let inner = self.query.weight(scoring)?;
        if !scoring.is_scoring_enabled() {
            return Ok(inner);
        }
        Ok(Box::new(RoundedWeight { inner, weight: self.weight }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.query.query_terms(visitor);
    }
}

struct RoundedWeight {
    inner: Box<dyn Weight>,
    weight: Score,
}

impl Weight for RoundedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(RoundedScorer(self.inner.scorer(reader, boost * self.weight)?)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.inner.explain(reader, doc)
    }
}

struct RoundedScorer(Box<dyn Scorer>);

impl DocSet for RoundedScorer {
    fn advance(&mut self) -> DocId {
        self.0.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.0.seek(target)
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        self.0.seek_danger(target)
    }

    fn doc(&self) -> DocId {
        self.0.doc()
    }

    fn size_hint(&self) -> u32 {
        self.0.size_hint()
    }

    fn cost(&self) -> u64 {
        self.0.cost()
    }
}

impl Scorer for RoundedScorer {
    fn score(&mut self) -> Score {
        // Scores are positive, so cutting off after adding a half is rounding, without a call.
        let steps = (self.0.score() * STEPS_PER_POINT + 0.5) as u32;
        steps as Score / STEPS_PER_POINT
    }
}
