use std::collections::BTreeSet;

use crate::{
    at::{At, whole},
    faults::Faults,
    node::Node,
    source::{join, split},
    tree::{Tree, resolve},
};

use super::Rule;

/// More series than any file has; beyond this, counting stops.
const MAX_SERIES: u64 = 100_000;

/// Judges the `bioformats2raw.layout` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    if let Some(layout) = node.ome_key("bioformats2raw.layout")
        && whole(layout.value) != Some(3)
    {
        let message = "the layout of bioformats2raw is not 3, the only one specified";
        faults.add(Rule::SeriesLayout, layout.place(), message, "Convert again with a current bioformats2raw.");
    }
}

/// Judges that the series of a converted file are there.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some(layout) = node.ome_key("bioformats2raw.layout") else { return };
    let ome = join(&node.folder, "OME");
    let series = tree.group(&ome).and_then(|group| group.ome_key("series"));
    if node.ome_key("plate").is_some() {
        // A plate lists its images itself and wins.
        if let Some(series) = series.filter(|series| !agrees_with_plate(tree, node, series)) {
            let message = "series names other images than the plate, which is what counts";
            let hint = "List the images of the plate, or drop the list (done at deposit).";
            faults.add(Rule::SeriesPlate, series.place(), message, hint);
        }
        return;
    }
    match series {
        Some(series) => check_listed(tree, &node.folder, &series, faults),
        None => check_counted(tree, &node.folder, &layout, faults),
    }
    if !tree.has_file(&join(&ome, "METADATA.ome.xml")) {
        let message = "the file's original metadata, OME/METADATA.ome.xml, is not there";
        faults.add(Rule::SeriesXml, layout.place(), message, "Keep the file that bioformats2raw writes.");
    }
}

/// How many images the store of a converted file has; `None` where a plate says it.
pub(super) fn images(tree: &Tree, node: &Node) -> Option<usize> {
    if node.ome_key("plate").is_some() {
        return None;
    }
    let series = tree.group(&join(&node.folder, "OME")).and_then(|group| group.ome_key("series"));
    let listed = series.and_then(|series| Some(series.items()?.len()));
    Some(listed.unwrap_or(counted(tree, &node.folder) as usize))
}

/// Whether a list of series names the fields of the plate and nothing else.
pub(crate) fn agrees_with_plate(tree: &Tree, root: &Node, series: &At<'_>) -> bool {
    let wells = root.ome_key("plate").map(|plate| plate.list("wells")).unwrap_or_default();
    let wells = wells.iter().filter_map(|well| tree.group(&resolve(&root.folder, well.text_of("path")?)?));
    let fields = wells.flat_map(|well| {
        let images = well.ome_key("well").map(|well| well.list("images")).unwrap_or_default();
        images.iter().filter_map(|image| resolve(&well.folder, image.text_of("path")?)).collect::<Vec<_>>()
    });
    let fields: BTreeSet<String> = fields.collect();
    let listed = series.items().unwrap_or_default();
    let listed: BTreeSet<String> = listed.iter().filter_map(|path| resolve(&root.folder, path.text()?)).collect();
    fields == listed
}

fn check_listed(tree: &Tree, root: &str, series: &At<'_>, faults: &mut Faults) {
    let Some(items) = series.items() else {
        return faults.add(Rule::SeriesType, series.place(), "series is not a list of paths", "List the images.");
    };
    for item in items {
        let found = item.text().and_then(|path| resolve(root, path)).filter(|folder| tree.image(folder).is_some());
        if found.is_none() {
            let message = "an entry of series is no image of the store";
            faults.add(Rule::SeriesMissing, item.place(), message, "Add the image, or drop it from the list.");
        }
    }
}

/// How many images there are, numbered from 0 without a gap.
fn counted(tree: &Tree, root: &str) -> u64 {
    (0..MAX_SERIES).take_while(|index| tree.image(&join(root, &index.to_string())).is_some()).count() as u64
}

/// Without a list the images are `0`, `1`, `2` and so on.
fn check_counted(tree: &Tree, root: &str, layout: &At<'_>, faults: &mut Faults) {
    let count = counted(tree, root);
    let numbered = tree.children(root).filter(|child| {
        let number = split(&child.folder).and_then(|(_, name)| name.parse::<u64>().ok());
        number.is_some_and(|number| number >= count) && tree.image(&child.folder).is_some()
    });
    if count == 0 || numbered.count() > 0 {
        let message = "the images are not numbered 0, 1, 2, … without a gap";
        faults.add(Rule::SeriesCount, layout.place(), message, "Number the images, or list them in OME/series.");
    }
}
