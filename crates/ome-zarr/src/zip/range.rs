use std::{fs::File, io, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;

use crate::source::{FileSource, SourceError};

/// Bytes that can be read in any order: a local file, or a file of a source.
pub trait RangeRead: Send + Sync {
    /// The length in bytes.
    fn size(&self) -> u64;

    /// Exactly the bytes of `range` (end exclusive).
    ///
    /// # Errors
    /// The range reaches past the end, or the bytes cannot be read.
    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError>;
}

/// A file of this machine, opened once.
#[derive(Debug)]
pub struct LocalFile {
    file: File,
    size: u64,
    name: String,
}

impl LocalFile {
    /// Opens a file.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let name = path.as_ref().display().to_string();
        let failed = |error: io::Error| SourceError::new(&*name, error);
        let file = File::open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(SourceError::new(name, "it is not a file"));
        }
        Ok(Self { file, size: metadata.len(), name })
    }
}

impl RangeRead for LocalFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        use std::os::unix::fs::FileExt;
        let length = length_within(&range, self.size, &self.name)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, range.start).map_err(|error| SourceError::new(&*self.name, error))?;
        Ok(bytes.into())
    }
}

/// A file of a source: a draft's blob, a file behind a URL.
#[derive(Clone)]
pub struct SourceFile {
    source: Arc<dyn FileSource>,
    path: String,
    size: u64,
}

impl SourceFile {
    /// The file at a path.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(source: Arc<dyn FileSource>, path: &str) -> Result<Self, SourceError> {
        let size = source.size(path)?.ok_or_else(|| SourceError::new(path, "there is no such file"))?;
        Ok(Self { source, path: path.to_owned(), size })
    }
}

impl RangeRead for SourceFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        length_within(&range, self.size, &self.path)?;
        self.source.read(&self.path, range)
    }
}

/// The length of a range that lies within `size` bytes.
pub(crate) fn length_within(range: &Range<u64>, size: u64, path: &str) -> Result<usize, SourceError> {
    if range.start > range.end || range.end > size {
        return Err(SourceError::new(path, "the file is shorter than the range asked for"));
    }
    usize::try_from(range.end - range.start).map_err(|error| SourceError::new(path, error))
}
