use dataset_model::Severity;

use crate::{
    array::{ArrayMeta, DataType},
    at::At,
    faults::Faults,
    node::{Node, NodeKind},
    tree::{Tree, resolve},
};

use super::{Rule, chunks, codecs, fill, transforms};

/// Decoded chunks above this are refused, in bytes: common codecs cannot hold more.
const MAX_CHUNK_BYTES: u64 = 2 << 30;
/// Decoded chunks above this make viewers slow, in bytes.
const LARGE_CHUNK_BYTES: u64 = 64 << 20;

/// An array of an image, and what was understood of it.
struct Level<'a> {
    dataset: At<'a>,
    node: &'a Node,
    meta: ArrayMeta,
}

/// Judges the arrays of an image.
pub(super) fn check(tree: &Tree, image: &Node, faults: &mut Faults) {
    let Some(multiscales) = image.ome_key("multiscales").and_then(|list| list.items()) else { return };
    for multiscale in &multiscales {
        let levels: Vec<Level<'_>> =
            multiscale.list("datasets").into_iter().filter_map(|dataset| level(tree, image, dataset, faults)).collect();
        let axes = multiscale.list("axes");
        for level in &levels {
            check_level(level, &axes, faults);
            codecs::check(level.node, faults);
            fill::check(level.node, level.meta.data_type, faults);
            chunks::check(tree, level.node, &level.meta, faults);
        }
        check_order(&levels, faults);
        let shapes: Vec<_> = levels.iter().map(|level| (level.dataset.clone(), level.meta.shape.as_slice())).collect();
        transforms::check_levels(&shapes, faults);
        check_channel_count(image, &levels, &axes, faults);
    }
}

fn level<'a>(tree: &'a Tree, image: &Node, dataset: At<'a>, faults: &mut Faults) -> Option<Level<'a>> {
    let path = dataset.text_of("path")?;
    let folder = resolve(&image.folder, path)?;
    let Some(node) = tree.get(&folder).filter(|node| node.kind == NodeKind::Array) else {
        let message = format!("there is no array at '{}'", path.escape_default());
        faults.add(Rule::ArrayMissing, dataset.place_of("path"), message, "Add the array, or drop the level.");
        return None;
    };
    match ArrayMeta::read(node) {
        Ok(meta) => Some(Level { dataset, node, meta }),
        Err(reason) => {
            let message = format!("the array cannot be read: {reason}");
            faults.add(Rule::ArrayMetadata, node.file.clone(), message, "Write the array again with a Zarr library.");
            None
        }
    }
}

fn check_level(level: &Level<'_>, axes: &[At<'_>], faults: &mut Faults) {
    let Level { dataset, node, meta } = level;
    if !axes.is_empty() && meta.shape.len() != axes.len() {
        let message = format!("the array has {} dimensions, the image {} axes", meta.shape.len(), axes.len());
        faults.add(Rule::ArrayDimensions, dataset.place_of("path"), message, "List one axis for each dimension.");
    }
    if meta.shape.contains(&0) {
        faults.add(
            Rule::ArrayEmpty,
            node.file.clone(),
            "the array holds no pixels",
            "Drop the level, or write its pixels.",
        );
    }
    check_names(level, axes, faults);
    let chunk = meta.bytes_of(meta.chunk_shape()).unwrap_or(u64::MAX);
    if chunk > MAX_CHUNK_BYTES {
        let hint = "Write chunks of 0.5 to 2 MiB.";
        faults.add(Rule::ArrayChunkSize, node.file.clone(), "one decoded chunk is larger than 2 GiB", hint);
    } else if chunk > LARGE_CHUNK_BYTES {
        let message = format!("one decoded chunk has {} MiB, too much for viewers", chunk >> 20);
        faults.add_as(
            Severity::Warning,
            Rule::ArrayChunkSize,
            node.file.clone(),
            message,
            "Write chunks of 0.5 to 2 MiB.",
        );
    }
    if node.zarr == crate::ZarrVersion::V2 && !meta.keys.is_nested() && meta.shape.len() > 1 {
        let message = "chunks are named with '.', so all lie in one folder";
        faults.add(Rule::ArraySeparator, node.file.clone(), message, "Write the array with dimension_separator \"/\".");
    }
}

/// Zarr 3 arrays name their dimensions, and name them as the axes do (0.5, section 3.1).
fn check_names(level: &Level<'_>, axes: &[At<'_>], faults: &mut Faults) {
    let Level { node, meta, .. } = level;
    if node.zarr == crate::ZarrVersion::V2 {
        return;
    }
    let place = node.structure().place_of("dimension_names");
    let Some(names) = &meta.dimension_names else {
        let hint = "Write dimension_names with the names of the axes.";
        return faults.add(Rule::ArrayNames, place, "the array does not name its dimensions", hint);
    };
    let axes: Vec<Option<&str>> = axes.iter().map(|axis| axis.text_of("name")).collect();
    if names.iter().map(Option::as_deref).ne(axes) {
        let message = "the array's dimension_names are not the names of the axes, in their order";
        faults.add(Rule::ArrayNames, place, message, "Write dimension_names with the names of the axes.");
    }
}

/// Largest first; all of one type.
fn check_order(levels: &[Level<'_>], faults: &mut Faults) {
    for pair in levels.windows(2) {
        let [larger, smaller] = pair else { continue };
        if larger.meta.shape.len() != smaller.meta.shape.len() {
            continue;
        }
        let (before, after) = (larger.meta.bytes_of(&larger.meta.shape), smaller.meta.bytes_of(&smaller.meta.shape));
        let grows = larger.meta.shape.iter().zip(&smaller.meta.shape).any(|(before, after)| after > before);
        let place = smaller.dataset.place_of("path");
        if grows {
            let message = "a level is larger than the one before it";
            faults.add(Rule::ArrayOrder, place.clone(), message, "List the levels from largest to smallest.");
        } else if before == after && larger.meta.data_type == smaller.meta.data_type {
            let message = "a level is as large as the one before it";
            faults.add_as(Severity::Warning, Rule::ArrayOrder, place.clone(), message, "Drop one of the two.");
        }
        if larger.meta.data_type != smaller.meta.data_type {
            let message = format!("level types differ: {} and {}", larger.meta.data_type, smaller.meta.data_type);
            faults.add(Rule::ArrayDataType, place, message, "Write all levels with one data type.");
        }
    }
}

fn check_channel_count(image: &Node, levels: &[Level<'_>], axes: &[At<'_>], faults: &mut Faults) {
    let Some(channels) = image.ome_key("omero").and_then(|omero| omero.get("channels")) else { return };
    let axis = axes.iter().position(|axis| axis.text_of("type") == Some("channel"));
    let is_known = |axis: &At<'_>| matches!(axis.text_of("type"), Some("space" | "time"));
    if axis.is_none() && !axes.iter().all(is_known) {
        // Channels may lie along an axis that does not say so.
        return;
    }
    let Some(first) = levels.first() else { return };
    let size = axis.map_or(Some(1), |axis| first.meta.shape.get(axis).copied()).unwrap_or(1);
    let described = channels.items().map_or(0, |items| items.len() as u64);
    if described != size {
        let message = format!("omero describes {described} channels, the image has {size}");
        faults.add(Rule::OmeroCount, channels.place(), message, "Describe each channel once, in order.");
    }
}

/// The folders of an image's arrays, as far as they are there.
pub(crate) fn folders(tree: &Tree, image: &Node) -> Vec<String> {
    let multiscales = image.ome_key("multiscales").and_then(|list| list.items()).unwrap_or_default();
    let datasets = multiscales.iter().flat_map(|multiscale| multiscale.list("datasets"));
    let folders = datasets.filter_map(|dataset| resolve(&image.folder, dataset.text_of("path")?));
    folders.filter(|folder| tree.get(folder).is_some_and(|node| node.kind == NodeKind::Array)).collect()
}

/// The data types and shapes of an image's arrays, level by level, where they can be read.
pub(super) fn shapes(tree: &Tree, image: &Node) -> Vec<(Vec<u64>, DataType)> {
    let levels = crate::tree::dataset_paths(image);
    let read = |path: &String| {
        let meta = ArrayMeta::read(tree.get(&resolve(&image.folder, path)?)?).ok()?;
        Some((meta.shape, meta.data_type))
    };
    levels.iter().filter_map(read).collect()
}
