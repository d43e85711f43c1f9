use std::ops::Range;

use bytes::Bytes;
use object_store::{ObjectStoreExt, path::Path};

use crate::{Location, error::ArchiveError, store::Store};

/// Files in a place that is no archive of ours, to be read only: a bucket somebody else filled.
///
/// Paths are `/`-separated, below the location's prefix.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Store,
}

impl Objects {
    /// Opens a place; nothing is read or written yet.
    ///
    /// # Errors
    /// When the location cannot be understood, or a local folder not be made.
    pub fn open(location: &Location) -> Result<Self, ArchiveError> {
        Ok(Self { store: location.store()? })
    }

    /// The length of a file in bytes; `None` where there is none.
    ///
    /// # Errors
    /// What kept the store from answering.
    pub async fn size(&self, path: &str) -> Result<Option<u64>, ArchiveError> {
        match self.store.size(&Path::from(path)).await {
            Err(ArchiveError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// A range of a file, its end exclusive.
    ///
    /// # Errors
    /// There is no such file, it is shorter, or it cannot be read.
    pub async fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let path = Path::from(path);
        let length = range.end - range.start;
        let bytes = self.store.objects().get_range(&path, range).await.map_err(ArchiveError::storage("read", &path))?;
        if bytes.len() as u64 != length {
            return Err(ArchiveError::NotFound { what: format!("a part of '{path}'") });
        }
        Ok(bytes)
    }

    /// The paths of all files below a folder, sorted; `""` is the root.
    ///
    /// # Errors
    /// What kept the store from answering.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, ArchiveError> {
        let found = self.store.list(&Path::from(folder)).await?;
        let mut paths: Vec<String> = found.into_iter().map(|object| object.location.to_string()).collect();
        paths.sort_unstable();
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_sized_read_in_part_and_listed() {
        let objects = Objects::open(&Location::Memory).unwrap();
        objects.store.put(&Path::from("a/b"), &b"hello"[..]).await.unwrap();
        assert_eq!(objects.size("a/b").await.unwrap(), Some(5));
        assert_eq!(objects.size("a").await.unwrap(), None);
        assert_eq!(objects.read("a/b", 1..3).await.unwrap(), "el");
        assert!(objects.read("a/b", 3..9).await.is_err());
        assert_eq!(objects.list("").await.unwrap(), ["a/b"]);
    }
}
