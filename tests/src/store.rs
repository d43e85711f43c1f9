use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

/// The side of the first level.
const SIDE: usize = 16;
/// The side of a chunk: the first level has four, the second one.
const CHUNK: usize = 8;

/// A small OME-Zarr image, written by hand: two levels of 8-bit pixels, not compressed.
#[derive(Debug, Clone)]
pub struct Store {
    /// Name of the folder, such as `cells.ome.zarr`.
    pub name: String,
    /// Files by path below the folder.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Store {
    /// OME-Zarr 0.5 (Zarr 3). Pixels depend on the seed.
    pub fn v05(name: &str, seed: u8) -> Self {
        let group = json!({
            "zarr_format": 3, "node_type": "group",
            "attributes": {"ome": {"version": "0.5", "multiscales": [multiscale(name)]}},
        });
        let mut store = Self::with(name, "zarr.json", &group);
        for (level, side) in [(0, SIDE), (1, SIDE / 2)] {
            store.put(&format!("{level}/zarr.json"), array_v3(side).to_string());
            store.chunks(&format!("{level}/c"), side, seed);
        }
        store
    }

    /// OME-Zarr 0.4 (Zarr 2). Pixels depend on the seed.
    pub fn v04(name: &str, seed: u8) -> Self {
        let mut multiscale = multiscale(name);
        multiscale["version"] = json!("0.4");
        let mut store = Self::with(name, ".zattrs", &json!({"multiscales": [multiscale]}));
        store.put(".zgroup", json!({"zarr_format": 2}).to_string());
        for (level, side) in [(0, SIDE), (1, SIDE / 2)] {
            store.put(&format!("{level}/.zarray"), array_v2(side).to_string());
            store.chunks(&level.to_string(), side, seed);
        }
        store
    }

    /// Adds a file, or replaces one.
    pub fn put(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), bytes.into());
    }

    /// Files with their paths in a dataset, which begin with the store's name.
    pub fn paths(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.files.iter().map(|(path, bytes)| (format!("{}/{path}", self.name), bytes.as_slice()))
    }

    /// Writes the image into a folder.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_to(&self, folder: &Path) {
        for (path, bytes) in self.paths() {
            let file = folder.join(path);
            file.parent().map(fs::create_dir_all).transpose().expect("making a folder");
            fs::write(&file, bytes).unwrap_or_else(|error| panic!("writing {}: {error}", file.display()));
        }
    }

    fn with(name: &str, path: &str, document: &Value) -> Self {
        let files = BTreeMap::from([(path.to_owned(), document.to_string().into_bytes())]);
        Self { name: name.to_owned(), files }
    }

    fn chunks(&mut self, folder: &str, side: usize, seed: u8) {
        for row in 0..side / CHUNK {
            for column in 0..side / CHUNK {
                let pixels =
                    (0..CHUNK * CHUNK).map(|at| pixel(row * CHUNK + at / CHUNK, column * CHUNK + at % CHUNK, seed));
                self.put(&format!("{folder}/{row}/{column}"), pixels.collect::<Vec<u8>>());
            }
        }
    }
}

fn pixel(y: usize, x: usize, seed: u8) -> u8 {
    (y * 7 + x * 13) as u8 ^ seed
}

fn multiscale(name: &str) -> Value {
    let level = |path: &str, scale: f64| json!({"path": path, "coordinateTransformations": [{"type": "scale", "scale": [scale, scale]}]});
    json!({
        "name": name,
        "axes": [
            {"name": "y", "type": "space", "unit": "micrometer"},
            {"name": "x", "type": "space", "unit": "micrometer"},
        ],
        "datasets": [level("0", 0.5), level("1", 1.0)],
        "type": "mean",
    })
}

fn array_v3(side: usize) -> Value {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": [side, side], "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [CHUNK, CHUNK]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": [{"name": "bytes"}], "dimension_names": ["y", "x"], "attributes": {},
    })
}

fn array_v2(side: usize) -> Value {
    json!({
        "zarr_format": 2, "shape": [side, side], "chunks": [CHUNK, CHUNK], "dtype": "|u1", "compressor": null,
        "fill_value": 0, "order": "C", "filters": null, "dimension_separator": "/",
    })
}
