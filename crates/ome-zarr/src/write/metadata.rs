//! What is written beside the pixels: Zarr 3 and OME-Zarr 0.5 metadata.

use std::{fs, io::Write, path::Path};

use serde_json::{Map, Value, json};

use crate::{
    array::DataType,
    error::OmeZarrError,
    raster::{C, RasterInfo, T, Tczyx, X, Y, Z},
};

use super::{
    compression::Compression,
    layout::{Layout, LevelLayout},
    reduce::Reduction,
};

/// The version that is written.
pub(crate) const OME_VERSION: &str = "0.5";

/// Which of t, c, z, y and x an image has: rows and columns always; time and depth where there is more than one;
/// channels always but for labels, so that the channels of `omero` are those of an axis.
pub(crate) fn axes_of(info: &RasterInfo) -> Vec<usize> {
    let has = |axis: usize| match axis {
        T | Z => info.shape[axis] > 1,
        C => info.shape[C] > 1 || !info.is_label,
        _ => true,
    };
    [T, C, Z, Y, X].into_iter().filter(|axis| has(*axis)).collect()
}

/// The usual name of an axis.
pub(crate) fn axis_name(axis: usize) -> &'static str {
    ["t", "c", "z", "y", "x"].get(axis).copied().unwrap_or_default()
}

/// The `zarr.json` of an array.
pub(super) fn array(
    level: &LevelLayout,
    axes: &[(usize, String)],
    data_type: DataType,
    compression: Compression,
) -> Value {
    let of = |shape: &Tczyx| axes.iter().filter_map(|(axis, _)| shape.get(*axis)).copied().collect::<Vec<u64>>();
    let codecs = compression.codecs(data_type, level.shard.is_some());
    let codecs = match level.shard {
        None => codecs,
        Some(_) => vec![json!({"name": "sharding_indexed", "configuration": {
            "chunk_shape": of(&level.chunk),
            "codecs": codecs,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
            "index_location": "end",
        }})],
    };
    json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": of(&level.shape),
        "data_type": data_type.to_string(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": of(&level.object())}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": data_type.zero(),
        "codecs": codecs,
        "dimension_names": axes.iter().map(|(_, name)| name).collect::<Vec<_>>(),
    })
}

/// The `zarr.json` of a group: OME metadata, its version first, and whatever else it carries.
pub(crate) fn group_v3(ome: Map<String, Value>, others: Map<String, Value>) -> Value {
    let mut attributes = Map::new();
    if !ome.is_empty() {
        let mut versioned = Map::from_iter([("version".to_owned(), json!(OME_VERSION))]);
        versioned.extend(ome.into_iter().filter(|(key, _)| key != "version"));
        attributes.insert("ome".to_owned(), Value::Object(versioned));
    }
    attributes.extend(others.into_iter().filter(|(key, _)| key != "ome"));
    json!({"zarr_format": 3, "node_type": "group", "attributes": attributes})
}

/// The OME metadata of an image: its multiscales, and how it is shown.
pub(crate) fn image_metadata(multiscale: Value, omero: Option<Value>) -> Map<String, Value> {
    let mut ome = Map::from_iter([("multiscales".to_owned(), json!([multiscale]))]);
    ome.extend(omero.map(|omero| ("omero".to_owned(), omero)));
    ome
}

/// The multiscale of an image that is written for the first time, with levels named by their numbers.
pub(crate) fn multiscale(info: &RasterInfo, layout: &Layout, reduction: Reduction) -> Value {
    let axes = axes_of(info);
    let described: Vec<Value> = axes.iter().map(|axis| described(info, *axis)).collect();
    let mut multiscale = json!({"axes": described, "datasets": datasets(info, layout, &axes)});
    if !info.name.is_empty() {
        multiscale["name"] = json!(info.name);
    }
    if layout.levels.len() > 1 {
        multiscale["type"] = json!(reduction.name());
        multiscale["metadata"] = method(reduction);
    }
    multiscale
}

fn described(info: &RasterInfo, axis: usize) -> Value {
    let kind = match axis {
        T => "time",
        C => "channel",
        _ => "space",
    };
    let mut described = json!({"name": axis_name(axis), "type": kind});
    if let Some((_, unit)) = info.pixel_size.get(axis).and_then(Option::as_ref).filter(|_| axis != C) {
        described["unit"] = json!(unit);
    }
    described
}

/// How the levels were made, for `multiscales[].metadata`.
pub(crate) fn method(reduction: Reduction) -> Value {
    let how = match reduction {
        Reduction::Mean => "each pixel is the arithmetic mean of the pixels of the level before that it covers",
        Reduction::Mode => {
            "each pixel is the most frequent label of the level before under it; of equals the smallest that is not 0"
        }
    };
    json!({"description": how, "method": "heliograph convert", "version": env!("CARGO_PKG_VERSION")})
}

/// A pixel of a smaller level is as large as those it covers; the middle of the first one moves with it.
fn datasets(info: &RasterInfo, layout: &Layout, axes: &[usize]) -> Vec<Value> {
    let mut factor = [1u64; 5];
    let mut datasets = Vec::new();
    for (number, level) in layout.levels.iter().enumerate() {
        factor.iter_mut().zip(level.step).for_each(|(factor, step)| *factor *= step);
        let size = |axis: usize| info.pixel_size.get(axis).and_then(Option::as_ref).map_or(1.0, |(size, _)| *size);
        let size = |axis: usize| if axis == C { 1.0 } else { size(axis) };
        let scale: Vec<f64> = axes.iter().map(|axis| size(*axis) * factor[*axis] as f64).collect();
        let shift: Vec<f64> = axes.iter().map(|axis| size(*axis) * (factor[*axis] - 1) as f64 / 2.0).collect();
        let mut transformations = vec![json!({"type": "scale", "scale": scale})];
        if layout.levels.len() > 1 {
            transformations.push(json!({"type": "translation", "translation": shift}));
        }
        datasets.push(json!({"path": number.to_string(), "coordinateTransformations": transformations}));
    }
    datasets
}

/// Writes a metadata document.
pub(crate) fn write_json(file: &Path, value: &Value) -> Result<(), OmeZarrError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| OmeZarrError::write(file, error))?;
    write_file(file, &text)
}

/// Writes a small file, with the folders above it, and waits until it is on disk.
pub(crate) fn write_file(file: &Path, bytes: &[u8]) -> Result<(), OmeZarrError> {
    let write = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut opened = fs::File::create(file)?;
        opened.write_all(bytes)?;
        opened.sync_data()
    };
    write().map_err(|error| OmeZarrError::write(file, error))
}
