//! What is served in ranges: a stored file, or an archive made as it is read.

use std::ops::Range;

use bytes::Bytes;
use dataset_model::Digest;
use futures::stream::BoxStream;
use node::{NodeError, OpenFile, VirtualOzx};

/// Bytes with a length and a strong name.
pub(crate) enum Served {
    File(OpenFile),
    Ozx(VirtualOzx),
}

type Pieces = BoxStream<'static, Result<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

impl Served {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.blob.size(),
            Self::Ozx(ozx) => ozx.size(),
        }
    }

    /// Whether the address names this version, so that the answer never changes.
    pub(crate) fn is_immutable(&self) -> bool {
        match self {
            Self::File(file) => file.immutable,
            Self::Ozx(ozx) => ozx.immutable,
        }
    }

    /// Differs for all that differs.
    pub(crate) fn tag(&self) -> Digest {
        match self {
            Self::File(file) => file.blob.sha256(),
            Self::Ozx(ozx) => ozx.tag(),
        }
    }

    /// The digest of the bytes, where they exist as such.
    pub(crate) fn sha256(&self) -> Option<Digest> {
        match self {
            Self::File(file) => Some(file.blob.sha256()),
            Self::Ozx(_) => None,
        }
    }

    /// Where the file is at the node that published it, when this is a copy.
    pub(crate) fn original(&self) -> Option<&str> {
        match self {
            Self::File(file) => file.original.as_deref(),
            Self::Ozx(_) => None,
        }
    }

    pub(crate) fn read(&self, range: Range<u64>) -> Pieces {
        use futures::{StreamExt, TryStreamExt};
        match self {
            Self::File(file) => file.blob.read(range).map_err(Into::into).boxed(),
            Self::Ozx(ozx) => ozx.read(range).map_err(Into::into).boxed(),
        }
    }

    /// The bytes, read on this very thread where that never waits.
    pub(crate) fn read_blocking(&self, range: Range<u64>) -> Option<Result<Bytes, NodeError>> {
        match self {
            Self::File(file) => Some(file.blob.bytes_blocking(range)?.map_err(NodeError::Archive)),
            Self::Ozx(_) => None,
        }
    }
}
