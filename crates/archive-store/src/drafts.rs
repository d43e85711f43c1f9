use bytes::Bytes;
use dataset_model::{DatasetId, Digest};
use futures::Stream;

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

    /// The drafts that hold blobs, in no order; for collecting those nobody knows any more.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn list_drafts(&self) -> Result<Vec<DatasetId>, ArchiveError> {
        let names = self.store().folders(&layout::DRAFTS.into()).await?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}
