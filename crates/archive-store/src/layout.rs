//! Where everything stands, from the top of the folder or bucket.
//!
//! ```text
//! ocfl/                                    the OCFL storage root
//!   0=ocfl_1.1, ocfl_layout.json, extensions/0003-hash-and-id-n-tuple-storage-layout/config.json
//!   abc/def/012/urn%3aheliograph%3a{dataset}/   one object per dataset
//!     v1/content/…                         the bytes of what v1 was first to hold
//! drafts/{draft}/{sha256}                  blobs not yet published
//! manifests/{dataset}/v1.ndjson            derived: paths, sizes and digests of v1
//! ```

use std::fmt::Write;

use dataset_model::{DatasetId, Digest, VersionNumber};
use object_store::path::Path;

/// The OCFL storage root.
pub(crate) const ROOT: &str = "ocfl";
/// The folder of all drafts.
pub(crate) const DRAFTS: &str = "drafts";
/// The folder of the derived manifests.
pub(crate) const MANIFESTS: &str = "manifests";
/// The name of an object's declaration (OCFL 1.1, section 3.3).
pub(crate) const DECLARATION: &str = "0=ocfl_object_1.1";
/// The name of an inventory.
pub(crate) const INVENTORY: &str = "inventory.json";
/// The name of an inventory's sidecar.
pub(crate) const SIDECAR: &str = "inventory.json.sha256";
/// How many folders stand between the storage root and an object, each named by [`TUPLE`] digits.
pub(crate) const TUPLES: usize = 3;
const TUPLE: usize = 3;
/// Where extension 0003 cuts the name of an object's folder.
const LONGEST_NAME: usize = 100;
const ID_PREFIX: &str = "urn:heliograph:";

/// A file that says what each of our folders beside the storage root is for. On a local disk they also keep the folders:
/// an empty one is removed with its last file, which another dataset's first file may be on its way into.
pub(crate) fn folder_notes() -> [(Path, &'static str); 2] {
    let at = |folder: &str| Path::from(format!("{folder}/README"));
    [
        (at(DRAFTS), "Files of deposits that are not published, by digest. Belongs to the ledger beside it.\n"),
        (
            at(MANIFESTS),
            "Sizes and digests of each version's files, derived from the archive: made again where missing.\n",
        ),
    ]
}

/// The storage root's own files, as path and content.
pub(crate) fn root_files() -> [(Path, &'static str); 3] {
    let at = |name: &str| Path::from(format!("{ROOT}/{name}"));
    [
        (
            at("extensions/0003-hash-and-id-n-tuple-storage-layout/config.json"),
            concat!(
                r#"{"extensionName":"0003-hash-and-id-n-tuple-storage-layout","digestAlgorithm":"sha256","#,
                r#""tupleSize":3,"numberOfTuples":3}"#,
                "\n"
            ),
        ),
        (
            at("ocfl_layout.json"),
            concat!(
                r#"{"extension":"0003-hash-and-id-n-tuple-storage-layout","#,
                r#""description":"Objects stand in a folder named by their id, below three folders of three digits of its SHA-256"}"#,
                "\n"
            ),
        ),
        (at("0=ocfl_1.1"), "ocfl_1.1\n"),
    ]
}

/// The OCFL identifier of a dataset, a URI as OCFL 1.1 (section 3.5.1) advises.
pub(crate) fn ocfl_id(dataset: &DatasetId) -> String {
    format!("{ID_PREFIX}{dataset}")
}

/// The dataset an OCFL identifier names.
pub(crate) fn dataset_of(ocfl_id: &str) -> Option<DatasetId> {
    ocfl_id.strip_prefix(ID_PREFIX)?.parse().ok()
}

/// The root of a dataset's object (extension 0003, which more validators know than the others, and whose folders say
/// which dataset they hold).
pub(crate) fn object(dataset: &DatasetId) -> Path {
    let id = ocfl_id(dataset);
    let digest = Digest::of(&id).to_string();
    let tuples: Vec<&str> = (0..TUPLES).filter_map(|at| digest.get(at * TUPLE..(at + 1) * TUPLE)).collect();
    within(&Path::from(format!("{ROOT}/{}", tuples.join("/"))), &encapsulation(&id, &digest))
}

/// A name in a folder, taken literally: a `%` in it is not encoded once more.
pub(crate) fn within(folder: &Path, name: &str) -> Path {
    let key = format!("{folder}/{name}");
    Path::parse(&key).unwrap_or_else(|_| Path::from(key))
}

/// The name of an object's own folder: its id with everything but letters, digits, `-` and `_` as lower-case `%xx`, cut
/// at 100 characters with the digest behind it (extension 0003, "Encapsulation Directory").
fn encapsulation(id: &str, digest: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    match name.get(..LONGEST_NAME).filter(|_| name.len() > LONGEST_NAME) {
        Some(beginning) => format!("{beginning}-{digest}"),
        None => name,
    }
}

/// The folder of one version below an object's root.
pub(crate) fn version(object: &Path, version: VersionNumber) -> Path {
    object.clone().join(version.to_string())
}

/// The inventory in an object's root or version folder.
pub(crate) fn inventory(folder: &Path) -> Path {
    folder.clone().join(INVENTORY)
}

/// The inventory's sidecar in an object's root or version folder.
pub(crate) fn sidecar(folder: &Path) -> Path {
    folder.clone().join(SIDECAR)
}

/// The folder of a draft's blobs.
pub(crate) fn draft(draft: &DatasetId) -> Path {
    Path::from(format!("{DRAFTS}/{draft}"))
}

/// One blob of a draft.
pub(crate) fn blob(draft: &DatasetId, sha256: Digest) -> Path {
    Path::from(format!("{DRAFTS}/{draft}/{sha256}"))
}

/// The folder of a dataset's derived manifests.
pub(crate) fn manifests(dataset: &DatasetId) -> Path {
    Path::from(format!("{MANIFESTS}/{dataset}"))
}

/// The derived manifest of one version.
pub(crate) fn manifest(dataset: &DatasetId, version: VersionNumber) -> Path {
    manifests(dataset).join(format!("{version}.ndjson"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_stands_where_extension_0003_puts_it() {
        let id: DatasetId = "idr.idr0001".parse().unwrap();
        let digest = Digest::of("urn:heliograph:idr.idr0001").to_string();
        let name = "urn%3aheliograph%3aidr%2eidr0001";
        let expected = format!("ocfl/{}/{}/{}/{name}", &digest[..3], &digest[3..6], &digest[6..9]);
        assert_eq!(object(&id).as_ref(), expected);
        let long: DatasetId = "x".repeat(120).parse().unwrap();
        assert!(object(&long).as_ref().ends_with(&format!("xxx-{}", Digest::of(ocfl_id(&long)))));
        assert_eq!(dataset_of(&ocfl_id(&id)), Some(id));
        assert_eq!(dataset_of("urn:other:x"), None);
    }

    #[test]
    fn the_declaration_of_the_root_is_written_last() {
        assert!(root_files()[2].0.as_ref().ends_with("0=ocfl_1.1"));
        assert_eq!(manifest(&"a.b".parse().unwrap(), VersionNumber::FIRST).as_ref(), "manifests/a.b/v1.ndjson");
    }
}
