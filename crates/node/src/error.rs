use archive_store::ArchiveError;
use dataset_model::{Finding, WithdrawReason};
use federation::FederationError;
use ledger::LedgerError;
use metadata_store::{CrateError, MetadataError};
use ome_zarr::OmeZarrError;
use search_index::SearchError;
use serde::{Deserialize, Serialize};

use crate::Tombstone;

/// Why a use case did not happen. The message is for the person who asked: what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// There is no such thing, or the actor may not know that there is.
    #[error("{0}")]
    NotFound(String),
    /// The request is not what it says it is.
    #[error("{0}")]
    Malformed(String),
    /// None of the forms asked for is one there is.
    #[error("{0}")]
    NotAcceptable(String),
    /// The request breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// A deposit breaks rules; the findings say which, where, and what to do.
    #[error("{message}")]
    Refused {
        /// The summary.
        message: String,
        /// Each broken rule.
        findings: Vec<Finding>,
    },
    /// Nobody said who they are.
    #[error("this needs a token: send 'Authorization: Bearer <token>'")]
    Unauthenticated,
    /// The actor may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The request does not fit the present state.
    #[error("{0}")]
    Conflict(String),
    /// The dataset was withdrawn.
    #[error("dataset '{}' was withdrawn on {}", .0.id, .0.time.date())]
    Gone(Box<Tombstone>),
    /// More than the node takes.
    #[error("{0}")]
    TooLarge(String),
    /// More requests than the node takes in this time.
    #[error("{0}")]
    TooMany(String),
    /// The node cannot do this right now.
    #[error("{0}")]
    Unavailable(String),
    /// There is too little room on the disk.
    #[error("{0}")]
    Full(String),
    /// A peer sent something wrong, or nothing.
    #[error("peer '{peer}': {source}")]
    Peer {
        /// The peer's name.
        peer: String,
        /// What went wrong.
        source: FederationError,
    },
    /// A source that is no node sent something wrong, or nothing.
    #[error("source '{name}': {source}")]
    Source {
        /// The source's name.
        name: String,
        /// What went wrong.
        source: FederationError,
    },
    /// Reading or writing the archive failed.
    #[error("the archive could not do it")]
    Archive(#[source] ArchiveError),
    /// Reading or writing the ledger failed.
    #[error("the ledger could not do it")]
    Ledger(#[source] LedgerError),
    /// The RDF store failed.
    #[error("the metadata store could not do it")]
    Metadata(#[source] MetadataError),
    /// The search index failed.
    #[error("the search index could not do it")]
    Search(#[source] SearchError),
    /// A task of ours ended early.
    #[error("{0}")]
    Internal(String),
}

/// What is said of requests until the node has started again.
const STOPPED: &str = "a write to the ledger failed, and nothing more is written until the node starts again; it does so by itself \
                       as soon as there is room on its disk";

/// The closed list of ways to fail; HTTP and HTML each map it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ErrorKind {
    NotFound,
    Malformed,
    NotAcceptable,
    Invalid,
    Unauthenticated,
    Forbidden,
    Conflict,
    Gone,
    TooLarge,
    TooMany,
    Unavailable,
    Full,
    PeerFault,
    Internal,
}

impl NodeError {
    /// Which of the ways to fail this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Full(_) => ErrorKind::Full,
            _ if self.met_a_full_disk() => ErrorKind::Full,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Malformed(_) => ErrorKind::Malformed,
            Self::NotAcceptable(_) => ErrorKind::NotAcceptable,
            Self::Invalid(_) | Self::Refused { .. } => ErrorKind::Invalid,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Gone(_) => ErrorKind::Gone,
            Self::TooLarge(_) => ErrorKind::TooLarge,
            Self::TooMany(_) => ErrorKind::TooMany,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Peer { .. } | Self::Source { .. } => ErrorKind::PeerFault,
            Self::Archive(_) | Self::Ledger(_) | Self::Metadata(_) | Self::Search(_) | Self::Internal(_) => {
                ErrorKind::Internal
            }
        }
    }

    /// Whether a store below met a disk or a quota without room.
    pub(crate) fn met_a_full_disk(&self) -> bool {
        use std::{error::Error, io};
        let mut cause = self.source();
        while let Some(error) = cause {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// The broken rules, where the error carries any.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Refused { findings, .. } => findings,
            _ => &[],
        }
    }

    /// The tombstone of a withdrawn dataset.
    pub fn tombstone(&self) -> Option<&Tombstone> {
        match self {
            Self::Gone(tombstone) => Some(tombstone),
            _ => None,
        }
    }

    pub(crate) fn refused(message: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self::Refused { message: message.into(), findings }
    }
}

impl From<LedgerError> for NodeError {
    fn from(source: LedgerError) -> Self {
        match source {
            LedgerError::InUse => Self::Unavailable(
                "another process holds this node's data folder: stop the running node first, or talk to it with --node"
                    .into(),
            ),
            LedgerError::Full { .. } => Self::Full(source.to_string()),
            LedgerError::Stopped => Self::Unavailable(STOPPED.into()),
            other => Self::Ledger(other),
        }
    }
}

impl From<SearchError> for NodeError {
    fn from(source: SearchError) -> Self {
        use SearchError as E;
        match source {
            E::QueryTooLong { .. }
            | E::TooManyTerms { .. }
            | E::TooManyValues { .. }
            | E::PageTooLarge { .. }
            | E::BadCursor
            | E::CursorOrder => Self::Invalid(source.to_string()),
            other => Self::Search(other),
        }
    }
}

impl From<CrateError> for NodeError {
    fn from(source: CrateError) -> Self {
        let finding = Finding::error(
            "crate.unreadable",
            "ro-crate-metadata.json",
            source.to_string(),
            "Send an RO-Crate: a JSON-LD object with '@context' and '@graph', its root dataset named by the metadata descriptor's 'about'.",
        );
        Self::refused(format!("the RO-Crate cannot be read: {source}"), vec![finding])
    }
}

impl From<OmeZarrError> for NodeError {
    fn from(source: OmeZarrError) -> Self {
        let message = source.to_string();
        match source {
            OmeZarrError::Archive(fault) if fault.is_too_large() => {
                Self::TooLarge(format!("{message}. {}", fault.hint))
            }
            OmeZarrError::Archive(fault) => Self::refused(message, vec![fault.finding()]),
            OmeZarrError::ArchiveContents(findings) => Self::refused(message, findings),
            _ => Self::Invalid(message),
        }
    }
}

/// Reads the name of a reason.
pub(crate) fn reason_from(text: Option<&str>) -> Result<WithdrawReason, NodeError> {
    let Some(text) = text else { return Ok(WithdrawReason::default()) };
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| {
        NodeError::Invalid(format!(
            "'{text}' is no reason for a withdrawal: use one of duplicate, retracted, replaced, spam, test-record, \
             copyright, personal-data, take-down-request, disputed-authorship, misconduct, out-of-scope, other"
        ))
    })
}
