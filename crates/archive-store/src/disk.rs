//! What an object store cannot see or do on a local disk: files left half written, empty folders, syncing folders.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::PathBuf,
    sync::Arc,
};

use object_store::path::Path;
use walkdir::WalkDir;

use crate::error::ArchiveError;

/// The folder a local archive is kept in.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    root: Arc<PathBuf>,
}

/// Something in a folder that no listing of objects shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stray {
    /// A folder with nothing in it, relative to the folder looked through.
    EmptyFolder(String),
    /// A file whose writing was cut off.
    Unfinished(String),
}

impl Disk {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root: Arc::new(root) }
    }

    /// Where an object stands.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.as_ref())
    }

    /// Removes a folder with all that is in it, durably, and the folders above that this leaves empty.
    pub(crate) async fn remove_tree(&self, path: &Path) -> Result<(), ArchiveError> {
        let (folder, root) = (self.at(path), self.root.clone());
        blocking("remove", path, move || {
            gone_is_fine(fs::remove_dir_all(&folder))?;
            let mut above = folder.parent();
            while let Some(parent) = above.filter(|parent| *parent != root.as_path()) {
                match fs::remove_dir(parent) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return sync(parent),
                    _ => above = parent.parent(),
                }
            }
            sync(root.as_path())
        })
        .await
    }

    /// Removes the half-written files directly in a folder.
    pub(crate) async fn sweep(&self, path: &Path) -> Result<(), ArchiveError> {
        let folder = self.at(path);
        blocking("clean", path, move || {
            let Some(entries) = gone_is_fine(fs::read_dir(&folder).map(Some))? else { return Ok(()) };
            for entry in entries {
                let entry = entry?;
                if is_unfinished(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
                    gone_is_fine(fs::remove_file(entry.path()))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Makes the entries of folders durable.
    pub(crate) async fn sync(&self, folders: BTreeSet<Path>) -> Result<(), ArchiveError> {
        let first = folders.first().cloned().unwrap_or_default();
        let folders: Vec<PathBuf> = folders.iter().map(|folder| self.at(folder)).collect();
        blocking("write", &first, move || folders.iter().try_for_each(sync)).await
    }

    /// What stands in a folder that it should not.
    pub(crate) async fn strays(&self, path: &Path) -> Result<Vec<Stray>, ArchiveError> {
        let folder = self.at(path);
        blocking("list", path, move || {
            let mut strays = BTreeSet::new();
            for entry in WalkDir::new(&folder).min_depth(1) {
                let entry = entry?;
                let name = || entry.path().strip_prefix(&folder).unwrap_or(entry.path()).to_string_lossy().into_owned();
                if entry.file_type().is_dir() && fs::read_dir(entry.path())?.next().is_none() {
                    strays.insert(Stray::EmptyFolder(name()));
                } else if entry.file_type().is_file() && is_unfinished(&entry.file_name().to_string_lossy()) {
                    strays.insert(Stray::Unfinished(name()));
                }
            }
            Ok(strays.into_iter().collect())
        })
        .await
    }
}

/// The local store writes to `name#1` and renames; no name of ours has a `#`.
fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn sync(folder: impl AsRef<std::path::Path>) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn gone_is_fine<T: Default>(outcome: io::Result<T>) -> io::Result<T> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        other => other,
    }
}

/// Runs file system calls on a thread where they may take their time.
pub(crate) async fn blocking<T: Send + 'static>(
    action: &'static str,
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|ended| Err(io::Error::other(ended)));
    done.map_err(ArchiveError::disk(action, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn half_written_files_and_empty_folders_are_found_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path().to_owned());
        fs::create_dir_all(folder.path().join("o/v1/content/empty")).unwrap();
        fs::write(folder.path().join("o/inventory.json#1"), "{").unwrap();
        fs::write(folder.path().join("o/plan#b"), "kept").unwrap();
        let object = Path::from("o");
        let expected = [Stray::EmptyFolder("v1/content/empty".into()), Stray::Unfinished("inventory.json#1".into())];
        assert_eq!(disk.strays(&object).await.unwrap(), expected);
        disk.sweep(&object).await.unwrap();
        disk.remove_tree(&Path::from("o/v1")).await.unwrap();
        assert!(disk.strays(&object).await.unwrap().is_empty());
        assert!(folder.path().join("o/plan#b").exists());
        disk.remove_tree(&object).await.unwrap();
        disk.remove_tree(&object).await.unwrap();
        assert!(!folder.path().join("o").exists() && folder.path().exists());
    }
}
