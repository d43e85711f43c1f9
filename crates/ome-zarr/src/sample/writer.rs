use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use zarrs::{
    array::{Array, ArrayMetadata, Element, IntoArrayBytes},
    filesystem::FilesystemStore,
};

use crate::error::OmeZarrError;

/// How an array is stored.
pub(super) struct Layout<'a> {
    pub(super) axes: &'a [&'a str],
    pub(super) shape: Vec<usize>,
    pub(super) chunk: Vec<usize>,
    /// Packs all chunks of a plane into one object.
    pub(super) shard: Option<Vec<usize>>,
}

/// Creates the folder of a new image.
pub(super) fn create(folder: &Path, name: &str) -> Result<PathBuf, OmeZarrError> {
    let image = folder.join(name);
    fs::create_dir_all(folder).and_then(|()| fs::create_dir(&image)).map_err(|error| failed(&image, error))?;
    Ok(image)
}

/// Writes a metadata document.
pub(super) fn write_json(file: &Path, value: &Value) -> Result<(), OmeZarrError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| failed(file, error))?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    fs::write(file, text).map_err(|error| failed(file, error))
}

/// Writes a Zarr 3 array of 16-bit numbers.
pub(super) fn write_v3(
    folder: &Path,
    layout: &Layout<'_>,
    codecs: &Value,
    pixels: Vec<u16>,
) -> Result<(), OmeZarrError> {
    let (object, codecs) = match &layout.shard {
        None => (&layout.chunk, codecs.clone()),
        Some(shard) => (shard, sharded(&layout.chunk, codecs)),
    };
    let metadata = json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": layout.shape,
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": object}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": codecs,
        "dimension_names": layout.axes,
        "attributes": {},
    });
    write_json(&folder.join("zarr.json"), &metadata)?;
    write_pixels(folder, metadata, pixels)
}

/// Writes a Zarr 2 array of bytes, as OME-Zarr 0.4 has it: nested chunks, Blosc.
pub(super) fn write_v2(folder: &Path, layout: &Layout<'_>, pixels: Vec<u8>) -> Result<(), OmeZarrError> {
    let metadata = json!({
        "zarr_format": 2,
        "shape": layout.shape,
        "chunks": layout.chunk,
        "dtype": "|u1",
        "compressor": {"id": "blosc", "cname": "zstd", "clevel": 5, "shuffle": 0, "blocksize": 0},
        "fill_value": 0,
        "order": "C",
        "filters": null,
        "dimension_separator": "/",
    });
    write_json(&folder.join(".zarray"), &metadata)?;
    write_pixels(folder, metadata, pixels)
}

fn sharded(chunk: &[usize], codecs: &Value) -> Value {
    json!([{"name": "sharding_indexed", "configuration": {
        "chunk_shape": chunk,
        "codecs": codecs,
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }}])
}

/// Camera pixels: bytes of like weight together, then zstd.
pub(super) fn camera_codecs() -> Value {
    let blosc = json!({"typesize": 2, "cname": "zstd", "clevel": 5, "shuffle": "shuffle", "blocksize": 0});
    json!([{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "blosc", "configuration": blosc}])
}

/// Labels: long runs of one number.
pub(super) fn label_codecs() -> Value {
    let zstd = json!({"level": 5, "checksum": false});
    json!([{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd", "configuration": zstd}])
}

fn write_pixels<T: Element>(folder: &Path, metadata: Value, pixels: Vec<T>) -> Result<(), OmeZarrError>
where
    Vec<T>: IntoArrayBytes<'static>,
{
    let metadata: ArrayMetadata = serde_json::from_value(metadata).map_err(|error| failed(folder, error))?;
    let store = FilesystemStore::new(folder).map_err(|error| failed(folder, error))?;
    let array = Array::new_with_metadata(Arc::new(store), "/", metadata).map_err(|error| failed(folder, error))?;
    array.store_array_subset(&array.subset_all(), pixels).map_err(|error| failed(folder, error))
}

fn failed(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OmeZarrError {
    OmeZarrError::Write { path: path.display().to_string(), source: error.into() }
}
