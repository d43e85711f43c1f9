use std::path::PathBuf;

use dataset_model::{DatasetId, Digest, EntryError, NodeId};

/// What an engine below reported; boxed, so that no engine type shows.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the ledger could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the folder.
    #[error("another process holds this ledger: stop it first, a ledger has one writer")]
    InUse,
    /// The folder could not be opened.
    #[error("cannot open the ledger in {path}: check that the folder is there, writable and on a local disk")]
    Open {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// Reading failed.
    #[error("cannot read from the ledger: check the disk")]
    Read(#[source] Cause),
    /// Writing failed; nothing more is written until the ledger is opened again.
    #[error("cannot write to the ledger: check free space and the disk, then restart the node")]
    Write(#[source] Cause),
    /// So little of the disk is free that writing might fail in the middle. Nothing was written, and nothing is stopped.
    #[error(
        "the disk of the ledger is full ({} MiB free, {} MiB needed): make room there; a running node then goes on by itself",
        free >> 20, needed >> 20
    )]
    Full {
        /// Free bytes.
        free: u64,
        /// The bytes that must be free.
        needed: u64,
    },
    /// An earlier write failed, so that what is on the disk is unknown until the ledger is opened again.
    #[error("an earlier write to the ledger failed: check free space and the disk, then restart the node")]
    Stopped,
    /// The log has moved since the caller looked.
    #[error("the log has {actual} entries, not {expected}: read it again and retry")]
    Conflict {
        /// The size the caller expected.
        expected: u64,
        /// The size it has.
        actual: u64,
    },
    /// A proof, root or tile was asked for a tree larger than the log.
    #[error("the log of {node} has {size} entries, {asked} were asked for")]
    BeyondEnd {
        /// The log's node.
        node: NodeId,
        /// The size asked for.
        asked: u64,
        /// The size it has.
        size: u64,
    },
    /// Bytes to be appended are no entry.
    #[error("entry {index} cannot be appended: it is no log entry")]
    BadEntry {
        /// The index the entry would have had.
        index: u64,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// An entry does not name the entry before it about the same dataset.
    #[error("entry {index} about {dataset} names {named:?} as the entry before it, the log has {actual:?}")]
    BrokenChain {
        /// The index the entry would have had.
        index: u64,
        /// The dataset it is about.
        dataset: DatasetId,
        /// The index it names.
        named: Option<u64>,
        /// The index of the last entry about the dataset.
        actual: Option<u64>,
    },
    /// A crate's bytes are not those its digest promises.
    #[error("crate {expected} has other bytes: their digest is {actual}")]
    WrongDigest {
        /// The digest given with the bytes.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// A document could not be written as JSON or read back.
    #[error("document '{key}' of '{collection}' is not what this version of the program writes")]
    Document {
        /// The collection.
        collection: &'static str,
        /// The document's key.
        key: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Parts of the ledger contradict each other.
    #[error("the ledger is damaged ({what}): restore the data folder from a backup, or rebuild it from the archive")]
    Damaged {
        /// What contradicts what.
        what: String,
    },
}

impl LedgerError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}
