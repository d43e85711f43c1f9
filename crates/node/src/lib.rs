//! A Heliograph node: every use case and every permission.
//!
//! **Owns** what it means to deposit, publish, read, search, harvest, import and rebuild; who may do it
//! ([`policy`](Actor)); and `apply`, the single path by which entries of any log reach the projections (search, RDF).
//!
//! **Must not know** HTTP, HTML, TOML, environment variables or any engine's types. It is the only crate that calls the
//! libraries below it, and they never call each other.
//!
//! The path of a publication: [`Node::publish`] → the archive commits an OCFL version → one ledger append (the commit
//! point) → the projectors read the new entry and apply it → the page and the search show it.

mod actor;
mod announcements;
mod catalogue;
mod composition;
mod config;
mod conversion;
mod dataset;
mod deposit;
mod deposit_policy;
mod documents;
mod door;
mod draft_source;
mod error;
mod exporting;
mod facet_tree;
mod feed;
mod files;
mod gide;
mod harvest;
mod image_facets;
mod image_facts;
mod image_measures;
mod import_report;
mod jobs;
mod keys;
mod known_datasets;
mod log;
mod measured_size;
mod minting;
mod oai_provider;
mod ontologies;
mod origin;
mod peers;
mod policy;
mod projection;
mod projector;
mod provenance;
mod publication;
mod rebuild;
mod recovery;
mod rendering;
mod searching;
mod service;
mod sources;
mod sparql;
mod studies;
mod term_completion;
mod tokens;
mod unpacking;
mod version_source;
mod views;
mod virtual_ozx;
mod vocabulary;
mod withdrawal;

pub use actor::{Actor, Scope};
pub use announcements::Announcement;
pub use config::{Limits, NodeConfig, PeerConfig};
pub use conversion::{Conversion, ForeignConverter, ForeignFailure, convert_foreign};
pub use dataset::{VersionChoice, check_crate};
pub use deposit::{DraftView, FileListing, NewDraft};
pub use error::{ErrorKind, NodeError};
pub use exporting::Exported;
pub use feed::{Feed, FeedPart};
pub use files::{OpenFile, Reading};
pub use gide::{GideAnswer, GideBucket, GideFacets, GideRequest};
pub use harvest::HarvestReport;
pub use image_facts::{AxisFacts, ChannelFacts, ImageFacts, PlateFacts};
pub use import_report::{Flagged, ImportReport, Rejected};
pub use jobs::{ConversionRequest, JobKind, JobLimits, JobProblem, JobProgress, JobState, JobView};
pub use keys::{check_public_key, generate_key, public_key_of};
pub use log::InclusionProof;
pub use ontologies::{OntologyReport, OntologyView};
pub use origin::{ProvenanceView, SourceView};
pub use peers::PeerStatus;
pub use publication::{PublicationReceipt, ValidationReport};
pub use rebuild::RebuildReport;
pub use rendering::{FoundPicture, PictureRequest, PictureView, RenderInfo};
pub use searching::{SearchAnswer, SearchRequest, SourceReport};
pub use service::{Background, Node};
pub use sources::{
    FolderChoice, HarvestChoice, Listing, ListingItem, SourceConfig, SourceKind, SourceName, SourceStatus,
    SourceSummary, listing_of_folder, listing_of_web, listing_of_zip,
};
pub use sparql::{
    QueriedStore, QueryRefusal, QueryRefusalKind, QueryStore, QueryWork, QueryWorkers, SparqlRequest, WrittenAnswer,
};
pub use term_completion::{TermRequest, TermView};
pub use tokens::{NewToken, TokenView};
pub use unpacking::{ArchiveReceipt, ArchiveUpload};
pub use views::{ImageView, NodeView, RecordKind, RecordView, Tombstone, VersionView};
pub use virtual_ozx::VirtualOzx;

pub use archive_store::{Blob, WeakBlob};
pub use federation::{NodeDescription, oai, paths};
pub use metadata_store::{Catalogue, ExportFormat, ExportRecord, QueryAnswer, ResultFormat, TypedLink};
pub use ome_zarr::{ImageRecord, PictureFormat};
pub use search_index::{
    FacetValue, Facets, Highlight, Hit, ImageFacets, RelatedRecord, Sort, Study, StudyEvidence, StudyLocation,
    StudyRecord, Suggestion, Within,
};
