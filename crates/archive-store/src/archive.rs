use std::{path::PathBuf, sync::Arc};

use dataset_model::{DatasetId, Digest, VersionNumber};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, path::Path};

use crate::{
    blob::{Blob, Source},
    cache::Cache,
    disk::Disk,
    error::ArchiveError,
    index::VersionIndex,
    layout,
    location::Location,
    locks::DatasetLocks,
    open_files::OpenFiles,
    store::Store,
};

/// What the indexes of versions read last may hold of memory, in bytes.
const INDEX_MEMORY: u64 = 256 * 1024 * 1024;

/// An archive of datasets. Clones are cheap and share everything.
///
/// Writers of one dataset wait for each other; readers never wait for writers.
#[derive(Debug, Clone)]
pub struct Archive {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    files: Option<OpenFiles>,
    indexes: Cache<(DatasetId, VersionNumber), Arc<VersionIndex>>,
    writing: DatasetLocks,
    loading: DatasetLocks,
}

impl Archive {
    /// Opens an archive; what its OCFL storage root lacks is made.
    ///
    /// # Errors
    /// When the place cannot be used, or holds a storage root with another layout.
    pub async fn open(location: &Location) -> Result<Self, ArchiveError> {
        Self::prepare(location.store()?).await
    }

    /// Opens an archive in a store handed in: one with limits, measurements or faults around it, or another service.
    /// `folder` is where the store keeps its files, when that is a folder of this machine.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn over(store: Arc<dyn ObjectStore>, folder: Option<PathBuf>) -> Result<Self, ArchiveError> {
        Self::prepare(Store::new(store, folder.map(Disk::new))).await
    }

    async fn prepare(store: Store) -> Result<Self, ArchiveError> {
        for (path, text) in layout::root_files() {
            if let (Some(disk), Some(folder)) = (store.disk(), path.parent()) {
                disk.sweep(&folder).await?;
            }
            match store.find(&path).await? {
                None => store.put(&path, text).await?,
                Some(found) if same_json(&found, text) => {}
                Some(_) => return Err(ArchiveError::damaged(path, "it describes another kind of storage root")),
            }
        }
        if store.disk().is_some() {
            for (path, text) in layout::folder_notes() {
                if !store.holds(&path).await? {
                    store.put(&path, text).await?;
                }
            }
        }
        let inner = Inner {
            files: store.disk().cloned().map(OpenFiles::new),
            store,
            indexes: Cache::new(INDEX_MEMORY),
            writing: DatasetLocks::default(),
            loading: DatasetLocks::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The versions whose inventory is in place, in order. Leftovers of an interrupted commit are not among them,
    /// except one that was cut off in its very last step: the caller's own records decide what is published.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn versions(&self, dataset: &DatasetId) -> Result<Vec<VersionNumber>, ArchiveError> {
        let object = layout::object(dataset);
        let folders = stream::iter(self.version_folders(&object).await?);
        let complete = folders.map(|version| {
            let (store, inventory) = (self.store(), layout::inventory(&layout::version(&object, version)));
            async move { Ok(store.holds(&inventory).await?.then_some(version)) }
        });
        complete.buffered(8).try_filter_map(|version| async move { Ok(version) }).try_collect().await
    }

    /// The version folders of an object, complete or not, in order.
    pub(crate) async fn version_folders(&self, object: &Path) -> Result<Vec<VersionNumber>, ArchiveError> {
        let names = self.store().folders(object).await?;
        let version = |name: &String| name.parse().ok().filter(|version: &VersionNumber| version.to_string() == *name);
        let mut versions: Vec<VersionNumber> = names.iter().filter_map(version).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn indexes(&self) -> &Cache<(DatasetId, VersionNumber), Arc<VersionIndex>> {
        &self.inner.indexes
    }

    pub(crate) fn writing(&self) -> &DatasetLocks {
        &self.inner.writing
    }

    pub(crate) fn loading(&self) -> &DatasetLocks {
        &self.inner.loading
    }

    /// The blob at a path: an open file on a local disk, a promise elsewhere.
    pub(crate) async fn blob(&self, path: Path, sha256: Digest, size: u64) -> Result<Blob, ArchiveError> {
        let source = match &self.inner.files {
            Some(files) => Source::File(files.open(path, sha256, size).await?),
            None => Source::Object(self.store().objects().clone(), path),
        };
        Ok(Blob::new(size, sha256, source))
    }

    pub(crate) fn close_files(&self, folder: &Path) {
        if let Some(files) = &self.inner.files {
            files.close_below(folder);
        }
    }

    /// Forgets what was read of a dataset that changed.
    pub(crate) fn forget(&self, dataset: &DatasetId) {
        self.inner.indexes.remove(|(id, _)| id == dataset);
        self.close_files(&layout::object(dataset));
    }
}

/// Whether a file of a storage root says what ours does; descriptions are free text.
fn same_json(found: &[u8], ours: &str) -> bool {
    let parsed = |text: &[u8]| {
        let mut value: serde_json::Value = serde_json::from_slice(text).ok()?;
        value.as_object_mut()?.remove("description");
        Some(value)
    };
    match parsed(ours.as_bytes()) {
        Some(ours) => parsed(found) == Some(ours),
        None => found == ours.as_bytes(),
    }
}
