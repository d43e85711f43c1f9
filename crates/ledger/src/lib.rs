//! The ledger: what exists, in which order, and the proof of it.
//!
//! **Owns** the append-only, Merkle-hashed log of the own node and of every peer (all the same shape, keyed by
//! [`NodeId`](dataset_model::NodeId)), the crates that log entries point to, and small typed documents (drafts, tokens,
//! cursors, jobs) that change in the same transaction as a log where they belong together. An [`Append`] happens
//! completely and durably, or not at all.
//!
//! **Must not know** what an event means, who may append, HTTP or signatures. Of an entry it reads the dataset, the
//! index of the entry before, and the digest of the crate. The engine below is named in `database.rs` alone.
//!
//! ```
//! use dataset_model::{Entry, Event, NodeId, Withdrawn, WithdrawReason, VersionNumber};
//! use ledger::{Append, Ledger};
//!
//! let folder = tempfile::tempdir()?;
//! let ledger = Ledger::open(folder.path())?;
//! let europe: NodeId = "europe".parse()?;
//! let entry = Entry {
//!     dataset: "europe-1".parse()?,
//!     version: VersionNumber::FIRST,
//!     previous: None,
//!     time: "2026-11-21T10:00:00Z".parse()?,
//!     event: Event::Withdraw(Withdrawn { reason: WithdrawReason::Spam }),
//! };
//! let cursors = ledger.collection::<u64>("cursors");
//! let indexes = ledger.append(&europe, Append {
//!     entries: vec![entry.to_bytes()?],
//!     changes: vec![cursors.put("europe", &1)?],
//!     ..Append::default()
//! })?;
//! assert_eq!(indexes, 0..1);
//! assert_eq!(ledger.root(&europe, 1)?, ledger.frontier(&europe)?.root());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod append;
mod collection;
mod crates;
mod database;
mod durability;
mod error;
mod frontier;
mod keys;
mod ledger;
mod log;
mod proofs;
mod records;

pub use append::Append;
pub use collection::{Change, Collection};
pub use error::LedgerError;
pub use ledger::Ledger;
