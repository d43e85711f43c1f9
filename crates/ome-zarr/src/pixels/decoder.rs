use std::{
    borrow::Cow,
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde_json::{Value, json};
use zarrs::{
    array::{Array, ArrayMetadata, ArrayToBytesCodecTraits, CodecOptions},
    storage::store::MemoryStore,
};

use crate::{
    array::{ArrayMeta, Compressor},
    node::{Node, ZarrVersion},
};

use super::{
    chain::Chain,
    direct::{Direct, Scratch},
    guard,
};

/// Decodes single chunks of one array.
pub(super) struct Decoder {
    array: Array<MemoryStore>,
    chunk_shape: Vec<NonZeroU64>,
    compressor: Compressor,
    chunk_bytes: usize,
    direct: Option<Direct>,
    /// Takes off a compressor that the array library does not know.
    old: Option<Direct>,
}

impl Decoder {
    pub(super) fn new(node: &Node, meta: &ArrayMeta, chain: &Chain) -> Result<Self, String> {
        let metadata = match node.zarr {
            ZarrVersion::V2 => metadata_v2(node, meta, chain),
            ZarrVersion::V3 => metadata_v3(node, meta, chain),
        };
        let array = contained(|| {
            let metadata: ArrayMetadata = serde_json::from_value(metadata).map_err(|error| error.to_string())?;
            Array::new_with_metadata(Arc::new(MemoryStore::new()), "/", metadata).map_err(|error| error.to_string())
        })?;
        let chunk_shape: Option<Vec<_>> = meta.chunk_shape().iter().map(|size| NonZeroU64::new(*size)).collect();
        let chunk_bytes = meta.bytes_of(meta.chunk_shape()).and_then(|bytes| usize::try_from(bytes).ok());
        let chunk_bytes = chunk_bytes.ok_or("a chunk is too large")?;
        Ok(Self {
            array,
            chunk_shape: chunk_shape.ok_or("a chunk has no extent along a dimension")?,
            compressor: chain.compressor,
            chunk_bytes,
            direct: Direct::of(node, meta, chain, chunk_bytes),
            old: Direct::of_old(chain, chunk_bytes),
        })
    }

    /// Decodes a chunk that was written, in the machine's byte order, into memory that may be used again.
    pub(super) fn decode_with<'a>(&self, encoded: &'a [u8], scratch: &'a mut Scratch) -> Result<&'a [u8], String> {
        if let Some(direct) = self.direct {
            return direct.decode(encoded, scratch);
        }
        scratch.bytes = self.decode(Some(encoded))?;
        Ok(&scratch.bytes)
    }

    /// One pixel that was never written, in the machine's byte order.
    pub(super) fn fill(&self) -> &[u8] {
        self.array.fill_value().as_ne_bytes()
    }

    /// Decodes a chunk, in the machine's byte order; one that was never written is all fill value.
    pub(super) fn decode(&self, encoded: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let Some(encoded) = encoded else {
            let fill = self.array.fill_value().as_ne_bytes();
            return Ok(fill.repeat(self.chunk_bytes / fill.len().max(1)));
        };
        let mut scratch = Scratch::default();
        let encoded = match self.old {
            Some(old) => old.decode(encoded, &mut scratch)?,
            None => encoded,
        };
        // Checksums inside the chain add a few bytes to what the compressor gives.
        guard::check(self.compressor, encoded, self.chunk_bytes as u64 + 64)?;
        let decoded = contained(|| {
            let (data_type, fill) = (self.array.data_type(), self.array.fill_value());
            let options = CodecOptions::default();
            let codecs = self.array.codecs();
            let bytes = codecs
                .decode(Cow::Borrowed(encoded), &self.chunk_shape, data_type, fill, &options)
                .map_err(|error| error.to_string())?;
            bytes.into_fixed().map(Cow::into_owned).map_err(|error| error.to_string())
        })?;
        if decoded.len() == self.chunk_bytes {
            Ok(decoded)
        } else {
            Err(format!("the chunk holds {} bytes instead of {}", decoded.len(), self.chunk_bytes))
        }
    }
}

/// Runs the array library on bytes from strangers: a panic in it is a damaged chunk, not the end of the server.
fn contained<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the decoder gave up on damaged data".to_owned()))
}

/// Only what decoding needs; the array is described as its own single chunk, so that nothing is sized by its shape.
fn metadata_v3(node: &Node, meta: &ArrayMeta, chain: &Chain) -> Value {
    json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": meta.chunk_shape(),
        "data_type": meta.data_type.to_string(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": meta.chunk_shape()}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": fill_value(node),
        "codecs": chain.codecs,
    })
}

fn metadata_v2(node: &Node, meta: &ArrayMeta, chain: &Chain) -> Value {
    let key = |key: &str| node.metadata.get(key).cloned().unwrap_or_default();
    json!({
        "zarr_format": 2,
        "shape": meta.chunk_shape(),
        "chunks": meta.chunk_shape(),
        "dtype": key("dtype"),
        "compressor": if chain.old.is_some() { Value::Null } else { key("compressor") },
        "fill_value": fill_value(node),
        "order": if key("order") == "F" { "F" } else { "C" },
        "filters": null,
    })
}

fn fill_value(node: &Node) -> Value {
    match node.metadata.get("fill_value") {
        None | Some(Value::Null) if node.structure().text_of("data_type") == Some("bool") => json!(false),
        None | Some(Value::Null) => json!(0),
        Some(value) => value.clone(),
    }
}
