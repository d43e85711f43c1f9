//! What crates mean: reading RO-Crates with repairs and findings, ontologies, and RDF with SPARQL.
//!
//! **Owns** the bundled JSON-LD contexts (nothing is ever fetched), the GIDE search profile's rules, the repairs of what real
//! collections get wrong, the ontologies (FBbi and a part of the NCBI Taxonomy are shipped, others are read from
//! OBO and OWL files), an RDF store with one named
//! graph per dataset, queried read-only with limits, the forms in which other services read a record ([`ExportFormat`]), and
//! those in which they give theirs ([`foreign`]).
//!
//! **Must not know** HTTP, peers, users, logs or image bytes. Which record is shown to whom is decided above.
//!
//! ```
//! use metadata_store::{GraphChange, MetadataStore, Ontology, QueryOptions, read_crate};
//!
//! let text = r#"{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
//!     {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}},
//!     {"@id": "./", "@type": "Dataset", "name": "Cells", "about": {"@id": "obo:NCBITaxon_09606"}},
//!     {"@id": "obo:NCBITaxon_09606", "@type": "Taxon"}]}"#;
//! let ontology = Ontology::bundled();
//! let page = "https://node.example/datasets/d1";
//! let read = read_crate(text.as_bytes(), page, &ontology)?;
//! assert_eq!(read.summary.organisms[0].label, "Homo sapiens");
//! assert_eq!(read.summary.repairs[0].rule, "term.leading-zeros");
//!
//! let store = MetadataStore::in_memory(ontology)?;
//! let (extra, root) = (Vec::new(), read.summary.iri);
//! let change = GraphChange { graph: page.into(), content: Some(read.graph), extra, root, provenance: None };
//! store.apply(vec![change], &Default::default())?;
//! let answer = store.query("SELECT ?name { ?dataset <http://schema.org/name> ?name }", &QueryOptions::default())?;
//! assert_eq!(answer.column("name"), ["Cells"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contacts;
mod context;
mod error;
mod export;
pub mod foreign;
mod graph;
mod iri;
mod ontology;
mod reading;
mod store;

pub use contacts::{PublicCrate, has_address, public_crate, withhold_contacts};
pub use error::{CrateError, MetadataError};
pub use export::{
    Catalogue, DataAccess, ExportFormat, ExportImage, ExportRecord, FeedActivity, FeedMember, FeedPage, FeedRelation,
    FeedTime, TypedLink,
};
pub use graph::CrateGraph;
pub use ontology::{
    Completion, Differences, Ontology, OntologyInfo, OntologyTable, OntologyTerm, Shortlist, Synonym, SynonymScope,
    TermMatch,
};
pub use reading::{CrateRule, Glance, Level, ReadCrate, SizeUnit, crate_rules, gide_entry, glance, read_crate};
pub use store::{
    AskService, Batch, ExtraValue, GraphChange, MetadataStore, Provenance, QueryAnswer, QueryOptions, ReadOnlyStore,
    ResultFormat, Services, describe_service, has_merged_files_of,
};
