//! The words of Heliograph: identifiers, digests, paths, ledger entries, file manifests and what a crate says.
//!
//! **Owns** validated newtypes that are checked once, at construction, so that no later layer meets a bad id, digest,
//! path or term; the closed [`Event`] enum of the ledger; canonical JSON (RFC 8785); the Merkle root over a version's files.
//!
//! **Must not know** files, networks, async, RDF engines or HTTP. Everything here is pure data.
//!
//! ```
//! use dataset_model::{Digest, FilePath, Manifest, ManifestFile};
//!
//! let file = ManifestFile { path: "cells.ome.zarr/zarr.json".parse()?, size: 2, sha256: Digest::of(b"{}") };
//! let manifest = Manifest::new(vec![file])?;
//! assert_eq!(manifest.total_bytes(), 2);
//! assert!("../escape".parse::<FilePath>().is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod canonical;
mod digest;
mod event;
mod finding;
mod id;
mod licence;
mod manifest;
mod merkle;
mod path;
mod study;
mod summary;
mod term;
mod timestamp;

pub use access::Access;
pub use canonical::{CanonicalError, canonical_json};
pub use digest::{Digest, DigestError, Digester};
pub use event::{Catalogued, Entry, EntryError, Event, MAX_ENTRY_BYTES, Published, WithdrawReason, Withdrawn};
pub use finding::{Finding, Findings, Repair, Severity};
pub use id::{DatasetId, DatasetKey, IdError, NodeId, VersionNumber};
pub use licence::Licence;
pub use manifest::{Manifest, ManifestError, ManifestFile, ManifestTree};
pub use merkle::{MerkleTree, inclusion_path, leaf_hash, root_from_path, root_of};
pub use path::{FilePath, PathError};
pub use study::{StudyKey, StudyKeyKind};
pub use summary::{Agent, Declared, Person, Summary, TermConflict};
pub use term::{Term, TermIri, TermIriError};
pub use timestamp::{Timestamp, TimestampError};
