use std::collections::BTreeSet;

use crate::{
    at::{At, whole},
    faults::Faults,
    node::Node,
    source::split,
    tree::{Tree, resolve},
};

use super::{Rule, plate::is_alphanumeric};

/// Judges the `well` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    let Some(well) = node.ome_key("well") else { return };
    if well.object().is_none() {
        return faults.add(Rule::WellType, well.place(), "the well is not an object", "Write an object.");
    }
    let images = well.list("images");
    if images.is_empty() {
        faults.add(Rule::WellImages, well.place_of("images"), "the well lists no images", "List its fields of view.");
    }
    let mut seen = BTreeSet::new();
    for image in &images {
        match image.text_of("path") {
            Some(path) if is_alphanumeric(path) && seen.insert(path) => {}
            _ => {
                let message = "the field has no path of its own, of letters and digits";
                faults.add(Rule::WellPath, image.place_of("path"), message, "Name the fields \"0\", \"1\", …");
            }
        }
        if image.get("acquisition").is_some_and(|acquisition| whole(acquisition.value).is_none()) {
            let message = "the acquisition is not a whole number";
            faults.add(
                Rule::WellAcquisition,
                image.place_of("acquisition"),
                message,
                "Write the id of an acquisition.",
            );
        }
    }
}

/// Judges the fields against the tree, and the acquisitions against the plate.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some(well) = node.ome_key("well") else { return };
    check_unlisted(tree, node, &well, faults);
    check_count(tree, node, &well, faults);
    let acquisitions = acquisitions(tree, &node.folder);
    for image in well.list("images") {
        let Some(folder) = image.text_of("path").and_then(|path| resolve(&node.folder, path)) else { continue };
        if tree.image(&folder).is_none() {
            let message = format!("there is no image at '{folder}'");
            faults.add(Rule::WellMissing, image.place_of("path"), message, "Add the field, or drop it from the well.");
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
            faults.add(Rule::WellAcquisition, place, message, "Use the id of an acquisition that the plate lists.");
        }
        None if known.len() > 1 => {
            let message = "the plate has several acquisitions, but the field does not say its own";
            faults.add(Rule::WellAcquisition, place, message, "Write the id of the acquisition.");
        }
        _ => {}
    }
}

/// Images of the well that its list forgets.
fn check_unlisted(tree: &Tree, node: &Node, well: &At<'_>, faults: &mut Faults) {
    let images = well.list("images");
    let listed: BTreeSet<String> =
        images.iter().filter_map(|image| resolve(&node.folder, image.text_of("path")?)).collect();
    for child in tree.children(&node.folder) {
        if tree.image(&child.folder).is_some() && !listed.contains(&child.folder) {
            let message = format!("the field '{}' is not listed", child.folder);
            faults.add(Rule::WellUnlisted, well.place_of("images"), message, "List it, or take it out.");
        }
    }
}

/// No well has more fields than the plate says.
fn check_count(tree: &Tree, node: &Node, well: &At<'_>, faults: &mut Faults) {
    let most = plate_of(tree, &node.folder).and_then(|plate| whole(plate.get("field_count")?.value));
    let acquisitions = acquisitions(tree, &node.folder).len().max(1) as i64;
    let fields = well.list("images").len() as i64;
    // Writers count fields for each acquisition, or in all.
    if let Some(most) = most.filter(|most| *most > 0 && fields > most.saturating_mul(acquisitions)) {
        let message = format!("the well has {fields} fields, the plate says that there are at most {most}");
        faults.add(Rule::WellCount, well.place_of("images"), message, "Write the largest number as field_count.");
    }
}

/// The plate two levels up.
fn plate_of<'a>(tree: &'a Tree, well: &str) -> Option<At<'a>> {
    let plate = split(well).and_then(|(row, _)| split(row)).and_then(|(plate, _)| tree.group(plate));
    plate?.ome_key("plate")
}

fn acquisitions(tree: &Tree, well: &str) -> Vec<i64> {
    let Some(plate) = plate_of(tree, well) else { return Vec::new() };
    let ids = plate.list("acquisitions");
    ids.iter().filter_map(|acquisition| whole(acquisition.get("id")?.value)).collect()
}
