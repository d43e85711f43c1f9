use std::collections::BTreeSet;

use crate::{
    at::{At, whole},
    faults::Faults,
    node::Node,
    source::split,
    tree::{Tree, dataset_paths, resolve},
};

use super::{arrays, is_v04};

/// Judges the `image-label` metadata by itself.
pub(super) fn check_label(node: &Node, faults: &mut Faults) {
    let Some(label) = node.ome_key("image-label") else { return };
    if label.object().is_none() {
        return faults.error("label.type", label.place(), "image-label is not an object", "Write an object.");
    }
    check_values(&label, "colors", faults);
    check_values(&label, "properties", faults);
    for color in label.list("colors") {
        check_rgba(&color, faults);
    }
    let missing =
        [("colors", true), ("version", is_v04(node))].into_iter().filter(|(key, due)| *due && label.get(key).is_none());
    let missing: Vec<&str> = missing.map(|(key, _)| key).collect();
    if !missing.is_empty() {
        let message = format!("the label should also say its {}", missing.join(" and "));
        faults.warn("label.described", label.place(), message, "Add them to image-label.");
    }
    if let Some(image) = label.get("source").and_then(|source| source.get("image"))
        && image.text().is_none()
    {
        faults.error("label.source", image.place(), "the source image is not a path", "Write the path in quotes.");
    }
}

fn check_values(label: &At<'_>, key: &str, faults: &mut Faults) {
    let Some(list) = label.get(key) else { return };
    let items = list.items().unwrap_or_default();
    if items.is_empty() {
        let message = format!("{key} is not a list with at least one entry");
        faults.error("label.empty", list.place(), message, "List the values, or leave it out.");
    }
    let mut seen = BTreeSet::new();
    for item in items {
        let place = item.place_of("label-value");
        match item.get("label-value").and_then(|value| whole(value.value)) {
            None => {
                let message = "there is no whole number for label-value";
                faults.error("label.value", place, message, "Write the pixel value of the label.");
            }
            Some(value) if !seen.insert(value) => {
                let message = format!("the label value {value} is listed twice");
                faults.error("label.duplicate", place, message, "List each value once.");
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
        faults.error("label.rgba", rgba.place(), message, "Write red, green, blue and opacity.");
    }
}

/// Judges the list of a `labels` group by itself.
pub(super) fn check_list(node: &Node, faults: &mut Faults) {
    let Some(list) = node.ome_key("labels") else { return };
    let Some(items) = list.items() else {
        return faults.error("labels.type", list.place(), "labels is not a list of paths", "List the label images.");
    };
    if items.is_empty() {
        faults.warn(
            "labels.empty",
            list.place(),
            "the list of labels is empty",
            "List the label images, or drop the group.",
        );
    }
    for item in items {
        if item.text().and_then(|path| resolve("", path)).is_none() {
            let message = "an entry is no path inside the labels group";
            faults.error("labels.path", item.place(), message, "Use a relative path without '..'.");
        }
    }
}

/// Judges that what is listed is there, and what is there listed.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some(list) = node.ome_key("labels") else { return check_unlisted_group(tree, node, faults) };
    let mut listed = BTreeSet::new();
    for item in list.items().unwrap_or_default() {
        let Some(folder) = item.text().and_then(|path| resolve(&node.folder, path)) else { continue };
        match tree.image(&folder) {
            None => {
                let message = format!("there is no label image at '{folder}'");
                faults.error("labels.missing", item.place(), message, "Add the label image, or drop it from the list.");
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
        faults.warn("labels.unlisted", list.place(), message, "Add it to the list, or viewers will not find it.");
    }
}

/// Folders between the `labels` group and a label image are plain.
fn check_between(tree: &Tree, labels: &str, label: &str, faults: &mut Faults) {
    let mut above = split(label);
    while let Some((parent, _)) = above.filter(|(parent, _)| *parent != labels && parent.len() > labels.len()) {
        if let Some(node) =
            tree.get(parent).filter(|node| node.ome().is_some_and(|ome| ome.object().is_some_and(|o| !o.is_empty())))
        {
            let message = "a group between the labels group and a label image holds metadata";
            faults.error("labels.between", node.file.clone(), message, "Leave such groups without attributes.");
        }
        above = split(parent);
    }
}

fn check_unlisted_group(tree: &Tree, node: &Node, faults: &mut Faults) {
    let of_image = split(&node.folder).filter(|(parent, name)| *name == "labels" && tree.image(parent).is_some());
    if of_image.is_some() {
        let hint = "Write \"labels\": [names of the label images], or remove the group.";
        faults.warn("labels.none", node.file.clone(), "the labels group lists no labels", hint);
    }
}

/// Judges a label image against the image it belongs to.
fn check_image(tree: &Tree, labels: &str, label: &Node, faults: &mut Faults) {
    let label_levels = arrays::shapes(tree, label);
    if let Some((_, data_type)) = label_levels.iter().find(|(_, data_type)| !data_type.is_integer()) {
        let message = format!("the label image has pixels of type {data_type}; whole numbers are needed");
        faults.error("label.data-type", label.file.clone(), message, "Write the labels as integers.");
    }
    if label.ome_key("image-label").is_none() {
        let hint = "Add image-label with colors and the source image.";
        faults.warn("label.plain", label.file.clone(), "the label image has no image-label metadata", hint);
    }
    // The parent of the `labels` group is the image, unless the group stands alone.
    let Some(image) = split(labels).and_then(|(parent, _)| tree.image(parent)) else { return };
    let (ours, theirs) = (dataset_paths(label).len(), dataset_paths(image).len());
    if ours != theirs {
        let message = format!("the label image has {ours} levels, its image {theirs}");
        faults.error("label.levels", label.file.clone(), message, "Write as many levels as the image has.");
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
        faults.warn("label.shape", label.file.clone(), message, hint);
    }
}

fn axis_names(node: &Node) -> Vec<String> {
    let first = node.ome_key("multiscales").and_then(|list| list.items()?.into_iter().next());
    let axes = first.map(|first| first.list("axes")).unwrap_or_default();
    axes.iter().map(|axis| axis.text_of("name").unwrap_or_default().to_owned()).collect()
}
