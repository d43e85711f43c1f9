use std::ops::Range;

use bytes::Bytes;

mod folder;

pub use folder::FolderSource;

/// What an image is read from: a draft, a published version, a local folder.
///
/// Paths are relative to the source's root, `/`-separated, without a leading `/`. Implementations refuse paths that
/// would leave the root.
pub trait FileSource: Send + Sync {
    /// The size of a file in bytes; `None` where there is no such file (a chunk that was never written is normal).
    ///
    /// # Errors
    /// Whatever kept the source from answering.
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError>;

    /// Exactly the bytes of `range` (end exclusive).
    ///
    /// # Errors
    /// The file is absent, ends before the range does, or could not be read.
    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError>;

    /// The paths of all files below a folder (`""` is the root), recursive, sorted, relative to the root;
    /// empty where there is no such folder.
    ///
    /// # Errors
    /// Whatever kept the source from answering.
    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError>;

    /// Whether `list` tells all there is. A plain web server cannot: there, the tree is found from metadata alone, and
    /// rules about files that nothing points to are reported as not checked.
    fn can_list(&self) -> bool {
        true
    }
}

/// A file or folder that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read '{path}'")]
pub struct SourceError {
    /// The file or folder.
    pub path: String,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl SourceError {
    /// An error about one path.
    pub fn new(path: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { path: path.into(), source: source.into() }
    }
}

/// A path below a folder; the root folder is `""`.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The folder a path lies in, and its last name; `None` for the root itself.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    if path.is_empty() { None } else { Some(path.rsplit_once('/').unwrap_or(("", path))) }
}
