use std::{borrow::Cow, num::NonZeroU64, sync::Arc};

use serde_json::json;
use zarrs::{
    array::{Array, ArrayBytes, ArrayMetadata, ArrayToBytesCodecTraits, CodecOptions},
    storage::store::MemoryStore,
};

use crate::{array::DataType, raster::Tczyx};

use super::compression::Compression;

/// Turns the pixels of single chunks of one array into the bytes that are stored.
pub(super) struct Encoder {
    array: Array<MemoryStore>,
    shape: Vec<NonZeroU64>,
    options: CodecOptions,
}

impl Encoder {
    /// An encoder of chunks of one shape; `is_inner` where they are stored inside shards.
    pub(super) fn new(
        chunk: &Tczyx,
        data_type: DataType,
        compression: Compression,
        is_inner: bool,
    ) -> Result<Self, String> {
        // The array is described as its own single chunk; axes of length 1 do not matter to any codec used here.
        let metadata = json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": chunk,
            "data_type": data_type.to_string(),
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
            "chunk_key_encoding": {"name": "default"},
            "fill_value": data_type.zero(),
            "codecs": compression.codecs(data_type, is_inner),
        });
        let metadata: ArrayMetadata = serde_json::from_value(metadata).map_err(|error| error.to_string())?;
        let store = Arc::new(MemoryStore::new());
        let array = Array::new_with_metadata(store, "/", metadata).map_err(|error| error.to_string())?;
        let shape: Option<Vec<NonZeroU64>> = chunk.iter().map(|side| NonZeroU64::new(*side)).collect();
        // Chunks are worked on side by side: one of them is no reason to start threads.
        let options = CodecOptions::default().with_concurrent_target(1);
        Ok(Self { array, shape: shape.ok_or("a chunk has no extent along a dimension")?, options })
    }

    /// Encodes the pixels of a whole chunk, in C order and the machine's byte order; `None` if all bits are 0: such a
    /// chunk is not stored.
    pub(super) fn encode(&self, pixels: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if is_empty(pixels) {
            return Ok(None);
        }
        let bytes = ArrayBytes::new_flen(Cow::Borrowed(pixels));
        let (data_type, fill) = (self.array.data_type(), self.array.fill_value());
        let encoded = self.array.codecs().encode(bytes, &self.shape, data_type, fill, &self.options);
        Ok(Some(encoded.map_err(|error| error.to_string())?.into_owned()))
    }
}

/// Whether all bytes are 0.
pub(super) fn is_empty(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}
