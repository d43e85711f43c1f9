use std::collections::BTreeSet;

use crate::{at::At, describe::MAX_LEVELS, faults::Faults, node::Node, tree::resolve};

use super::{Rule, axes, is_v04, transforms};

/// Judges the `multiscales` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    let Some(multiscales) = node.ome_key("multiscales") else { return };
    let items = multiscales.items().unwrap_or_default();
    if items.is_empty() {
        let message = "multiscales is not a list with at least one entry";
        faults.add(Rule::MultiscalesEmpty, multiscales.place(), message, "List one entry with axes and datasets.");
    }
    if items.len() > 1 {
        let message = "there is more than one multiscale; only the first is shown and searched";
        faults.add(Rule::MultiscalesSeveral, multiscales.place(), message, "Store each image in a group of its own.");
    }
    for item in &items {
        check_multiscale(item, is_v04(node), faults);
    }
}

fn check_multiscale(multiscale: &At<'_>, is_v04: bool, faults: &mut Faults) {
    if multiscale.object().is_none() {
        return faults.add(Rule::MultiscalesType, multiscale.place(), "it is not an object", "Write an object.");
    }
    let dimensions = axes::check(multiscale, faults);
    for dataset in datasets(multiscale, faults) {
        check_path(&dataset, faults);
        transforms::check_required(&dataset, dimensions, faults);
    }
    check_unique_paths(multiscale, faults);
    transforms::check_optional(multiscale, dimensions, faults);
    check_described(multiscale, is_v04, faults);
}

fn datasets<'a>(multiscale: &At<'a>, faults: &mut Faults) -> Vec<At<'a>> {
    let datasets = multiscale.list("datasets");
    if datasets.is_empty() {
        let hint = "List the resolution levels, largest first.";
        faults.add(
            Rule::DatasetsMissing,
            multiscale.place_of("datasets"),
            "the image lists no resolution levels",
            hint,
        );
    }
    if datasets.len() > MAX_LEVELS {
        let message = format!("the image lists more than {MAX_LEVELS} resolution levels");
        faults.add(
            Rule::DatasetsCount,
            multiscale.place_of("datasets"),
            message,
            "Keep the levels that halve the size.",
        );
        return Vec::new();
    }
    datasets
}

fn check_path(dataset: &At<'_>, faults: &mut Faults) {
    let place = dataset.place_of("path");
    match dataset.text_of("path") {
        None => faults.add(Rule::DatasetsPath, place, "a level names no path", "Name the folder of its array."),
        Some(path) if resolve("", path).is_none() => {
            let message = format!("the path '{}' does not lead to a folder inside the image", path.escape_default());
            faults.add(Rule::DatasetsPath, place, message, "Use a relative path without '..', such as \"0\".");
        }
        Some(_) => {}
    }
}

fn check_unique_paths(multiscale: &At<'_>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for dataset in multiscale.list("datasets") {
        if let Some(path) = dataset.text_of("path")
            && !seen.insert(path.trim_end_matches('/'))
        {
            let message = format!("two levels name the same array '{}'", path.escape_default());
            faults.add(Rule::DatasetsDuplicate, dataset.place_of("path"), message, "List each array once.");
        }
    }
}

/// The parts that SHOULD be there.
fn check_described(multiscale: &At<'_>, is_v04: bool, faults: &mut Faults) {
    if let Some(name) = multiscale.get("name")
        && name.text().is_none()
    {
        faults.add(Rule::MultiscalesName, name.place(), "the name is not text", "Write the name in quotes.");
    }
    if multiscale.get("name").is_none() {
        faults.add(Rule::MultiscalesUnnamed, multiscale.place_of("name"), "the image has no name", "Name the image.");
    }
    let mut missing: Vec<&str> = ["type", "metadata"].into_iter().filter(|key| multiscale.get(key).is_none()).collect();
    if is_v04 && multiscale.get("version").is_none() {
        missing.push("version");
    }
    if !missing.is_empty() {
        let message = format!("the image should also say its {}", missing.join(", "));
        let hint = "Say in type and metadata how the smaller levels were made.";
        faults.add(Rule::MultiscalesDescribed, multiscale.place(), message, hint);
    }
}
