//! Bounds what encoded bytes can decode to, before they are decoded: a few kilobytes can claim to be terabytes.

use std::io::Read;

use crate::array::Compressor;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest output of one compressed zstd block, in bytes (RFC 8878, section 3.1.1.2.4).
const ZSTD_BLOCK_BYTES: u64 = 128 << 10;
/// For zstd streams that do not say their size, which are bounded block by block, in bytes.
const MAX_UNSIZED_BYTES: u64 = 256 << 20;

/// Refuses bytes that would decode to more than `limit` bytes.
pub(super) fn check(compressor: Compressor, encoded: &[u8], limit: u64) -> Result<(), String> {
    let fits = match compressor {
        Compressor::None => encoded.len() as u64 <= limit,
        Compressor::Blosc => blosc_size(encoded).is_some_and(|size| size <= limit),
        Compressor::Zstd => zstd_fits(encoded, limit),
        Compressor::Gzip => gzip_fits(encoded, limit),
    };
    if fits { Ok(()) } else { Err("the stored chunk is damaged, or decodes to more than a chunk holds".to_owned()) }
}

/// The decoded size that encoded bytes name themselves, in bytes; `None` where they do not say.
pub(super) fn named_size(compressor: Compressor, encoded: &[u8]) -> Option<u64> {
    match compressor {
        Compressor::Blosc => blosc_size(encoded),
        Compressor::Zstd => {
            let (mut at, mut size) = (0, None);
            while let Some(rest) = encoded.get(at..).filter(|rest| rest.starts_with(&ZSTD_MAGIC)) {
                let frame = zstd_frame(rest).filter(|frame| frame.is_sized)?;
                (at, size) = (at + frame.length, Some(size.unwrap_or(0u64).saturating_add(frame.bound)));
            }
            size
        }
        Compressor::None | Compressor::Gzip => None,
    }
}

/// Where the compressed stream that bytes begin with ends; `None` where it cannot be told.
pub(super) fn end(compressor: Compressor, encoded: &[u8]) -> Option<usize> {
    match compressor {
        Compressor::None => None,
        // Bytes 12 to 16 of a Blosc header.
        Compressor::Blosc => Some(u32::from_le_bytes(encoded.get(12..16)?.try_into().ok()?) as usize),
        Compressor::Gzip => {
            let mut decoder = flate2::bufread::MultiGzDecoder::new(encoded);
            std::io::copy(&mut decoder, &mut std::io::sink()).ok()?;
            Some(encoded.len() - decoder.into_inner().len())
        }
        Compressor::Zstd => {
            let mut at = 0;
            while let Some(rest) = encoded.get(at..).filter(|rest| rest.starts_with(&ZSTD_MAGIC)) {
                at += zstd_frame(rest)?.length;
            }
            (at > 0).then_some(at)
        }
    }
}

/// The size a Blosc header names (bytes 4 to 8).
fn blosc_size(encoded: &[u8]) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(encoded.get(4..8)?.try_into().ok()?)))
}

fn gzip_fits(encoded: &[u8], limit: u64) -> bool {
    let mut decoded = flate2::read::GzDecoder::new(encoded).take(limit.saturating_add(1));
    std::io::copy(&mut decoded, &mut std::io::sink()).is_ok_and(|size| size <= limit)
}

fn zstd_fits(encoded: &[u8], limit: u64) -> bool {
    let mut rest = encoded;
    let mut total = 0u64;
    let mut sized = true;
    let mut frames = 0;
    while rest.starts_with(&ZSTD_MAGIC) {
        let Some(frame) = zstd_frame(rest) else { return false };
        total = total.saturating_add(frame.bound);
        sized &= frame.is_sized;
        frames += 1;
        rest = rest.get(frame.length..).unwrap_or_default();
    }
    // A checksum of four bytes may follow; another frame, of a kind not read here, may not.
    frames > 0 && rest.len() <= 4 && total <= if sized { limit } else { limit.max(MAX_UNSIZED_BYTES) }
}

struct Frame {
    length: usize,
    bound: u64,
    is_sized: bool,
}

/// Reads a zstd frame without decoding it (RFC 8878, section 3.1.1).
fn zstd_frame(bytes: &[u8]) -> Option<Frame> {
    let descriptor = *bytes.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    let size_bytes = match descriptor >> 6 {
        0 => usize::from(is_single),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
    let at = 5 + usize::from(!is_single) + dictionary;
    let mut size = [0; 8];
    size.get_mut(..size_bytes)?.copy_from_slice(bytes.get(at..at + size_bytes)?);
    let size = u64::from_le_bytes(size) + if size_bytes == 2 { 256 } else { 0 };
    let (blocks, sum) = zstd_blocks(bytes.get(at + size_bytes..)?)?;
    let checksum = if descriptor & 4 != 0 { 4 } else { 0 };
    let is_sized = size_bytes > 0;
    Some(Frame { length: at + size_bytes + blocks + checksum, bound: if is_sized { size } else { sum }, is_sized })
}

/// The length of a frame's blocks, and the most they decode to.
fn zstd_blocks(bytes: &[u8]) -> Option<(usize, u64)> {
    let (mut at, mut sum) = (0usize, 0u64);
    loop {
        let header = bytes.get(at..at + 3)?;
        let header = header.iter().rev().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        let size = header >> 3;
        let (stored, decoded) = match header >> 1 & 3 {
            0 => (size as usize, u64::from(size)),
            1 => (1, u64::from(size)),
            2 => (size as usize, ZSTD_BLOCK_BYTES),
            _ => return None,
        };
        (at, sum) = (at + 3 + stored, sum + decoded);
        bytes.get(..at)?;
        if header & 1 == 1 {
            return Some((at, sum));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn frame(descriptor: u8, size: &[u8], block: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = ZSTD_MAGIC.to_vec();
        bytes.push(descriptor);
        bytes.extend_from_slice(size);
        bytes.extend_from_slice(&block.to_le_bytes()[..3]);
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn a_frame_that_claims_terabytes_is_refused_and_an_honest_one_is_not() {
        let honest = frame(0x20, &[3], 3 << 3 | 1, b"abc");
        assert!(check(Compressor::Zstd, &honest, 3).is_ok());
        assert!(check(Compressor::Zstd, &honest, 2).is_err());
        let bomb = frame(0xe0, &(1u64 << 42).to_le_bytes(), 3 << 3 | 1, b"abc");
        assert!(check(Compressor::Zstd, &bomb, 1 << 20).is_err());
    }

    #[test]
    fn repeated_bytes_in_frames_without_a_size_are_counted() {
        // Each block of four bytes stands for 128 KiB.
        let mut bytes = ZSTD_MAGIC.to_vec();
        bytes.extend_from_slice(&[0, 0x58]);
        for _ in 0..4000 {
            bytes.extend_from_slice(&((128u32 << 10) << 3 | 1 << 1).to_le_bytes()[..3]);
            bytes.push(0);
        }
        bytes.extend_from_slice(&[1, 0, 0]);
        assert!(check(Compressor::Zstd, &bytes, 1 << 20).is_err());
    }

    #[test]
    fn gzip_is_counted_without_being_kept() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        let bytes = encoder.finish().unwrap();
        assert!(check(Compressor::Gzip, &bytes, 1 << 20).is_ok());
        assert!(check(Compressor::Gzip, &bytes, (1 << 20) - 1).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_guard_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), zstd: bool) {
            if zstd {
                bytes.splice(0..0, ZSTD_MAGIC);
            }
            for compressor in [Compressor::None, Compressor::Blosc, Compressor::Gzip, Compressor::Zstd] {
                let _ = check(compressor, &bytes, 1000);
            }
        }
    }
}
