//! What several test files need: the shared corpus, and sources in memory.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ome_zarr::{FileSource, SourceError};

/// A folder of the shared OME-Zarr corpus; `None`, said on stderr, where the corpus is absent.
pub(crate) fn corpus(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("HELIOGRAPH_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let path = shared.join("data/ome-zarr").join(folder);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no shared corpus at {} (set HELIOGRAPH_SHARED)", path.display());
    None
}

/// Files in memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct MemorySource(pub(crate) BTreeMap<String, Vec<u8>>);

impl FileSource for MemorySource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        Ok(self.0.get(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let bytes = self.0.get(path).and_then(|bytes| bytes.get(range.start as usize..range.end as usize));
        bytes.map(Bytes::copy_from_slice).ok_or_else(|| SourceError::new(path, "no such bytes"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Ok(self.0.keys().filter(|path| path.starts_with(&prefix)).cloned().collect())
    }
}

/// All files of a folder, in memory.
pub(crate) fn load(folder: &Path) -> MemorySource {
    let source = ome_zarr::FolderSource::new(folder).unwrap();
    let read = |path: String| {
        let size = source.size(&path).unwrap().unwrap();
        let bytes = source.read(&path, 0..size).unwrap().to_vec();
        (path, bytes)
    };
    MemorySource(source.list("").unwrap().into_iter().map(read).collect())
}
