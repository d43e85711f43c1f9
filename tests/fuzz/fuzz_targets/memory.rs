//! Files in memory.

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;
use ome_zarr::{FileSource, SourceError};

#[derive(Debug, Default)]
pub struct MemorySource(pub BTreeMap<String, Bytes>);

impl FileSource for MemorySource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        Ok(self.0.get(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let bytes = self.0.get(path).filter(|bytes| range.start <= range.end && range.end <= bytes.len() as u64);
        let bytes = bytes.ok_or_else(|| SourceError::new(path, "no such bytes"))?;
        Ok(bytes.slice(range.start as usize..range.end as usize))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Ok(self.0.keys().filter(|path| path.starts_with(&prefix)).cloned().collect())
    }
}
