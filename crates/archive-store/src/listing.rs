use std::{collections::HashMap, sync::Arc};

use dataset_model::DatasetId;
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{GetOptions, GetRange, path::Path};

use crate::{Archive, error::ArchiveError, inventory::id_in_head, layout};

/// How far into an inventory its id is looked for, in bytes.
const HEAD: u64 = 4096;
/// How many folders are listed at once.
const AT_ONCE: usize = 8;

impl Archive {
    /// Every dataset that has anything in the archive, leftovers of interrupted commits included, in no order.
    ///
    /// An object that nobody can name gives [`ArchiveError::Damaged`] with its path, and the stream goes on.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn list_datasets(&self) -> Result<BoxStream<'_, Result<DatasetId, ArchiveError>>, ArchiveError> {
        let named = Arc::new(self.named_objects().await?);
        let tops = self.store().folders(&layout::ROOT.into()).await?;
        let tops = tops.into_iter().filter(|name| is_tuple(name)).map(|name| Path::from(layout::ROOT).join(name));
        let mut folders = stream::iter(tops.map(Ok)).boxed();
        for _ in 0..layout::TUPLES {
            folders = self.below(folders);
        }
        let ids = folders.map(move |object| {
            let named = named.clone();
            async move { self.name_of(&object?, &named).await }
        });
        Ok(ids.buffered(AT_ONCE).boxed())
    }

    /// The folders directly below each of some folders.
    fn below<'a>(
        &'a self,
        folders: BoxStream<'a, Result<Path, ArchiveError>>,
    ) -> BoxStream<'a, Result<Path, ArchiveError>> {
        let listed = folders.map(move |folder| async move {
            let folder = folder?;
            let names = self.store().folders(&folder).await?;
            Ok::<_, ArchiveError>(stream::iter(names).map(move |name| Ok(layout::within(&folder, &name))))
        });
        listed.buffered(AT_ONCE).try_flatten().boxed()
    }

    /// The objects of all datasets with a derived manifest, which is written before anything else of them.
    async fn named_objects(&self) -> Result<HashMap<Path, DatasetId>, ArchiveError> {
        let names = self.store().folders(&layout::MANIFESTS.into()).await?;
        let ids = names.iter().filter_map(|name| name.parse::<DatasetId>().ok());
        Ok(ids.map(|id| (layout::object(&id), id)).collect())
    }

    async fn name_of(&self, object: &Path, named: &HashMap<Path, DatasetId>) -> Result<DatasetId, ArchiveError> {
        if let Some(id) = named.get(object) {
            return Ok(id.clone());
        }
        let versions = self.version_folders(object).await?;
        let folders = versions.into_iter().map(|version| layout::version(object, version));
        for folder in std::iter::once(object.clone()).chain(folders) {
            if let Some(id) = self.id_at(&layout::inventory(&folder)).await? {
                return Ok(id);
            }
        }
        Err(ArchiveError::damaged(object, "no inventory tells whose object it is"))
    }

    async fn id_at(&self, inventory: &Path) -> Result<Option<DatasetId>, ArchiveError> {
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(0..HEAD)));
        let head = match self.store().objects().get_opts(inventory, options).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            other => other.map_err(ArchiveError::storage("read", inventory))?,
        };
        let head = head.bytes().await.map_err(ArchiveError::storage("read", inventory))?;
        Ok(id_in_head(&head).and_then(|id| layout::dataset_of(&id)))
    }
}

fn is_tuple(name: &str) -> bool {
    name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
