use crate::{
    faults::Faults,
    node::{Node, NodeKind},
    source::split,
    tree::{Tree, above},
};

use super::Rule;

/// Judges that every folder between a node and the top of its store is a group: readers go from group to group.
pub(super) fn check(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some((parent, _)) = split(&node.folder) else { return };
    if let Some(array) = tree.get(parent).filter(|parent| parent.kind == NodeKind::Array) {
        let message = format!("'{}' lies inside an array", node.folder);
        faults.add(Rule::ChunkForeign, array.file.clone(), message, "Move it out of the array's folder.");
    }
    if tree.get(parent).is_some() || is_judged_elsewhere(tree, parent) {
        return;
    }
    let is_first = tree.children(parent).next().is_some_and(|first| first.folder == node.folder);
    if is_first && above(parent).any(|folder| tree.get(folder).is_some()) {
        let message = format!("the folder '{parent}' has no metadata, so it is not a Zarr group");
        faults.add(Rule::ZarrGroup, node.file.clone(), message, "Create the group.");
    }
}

/// Labels groups, rows and wells have rules of their own.
fn is_judged_elsewhere(tree: &Tree, folder: &str) -> bool {
    let Some((parent, name)) = split(folder) else { return false };
    let is_plate = |folder: &str| tree.group(folder).is_some_and(|group| group.ome_key("plate").is_some());
    let is_well = split(parent).is_some_and(|(grandparent, _)| is_plate(grandparent));
    is_plate(parent) || is_well || (name == "labels" && tree.image(parent).is_some())
}
