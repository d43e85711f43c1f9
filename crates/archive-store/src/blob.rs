use std::{
    ops::Range,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use dataset_model::Digest;
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{GetOptions, GetRange, ObjectStore, path::Path};

use crate::{error::ArchiveError, open_files::OpenFile};

/// What is read at once from a local file, in bytes.
const PIECE: u64 = 256 * 1024;
/// Local reads up to this length stay on the calling thread, in bytes.
const INLINE: u64 = 4 * PIECE;

/// The bytes of one file, to be read in any order by any number of readers. They never change.
#[derive(Debug, Clone)]
pub struct Blob {
    size: u64,
    sha256: Digest,
    source: Source,
}

#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(Arc<OpenFile>),
    Object(Arc<dyn ObjectStore>, Path),
}

/// A [`Blob`] of the local disk that does not keep its file open.
#[derive(Debug, Clone)]
pub struct WeakBlob {
    size: u64,
    sha256: Digest,
    file: Weak<OpenFile>,
}

impl WeakBlob {
    /// The blob, for as long as the archive keeps its file open.
    pub fn upgrade(&self) -> Option<Blob> {
        self.file.upgrade().map(|file| Blob::new(self.size, self.sha256, Source::File(file)))
    }
}

impl Blob {
    pub(crate) fn new(size: u64, sha256: Digest, source: Source) -> Self {
        Self { size, sha256, source }
    }

    /// The same without keeping its file open; nothing unless the archive is on a local disk.
    pub fn downgrade(&self) -> Option<WeakBlob> {
        let Source::File(file) = &self.source else { return None };
        Some(WeakBlob { size: self.size, sha256: self.sha256, file: Arc::downgrade(file) })
    }

    /// The length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of all bytes.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// Streams a range (`start..end` in bytes), in pieces of at most 256 KiB from a local disk. Nothing is read before
    /// it is asked for. A range past the end gives one error, [`ArchiveError::Range`].
    pub fn read(&self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, ArchiveError>> {
        if let Err(error) = self.check(&range) {
            return stream::iter([Err(error)]).boxed();
        }
        match &self.source {
            _ if range.is_empty() => stream::empty().boxed(),
            Source::File(file) => pieces(file.clone(), range).boxed(),
            Source::Object(store, path) => object(store.clone(), path.clone(), range).boxed(),
        }
    }

    /// A range (`start..end` in bytes) as a whole.
    ///
    /// # Errors
    /// When the range reaches past the end, or the bytes cannot be read.
    pub async fn bytes(&self, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        if range.end.saturating_sub(range.start) <= INLINE
            && let Some(bytes) = self.bytes_blocking(range.clone())
        {
            return bytes;
        }
        collect(self.read(range)).await
    }

    /// A range as a whole, read on this very thread; nothing unless the archive is on a local disk.
    pub fn bytes_blocking(&self, range: Range<u64>) -> Option<Result<Bytes, ArchiveError>> {
        let Source::File(file) = &self.source else { return None };
        Some(self.check(&range).and_then(|()| file.read(range.start, length(&range, self.size)?)))
    }

    fn check(&self, range: &Range<u64>) -> Result<(), ArchiveError> {
        if range.start <= range.end && range.end <= self.size {
            return Ok(());
        }
        Err(ArchiveError::Range { start: range.start, end: range.end, size: self.size })
    }
}

fn length(range: &Range<u64>, size: u64) -> Result<usize, ArchiveError> {
    let too_long = |_| ArchiveError::Range { start: range.start, end: range.end, size };
    usize::try_from(range.end - range.start).map_err(too_long)
}

fn pieces(file: Arc<OpenFile>, range: Range<u64>) -> impl futures::Stream<Item = Result<Bytes, ArchiveError>> {
    stream::try_unfold(range, move |range| {
        let file = file.clone();
        async move {
            if range.is_empty() {
                return Ok(None);
            }
            // These reads never wait, so other tasks of the thread get their turn here.
            tokio::task::coop::consume_budget().await;
            let end = range.end.min(range.start + PIECE);
            let bytes = file.read(range.start, length(&(range.start..end), end)?)?;
            Ok(Some((bytes, end..range.end)))
        }
    })
}

fn object(
    store: Arc<dyn ObjectStore>,
    path: Path,
    range: Range<u64>,
) -> impl futures::Stream<Item = Result<Bytes, ArchiveError>> {
    let opened = async move {
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(range.clone())));
        let result = store.get_opts(&path, options).await.map_err(ArchiveError::storage("read", &path))?;
        if result.range != range {
            return Err(ArchiveError::damaged(&path, "the file is shorter than it was"));
        }
        Ok(result.into_stream().map_err(move |error| ArchiveError::storage("read", &path)(error)))
    };
    stream::once(opened).try_flatten()
}

async fn collect(mut pieces: BoxStream<'static, Result<Bytes, ArchiveError>>) -> Result<Bytes, ArchiveError> {
    let Some(first) = pieces.try_next().await? else { return Ok(Bytes::new()) };
    let Some(second) = pieces.try_next().await? else { return Ok(first) };
    let mut whole = Vec::from(first);
    whole.extend_from_slice(&second);
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}
