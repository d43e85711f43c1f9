use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, FilePath, Manifest, VersionNumber};
use object_store::path::Path;

use crate::{
    Archive, Blob,
    error::ArchiveError,
    index::{self, VersionIndex},
    inventory::Inventory,
    layout,
};

impl Archive {
    /// The files of a version, from memory when it was read lately.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when there is no such version, [`ArchiveError::Damaged`] when what is stored of it
    /// does not fit together.
    pub async fn manifest(&self, dataset: &DatasetId, version: VersionNumber) -> Result<Arc<Manifest>, ArchiveError> {
        Ok(self.index(dataset, version).await?.manifest().clone())
    }

    /// The bytes of a version's inventory, whose digest [`Committed`](crate::Committed) gave.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when there is no such version.
    pub async fn inventory(&self, dataset: &DatasetId, version: VersionNumber) -> Result<Bytes, ArchiveError> {
        let path = layout::inventory(&layout::version(&layout::object(dataset), version));
        let found = self.store().find(&path).await?;
        found.ok_or_else(|| ArchiveError::NotFound { what: format!("{dataset} {version}") })
    }

    /// The digests of everything that the versions of a dataset hold; nothing where there is no such dataset.
    ///
    /// # Errors
    /// When its inventory cannot be read.
    pub async fn contents(&self, dataset: &DatasetId) -> Result<HashSet<Digest>, ArchiveError> {
        let path = layout::inventory(&layout::object(dataset));
        match self.store().find(&path).await? {
            Some(bytes) => Ok(Inventory::parse(&bytes, &path)?.manifest.into_keys().collect()),
            None => Ok(HashSet::new()),
        }
    }

    /// Opens a file of a version.
    ///
    /// # Errors
    /// [`ArchiveError::NotFound`] when there is no such version or it has no such file.
    pub async fn open_file(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        path: &FilePath,
    ) -> Result<Blob, ArchiveError> {
        let index = self.index(dataset, version).await?;
        let (at, file) = index
            .find(path)
            .ok_or_else(|| ArchiveError::NotFound { what: format!("'{path}' of {dataset} {version}") })?;
        let content = index.content(at)?;
        match self.blob(content.clone(), file.sha256, file.size).await {
            // The version lists it, so that its absence is not an answer but a loss.
            Err(ArchiveError::NotFound { .. }) => Err(ArchiveError::damaged(content, "its bytes are gone")),
            other => other,
        }
    }

    /// Where a version's files stand; loaded once, however many ask.
    pub(crate) async fn index(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
    ) -> Result<Arc<VersionIndex>, ArchiveError> {
        let key = (dataset.clone(), version);
        if let Some(index) = self.indexes().get(&key) {
            return Ok(index);
        }
        let _alone = self.loading().lock(dataset).await;
        if let Some(index) = self.indexes().get(&key) {
            return Ok(index);
        }
        let since = self.indexes().epoch();
        let index = Arc::new(self.load(dataset, version).await?);
        self.indexes().insert(key, index.clone(), index.weight(), since);
        Ok(index)
    }

    async fn load(&self, dataset: &DatasetId, version: VersionNumber) -> Result<VersionIndex, ArchiveError> {
        let object = layout::object(dataset);
        let bytes = self.inventory(dataset, version).await?;
        let inventory = Inventory::parse(&bytes, &layout::inventory(&layout::version(&object, version)))?;
        let stored = self.store().find(&layout::manifest(dataset, version)).await?;
        let stored = stored.and_then(|lines| index::from_lines(&lines));
        let manifest = match stored.filter(|manifest| index::agrees(manifest, &inventory, version)) {
            Some(manifest) => manifest,
            None => self.rebuild_manifest(dataset, version, &object, &inventory).await?,
        };
        VersionIndex::new(object, version, &inventory, manifest)
    }

    async fn rebuild_manifest(
        &self,
        dataset: &DatasetId,
        version: VersionNumber,
        object: &Path,
        inventory: &Inventory,
    ) -> Result<Manifest, ArchiveError> {
        tracing::info!(%dataset, %version, "making the list of files again from the archive");
        let below = format!("{object}/");
        let contents = self.store().list(object).await?;
        let relative = |path: &Path| path.as_ref().strip_prefix(&below).map(str::to_owned);
        let sizes: HashMap<String, u64> =
            contents.iter().filter_map(|meta| Some((relative(&meta.location)?, meta.size))).collect();
        let manifest = index::rebuild(inventory, version, object, &sizes)?;
        let lines = index::to_lines(&manifest)?;
        if let Err(error) = self.store().put(&layout::manifest(dataset, version), lines).await {
            // A reader without the right to write still reads.
            tracing::info!(%dataset, %version, %error, "the list of files could not be kept");
        }
        Ok(manifest)
    }
}
