use dataset_model::{Access, DatasetKey, StudyKey, Term, TermIri, VersionNumber};
use serde::{Deserialize, Serialize};

/// One record as the index holds it and gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchDocument {
    /// The dataset; there is at most one record per key.
    pub key: DatasetKey,
    /// The absolute IRI of the dataset.
    pub iri: String,
    /// The version described.
    pub version: VersionNumber,
    /// Title.
    pub title: String,
    /// Description, plain text.
    pub description: String,
    /// Names of authors, in order.
    pub authors: Vec<String>,
    /// ORCID IRIs of authors.
    pub orcids: Vec<String>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Further text to be found by: samples, protocols.
    pub text: Vec<String>,
    /// What it is connected with: titles of articles and grants, names of cell lines.
    #[serde(default)]
    pub related: Vec<String>,
    /// Organisms as recorded; facets count these.
    pub organisms: Vec<Term>,
    /// The organisms and all their ancestors; filters look here.
    pub organism_closure: Vec<TermIri>,
    /// Labels and synonyms of everything in `organism_closure`.
    pub organism_names: Vec<String>,
    /// Imaging methods as recorded; facets count these.
    pub methods: Vec<Term>,
    /// The methods and all their ancestors; filters look here.
    pub method_closure: Vec<TermIri>,
    /// Labels and synonyms of everything in `method_closure`.
    pub method_names: Vec<String>,
    /// Other terms the dataset is about: tissues, cell lines, cell components.
    pub about: Vec<Term>,
    /// The terms of `about` and all their ancestors; filters look here.
    #[serde(default)]
    pub about_closure: Vec<TermIri>,
    /// Labels and synonyms of everything in `about_closure`.
    #[serde(default)]
    pub about_names: Vec<String>,
    /// Entities the dataset is about that have a name and no term; facets count these too.
    #[serde(default)]
    pub entities: Vec<String>,
    /// Names and ROR IRIs of the authors' affiliations.
    #[serde(default)]
    pub affiliations: Vec<String>,
    /// Who published it first.
    pub publisher: Option<String>,
    /// The licence as people read it, such as `CC-BY-4.0`.
    pub licence: Option<String>,
    /// Publication day, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Publication year.
    pub year: Option<u16>,
    /// Who may read it.
    pub access: Access,
    /// Accession numbers, DOIs and other identifiers.
    pub identifiers: Vec<String>,
    /// Number of images that can be opened here.
    pub images: u32,
    /// Size in bytes, where known.
    pub bytes: Option<u64>,
    /// URL or path of a picture.
    pub thumbnail: Option<String>,
    /// `deposit` or `catalogue`.
    pub kind: String,
    /// What its images are.
    #[serde(default)]
    pub image_facets: ImageFacets,
    /// By what it may be known as the same study as another record.
    #[serde(default)]
    pub study_keys: Vec<StudyKey>,
}

/// What the images of a record are: the values of any of them. Empty where nobody described them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImageFacets {
    /// `2D`, `3D`, `time-lapse`, `multichannel`.
    pub dimensions: Vec<String>,
    /// Numbers of channels: `1` to `4`, `5+`.
    pub channels: Vec<String>,
    /// Pixel types, such as `uint16`.
    pub data_types: Vec<String>,
    /// OME-Zarr versions.
    pub versions: Vec<String>,
    /// Whether objects are labelled in any.
    pub has_labels: Option<bool>,
    /// Whether any is a plate.
    pub is_plate: Option<bool>,
    /// Whether chunks of any are packed into shards.
    pub sharded: Option<bool>,
}

impl SearchDocument {
    /// A record that says nothing yet: first version, open, no images.
    pub fn empty(key: DatasetKey) -> Self {
        Self {
            key,
            iri: String::new(),
            version: VersionNumber::FIRST,
            title: String::new(),
            description: String::new(),
            authors: Vec::new(),
            orcids: Vec::new(),
            keywords: Vec::new(),
            text: Vec::new(),
            related: Vec::new(),
            organisms: Vec::new(),
            organism_closure: Vec::new(),
            organism_names: Vec::new(),
            methods: Vec::new(),
            method_closure: Vec::new(),
            method_names: Vec::new(),
            about: Vec::new(),
            about_closure: Vec::new(),
            about_names: Vec::new(),
            entities: Vec::new(),
            affiliations: Vec::new(),
            publisher: None,
            licence: None,
            date: None,
            year: None,
            access: Access::Open,
            identifiers: Vec::new(),
            images: 0,
            bytes: None,
            thumbnail: None,
            kind: "deposit".to_owned(),
            image_facets: ImageFacets::default(),
            study_keys: Vec::new(),
        }
    }
}

/// One change to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexChange {
    /// Adds a record, or replaces the one with the same key.
    Put(Box<SearchDocument>),
    /// Takes a record out; nothing happens where there is none.
    Remove(DatasetKey),
}
