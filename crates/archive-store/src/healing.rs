//! Reading what is stored past every cache, and putting right bytes in the place of wrong ones.

use std::path::PathBuf;

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, Digester, FilePath, VersionNumber};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{ObjectStoreExt, path::Path};
use tokio::io::AsyncReadExt;

use crate::{Archive, error::ArchiveError};

/// What is read at once of a local file, in bytes.
const PIECE: usize = 1 << 20;

impl Archive {
    /// The bytes of a version's file as they are stored now, whatever they are: neither a file kept open nor its length in
    /// the list is asked.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when the version has no such file, [`ArchiveError::Damaged`] when its bytes are gone.
    pub async fn stored_bytes(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        path: &FilePath,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        let (content, _) = self.content_of(dataset, version, path).await?;
        let read = self.store().objects().get(&content).await.map_err(ArchiveError::storage("read", &content));
        let read = match read {
            Err(ArchiveError::NotFound { .. }) => return Err(ArchiveError::damaged(content, "its bytes are gone")),
            other => other?,
        };
        Ok(read.into_stream().map_err(move |error| ArchiveError::storage("read", &content)(error)).boxed())
    }

    /// Puts the bytes of a local file in the place of a version's file that was damaged, in one step, after checking that they
    /// are those that the version lists. Whoever opens the file from now on reads them.
    ///
    /// # Errors
    /// [`ArchiveError::WrongDigest`] when they are others (nothing was changed then), [`ArchiveError::NotFound`] when the
    /// version has no such file, or when the store refuses.
    pub async fn replace_bytes(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        path: &FilePath,
        from: PathBuf,
    ) -> Result<(), ArchiveError> {
        let _alone = self.writing().lock(dataset).await;
        let (content, expected) = self.content_of(dataset, version, path).await?;
        let found = digest_of(&from).await.map_err(ArchiveError::disk("read", from.display()))?;
        if found != expected {
            return Err(ArchiveError::WrongDigest { expected, found });
        }
        let source = from.display().to_string();
        let pieces = pieces_of(from).map_err(move |error| ArchiveError::disk("read", &source)(error)).boxed();
        let written = self.store().put_stream(&content, pieces).await;
        self.forget(dataset);
        written
    }

    async fn content_of(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        path: &FilePath,
    ) -> Result<(Path, Digest), ArchiveError> {
        let index = self.index(dataset, version).await?;
        let absent = || ArchiveError::NotFound { what: format!("'{path}' of {dataset} {version}") };
        let (at, file) = index.find(path).ok_or_else(absent)?;
        Ok((index.content(at)?, file.sha256))
    }
}

async fn digest_of(file: &std::path::Path) -> std::io::Result<Digest> {
    let mut digester = Digester::default();
    let mut pieces = pieces_of(file.to_owned()).boxed();
    while let Some(piece) = pieces.try_next().await? {
        digester.update(&piece);
    }
    Ok(digester.finish())
}

fn pieces_of(file: PathBuf) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send {
    let opened = async move { tokio::fs::File::open(file).await };
    let pieces = |file| {
        stream::try_unfold(file, |mut file: tokio::fs::File| async move {
            let mut piece = vec![0; PIECE];
            let count = file.read(&mut piece).await?;
            piece.truncate(count);
            Ok((count > 0).then(|| (Bytes::from(piece), file)))
        })
    };
    stream::once(opened).map_ok(pieces).try_flatten()
}

#[cfg(test)]
mod tests {
    use dataset_model::{ManifestFile, Timestamp};

    use super::*;
    use crate::{Commit, Expect, Location};

    async fn collected(archive: &Archive, dataset: &DatasetId, path: &FilePath) -> Result<Vec<u8>, ArchiveError> {
        let pieces = archive.stored_bytes(dataset, VersionNumber::FIRST, path).await?;
        Ok(pieces.try_collect::<Vec<_>>().await?.concat())
    }

    #[tokio::test]
    async fn damage_shows_past_open_files_and_is_put_right_with_the_right_bytes_only() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open(&Location::Local(folder.path().join("archive"))).await.unwrap();
        let (dataset, path): (DatasetId, FilePath) = ("europe-1".parse().unwrap(), "a/b".parse().unwrap());
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"right"))]);
        let expect = Expect { sha256: None, size: None, max_bytes: 100 };
        let blob = archive.put_draft_file(&dataset, body, expect).await.unwrap();
        let file = ManifestFile { path: path.clone(), size: blob.size, sha256: blob.sha256 };
        let commit = Commit {
            dataset: dataset.clone(),
            version: VersionNumber::FIRST,
            files: vec![file],
            draft: dataset.clone(),
            created: Timestamp::now(),
            message: "m".into(),
            user: None,
        };
        archive.commit(commit).await.unwrap();
        archive.delete_draft(&dataset).await.unwrap();
        let kept_open = archive.open_file(&dataset, VersionNumber::FIRST, &path).await.unwrap();

        let content = archive.content_of(&dataset, VersionNumber::FIRST, &path).await.unwrap().0;
        let on_disk = folder.path().join("archive").join(content.as_ref());
        std::fs::remove_file(&on_disk).unwrap();
        assert!(matches!(collected(&archive, &dataset, &path).await, Err(ArchiveError::Damaged { .. })));
        std::fs::write(&on_disk, b"wrong").unwrap();
        assert_eq!(collected(&archive, &dataset, &path).await.unwrap(), b"wrong");
        assert_eq!(kept_open.bytes(0..5).await.unwrap(), "right", "the file that was open before");

        let with = folder.path().join("healing");
        std::fs::write(&with, b"other").unwrap();
        let refused = archive.replace_bytes(&dataset, VersionNumber::FIRST, &path, with.clone()).await;
        assert!(matches!(refused, Err(ArchiveError::WrongDigest { .. })));
        assert_eq!(collected(&archive, &dataset, &path).await.unwrap(), b"wrong");
        std::fs::write(&with, b"right").unwrap();
        archive.replace_bytes(&dataset, VersionNumber::FIRST, &path, with).await.unwrap();
        let opened = archive.open_file(&dataset, VersionNumber::FIRST, &path).await.unwrap();
        assert_eq!(opened.bytes(0..5).await.unwrap(), "right");
        assert!(archive.verify(&dataset).await.unwrap().iter().all(|fault| !fault.is_error()));
    }
}
