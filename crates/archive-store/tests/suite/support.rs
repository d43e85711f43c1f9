//! What the tests of the archive share: archives in both places, files by text, and a store that breaks.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use archive_store::{Archive, ArchiveError, Commit, Committed, Expect, Fault};
use bytes::Bytes;
use dataset_model::{DatasetId, Digest, FilePath, ManifestFile, VersionNumber};
use futures::{TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, memory::InMemory, path::Path};
use tempfile::TempDir;

pub(crate) mod breaking;

/// Files of a version, path by text.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

/// A place for an archive, and the store in it.
pub(crate) struct Place {
    pub(crate) folder: Option<TempDir>,
    pub(crate) store: Arc<dyn ObjectStore>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self { folder: None, store: Arc::new(InMemory::new()) }
    }

    pub(crate) fn local() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap().with_automatic_cleanup(true);
        Self { store: Arc::new(store), folder: Some(folder) }
    }

    pub(crate) fn both() -> [Self; 2] {
        [Self::memory(), Self::local()]
    }

    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().to_owned())
    }

    pub(crate) async fn archive(&self) -> Archive {
        Archive::over(self.store.clone(), self.path()).await.unwrap()
    }

    /// The keys of everything stored, sorted; the notes that keep shared folders aside.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let metas: Vec<_> = self.store.list(None).try_collect().await.unwrap();
        let mut keys: Vec<String> = metas.iter().map(|meta| meta.location.to_string()).collect();
        keys.retain(|key| !["drafts/README", "manifests/README"].contains(&key.as_str()));
        keys.sort();
        keys
    }

    /// Writes behind the archive's back.
    pub(crate) async fn store_put(&self, key: &str, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.store.put(&Path::parse(key).unwrap(), bytes.into()).await.unwrap();
    }

    /// Removes behind the archive's back.
    pub(crate) async fn store_delete(&self, key: &str) {
        self.store.delete(&Path::parse(key).unwrap()).await.unwrap();
    }

    /// What a listing does not show: folders without files, and files left half written.
    pub(crate) fn hidden(&self) -> Vec<PathBuf> {
        let Some(root) = self.path() else { return Vec::new() };
        let mut hidden = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            if entries.is_empty() && folder != root {
                hidden.push(folder);
            }
            for entry in entries {
                if entry.is_dir() {
                    folders.push(entry);
                } else if entry.to_string_lossy().contains('#') {
                    hidden.push(entry);
                }
            }
        }
        hidden
    }
}

pub(crate) fn id(text: &str) -> DatasetId {
    text.parse().unwrap()
}

pub(crate) fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

pub(crate) fn v(number: u32) -> VersionNumber {
    number.try_into().unwrap()
}

pub(crate) fn listed(files: Files) -> Vec<ManifestFile> {
    let file =
        |(at, text): &(&str, &str)| ManifestFile { path: path(at), size: text.len() as u64, sha256: Digest::of(text) };
    files.iter().map(file).collect()
}

pub(crate) fn body(text: &str) -> stream::Iter<std::vec::IntoIter<Result<Bytes, std::io::Error>>> {
    stream::iter(vec![Ok(Bytes::copy_from_slice(text.as_bytes()))])
}

pub(crate) const ANY: Expect = Expect { sha256: None, size: None, max_bytes: 1 << 30 };

pub(crate) async fn upload(archive: &Archive, draft: &DatasetId, files: Files<'_>) -> Result<(), ArchiveError> {
    for (_, text) in files {
        archive.put_draft_file(draft, body(text), ANY).await?;
    }
    Ok(())
}

pub(crate) fn commit_of(dataset: &str, version: u32, files: Files) -> Commit {
    Commit {
        dataset: id(dataset),
        version: v(version),
        files: listed(files),
        draft: id("draft"),
        created: "2026-11-21T10:00:00Z".parse().unwrap(),
        message: format!("version {version}"),
        user: Some(("Europe".into(), Some("https://europe.example".into()))),
    }
}

pub(crate) async fn publish(archive: &Archive, dataset: &str, version: u32, files: Files<'_>) -> Committed {
    upload(archive, &id("draft"), files).await.unwrap();
    let committed = archive.commit(commit_of(dataset, version, files)).await.unwrap();
    archive.delete_draft(&id("draft")).await.unwrap();
    committed
}

pub(crate) async fn text(archive: &Archive, dataset: &str, version: u32, at: &str) -> Result<String, ArchiveError> {
    let blob = archive.open_file(&id(dataset), v(version), &path(at)).await?;
    let bytes = blob.bytes(0..blob.size()).await?;
    assert_eq!(Digest::of(&bytes), blob.sha256());
    Ok(String::from_utf8(bytes.into()).unwrap())
}

/// All files of a version, read.
pub(crate) async fn read_all(archive: &Archive, dataset: &str, version: u32) -> BTreeMap<String, String> {
    let manifest = archive.manifest(&id(dataset), v(version)).await.unwrap();
    let mut all = BTreeMap::new();
    for file in manifest.files() {
        all.insert(file.path.to_string(), text(archive, dataset, version, file.path.as_str()).await.unwrap());
    }
    all
}

pub(crate) fn map(files: Files) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// The codes of some faults, without the one every archive with SHA-256 has.
pub(crate) fn codes(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.code).filter(|code| *code != "W004").collect()
}

pub(crate) async fn assert_sound(archive: &Archive, dataset: &str) {
    let faults = archive.verify(&id(dataset)).await.unwrap();
    assert!(codes(&faults).is_empty(), "{faults:?}");
}
