use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tantivy::columnar::{BytesColumn, Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use crate::SearchError;
use crate::counting::{Chosen, count};
use crate::facets::{FACETS, Facet};
use crate::schema::{BYTES, DATE, KEY, STUDY_KEYS, TITLE_ORDER};

/// The names of a facet with more values than this are read from disk each time.
const MAX_NAMES: usize = 20_000;

/// The columns of one segment, opened. Segments never change, so this is done once.
pub(crate) struct SegmentColumns {
    pub(crate) keys: StrColumn,
    pub(crate) titles: StrColumn,
    pub(crate) dates: Column<u64>,
    pub(crate) bytes: Column<u64>,
    /// What studies are told by: [`KeyHash`](crate::studies::hashes::KeyHash)es.
    pub(crate) studies: Column<u64>,
    /// In the order of [`FACETS`].
    pub(crate) facets: Vec<FacetColumn>,
}

/// The values of one facet in one segment.
pub(crate) struct FacetColumn {
    column: StrColumn,
    /// Whether the values are sets of terms.
    is_terms: bool,
    names: Names,
    /// How many records of the segment have each value.
    totals: OnceLock<Vec<u32>>,
}

/// What the ordinals of a column stand for.
enum Names {
    /// One value each.
    Values(Vec<String>),
    /// A set of terms each: the lines of all sets, and which of them each set has.
    Sets { lines: Vec<String>, sets: Vec<Box<[u32]>> },
    /// Too many to keep.
    OnDisk,
}

impl SegmentColumns {
    fn open(reader: &SegmentReader) -> Result<Self, SearchError> {
        let numbers = |name| reader.fast_fields().u64(name).map_err(SearchError::read);
        let facet = |kind: &Facet| FacetColumn::open(text_column(reader, kind.field_name())?, kind.is_terms());
        Ok(Self {
            keys: text_column(reader, KEY)?,
            titles: text_column(reader, TITLE_ORDER)?,
            dates: numbers(DATE)?,
            bytes: numbers(BYTES)?,
            studies: numbers(STUDY_KEYS)?,
            facets: FACETS.iter().map(facet).collect::<Result<_, _>>()?,
        })
    }
}

impl FacetColumn {
    fn open(column: StrColumn, is_terms: bool) -> Result<Self, SearchError> {
        let names = match column.num_terms() {
            many if many > MAX_NAMES => Names::OnDisk,
            _ if is_terms => read_sets(&column)?,
            few => {
                let mut names = Vec::with_capacity(few);
                read_all_names(&column, |name| names.push(name.to_owned()))?;
                Names::Values(names)
            }
        };
        Ok(Self { column, is_terms, names, totals: OnceLock::new() })
    }

    /// The ordinals of each record's values.
    pub(crate) fn ordinals(&self) -> &Column<u64> {
        self.column.ords()
    }

    /// How many different values there are.
    pub(crate) fn values(&self) -> usize {
        self.column.num_terms()
    }

    /// How many of some records of the segment, and of others of it, have each value.
    pub(crate) fn counts(&self, docs: &Chosen, also: &[DocId]) -> Vec<u32> {
        let ordinals = self.ordinals();
        let totals = self.totals.get_or_init(|| {
            let (mut counts, all) = (vec![0; self.values()], Vec::from_iter(0..ordinals.num_docs()));
            count(ordinals, &all, &mut counts);
            counts
        });
        let mut counts = docs.counts(ordinals, totals);
        count(ordinals, also, &mut counts);
        counts
    }

    /// Gives the name of every value that has a count; of sets of terms, every line of theirs.
    pub(crate) fn name(&self, counts: &[u32], mut give: impl FnMut(&str, u64)) -> Result<(), SearchError> {
        match &self.names {
            Names::Values(names) => {
                let used = names.iter().zip(counts).filter(|(_, count)| **count > 0);
                used.for_each(|(name, count)| give(name, u64::from(*count)));
                Ok(())
            }
            Names::Sets { lines, sets } => {
                let mut by_line = vec![0_u64; lines.len()];
                for (set, count) in sets.iter().zip(counts).filter(|(_, count)| **count > 0) {
                    let places = set.iter().filter_map(|line| usize::try_from(*line).ok());
                    places.for_each(|line| by_line.get_mut(line).into_iter().for_each(|sum| *sum += u64::from(*count)));
                }
                lines.iter().zip(by_line).filter(|(_, count)| *count > 0).for_each(|(line, count)| give(line, count));
                Ok(())
            }
            Names::OnDisk => self.name_from_disk(counts, give),
        }
    }

    fn name_from_disk(&self, counts: &[u32], mut give: impl FnMut(&str, u64)) -> Result<(), SearchError> {
        let used = || (0_u64..).zip(counts).filter(|(_, count)| **count > 0);
        let ordinals: Vec<u64> = used().map(|(ordinal, _)| ordinal).collect();
        let mut found = used().map(|(_, count)| u64::from(*count));
        read_names(&self.column, &ordinals, |name| {
            let Some(count) = found.next() else { return };
            if self.is_terms {
                name.split('\n').for_each(|line| give(line, count));
            } else {
                give(name, count);
            }
        })
    }
}

/// The sets of terms of a column. Few lines make many sets, so each is kept once.
fn read_sets(column: &StrColumn) -> Result<Names, SearchError> {
    let mut places: HashMap<String, u32> = HashMap::new();
    let mut lines: Vec<String> = Vec::new();
    let mut sets = Vec::with_capacity(column.num_terms());
    let mut place = |line: &str| match places.get(line) {
        Some(place) => *place,
        None => {
            let place = u32::try_from(lines.len()).unwrap_or(u32::MAX);
            places.insert(line.to_owned(), place);
            lines.push(line.to_owned());
            place
        }
    };
    read_all_names(column, |set| sets.push(set.split('\n').map(&mut place).collect()))?;
    Ok(Names::Sets { lines, sets })
}

fn read_all_names(column: &StrColumn, give: impl FnMut(&str)) -> Result<(), SearchError> {
    let ordinals: Vec<u64> = (0_u64..).take(column.num_terms()).collect();
    read_names(column, &ordinals, give)
}

/// Gives the text of each ordinal; ordinals are in order.
pub(crate) fn read_names(column: &StrColumn, ordinals: &[u64], mut give: impl FnMut(&str)) -> Result<(), SearchError> {
    if column.num_terms() == 0 {
        return Ok(());
    }
    let give = |name: &[u8]| give(&String::from_utf8_lossy(name));
    column.dictionary().sorted_ords_to_term_cb(ordinals, give).map_err(SearchError::read)?;
    Ok(())
}

fn text_column(reader: &SegmentReader, name: &str) -> Result<StrColumn, SearchError> {
    let column = reader.fast_fields().str(name).map_err(SearchError::read)?;
    Ok(column.unwrap_or_else(|| StrColumn::wrap(BytesColumn::empty(reader.max_doc()))))
}

/// The columns of the segments in use.
#[derive(Default)]
pub(crate) struct ColumnCache(Mutex<HashMap<SegmentId, Arc<SegmentColumns>>>);

impl ColumnCache {
    /// The columns of a segment.
    pub(crate) fn of(&self, reader: &SegmentReader) -> Result<Arc<SegmentColumns>, SearchError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(columns) = open.get(&reader.segment_id()) {
            return Ok(Arc::clone(columns));
        }
        let columns = Arc::new(SegmentColumns::open(reader)?);
        open.insert(reader.segment_id(), Arc::clone(&columns));
        Ok(columns)
    }

    /// Forgets the segments a snapshot no longer has.
    pub(crate) fn keep_only(&self, searcher: &Searcher) {
        let used: HashSet<SegmentId> = searcher.segment_readers().iter().map(SegmentReader::segment_id).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|segment, _| used.contains(segment));
    }
}
