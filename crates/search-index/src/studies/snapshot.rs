//! The studies among the records of one snapshot that a reader may see.

use std::sync::{Arc, Mutex, PoisonError};

use dataset_model::Access;
use tantivy::{DocId, Searcher, SegmentReader};

use super::MAX_STUDY_RECORDS;
use super::clusters::{Facts, clusters};
use super::hashes::{KeyHash, is_publisher};
use crate::SearchError;
use crate::columns::{ColumnCache, SegmentColumns, read_names};
use crate::facets::{FACETS, Facet};

/// The record is the only one of its study.
const ALONE: u32 = u32::MAX;
/// Ranks that a record can have in its study.
const RANKS: u32 = MAX_STUDY_RECORDS as u32;
/// Bits of a sieve per stored number, and the most bits it has: beyond, more numbers pass that need not.
const SIEVE_BITS_PER_NUMBER: usize = 8;
const MAX_SIEVE_BITS: usize = 1 << 30;

/// Studies of more than one record.
#[derive(Debug, Default)]
pub(crate) struct Studies {
    /// Of each record of each segment: its study times [`RANKS`] plus its rank there, or [`ALONE`].
    of_record: Vec<Vec<u32>>,
    /// Records in order: with images first, then by key.
    studies: Vec<Vec<Place>>,
}

/// Where a record is in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: usize,
    pub(crate) doc: DocId,
}

impl Studies {
    /// The number of a record's study, and its rank among the records there; none where nobody else describes it.
    pub(crate) fn of(&self, place: Place) -> Option<(u32, u8)> {
        let of = *self.of_record.get(place.segment)?.get(place.doc as usize)?;
        (of != ALONE).then_some((of / RANKS, u8::try_from(of % RANKS).unwrap_or(u8::MAX)))
    }

    /// How many studies have several records.
    pub(crate) fn count(&self) -> usize {
        self.studies.len()
    }

    /// The records of a study, in order.
    pub(crate) fn records(&self, study: u32) -> &[Place] {
        self.studies.get(study as usize).map_or(&[], Vec::as_slice)
    }

    /// Finds the studies. Takes time and memory in proportion to the records, most of it for those that share something.
    fn find(searcher: &Searcher, columns: &ColumnCache, visible: &[Access]) -> Result<Self, SearchError> {
        let mut segments = Vec::new();
        let mut base = 0;
        for reader in searcher.segment_readers() {
            segments.push(Segment { columns: columns.of(reader)?, reader, base, visible: None });
            base += reader.max_doc();
        }
        for segment in &mut segments {
            segment.visible = segment.visible_ordinals(visible)?;
        }
        let found = clusters(shared_keys(&segments), &Snapshot(&segments));
        let mut studies = Self {
            of_record: segments.iter().map(|segment| vec![ALONE; segment.reader.max_doc() as usize]).collect(),
            studies: in_order(&segments, &found)?,
        };
        for (number, study) in (0_u32..).zip(&studies.studies) {
            for (rank, place) in (0_u32..).zip(study) {
                let of = studies.of_record.get_mut(place.segment).and_then(|docs| docs.get_mut(place.doc as usize));
                of.into_iter().for_each(|of| *of = number * RANKS + rank);
            }
        }
        Ok(studies)
    }
}

/// One segment with the number of its first record in the snapshot.
struct Segment<'a> {
    columns: Arc<SegmentColumns>,
    reader: &'a SegmentReader,
    base: u32,
    /// Which values of the access column may be seen; none where all may.
    visible: Option<Vec<bool>>,
}

impl Segment<'_> {
    fn visible_ordinals(&self, visible: &[Access]) -> Result<Option<Vec<bool>>, SearchError> {
        let Some(column) = self.columns.facet(Facet::Access) else { return Ok(None) };
        let mut seen = Vec::new();
        let is_seen = |name: &str| visible.iter().any(|access| access.as_str() == name);
        column.name(&vec![1; column.values()], |name, _| seen.push(is_seen(name)))?;
        Ok(seen.contains(&false).then_some(seen))
    }

    fn sees(&self, doc: DocId) -> bool {
        let allowed = |visible: &Vec<bool>| {
            let ordinal = self.columns.facet(Facet::Access).and_then(|column| column.ordinals().first(doc));
            ordinal.and_then(|ordinal| visible.get(usize::try_from(ordinal).ok()?)).copied().unwrap_or(false)
        };
        !self.reader.is_deleted(doc) && self.visible.as_ref().is_none_or(allowed)
    }
}

/// The keys that more than one visible record may have, with those records. Most keys are one record's alone, so a sieve
/// finds the others first, and only they are gathered.
fn shared_keys(segments: &[Segment<'_>]) -> Vec<(KeyHash, u32)> {
    let numbers = segments.iter().map(|segment| segment.columns.studies.values.num_vals() as usize).sum();
    let mut sieve = Sieve::for_numbers(numbers);
    for segment in segments {
        segment
            .columns
            .studies
            .values
            .iter()
            .filter(|number| KeyHash(*number).joins())
            .for_each(|number| sieve.add(number));
    }
    let mut shared = Vec::new();
    for segment in segments {
        for doc in (0..segment.reader.max_doc()).filter(|doc| segment.sees(*doc)) {
            let keys = segment.columns.studies.values_for_doc(doc).map(KeyHash);
            let common = keys.filter(|key| key.joins() && sieve.has_twice(key.0));
            shared.extend(common.map(|key| (key, segment.base + doc)));
        }
    }
    shared
}

/// Which numbers came more than once, by their value without the kind; says so of a few others too.
struct Sieve {
    once: Vec<u64>,
    twice: Vec<u64>,
    mask: u64,
}

impl Sieve {
    fn for_numbers(count: usize) -> Self {
        let bits = count.saturating_mul(SIEVE_BITS_PER_NUMBER).clamp(64, MAX_SIEVE_BITS).next_power_of_two();
        Self { once: vec![0; bits / 64], twice: vec![0; bits / 64], mask: bits as u64 - 1 }
    }

    fn place(&self, number: u64) -> (usize, u64) {
        let bit = KeyHash(number).value() & self.mask;
        (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
    }

    fn add(&mut self, number: u64) {
        let (word, bit) = self.place(number);
        if let (Some(once), Some(twice)) = (self.once.get_mut(word), self.twice.get_mut(word)) {
            *twice |= *once & bit;
            *once |= bit;
        }
    }

    fn has_twice(&self, number: u64) -> bool {
        let (word, bit) = self.place(number);
        self.twice.get(word).is_some_and(|twice| twice & bit != 0)
    }
}

struct Snapshot<'a>(&'a [Segment<'a>]);

impl Snapshot<'_> {
    fn numbers(&self, record: u32) -> Vec<u64> {
        let place = place_of(self.0, record);
        let numbers =
            self.0.get(place.segment).map(|segment| segment.columns.studies.values_for_doc(place.doc).collect());
        numbers.unwrap_or_default()
    }
}

impl Facts for Snapshot<'_> {
    fn publisher(&self, record: u32) -> u64 {
        self.numbers(record).into_iter().find(|number| is_publisher(*number)).unwrap_or_default()
    }

    fn keys(&self, record: u32) -> Vec<KeyHash> {
        self.numbers(record).into_iter().map(KeyHash).collect()
    }
}

fn place_of(segments: &[Segment<'_>], record: u32) -> Place {
    let segment = segments.partition_point(|segment| segment.base <= record).saturating_sub(1);
    Place { segment, doc: record - segments.get(segment).map_or(0, |segment| segment.base) }
}

/// The records of each study, first those with images, then by key.
fn in_order(segments: &[Segment<'_>], found: &[Vec<u32>]) -> Result<Vec<Vec<Place>>, SearchError> {
    let mut records: Vec<u32> = found.iter().flatten().copied().collect();
    records.sort_unstable();
    let mut order = Vec::with_capacity(records.len());
    for (number, segment) in segments.iter().enumerate() {
        let end = segment.base + segment.reader.max_doc();
        let (from, to) = (records.partition_point(|r| *r < segment.base), records.partition_point(|r| *r < end));
        let docs = records.get(from..to).unwrap_or_default().iter().map(|record| record - segment.base);
        read_order(segment, number, docs, &mut order)?;
    }
    order.sort_unstable_by(|a, b| (a.without_images, &a.key).cmp(&(b.without_images, &b.key)));
    let mut rank = vec![0_u32; records.len()];
    for (position, entry) in (0_u32..).zip(&order) {
        let record = segments.get(entry.place.segment).map_or(0, |segment| segment.base) + entry.place.doc;
        let at = records.binary_search(&record).ok().and_then(|at| rank.get_mut(at));
        at.into_iter().for_each(|at| *at = position);
    }
    let rank_of = |record: &u32| records.binary_search(record).ok().and_then(|at| rank.get(at)).copied();
    let mut studies: Vec<Vec<u32>> = found.to_vec();
    studies.iter_mut().for_each(|study| study.sort_by_key(rank_of));
    Ok(studies.iter().map(|study| study.iter().map(|record| place_of(segments, *record)).collect()).collect())
}

struct OrderEntry {
    without_images: bool,
    key: String,
    place: Place,
}

/// Reads what records of one segment are ordered by. Keys are read in one pass over their dictionary.
fn read_order(
    segment: &Segment<'_>,
    number: usize,
    docs: impl Iterator<Item = DocId>,
    order: &mut Vec<OrderEntry>,
) -> Result<(), SearchError> {
    let keys = &segment.columns.keys;
    let mut docs: Vec<(u64, DocId)> = docs.filter_map(|doc| Some((keys.ords().first(doc)?, doc))).collect();
    docs.sort_unstable();
    let mut with_images = Vec::new();
    let images = segment.columns.facet(Facet::HasImages);
    if let Some(column) = images {
        column.name(&vec![1; column.values()], |name, _| with_images.push(name == "true"))?;
    }
    let has_images = |doc| {
        let ordinal = images.and_then(|column| column.ordinals().first(doc));
        ordinal.and_then(|ordinal| with_images.get(usize::try_from(ordinal).ok()?)).copied().unwrap_or(false)
    };
    let ordinals: Vec<u64> = docs.iter().map(|(ordinal, _)| *ordinal).collect();
    let mut rest = docs.iter();
    read_names(keys, &ordinals, |key| {
        order.extend(rest.next().map(|(_, doc)| OrderEntry {
            without_images: !has_images(*doc),
            key: key.to_owned(),
            place: Place { segment: number, doc: *doc },
        }));
    })
}

/// The studies of the newest snapshot, found when they are first asked for, for each set of access levels readers have.
#[derive(Default)]
pub(crate) struct StudiesCache(Mutex<Vec<Found>>);

struct Found {
    generation: u64,
    visible: Vec<Access>,
    studies: Arc<Studies>,
}

/// Kept at once: the few sets of access levels that readers have.
const MAX_KEPT: usize = 8;

impl StudiesCache {
    /// The studies of a snapshot. Who asks while they are being found waits for the same answer.
    pub(crate) fn of(
        &self,
        searcher: &Searcher,
        columns: &ColumnCache,
        visible: &[Access],
    ) -> Result<Arc<Studies>, SearchError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = searcher.generation().generation_id();
        let same = |found: &&Found| found.generation == generation && found.visible == visible;
        if let Some(found) = kept.iter().find(same) {
            return Ok(Arc::clone(&found.studies));
        }
        let studies = Arc::new(Studies::find(searcher, columns, visible)?);
        // A search that began before the last commit must not push out what is newer.
        if kept.iter().all(|found| found.generation <= generation) {
            kept.retain(|found| found.generation == generation);
            kept.truncate(MAX_KEPT - 1);
            kept.push(Found { generation, visible: visible.to_vec(), studies: Arc::clone(&studies) });
        }
        Ok(studies)
    }
}

impl SegmentColumns {
    fn facet(&self, wanted: Facet) -> Option<&crate::columns::FacetColumn> {
        FACETS.iter().zip(&self.facets).find(|(facet, _)| **facet == wanted).map(|(_, column)| column)
    }
}
