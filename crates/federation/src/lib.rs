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

mod bundle;
mod checkpoint;
mod client;
pub mod crate_stream;
mod description;
mod error;
mod fetch;
mod key;
mod limits;
mod note;
pub mod oai;
pub mod paths;
mod puller;
pub mod sources;
mod sparql;
mod tiles;

pub use checkpoint::Checkpoint;
pub use client::PeerClient;
pub use description::{NodeDescription, PROTOCOL, PeerDescription};
pub use error::FederationError;
pub use key::{NodeKey, PublicKey};
pub use limits::Limits;
pub use puller::{Batch, Puller};
pub use sparql::ask_sparql;
