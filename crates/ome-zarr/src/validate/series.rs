use crate::{
    at::{At, whole},
    faults::Faults,
    node::Node,
    source::{join, split},
    tree::{Tree, resolve},
};

/// More series than any file has; beyond this, counting stops.
const MAX_SERIES: u64 = 100_000;

/// Judges the `bioformats2raw.layout` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    if let Some(layout) = node.ome_key("bioformats2raw.layout")
        && whole(layout.value) != Some(3)
    {
        let message = "the layout of bioformats2raw is not 3, the only one specified";
        faults.error("series.layout", layout.place(), message, "Convert again with a current bioformats2raw.");
    }
}

/// Judges that the series of a converted file are there.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some(layout) = node.ome_key("bioformats2raw.layout") else { return };
    // A plate lists its images itself and wins.
    if node.ome_key("plate").is_some() {
        return;
    }
    let ome = join(&node.folder, "OME");
    match tree.group(&ome).and_then(|group| group.ome_key("series")) {
        Some(series) => check_listed(tree, &node.folder, &series, faults),
        None => check_counted(tree, &node.folder, &layout, faults),
    }
    let xml = join(&ome, "METADATA.ome.xml");
    if tree.files.binary_search(&xml).is_err() {
        let message = "the file's original metadata, OME/METADATA.ome.xml, is not there";
        faults.warn("series.xml", layout.place(), message, "Keep the file that bioformats2raw writes.");
    }
}

fn check_listed(tree: &Tree, root: &str, series: &At<'_>, faults: &mut Faults) {
    let Some(items) = series.items() else {
        return faults.error("series.type", series.place(), "series is not a list of paths", "List the images.");
    };
    for item in items {
        let found = item.text().and_then(|path| resolve(root, path)).filter(|folder| tree.image(folder).is_some());
        if found.is_none() {
            let message = "an entry of series is no image of the store";
            faults.error("series.missing", item.place(), message, "Add the image, or drop it from the list.");
        }
    }
}

/// Without a list the images are `0`, `1`, `2` and so on.
fn check_counted(tree: &Tree, root: &str, layout: &At<'_>, faults: &mut Faults) {
    let count =
        (0..MAX_SERIES).take_while(|index| tree.image(&join(root, &index.to_string())).is_some()).count() as u64;
    let numbered = tree.folders_below(root).filter(|folder| {
        let number = split(folder).filter(|(parent, _)| *parent == root).and_then(|(_, name)| name.parse::<u64>().ok());
        number.is_some_and(|number| number >= count) && tree.image(folder).is_some()
    });
    if count == 0 || numbered.count() > 0 {
        let message = "the images are not numbered 0, 1, 2, … without a gap";
        faults.error("series.count", layout.place(), message, "Number the images, or list them in OME/series.");
    }
}
