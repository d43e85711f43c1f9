use serde_json::{Value, json};

use crate::{
    array::Compressor,
    at::At,
    node::{Node, ZarrVersion},
};

/// The codecs of an array, as far as they can be bounded: at most one compressor, last but for a checksum.
///
/// One compressor inside another could hide any amount of output from the guard, and no real image does that.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) compressor: Compressor,
    /// A compressor of Zarr 2 that the array library and the guard do not know; `compressor` is `None` then.
    pub(super) old: Option<OldCompressor>,
    pub(super) sharding: Option<Sharding>,
    /// The codecs of one chunk, as Zarr 3 metadata; empty for Zarr 2.
    pub(super) codecs: Vec<Value>,
}

/// Compressors that Zarr 3 has no name for. Images that use them are read, to be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OldCompressor {
    Lz4,
    Zlib,
}

/// Where the index of a shard is, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sharding {
    pub(super) index_first: bool,
    pub(super) checksummed: bool,
}

impl Chain {
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let at = node.structure();
        match node.zarr {
            ZarrVersion::V2 => Self::v2(&at),
            ZarrVersion::V3 if !at.list("storage_transformers").is_empty() => {
                Err("its storage transformers are not supported".to_owned())
            }
            ZarrVersion::V3 => Self::v3(&at),
        }
    }

    fn v2(at: &At<'_>) -> Result<Self, String> {
        if !at.list("filters").is_empty() {
            return Err("its filters are not supported; compress with blosc or zstd alone".to_owned());
        }
        let id = at.get("compressor").map(|compressor| compressor.text_of("id").unwrap_or_default());
        let (compressor, old) = match id {
            None => (Compressor::None, None),
            Some("lz4") => (Compressor::None, Some(OldCompressor::Lz4)),
            Some("zlib") => (Compressor::None, Some(OldCompressor::Zlib)),
            Some(id) => (compressor_named(id)?, None),
        };
        Ok(Self { compressor, old, sharding: None, codecs: Vec::new() })
    }

    fn v3(at: &At<'_>) -> Result<Self, String> {
        let codecs = at.list("codecs");
        let [sharding] = codecs.as_slice() else { return Self::plain(&codecs, None) };
        if sharding.text_of("name") != Some("sharding_indexed") {
            return Self::plain(&codecs, None);
        }
        let configuration = sharding.get("configuration").ok_or("its shards are not configured")?;
        let index = configuration.list("index_codecs");
        let names: Vec<&str> = index.iter().filter_map(|codec| codec.text_of("name")).collect();
        let little = index.first().and_then(|codec| codec.get("configuration")).and_then(|c| c.text_of("endian"));
        if little.is_some_and(|endian| endian != "little")
            || !matches!(names.as_slice(), ["bytes"] | ["bytes", "crc32c"])
        {
            return Err("its shard index is not stored as plain little-endian numbers".to_owned());
        }
        let index_first = configuration.text_of("index_location") == Some("start");
        let sharding = Sharding { index_first, checksummed: names.len() == 2 };
        Self::plain(&configuration.list("codecs"), Some(sharding))
    }

    fn plain(codecs: &[At<'_>], sharding: Option<Sharding>) -> Result<Self, String> {
        let mut compressor = Compressor::None;
        let mut serialised = false;
        for codec in codecs {
            match codec.text_of("name").unwrap_or_default() {
                "transpose" if !serialised => {}
                "bytes" if !serialised => serialised = true,
                "crc32c"
                    if serialised && codec.get("configuration").is_none_or(|c| c.text_of("location").is_none()) => {}
                name if serialised && compressor == Compressor::None => compressor = compressor_named(name)?,
                name => return Err(format!("its codec '{}' is not supported in this place", name.escape_default())),
            }
        }
        if !serialised {
            return Err("its codecs do not turn pixels into bytes".to_owned());
        }
        Ok(Self {
            compressor,
            old: None,
            sharding,
            codecs: codecs.iter().map(|codec| completed(codec.value)).collect(),
        })
    }
}

fn compressor_named(name: &str) -> Result<Compressor, String> {
    match name {
        "blosc" => Ok(Compressor::Blosc),
        "gzip" => Ok(Compressor::Gzip),
        "zstd" => Ok(Compressor::Zstd),
        _ => Err(format!("its codec '{}' cannot be decoded here", name.escape_default())),
    }
}

/// Some writers leave out `zstd` settings that have only one sensible value.
fn completed(codec: &Value) -> Value {
    let mut codec = codec.clone();
    if codec.get("name").and_then(Value::as_str) == Some("zstd") {
        let setting = |key: &str| codec.get("configuration").and_then(|configuration| configuration.get(key)).cloned();
        let level = setting("level").filter(Value::is_i64).unwrap_or(json!(0));
        let checksum = setting("checksum").filter(Value::is_boolean).unwrap_or(json!(false));
        codec = json!({"name": "zstd", "configuration": {"level": level, "checksum": checksum}});
    }
    codec
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(codecs: Value) -> Result<Chain, String> {
        let value = json!({"codecs": codecs});
        Chain::v3(&At::new(&value, "", ""))
    }

    #[test]
    fn zstd_without_a_checksum_setting_is_completed() {
        let chain = chain(json!([{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3}}])).unwrap();
        assert_eq!(chain.compressor, Compressor::Zstd);
        assert_eq!(chain.codecs[1]["configuration"], json!({"level": 3, "checksum": false}));
    }

    #[test]
    fn chains_that_hide_their_output_size_are_refused() {
        for codecs in [
            json!([{"name": "bytes"}, {"name": "zstd"}, {"name": "gzip"}]),
            json!([{"name": "zstd"}]),
            json!([]),
            json!([{"name": "bytes"}, {"name": "bz2"}]),
            json!([{"name": "bytes"}, {"name": "crc32c", "configuration": {"location": "start"}}]),
            json!([{"name": "sharding_indexed", "configuration": {"chunk_shape": [1], "index_codecs": [{"name": "bytes"}],
                "codecs": [{"name": "sharding_indexed"}]}}]),
        ] {
            assert!(chain(codecs.clone()).is_err(), "{codecs}");
        }
    }
}
