//! Where the bytes of a version are, as far as this node has them: in its own archive, or among the copies of its peers'.

use std::sync::Arc;

use archive_store::{Archive, ArchiveError, Blob};
use dataset_model::{DatasetId, DatasetKey, FilePath, Manifest, VersionNumber};

use crate::{Actor, Node, NodeError, RecordKind, VersionChoice, dataset::kind_of, version_source::VersionSource};

/// A version whose bytes are here.
pub(crate) struct Holding {
    pub key: DatasetKey,
    pub version: VersionNumber,
    /// Whether it is a copy of another node's.
    pub copied: bool,
    archive: Archive,
    /// The object that holds it, and the version within the object.
    object: (DatasetId, VersionNumber),
}

impl Holding {
    /// The version's files.
    pub(crate) async fn manifest(&self) -> Result<Arc<Manifest>, NodeError> {
        self.archive.manifest(&self.object.0, self.object.1).await.map_err(NodeError::Archive)
    }

    /// The version's files, for the image engine.
    pub(crate) fn source(&self, manifest: Arc<Manifest>) -> VersionSource {
        VersionSource::new(self.archive.clone(), self.object.clone(), manifest)
    }

    /// The object that holds it, and the version within the object: no two datasets of any nodes share one.
    pub(crate) fn object(&self) -> &(DatasetId, VersionNumber) {
        &self.object
    }

    /// Opens one of them.
    pub(crate) async fn open_file(&self, path: &FilePath) -> Result<Blob, ArchiveError> {
        self.archive.open_file(&self.object.0, self.object.1, path).await
    }
}

impl Node {
    /// The chosen version of an own deposit, or of a peer's that is held as a copy.
    pub(crate) fn holding(&self, actor: &Actor, id: &DatasetId, choice: VersionChoice) -> Result<Holding, NodeError> {
        let found = self.find(actor, id, None)?;
        let (_, entry) = found.entry(choice)?;
        let (key, version) = (found.key.clone(), entry.version);
        if kind_of(entry) == RecordKind::Deposit {
            if key.node == self.config.id {
                let (archive, object) = (self.archive.clone(), (key.id.clone(), version));
                return Ok(Holding { key, version, copied: false, archive, object });
            }
            if let (Some(copy), Ok(object)) = (self.copy_of(&key, version)?, crate::mirroring::object_of(&key)) {
                let (archive, object) = (self.mirrors.archive.clone(), (object, copy.object_version));
                return Ok(Holding { key, version, copied: true, archive, object });
            }
        }
        Err(NodeError::NotFound(format!("the files of '{id}' are not here: see {}", self.page_of(&key))))
    }
}
