use crate::{array::ArrayMeta, faults::Faults, node::Node, tree::Tree};

/// Metadata files that may stand in an array's folder.
const METADATA: [&str; 5] = ["zarr.json", ".zarray", ".zattrs", ".zmetadata", ".zgroup"];

/// Judges the names of the files of an array: chunks of its grid, and nothing else. Absent chunks are normal.
pub(super) fn check(tree: &Tree, array: &Node, meta: &ArrayMeta, faults: &mut Faults) {
    let prefix = if array.folder.is_empty() { String::new() } else { format!("{}/", array.folder) };
    let mut outside = Vec::new();
    let mut foreign = Vec::new();
    for file in tree.files_below(&array.folder) {
        let key = file.strip_prefix(&prefix).unwrap_or(file);
        if METADATA.contains(&key) {
            continue;
        }
        match meta.keys.decode(key, meta.shape.len()) {
            Some(chunk) if is_inside(&chunk, meta) => {}
            Some(_) => outside.push(file),
            None => foreign.push(file),
        }
    }
    report("chunk.outside", "chunks that lie outside the image", &outside, faults);
    report("chunk.foreign", "files that are no chunks", &foreign, faults);
}

fn is_inside(chunk: &[u64], meta: &ArrayMeta) -> bool {
    let sizes = meta.shape.iter().zip(&meta.object_shape);
    chunk.iter().zip(sizes).all(|(index, (size, chunk))| *index < size.div_ceil(*chunk))
}

fn report(rule: &str, what: &str, files: &[&String], faults: &mut Faults) {
    if let Some(first) = files.first() {
        let message = format!("the array's folder holds {what}: {}", files.len());
        faults.warn(rule, first.as_str(), message, "Remove them; no reader looks at them.");
    }
}
