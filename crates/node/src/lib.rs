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
mod announcing;
mod catalogue;
mod composition;
mod config;
mod conversion;
mod counted;
mod dataset;
mod deposit;
mod deposit_policy;
mod documents;
mod door;
mod draft_source;
mod elapsed;
mod erasing;
mod error;
mod exporting;
mod facet_tree;
mod feed;
mod files;
mod forks;
mod gide;
mod gossip;
mod harvest;
mod hints;
mod holding;
mod image_facets;
mod image_facts;
mod image_measures;
mod import_report;
mod jobs;
mod joining;
mod key_rotation;
mod keys;
mod known_datasets;
mod live_cursor;
mod live_record;
mod live_search;
mod log;
mod log_stream;
mod measured_size;
mod minting;
mod mirroring;
mod oai_provider;
mod ontologies;
mod origin;
mod peers;
mod policy;
mod projection;
mod projector;
mod proofs;
mod provenance;
mod publication;
mod rebuild;
mod recent_reads;
mod recovery;
mod rendering;
mod scrubbing;
mod searching;
mod service;
mod sources;
mod space;
mod sparql;
mod studies;
mod term_completion;
mod tokens;
mod unpacking;
mod verified;
mod verifying;
mod version_source;
mod views;
mod virtual_ozx;
mod vocabulary;
mod withdrawal;
mod witnessing;

pub use actor::{Actor, Scope};
pub use announcements::Announcement;
pub use config::{Limits, NodeConfig, PeerConfig, ScrubSchedule};
pub use conversion::{Conversion, ForeignConverter, ForeignFailure, convert_foreign};
pub use dataset::{VersionChoice, check_crate};
pub use deposit::{DraftView, FileListing, NewDraft};
pub use error::{ErrorKind, NodeError};
pub use exporting::Exported;
pub use feed::{Feed, FeedPart};
pub use files::{OpenFile, Reading};
pub use forks::{ForkDecision, ForkEvidence};
pub use gide::{GideAnswer, GideBucket, GideFacets, GideRequest};
pub use harvest::HarvestReport;
pub use hints::MAX_HINT_BYTES;
pub use image_facts::{AxisFacts, ChannelFacts, ImageFacts, PlateFacts};
pub use import_report::{Flagged, ImportReport, Rejected};
pub use jobs::{ConversionRequest, JobKind, JobLimits, JobProblem, JobProgress, JobState, JobView};
pub use joining::{NewPeer, PeerCopies, PeerOffer, SuggestedPeer};
pub use key_rotation::KeyRotation;
pub use keys::{check_public_key, generate_key, public_key_of};
pub use mirroring::{MirrorPolicy, MirrorSection, MirrorSetting, MirrorState, Wanted};
pub use ontologies::{OntologyReport, OntologyView};
pub use origin::{ProvenanceView, SourceView};
pub use peers::{Cosigned, ForkFound, KeyChanged, PeerStatus};
pub use publication::{PublicationReceipt, ValidationReport};
pub use rebuild::RebuildReport;
pub use rendering::{FoundPicture, PictureRequest, PictureView, RenderInfo};
pub use scrubbing::{Damage, ScrubReport, ScrubState};
pub use searching::{SearchAnswer, SearchRequest, SearchScope, SourceReport};
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
pub use verifying::{OwnReport, WrongThing};
pub use views::{CopyView, ImageView, NodeView, RecordKind, RecordView, Tombstone, VersionView};
pub use virtual_ozx::VirtualOzx;
pub use witnessing::{Witness, Witnessed};

pub use archive_store::{Blob, WeakBlob};
pub use federation::{KeyChain, MAX_ADD_CHECKPOINT_BYTES, MirroredPage, NodeDescription, VersionProof, oai, paths};
pub use metadata_store::{Catalogue, ExportFormat, ExportRecord, QueryAnswer, ResultFormat, TypedLink};
pub use ome_zarr::{ImageRecord, PictureFormat};
pub use search_index::{
    FacetValue, Facets, Highlight, Hit, ImageFacets, RelatedRecord, Sort, Study, StudyEvidence, StudyLocation,
    StudyRecord, Suggestion, Within,
};
