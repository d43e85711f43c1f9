use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    error::OmeZarrError,
    faults::Faults,
    node::{Node, NodeKind, ZarrVersion},
    source::{FileSource, join, split},
    tree::Tree,
};

use super::Rule;

/// Consolidated metadata larger than this are not compared but called stale, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Judges that consolidated metadata, which readers take instead of the tree, say what the tree says.
pub(super) fn check(source: &dyn FileSource, tree: &Tree, faults: &mut Faults) -> Result<(), OmeZarrError> {
    for node in tree.nodes.values().filter(|node| node.kind == NodeKind::Group) {
        faults.judge(node);
        if let Some((place, difference)) = difference(source, tree, node)? {
            let message = format!("the consolidated metadata do not say what the store says: {difference}");
            let hint = "Consolidate again, or drop them (done at deposit).";
            faults.add(Rule::ConsolidatedStale, place, message, hint);
        }
    }
    Ok(())
}

/// Where the consolidated metadata of a group are, and the first thing in which they differ from the tree.
pub(crate) fn difference(
    source: &dyn FileSource,
    tree: &Tree,
    group: &Node,
) -> Result<Option<(String, String)>, OmeZarrError> {
    match group.zarr {
        ZarrVersion::V3 => {
            let Some(consolidated) = group.structure().get("consolidated_metadata") else { return Ok(None) };
            let entries = consolidated.value.get("metadata").and_then(Value::as_object);
            let found =
                entries.map_or(Some("there are none".to_owned()), |entries| difference_v3(tree, group, entries));
            Ok(found.map(|found| (consolidated.place(), found)))
        }
        ZarrVersion::V2 => {
            let file = join(&group.folder, ".zmetadata");
            if tree.is_listed && !tree.has_file(&file) {
                return Ok(None);
            }
            let Some(size) = source.size(&file)? else { return Ok(None) };
            if size > MAX_BYTES {
                return Ok(Some((file, "they are too large to be compared".to_owned())));
            }
            let document: Value = serde_json::from_slice(&source.read(&file, 0..size)?).unwrap_or_default();
            let entries = document.get("metadata").and_then(Value::as_object);
            let found = match entries {
                Some(entries) => difference_v2(tree, group, entries),
                None => Some("there are none".to_owned()),
            };
            Ok(found.map(|found| (file, found)))
        }
    }
}

fn difference_v3(tree: &Tree, group: &Node, entries: &Map<String, Value>) -> Option<String> {
    for (path, said) in entries {
        let folder = join(&group.folder, path);
        match tree.get(&folder).filter(|node| node.zarr == ZarrVersion::V3) {
            None => return Some(format!("'{path}' is not there")),
            Some(node) if !is_same(said, &node.metadata) => return Some(format!("'{path}' is described otherwise")),
            Some(_) => {}
        }
    }
    let forgotten = |folder: &&String| !entries.contains_key(below(&group.folder, folder));
    let forgotten = tree.folders_below(&group.folder).filter(|_| tree.is_listed).find(forgotten)?;
    Some(format!("'{}' is not in them", below(&group.folder, forgotten)))
}

/// Whether two descriptions of a node agree, their own consolidated metadata and empty defaults aside.
fn is_same(said: &Value, stands: &Value) -> bool {
    let significant = |value: &Value| -> BTreeMap<String, Value> {
        let object = value.as_object().into_iter().flatten();
        // Writers differ in whether they spell out what is empty.
        let counts = |(key, value): &(&String, &Value)| {
            let is_empty = value.is_null()
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty);
            *key != "consolidated_metadata" && !is_empty
        };
        object.filter(counts).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    significant(said) == significant(stands)
}

fn difference_v2(tree: &Tree, group: &Node, entries: &Map<String, Value>) -> Option<String> {
    for (path, said) in entries {
        let (folder, name) = split(path).unwrap_or_default();
        let Some(node) = tree.get(join(&group.folder, folder).trim_end_matches('/')) else {
            return Some(format!("'{path}' is not there"));
        };
        let stands = match name {
            ".zattrs" => node.attributes().map(|attributes| attributes.value.clone()).unwrap_or_default(),
            ".zarray" | ".zgroup" if node.file.ends_with(name) => node.metadata.clone(),
            _ => return Some(format!("'{path}' is not there")),
        };
        if !is_same(said, &stands) {
            return Some(format!("'{path}' is described otherwise"));
        }
    }
    for folder in tree.folders_below(&group.folder).filter(|_| tree.is_listed) {
        let Some(node) = tree.get(folder) else { continue };
        let name = below(&group.folder, &node.file);
        if !entries.contains_key(name) {
            return Some(format!("'{name}' is not in them"));
        }
    }
    None
}

fn below<'a>(folder: &str, path: &'a str) -> &'a str {
    if folder.is_empty() { path } else { path.get(folder.len() + 1..).unwrap_or(path) }
}
