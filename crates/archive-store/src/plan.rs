//! What a commit will write, worked out before anything is written: pure, so that it can be tested alone.

use std::collections::BTreeMap;

use dataset_model::{DatasetId, Digest, FilePath, Manifest, Timestamp, VersionNumber};

use crate::{
    content_path,
    inventory::{Inventory, User, VersionBlock, VersionName},
};

/// Who wrote a version, when and why; goes into the inventory as given.
#[derive(Debug, Clone)]
pub(crate) struct Provenance {
    pub(crate) created: Timestamp,
    pub(crate) message: String,
    pub(crate) user: Option<(String, Option<String>)>,
}

/// The inventory to write and the blobs to copy first.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) inventory: Inventory,
    pub(crate) copies: Vec<BlobCopy>,
}

/// One blob's way from the draft into the object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BlobCopy {
    pub(crate) sha256: Digest,
    /// In bytes.
    pub(crate) size: u64,
    /// From the object's root.
    pub(crate) content: String,
}

/// Plans `version` on top of `previous`: each distinct content is stored once in the life of an object.
pub(crate) fn plan(
    dataset: &DatasetId,
    version: VersionNumber,
    previous: Option<Inventory>,
    manifest: &Manifest,
    provenance: Provenance,
) -> Plan {
    let mut inventory = previous.unwrap_or_else(|| Inventory::new(dataset));
    let mut state: BTreeMap<Digest, Vec<FilePath>> = BTreeMap::new();
    let mut copies = Vec::new();
    for file in manifest.files() {
        state.entry(file.sha256).or_default().push(file.path.clone());
        inventory.manifest.entry(file.sha256).or_insert_with(|| {
            let content = content_of(version, &file.path);
            copies.push(BlobCopy { sha256: file.sha256, size: file.size, content: content.clone() });
            vec![content]
        });
    }
    let user = provenance.user.map(|(name, address)| User { name, address });
    let block = VersionBlock { created: provenance.created, message: provenance.message, user, state };
    inventory.head = VersionName(version);
    inventory.versions.insert(VersionName(version), block);
    Plan { inventory, copies }
}

/// Where a file first stored by `version` stands, from the object's root.
pub(crate) fn content_of(version: VersionNumber, path: &FilePath) -> String {
    format!("{version}/content/{}", content_path::encode(path))
}

#[cfg(test)]
mod tests {
    use dataset_model::ManifestFile;

    use super::*;

    fn manifest(files: &[(&str, &str)]) -> Manifest {
        let file = |(path, text): &(&str, &str)| ManifestFile {
            path: path.parse().unwrap(),
            size: text.len() as u64,
            sha256: Digest::of(text),
        };
        Manifest::new(files.iter().map(file).collect()).unwrap()
    }

    fn planned(version: u32, previous: Option<Inventory>, files: &[(&str, &str)]) -> Plan {
        let created = "2026-11-21T10:00:00Z".parse().unwrap();
        let provenance = Provenance { created, message: "m".into(), user: None };
        plan(&"d".parse().unwrap(), version.try_into().unwrap(), previous, &manifest(files), provenance)
    }

    #[test]
    fn equal_bytes_are_stored_once_within_and_across_versions() {
        let first = planned(1, None, &[("b", "same"), ("a", "same"), ("c", "other")]);
        let stored: Vec<&str> = first.copies.iter().map(|copy| copy.content.as_str()).collect();
        assert_eq!(stored, ["v1/content/a", "v1/content/c"]);
        let second = planned(2, Some(first.inventory), &[("moved/b", "same"), ("c", "new")]);
        let stored: Vec<&str> = second.copies.iter().map(|copy| copy.content.as_str()).collect();
        assert_eq!(stored, ["v2/content/c"]);
        assert_eq!(second.inventory.versions.len(), 2);
    }

    #[test]
    fn the_same_files_in_another_order_give_the_same_bytes() {
        let one = planned(1, None, &[("b", "x"), ("a", "x"), ("c", "y")]);
        let two = planned(1, None, &[("c", "y"), ("a", "x"), ("b", "x")]);
        assert_eq!(one.inventory.to_bytes().unwrap(), two.inventory.to_bytes().unwrap());
    }
}
