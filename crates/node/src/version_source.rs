//! The files of a published version, as the image engine reads them.

use std::{ops::Range, sync::Arc};

use archive_store::{Archive, Blob};
use bytes::Bytes;
use dataset_model::{DatasetId, FilePath, Manifest, ManifestFile, VersionNumber};
use ome_zarr::{FileSource, SourceError};
use tokio::runtime::Handle;

use crate::files::read_waiting;

/// Files by path, looked up in the manifest that all requests share. Made on the runtime, used on a blocking thread.
pub(crate) struct VersionSource {
    archive: Archive,
    dataset: DatasetId,
    version: VersionNumber,
    manifest: Arc<Manifest>,
    runtime: Handle,
}

impl VersionSource {
    /// The files of an object's version.
    pub(crate) fn new(
        archive: Archive,
        (dataset, version): (DatasetId, VersionNumber),
        manifest: Arc<Manifest>,
    ) -> Self {
        Self { archive, dataset, version, manifest, runtime: Handle::current() }
    }

    fn find(&self, path: &str) -> Option<&ManifestFile> {
        self.manifest.find(&path.parse::<FilePath>().ok()?)
    }

    fn open(&self, path: &str) -> Result<Blob, SourceError> {
        let file = self.find(path).ok_or_else(|| SourceError::new(path, "there is no such file"))?;
        let opened = self.runtime.block_on(self.archive.open_file(&self.dataset, self.version, &file.path));
        opened.map_err(|error| SourceError::new(path, error))
    }
}

impl FileSource for VersionSource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        Ok(self.find(path).map(|file| file.size))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let bytes = read_waiting(&self.open(path)?, range, &self.runtime);
        bytes.map_err(|error| SourceError::new(path, error))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let paths = |files: &mut dyn Iterator<Item = &ManifestFile>| files.map(|file| file.path.to_string()).collect();
        Ok(if folder.is_empty() {
            paths(&mut self.manifest.files().iter())
        } else {
            paths(&mut self.manifest.below(folder))
        })
    }
}
