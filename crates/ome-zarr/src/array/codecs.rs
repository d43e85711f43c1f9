use crate::{
    at::At,
    node::{Node, ZarrVersion},
};

use super::sizes;

/// The compressors that the pixel reader can bound and decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compressor {
    None,
    Blosc,
    Gzip,
    Zstd,
}

/// What is known of a codec by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodecKind {
    /// Read by everything.
    Common,
    /// Registered, but not read by every viewer.
    Rare,
    Unknown,
}

impl CodecKind {
    /// Looks a Zarr 3 codec up.
    pub(crate) fn v3(name: &str) -> Self {
        match name {
            "bytes" | "blosc" | "gzip" | "zstd" | "crc32c" | "sharding_indexed" | "transpose" => Self::Common,
            "bitround" | "packbits" | "pcodec" | "zfp" | "vlen-utf8" | "vlen-bytes" | "shuffle" | "delta" | "zlib"
            | "bz2" | "lz4" | "adler32" | "fletcher32" | "gdeflate" | "scale_offset" | "cast_value" => Self::Rare,
            _ if name.starts_with("numcodecs.") => Self::Rare,
            _ => Self::Unknown,
        }
    }

    /// Looks a Zarr 2 compressor or filter up.
    pub(crate) fn v2(id: &str) -> Self {
        match id {
            "blosc" | "gzip" | "zstd" | "zlib" => Self::Common,
            "lz4" | "bz2" | "lzma" | "delta" | "shuffle" | "fixedscaleoffset" | "bitround" | "quantize"
            | "packbits" | "astype" | "crc32" | "crc32c" | "adler32" | "fletcher32" | "zfpy" | "pcodec"
            | "imagecodecs_jpeg2k" | "jetraw" | "n5_wrapper" => Self::Rare,
            _ => Self::Unknown,
        }
    }
}

/// The inner chunk shape, where the array is sharded.
pub(super) fn inner_shape(array: &At<'_>) -> Result<Option<Vec<u64>>, String> {
    let codecs = array.get("codecs").and_then(|codecs| codecs.items()).ok_or("it has no list of codecs")?;
    let Some(sharding) = codecs.iter().find(|codec| codec.text_of("name") == Some("sharding_indexed")) else {
        return Ok(None);
    };
    let shape = sharding.get("configuration").and_then(|configuration| sizes(configuration.get("chunk_shape")));
    shape.map(Some).ok_or_else(|| "its shards do not say how large an inner chunk is".to_owned())
}

/// The most codecs named of one array, and the longest name.
const MAX_NAMES: usize = 16;
const MAX_NAME: usize = 40;

/// The codecs of an array by name, those inside of shards after `sharding_indexed`.
pub(crate) fn names(node: &Node) -> Vec<String> {
    let at = node.structure();
    let mut names = Vec::new();
    match node.zarr {
        ZarrVersion::V2 => {
            let filters = at.list("filters");
            names.extend(filters.iter().chain(&at.get("compressor")).filter_map(|codec| codec.text_of("id")));
        }
        ZarrVersion::V3 => {
            for codec in at.list("codecs") {
                names.extend(codec.text_of("name"));
                let inner = codec.get("configuration").map(|configuration| configuration.list("codecs"));
                names.extend(inner.unwrap_or_default().iter().filter_map(|codec| codec.text_of("name")));
            }
        }
    }
    names.into_iter().take(MAX_NAMES).map(|name| name.chars().take(MAX_NAME).collect()).collect()
}
