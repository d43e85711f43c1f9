use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::columnar::{BytesColumn, Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};

use crate::SearchError;
use crate::facets::FACETS;
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
    /// The value of each ordinal.
    names: Option<Vec<String>>,
}

impl SegmentColumns {
    fn open(reader: &SegmentReader) -> Result<Self, SearchError> {
        let numbers = |name| reader.fast_fields().u64(name).map_err(SearchError::read);
        let facet = |name| FacetColumn::open(text_column(reader, name)?);
        Ok(Self {
            keys: text_column(reader, KEY)?,
            titles: text_column(reader, TITLE_ORDER)?,
            dates: numbers(DATE)?,
            bytes: numbers(BYTES)?,
            studies: numbers(STUDY_KEYS)?,
            facets: FACETS.iter().map(|kind| facet(kind.field_name())).collect::<Result<_, _>>()?,
        })
    }
}

impl FacetColumn {
    fn open(column: StrColumn) -> Result<Self, SearchError> {
        if column.num_terms() > MAX_NAMES {
            return Ok(Self { column, names: None });
        }
        let ordinals: Vec<u64> = (0_u64..).take(column.num_terms()).collect();
        let mut names = Vec::with_capacity(ordinals.len());
        read_names(&column, &ordinals, |name| names.push(name.to_owned()))?;
        Ok(Self { column, names: Some(names) })
    }

    /// The ordinals of each record's values.
    pub(crate) fn ordinals(&self) -> &Column<u64> {
        self.column.ords()
    }

    /// How many different values there are.
    pub(crate) fn values(&self) -> usize {
        self.column.num_terms()
    }

    /// Gives the name of every value that has a count.
    pub(crate) fn name(&self, counts: &[u32], mut give: impl FnMut(&str, u64)) -> Result<(), SearchError> {
        if let Some(names) = &self.names {
            let used = names.iter().zip(counts).filter(|(_, count)| **count > 0);
            used.for_each(|(name, count)| give(name, u64::from(*count)));
            return Ok(());
        }
        let used = || (0_u64..).zip(counts).filter(|(_, count)| **count > 0);
        let ordinals: Vec<u64> = used().map(|(ordinal, _)| ordinal).collect();
        let mut found = used().map(|(_, count)| u64::from(*count));
        read_names(&self.column, &ordinals, |name| found.next().into_iter().for_each(|count| give(name, count)))
    }
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
