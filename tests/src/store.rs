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

    /// OME-Zarr 0.5 of any dimensions, one letter each of `t`, `c`, `z`, `y` and `x`: one level of 16-bit pixels in one
    /// chunk, each the sum of its places. A pixel is 100 nm wide and high and 300 nm deep, a time step half a minute long;
    /// channels are called `stain 0`, `stain 1` and so on.
    pub fn of_axes(name: &str, axes: &str, shape: &[u64]) -> Self {
        let mut store = Self::with(name, "zarr.json", &group_of_axes(name, axes, shape));
        let names: Vec<String> = axes.chars().map(String::from).collect();
        store.put(
            "0/zarr.json",
            json!({
                "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint16", "fill_value": 0,
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                "dimension_names": names, "attributes": {},
            })
            .to_string(),
        );
        let pixels = shape.iter().fold(vec![0_u64], |sums, side| {
            sums.iter().flat_map(|sum| (0..*side).map(move |place| sum + place)).collect()
        });
        let bytes: Vec<u8> = pixels.iter().flat_map(|sum| (*sum as u16).to_le_bytes()).collect();
        let key = shape.iter().map(|_| "0").collect::<Vec<_>>().join("/");
        store.put(&format!("0/c/{key}"), bytes);
        store
    }

    /// The same image stored in shards, none of which was ever written.
    pub fn sharded(mut self, shape: &[u64]) -> Self {
        self.files.retain(|path, _| !path.starts_with("0/c/"));
        let array = self.files.get_mut("0/zarr.json").expect("an image of axes");
        let mut document: Value = serde_json::from_slice(array).expect("JSON");
        document["codecs"] = json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": shape, "index_location": "end",
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        }}]);
        *array = document.to_string().into_bytes();
        self
    }

    /// The image with a label image, `nuclei`: one object in the upper left quarter.
    pub fn with_labels(mut self, side: u64) -> Self {
        let labels = json!({"zarr_format": 3, "node_type": "group",
            "attributes": {"ome": {"version": "0.5", "labels": ["nuclei"]}}});
        self.put("labels/zarr.json", labels.to_string());
        let mut group = group_of_axes("nuclei", "yx", &[side, side]);
        group["attributes"]["ome"]["image-label"] = json!({"version": "0.5"});
        let label = Self::of_axes("nuclei", "yx", &[side, side]);
        for (path, bytes) in label.files {
            self.put(&format!("labels/nuclei/{path}"), bytes);
        }
        self.put("labels/nuclei/zarr.json", group.to_string());
        let object = (0..side * side).map(|at| u16::from(at / side < side / 2 && at % side < side / 2));
        self.put("labels/nuclei/0/c/0/0", object.flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
        self
    }

    /// A plate of two rows and three columns, with wells A/1 and B/3 of two fields each.
    pub fn plate(name: &str) -> Self {
        let named = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
        let well = |path: &str, row: u64, column: u64| json!({"path": path, "rowIndex": row, "columnIndex": column});
        let plate = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "plate": {
            "name": name, "rows": named(&["A", "B"]), "columns": named(&["1", "2", "3"]), "field_count": 2,
            "wells": [well("A/1", 0, 0), well("B/3", 1, 2)],
        }}}});
        let mut store = Self::with(name, "zarr.json", &plate);
        for (row, column) in [("A", "1"), ("B", "3")] {
            let group = json!({"zarr_format": 3, "node_type": "group", "attributes": {}});
            store.put(&format!("{row}/zarr.json"), group.to_string());
            let well = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5",
                "well": {"images": [{"path": "0"}, {"path": "1"}]}}}});
            store.put(&format!("{row}/{column}/zarr.json"), well.to_string());
            for field in ["0", "1"] {
                for (path, bytes) in Self::of_axes(field, "cyx", &[2, 32, 32]).files {
                    store.put(&format!("{row}/{column}/{field}/{path}"), bytes);
                }
            }
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

fn group_of_axes(name: &str, axes: &str, shape: &[u64]) -> Value {
    let axis = |letter: char| match letter {
        't' => (json!({"name": "t", "type": "time", "unit": "minute"}), 0.5),
        'c' => (json!({"name": "c", "type": "channel"}), 1.0),
        'z' => (json!({"name": "z", "type": "space", "unit": "nanometer"}), 300.0),
        other => (json!({"name": other.to_string(), "type": "space", "unit": "nanometer"}), 100.0),
    };
    let (described, scale): (Vec<Value>, Vec<f64>) = axes.chars().map(axis).unzip();
    let mut ome = json!({"version": "0.5", "multiscales": [{
        "name": name, "axes": described, "type": "mean",
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}],
    }]});
    if let Some((_, channels)) = axes.chars().zip(shape).find(|(letter, _)| *letter == 'c') {
        let color = |at: u64| if at.is_multiple_of(2) { "0000FF" } else { "00FF00" };
        let channel = |at: u64| {
            json!({"label": format!("stain {at}"), "color": color(at), "active": true,
                "window": {"min": 0, "max": 65535, "start": 0, "end": 100}})
        };
        ome["omero"] = json!({"channels": (0..*channels).map(channel).collect::<Vec<_>>()});
    }
    json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})
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
