//! What a dataset's images make of it in search.

use std::collections::BTreeSet;

use search_index::ImageFacets;

use crate::{ImageFacts, ImageView};

/// As many names of channels and labels of one dataset are searched in.
const MAX_NAMES: usize = 500;

/// The values a dataset is counted and filtered by: those of any of its images.
pub(crate) fn of(images: &[ImageView]) -> ImageFacets {
    let facts: Vec<&ImageFacts> = images.iter().filter_map(|image| image.facts.as_ref()).collect();
    let any = |holds: fn(&ImageFacts) -> bool| (!facts.is_empty()).then(|| facts.iter().any(|facts| holds(facts)));
    ImageFacets {
        dimensions: collect(facts.iter().flat_map(|facts| dimensions(facts))),
        channels: collect(facts.iter().filter_map(|facts| channels(facts))),
        data_types: collect(facts.iter().map(|facts| facts.data_type.clone())),
        versions: collect(facts.iter().map(|facts| facts.version.clone())),
        has_labels: any(|facts| !facts.labels.is_empty()),
        is_plate: any(|facts| facts.plate.is_some()),
        sharded: any(|facts| facts.shard_shape.is_some()),
    }
}

/// The names of channels and labels, by which a dataset is found too.
pub(crate) fn names(images: &[ImageView]) -> Vec<String> {
    let facts = images.iter().filter_map(|image| image.facts.as_ref());
    let of = |facts: &'_ ImageFacts| -> Vec<String> {
        let channels = facts.channels.iter().filter_map(|channel| channel.label.clone());
        channels.chain(facts.labels.iter().cloned()).collect()
    };
    collect(facts.flat_map(of).take(MAX_NAMES))
}

fn collect(values: impl Iterator<Item = String>) -> Vec<String> {
    let values: BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
    values.into_iter().collect()
}

/// `2D` or `3D`, `time-lapse`, `multichannel`.
fn dimensions(facts: &ImageFacts) -> Vec<String> {
    if facts.axes.is_empty() {
        return Vec::new();
    }
    let [_, _, (_, depth), (_, times), (_, channels)] = facts.sizes();
    let space = if depth > 1 { "3D" } else { "2D" };
    let mut dimensions = vec![space.to_owned()];
    dimensions.extend((times > 1).then(|| "time-lapse".to_owned()));
    dimensions.extend((channels > 1).then(|| "multichannel".to_owned()));
    dimensions
}

/// The number of channels; from five on, they are counted together.
fn channels(facts: &ImageFacts) -> Option<String> {
    let [.., (_, channels)] = facts.sizes();
    (!facts.axes.is_empty()).then(|| if channels < 5 { channels.to_string() } else { "5+".to_owned() })
}

#[cfg(test)]
mod tests {
    use ome_zarr::AxisKind;

    use super::*;
    use crate::AxisFacts;

    fn image(axes: &[(AxisKind, u64)], labels: &[&str]) -> ImageView {
        let axis =
            |(kind, size): &(AxisKind, u64)| AxisFacts { name: "a".into(), kind: *kind, size: *size, pixel: None };
        let facts = ImageFacts {
            axes: axes.iter().map(axis).collect(),
            labels: labels.iter().map(ToString::to_string).collect(),
            version: "0.5".into(),
            ..ImageFacts::default()
        };
        ImageView {
            path: "a".into(),
            name: "a".into(),
            description: String::new(),
            url: String::new(),
            thumbnail: None,
            facts: Some(facts),
            record: None,
        }
    }

    #[test]
    fn a_dataset_counts_under_what_any_of_its_images_is() {
        use AxisKind::{Channel, Space, Time};
        let flat = image(&[(Channel, 7), (Space, 9), (Space, 9)], &[]);
        let movie = image(&[(Time, 3), (Space, 2), (Space, 9), (Space, 9)], &["nuclei"]);
        let facets = of(&[flat, movie.clone()]);
        assert_eq!(facets.dimensions, ["2D", "3D", "multichannel", "time-lapse"]);
        assert_eq!(facets.channels, ["1", "5+"]);
        assert_eq!((facets.has_labels, facets.is_plate, facets.sharded), (Some(true), Some(false), Some(false)));
        assert_eq!(names(&[movie]), ["nuclei"]);
    }

    #[test]
    fn images_nobody_described_count_nowhere() {
        let unknown = ImageView { facts: None, ..image(&[], &[]) };
        assert_eq!(of(&[unknown]), ImageFacets::default());
    }
}
