use super::*;

/// Stores that keep every rule.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base {
    /// 0.5, with channels, rendering settings and a label image: `i/`, `i/labels/nuclei/`.
    Image,
    /// 0.5, sharded: `s/`.
    Shards,
    /// 0.4: `o/`.
    Old,
    /// 0.5, two wells of one field, two acquisitions: `p/`.
    Plate,
    /// 0.5, two images of one file: `f/0/`, `f/1/`.
    Series,
}

impl Base {
    pub(super) const ALL: [Self; 5] = [Self::Image, Self::Shards, Self::Old, Self::Plate, Self::Series];

    pub(super) fn store(self) -> Store {
        static MADE: [OnceLock<MemorySource>; 5] = [const { OnceLock::new() }; 5];
        let made = MADE[self as usize].get_or_init(|| match self {
            Self::Image => sample(Kind::Labelled, "i"),
            Self::Shards => sample(Kind::Cells, "s"),
            Self::Old => sample(Kind::Stack, "o"),
            Self::Plate => plate(),
            Self::Series => series(),
        });
        Store(made.clone())
    }
}

fn sample(kind: Kind, name: &str) -> MemorySource {
    let folder = tempfile::tempdir().unwrap();
    let image = ome_zarr::sample::write(folder.path(), kind, 1).unwrap();
    let files = crate::support::load(&image).0;
    MemorySource(files.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)).collect())
}

/// A store in memory, and ways to spoil it.
#[derive(Debug)]
pub(super) struct Store(pub(super) MemorySource);

impl Store {
    pub(super) fn put(&mut self, path: &str, value: Value) {
        self.0.0.insert(path.to_owned(), serde_json::to_vec(&value).unwrap());
    }

    pub(super) fn bytes(&mut self, path: &str) -> &mut Vec<u8> {
        self.0.0.get_mut(path).unwrap_or_else(|| panic!("there is no {path}"))
    }

    pub(super) fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.0.0[path]).unwrap()
    }

    /// Changes the value at a place.
    pub(super) fn change(&mut self, path: &str, pointer: &str, change: impl FnOnce(&mut Value)) {
        let mut document = self.json(path);
        change(document.pointer_mut(pointer).unwrap_or_else(|| panic!("there is no {path}#{pointer}")));
        self.put(path, document);
    }

    /// Sets the value at a place, which may be new.
    pub(super) fn set(&mut self, path: &str, pointer: &str, value: Value) {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.change(path, parent, |parent| match parent {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            parent => parent[key] = value,
        });
    }

    /// Takes a member or an item out.
    pub(super) fn unset(&mut self, path: &str, pointer: &str) {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.change(path, parent, |parent| match parent {
            Value::Array(items) => drop(items.remove(key.parse().unwrap())),
            parent => drop(parent.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("no {pointer}"))),
        });
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.0.0.remove(path).unwrap_or_else(|| panic!("there is no {path}"));
    }

    pub(super) fn remove_below(&mut self, folder: &str) {
        self.0.0.retain(|path, _| !path.starts_with(&format!("{folder}/")));
    }

    pub(super) fn copy(&mut self, from: &str, to: &str) {
        let from = format!("{from}/");
        let copies: Vec<_> = self
            .0
            .0
            .iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix(&from)?.to_owned(), bytes.clone())))
            .collect();
        self.0.0.extend(copies.into_iter().map(|(path, bytes)| (format!("{to}/{path}"), bytes)));
    }

    pub(super) fn first_chunk(&self, folder: &str) -> String {
        self.0.0.keys().find(|path| path.starts_with(folder)).unwrap().clone()
    }
}

/// Where the metadata of a group of 0.5 stand.
pub(super) const GROUP: &str = "/attributes/ome";

fn group(ome: Value) -> Value {
    json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})
}

/// A field of view of two levels.
fn add_image(store: &mut Store, folder: &str) {
    let level = |path: &str, scale: f64| json!({"path": path, "coordinateTransformations": [{"type": "scale", "scale": [scale, scale]}]});
    let axis = |name: &str| json!({"name": name, "type": "space", "unit": "micrometer"});
    let multiscale = json!({"name": folder, "axes": [axis("y"), axis("x")], "datasets": [level("0", 0.5), level("1", 1.0)],
        "type": "mean", "metadata": {}});
    store.put(&format!("{folder}/zarr.json"), group(json!({"version": "0.5", "multiscales": [multiscale]})));
    for (level, side) in [("0", 8), ("1", 4)] {
        let array = json!({"zarr_format": 3, "node_type": "array", "shape": [side, side], "data_type": "uint8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 4]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0, "codecs": [{"name": "bytes"}], "dimension_names": ["y", "x"]});
        store.put(&format!("{folder}/{level}/zarr.json"), array);
        for row in 0..side / 4 {
            store.0.0.insert(format!("{folder}/{level}/c/{row}/0"), vec![row; 16]);
        }
    }
}

fn plate() -> MemorySource {
    let mut store = Store(MemorySource::default());
    let well = |path: &str, row: u8, column: u8| json!({"path": path, "rowIndex": row, "columnIndex": column});
    let acquisition = |id: u8| json!({"id": id, "name": format!("run {id}"), "maximumfieldcount": 1});
    store.put(
        "p/zarr.json",
        group(json!({"version": "0.5", "plate": {
            "name": "plate", "version": "0.5", "field_count": 1, "rows": [{"name": "A"}, {"name": "B"}],
            "columns": [{"name": "1"}, {"name": "2"}], "wells": [well("A/1", 0, 0), well("B/2", 1, 1)],
            "acquisitions": [acquisition(0), acquisition(1)],
        }})),
    );
    for (row, column) in [("A", "1"), ("B", "2")] {
        store.put(&format!("p/{row}/zarr.json"), json!({"zarr_format": 3, "node_type": "group"}));
        let images = json!([{"path": "0", "acquisition": 0}]);
        let well = group(json!({"version": "0.5", "well": {"images": images, "version": "0.5"}}));
        store.put(&format!("p/{row}/{column}/zarr.json"), well);
        add_image(&mut store, &format!("p/{row}/{column}/0"));
    }
    store.0
}

const XML: &str = r#"<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
    <Image ID="Image:0"><Pixels><MetadataOnly/></Pixels></Image><Image ID="Image:1"><Pixels><MetadataOnly/></Pixels></Image></OME>"#;

fn series() -> MemorySource {
    let mut store = Store(MemorySource::default());
    store.put("f/zarr.json", group(json!({"version": "0.5", "bioformats2raw.layout": 3})));
    store.put("f/OME/zarr.json", group(json!({"version": "0.5", "series": ["0", "1"]})));
    store.0.0.insert("f/OME/METADATA.ome.xml".into(), XML.as_bytes().to_vec());
    add_image(&mut store, "f/0");
    add_image(&mut store, "f/1");
    store.0
}
