use std::{fmt, fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use dataset_model::Digest;
use object_store::path::Path;

use crate::{
    buffers,
    cache::Cache,
    disk::{Disk, blocking},
    error::ArchiveError,
};

/// A file of the local disk, open for reading at any place by any number of readers.
pub(crate) struct OpenFile {
    file: File,
    path: Path,
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenFile({})", self.path)
    }
}

impl OpenFile {
    /// Reads `length` bytes from `start` on this very thread: bytes in the page cache are there at once.
    pub(crate) fn read(&self, start: u64, length: usize) -> Result<Bytes, ArchiveError> {
        buffers::filled(length, |buffer| self.file.read_exact_at(buffer, start)).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::damaged(&self.path, "the file is shorter than it was"),
            _ => ArchiveError::disk("read", &self.path)(error),
        })
    }
}

/// The files read last, kept open. Content never changes under a digest, so a kept handle is never stale.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    disk: Disk,
    files: Cache<(Path, Digest), Arc<OpenFile>>,
}

impl OpenFiles {
    pub(crate) fn new(disk: Disk) -> Self {
        Self { disk, files: Cache::new(handles_to_keep()) }
    }

    /// Opens a file of `size` bytes, or finds it open.
    pub(crate) async fn open(&self, path: Path, sha256: Digest, size: u64) -> Result<Arc<OpenFile>, ArchiveError> {
        let key = (path, sha256);
        if let Some(file) = self.files.get(&key) {
            return Ok(file);
        }
        let (since, on_disk) = (self.files.epoch(), self.disk.at(&key.0));
        let opened = blocking("open", &key.0, move || {
            let file = File::open(on_disk)?;
            let found = file.metadata()?.len();
            Ok((file, found))
        });
        let (file, found) = opened.await?;
        if found != size {
            return Err(ArchiveError::damaged(&key.0, format!("it has {found} bytes instead of {size}")));
        }
        let open = Arc::new(OpenFile { file, path: key.0.clone() });
        self.files.insert(key, open.clone(), 1, since);
        Ok(open)
    }

    /// Closes the files below a folder.
    pub(crate) fn close_below(&self, folder: &Path) {
        self.files.remove(|(path, _)| path.prefix_matches(folder));
    }
}

/// A quarter of what the system lets this process open; the rest is for connections and engines.
fn handles_to_keep() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next()).and_then(|limit| limit.parse::<u64>().ok());
    (limit.unwrap_or(1024) / 4).clamp(64, 16 * 1024)
}
