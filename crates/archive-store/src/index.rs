//! Where the files of one version stand: its manifest beside the content path of each file.

use std::{collections::HashMap, sync::Arc};

use dataset_model::{Digest, FilePath, Manifest, ManifestFile, Timestamp, VersionNumber};
use object_store::path::Path;

use crate::{
    content_path,
    error::ArchiveError,
    inventory::{Inventory, VersionBlock, VersionName},
};

/// One version, ready to be read.
#[derive(Debug)]
pub(crate) struct VersionIndex {
    object: Path,
    created: Timestamp,
    manifest: Arc<Manifest>,
    /// Parallel to the manifest's files.
    places: Vec<Place>,
}

/// A content path; most follow from the file's own path, so that an index of a million files stays small.
#[derive(Debug, PartialEq)]
enum Place {
    /// Under its own path, in the version that was first to hold it.
    Own(VersionNumber),
    /// Elsewhere: a copy, a file that was moved, or another program's choice.
    Other(Box<str>),
}

impl VersionIndex {
    /// Joins a version's manifest with the inventory it was checked against.
    pub(crate) fn new(
        object: Path,
        version: VersionNumber,
        inventory: &Inventory,
        manifest: Manifest,
    ) -> Result<Self, ArchiveError> {
        let block = block_of(inventory, version, &object)?;
        let place = |file: &ManifestFile| Ok(Place::of(content_of(inventory, file.sha256, &object)?, &file.path));
        let places = manifest.files().iter().map(place).collect::<Result<_, ArchiveError>>()?;
        Ok(Self { object, created: block.created, manifest: Arc::new(manifest), places })
    }

    pub(crate) fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    pub(crate) fn created(&self) -> Timestamp {
        self.created
    }

    /// A file's place in the manifest, and the file.
    pub(crate) fn find(&self, path: &FilePath) -> Option<(usize, &ManifestFile)> {
        let at = self.manifest.files().binary_search_by(|file| file.path.cmp(path)).ok()?;
        Some((at, self.manifest.files().get(at)?))
    }

    /// The object that holds the bytes of the file at a place in the manifest.
    pub(crate) fn content(&self, at: usize) -> Result<Path, ArchiveError> {
        match (self.places.get(at), self.manifest.files().get(at)) {
            (Some(place), Some(file)) => place.path(&self.object, &file.path),
            _ => Err(ArchiveError::damaged(&self.object, "its list of files is shorter than it was")),
        }
    }

    /// About what it holds of memory, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        let file =
            |file: &ManifestFile| (size_of::<ManifestFile>() + size_of::<Place>() + file.path.as_str().len()) as u64;
        self.manifest.files().iter().map(file).sum::<u64>() + size_of::<Self>() as u64
    }
}

impl Place {
    fn of(content: &str, path: &FilePath) -> Self {
        let own = content.split_once('/').and_then(|(version, rest)| {
            let version: VersionNumber = version.parse().ok()?;
            let name = rest.strip_prefix("content/")?;
            (name == content_path::encode(path) && content.starts_with(&format!("{version}/"))).then_some(version)
        });
        own.map_or_else(|| Self::Other(content.into()), Self::Own)
    }

    fn path(&self, object: &Path, path: &FilePath) -> Result<Path, ArchiveError> {
        let text = match self {
            Self::Own(version) => format!("{object}/{version}/content/{}", content_path::encode(path)),
            Self::Other(content) => format!("{object}/{content}"),
        };
        Path::parse(&text).map_err(|error| ArchiveError::damaged(text, error))
    }
}

/// Whether a manifest lists exactly the files an inventory has in a version.
pub(crate) fn agrees(manifest: &Manifest, inventory: &Inventory, version: VersionNumber) -> bool {
    let Some(block) = inventory.versions.get(&VersionName(version)) else { return false };
    let listed = files_of(block);
    listed.len() == manifest.files().len()
        && listed
            .iter()
            .zip(manifest.files())
            .all(|((path, sha256), file)| **path == file.path && *sha256 == file.sha256)
}

/// Makes the manifest of a version from its inventory and the lengths of the object's content files.
pub(crate) fn rebuild(
    inventory: &Inventory,
    version: VersionNumber,
    object: &Path,
    sizes: &HashMap<String, u64>,
) -> Result<Manifest, ArchiveError> {
    let file = |(path, sha256): (&FilePath, Digest)| {
        let content = content_of(inventory, sha256, object)?;
        let size = sizes.get(content).ok_or_else(|| ArchiveError::damaged(content, "its bytes are gone"))?;
        Ok(ManifestFile { path: path.clone(), size: *size, sha256 })
    };
    let files = files_of(block_of(inventory, version, object)?).into_iter().map(file);
    Ok(Manifest::new(files.collect::<Result<_, ArchiveError>>()?)?)
}

/// A manifest as it is stored beside the archive: one JSON object per line.
pub(crate) fn to_lines(manifest: &Manifest) -> Result<Vec<u8>, ArchiveError> {
    let mut lines = Vec::new();
    for file in manifest.files() {
        serde_json::to_writer(&mut lines, file).map_err(|error| ArchiveError::damaged(&file.path, error))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Reads a stored manifest; nothing when it is not one.
pub(crate) fn from_lines(lines: &[u8]) -> Option<Manifest> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let files = lines.map(serde_json::from_slice).collect::<Result<_, _>>().ok()?;
    Manifest::new(files).ok()
}

fn block_of<'a>(
    inventory: &'a Inventory,
    version: VersionNumber,
    object: &Path,
) -> Result<&'a VersionBlock, ArchiveError> {
    let block = inventory.versions.get(&VersionName(version));
    block.ok_or_else(|| ArchiveError::damaged(object, format!("the inventory of {version} does not describe it")))
}

/// Where the bytes of a digest stand, from the object's root.
pub(crate) fn content_of<'a>(inventory: &'a Inventory, sha256: Digest, object: &Path) -> Result<&'a str, ArchiveError> {
    let content = inventory.manifest.get(&sha256).and_then(|paths| paths.first());
    content.map(String::as_str).ok_or_else(|| ArchiveError::damaged(object, format!("no content listed for {sha256}")))
}

fn files_of(block: &VersionBlock) -> Vec<(&FilePath, Digest)> {
    let mut files: Vec<_> =
        block.state.iter().flat_map(|(sha256, paths)| paths.iter().map(move |path| (path, *sha256))).collect();
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_path_is_remembered_only_where_it_does_not_follow() {
        let path: FilePath = "a#1/b".parse().unwrap();
        assert_eq!(Place::of("v3/content/a%231/b", &path), Place::Own("v3".parse().unwrap()));
        for other in ["v3/content/elsewhere", "v03/content/a%231/b", "v3/stuff/a%231/b"] {
            assert_eq!(Place::of(other, &path), Place::Other(other.into()));
        }
        let stands = Place::Own("v3".parse().unwrap()).path(&Path::from("ocfl/x"), &path).unwrap();
        assert_eq!(stands.as_ref(), "ocfl/x/v3/content/a%231/b");
    }

    #[test]
    fn a_stored_manifest_comes_back_and_a_torn_one_does_not() {
        let file = |path: &str| ManifestFile { path: path.parse().unwrap(), size: 3, sha256: Digest::of(path) };
        let manifest = Manifest::new(vec![file("b"), file("a")]).unwrap();
        let lines = to_lines(&manifest).unwrap();
        assert_eq!(from_lines(&lines), Some(manifest));
        assert_eq!(from_lines(&lines[..lines.len() - 5]), None);
    }
}
