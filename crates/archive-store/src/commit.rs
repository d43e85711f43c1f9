use std::collections::BTreeSet;

use dataset_model::{DatasetId, Digest, Manifest, ManifestFile, Timestamp, VersionNumber};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;

use crate::{
    Archive,
    error::ArchiveError,
    index,
    inventory::{Inventory, sidecar_of},
    layout,
    plan::{BlobCopy, Plan, Provenance, plan},
};

/// How many blobs are copied at once.
const COPIES_AT_ONCE: usize = 16;

/// A version to be written.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The dataset, new or not.
    pub dataset: DatasetId,
    /// The number of the version: 1, or one more than the last.
    pub version: VersionNumber,
    /// All files of the version, in any order; those an earlier version holds need not be in the draft.
    pub files: Vec<ManifestFile>,
    /// The draft whose blobs hold the new bytes.
    pub draft: DatasetId,
    /// When the version was made.
    pub created: Timestamp,
    /// Why, for the inventory.
    pub message: String,
    /// By whom, for the inventory: a name, and an address that is a URI.
    pub user: Option<(String, Option<String>)>,
}

/// A version that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The SHA-256 digest of the version's `inventory.json`.
    pub inventory: Digest,
    /// Its files.
    pub manifest: Manifest,
}

impl Archive {
    /// Writes a version. What an interrupted attempt at the same version left is removed first, so that calling again
    /// is safe; the draft's blobs stay, for the caller to remove after its own commit point.
    ///
    /// The order of writes: the derived manifest, the object's declaration, content, the version's inventory with its
    /// sidecar, the root's sidecar and inventory.
    ///
    /// # Errors
    /// When the files cannot stand together, their bytes are missing or other than listed, the version is not the next
    /// one ([`ArchiveError::NotNext`]; nothing was changed then), or the store refuses.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, ArchiveError> {
        let _alone = self.writing().lock(&commit.dataset).await;
        let Commit { dataset, version, files, draft, created, message, user } = commit;
        let manifest = Manifest::new(files)?;
        let previous = self.previous(&dataset, version).await?;
        self.check_bytes(&dataset, previous.as_ref(), &draft, &manifest).await?;
        let keep = previous.as_ref().map(|inventory| inventory.head.0);
        self.roll_back_alone(&dataset, keep).await?;
        let plan = plan(&dataset, version, previous, &manifest, Provenance { created, message, user });
        self.store().put(&layout::manifest(&dataset, version), index::to_lines(&manifest)?).await?;
        let object = layout::object(&dataset);
        let inventory = self.write_version(&object, &draft, plan, version).await?;
        self.forget(&dataset);
        Ok(Committed { inventory, manifest })
    }

    /// The inventory of the version before; an error when it is absent, or a later version is there.
    async fn previous(&self, dataset: &DatasetId, version: VersionNumber) -> Result<Option<Inventory>, ArchiveError> {
        let not_next = |why: String| ArchiveError::NotNext { dataset: dataset.clone(), version, why };
        let versions = self.versions(dataset).await?;
        if let Some(later) = versions.iter().find(|other| **other > version) {
            return Err(not_next(format!("{later} is there already: roll back to before it first")));
        }
        let Some(before) = version.get().checked_sub(1).and_then(|number| VersionNumber::try_from(number).ok()) else {
            return Ok(None);
        };
        if !versions.contains(&before) {
            return Err(not_next(format!("there is no {before}: write that first")));
        }
        let path = layout::inventory(&layout::version(&layout::object(dataset), before));
        Ok(Some(Inventory::parse(&self.store().get(&path).await?, &path)?))
    }

    /// Makes sure that all bytes are there, with the lengths listed, before anything is written.
    async fn check_bytes(
        &self,
        dataset: &DatasetId,
        previous: Option<&Inventory>,
        draft: &DatasetId,
        manifest: &Manifest,
    ) -> Result<(), ArchiveError> {
        let mut sizes = self.draft_blobs(draft).await?;
        if let Some(inventory) = previous {
            let index = self.index(dataset, inventory.head.0).await?;
            sizes.extend(index.manifest().files().iter().map(|file| (file.sha256, file.size)));
        }
        let object = layout::object(dataset);
        for file in manifest.files() {
            let stored = match sizes.get(&file.sha256) {
                Some(size) => *size,
                None => self.earlier_size(&object, previous, file).await?,
            };
            if stored != file.size {
                return Err(ArchiveError::SizeDiffers { path: file.path.clone(), listed: file.size, stored });
            }
        }
        Ok(())
    }

    /// The length of a file that the version before does not list; an earlier one may.
    async fn earlier_size(
        &self,
        object: &Path,
        previous: Option<&Inventory>,
        file: &ManifestFile,
    ) -> Result<u64, ArchiveError> {
        let missing = || ArchiveError::MissingBlob { path: file.path.clone(), sha256: file.sha256 };
        let inventory = previous.ok_or_else(missing)?;
        let content = index::content_of(inventory, file.sha256, object).map_err(|_| missing())?;
        self.store().size(&below(object, content)?).await
    }

    async fn write_version(
        &self,
        object: &Path,
        draft: &DatasetId,
        plan: Plan,
        version: VersionNumber,
    ) -> Result<Digest, ArchiveError> {
        let declaration = object.clone().join(layout::DECLARATION);
        if !self.store().holds(&declaration).await? {
            let text = layout::DECLARATION.trim_start_matches("0=");
            self.store().put(&declaration, format!("{text}\n")).await?;
        }
        self.copy_blobs(object, draft, plan.copies).await?;
        let bytes = plan.inventory.to_bytes()?;
        let digest = Digest::of(&bytes);
        let folder = layout::version(object, version);
        self.store().put(&layout::inventory(&folder), bytes.clone()).await?;
        self.store().put(&layout::sidecar(&folder), sidecar_of(digest)).await?;
        self.store().put(&layout::sidecar(object), sidecar_of(digest)).await?;
        self.store().put(&layout::inventory(object), bytes).await?;
        Ok(digest)
    }

    async fn copy_blobs(&self, object: &Path, draft: &DatasetId, copies: Vec<BlobCopy>) -> Result<(), ArchiveError> {
        let mut folders = BTreeSet::new();
        let mut paths = Vec::with_capacity(copies.len());
        for copy in copies {
            let to = below(object, &copy.content)?;
            add_folders(&mut folders, object, &to);
            paths.push((layout::blob(draft, copy.sha256), to, copy.size));
        }
        let copied = stream::iter(paths).map(|(from, to, size)| {
            let store = self.store().clone();
            async move { store.copy(&from, &to, size).await }
        });
        copied.buffer_unordered(COPIES_AT_ONCE).try_collect::<()>().await?;
        match self.store().disk() {
            Some(disk) => disk.sync(folders).await,
            None => Ok(()),
        }
    }
}

/// Adds the folders from the object's root down to a file.
fn add_folders(folders: &mut BTreeSet<Path>, object: &Path, file: &Path) {
    let mut folder = file.parent();
    while let Some(at) = folder.filter(|at| at.prefix_matches(object)) {
        folder = at.parent();
        if !folders.insert(at) {
            return;
        }
    }
}

/// A content path below an object's root, taken literally.
fn below(object: &Path, content: &str) -> Result<Path, ArchiveError> {
    let text = format!("{object}/{content}");
    Path::parse(&text).map_err(|error| ArchiveError::damaged(text, error))
}
