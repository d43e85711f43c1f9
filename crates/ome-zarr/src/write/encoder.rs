use std::{borrow::Cow, io, num::NonZeroU64, sync::Arc};

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
    compression: Compression,
    is_inner: bool,
}

/// A compressor that is used again for the next chunk: starting one takes longer than a small chunk.
#[derive(Default)]
pub(super) struct Started(Option<zstd::bulk::Compressor<'static>>);

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
        let shape = shape.ok_or("a chunk has no extent along a dimension")?;
        Ok(Self { array, shape, options, compression, is_inner })
    }

    /// Encodes the pixels of a whole chunk, in C order and the machine's byte order; `None` if all bits are 0: such a
    /// chunk is not stored.
    pub(super) fn encode(&self, pixels: &[u8], started: &mut Started) -> Result<Option<Vec<u8>>, String> {
        if is_empty(pixels) {
            return Ok(None);
        }
        if let (Compression::Zstd(level), true) = (self.compression, cfg!(target_endian = "little")) {
            return self.zstd(pixels, level, started).map(Some).map_err(|error| error.to_string());
        }
        let bytes = ArrayBytes::new_flen(Cow::Borrowed(pixels));
        let (data_type, fill) = (self.array.data_type(), self.array.fill_value());
        let encoded = self.array.codecs().encode(bytes, &self.shape, data_type, fill, &self.options);
        Ok(Some(encoded.map_err(|error| error.to_string())?.into_owned()))
    }

    /// The chain `bytes`, `zstd` and perhaps `crc32c`, without the array library.
    fn zstd(&self, pixels: &[u8], level: u8, Started(started): &mut Started) -> io::Result<Vec<u8>> {
        let mut compressor = match started.take() {
            Some(compressor) => compressor,
            None => zstd::bulk::Compressor::new(i32::from(level))?,
        };
        let mut encoded = compressor.compress(pixels)?;
        *started = Some(compressor);
        if self.is_inner {
            let checksum = crc32c::crc32c(&encoded);
            encoded.extend_from_slice(&checksum.to_le_bytes());
        }
        Ok(encoded)
    }
}

/// Whether all bytes are 0.
pub(super) fn is_empty(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_zstd_chunks_are_what_the_array_library_reads() {
        let pixels: Vec<u8> = (0..8 * 8 * 2).map(|byte| byte as u8).collect();
        for is_inner in [true, false] {
            let encoder = Encoder::new(&[1, 1, 1, 8, 8], DataType::UInt(16), Compression::Zstd(3), is_inner).unwrap();
            let mut started = Started::default();
            for _ in 0..2 {
                let encoded = encoder.encode(&pixels, &mut started).unwrap().unwrap();
                let (data_type, fill) = (encoder.array.data_type(), encoder.array.fill_value());
                let decoded =
                    encoder.array.codecs().decode(encoded.into(), &encoder.shape, data_type, fill, &encoder.options);
                assert_eq!(decoded.unwrap().into_fixed().unwrap().as_ref(), pixels);
            }
            assert_eq!(encoder.encode(&[0; 128], &mut started).unwrap(), None);
        }
    }
}
