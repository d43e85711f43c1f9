//! The files of a draft, as the image engine reads them.

use std::{collections::BTreeMap, ops::Range};

use archive_store::{Archive, Blob};
use bytes::Bytes;
use dataset_model::{DatasetId, Digest, ManifestFile, VersionNumber};
use ome_zarr::{FileSource, SourceError};
use tokio::runtime::Handle;

use crate::{Node, NodeError, documents::Draft, files::read_waiting};

/// Files by path, read through the archive. Made on the runtime, used on a blocking thread.
pub(crate) struct DraftSource {
    archive: Archive,
    files: BTreeMap<String, (ManifestFile, Place)>,
    runtime: Handle,
}

/// Where a file's bytes are.
#[derive(Clone)]
enum Place {
    Draft(DatasetId),
    Version(DatasetId, VersionNumber),
}

impl DraftSource {
    /// The files of a draft, those inherited from the version before included.
    pub(crate) fn of_draft(node: &Node, draft: &Draft) -> Result<Self, NodeError> {
        let before = VersionNumber::try_from(draft.version.get().saturating_sub(1)).ok();
        let mut files = BTreeMap::new();
        for row in node.files_of(&draft.id) {
            let (file, inherited) = row?;
            let place = match before.filter(|_| inherited) {
                Some(version) => Place::Version(draft.dataset.clone(), version),
                None => Place::Draft(draft.id.clone()),
            };
            files.insert(file.path.to_string(), (file, place));
        }
        Ok(Self { archive: node.archive.clone(), files, runtime: Handle::current() })
    }

    /// The digest of all paths and contents.
    pub(crate) fn digest(&self) -> Digest {
        let mut lines = String::new();
        for (path, (file, _)) in &self.files {
            // Lengths part the fields: a path may hold anything.
            lines.push_str(&format!("{} {path} {}\n", path.len(), file.sha256));
        }
        Digest::of(lines)
    }

    /// A file, with its size and digest.
    pub(crate) fn file(&self, path: &str) -> Option<&ManifestFile> {
        self.files.get(path).map(|(file, _)| file)
    }

    /// Every path, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether there is any file below a folder.
    pub(crate) fn has_below(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        self.files.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix))
    }

    fn open(&self, path: &str) -> Result<Blob, SourceError> {
        let (file, place) = self.files.get(path).ok_or_else(|| SourceError::new(path, "there is no such file"))?;
        let opened = self.runtime.block_on(async {
            match place {
                Place::Draft(draft) => self.archive.open_draft_file(draft, file.sha256, file.size).await,
                Place::Version(dataset, version) => self.archive.open_file(dataset, *version, &file.path).await,
            }
        });
        opened.map_err(|error| SourceError::new(path, error))
    }
}

impl FileSource for DraftSource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        Ok(self.files.get(path).map(|(file, _)| file.size))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let bytes = read_waiting(&self.open(path)?, range, &self.runtime);
        bytes.map_err(|error| SourceError::new(path, error))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        if folder.is_empty() {
            return Ok(self.files.keys().cloned().collect());
        }
        let prefix = format!("{folder}/");
        let below = self.files.range(prefix.clone()..).map(|(path, _)| path);
        Ok(below.take_while(|path| path.starts_with(&prefix)).cloned().collect())
    }
}
