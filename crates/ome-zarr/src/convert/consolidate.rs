//! One document at the root with the metadata of all groups and arrays, as zarr-python and others read it.

use std::{fs, io, path::Path};

use dataset_model::Finding;
use serde_json::{Map, Value, json};

use crate::{error::OmeZarrError, source::join, write::write_json};

/// A larger document would be refused, here and elsewhere, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// Writes `consolidated_metadata` into the root's `zarr.json`; says so where it would be too large.
pub(super) fn consolidate(tree: &Path) -> Result<Option<Finding>, OmeZarrError> {
    let root = tree.join("zarr.json");
    let failed = |error: io::Error| OmeZarrError::write(&root, error);
    let mut documents = Map::new();
    let mut size = 0;
    collect(tree, "", &mut documents, &mut size).map_err(failed)?;
    let mut whole = read(&root).map_err(failed)?;
    let Some(document) = whole.as_object_mut() else { return Ok(None) };
    document.shift_remove("consolidated_metadata");
    if size > MAX_BYTES {
        write_json(&root, &whole)?;
        let message = "the metadata of this hierarchy is too large to be repeated in one document";
        return Ok(Some(Finding::note(
            "ome-zarr.convert.consolidated",
            "zarr.json",
            message,
            "Nothing needs to be done.",
        )));
    }
    let consolidated = json!({"kind": "inline", "must_understand": false, "metadata": documents});
    document.insert("consolidated_metadata".to_owned(), consolidated);
    write_json(&root, &whole)?;
    Ok(None)
}

/// The documents of all nodes below a folder, by their paths, in order.
fn collect(folder: &Path, path: &str, documents: &mut Map<String, Value>, size: &mut u64) -> io::Result<()> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort_unstable();
    for name in names {
        let (below, path) = (folder.join(&name), join(path, &name));
        let file = below.join("zarr.json");
        let Ok(metadata) = fs::metadata(&file) else { continue };
        *size += metadata.len();
        if *size > MAX_BYTES {
            return Ok(());
        }
        let document = read(&file)?;
        let is_group = document.get("node_type").and_then(Value::as_str) == Some("group");
        documents.insert(path.clone(), document);
        if is_group {
            collect(&below, &path, documents, size)?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> io::Result<Value> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}
