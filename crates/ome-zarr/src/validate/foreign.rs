use std::collections::BTreeMap;

use crate::{
    faults::Faults,
    node::{Node, NodeKind},
    source::split,
    tree::{Tree, above},
};

use super::Rule;

/// Files that may stand in a group.
const KNOWN: [&str; 6] = ["zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata", "ro-crate-metadata.json"];

/// Judges that the groups of a store hold nothing that no reader looks at. The files of arrays are judged with them.
pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    let mut found: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for file in &tree.files {
        let Some((folder, name)) = split(file) else { continue };
        // The original metadata of a converted file are kept in a group of this name.
        if KNOWN.contains(&name) || folder.split('/').any(|part| part == "OME") {
            continue;
        }
        let mut nodes = above(file).filter_map(|folder| tree.get(folder));
        let is_judged = |node: &&Node| node.kind == NodeKind::Group && super::is_judged(node);
        if let Some(group) = nodes.next().filter(is_judged) {
            found.entry(&group.folder).or_insert((file, 0)).1 += 1;
        }
    }
    for (group, (file, count)) in found {
        if let Some(node) = tree.get(group) {
            faults.judge(node);
        }
        let message = format!("the group holds files that are no part of an image: {count}");
        faults.add(Rule::ZarrForeign, file, message, "Put them beside the image; a dataset may hold any files.");
    }
}
