use archive_store::{ArchiveError, Blob};
use dataset_model::{DatasetId, FilePath};

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
