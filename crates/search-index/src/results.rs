use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Cursor, SearchDocument, Sort, Study};

/// One page of an answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Results {
    /// How many records match, on all pages.
    pub total: u64,
    /// How many studies these records describe; absent where they were not collapsed.
    #[serde(default)]
    pub studies: Option<u64>,
    /// This page, in order.
    pub hits: Vec<Hit>,
    /// Counts over the whole answer; empty lists where they were not asked for.
    pub facets: Facets,
    /// Where the next page starts; absent on the last.
    pub next_cursor: Option<Cursor>,
    /// The order the hits are in: relevance only where there are words to rank by.
    #[serde(default)]
    pub order: Sort,
    /// Whether nothing matched the words as they are, so that the last was taken as a beginning, and CJK text found within words.
    #[serde(default)]
    pub loose: bool,
    /// Other spellings of the text that find more; only where it finds little, and best first.
    pub suggestions: Vec<Suggestion>,
}

/// A text like the one searched for, in words the reader can find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The text to search for instead.
    pub text: String,
    /// How many records it finds, with the same filters.
    pub total: u64,
}

/// One record that matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The record.
    pub document: SearchDocument,
    /// Relevance, comparable between indexes of the same schema; 0 where the order is another or there is no text.
    pub score: f32,
    /// Where the text was found, by field.
    pub highlights: Vec<Highlight>,
    /// Names through which the record matched although its own words may not show it: ancestors and synonyms of its
    /// organisms and methods that the text names, and the terms through which a filter reached it. A record does not say
    /// which of several organisms an ancestor belongs to; all are named then.
    pub matched_via: Vec<String>,
    /// The study, where the records of one are one hit and it has several that the reader may see, matching or not.
    #[serde(default)]
    pub study: Option<Study>,
}

/// The places of one field where the text was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    /// `title`, `description` or `keywords`.
    pub field: String,
    /// Pieces of the field.
    pub fragments: Vec<Fragment>,
}

/// A piece of plain text with marks. It is not HTML: whoever shows it escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// The text.
    pub text: String,
    /// Byte ranges of the words found, in order, apart, on character boundaries.
    pub marks: Vec<Range<usize>>,
}

/// Counts per value. Each list is counted with its own filter taken away, so that the alternatives stay visible; none is
/// cut short; each is sorted by count, then label.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facets {
    /// Organisms as recorded and everything above them; value is the term IRI.
    pub organism: Vec<FacetValue>,
    /// Imaging methods as recorded and everything above them; value is the term IRI.
    pub method: Vec<FacetValue>,
    /// Tissues, cell lines, cell components and other entities as recorded and everything above them; value is the term IRI,
    /// or, where the entity has a name alone, that in quotes.
    pub entity: Vec<FacetValue>,
    /// Publishers.
    pub publisher: Vec<FacetValue>,
    /// Nodes.
    pub node: Vec<FacetValue>,
    /// Licences.
    pub licence: Vec<FacetValue>,
    /// Years of publication.
    pub year: Vec<FacetValue>,
    /// Access levels.
    pub access: Vec<FacetValue>,
    /// `true` and `false`.
    pub has_images: Vec<FacetValue>,
    /// Numbers of images: `0`, `1`, `2-9`, `10-99`, `100+`.
    pub image_count: Vec<FacetValue>,
    /// `2D`, `3D`, `time-lapse` and `multichannel`; a record counts under what any of its images is.
    pub dimensions: Vec<FacetValue>,
    /// Numbers of channels: `1` to `4`, `5+`.
    pub channels: Vec<FacetValue>,
    /// `true` and `false`, of records whose images are described.
    pub has_labels: Vec<FacetValue>,
    /// `true` and `false`, of records whose images are described.
    pub is_plate: Vec<FacetValue>,
    /// Pixel types.
    pub data_type: Vec<FacetValue>,
    /// OME-Zarr versions.
    pub version: Vec<FacetValue>,
    /// `true` and `false`, of records whose images are described.
    pub sharded: Vec<FacetValue>,
}

/// One value and how many records have it.
///
/// The index gives terms in one list, each counted once for every record that has it or a narrower one; whoever knows the
/// ontology makes trees of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetValue {
    /// What to filter by.
    pub value: String,
    /// What people read; of several labels of a term, the one most records use.
    pub label: String,
    /// Number of records: as many as the filter finds.
    pub count: u64,
    /// Of a term: number of records that name the term itself, not only narrower ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<u64>,
    /// Narrower values in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<FacetValue>,
}

impl FacetValue {
    /// A value without any below it.
    pub fn new(value: impl Into<String>, label: impl Into<String>, count: u64) -> Self {
        Self { value: value.into(), label: label.into(), count, recorded: None, children: Vec::new() }
    }
}
