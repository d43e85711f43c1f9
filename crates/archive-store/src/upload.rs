//! Taking in a body of unknown length with bounded memory.

use std::hash::{BuildHasher, Hasher, RandomState};

use bytes::{Bytes, BytesMut};
use dataset_model::{DatasetId, Digest, Digester};
use futures::{Stream, StreamExt};
use object_store::{ObjectStoreExt, WriteMultipart, path::Path};

use crate::{
    error::{ArchiveError, Cause},
    layout,
    store::{PART, PARTS_UNDER_WAY, Store, abandon},
};

/// S3 takes at most 10,000 parts.
const MAX_PARTS: u64 = 9_000;

/// What a body has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// The digest announced, when one was.
    pub sha256: Option<Digest>,
    /// The length announced in bytes, when one was.
    pub size: Option<u64>,
    /// The most that is taken, in bytes.
    pub max_bytes: u64,
}

/// A blob that is durably stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// The length in bytes.
    pub size: u64,
    /// The digest of all bytes.
    pub sha256: Digest,
    /// The CRC-32 of all bytes, as ZIP has it.
    pub crc32: u32,
}

/// Stores a body under its digest; when it is not what was expected, nothing is left of it.
pub(crate) async fn receive<S, E>(
    store: &Store,
    draft: &DatasetId,
    mut body: S,
    expect: Expect,
) -> Result<StoredBlob, ArchiveError>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<Cause>,
{
    let mut tally = Tally::new(expect)?;
    let mut held = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = tally.take(piece)?;
        held.extend_from_slice(&piece);
        if held.len() > PART {
            return receive_large(store, draft, held.freeze(), body, tally).await;
        }
    }
    let blob = tally.finish()?;
    store.put(&layout::blob(draft, blob.sha256), held).await?;
    Ok(blob)
}

async fn receive_large<S, E>(
    store: &Store,
    draft: &DatasetId,
    start: Bytes,
    mut body: S,
    mut tally: Tally,
) -> Result<StoredBlob, ArchiveError>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<Cause>,
{
    let mut upload = Upload::begin(store, draft, tally.expect.size.unwrap_or(0)).await?;
    upload.write(&start).await?;
    drop(start);
    let outcome = loop {
        let Some(piece) = body.next().await else { break tally.finish() };
        match tally.take(piece) {
            Ok(piece) => upload.write(&piece).await?,
            Err(error) => break Err(error),
        }
    };
    match outcome {
        Ok(blob) => {
            let temporary = upload.finish().await?;
            store.rename(&temporary, &layout::blob(draft, blob.sha256), blob.size).await?;
            Ok(blob)
        }
        Err(error) => {
            upload.give_up().await;
            Err(error)
        }
    }
}

/// Counts and hashes what comes in.
struct Tally {
    expect: Expect,
    digester: Digester,
    crc32: crc32fast::Hasher,
    size: u64,
}

impl Tally {
    fn new(expect: Expect) -> Result<Self, ArchiveError> {
        match expect.size {
            Some(size) if size > expect.max_bytes => Err(ArchiveError::TooLarge { limit: expect.max_bytes }),
            _ => Ok(Self { expect, digester: Digester::default(), crc32: crc32fast::Hasher::new(), size: 0 }),
        }
    }

    fn take<E: Into<Cause>>(&mut self, piece: Result<Bytes, E>) -> Result<Bytes, ArchiveError> {
        let piece = piece.map_err(|error| ArchiveError::Body(error.into()))?;
        self.size += piece.len() as u64;
        if self.size > self.expect.max_bytes {
            return Err(ArchiveError::TooLarge { limit: self.expect.max_bytes });
        }
        match self.expect.size {
            Some(expected) if self.size > expected => Err(ArchiveError::WrongSize { expected, found: self.size }),
            _ => {
                self.digester.update(&piece);
                self.crc32.update(&piece);
                Ok(piece)
            }
        }
    }

    fn finish(self) -> Result<StoredBlob, ArchiveError> {
        if let Some(expected) = self.expect.size.filter(|expected| *expected != self.size) {
            return Err(ArchiveError::WrongSize { expected, found: self.size });
        }
        let found = self.digester.finish();
        match self.expect.sha256 {
            Some(expected) if expected != found => Err(ArchiveError::WrongDigest { expected, found }),
            _ => Ok(StoredBlob { size: self.size, sha256: found, crc32: self.crc32.finalize() }),
        }
    }
}

/// A multipart upload to a temporary name, given up when it is dropped before its end.
struct Upload {
    parts: Option<WriteMultipart>,
    to: Path,
}

impl Upload {
    async fn begin(store: &Store, draft: &DatasetId, size: u64) -> Result<Self, ArchiveError> {
        let to = layout::draft(draft).join(format!(".upload-{:016x}", RandomState::new().build_hasher().finish()));
        let upload = store.objects().put_multipart(&to).await.map_err(ArchiveError::storage("write", &to))?;
        let part = PART.max(usize::try_from(size / MAX_PARTS).unwrap_or(PART));
        Ok(Self { parts: Some(WriteMultipart::new_with_chunk_size(upload, part)), to })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let Some(parts) = self.parts.as_mut() else { return Ok(()) };
        parts.write(bytes);
        parts.wait_for_capacity(PARTS_UNDER_WAY).await.map_err(ArchiveError::storage("write", &self.to))
    }

    async fn finish(mut self) -> Result<Path, ArchiveError> {
        if let Some(parts) = self.parts.take() {
            parts.finish().await.map_err(ArchiveError::storage("write", &self.to))?;
        }
        Ok(self.to.clone())
    }

    async fn give_up(mut self) {
        if let Some(parts) = self.parts.take() {
            abandon(parts, &self.to).await;
        }
    }
}

impl Drop for Upload {
    /// A sender that goes away drops the request: buckets bill for parts nobody ends.
    fn drop(&mut self) {
        if let (Some(parts), Ok(runtime)) = (self.parts.take(), tokio::runtime::Handle::try_current()) {
            let to = self.to.clone();
            runtime.spawn(async move { abandon(parts, &to).await });
        }
    }
}
