//! Array metadata of Zarr 2 as Zarr 3 says it, where the chunks can stay as they are.

use serde_json::{Value, json};

use crate::{
    array::{ArrayMeta, DataType},
    at::whole,
    node::{Node, ZarrVersion},
};

use super::attributes;

/// The `zarr.json` of an array whose chunks are carried over.
///
/// # Errors
/// In words, why they cannot be: then the pixels have to be written anew.
pub(super) fn carried_over(node: &Node, dimension_names: Option<&[String]>) -> Result<Value, String> {
    let meta = ArrayMeta::read(node)?;
    let mut array = match node.zarr {
        ZarrVersion::V2 => v2(node, &meta)?,
        ZarrVersion::V3 => v3(node)?,
    };
    if let (Some(names), Some(array)) = (dimension_names, array.as_object_mut()) {
        array.insert("dimension_names".to_owned(), json!(names));
    }
    Ok(array)
}

fn v3(node: &Node) -> Result<Value, String> {
    let mut array = node.metadata.clone();
    if let Some(codecs) = array.get_mut("codecs") {
        spell_out(codecs);
    }
    Ok(array)
}

/// Some writers leave the `checksum` of `zstd` out, and some readers do not open what they write.
fn spell_out(codecs: &mut Value) {
    for codec in codecs.as_array_mut().into_iter().flatten() {
        let is_zstd = codec.get("name").and_then(Value::as_str) == Some("zstd");
        let Some(configuration) = codec.get_mut("configuration").and_then(Value::as_object_mut) else { continue };
        if is_zstd && !configuration.contains_key("checksum") {
            configuration.insert("checksum".to_owned(), json!(false));
        }
        for inner in ["codecs", "index_codecs"] {
            configuration.get_mut(inner).into_iter().for_each(spell_out);
        }
    }
}

fn v2(node: &Node, meta: &ArrayMeta) -> Result<Value, String> {
    let at = node.structure();
    if at.text_of("order") == Some("F") && meta.shape.len() > 1 {
        return Err("its chunks are stored column by column".to_owned());
    }
    if at.text_of("dtype").is_some_and(|dtype| dtype.starts_with('>')) && meta.data_type.size() > 1 {
        return Err("its numbers are stored big-endian".to_owned());
    }
    if !at.list("filters").is_empty() {
        return Err("its chunks went through filters".to_owned());
    }
    let mut codecs = vec![json!({"name": "bytes", "configuration": {"endian": "little"}})];
    codecs.extend(compressor(node, meta.data_type)?);
    let separator = if meta.keys.is_nested() { "/" } else { "." };
    Ok(json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": meta.shape,
        "data_type": meta.data_type.to_string(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": meta.object_shape}},
        "chunk_key_encoding": {"name": "v2", "configuration": {"separator": separator}},
        "fill_value": fill_value(node, meta.data_type)?,
        "codecs": codecs,
        "attributes": Value::Object(attributes::of_array(node)),
    }))
}

fn compressor(node: &Node, data_type: DataType) -> Result<Option<Value>, String> {
    let at = node.structure();
    let Some(compressor) = at.get("compressor") else { return Ok(None) };
    let number = |key: &str| compressor.get(key).and_then(|number| whole(number.value));
    let level = |default: i64| number("level").unwrap_or(default);
    match compressor.text_of("id").unwrap_or_default() {
        "zstd" => Ok(Some(json!({"name": "zstd", "configuration": {"level": level(0), "checksum": false}}))),
        "gzip" => Ok(Some(json!({"name": "gzip", "configuration": {"level": level(1).clamp(0, 9)}}))),
        "blosc" => {
            let cname = compressor.text_of("cname").unwrap_or("lz4");
            let shuffle = match number("shuffle").unwrap_or(1) {
                0 => "noshuffle",
                1 => "shuffle",
                2 => "bitshuffle",
                // What numcodecs chooses by itself.
                _ if data_type.size() == 1 => "bitshuffle",
                _ => "shuffle",
            };
            Ok(Some(json!({"name": "blosc", "configuration": {
                "cname": cname, "clevel": number("clevel").unwrap_or(5).clamp(0, 9), "shuffle": shuffle,
                "typesize": data_type.size(), "blocksize": number("blocksize").unwrap_or(0).max(0),
            }})))
        }
        other => Err(format!("its compressor '{}' is not one of Zarr 3", other.escape_default())),
    }
}

/// Zarr 3 wants a value of the array's type.
fn fill_value(node: &Node, data_type: DataType) -> Result<Value, String> {
    let unusable = || "its fill value is not of its type".to_owned();
    let given = node.metadata.get("fill_value").cloned().unwrap_or_default();
    match (data_type, &given) {
        (_, Value::Null) => Ok(data_type.zero()),
        (DataType::Bool, Value::Bool(_)) | (DataType::Float(_), Value::Number(_)) => Ok(given),
        (DataType::Bool, other) => Ok(json!(whole(other).ok_or_else(unusable)? != 0)),
        (DataType::UInt(64), Value::Number(number)) if number.is_u64() => Ok(given),
        (DataType::Int(_) | DataType::UInt(_), other) => Ok(json!(whole(other).ok_or_else(unusable)?)),
        (DataType::Float(_), Value::String(text)) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => {
            Ok(given)
        }
        _ => Err(unusable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carry(array: Value) -> Result<Value, String> {
        let mut node = Node::of_attributes(ZarrVersion::V2, &Value::Null);
        node.metadata = array;
        carried_over(&node, Some(&["y".to_owned(), "x".to_owned()]))
    }

    fn array(dtype: &str, compressor: Value, order: &str) -> Value {
        json!({"zarr_format": 2, "shape": [4, 6], "chunks": [2, 3], "dtype": dtype, "compressor": compressor,
            "fill_value": null, "order": order, "filters": null, "dimension_separator": "/"})
    }

    #[test]
    fn codecs_that_both_versions_know_are_carried_over() {
        let blosc = json!({"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0});
        let v3 = carry(array("<u2", blosc, "C")).unwrap();
        assert_eq!(v3["codecs"][1]["configuration"]["shuffle"], "shuffle");
        assert_eq!(v3["codecs"][1]["configuration"]["typesize"], 2);
        assert_eq!(v3["chunk_key_encoding"], json!({"name": "v2", "configuration": {"separator": "/"}}));
        assert_eq!((&v3["fill_value"], &v3["dimension_names"]), (&json!(0), &json!(["y", "x"])));
        assert!(carry(array("|u1", json!({"id": "zstd", "level": 3}), "C")).is_ok());
        assert!(carry(array("<f4", json!({"id": "gzip", "level": 3}), "C")).is_ok());
        assert!(carry(array("<f4", Value::Null, "C")).is_ok());
    }

    #[test]
    fn other_codecs_orders_and_bytes_have_to_be_written_anew() {
        for (dtype, compressor, order) in [
            ("<u2", json!({"id": "lz4"}), "C"),
            ("<u2", json!({"id": "zlib", "level": 1}), "C"),
            ("<u2", json!({"id": "bz2"}), "C"),
            (">u2", Value::Null, "C"),
            ("<u2", Value::Null, "F"),
        ] {
            assert!(carry(array(dtype, compressor, order)).is_err(), "{dtype} {order}");
        }
    }
}
