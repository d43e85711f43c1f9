use std::collections::BTreeSet;

use crate::{
    at::{At, whole},
    faults::Faults,
    node::Node,
    source::split,
    tree::{Tree, resolve},
};

use super::plate::is_alphanumeric;

/// Judges the `well` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    let Some(well) = node.ome_key("well") else { return };
    let images = well.list("images");
    if images.is_empty() {
        faults.error("well.images", well.place_of("images"), "the well lists no images", "List its fields of view.");
    }
    let mut seen = BTreeSet::new();
    for image in &images {
        match image.text_of("path") {
            Some(path) if is_alphanumeric(path) && seen.insert(path) => {}
            _ => {
                let message = "the field has no path of its own, of letters and digits";
                faults.error("well.path", image.place_of("path"), message, "Name the fields \"0\", \"1\", …");
            }
        }
        if image.get("acquisition").is_some_and(|acquisition| whole(acquisition.value).is_none()) {
            let message = "the acquisition is not a whole number";
            faults.error("well.acquisition", image.place_of("acquisition"), message, "Write the id of an acquisition.");
        }
    }
}

/// Judges the fields against the tree, and the acquisitions against the plate.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some(well) = node.ome_key("well") else { return };
    let acquisitions = acquisitions(tree, &node.folder);
    for image in well.list("images") {
        let Some(folder) = image.text_of("path").and_then(|path| resolve(&node.folder, path)) else { continue };
        if tree.image(&folder).is_none() {
            let message = format!("there is no image at '{folder}'");
            faults.error("well.missing", image.place_of("path"), message, "Add the field, or drop it from the well.");
        }
        let acquisition = image.get("acquisition").and_then(|acquisition| whole(acquisition.value));
        check_acquisition(&image, acquisition, &acquisitions, faults);
    }
}

fn check_acquisition(image: &At<'_>, acquisition: Option<i64>, known: &[i64], faults: &mut Faults) {
    let place = image.place_of("acquisition");
    match acquisition {
        Some(id) if !known.is_empty() && !known.contains(&id) => {
            let message = format!("the plate has no acquisition {id}");
            faults.error("well.acquisition", place, message, "Use the id of an acquisition that the plate lists.");
        }
        None if known.len() > 1 => {
            let message = "the plate has several acquisitions, but the field does not say its own";
            faults.error("well.acquisition", place, message, "Write the id of the acquisition.");
        }
        _ => {}
    }
}

/// The acquisitions of the plate two levels up.
fn acquisitions(tree: &Tree, well: &str) -> Vec<i64> {
    let plate = split(well).and_then(|(row, _)| split(row)).and_then(|(plate, _)| tree.group(plate));
    let Some(plate) = plate.and_then(|plate| plate.ome_key("plate")) else { return Vec::new() };
    let ids = plate.list("acquisitions");
    ids.iter().filter_map(|acquisition| whole(acquisition.get("id")?.value)).collect()
}
