//! How nodes talk to each other, and how a node checks what it was told.
//!
//! **Owns** the wire types and URL paths of the federation protocol, keys and checkpoints (C2SP `signed-note`,
//! `tlog-checkpoint`, `tlog-tiles`), the frames in which crates travel, the verification of everything a peer sends, and
//! the client that asks for it with deadlines, size limits and back-off. A peer that forks, rolls back, drops, reorders
//! or alters is detected and named ([`FederationError`]), and nothing of it is returned.
//!
//! **Must not know** our ledger or any store, nor a web framework: the caller says what it holds, and keeps what it gets.
//!
//! A pull: [`Puller::checkpoint`] (is what I hold still the beginning of your log?) → [`Puller::next_batch`] (entries,
//! proven to be the next ones) → [`Puller::crates`] (what they point to, by digest) → the caller commits → next batch.
//!
//! ```
//! use dataset_model::MerkleTree;
//! use federation::{NodeKey, PublicKey};
//!
//! let key = NodeKey::generate("heliograph.example/europe");
//! let pinned: PublicKey = key.public_key().to_string().parse()?;
//!
//! let mut log = MerkleTree::default();
//! log.push(b"first entry");
//! let note = key.sign_checkpoint(log.size(), log.root());
//! let checkpoint = pinned.verify_checkpoint(note.as_bytes())?;
//! assert_eq!((checkpoint.size, checkpoint.root), (1, log.root()));
//! assert!(pinned.verify_checkpoint(note.replace("\n1\n", "\n2\n").as_bytes()).is_err());
//! # Ok::<(), federation::FederationError>(())
//! ```

mod audit;
mod bulk_pull;
mod bundle;
mod checkpoint;
mod client;
mod cosignature;
pub mod crate_stream;
mod description;
mod download;
mod error;
mod fetch;
mod fork;
mod holders;
mod key;
mod limits;
pub mod live;
mod log_reader;
pub mod log_stream;
mod mirrored;
mod note;
pub mod oai;
pub mod paths;
mod pieces;
mod proof;
mod puller;
mod reach;
mod resolver;
mod rotation;
pub mod sources;
mod sparql;
mod tiles;
mod witness;

pub use audit::{Audit, AuditFinding, AuditReport, AuditedFiles};
pub use bulk_pull::{BulkBatch, BulkPull};
pub use checkpoint::{Checkpoint, origin_of};
pub use client::{PeerClient, SeenCheckpoints, WitnessAnswer};
pub use cosignature::{Cosignature, MAX_COSIGNATURES, with_cosignatures};
pub use description::{NodeDescription, PROTOCOL, PeerDescription, WitnessDescription};
pub use download::{FileAddress, Meter};
pub use error::FederationError;
pub use fork::{ForkProof, ForkSide};
pub use holders::Holders;
pub use key::{NodeKey, PublicKey};
pub use limits::Limits;
pub use log_reader::LogReader;
pub use mirrored::{MirroredPage, MirroredVersion};
pub use proof::{FileProof, ProvenFiles, ProvenVersion, VersionProof};
pub use puller::{Batch, Comparison, Puller};
pub use reach::Reach;
pub use rotation::{KeyChain, KeyChange, LogKeys};
pub use sparql::ask_sparql;
pub use tiles::Tree;
pub use witness::{AddCheckpoint, MAX_ADD_CHECKPOINT_BYTES};
