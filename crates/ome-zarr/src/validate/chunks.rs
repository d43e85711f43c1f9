use dataset_model::Severity;

use crate::{array::ArrayMeta, faults::Faults, node::Node, source::split, tree::Tree};

use super::Rule;

/// Metadata files that may stand in an array's folder.
const METADATA: [&str; 5] = ["zarr.json", ".zarray", ".zattrs", ".zmetadata", ".zgroup"];
/// What desktops leave behind; harmless, and their owners did not put it there.
const DROPPINGS: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// Judges the names of the files of an array: chunks of its grid, and nothing else. Absent chunks are normal.
pub(super) fn check(tree: &Tree, array: &Node, meta: &ArrayMeta, faults: &mut Faults) {
    let (mut outside, mut foreign, mut droppings) = (Vec::new(), Vec::new(), Vec::new());
    for (file, key) in files(tree, array) {
        match meta.keys.decode(key, meta.shape.len()) {
            Some(chunk) if is_inside(&chunk, meta) => {}
            Some(_) => outside.push(file),
            None if is_dropping(key) => droppings.push(file),
            // A group or array in there is reported by itself.
            None if METADATA.iter().any(|name| key.ends_with(&format!("/{name}"))) => {}
            None => foreign.push(file),
        }
    }
    report(None, Rule::ChunkOutside, "chunks that lie outside the image", &outside, faults);
    report(None, Rule::ChunkForeign, "files that are no chunks", &foreign, faults);
    report(Some(Severity::Warning), Rule::ChunkForeign, "files of a desktop", &droppings, faults);
}

/// The files of an array that should be chunks, with their names below the array's folder.
fn files<'a>(tree: &'a Tree, array: &'a Node) -> impl Iterator<Item = (&'a String, &'a str)> {
    let prefix = if array.folder.is_empty() { 0 } else { array.folder.len() + 1 };
    let files = tree.files_below(&array.folder).iter();
    files.filter_map(move |file| Some((file, file.get(prefix..)?))).filter(|(_, key)| !METADATA.contains(key))
}

/// The stored objects of an array that hold pixels of it: file and place in the grid.
pub(crate) fn objects(tree: &Tree, array: &Node, meta: &ArrayMeta) -> Vec<(String, Vec<u64>)> {
    let decode = |(file, key): (&String, &str)| {
        let chunk = meta.keys.decode(key, meta.shape.len()).filter(|chunk| is_inside(chunk, meta))?;
        Some((file.clone(), chunk))
    };
    files(tree, array).filter_map(decode).collect()
}

fn is_dropping(key: &str) -> bool {
    let name = split(key).map_or(key, |(_, name)| name);
    DROPPINGS.contains(&name) || name.starts_with("._")
}

fn is_inside(chunk: &[u64], meta: &ArrayMeta) -> bool {
    let sizes = meta.shape.iter().zip(&meta.object_shape);
    chunk.iter().zip(sizes).all(|(index, (size, chunk))| *index < size.div_ceil(*chunk))
}

fn report(severity: Option<Severity>, rule: Rule, what: &str, files: &[&String], faults: &mut Faults) {
    if let Some(first) = files.first() {
        let message = format!("the array's folder holds {what}: {}", files.len());
        let severity = severity.unwrap_or(rule.severity());
        faults.add_as(severity, rule, first.as_str(), message, "Remove them; no reader looks at them.");
    }
}
