use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use dataset_model::DatasetKey;
use tantivy::columnar::{Column, StrColumn, TermOrdHit};
use tantivy::{DocAddress, DocId, Score};

use crate::columns::SegmentColumns;
use crate::cursor::SortValue;
use crate::schema::{date_number, key_text, title_order};
use crate::{Cursor, SearchDocument, SearchError, Sort};

/// A record's place within its segment: sort value, then key, both as numbers; smaller comes first.
type Place = (u64, u64);

/// A hit that may make it to the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    pub(crate) value: SortValue,
    pub(crate) key: DatasetKey,
    pub(crate) segment: usize,
    pub(crate) doc: DocId,
    /// As stored.
    pub(crate) record: Vec<u8>,
}

/// Keeps the first records of one segment after the cursor.
pub(crate) struct SegmentRanking {
    values: Values,
    columns: Arc<SegmentColumns>,
    /// The first place that is after the cursor.
    start: Place,
    first: BinaryHeap<(Place, DocId)>,
    capacity: usize,
}

/// Where a segment's sort values come from.
enum Values {
    Score,
    LargestFirst(Column<u64>),
    SmallestFirst(Column<u64>),
    Title(StrColumn),
}

impl SegmentRanking {
    pub(crate) fn new(
        columns: Arc<SegmentColumns>,
        sort: Sort,
        cursor: Option<&Cursor>,
        capacity: usize,
    ) -> Result<Self, SearchError> {
        let values = match sort {
            Sort::Relevance => Values::Score,
            Sort::Newest => Values::LargestFirst(columns.dates.clone()),
            Sort::Oldest => Values::SmallestFirst(columns.dates.clone()),
            Sort::Largest => Values::LargestFirst(columns.bytes.clone()),
            Sort::Title => Values::Title(columns.titles.clone()),
        };
        let start = cursor.map_or(Ok((0, 0)), |cursor| start(&values, &columns.keys, cursor))?;
        Ok(Self { values, columns, start, first: BinaryHeap::new(), capacity })
    }

    /// Considers a record.
    pub(crate) fn offer(&mut self, doc: DocId, score: Score) {
        let value = self.values.of(doc, score);
        // The key is looked up only where it decides.
        if value < self.start.0 || !self.has_room_for((value, 0)) {
            return;
        }
        let place = (value, self.columns.keys.ords().first(doc).unwrap_or(u64::MAX));
        if place < self.start || !self.has_room_for(place) {
            return;
        }
        if self.first.len() == self.capacity {
            self.first.pop();
        }
        self.first.push((place, doc));
    }

    fn has_room_for(&self, place: Place) -> bool {
        self.first.len() < self.capacity || self.first.peek().is_some_and(|(last, _)| place < *last)
    }

    /// The records kept, in order.
    pub(crate) fn finish(self) -> RankedSegment {
        RankedSegment { values: self.values, first: self.first.into_sorted_vec().into_iter() }
    }
}

/// The first records of one segment, in order.
pub(crate) struct RankedSegment {
    values: Values,
    first: std::vec::IntoIter<(Place, DocId)>,
}

impl RankedSegment {
    /// The next record, with its sort value and key read, so that it can be compared with those of other segments.
    fn next(&mut self, segment: usize, read: &ReadRecord<'_>) -> Result<Option<Candidate>, SearchError> {
        let Some(((value, _), doc)) = self.first.next() else { return Ok(None) };
        let value = match &self.values {
            Values::Title(titles) => SortValue::Text(text_of(titles, value)?),
            _ => SortValue::Number(value),
        };
        let segment_number = u32::try_from(segment).map_err(SearchError::read)?;
        let (key, record) = read(DocAddress::new(segment_number, doc))?;
        Ok(Some(Candidate { value, key, segment, doc, record }))
    }
}

/// Reads the key and the stored form of a record.
pub(crate) type ReadRecord<'a> = dyn Fn(DocAddress) -> Result<(DatasetKey, Vec<u8>), SearchError> + 'a;

/// The first records of all segments. Reading a record costs more than finding it, so only those that make it to the page
/// are read, and one more per segment.
pub(crate) fn merge(
    mut segments: Vec<RankedSegment>,
    most: usize,
    read: &ReadRecord<'_>,
) -> Result<Vec<Candidate>, SearchError> {
    let mut heads = BinaryHeap::new();
    for (number, segment) in segments.iter_mut().enumerate() {
        heads.extend(segment.next(number, read)?.map(Reverse));
    }
    let mut merged = Vec::new();
    while merged.len() < most
        && let Some(Reverse(best)) = heads.pop()
    {
        if let Some(segment) = segments.get_mut(best.segment) {
            heads.extend(segment.next(best.segment, read)?.map(Reverse));
        }
        merged.push(best);
    }
    Ok(merged)
}

impl Values {
    fn of(&self, doc: DocId, score: Score) -> u64 {
        match self {
            Self::Score => score_value(score),
            Self::LargestFirst(column) => largest_first(column.first(doc)),
            Self::SmallestFirst(column) => smallest_first(column.first(doc)),
            Self::Title(column) => column.ords().first(doc).unwrap_or(u64::MAX),
        }
    }
}

/// Larger dates and sizes count as this one, so that "unknown" comes after all of them.
const MAX_VALUE: u64 = u64::MAX - 1;

fn largest_first(value: Option<u64>) -> u64 {
    value.map_or(u64::MAX, |value| u64::MAX - 1 - value.min(MAX_VALUE))
}

fn smallest_first(value: Option<u64>) -> u64 {
    value.map_or(u64::MAX, |value| value.min(MAX_VALUE))
}

/// What a record is sorted by in an order of hits; its score counts where that is relevance.
pub(crate) fn sort_value(order: Sort, score: Score, record: &SearchDocument) -> SortValue {
    match order {
        Sort::Relevance => SortValue::Number(score_value(score)),
        Sort::Newest => SortValue::Number(largest_first(date_number(record))),
        Sort::Oldest => SortValue::Number(smallest_first(date_number(record))),
        Sort::Largest => SortValue::Number(largest_first(record.bytes)),
        Sort::Title => SortValue::Text(title_order(&record.title)),
    }
}

/// Scores as numbers, best first. The bits of positive floating-point numbers order as the numbers do.
fn score_value(score: Score) -> u64 {
    u64::from(u32::MAX - score.max(0.0).to_bits())
}

/// The score a sort value of [`Sort::Relevance`] stands for.
pub(crate) fn score_of(value: &SortValue) -> Score {
    match value {
        SortValue::Number(value) => Score::from_bits(u32::MAX - u32::try_from(*value).unwrap_or(u32::MAX)),
        SortValue::Text(_) => 0.0,
    }
}

fn start(values: &Values, keys: &StrColumn, cursor: &Cursor) -> Result<Place, SearchError> {
    let key_after = match hit(keys, &key_text(&cursor.key))? {
        TermOrdHit::Exact(ordinal) => ordinal.saturating_add(1),
        TermOrdHit::Next(ordinal) => ordinal,
    };
    match (&cursor.value, values) {
        (SortValue::Number(value), _) => Ok((*value, key_after)),
        (SortValue::Text(text), Values::Title(titles)) => Ok(match hit(titles, text)? {
            TermOrdHit::Exact(ordinal) => (ordinal, key_after),
            TermOrdHit::Next(ordinal) => (ordinal, 0),
        }),
        (SortValue::Text(_), _) => Err(SearchError::CursorOrder),
    }
}

fn hit(column: &StrColumn, text: &str) -> Result<TermOrdHit, SearchError> {
    if column.num_terms() == 0 {
        return Ok(TermOrdHit::Next(0));
    }
    column.dictionary().term_ord_or_next(text).map_err(SearchError::read)
}

fn text_of(column: &StrColumn, ordinal: u64) -> Result<String, SearchError> {
    let mut text = String::new();
    if column.num_terms() > 0 && ordinal != u64::MAX {
        column.ord_to_str(ordinal, &mut text).map_err(SearchError::read)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_scores_come_first_and_survive_the_way_through_a_cursor() {
        let scores = [1000.5, 3.0, 0.25, 0.0];
        let values: Vec<u64> = scores.iter().map(|score| score_value(*score)).collect();
        assert!(values.is_sorted());
        for (score, value) in scores.iter().zip(values) {
            assert_eq!(score_of(&SortValue::Number(value)).to_bits(), f32::to_bits(*score));
        }
    }
}
