use dataset_model::Severity;

use crate::{at::At, faults::Faults};

use super::Rule;

const KEY: &str = "coordinateTransformations";

/// Judges the transformations of a dataset, which must be there.
pub(super) fn check_required(dataset: &At<'_>, dimensions: Option<usize>, faults: &mut Faults) {
    if dataset.get(KEY).is_none() {
        let hint = "Say the size of a pixel with a transformation of type scale.";
        return faults.add(
            Rule::TransformsMissing,
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
        faults.add(
            Rule::TransformsScale,
            list.place(),
            message,
            "Keep one scale: the size of a pixel along each axis.",
        );
    }
    if count("translation") > 1 || kinds.first() == Some(&Some("translation")) {
        let message = "a translation is repeated, or stands before the scale";
        faults.add(Rule::TransformsTranslation, list.place(), message, "Keep one translation, after the scale.");
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
            return faults.add(Rule::TransformsType, item.place_of("type"), message, "Use scale and translation only.");
        }
    };
    let Some(vector) = item.get(kind).and_then(|vector| vector.numbers()) else {
        let message = format!("the {kind} is not a list of finite numbers");
        // The text allows numbers in a file of their own, which no writer uses and no reader reads.
        let severity = if item.text_of("path").is_some() { Severity::Warning } else { Severity::Error };
        let hint = "Write one number for each axis.";
        return faults.add_as(severity, Rule::TransformsVector, item.place_of(kind), message, hint);
    };
    if dimensions.is_some_and(|dimensions| dimensions != vector.len()) {
        let message = format!("the {kind} has {} numbers, the image {} axes", vector.len(), dimensions.unwrap_or(0));
        faults.add(Rule::TransformsLength, item.place_of(kind), message, "Write one number for each axis.");
    }
    if kind == "scale" && vector.iter().any(|scale| *scale <= 0.0) {
        let message = "a pixel has no size, or a negative one, along an axis";
        faults.add(
            Rule::TransformsPositive,
            item.place_of(kind),
            message,
            "Write sizes above 0; use 1 where none is known.",
        );
    }
}

/// Judges that the pixels of a smaller level are larger, as much as the level is smaller; `levels` are dataset and shape.
pub(super) fn check_levels(levels: &[(At<'_>, &[u64])], faults: &mut Faults) {
    let scale = |dataset: &At<'_>| {
        let found = dataset.list(KEY).into_iter().find(|item| item.text_of("type") == Some("scale"));
        found.and_then(|item| item.get("scale")?.numbers())
    };
    let Some(((first, full), smaller)) = levels.split_first() else { return };
    let Some(first) = scale(first) else { return };
    for (dataset, shape) in smaller {
        let Some(scale) = scale(dataset) else { continue };
        let axes = full.iter().zip(*shape).zip(first.iter().zip(&scale));
        // Levels are cut or padded by up to a pixel of theirs, so only what is far off is said.
        let is_off = |((full, shape), (first, scale)): ((&u64, &u64), (&f64, &f64))| {
            let (by_shape, by_scale) = (*full as f64 / *shape as f64, scale / first);
            *shape > 1 && !(0.6..=1.7).contains(&(by_scale / by_shape))
        };
        if axes.clone().any(is_off) {
            let message = "the pixels of a smaller level are not larger by as much as the level is smaller";
            let hint = "Write the scale of each level: the size of a pixel of the level before, times the factor.";
            faults.add(Rule::TransformsShrink, dataset.place_of(KEY), message, hint);
        }
    }
}
