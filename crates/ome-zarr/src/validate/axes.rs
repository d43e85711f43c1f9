use std::collections::BTreeSet;

use dataset_model::Severity;

use crate::{at::At, faults::Faults};

use super::Rule;

/// UDUNITS-2 names, as the specification lists them (section "axes" metadata).
const METRES: &str = "angstrom attometer centimeter decimeter exameter femtometer foot gigameter hectometer inch kilometer \
    megameter meter micrometer mile millimeter nanometer parsec petameter picometer terameter yard yoctometer yottameter \
    zeptometer zettameter";
const SECONDS: &str = "attosecond centisecond day decisecond exasecond femtosecond gigasecond hectosecond hour kilosecond \
    megasecond microsecond millisecond minute nanosecond petasecond picosecond second terasecond yoctosecond yottasecond \
    zeptosecond zettasecond";

/// Judges the axes; their number, if there is a list of them.
pub(super) fn check(multiscale: &At<'_>, faults: &mut Faults) -> Option<usize> {
    let place = multiscale.place_of("axes");
    let Some(items) = multiscale.get("axes").and_then(|axes| axes.items()) else {
        faults.add(Rule::AxesMissing, place, "the image has no list of axes", "List the axes, slowest first.");
        return None;
    };
    if !(2..=5).contains(&items.len()) {
        let message = format!("the image has {} axes; 2 to 5 are allowed", items.len());
        faults.add(Rule::AxesCount, place, message, "Drop axes of length 1, or split the image.");
        return Some(items.len());
    }
    for item in &items {
        check_axis(item, faults);
    }
    check_names(&items, faults);
    check_kinds(&items, &place, faults);
    check_spatial_names(&items, &place, faults);
    Some(items.len())
}

fn check_axis(axis: &At<'_>, faults: &mut Faults) {
    let Some(object) = axis.object() else {
        let hint = "Write each axis as {\"name\": …, \"type\": …, \"unit\": …}; plain strings are OME-Zarr 0.3.";
        return faults.add(Rule::AxesType, axis.place(), "an axis is not an object", hint);
    };
    for key in ["type", "unit"] {
        if object.get(key).is_some_and(|value| !value.is_string() && !value.is_null()) {
            faults.add(Rule::AxesType, axis.place_of(key), format!("the {key} is not text"), "Write it in quotes.");
        }
    }
    let units = match axis.text_of("type") {
        Some("space") => METRES,
        Some("time") => SECONDS,
        Some(_) => return,
        None => {
            let hint = "Say \"space\", \"time\" or \"channel\".";
            return faults.add(Rule::AxesKind, axis.place_of("type"), "an axis does not say what it runs along", hint);
        }
    };
    match axis.text_of("unit") {
        Some(unit) if units.split_whitespace().any(|known| known == unit) => {}
        Some(unit) => {
            let message = format!("'{}' is not a unit that the axis can have", unit.escape_default());
            faults.add(
                Rule::AxesUnit,
                axis.place_of("unit"),
                message,
                "Use a UDUNITS-2 name such as \"micrometer\" or \"second\".",
            );
        }
        None => {
            let hint = "Say the unit, such as \"micrometer\" or \"second\".";
            faults.add_as(
                Severity::Note,
                Rule::AxesUnit,
                axis.place_of("unit"),
                "an axis has no unit, so sizes cannot be shown",
                hint,
            );
        }
    }
}

fn check_names(axes: &[At<'_>], faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for axis in axes {
        match axis.text_of("name") {
            None | Some("") => faults.add(Rule::AxesName, axis.place_of("name"), "an axis has no name", "Name it."),
            Some(name) if !seen.insert(name) => {
                let message = format!("two axes are called '{}'", name.escape_default());
                faults.add(Rule::AxesName, axis.place_of("name"), message, "Give each axis a name of its own.");
            }
            Some(_) => {}
        }
    }
}

fn check_kinds(axes: &[At<'_>], place: &str, faults: &mut Faults) {
    // Time comes first, then a channel or custom axis, then space.
    let ranks: Vec<u8> = axes
        .iter()
        .map(|axis| match axis.text_of("type") {
            Some("time") => 0,
            Some("space") => 2,
            _ => 1,
        })
        .collect();
    let count = |rank: u8| ranks.iter().filter(|other| **other == rank).count();
    if !(2..=3).contains(&count(2)) {
        let message = format!("the image has {} axes of type space; 2 or 3 are needed", count(2));
        faults.add(Rule::AxesSpace, place, message, "Give the spatial axes the type \"space\".");
    }
    if count(0) > 1 || count(1) > 1 {
        let message = "there is more than one time axis, or more than one channel or custom axis";
        faults.add(Rule::AxesRepeated, place, message, "Keep one of each, and split the image along the others.");
    }
    if !ranks.is_sorted() {
        let message = "the axes are not in the order time, channel, space";
        faults.add(Rule::AxesOrder, place, message, "Store the pixels with time first and space last.");
    }
}

fn check_spatial_names(axes: &[At<'_>], place: &str, faults: &mut Faults) {
    let spatial = axes.iter().filter(|axis| axis.text_of("type") == Some("space"));
    let names: Vec<&str> = spatial.filter_map(|axis| axis.text_of("name")).collect();
    let known: Option<Vec<usize>> =
        names.iter().map(|name| ["z", "y", "x"].iter().position(|axis| axis == name)).collect();
    if known.is_some_and(|order| !order.is_sorted()) {
        let hint = "Store the pixels with x last; viewers take the last two axes for the picture.";
        faults.add(Rule::AxesZyx, place, "the spatial axes are not in the order z, y, x", hint);
    }
}
