use crate::{at::At, faults::Faults};

const KEY: &str = "coordinateTransformations";

/// Judges the transformations of a dataset, which must be there.
pub(super) fn check_required(dataset: &At<'_>, dimensions: Option<usize>, faults: &mut Faults) {
    if dataset.get(KEY).is_none() {
        let hint = "Say the size of a pixel with a transformation of type scale.";
        return faults.error(
            "transforms.missing",
            dataset.place_of(KEY),
            "a level has no coordinate transformations",
            hint,
        );
    }
    check_optional(dataset, dimensions, faults);
}

/// Judges the transformations of a dataset or multiscale, if there are any.
pub(super) fn check_optional(at: &At<'_>, dimensions: Option<usize>, faults: &mut Faults) {
    let Some(list) = at.get(KEY) else { return };
    let items = list.items().unwrap_or_default();
    let kinds: Vec<Option<&str>> = items.iter().map(|item| item.text_of("type")).collect();
    let count = |kind: &str| kinds.iter().filter(|other| **other == Some(kind)).count();
    if count("scale") != 1 {
        let message = format!("there are {} transformations of type scale; exactly one is needed", count("scale"));
        faults.error("transforms.scale", list.place(), message, "Keep one scale: the size of a pixel along each axis.");
    }
    if count("translation") > 1 || kinds.first() == Some(&Some("translation")) {
        let message = "a translation is repeated, or stands before the scale";
        faults.error("transforms.translation", list.place(), message, "Keep one translation, after the scale.");
    }
    for item in &items {
        check_vector(item, dimensions, faults);
    }
}

fn check_vector(item: &At<'_>, dimensions: Option<usize>, faults: &mut Faults) {
    let kind = match item.text_of("type") {
        Some(kind @ ("scale" | "translation")) => kind,
        other => {
            let message =
                format!("a transformation of type '{}' is not allowed here", other.unwrap_or("none").escape_default());
            return faults.error("transforms.type", item.place_of("type"), message, "Use scale and translation only.");
        }
    };
    let Some(vector) = item.get(kind).and_then(|vector| vector.numbers()) else {
        let message = format!("the {kind} is not a list of finite numbers");
        return faults.error("transforms.vector", item.place_of(kind), message, "Write one number for each axis.");
    };
    if dimensions.is_some_and(|dimensions| dimensions != vector.len()) {
        let message = format!("the {kind} has {} numbers, the image {} axes", vector.len(), dimensions.unwrap_or(0));
        faults.error("transforms.length", item.place_of(kind), message, "Write one number for each axis.");
    }
    if kind == "scale" && vector.iter().any(|scale| *scale <= 0.0) {
        let message = "a pixel has no size, or a negative one, along an axis";
        faults.error(
            "transforms.positive",
            item.place_of(kind),
            message,
            "Write sizes above 0; use 1 where none is known.",
        );
    }
}
