use std::collections::HashMap;

use bytes::Bytes;
use dataset_model::{DatasetId, Digest};
use futures::Stream;
use object_store::path::Path;

use crate::{
    Archive, Blob,
    error::ArchiveError,
    layout,
    upload::{Expect, StoredBlob, receive},
};

impl Archive {
    /// Stores a body in a draft, under the digest of its bytes; durable on return, and the same again when repeated.
    ///
    /// At most 8 MiB are held back before they are written, and up to three parts of 8 MiB while a large body streams
    /// (parts grow with an announced size above 70 GiB, since S3 takes at most 10,000 of them).
    ///
    /// # Errors
    /// When the body breaks off, is larger than `max_bytes` or not what `expect` says; then nothing is left of it.
    pub async fn put_draft_file<S, E>(
        &self,
        draft: &DatasetId,
        body: S,
        expect: Expect,
    ) -> Result<StoredBlob, ArchiveError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        receive(self.store(), draft, body, expect).await
    }

    /// The blobs a draft has, with their lengths in bytes.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn draft_blobs(&self, draft: &DatasetId) -> Result<HashMap<Digest, u64>, ArchiveError> {
        let blobs = self.store().list(&layout::draft(draft)).await?;
        let sized = |meta: &object_store::ObjectMeta| Some((meta.location.filename()?.parse().ok()?, meta.size));
        Ok(blobs.iter().filter_map(sized).collect())
    }

    /// Opens a blob of a draft.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when the draft has no such blob, [`ArchiveError::Damaged`] when its length is not
    /// `size`.
    pub async fn open_draft_file(&self, draft: &DatasetId, sha256: Digest, size: u64) -> Result<Blob, ArchiveError> {
        let path = layout::blob(draft, sha256);
        // A local file tells when it is opened; a bucket has to be asked.
        if self.store().disk().is_none() {
            let found = self.store().size(&path).await?;
            if found != size {
                return Err(ArchiveError::damaged(path, format!("it has {found} bytes instead of {size}")));
            }
        }
        self.blob(path, sha256, size).await
    }

    /// Removes all blobs of a draft. What was committed from it stays. To be repeated when interrupted.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn delete_draft(&self, draft: &DatasetId) -> Result<(), ArchiveError> {
        let folder = layout::draft(draft);
        let blobs = self.store().list(&folder).await?;
        self.store().delete(blobs.into_iter().map(|blob| blob.location).collect()).await?;
        if let Some(disk) = self.store().disk() {
            disk.remove_tree(&folder).await?;
        }
        self.close_files(&folder);
        Ok(())
    }

    /// Removes the blobs of a draft that are not to be kept, and what interrupted uploads left. Nothing may be sent to the
    /// draft meanwhile. To be repeated when interrupted.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn keep_draft_blobs(
        &self,
        draft: &DatasetId,
        keep: impl Fn(&Digest) -> bool,
    ) -> Result<(), ArchiveError> {
        let folder = layout::draft(draft);
        let kept = |path: &Path| path.filename().and_then(|name| name.parse().ok()).is_some_and(|digest| keep(&digest));
        let found = self.store().list(&folder).await?.into_iter().map(|blob| blob.location);
        let gone: Vec<Path> = found.filter(|path| !kept(path)).collect();
        if !gone.is_empty() {
            self.store().delete(gone).await?;
            self.close_files(&folder);
        }
        match self.store().disk() {
            Some(disk) => disk.sweep(&folder).await,
            None => Ok(()),
        }
    }

    /// The drafts that hold blobs, in no order; for collecting those nobody knows any more.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn list_drafts(&self) -> Result<Vec<DatasetId>, ArchiveError> {
        let names = self.store().folders(&layout::DRAFTS.into()).await?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}
