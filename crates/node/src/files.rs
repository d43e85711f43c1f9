use std::{ops::Range, sync::atomic::Ordering};

use archive_store::{ArchiveError, Blob};
use bytes::Bytes;
use dataset_model::{Access, DatasetId, DatasetKey, FilePath, VersionNumber};
use tokio::runtime::Handle;

use crate::{Actor, Node, NodeError, VersionChoice, policy};

/// A file of a published version, ready to be read in any order.
pub struct OpenFile {
    /// Its bytes, size and digest.
    pub blob: Blob,
    /// Whether the address names this version, so that the answer never changes.
    pub immutable: bool,
    /// On what it was opened.
    pub reading: Reading,
    /// Where the file is at the node that published it, when this is a copy.
    pub original: Option<String>,
}

/// What a decision to let somebody read rests on: as long as it stands, it need not be taken again for the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Of the ledger; anything written to a log makes a new one.
    generation: u64,
    /// Counts files that were healed or erased.
    replaced: u64,
    access: Access,
}

impl Node {
    /// Opens a file of a published version.
    ///
    /// # Errors
    /// When there is none (an absent chunk is normal), or the dataset was withdrawn.
    pub async fn open_file(
        &self,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        path: &FilePath,
    ) -> Result<OpenFile, NodeError> {
        // Before anything is read, so that what changes meanwhile is noticed.
        let reading = Reading {
            generation: self.ledger.generation(),
            replaced: self.replaced.load(Ordering::Acquire),
            access: Access::Open,
        };
        let held = self.holding(actor, id, choice)?;
        let version = held.version;
        let original = held.copied.then(|| self.original_address(&held.key, version, path)).flatten();
        match held.open_file(path).await {
            Ok(blob) => Ok(OpenFile { blob, immutable: choice != VersionChoice::Latest, reading, original }),
            Err(ArchiveError::NotFound { .. }) => {
                Err(NodeError::NotFound(format!("dataset '{id}' {version} has no file '{path}'")))
            }
            Err(error) => Err(NodeError::Archive(error)),
        }
    }

    /// Whether the actor may read a file that was opened before; not when any log has grown since, for the dataset may have
    /// been withdrawn or have a new version; nor when any file was healed.
    pub fn still_reads(&self, actor: &Actor, reading: Reading) -> bool {
        reading.generation == self.ledger.generation()
            && reading.replaced == self.replaced.load(Ordering::Acquire)
            && policy::may_read(actor, reading.access)
    }

    /// What was opened before is opened again by everybody: bytes on disk have been replaced.
    pub(crate) fn bytes_were_replaced(&self) {
        self.replaced.fetch_add(1, Ordering::AcqRel);
    }

    fn original_address(&self, key: &DatasetKey, version: VersionNumber, path: &FilePath) -> Option<String> {
        let mut url: url::Url = self.url_of(&key.node)?.parse().ok()?;
        let names = ["data", key.id.as_str(), &version.to_string()].map(str::to_owned);
        url.path_segments_mut().ok()?.pop_if_empty().extend(names.iter().map(String::as_str).chain(path.names()));
        Some(url.into())
    }
}

/// Reads a range on a thread that may wait: from a local disk on this very thread, from elsewhere on the runtime.
pub(crate) fn read_waiting(blob: &Blob, range: Range<u64>, runtime: &Handle) -> Result<Bytes, ArchiveError> {
    match blob.bytes_blocking(range.clone()) {
        Some(bytes) => bytes,
        None => runtime.block_on(blob.bytes(range)),
    }
}
