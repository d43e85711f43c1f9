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

/// The attributes of an array, without what other conventions used `dimension_names` for.
pub(super) fn of_array(node: &Node) -> Map<String, Value> {
    let mut attributes = match node.zarr {
        ZarrVersion::V2 => node.ome().and_then(|at| at.object().cloned()).unwrap_or_default(),
        ZarrVersion::V3 => node.metadata.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default(),
    };
    attributes.shift_remove("_ARRAY_DIMENSIONS");
    attributes
}
