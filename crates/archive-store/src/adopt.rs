//! Taking over a file that lies on this machine already.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path as LocalPath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use dataset_model::{DatasetId, Digester};
use futures::{Stream, stream};
use object_store::path::Path;

use crate::{
    Archive,
    disk::{Disk, blocking},
    error::ArchiveError,
    layout,
    upload::{Expect, StoredBlob},
};

/// What is read at once, in bytes.
const PIECE: usize = 1 << 20;

impl Archive {
    /// Stores a local file in a draft under the digest of its bytes; durable on return, and the same again when repeated.
    ///
    /// On the disk of a local archive it is read once, to hash it, and gets a second name; elsewhere it is sent like any
    /// other body. The file must not be changed afterwards. It may be removed.
    ///
    /// # Errors
    /// When the file cannot be read or has more than `max_bytes`.
    pub async fn adopt_draft_file(
        &self,
        draft: &DatasetId,
        file: PathBuf,
        max_bytes: u64,
    ) -> Result<StoredBlob, ArchiveError> {
        let name = Path::from(file.display().to_string());
        let (source, size) = blocking("read", &name, move || {
            let source = File::open(&file)?;
            let size = source.metadata()?.len();
            Ok(((source, file), size))
        })
        .await?;
        if size > max_bytes {
            return Err(ArchiveError::TooLarge { limit: max_bytes });
        }
        let (open, file) = source;
        let open = Arc::new(open);
        if let Some(disk) = self.store().disk().cloned() {
            let (draft, open) = (draft.clone(), open.clone());
            let linked = blocking("take over", &name, move || link(&disk, &draft, &open, &file)).await?;
            if let Some(blob) = linked {
                return Ok(blob);
            }
        }
        let expect = Expect { sha256: None, size: Some(size), max_bytes };
        self.put_draft_file(draft, Box::pin(pieces(open)), expect).await
    }
}

/// Hashes a file and links it into the draft; nothing when it lies on another file system, or one without links.
fn link(disk: &Disk, draft: &DatasetId, open: &File, file: &LocalPath) -> io::Result<Option<StoredBlob>> {
    let (mut digester, mut crc32, mut size) = (Digester::default(), crc32fast::Hasher::new(), 0);
    let (mut buffer, mut reader) = (vec![0; PIECE], open);
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digester.update(&buffer[..count]);
        crc32.update(&buffer[..count]);
        size += count as u64;
    }
    let sha256 = digester.finish();
    let (folder, blob) = (disk.at(&layout::draft(draft)), disk.at(&layout::blob(draft, sha256)));
    open.sync_all()?;
    fs::create_dir_all(&folder)?;
    match fs::hard_link(file, &blob) {
        // The same bytes arrived before.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    File::open(&folder)?.sync_all()?;
    // The draft's folder may be new.
    if let Some(above) = folder.parent() {
        File::open(above)?.sync_all()?;
    }
    Ok(Some(StoredBlob { size, sha256, crc32: crc32.finalize() }))
}

/// A file as a body.
fn pieces(file: Arc<File>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((file, 0), |(file, at)| async move {
        let reader = file.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let count = reader.read_at(&mut piece, at)?;
            piece.truncate(count);
            io::Result::Ok(piece)
        });
        let piece = read.await.map_err(io::Error::other)??;
        let next = (file, at + piece.len() as u64);
        Ok(if piece.is_empty() { None } else { Some((Bytes::from(piece), next)) })
    })
}

#[cfg(test)]
mod tests {
    use dataset_model::Digest;

    use super::*;
    use crate::Location;

    #[tokio::test]
    async fn a_local_file_becomes_a_blob_in_every_kind_of_archive() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chunk");
        let bytes: Vec<u8> = (0..3 * PIECE + 7).map(|at| (at % 251) as u8).collect();
        let draft: DatasetId = "draft-1".parse().unwrap();
        for location in [Location::Memory, Location::Local(folder.path().join("archive"))] {
            let archive = Archive::open(&location).await.unwrap();
            for _ in 0..2 {
                fs::write(&file, &bytes).unwrap();
                let blob = archive.adopt_draft_file(&draft, file.clone(), u64::MAX).await.unwrap();
                assert_eq!((blob.size, blob.sha256), (bytes.len() as u64, Digest::of(&bytes)));
                fs::remove_file(&file).unwrap();
                let kept = archive.open_draft_file(&draft, blob.sha256, blob.size).await.unwrap();
                assert_eq!(kept.bytes(0..blob.size).await.unwrap(), bytes);
            }
        }
    }

    #[tokio::test]
    async fn a_file_over_the_limit_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chunk");
        fs::write(&file, [0; 11]).unwrap();
        let archive = Archive::open(&Location::Local(folder.path().join("archive"))).await.unwrap();
        let refused = archive.adopt_draft_file(&"draft-1".parse().unwrap(), file, 10).await;
        assert!(matches!(refused, Err(ArchiveError::TooLarge { limit: 10 })));
        assert!(archive.list_drafts().await.unwrap().is_empty());
    }
}
