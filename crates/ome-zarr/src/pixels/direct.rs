use std::io::Read;

use serde_json::Value;

use crate::{
    array::{ArrayMeta, Compressor},
    node::{Node, ZarrVersion},
};

use super::chain::{Chain, OldCompressor};

/// Bytes of a CRC32C checksum.
const CHECKSUM_BYTES: usize = 4;

/// A chain of codecs that needs no array library: pixels as this machine has them, perhaps compressed, perhaps checked.
/// Most images are stored so, and memory is used again from chunk to chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Direct {
    way: Way,
    is_checksummed: bool,
    chunk_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Zstd,
    Gzip,
    Zlib,
    /// A block, after its decoded size in four bytes.
    Lz4,
}

impl Way {
    fn of(chain: &Chain) -> Option<Self> {
        match (chain.old, chain.compressor) {
            (Some(OldCompressor::Lz4), _) => Some(Self::Lz4),
            (Some(OldCompressor::Zlib), _) => Some(Self::Zlib),
            (None, Compressor::None) => Some(Self::Plain),
            (None, Compressor::Zstd) => Some(Self::Zstd),
            (None, Compressor::Gzip) => Some(Self::Gzip),
            (None, Compressor::Blosc) => None,
        }
    }
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
        let way = Way::of(chain).filter(|_| cfg!(target_endian = "little"))?;
        let is_checksummed = match node.zarr {
            ZarrVersion::V2 => {
                let at = node.structure();
                let is_big = at.text_of("dtype").is_some_and(|dtype| dtype.starts_with('>'));
                (!(is_big && meta.data_type.size() > 1) && at.text_of("order") != Some("F")).then_some(false)?
            }
            ZarrVersion::V3 => checksummed(chain, meta.data_type.size())?,
        };
        Some(Self { way, is_checksummed, chunk_bytes })
    }

    /// What takes an old compressor off, whatever order the pixels below it are in.
    pub(super) fn of_old(chain: &Chain, chunk_bytes: usize) -> Option<Self> {
        let way = Way::of(chain).filter(|_| chain.old.is_some())?;
        Some(Self { way, is_checksummed: false, chunk_bytes })
    }

    /// Decodes a chunk. No more is ever written than a chunk holds, whatever the bytes claim.
    pub(super) fn decode<'a>(self, encoded: &'a [u8], scratch: &'a mut Scratch) -> Result<&'a [u8], String> {
        let body = if self.is_checksummed { checked(encoded)? } else { encoded };
        let decoded = match self.way {
            Way::Plain => body,
            Way::Zstd => self.zstd(body, scratch)?,
            Way::Gzip => self.stream(flate2::read::MultiGzDecoder::new(body), scratch)?,
            Way::Zlib => self.stream(flate2::read::ZlibDecoder::new(body), scratch)?,
            Way::Lz4 => self.lz4(body, scratch)?,
        };
        if decoded.len() == self.chunk_bytes {
            Ok(decoded)
        } else {
            Err(format!("the chunk holds {} bytes instead of {}", decoded.len(), self.chunk_bytes))
        }
    }
}

impl Direct {
    fn zstd<'a>(self, encoded: &[u8], scratch: &'a mut Scratch) -> Result<&'a [u8], String> {
        scratch.bytes.resize(self.chunk_bytes, 0);
        if scratch.zstd.is_none() {
            scratch.zstd = Some(zstd::bulk::Decompressor::new().map_err(|error| error.to_string())?);
        }
        let Some(zstd) = &mut scratch.zstd else { return Err("zstd cannot be started".to_owned()) };
        let length = zstd.decompress_to_buffer(encoded, scratch.bytes.as_mut_slice()).map_err(|_| damaged())?;
        scratch.bytes.get(..length).ok_or_else(damaged)
    }

    fn stream(self, decoder: impl Read, scratch: &mut Scratch) -> Result<&[u8], String> {
        scratch.bytes.clear();
        let limit = self.chunk_bytes as u64 + 1;
        decoder.take(limit).read_to_end(&mut scratch.bytes).map_err(|_| damaged())?;
        Ok(&scratch.bytes)
    }

    fn lz4<'a>(self, encoded: &[u8], scratch: &'a mut Scratch) -> Result<&'a [u8], String> {
        scratch.bytes.resize(self.chunk_bytes, 0);
        let (_, block) = encoded.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = lz4_flex::block::decompress_into(block, &mut scratch.bytes).map_err(|_| damaged())?;
        scratch.bytes.get(..length).ok_or_else(damaged)
    }
}

fn damaged() -> String {
    "the stored chunk is damaged, or decodes to more than a chunk holds".to_owned()
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
    let (body, stored) = encoded.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
    if crc32c::crc32c(body) == u32::from_le_bytes(*stored) {
        Ok(body)
    } else {
        Err("the stored chunk is damaged: its checksum is another".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn decoded(way: Way, encoded: &[u8], chunk_bytes: usize) -> Result<Vec<u8>, String> {
        let direct = Direct { way, is_checksummed: false, chunk_bytes };
        direct.decode(encoded, &mut Scratch::default()).map(<[u8]>::to_vec)
    }

    #[test]
    fn chunks_decode_to_what_a_chunk_holds_and_to_nothing_else() {
        let pixels: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let zlib = {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&pixels).unwrap();
            encoder.finish().unwrap()
        };
        let lz4 = [4096u32.to_le_bytes().as_slice(), &lz4_flex::block::compress(&pixels)].concat();
        let zstd = zstd::bulk::compress(&pixels, 1).unwrap();
        for (way, encoded) in [(Way::Plain, pixels.clone()), (Way::Zlib, zlib), (Way::Lz4, lz4), (Way::Zstd, zstd)] {
            assert_eq!(decoded(way, &encoded, 4096).unwrap(), pixels, "{way:?}");
            assert!(decoded(way, &encoded, 4095).is_err(), "{way:?}");
            assert!(decoded(way, &encoded, 4097).is_err(), "{way:?}");
            assert!(decoded(way, &encoded[..encoded.len() - 3], 4096).is_err(), "{way:?}");
            assert!(decoded(way, &[], 4096).is_err(), "{way:?}");
        }
    }

    #[test]
    fn a_checksum_that_is_another_is_an_error() {
        let direct = Direct { way: Way::Plain, is_checksummed: true, chunk_bytes: 3 };
        let mut encoded = b"abc".to_vec();
        encoded.extend_from_slice(&crc32c::crc32c(b"abc").to_le_bytes());
        assert_eq!(direct.decode(&encoded, &mut Scratch::default()).unwrap(), b"abc");
        encoded[0] ^= 1;
        assert!(direct.decode(&encoded, &mut Scratch::default()).is_err());
    }
}
