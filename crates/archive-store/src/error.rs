use dataset_model::{DatasetId, Digest, FilePath, ManifestError, VersionNumber};

/// What a store below reported; boxed, so that no engine type shows.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the archive could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such dataset, version, file or blob.
    #[error("{what} is not in the archive")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The bytes that arrived are not those announced.
    #[error("the bytes have the SHA-256 digest {found}, not {expected}: send the file again")]
    WrongDigest {
        /// The digest announced.
        expected: Digest,
        /// The digest of what arrived.
        found: Digest,
    },
    /// The length that arrived is not the one announced.
    #[error("the body has {found} bytes or more, not {expected}: send the file again")]
    WrongSize {
        /// The length announced, in bytes.
        expected: u64,
        /// The bytes taken until the difference showed.
        found: u64,
    },
    /// The body is longer than it may be.
    #[error("the body is longer than the {limit} bytes allowed: send smaller files")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The sender's stream broke off.
    #[error("the body ended early: send the file again")]
    Body(#[source] Cause),
    /// A file of a commit has bytes neither in the draft nor in an earlier version.
    #[error("'{path}' was not uploaded: neither the draft nor an earlier version holds {sha256}")]
    MissingBlob {
        /// The file.
        path: FilePath,
        /// The digest of its bytes.
        sha256: Digest,
    },
    /// A file of a commit is listed with a length its bytes do not have.
    #[error("'{path}' is listed with {listed} bytes, but {stored} are stored: list it as it was stored")]
    SizeDiffers {
        /// The file.
        path: FilePath,
        /// The length in the list.
        listed: u64,
        /// The length of the stored bytes.
        stored: u64,
    },
    /// Versions are written one after another.
    #[error("{dataset} {version} cannot be written: {why}")]
    NotNext {
        /// The dataset.
        dataset: DatasetId,
        /// The version that was to be written.
        version: VersionNumber,
        /// What stands in the way.
        why: String,
    },
    /// The list of files cannot stand in one folder.
    #[error("the list of files is wrong")]
    Files(#[from] ManifestError),
    /// A range reaches past the end of a file.
    #[error("bytes {start} to {end} were asked of a file of {size} bytes")]
    Range {
        /// First byte asked for.
        start: u64,
        /// The byte after the last one asked for.
        end: u64,
        /// The length of the file.
        size: u64,
    },
    /// What is stored is not what was written.
    #[error("'{path}' in the archive is damaged: {why}; restore it from a backup or a mirror")]
    Damaged {
        /// Where, from the top of the bucket or folder.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The disk or bucket refused.
    #[error("cannot {action} '{path}' in the archive: check that its disk or bucket can be reached and has space")]
    Storage {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where, from the top of the bucket or folder.
        path: String,
        /// What the store said.
        #[source]
        source: Cause,
    },
    /// The place named in the configuration cannot be used.
    #[error("cannot open the archive at {location}: check that it exists and that this program may write there")]
    Open {
        /// The folder or bucket.
        location: String,
        /// What the store said.
        #[source]
        source: Cause,
    },
}

impl ArchiveError {
    /// Translates a store's answer about `path`; its "not found" becomes ours.
    pub(crate) fn storage(action: &'static str, path: impl ToString) -> impl FnOnce(object_store::Error) -> Self {
        let path = path.to_string();
        move |error| match error {
            object_store::Error::NotFound { .. } => Self::NotFound { what: format!("'{path}'") },
            error => Self::Storage { action, path, source: Box::new(error) },
        }
    }

    /// Translates a file system's answer about `path`.
    pub(crate) fn disk(action: &'static str, path: impl ToString) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_string();
        move |error| match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { what: format!("'{path}'") },
            _ => Self::Storage { action, path, source: Box::new(error) },
        }
    }

    pub(crate) fn damaged(path: impl ToString, why: impl ToString) -> Self {
        Self::Damaged { path: path.to_string(), why: why.to_string() }
    }
}
