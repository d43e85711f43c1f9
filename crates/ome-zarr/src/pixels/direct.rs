use std::io::Read;

use serde_json::Value;

use crate::{
    array::{ArrayMeta, Compressor},
    node::{Node, ZarrVersion},
};

use super::chain::Chain;

/// Bytes of a CRC32C checksum.
const CHECKSUM_BYTES: usize = 4;

/// A chain of codecs that needs no array library: pixels as this machine has them, perhaps compressed, perhaps checked.
/// Most images are stored so, and memory is used again from chunk to chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Direct {
    compressor: Compressor,
    is_checksummed: bool,
    chunk_bytes: usize,
}

/// Memory that is used again for the next chunk.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) bytes: Vec<u8>,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl Direct {
    /// The chain of an array, if it is one of these.
    pub(super) fn of(node: &Node, meta: &ArrayMeta, chain: &Chain, chunk_bytes: usize) -> Option<Self> {
        let is_native = cfg!(target_endian = "little") && chain.compressor != Compressor::Blosc;
        let is_checksummed = match node.zarr {
            ZarrVersion::V2 => {
                let at = node.structure();
                let is_big = at.text_of("dtype").is_some_and(|dtype| dtype.starts_with('>'));
                (!(is_big && meta.data_type.size() > 1) && at.text_of("order") != Some("F")).then_some(false)?
            }
            ZarrVersion::V3 => checksummed(chain, meta.data_type.size())?,
        };
        is_native.then_some(Self { compressor: chain.compressor, is_checksummed, chunk_bytes })
    }

    /// Decodes a chunk. No more is ever written than a chunk holds, whatever the bytes claim.
    pub(super) fn decode<'a>(self, encoded: &'a [u8], scratch: &'a mut Scratch) -> Result<&'a [u8], String> {
        let body = if self.is_checksummed { checked(encoded)? } else { encoded };
        let decoded = match self.compressor {
            Compressor::None => body,
            Compressor::Zstd => {
                scratch.bytes.resize(self.chunk_bytes, 0);
                if scratch.zstd.is_none() {
                    scratch.zstd = Some(zstd::bulk::Decompressor::new().map_err(|error| error.to_string())?);
                }
                let Some(zstd) = &mut scratch.zstd else { return Err("zstd cannot be started".to_owned()) };
                let length = zstd.decompress_to_buffer(body, scratch.bytes.as_mut_slice()).map_err(|error| {
                    format!("the stored chunk is damaged, or decodes to more than a chunk holds ({error})")
                })?;
                scratch.bytes.get(..length).unwrap_or_default()
            }
            Compressor::Gzip => {
                scratch.bytes.clear();
                let decoder = flate2::read::MultiGzDecoder::new(body);
                let limit = self.chunk_bytes as u64 + 1;
                decoder
                    .take(limit)
                    .read_to_end(&mut scratch.bytes)
                    .map_err(|error| format!("the stored chunk is damaged ({error})"))?;
                &scratch.bytes
            }
            Compressor::Blosc => return Err("blosc is not decoded here".to_owned()),
        };
        if decoded.len() == self.chunk_bytes {
            Ok(decoded)
        } else {
            Err(format!("the chunk holds {} bytes instead of {}", decoded.len(), self.chunk_bytes))
        }
    }
}

/// Whether the chain ends in a checksum; `None` if it is more than pixels, compressor and checksum.
fn checksummed(chain: &Chain, pixel: usize) -> Option<bool> {
    let name = |codec: &Value| codec.get("name").and_then(Value::as_str).map(str::to_owned);
    let names: Vec<String> = chain.codecs.iter().filter_map(name).collect();
    let endian = chain.codecs.first()?.get("configuration").and_then(|codec| codec.get("endian"));
    if endian.and_then(Value::as_str).is_some_and(|endian| endian != "little") && pixel > 1 {
        return None;
    }
    match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bytes"] | ["bytes", "zstd" | "gzip"] => Some(false),
        ["bytes", "crc32c"] | ["bytes", "zstd" | "gzip", "crc32c"] => Some(true),
        _ => None,
    }
}

/// The bytes before their checksum.
fn checked(encoded: &[u8]) -> Result<&[u8], String> {
    let (body, stored) = encoded.split_last_chunk::<CHECKSUM_BYTES>().ok_or("the stored chunk is damaged")?;
    if crc32c::crc32c(body) == u32::from_le_bytes(*stored) {
        Ok(body)
    } else {
        Err("the stored chunk is damaged: its checksum is another".to_owned())
    }
}
