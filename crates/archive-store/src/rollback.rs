use dataset_model::{DatasetId, Digest, VersionNumber};
use object_store::path::Path;

use crate::{Archive, error::ArchiveError, inventory::sidecar_of, layout};

impl Archive {
    /// Removes every version above `keep`, finished or not, and makes the object's root say `keep` again; `None`
    /// removes the whole object. To be repeated when interrupted; a second time changes nothing.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when `keep` is not there (nothing was changed then), or when the store refuses.
    pub async fn roll_back(&self, dataset: &DatasetId, keep: Option<VersionNumber>) -> Result<(), ArchiveError> {
        let _alone = self.writing().lock(dataset).await;
        self.roll_back_alone(dataset, keep).await
    }

    /// Removes a dataset with all its versions. To be repeated when interrupted.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn erase(&self, dataset: &DatasetId) -> Result<(), ArchiveError> {
        self.roll_back(dataset, None).await
    }

    /// [`roll_back`](Self::roll_back) for a caller that holds the dataset's lock.
    pub(crate) async fn roll_back_alone(
        &self,
        dataset: &DatasetId,
        keep: Option<VersionNumber>,
    ) -> Result<(), ArchiveError> {
        let object = layout::object(dataset);
        let outcome = match keep {
            Some(keep) => self.drop_above(dataset, &object, keep).await,
            None => self.drop_object(dataset, &object).await,
        };
        // Even half done, what was read before may be gone.
        self.forget(dataset);
        outcome
    }

    async fn drop_above(&self, dataset: &DatasetId, object: &Path, keep: VersionNumber) -> Result<(), ArchiveError> {
        self.restore_root(dataset, object, keep).await?;
        for version in self.version_folders(object).await?.into_iter().rev().filter(|version| *version > keep) {
            self.drop_folder(&layout::version(object, version)).await?;
        }
        let manifests = self.store().list(&layout::manifests(dataset)).await?;
        let above = |path: &Path| {
            let name = path.filename().and_then(|name| name.strip_suffix(".ndjson"));
            name.and_then(|name| name.parse().ok()).is_some_and(|version: VersionNumber| version > keep)
        };
        self.store().delete(manifests.into_iter().map(|meta| meta.location).filter(above).collect()).await?;
        match self.store().disk() {
            Some(disk) => disk.sweep(object).await,
            None => Ok(()),
        }
    }

    /// Makes the root's inventory that of a version; nothing is written when it is already.
    async fn restore_root(&self, dataset: &DatasetId, object: &Path, keep: VersionNumber) -> Result<(), ArchiveError> {
        let bytes = self.inventory(dataset, keep).await?;
        let sidecar = sidecar_of(Digest::of(&bytes));
        if self.store().find(&layout::sidecar(object)).await?.as_deref() != Some(sidecar.as_bytes()) {
            self.store().put(&layout::sidecar(object), sidecar).await?;
        }
        if self.store().find(&layout::inventory(object)).await?.as_ref() != Some(&bytes) {
            self.store().put(&layout::inventory(object), bytes).await?;
        }
        Ok(())
    }

    /// Removes an object; its derived manifests go last, for they tell whose it is.
    async fn drop_object(&self, dataset: &DatasetId, object: &Path) -> Result<(), ArchiveError> {
        self.drop_folder(object).await?;
        self.drop_folder(&layout::manifests(dataset)).await
    }

    /// Removes a folder: inventories first, so that no version looks whole when it is not, the declaration last.
    async fn drop_folder(&self, folder: &Path) -> Result<(), ArchiveError> {
        let files = self.store().list(folder).await?.into_iter().map(|meta| meta.location);
        let (inventories, files): (Vec<Path>, Vec<Path>) =
            files.partition(|path| path.filename() == Some(layout::INVENTORY));
        let (declarations, files): (Vec<Path>, Vec<Path>) =
            files.into_iter().partition(|path| path.filename() == Some(layout::DECLARATION));
        for batch in [inventories, files, declarations] {
            self.store().delete(batch).await?;
        }
        match self.store().disk() {
            Some(disk) => disk.remove_tree(folder).await,
            None => Ok(()),
        }
    }
}
