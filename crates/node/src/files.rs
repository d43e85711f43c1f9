use std::ops::Range;

use archive_store::{ArchiveError, Blob};
use bytes::Bytes;
use dataset_model::{DatasetId, FilePath};
use tokio::runtime::Handle;

use crate::{Actor, Node, NodeError, VersionChoice};

/// A file of a published version, ready to be read in any order.
pub struct OpenFile {
    /// Its bytes, size and digest.
    pub blob: Blob,
    /// Whether the address names this version, so that the answer never changes.
    pub immutable: bool,
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
        let (key, version) = self.own_version(actor, id, choice)?;
        match self.archive.open_file(&key.id, version, path).await {
            Ok(blob) => Ok(OpenFile { blob, immutable: choice != VersionChoice::Latest }),
            Err(ArchiveError::NotFound { .. }) => {
                Err(NodeError::NotFound(format!("dataset '{id}' {version} has no file '{path}'")))
            }
            Err(error) => Err(NodeError::Archive(error)),
        }
    }
}

/// Reads a range on a thread that may wait: from a local disk on this very thread, from elsewhere on the runtime.
pub(crate) fn read_waiting(blob: &Blob, range: Range<u64>, runtime: &Handle) -> Result<Bytes, ArchiveError> {
    match blob.bytes_blocking(range.clone()) {
        Some(bytes) => bytes,
        None => runtime.block_on(blob.bytes(range)),
    }
}
