use dataset_model::Finding;

use crate::{source::SourceError, zip::ArchiveFault};

/// What can go wrong while reading, judging, drawing or writing an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OmeZarrError {
    /// The source could not be read.
    #[error("cannot read the image's files")]
    Source(#[from] SourceError),
    /// No multiscale image at this path.
    #[error("there is no OME-Zarr image at '{path}': name the folder that holds the multiscales metadata")]
    NotAnImage {
        /// The folder asked for.
        path: String,
    },
    /// An OME-Zarr version this node does not read.
    #[error("'{path}' is OME-Zarr {version}, which is not read here: convert it to 0.5")]
    Version {
        /// The folder of the image.
        path: String,
        /// The version it names.
        version: String,
    },
    /// Metadata that cannot be understood.
    #[error("the metadata of '{path}' cannot be used: {reason}")]
    Metadata {
        /// The folder or file.
        path: String,
        /// What is wrong, in words.
        reason: String,
    },
    /// More than one call may take.
    #[error("'{path}' is too large to read here: {reason}")]
    TooLarge {
        /// The folder or file.
        path: String,
        /// Which limit, and what to do.
        reason: String,
    },
    /// Chunks that cannot be decoded.
    #[error("cannot decode the pixels of '{path}': {reason}")]
    Decode {
        /// The array or chunk file.
        path: String,
        /// What the decoder said.
        reason: String,
    },
    /// A microscope file whose format, codec or type of pixel is not read here.
    #[error(
        "'{path}' ({format}) cannot be converted: {reason}. Export it as OME-TIFF with the microscope's own program or \
         Fiji, or let bioformats2raw convert it"
    )]
    Unsupported {
        /// The file.
        path: String,
        /// The name of the format.
        format: String,
        /// What of it is not read.
        reason: String,
    },
    /// A PNG or WebP could not be made.
    #[error("cannot encode the picture")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An archive that breaks a rule, or exceeds a limit.
    #[error("{0}")]
    Archive(ArchiveFault),
    /// An archive that can be read, but holds what it must not, or lacks what it must.
    #[error("the archive is refused: {}", .0.iter().find(|finding| finding.severity == dataset_model::Severity::Error).map_or("", |finding| &finding.message))]
    ArchiveContents(Vec<Finding>),
    /// Whoever asked for the work stopped it.
    #[error("stopped before the end")]
    Cancelled,
    /// A request outside what is offered.
    #[error("{0}")]
    Request(String),
    /// Options that do not fit the image.
    #[error("this cannot be done so: {0}")]
    Options(String),
    /// Something could not be written.
    #[error("cannot write '{path}'")]
    Write {
        /// The file or folder.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OmeZarrError {
    pub(crate) fn request(reason: impl Into<String>) -> Self {
        Self::Request(reason.into())
    }

    pub(crate) fn metadata(path: &str, reason: impl Into<String>) -> Self {
        Self::Metadata { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn too_large(path: &str, reason: impl Into<String>) -> Self {
        Self::TooLarge { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn write(path: &std::path::Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Write { path: path.display().to_string(), source: error.into() }
    }

    pub(crate) fn decode(path: &str, reason: impl Into<String>) -> Self {
        Self::Decode { path: path.to_owned(), reason: reason.into() }
    }
}

impl From<ArchiveFault> for OmeZarrError {
    fn from(fault: ArchiveFault) -> Self {
        Self::Archive(fault)
    }
}
