use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, path::Path};

use crate::error::ArchiveError;

/// All files of an object, by path from its root.
pub(super) struct Tree {
    store: Arc<dyn ObjectStore>,
    files: BTreeMap<String, Path>,
    /// The folders in the root, also those a flat listing does not show.
    top_folders: BTreeSet<String>,
}

impl Tree {
    pub(super) async fn read(store: Arc<dyn ObjectStore>, object: Path) -> Result<Self, ArchiveError> {
        let listed = store.list(Some(&object)).map_ok(|meta| meta.location);
        let paths: Vec<Path> = listed.try_collect().await.map_err(ArchiveError::storage("list", &object))?;
        let relative = |path: Path| {
            let names: Vec<String> = path.prefix_match(&object)?.map(|name| name.as_ref().to_owned()).collect();
            Some((names.join("/"), path))
        };
        let files: BTreeMap<String, Path> = paths.into_iter().filter_map(relative).collect();
        let top = match store.list_with_delimiter(Some(&object)).await {
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            other => other.map_err(ArchiveError::storage("list", &object))?.common_prefixes,
        };
        let top_folders = top.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        Ok(Self { store, files, top_folders })
    }

    /// The names of the files directly in a folder.
    pub(super) fn files_in<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let prefix = prefix_of(folder);
        self.below(folder).filter_map(move |path| path.get(prefix.len()..)).filter(|name| !name.contains('/'))
    }

    /// The names of the folders directly in a folder.
    pub(super) fn folders_in(&self, folder: &str) -> BTreeSet<String> {
        let prefix = prefix_of(folder);
        let names = self.below(folder).filter_map(|path| path.get(prefix.len()..)?.split_once('/'));
        let mut names: BTreeSet<String> = names.map(|(name, _)| name.to_owned()).collect();
        if folder.is_empty() {
            names.extend(self.top_folders.iter().cloned());
        }
        names
    }

    /// The paths of all files below a folder, at any depth.
    pub(super) fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let prefix = prefix_of(folder);
        let from = self.files.range(prefix.clone()..).map(|(path, _)| path.as_str());
        from.take_while(move |path| path.starts_with(&prefix))
    }

    /// The whole of a file, when there is one.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Bytes>, ArchiveError> {
        match self.open(path).await? {
            None => Ok(None),
            Some(file) => file.bytes().await.map(Some).map_err(ArchiveError::storage("read", path)),
        }
    }

    /// A file to be streamed, when there is one.
    pub(super) async fn open(&self, path: &str) -> Result<Option<GetResult>, ArchiveError> {
        let Some(location) = self.files.get(path) else { return Ok(None) };
        self.store.get(location).await.map(Some).map_err(ArchiveError::storage("read", location))
    }
}

fn prefix_of(folder: &str) -> String {
    if folder.is_empty() { String::new() } else { format!("{folder}/") }
}
