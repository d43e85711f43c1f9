use std::{ops::Range, sync::Arc};

use bytes::Bytes;

use crate::{error::OmeZarrError, source::FileSource};

/// A file of a source, whose size is known before anything is read.
#[derive(Clone)]
pub(super) struct SourceFile {
    source: Arc<dyn FileSource>,
    path: String,
    size: u64,
}

impl SourceFile {
    /// # Errors
    /// There is no such file.
    pub(super) fn open(source: &Arc<dyn FileSource>, path: &str) -> Result<Self, OmeZarrError> {
        let size = source.size(path)?.ok_or_else(|| OmeZarrError::metadata(path, "there is no such file"))?;
        Ok(Self { source: Arc::clone(source), path: path.to_owned(), size })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Exactly the bytes of a range.
    ///
    /// # Errors
    /// The file ends before the range does, or cannot be read.
    pub(super) fn read(&self, range: Range<u64>) -> Result<Bytes, OmeZarrError> {
        self.part().read(range)
    }

    /// The same file, borrowed.
    pub(super) fn part(&self) -> FileRef<'_> {
        FileRef { source: self.source.as_ref(), path: &self.path, size: self.size }
    }

    /// The first bytes, fewer if the file is shorter.
    pub(super) fn head(&self, length: u64) -> Result<Bytes, OmeZarrError> {
        self.read(0..length.min(self.size))
    }
}

/// A file of a source that is only looked at.
#[derive(Clone, Copy)]
pub(super) struct FileRef<'a> {
    pub(super) source: &'a dyn FileSource,
    pub(super) path: &'a str,
    pub(super) size: u64,
}

impl FileRef<'_> {
    /// As [`SourceFile::read`].
    pub(super) fn read(&self, range: Range<u64>) -> Result<Bytes, OmeZarrError> {
        if range.start > range.end || range.end > self.size {
            return Err(OmeZarrError::decode(
                self.path,
                format!(
                    "it points to bytes {} to {} of a file that has {}: it was cut off or is damaged",
                    range.start, range.end, self.size
                ),
            ));
        }
        Ok(self.source.read(self.path, range)?)
    }
}
