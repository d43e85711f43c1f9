//! Which records describe one study: the types of the answer. How they are told is in [`clusters`].

pub(crate) mod clusters;
pub(crate) mod collapse;
pub(crate) mod describe;
pub(crate) mod hashes;
pub(crate) mod snapshot;

use dataset_model::{DatasetKey, StudyKeyKind};
use serde::{Deserialize, Serialize};

/// The most records one study has, and the most records one key speaks for: what more have in common is generic.
pub const MAX_STUDY_RECORDS: usize = 64;

/// A study that several records describe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Study {
    /// Its first record, which stands for it: one with images here before one without, then by key. The name of the study
    /// as things stand, not an identifier for ever.
    pub id: DatasetKey,
    /// Its records, the first one first.
    pub locations: Vec<StudyLocation>,
    /// Why they are held to be one study.
    pub evidence: Vec<StudyEvidence>,
}

/// One record of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyLocation {
    /// The record.
    #[serde(flatten)]
    pub key: DatasetKey,
    /// Its IRI.
    pub iri: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub publisher: Option<String>,
    /// Number of its images that can be opened.
    pub images: u32,
}

/// Something several records have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyEvidence {
    /// What it is.
    pub kind: StudyKeyKind,
    /// Its value, normalised.
    pub value: String,
    /// The records that have it.
    pub records: Vec<DatasetKey>,
}

/// What is known about the study of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// The study; its only location is the record itself where nobody else describes it.
    #[serde(flatten)]
    pub study: Study,
    /// Records that have something in common with it, and are not held to be the same study.
    pub related: Vec<RelatedRecord>,
}

/// A record that is not the same study, and what it has in common with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedRecord {
    /// The record.
    #[serde(flatten)]
    pub location: StudyLocation,
    /// Keys that both have; `mention` where one names the other's accession number.
    pub because: Vec<dataset_model::StudyKey>,
}
