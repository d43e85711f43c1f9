use std::{io, time::Duration};

use oxigraph::store::{LoaderError, StorageError};

/// What the engine below said; kept for the log, never shown as a type.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why bytes are no RO-Crate that could be read at all. Everything milder is read, with findings.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// Larger than this reader takes.
    #[error("the crate has {size} bytes: at most {limit} are read")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Nested too deeply.
    #[error("the crate's JSON is nested more than {limit} levels deep: RO-Crate is flat, list entities in '@graph'")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// Too many entities.
    #[error("the crate describes more than {limit} entities: describe folders instead of single files")]
    TooManyEntities {
        /// Entities allowed.
        limit: usize,
    },
    /// Not JSON.
    #[error("the crate is not JSON")]
    NotJson(#[source] Source),
    /// JSON, and no flat JSON-LD.
    #[error("the crate has no '@graph' list: an RO-Crate is a JSON object with '@context' and '@graph'")]
    NotJsonLd,
    /// No entity can be taken for the root dataset.
    #[error(
        "the crate has no root dataset: let the 'about' of 'ro-crate-metadata.json' name an entity of type Dataset"
    )]
    NoRoot,
    /// A record of a foreign form that cannot be made into a crate.
    #[error("the record cannot be read: {0}")]
    Foreign(String),
    /// The base given by the caller is no absolute IRI.
    #[error("'{0}' is not an absolute IRI, so the crate's relative ids mean nothing")]
    Base(String),
    /// The JSON-LD could not be turned into triples.
    #[error("the crate cannot be read as JSON-LD")]
    Triples(#[source] Source),
}

/// Why the store or an ontology could not do something.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The store's folder cannot be opened.
    #[error("cannot open the metadata store at {path}: if it is damaged, delete the folder and run a rebuild")]
    Open {
        /// The folder.
        path: String,
        /// What the engine said.
        #[source]
        source: Source,
    },
    /// A transaction failed; nothing of it is visible.
    #[error("cannot write to the metadata store")]
    Write(#[source] Source),
    /// Reading failed.
    #[error("cannot read from the metadata store")]
    Read(#[source] Source),
    /// A graph or predicate name is no IRI.
    #[error("'{0}' is not an absolute IRI")]
    Iri(String),
    /// The query is not one this store answers.
    #[error("the query cannot be answered: {message}")]
    Query {
        /// What is wrong with it.
        message: String,
    },
    /// The text is no SPARQL 1.1 query.
    #[error("the query cannot be read: {message}")]
    Malformed {
        /// Where and what.
        message: String,
    },
    /// The text is an update.
    #[error("this endpoint only reads: deposit and publish datasets to change what it holds")]
    Update,
    /// `SERVICE` names an endpoint that is not asked, or that gave no answer.
    #[error("SERVICE <{endpoint}>: {message}")]
    Service {
        /// The endpoint.
        endpoint: String,
        /// Why not.
        message: String,
    },
    /// The answer is too large.
    #[error("the answer has more than {limit} bytes: ask for less, or page through it with LIMIT and OFFSET")]
    TooManyBytes {
        /// Bytes allowed.
        limit: usize,
    },
    /// The query ran out of time.
    #[error("the query took longer than {} s: narrow it, or add a LIMIT", .deadline.as_secs_f32())]
    TooSlow {
        /// The time it had.
        deadline: Duration,
    },
    /// The answer has too many rows.
    #[error("the answer has more than {limit} rows: narrow the query, or page through it with LIMIT and OFFSET")]
    TooManyRows {
        /// Rows allowed.
        limit: usize,
    },
    /// The answer has no form in that syntax.
    #[error("an answer of this kind cannot be written as {format}")]
    Format {
        /// The media type asked for.
        format: &'static str,
    },
    /// A record's RO-Crate cannot be given.
    #[error("the RO-Crate of this record cannot be given: {why}")]
    Crate {
        /// Why not.
        why: String,
    },
    /// An ontology file cannot be read.
    #[error("line {line} of the ontology: {message}")]
    Ontology {
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// An ontology cannot be taken.
    #[error("the ontology cannot be read: {0}")]
    OntologyContent(String),
    /// An ontology cannot be received, written down or read back.
    #[error("the ontology cannot be read or kept: {0}")]
    OntologyFile(#[source] Source),
}

impl MetadataError {
    pub(crate) fn write(source: impl Into<Source>) -> Self {
        Self::Write(bare(source.into()))
    }

    pub(crate) fn ontology(message: impl Into<String>) -> Self {
        Self::OntologyContent(message.into())
    }

    pub(crate) fn ontology_file(source: impl Into<Source>) -> Self {
        Self::OntologyFile(source.into())
    }

    pub(crate) fn read(source: impl Into<Source>) -> Self {
        Self::Read(source.into())
    }
}

/// The engine's errors stand for the system's, and hide it from who looks for its kind along the chain of sources.
fn bare(source: Source) -> Source {
    match source.downcast::<LoaderError>() {
        Ok(error) => io::Error::from(*error).into(),
        Err(source) => match source.downcast::<StorageError>() {
            Ok(error) => io::Error::from(*error).into(),
            Err(source) => source,
        },
    }
}
