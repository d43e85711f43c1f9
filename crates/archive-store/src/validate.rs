//! OCFL 1.1 validation of one object: structure, inventories, history and fixity, as the specification's codes.

mod faults;
mod fixity;
mod history;
mod inventory;
mod paths;
mod sidecar;
mod tree;
mod versions;

use std::sync::Arc;

use object_store::{ObjectStore, path::Path};

use self::{faults::Faults, fixity::Fixity, inventory::Checked, tree::Tree};
use crate::{error::ArchiveError, fault::Fault, layout};

/// The extensions registered for OCFL objects and roots.
const EXTENSIONS: [&str; 11] = [
    "0001-digest-algorithms",
    "0002-flat-direct-storage-layout",
    "0003-hash-and-id-n-tuple-storage-layout",
    "0004-hashed-n-tuple-storage-layout",
    "0005-mutable-head",
    "0006-flat-omit-prefix-storage-layout",
    "0007-n-tuple-omit-prefix-storage-layout",
    "0008-schema-registry",
    "0009-digest-algorithms",
    "0010-differential-n-tuple-omit-prefix-storage-layout",
    "0011-direct-clean-path-layout",
];

/// Validates the OCFL object in a folder of any object store, hashing all of its content.
///
/// The codes are those of the [OCFL 1.1 validation codes](https://ocfl.io/1.1/spec/validation-codes.html); an object
/// is valid when no fault [is an error](Fault::is_error). Digests are checked with `sha512`, `sha256`, `sha512/256`,
/// `sha1` and `md5`; other algorithms in a fixity block are passed over. What no object store shows (empty folders, links)
/// is not seen; [`Archive::verify`](crate::Archive::verify) adds it for a local archive.
///
/// # Errors
/// When the store cannot be read; an invalid object is no error.
pub async fn validate_object(store: Arc<dyn ObjectStore>, folder: &str) -> Result<Vec<Fault>, ArchiveError> {
    let object = Path::parse(folder).map_err(|error| ArchiveError::damaged(folder, error))?;
    let tree = Tree::read(store, object).await?;
    let mut faults = Faults::default();
    let declared = check_declaration(&tree, &mut faults).await?;
    let root = match tree.get(layout::INVENTORY).await? {
        None => {
            faults.add("E063", layout::INVENTORY, "the object has no inventory in its root");
            None
        }
        Some(bytes) => Some((inventory::check(&bytes, layout::INVENTORY, &mut faults), bytes)),
    };
    check_root(&tree, root.as_ref().and_then(|(checked, _)| checked.as_ref()), &mut faults);
    if let Some((Some(root), bytes)) = root {
        if root.spec.is_some() && declared.is_some() && root.spec != declared {
            faults.add("E038", layout::INVENTORY, "the type names another version of OCFL than the declaration");
        }
        sidecar::check(&tree, "", &root, &bytes, &mut faults).await?;
        let mut fixity = Fixity::default();
        history::check(&tree, &root, &bytes, &mut fixity, &mut faults).await?;
        fixity.check(&tree, &mut faults).await?;
    }
    Ok(faults.into_vec())
}

/// Checks the NAMASTE declaration (section 3.3) and gives the version it declares.
async fn check_declaration(tree: &Tree, faults: &mut Faults) -> Result<Option<(u32, u32)>, ArchiveError> {
    let names: Vec<&str> = tree.files_in("").filter(|name| name.starts_with("0=")).collect();
    let [name] = names.as_slice() else {
        let found = if names.is_empty() { "no declaration" } else { "more than one declaration" };
        faults.add("E003", "", format!("the object has {found}"));
        return Ok(None);
    };
    let version = name.strip_prefix("0=ocfl_object_").and_then(inventory::spec_number);
    if version.is_none() {
        faults.add("E006", *name, "the declaration names no version of OCFL known here");
    }
    let expected = format!("{}\n", name.trim_start_matches("0="));
    if tree.get(name).await?.as_deref() != Some(expected.as_bytes()) {
        faults.add("E007", *name, "the declaration's text is not its name without '0=' and a line end");
    }
    Ok(version)
}

/// Checks that nothing else stands in the object's root (section 3.1).
fn check_root(tree: &Tree, root: Option<&Checked>, faults: &mut Faults) {
    for name in tree.files_in("") {
        let sidecar = root.map_or(name.starts_with("inventory.json."), |root| name == root.sidecar_name());
        if !name.starts_with("0=") && name != layout::INVENTORY && !sidecar {
            faults.add("E001", name, "the object's root may not hold this file");
        }
    }
    for name in tree.folders_in("") {
        if versions::number(&name).is_none() && name != "logs" && name != "extensions" {
            faults.add("E001", name, "the object's root may not hold this folder");
        }
    }
    for name in tree.files_in("extensions") {
        faults.add("E067", format!("extensions/{name}"), "the extensions folder may hold folders only");
    }
    for name in tree.folders_in("extensions").iter().filter(|name| !EXTENSIONS.contains(&name.as_str())) {
        faults.add("W013", format!("extensions/{name}"), "the extension is not registered");
    }
}
