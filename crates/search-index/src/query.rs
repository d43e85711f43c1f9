use dataset_model::{Access, NodeId, TermIri};
use serde::{Deserialize, Serialize};

use crate::{Cursor, FacetSelection, SearchError};

/// The longest search text, in bytes.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// The most words a search text may have, phrases counted by their words.
pub const MAX_QUERY_TERMS: usize = 64;
/// The most values one filter may list.
pub const MAX_VALUES: usize = 1_000;
/// The most hits on one page.
pub const MAX_PAGE_SIZE: usize = 200;

/// What is searched for. Filters of different fields all have to match; of the values of one filter, any.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Words, all required; `"a phrase"`; `-without`; `beginning*`; `this OR that`. Never a syntax error: what cannot be read is taken as words.
    pub text: String,
    /// Where the text is looked for.
    pub within: Within,
    /// Organisms, descendants included.
    pub organism: Vec<TermIri>,
    /// Imaging methods, descendants included.
    pub method: Vec<TermIri>,
    /// Tissues, cell lines, cell components and other entities: IRIs, descendants included, or labels as recorded; in
    /// quotes, only entities that have this name and no term.
    pub entity: Vec<String>,
    /// Authors: ORCIDs, or whole names in any case.
    pub author: Vec<String>,
    /// Affiliations of authors: RORs, or whole names in any case.
    pub affiliation: Vec<String>,
    /// Accession numbers, DOIs, ids and addresses, as a whole, in any spelling.
    pub identifier: Vec<String>,
    /// Publishers, exactly as the facet gives them.
    pub publisher: Vec<String>,
    /// Licences, exactly as the facet gives them.
    pub licence: Vec<String>,
    /// Nodes.
    pub node: Vec<NodeId>,
    /// Access levels.
    pub access: Vec<Access>,
    /// Published in this year or later; leaves out records without a year.
    pub year_from: Option<u16>,
    /// Published in this year or earlier; leaves out records without a year.
    pub year_to: Option<u16>,
    /// At least so many bytes; leaves out records of unknown size.
    pub bytes_from: Option<u64>,
    /// At most so many bytes; leaves out records of unknown size.
    pub bytes_to: Option<u64>,
    /// With, or without, a picture to show.
    pub has_thumbnail: Option<bool>,
    /// With, or without, images that can be opened.
    pub has_images: Option<bool>,
    /// What the images are, by the values of the facets.
    pub images: ImageQuery,
    /// The order of hits.
    pub sort: Sort,
    /// Hits per page, at most [`MAX_PAGE_SIZE`]; 0 asks for counts only.
    pub size: usize,
    /// Continue after this hit.
    pub cursor: Option<Cursor>,
    /// Which facets to count.
    pub facets: FacetSelection,
    /// Whether to suggest other spellings where little is found.
    pub suggest: bool,
    /// Whether the records of one study are one hit.
    pub collapse: bool,
    /// The access levels the reader may see. Records of other levels are neither found nor counted.
    pub visible: Vec<Access>,
}

/// Filters on images. Of the values of one filter any suffices; what no image is described with matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageQuery {
    /// Numbers of images, as the facet gives them.
    pub image_count: Vec<String>,
    /// `2D`, `3D`, `time-lapse`, `multichannel`.
    pub dimensions: Vec<String>,
    /// Numbers of channels, as the facet gives them.
    pub channels: Vec<String>,
    /// Pixel types.
    pub data_type: Vec<String>,
    /// OME-Zarr versions.
    pub version: Vec<String>,
    /// With, or without, label images.
    pub has_labels: Option<bool>,
    /// With, or without, plates.
    pub is_plate: Option<bool>,
    /// With, or without, shards.
    pub sharded: Option<bool>,
}

impl Default for Query {
    /// Everything that is not restricted, twenty by relevance, without facets.
    fn default() -> Self {
        Self {
            text: String::new(),
            within: Within::Everywhere,
            organism: Vec::new(),
            method: Vec::new(),
            entity: Vec::new(),
            author: Vec::new(),
            affiliation: Vec::new(),
            identifier: Vec::new(),
            publisher: Vec::new(),
            licence: Vec::new(),
            node: Vec::new(),
            access: Vec::new(),
            year_from: None,
            year_to: None,
            bytes_from: None,
            bytes_to: None,
            has_thumbnail: None,
            has_images: None,
            images: ImageQuery::default(),
            sort: Sort::Relevance,
            size: 20,
            cursor: None,
            facets: FacetSelection::NONE,
            suggest: false,
            collapse: false,
            visible: vec![Access::Open, Access::MetadataOnly],
        }
    }
}

impl Query {
    /// Refuses what would cost more than a search may.
    pub(crate) fn check(&self) -> Result<(), SearchError> {
        if self.text.len() > MAX_QUERY_BYTES {
            return Err(SearchError::QueryTooLong { bytes: self.text.len(), limit: MAX_QUERY_BYTES });
        }
        if self.size > MAX_PAGE_SIZE {
            return Err(SearchError::PageTooLarge { size: self.size, limit: MAX_PAGE_SIZE });
        }
        let lists = [
            ("organism", self.organism.len()),
            ("method", self.method.len()),
            ("entity", self.entity.len()),
            ("author", self.author.len()),
            ("affiliation", self.affiliation.len()),
            ("identifier", self.identifier.len()),
            ("publisher", self.publisher.len()),
            ("licence", self.licence.len()),
            ("node", self.node.len()),
            ("access", self.access.len()),
            ("image_count", self.images.image_count.len()),
            ("dimensions", self.images.dimensions.len()),
            ("channels", self.images.channels.len()),
            ("data_type", self.images.data_type.len()),
            ("version", self.images.version.len()),
        ];
        match lists.into_iter().find(|(_, values)| *values > MAX_VALUES) {
            Some((filter, values)) => Err(SearchError::TooManyValues { filter, values, limit: MAX_VALUES }),
            None => Ok(()),
        }
    }
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Within {
    /// In titles.
    Title,
    /// In what describes the data: title, description, keywords, names of terms, samples, protocols, identifiers.
    Record,
    /// In all there is: people, articles, grants, cell lines, publishers and licences too.
    #[default]
    Everywhere,
}

/// The order of hits. Records that tie are ordered by key, so every order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Best match first; without words to match, newest first.
    #[default]
    Relevance,
    /// Latest publication day first, undated last.
    Newest,
    /// Earliest publication day first, undated last.
    Oldest,
    /// Most bytes first, unknown last.
    Largest,
    /// By title, without regard to case and accents; the first 96 bytes count.
    Title,
}
