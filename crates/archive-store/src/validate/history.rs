//! The folders of the versions, and what their inventories say beside the root's (sections 3.4, 3.5.5 and 3.5.6).

use std::collections::{BTreeMap, HashSet};

use super::{
    faults::Faults,
    fixity::Fixity,
    inventory::{self, Block, Checked, VersionBlock},
    sidecar,
    tree::Tree,
    versions,
};
use crate::{error::ArchiveError, layout};

/// Checks all versions; what they say of content goes to `fixity`.
pub(super) async fn check(
    tree: &Tree,
    root: &Checked,
    root_bytes: &[u8],
    fixity: &mut Fixity,
    faults: &mut Faults,
) -> Result<(), ArchiveError> {
    check_folders(tree, root, faults);
    note_digests(root, fixity);
    check_content(tree, root, layout::INVENTORY, faults);
    let mut spec = None;
    for (number, (name, _)) in &root.versions {
        let path = format!("{name}/{}", layout::INVENTORY);
        let bytes = tree.get(&path).await?;
        let is_head = root.head.as_ref() == Some(name);
        let own = match &bytes {
            None => {
                faults.add("W010", &path, "the version should have an inventory");
                None
            }
            Some(bytes) if is_head && bytes == root_bytes => None,
            Some(bytes) => {
                if is_head {
                    faults.add("E064", &path, "the inventory of the last version is not the root's");
                }
                inventory::check(bytes, &path, faults)
            }
        };
        let inventory = own.as_ref().unwrap_or(root);
        if let Some(bytes) = &bytes {
            sidecar::check(tree, name, inventory, bytes, faults).await?;
        }
        check_version_folder(tree, name, inventory, faults);
        if let Some(own) = &own {
            compare(own, root, *number, name, &path, faults);
            note_digests(own, fixity);
            check_content(tree, own, &path, faults);
        }
        if inventory.spec < spec {
            faults.add("E103", &path, "the inventory follows an older OCFL than the version before");
        }
        spec = spec.max(inventory.spec);
    }
    Ok(())
}

/// Every version has its folder, and no folder is without a version.
fn check_folders(tree: &Tree, root: &Checked, faults: &mut Faults) {
    let folders = tree.folders_in("");
    let names: HashSet<&str> = root.versions.values().map(|(name, _)| name.as_str()).collect();
    for name in names.iter().filter(|name| !folders.contains(**name)) {
        faults.add("E010", *name, "the inventory has this version, but its folder is not there");
    }
    for name in folders.iter().filter(|name| versions::number(name).is_some() && !names.contains(name.as_str())) {
        faults.add("E046", name, "the root's inventory has no such version");
    }
}

fn check_version_folder(tree: &Tree, name: &str, inventory: &Checked, faults: &mut Faults) {
    for file in tree.files_in(name) {
        if file != layout::INVENTORY && file != inventory.sidecar_name() {
            faults.add("E015", format!("{name}/{file}"), "a version's folder may not hold this file");
        }
    }
    for folder in tree.folders_in(name).iter().filter(|folder| **folder != inventory.content_directory) {
        faults.add("W002", format!("{name}/{folder}"), "a version's folder should hold its content folder only");
    }
}

fn note_digests(inventory: &Checked, fixity: &mut Fixity) {
    let manifest = inventory.algorithm.map(|algorithm| (algorithm, &inventory.manifest, "E092"));
    let others = inventory.fixity.iter().map(|(algorithm, digests)| (*algorithm, digests, "E093"));
    for (algorithm, digests, code) in manifest.into_iter().chain(others) {
        for (digest, paths) in digests {
            paths.iter().for_each(|path| fixity.want(path, algorithm, digest, code));
        }
    }
}

/// Every content file of the versions an inventory knows is in its manifest.
fn check_content(tree: &Tree, inventory: &Checked, at: &str, faults: &mut Faults) {
    let listed: HashSet<&str> = inventory.manifest.values().flatten().map(String::as_str).collect();
    for (name, _) in inventory.versions.values() {
        let content = format!("{name}/{}", inventory.content_directory);
        for path in tree.below(&content).filter(|path| !listed.contains(path)) {
            faults.add("E023", path, format!("{at} does not list this file"));
        }
    }
}

/// Compares a version's own inventory with the root's.
fn compare(own: &Checked, root: &Checked, number: u32, name: &str, path: &str, faults: &mut Faults) {
    if own.id != root.id {
        faults.add("E037", path, "the id is not the root's");
    }
    if own.content_directory != root.content_directory {
        faults.add("E019", path, "the contentDirectory is not the root's");
    }
    if own.head.as_deref() != Some(name) {
        faults.add("E040", path, format!("the head is not {name}"));
    }
    let known: Vec<u32> = own.versions.keys().copied().collect();
    if known != root.versions.range(..=number).map(|(number, _)| *number).collect::<Vec<_>>() {
        faults.add("E066", path, "it has other versions than the root's inventory has up to here");
    }
    for (number, (name, block)) in &own.versions {
        let Some((_, in_root)) = root.versions.get(number) else { continue };
        if !same_state((own, block), (root, in_root)) {
            faults.add("E066", path, format!("{name} has other files than in the root's inventory"));
        }
        if block.about != in_root.about {
            faults.add("W011", path, format!("{name} has another time, message or user than in the root's inventory"));
        }
    }
}

/// Whether two inventories give a version the same files with the same bytes.
fn same_state(own: (&Checked, &VersionBlock), root: (&Checked, &VersionBlock)) -> bool {
    let (own_files, root_files) = (files_of(&own.1.state), files_of(&root.1.state));
    let same_algorithm = own.0.algorithm_name == root.0.algorithm_name;
    own_files.len() == root_files.len()
        && own_files.iter().all(|(path, digest)| {
            root_files.get(path).is_some_and(|in_root| {
                if same_algorithm {
                    digest.eq_ignore_ascii_case(in_root)
                } else {
                    share_content(own.0.manifest.get(*digest), root.0.manifest.get(*in_root))
                }
            })
        })
}

/// Digests of different algorithms mean the same bytes when they stand for the same content files; the root's
/// manifest may know more copies.
fn share_content(own: Option<&Vec<String>>, root: Option<&Vec<String>>) -> bool {
    match (own, root) {
        (Some(own), Some(root)) => {
            let root: HashSet<&String> = root.iter().collect();
            own.iter().all(|path| root.contains(path))
        }
        _ => false,
    }
}

fn files_of(state: &Block) -> BTreeMap<&str, &str> {
    state.iter().flat_map(|(digest, paths)| paths.iter().map(move |path| (path.as_str(), digest.as_str()))).collect()
}
