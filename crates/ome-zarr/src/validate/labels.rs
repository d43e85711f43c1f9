use std::collections::BTreeSet;

use dataset_model::Severity;

use crate::{
    at::{At, whole},
    faults::Faults,
    node::{Node, ZarrVersion},
    source::{join, split},
    tree::{Tree, above, dataset_paths, resolve, resolve_upward},
};

use super::{Rule, arrays, is_v04};

/// Judges the `image-label` metadata by itself.
pub(super) fn check_label(node: &Node, faults: &mut Faults) {
    let Some(label) = node.ome_key("image-label") else { return };
    if label.object().is_none() {
        return faults.add(Rule::LabelType, label.place(), "image-label is not an object", "Write an object.");
    }
    check_values(&label, "colors", faults);
    check_values(&label, "properties", faults);
    for color in label.list("colors") {
        check_rgba(&color, faults);
    }
    // The version moved to the ome object with 0.5, but its text still asks for one here; the official suites do not.
    let missing =
        [("colors", true), ("version", is_v04(node))].into_iter().filter(|(key, due)| *due && label.get(key).is_none());
    let missing: Vec<&str> = missing.map(|(key, _)| key).collect();
    if !missing.is_empty() {
        let message = format!("the label should also say its {}", missing.join(" and "));
        faults.add(Rule::LabelDescribed, label.place(), message, "Add them to image-label.");
    }
    if let Some(image) = label.get("source").and_then(|source| source.get("image"))
        && image.text().is_none()
    {
        faults.add(Rule::LabelSource, image.place(), "the source image is not a path", "Write the path in quotes.");
    }
}

fn check_values(label: &At<'_>, key: &str, faults: &mut Faults) {
    let Some(list) = label.get(key) else { return };
    let items = list.items().unwrap_or_default();
    if items.is_empty() {
        let message = format!("{key} is not a list with at least one entry");
        faults.add(Rule::LabelEmpty, list.place(), message, "List the values, or leave it out.");
    }
    let mut seen = BTreeSet::new();
    for item in items {
        let place = item.place_of("label-value");
        match item.get("label-value").and_then(|value| whole(value.value)) {
            None => {
                let message = "there is no whole number for label-value";
                faults.add(Rule::LabelValue, place, message, "Write the pixel value of the label.");
            }
            Some(value) if !seen.insert(value) => {
                let message = format!("the label value {value} is listed twice");
                faults.add(Rule::LabelDuplicate, place, message, "List each value once.");
            }
            Some(_) => {}
        }
    }
}

fn check_rgba(color: &At<'_>, faults: &mut Faults) {
    let Some(rgba) = color.get("rgba") else { return };
    let bytes = rgba.items().map(|items| items.iter().filter_map(|item| whole(item.value)).collect::<Vec<_>>());
    let four = |bytes: &Vec<i64>| bytes.len() == 4 && bytes.iter().all(|byte| (0..=255).contains(byte));
    if !bytes.as_ref().is_some_and(four) || rgba.items().is_some_and(|items| items.len() != 4) {
        let message = "the color is not four whole numbers from 0 to 255";
        faults.add(Rule::LabelRgba, rgba.place(), message, "Write red, green, blue and opacity.");
    }
}

/// Judges the list of a `labels` group by itself.
pub(super) fn check_list(node: &Node, faults: &mut Faults) {
    let Some(list) = node.ome_key("labels") else { return };
    let Some(items) = list.items() else {
        return faults.add(Rule::LabelsType, list.place(), "labels is not a list of paths", "List the label images.");
    };
    if items.is_empty() {
        faults.add(
            Rule::LabelsEmpty,
            list.place(),
            "the list of labels is empty",
            "List the label images, or drop the group.",
        );
    }
    for item in items {
        if item.text().and_then(|path| resolve("", path)).is_none() {
            let message = "an entry is no path inside the labels group";
            faults.add(Rule::LabelsPath, item.place(), message, "Use a relative path without '..'.");
        }
    }
}

/// Judges that what is listed is there, and what is there listed.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    if let Some(label) = node.ome_key("image-label").filter(|_| node.ome_key("multiscales").is_none()) {
        let message = "the label is not an image: there is no multiscales metadata";
        faults.add(Rule::LabelMultiscales, label.place(), message, "Write multiscales beside image-label.");
    }
    check_source(tree, node, faults);
    check_group(tree, node, faults);
    let Some(list) = node.ome_key("labels") else { return check_unlisted_group(tree, node, faults) };
    let mut listed = BTreeSet::new();
    for item in list.items().unwrap_or_default() {
        let Some(folder) = item.text().and_then(|path| resolve(&node.folder, path)) else { continue };
        match tree.image(&folder) {
            None => {
                let message = format!("there is no label image at '{folder}'");
                faults.add(
                    Rule::LabelsMissing,
                    item.place(),
                    message,
                    "Add the label image, or drop it from the list.",
                );
            }
            Some(label) => check_image(tree, &node.folder, label, faults),
        }
        check_between(tree, &node.folder, &folder, faults);
        listed.insert(folder);
    }
    for folder in
        tree.folders_below(&node.folder).filter(|folder| tree.image(folder).is_some() && !listed.contains(*folder))
    {
        let message = format!("the label image '{folder}' is not listed");
        let severity = if is_v04(node) { Severity::Note } else { Severity::Warning };
        let hint = "Add it to the list, or viewers will not find it.";
        faults.add_as(severity, Rule::LabelsUnlisted, list.place(), message, hint);
    }
}

/// The image a label says it was made from is there, unless it lies outside of what is judged.
fn check_source(tree: &Tree, node: &Node, faults: &mut Faults) {
    let source = node.ome_key("image-label").and_then(|label| label.get("source")?.get("image"));
    let Some(source) = source.filter(|source| source.text().is_some()) else { return };
    let Some(folder) = resolve_upward(&node.folder, source.text().unwrap_or_default()) else { return };
    if tree.is_listed && tree.image(&folder).is_none() {
        let message = format!("there is no image at '{folder}', which the label says it was made from");
        faults.add(Rule::LabelSource, source.place(), message, "Write the path from the label to its image, ../../.");
    }
}

/// Label images lie in a group that lists them.
fn check_group(tree: &Tree, image: &Node, faults: &mut Faults) {
    let labels = join(&image.folder, "labels");
    let is_image = image.ome_key("multiscales").is_some();
    if is_image && tree.get(&labels).is_none() && tree.folders_below(&labels).any(|folder| tree.image(folder).is_some())
    {
        let message = format!("'{labels}' holds label images but is not a Zarr group");
        faults.add(Rule::LabelsGroup, image.file.clone(), message, "Create the group, with the list of its labels.");
    }
}

/// Folders between the `labels` group and a label image are plain.
fn check_between(tree: &Tree, labels: &str, label: &str, faults: &mut Faults) {
    let holds_metadata = |node: &&Node| node.attributes().is_some_and(|at| at.object().is_some_and(|o| !o.is_empty()));
    for parent in above(label).take_while(|parent| parent.len() > labels.len()) {
        if let Some(node) = tree.get(parent).filter(holds_metadata) {
            let message = "a group between the labels group and a label image holds metadata";
            faults.add(Rule::LabelsBetween, node.file.clone(), message, "Leave such groups without attributes.");
        }
    }
}

fn check_unlisted_group(tree: &Tree, node: &Node, faults: &mut Faults) {
    let of_image = split(&node.folder).filter(|(parent, name)| *name == "labels" && tree.image(parent).is_some());
    if of_image.is_some() {
        let hint = "Write \"labels\": [names of the label images], or remove the group.";
        // 0.4 says what the group contains, 0.5 what it MUST contain.
        let severity = if node.zarr == ZarrVersion::V2 { Severity::Warning } else { Severity::Error };
        faults.add_as(severity, Rule::LabelsNone, node.file.clone(), "the labels group lists no labels", hint);
    }
}

/// Judges a label image against the image it belongs to.
fn check_image(tree: &Tree, labels: &str, label: &Node, faults: &mut Faults) {
    let label_levels = arrays::shapes(tree, label);
    if let Some((_, data_type)) = label_levels.iter().find(|(_, data_type)| !data_type.is_integer()) {
        let message = format!("the label image has pixels of type {data_type}; whole numbers are needed");
        faults.add(Rule::LabelDataType, label.file.clone(), message, "Write the labels as integers.");
    }
    if label.ome_key("image-label").is_none() {
        let hint = "Add image-label with colors and the source image.";
        faults.add(Rule::LabelPlain, label.file.clone(), "the label image has no image-label metadata", hint);
    }
    // The parent of the `labels` group is the image, unless the group stands alone.
    let Some(image) = split(labels).and_then(|(parent, _)| tree.image(parent)) else { return };
    let (ours, theirs) = (dataset_paths(label).len(), dataset_paths(image).len());
    if ours != theirs {
        let message = format!("the label image has {ours} levels, its image {theirs}");
        faults.add(Rule::LabelLevels, label.file.clone(), message, "Write as many levels as the image has.");
    }
    check_extent(image, label, &arrays::shapes(tree, image), &label_levels, faults);
}

type Levels = [(Vec<u64>, crate::array::DataType)];

fn check_extent(image: &Node, label: &Node, of_image: &Levels, of_label: &Levels, faults: &mut Faults) {
    let (Some((image_shape, _)), Some((label_shape, _))) = (of_image.first(), of_label.first()) else { return };
    let (image_axes, label_axes) = (axis_names(image), axis_names(label));
    let fits = |(axis, size): (&String, &u64)| {
        let in_image = image_axes.iter().position(|other| other == axis).and_then(|index| image_shape.get(index));
        *size == 1 || in_image == Some(size)
    };
    if !label_axes.iter().zip(label_shape).all(fits) {
        let message = format!("the label image has size {label_shape:?}, its image {image_shape:?}");
        let hint = "Write the labels at the image's size, or 1 along an axis.";
        faults.add(Rule::LabelShape, label.file.clone(), message, hint);
    }
}

fn axis_names(node: &Node) -> Vec<String> {
    let first = node.ome_key("multiscales").and_then(|list| list.items()?.into_iter().next());
    let axes = first.map(|first| first.list("axes")).unwrap_or_default();
    axes.iter().map(|axis| axis.text_of("name").unwrap_or_default().to_owned()).collect()
}
