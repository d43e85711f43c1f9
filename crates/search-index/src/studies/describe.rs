//! A study as it is shown: where its records are, and what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use dataset_model::{DatasetKey, StudyKey, StudyKeyKind};
use serde::Deserialize;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocSet, Searcher, TERMINATED, Term};

use super::hashes::{KeyHash, owner_of};
use super::snapshot::{Place, Studies};
use super::{MAX_STUDY_RECORDS, RelatedRecord, Study, StudyEvidence, StudyLocation, StudyRecord};
use crate::SearchError;
use crate::schema::Fields;
use crate::search::stored_as;

/// What is read of a stored record here.
#[derive(Debug, Clone, Deserialize)]
struct Described {
    key: DatasetKey,
    iri: String,
    title: String,
    publisher: Option<String>,
    images: u32,
    #[serde(default)]
    study_keys: Vec<StudyKey>,
    access: dataset_model::Access,
}

/// Reads studies from one snapshot.
pub(crate) struct Describer<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) fields: &'a Fields,
    pub(crate) studies: &'a Studies,
}

impl Describer<'_> {
    /// A study by its number.
    pub(crate) fn study(&self, number: u32) -> Result<Option<Study>, SearchError> {
        Ok(study_of(&self.records(self.studies.records(number))?))
    }

    /// The study of a record, and what else has something in common with it. A reader sees nothing of other access levels.
    pub(crate) fn study_of_record(
        &self,
        address: DocAddress,
        visible: &[dataset_model::Access],
    ) -> Result<Option<StudyRecord>, SearchError> {
        let own = [Place { segment: address.segment_ord as usize, doc: address.doc_id }];
        let number = own.first().and_then(|place| self.studies.of(*place)).map(|(number, _)| number);
        let places = number.map_or(own.as_slice(), |number| self.studies.records(number));
        let records = self.records(places)?;
        if records.iter().any(|record| !visible.contains(&record.access)) {
            return Ok(None);
        }
        let related = self.related(&records, places, visible)?;
        Ok(study_of(&records).map(|study| StudyRecord { study, related }))
    }

    fn records(&self, places: &[Place]) -> Result<Vec<Described>, SearchError> {
        places.iter().map(|place| self.record(*place)).collect()
    }

    fn record(&self, place: Place) -> Result<Described, SearchError> {
        let segment = u32::try_from(place.segment).map_err(SearchError::read)?;
        stored_as(self.searcher, self.fields, DocAddress::new(segment, place.doc))
    }

    fn related(
        &self,
        records: &[Described],
        own: &[Place],
        visible: &[dataset_model::Access],
    ) -> Result<Vec<RelatedRecord>, SearchError> {
        let keys: BTreeSet<&StudyKey> = records.iter().flat_map(|record| &record.study_keys).collect();
        let mut found: BTreeMap<DatasetKey, RelatedRecord> = BTreeMap::new();
        for key in keys {
            for kind in meeting(key.kind) {
                for place in self.with_key(KeyHash::of(key).as_kind(kind))? {
                    if own.contains(&place) || found.len() >= MAX_STUDY_RECORDS {
                        continue;
                    }
                    let record = self.record(place)?;
                    if !visible.contains(&record.access) {
                        continue;
                    }
                    let because = StudyKey::new(key.kind.max(kind), key.value.clone());
                    let related = found.entry(record.key.clone());
                    let related = related.or_insert_with(|| RelatedRecord { location: record.into(), because: vec![] });
                    if !related.because.contains(&because) {
                        related.because.push(because);
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The records with a key; none where it is generic.
    fn with_key(&self, key: KeyHash) -> Result<Vec<Place>, SearchError> {
        let term = Term::from_field_u64(self.fields.study_keys, key.0);
        let mut places = Vec::new();
        for (segment, reader) in self.searcher.segment_readers().iter().enumerate() {
            let inverted = reader.inverted_index(term.field()).map_err(SearchError::read)?;
            let postings = inverted.read_postings(&term, IndexRecordOption::Basic).map_err(SearchError::read)?;
            let Some(mut postings) = postings else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED && places.len() <= MAX_STUDY_RECORDS {
                if !reader.is_deleted(doc) {
                    places.push(Place { segment, doc });
                }
                doc = postings.advance();
            }
        }
        Ok(if places.len() > MAX_STUDY_RECORDS { Vec::new() } else { places })
    }
}

/// The kinds of key in another record that a key of a kind meets.
fn meeting(kind: StudyKeyKind) -> Vec<StudyKeyKind> {
    use StudyKeyKind::{ArticleTitle, Identifier, Mention, SameAs, Title};
    match kind {
        Identifier => vec![Identifier, SameAs, Mention],
        SameAs => vec![Identifier, SameAs],
        Mention => vec![Identifier],
        Title | ArticleTitle => vec![Title, ArticleTitle],
        other => vec![other],
    }
}

impl From<Described> for StudyLocation {
    fn from(record: Described) -> Self {
        let Described { key, iri, title, publisher, images, .. } = record;
        Self { key, iri, title, publisher, images }
    }
}

/// A study from its records, in their order.
fn study_of(records: &[Described]) -> Option<Study> {
    Some(Study {
        id: records.first()?.key.clone(),
        evidence: evidence(records),
        locations: records.iter().cloned().map(StudyLocation::from).collect(),
    })
}

/// What more than one of the records have: the surest first.
fn evidence(records: &[Described]) -> Vec<StudyEvidence> {
    let mut holders: BTreeMap<&StudyKey, BTreeSet<&DatasetKey>> = BTreeMap::new();
    for record in records {
        for key in &record.study_keys {
            holders.entry(key).or_default().insert(&record.key);
        }
    }
    let mut found = Vec::new();
    for (key, own) in &holders {
        let mut all = own.clone();
        if let Some(kind) = owner_of(key.kind) {
            let owned = StudyKey::new(kind, key.value.clone());
            all.extend(holders.get(&owned).into_iter().flatten());
        }
        let said =
            found.iter().any(|known: &StudyEvidence| known.value == key.value && known.records.len() == all.len());
        if key.kind != StudyKeyKind::Mention && all.len() > 1 && !said {
            let records = all.into_iter().cloned().collect();
            found.push(StudyEvidence { kind: key.kind, value: key.value.clone(), records });
        }
    }
    found
}
