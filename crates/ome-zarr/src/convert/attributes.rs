//! The attributes of a group, as OME-Zarr 0.5 has them.

use serde_json::{Map, Value, json};

use crate::{
    node::{Node, ZarrVersion},
    source::split,
    write::OME_VERSION,
};

/// What stood beside everything else up to 0.4, and stands under `ome` from 0.5.
const OME_KEYS: [&str; 7] =
    ["multiscales", "omero", "image-label", "plate", "well", "bioformats2raw.layout", "_creator"];

/// The OME metadata of a group, and its other attributes; all that is not known is kept where it belongs.
pub(super) fn of_group(node: &Node) -> (Map<String, Value>, Map<String, Value>) {
    let (mut ome, others) = match node.zarr {
        ZarrVersion::V2 => separated(node),
        ZarrVersion::V3 => {
            let others = node.metadata.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
            (node.ome().and_then(|ome| ome.object().cloned()).unwrap_or_default(), others)
        }
    };
    if node.zarr == ZarrVersion::V2 {
        drop_versions(&mut ome);
    }
    if let Some(plate) = ome.get_mut("plate") {
        number_wells(plate);
    }
    if let Some(label) = ome.get_mut("image-label").and_then(Value::as_object_mut) {
        label.insert("version".to_owned(), json!(OME_VERSION));
    }
    (ome, others)
}

fn separated(node: &Node) -> (Map<String, Value>, Map<String, Value>) {
    let attributes = node.ome().and_then(|at| at.object().cloned()).unwrap_or_default();
    let name = split(&node.folder).map(|(_, name)| name).unwrap_or_default();
    // Other groups may call something of their own so.
    let is_ome = |key: &str| match key {
        "labels" => name == "labels",
        "series" => name == "OME",
        _ => OME_KEYS.contains(&key),
    };
    attributes.into_iter().partition(|(key, _)| is_ome(key))
}

/// From 0.5 the group has one version.
fn drop_versions(ome: &mut Map<String, Value>) {
    for key in ["omero", "plate", "well", "image-label"] {
        if let Some(object) = ome.get_mut(key).and_then(Value::as_object_mut) {
            object.shift_remove("version");
        }
    }
    for multiscale in ome.get_mut("multiscales").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(multiscale) = multiscale.as_object_mut() {
            multiscale.shift_remove("version");
        }
    }
}

/// A well's path says which row and column it is in; from 0.5 its numbers must say the same, and before they did not
/// always.
fn number_wells(plate: &mut Value) {
    let names = |plate: &Value, key: &str| -> Vec<Option<String>> {
        let list = plate.get(key).and_then(Value::as_array).into_iter().flatten();
        list.map(|entry| Some(entry.get("name")?.as_str()?.to_owned())).collect()
    };
    let (rows, columns) = (names(plate, "rows"), names(plate, "columns"));
    let index = |list: &[Option<String>], name: &str| list.iter().position(|other| other.as_deref() == Some(name));
    for well in plate.get_mut("wells").and_then(Value::as_array_mut).into_iter().flatten() {
        let path = well.get("path").and_then(Value::as_str).and_then(|path| path.split_once('/'));
        let numbers = path.and_then(|(row, column)| Some((index(&rows, row)?, index(&columns, column)?)));
        if let (Some((row, column)), Some(well)) = (numbers, well.as_object_mut()) {
            well.insert("rowIndex".to_owned(), json!(row));
            well.insert("columnIndex".to_owned(), json!(column));
        }
    }
}

/// The attributes of an array, without what other conventions used `dimension_names` for.
pub(super) fn of_array(node: &Node) -> Map<String, Value> {
    let mut attributes = match node.zarr {
        ZarrVersion::V2 => node.ome().and_then(|at| at.object().cloned()).unwrap_or_default(),
        ZarrVersion::V3 => node.metadata.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default(),
    };
    attributes.shift_remove("_ARRAY_DIMENSIONS");
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wells_are_numbered_as_their_paths_say() {
        let mut plate = json!({"rows": [{"name": "A"}, {"name": "B"}], "columns": [{"name": "1"}, {"name": "2"}],
            "wells": [{"path": "B/1", "rowIndex": 0, "columnIndex": 1}, {"path": "C/1", "rowIndex": 7}]});
        number_wells(&mut plate);
        assert_eq!(plate["wells"][0], json!({"path": "B/1", "rowIndex": 1, "columnIndex": 0}));
        assert_eq!(plate["wells"][1], json!({"path": "C/1", "rowIndex": 7}));
    }

    #[test]
    fn ome_metadata_moves_under_ome_without_its_versions_and_the_rest_stays() {
        let old = json!({"multiscales": [{"version": "0.4", "axes": []}], "omero": {"version": "0.4", "id": 3},
            "image-label": {"version": "0.4"}, "mine": {"labels": 1}, "labels": ["not", "ours"]});
        let (ome, others) = of_group(&Node::of_attributes(ZarrVersion::V2, &old));
        assert_eq!(ome["multiscales"], json!([{"axes": []}]));
        assert_eq!((&ome["omero"], &ome["image-label"]), (&json!({"id": 3}), &json!({"version": "0.5"})));
        assert_eq!(Value::Object(others), json!({"mine": {"labels": 1}, "labels": ["not", "ours"]}));
    }
}
