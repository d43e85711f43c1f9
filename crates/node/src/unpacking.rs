//! An archive that arrives as one body, and becomes files of a draft: all of them, or none.

use std::{
    error::Error,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use archive_store::{Expect, StoredBlob};
use bytes::{Buf, Bytes};
use dataset_model::{DatasetId, Digest, Digester, FilePath, Finding, ManifestFile};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use ome_zarr::{
    OmeZarrError,
    zip::{ArchiveLimits, Unpacked, unpack},
};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{Actor, Node, NodeError, composition::CRATE_FILE, deposit::refused_body, documents::Draft};

/// What is known of an archive before it arrives.
#[derive(Debug, Clone, Default)]
pub struct ArchiveUpload {
    /// Its file name; an image at its top goes to a folder named after it.
    pub name: Option<String>,
    /// The folder of the draft that its files go to.
    pub folder: Option<FilePath>,
    /// The digest of the archive, where it was announced.
    pub sha256: Option<Digest>,
}

/// What an archive brought.
#[derive(Debug, Clone, Serialize)]
pub struct ArchiveReceipt {
    /// Files it held, all in the draft now.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The folder of the draft they went to; nothing when the archive has folders of its own.
    pub folder: Option<String>,
    /// The digest of the archive itself.
    pub sha256: Digest,
    /// What is worth knowing about it.
    pub findings: Vec<Finding>,
}

/// Files up to this length are handed on whole, in bytes, and stored several at a time.
const WHOLE: usize = 1 << 20;
/// Archives unpacked at once: each has a thread of its own, which waits while its sender does.
pub(crate) const AT_ONCE: usize = 16;
/// Files of one archive being written at once.
const FILES_AT_ONCE: usize = 8;
/// Pieces of the body, or of a large file, that wait for the other side.
pub(crate) const WAITING: usize = 8;
/// How long a sender may send nothing.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is still taken of a body after it was refused, so that the sender hears why.
const DRAINED: u64 = 32 << 20;

/// A file on its way from the archive into the draft.
struct Incoming {
    path: FilePath,
    pieces: mpsc::Receiver<Bytes>,
}

/// A file that has arrived.
type Arrived = (FilePath, StoredBlob);

impl Node {
    /// Unpacks an archive into a draft while it streams in. On return its files are on disk and in the draft, written down
    /// in one step; files of the same names are replaced.
    ///
    /// # Errors
    /// When the archive is refused, larger than the limits, or broken off, its digest is another, or something else is being
    /// sent to the draft. The draft then stays as it was.
    pub async fn put_draft_archive<S, E>(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        upload: ArchiveUpload,
        body: S,
    ) -> Result<ArchiveReceipt, NodeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        let (node, actor, id) = (self.clone(), actor.clone(), id.clone());
        // In a task of its own: when the sender hangs up, what has arrived is still removed.
        let task = tokio::spawn(async move {
            let Ok(_turn) = node.unpacking.try_acquire() else {
                return Err(NodeError::Unavailable("too many archives are being unpacked just now".into()));
            };
            let lock = node.drafts_in_use.of(&id);
            let Ok(_alone) = lock.try_write() else { return Err(node.busy(&id)) };
            let draft = node.open_draft(&actor, &id)?;
            node.require_space()?;
            let outcome = node.take_archive(&draft, upload, body).await;
            if outcome.is_err() {
                node.forget_arrivals(&id).await?;
            }
            outcome
        });
        task.await.map_err(|error| NodeError::Internal(format!("unpacking an archive: {error}")))?
    }

    /// Removes the blobs of a draft that none of its files has. Nothing else may be sent to it meanwhile.
    pub(crate) async fn forget_arrivals(&self, id: &DatasetId) -> Result<(), NodeError> {
        let known = self.files_of(id).map(|file| Ok(file?.0.sha256));
        let known: std::collections::HashSet<Digest> = known.collect::<Result<_, NodeError>>()?;
        self.archive.keep_draft_blobs(id, |digest| known.contains(digest)).await.map_err(NodeError::Archive)
    }

    async fn take_archive<S, E>(
        &self,
        draft: &Draft,
        upload: ArchiveUpload,
        body: S,
    ) -> Result<ArchiveReceipt, NodeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let (to_reader, pieces) = mpsc::channel(WAITING);
        let (to_store, incoming) = mpsc::channel(1);
        let (name, limits) = (upload.name.clone(), self.archive_limits());
        let unpacking = tokio::task::spawn_blocking(move || {
            let body = BodyReader { pieces, current: Bytes::new() };
            unpack(body, name.as_deref(), &limits, &mut |path, content| hand_over(&to_store, path, content))
        });
        let (sha256, arrived, unpacked) =
            tokio::join!(feed(body, to_reader), self.store_incoming(&draft.id, incoming), unpacking);
        let unpacked = unpacked.map_err(|error| NodeError::Internal(format!("unpacking an archive: {error}")))?;
        let unpacked = match (unpacked, &arrived) {
            // The sink failed because storing did, which says more.
            (Err(OmeZarrError::Write { .. }), Err(_)) => None,
            (Err(OmeZarrError::Source(_)), _) => {
                return Err(NodeError::Invalid(
                    "the archive was not stored: its body ended early; send it again".into(),
                ));
            }
            (unpacked, _) => Some(unpacked?),
        };
        let (arrived, Some(unpacked)) = (arrived?, unpacked) else {
            return Err(NodeError::Internal("a file of an archive went missing".into()));
        };
        match upload.sha256.filter(|expected| *expected != sha256) {
            None => self.keep_arrivals(draft, &upload, sha256, unpacked, arrived).await,
            Some(expected) => Err(NodeError::Invalid(format!(
                "the archive has the SHA-256 digest {sha256}, not {expected}: send it again"
            ))),
        }
    }

    fn archive_limits(&self) -> ArchiveLimits {
        let limits = &self.config.limits;
        ArchiveLimits {
            entries: limits.deposit_files,
            entry_bytes: limits.file_bytes,
            total_bytes: limits.archive_bytes,
            ..ArchiveLimits::default()
        }
    }

    /// Stores files as they come, several small ones at a time.
    async fn store_incoming(
        &self,
        id: &DatasetId,
        incoming: mpsc::Receiver<Incoming>,
    ) -> Result<Vec<Arrived>, NodeError> {
        let storing = received(incoming).map(|Incoming { path, pieces }| async move {
            let body = received(pieces).map(Ok::<_, io::Error>).boxed();
            let expect = Expect { sha256: None, size: None, max_bytes: u64::MAX };
            let blob = self.archive.put_draft_file(id, body, expect).await.map_err(refused_body)?;
            Ok::<_, NodeError>((path, blob))
        });
        storing.buffer_unordered(FILES_AT_ONCE).try_collect().await
    }

    /// Writes down what has arrived: the one step that changes the draft.
    async fn keep_arrivals(
        &self,
        draft: &Draft,
        upload: &ArchiveUpload,
        sha256: Digest,
        unpacked: Unpacked,
        arrived: Vec<Arrived>,
    ) -> Result<ArchiveReceipt, NodeError> {
        let folder = unpacked.folder(upload.folder.as_ref().map(FilePath::as_str), upload.name.as_deref());
        let mut changes = Vec::with_capacity(arrived.len());
        let mut new = 0;
        for (path, blob) in arrived {
            let path = match &folder {
                Some(folder) => {
                    format!("{folder}/{path}").parse().map_err(|error| NodeError::Invalid(format!("{error}")))?
                }
                None => path,
            };
            let file = ManifestFile { path, size: blob.size, sha256: blob.sha256 };
            if file.path.as_str() == CRATE_FILE {
                changes.extend(self.take_crate(draft, &file).await?);
            } else {
                new += u64::from(!self.has_draft_file(&draft.id, &file.path)?);
                changes.push(self.put_received(&draft.id, &file, blob.crc32)?);
            }
        }
        self.put_many(&draft.id, new, changes)?;
        let Unpacked { files, bytes, findings, .. } = unpacked;
        Ok(ArchiveReceipt { files, bytes, folder, sha256, findings })
    }
}

/// What comes through a channel, as a stream.
fn received<T: Send>(receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> + Send {
    stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

/// Sends the body on to the thread that reads it; gives its digest.
pub(crate) async fn feed<S, E>(mut body: S, to: mpsc::Sender<io::Result<Bytes>>) -> Digest
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut digester = Digester::default();
    let mut drained = 0;
    loop {
        let piece = match tokio::time::timeout(PATIENCE, body.next()).await {
            Ok(None) => break,
            Ok(Some(piece)) => piece.map_err(|error| io::Error::other(error.into())),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing came for two minutes")),
        };
        let (length, broken) = match &piece {
            Ok(bytes) => {
                digester.update(bytes);
                (bytes.len() as u64, false)
            }
            Err(_) => (0, true),
        };
        // Nobody reads any more once the archive is refused.
        if to.is_closed() || to.send(piece).await.is_err() {
            drained += length;
        }
        if broken || drained >= DRAINED {
            break;
        }
    }
    digester.finish()
}

/// Hands a file over to be stored; called on the thread that unpacks.
fn hand_over(
    to: &mpsc::Sender<Incoming>,
    path: &FilePath,
    content: &mut dyn Read,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let gone = || "what stores the files has stopped";
    let mut first = Vec::new();
    (&mut *content).take(WHOLE as u64).read_to_end(&mut first)?;
    let (pieces, receiver) = mpsc::channel(WAITING);
    let is_whole = first.len() < WHOLE;
    pieces.try_send(Bytes::from(first)).map_err(|_| gone())?;
    let incoming = Incoming { path: path.clone(), pieces: receiver };
    to.blocking_send(incoming).map_err(|_| gone())?;
    if is_whole {
        return Ok(());
    }
    loop {
        let mut piece = Vec::new();
        (&mut *content).take(WHOLE as u64 / 4).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(());
        }
        pieces.blocking_send(Bytes::from(piece)).map_err(|_| gone())?;
    }
}

/// A body that is received elsewhere, read on a thread that may wait.
pub(crate) struct BodyReader {
    pub(crate) pieces: mpsc::Receiver<io::Result<Bytes>>,
    pub(crate) current: Bytes,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.current = piece?,
            }
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}
