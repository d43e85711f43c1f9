use crate::{
    array::{ArrayMeta, MAX_DIMENSIONS, codec_names},
    at::At,
    error::OmeZarrError,
    node::{Node, NodeKind},
    record::{Axis, AxisKind, Channel, FieldOf, ImageRecord, Level, Window},
    source::{FileSource, join, split},
    tree::{Tree, resolve},
    version::OmeVersion,
};

/// More levels than any pyramid has: 2^32 pixels halve 32 times.
pub(crate) const MAX_LEVELS: usize = 64;
/// More channels than any instrument has.
const MAX_CHANNELS: usize = 4096;

/// Describes one image from its metadata. No pixel is read, no folder listed.
///
/// `image_path` is the folder of the multiscales group; `""` is the root of the source.
///
/// # Errors
/// There is no image of a known version there, its metadata is not understood, or the source failed.
pub fn describe(source: &dyn FileSource, image_path: &str) -> Result<ImageRecord, OmeZarrError> {
    let folder = image_path.trim_matches('/');
    let tree = Tree::of_image(source, folder)?;
    record(&tree, folder)
}

/// The record of an image whose nodes have been read.
pub(crate) fn record(tree: &Tree, folder: &str) -> Result<ImageRecord, OmeZarrError> {
    let absent = || OmeZarrError::NotAnImage { path: folder.to_owned() };
    let node = tree.image(folder).ok_or_else(absent)?;
    let version = OmeVersion::of(node);
    if !version.is_readable() {
        let version = version.name(node.zarr).to_owned();
        return Err(OmeZarrError::Version { path: folder.to_owned(), version });
    }
    let multiscale =
        node.ome_key("multiscales").and_then(|list| list.items()?.into_iter().next()).ok_or_else(absent)?;
    let bad = |reason: &str| OmeZarrError::metadata(folder, reason);
    let axes = axes(&multiscale).ok_or_else(|| bad("its axes are not a list of two to five named axes"))?;
    let (levels, data_type) = levels(tree, node, &multiscale, axes.len())?;
    let first = levels.first().ok_or_else(|| bad("it has no resolution levels"))?;
    let physical_size = axes.iter().zip(&first.scale).map(|(axis, scale)| axis.unit.as_ref().map(|_| *scale)).collect();
    Ok(ImageRecord {
        path: folder.to_owned(),
        name: name(&multiscale, folder),
        version: version.name(node.zarr).to_owned(),
        shape: first.shape.clone(),
        data_type,
        channels: channels(node),
        is_label: is_label(tree, folder),
        label_names: label_names(tree, folder),
        field_of: field_of(tree, folder),
        physical_size,
        axes,
        levels,
        bytes: None,
        digest: None,
    })
}

/// Whether a group is a label image: it says so, or stands in a Zarr group named `labels`.
pub(crate) fn is_label(tree: &Tree, folder: &str) -> bool {
    if tree.get(folder).is_some_and(|node| node.ome_key("image-label").is_some()) {
        return true;
    }
    let mut above = split(folder);
    while let Some((parent, _)) = above {
        above = split(parent);
        if above.is_some_and(|(_, name)| name == "labels") && tree.get(parent).is_some() {
            return true;
        }
    }
    false
}

/// The plate three folders up: plate, row, column, field.
fn field_of(tree: &Tree, folder: &str) -> Option<FieldOf> {
    let (well, _) = split(folder)?;
    let (above, column) = split(well)?;
    let (plate, row) = split(above)?;
    tree.group(plate)?.ome_key("plate")?;
    Some(FieldOf { plate: plate.to_owned(), well: format!("{row}/{column}") })
}

fn name(multiscale: &At<'_>, folder: &str) -> String {
    let given = multiscale.text_of("name").map(str::trim).filter(|name| !name.is_empty() && *name != "/");
    let name = given.or_else(|| split(folder).map(|(_, name)| name)).unwrap_or_default();
    name.chars().take(200).collect()
}

/// The axes, if they can be used at all; the validator says more about them.
pub(crate) fn axes(multiscale: &At<'_>) -> Option<Vec<Axis>> {
    let items = multiscale.get("axes")?.items()?;
    (2..=MAX_DIMENSIONS).contains(&items.len()).then_some(())?;
    items.iter().map(axis).collect()
}

fn axis(at: &At<'_>) -> Option<Axis> {
    let kind = match at.text_of("type") {
        Some("time") => AxisKind::Time,
        Some("channel") => AxisKind::Channel,
        Some("space") => AxisKind::Space,
        _ => AxisKind::Other,
    };
    let name = at.text_of("name").filter(|name| !name.is_empty())?.to_owned();
    Some(Axis { name, kind, unit: at.text_of("unit").map(str::to_owned) })
}

fn levels(
    tree: &Tree,
    node: &Node,
    multiscale: &At<'_>,
    dimensions: usize,
) -> Result<(Vec<Level>, String), OmeZarrError> {
    let datasets = multiscale.list("datasets");
    if datasets.len() > MAX_LEVELS {
        return Err(OmeZarrError::metadata(&node.folder, format!("it has more than {MAX_LEVELS} levels")));
    }
    let outer = scale(multiscale, dimensions);
    let mut levels = Vec::new();
    let mut data_type = String::new();
    for dataset in datasets {
        let path = dataset.text_of("path").unwrap_or_default().trim_end_matches('/').to_owned();
        let (meta, codecs) = level_array(tree, node, &path)?;
        if meta.shape.len() != dimensions {
            let reason = format!("it has {} dimensions, the image {dimensions} axes", meta.shape.len());
            return Err(OmeZarrError::metadata(&join(&node.folder, &path), reason));
        }
        if levels.is_empty() {
            data_type = meta.data_type.to_string();
        }
        levels.push(Level {
            path,
            chunk_shape: meta.chunk_shape().to_vec(),
            shard_shape: meta.inner_shape.is_some().then(|| meta.object_shape.clone()),
            shape: meta.shape,
            scale: scale(&dataset, dimensions).iter().zip(&outer).map(|(inner, outer)| inner * outer).collect(),
            codecs,
        });
    }
    Ok((levels, data_type))
}

fn level_array(tree: &Tree, image: &Node, path: &str) -> Result<(ArrayMeta, Vec<String>), OmeZarrError> {
    let outside =
        || OmeZarrError::metadata(&image.folder, "a dataset's path does not lead to a folder inside the image");
    let folder = resolve(&image.folder, path).ok_or_else(outside)?;
    let node = tree
        .get(&folder)
        .filter(|node| node.kind == NodeKind::Array)
        .ok_or_else(|| OmeZarrError::metadata(&folder, "there is no array here, though the image lists one"))?;
    let meta = ArrayMeta::read(node).map_err(|reason| OmeZarrError::metadata(&folder, reason))?;
    Ok((meta, codec_names(node)))
}

/// The scale of a dataset or multiscale; all ones where it says nothing usable.
fn scale(at: &At<'_>, dimensions: usize) -> Vec<f64> {
    at.list("coordinateTransformations")
        .iter()
        .find_map(|transformation| transformation.get("scale")?.numbers())
        .filter(|scale| scale.len() == dimensions)
        .unwrap_or_else(|| vec![1.0; dimensions])
}

fn channels(node: &Node) -> Vec<Channel> {
    let Some(omero) = node.ome_key("omero") else { return Vec::new() };
    omero.list("channels").iter().take(MAX_CHANNELS).map(channel).collect()
}

fn channel(at: &At<'_>) -> Channel {
    Channel {
        label: at.text_of("label").map(str::to_owned),
        color: at.text_of("color").and_then(hex_color),
        window: at.get("window").and_then(|window| self::window(&window)),
        active: at.get("active").and_then(|active| active.value.as_bool()).unwrap_or(true),
        // OMERO writes it, from where this part of the metadata comes.
        emission: at.get("emissionWave").and_then(|wave| wave.number()).filter(|wave| *wave > 0.0),
    }
}

/// Six hexadecimal digits in upper case; a leading `#` is tolerated here, and reported by the validator.
pub(crate) fn hex_color(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    (digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digits.to_ascii_uppercase())
}

fn window(at: &At<'_>) -> Option<Window> {
    let number = |key: &str| at.get(key)?.number();
    Some(Window { min: number("min")?, max: number("max")?, start: number("start")?, end: number("end")? })
}

fn label_names(tree: &Tree, folder: &str) -> Vec<String> {
    let Some(labels) = tree.group(&join(folder, "labels")).and_then(|node| node.ome_key("labels")) else {
        return Vec::new();
    };
    labels.items().unwrap_or_default().iter().filter_map(|name| name.text().map(str::to_owned)).collect()
}
