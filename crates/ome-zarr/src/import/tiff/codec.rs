//! Compressed strips and tiles. Each is handed to the `tiff` crate as a picture of its own, made of nothing but that
//! part: so parts decode in any order, on any thread, and what one of them holds cannot reach beyond its own buffer.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tiff::decoder::{Decoder, Limits};

use super::layout::{Layout, Photometric};

const JPEG: u16 = 7;
const WEBP: u16 = 50_001;
/// The most bytes one strip or tile may decode to: above it, no part of the picture could be had within bounds.
pub(super) const MAX_CHUNK_BYTES: u64 = 256 << 20;

/// What the file calls a codec, and whether it is read here.
pub(super) fn codec(compression: u16) -> (&'static str, bool) {
    match compression {
        1 => ("no compression", true),
        2 => ("CCITT RLE (modified Huffman)", false),
        3 => ("CCITT Group 3 fax", false),
        4 => ("CCITT Group 4 fax", true),
        5 => ("LZW", true),
        6 => ("old-style JPEG", false),
        JPEG => ("JPEG", true),
        8 | 32_946 => ("Deflate", true),
        32_773 => ("PackBits", true),
        32_809 => ("ThunderScan", false),
        33_003 | 33_005 => ("JPEG 2000 (Aperio)", false),
        33_004 | 33_007 | 34_712 => ("JPEG 2000", false),
        34_676 | 34_677 => ("SGI LogLuv", false),
        34_887 => ("LERC", false),
        34_892 => ("lossy JPEG of DNG", false),
        34_925 => ("LZMA", false),
        34_926 | 50_000 => ("Zstandard", true),
        34_927 | WEBP => ("WebP", true),
        22_610 | 34_934 => ("JPEG XR", false),
        34_933 => ("PNG", false),
        50_002 | 52_546 => ("JPEG XL", false),
        _ => ("an unknown codec", false),
    }
}

/// Decodes one strip or tile of `rows` rows: samples side by side, in the machine's byte order.
///
/// # Errors
/// In words, what the codec says against the bytes.
pub(super) fn decode(
    layout: &Layout,
    big_endian: bool,
    rows: u64,
    bytes: &[u8],
    jpeg_tables: Option<&[u8]>,
) -> Result<Vec<u8>, String> {
    let pixels = layout.chunk_width * rows;
    let samples = u64::from(layout.interleaved());
    let length = match layout.bits {
        1 => layout.chunk_width.div_ceil(8) * rows,
        bits => pixels * samples * u64::from(bits) / 8,
    };
    check_inner_size(layout, rows, bytes)?;
    let reversed: Vec<u8>;
    let bytes = if layout.lowest_bit_first {
        reversed = bytes.iter().map(|byte| byte.reverse_bits()).collect();
        &reversed
    } else {
        bytes
    };
    let picture = as_picture(layout, big_endian, rows, bytes, jpeg_tables);
    let mut decoded = vec![0; length as usize];
    // The decoders are other people's, and the bytes are strangers': a decoder that gives up must not take more with it.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut decoder = Decoder::new(Cursor::new(picture))?.with_limits(limits(length));
        decoder.read_chunk_bytes(0, &mut decoded)
    }));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("the decoder gave up on it".to_owned()),
    }
    Ok(finish(layout, rows, decoded))
}

/// What the stored colours become once they are decoded.
fn finish(layout: &Layout, rows: u64, mut decoded: Vec<u8>) -> Vec<u8> {
    if layout.bits == 1 {
        return unpack(&decoded, layout.chunk_width as usize, rows as usize);
    }
    if layout.compression == JPEG && layout.photometric == Photometric::YCbCr && layout.interleaved() == 3 {
        for pixel in decoded.chunks_exact_mut(3) {
            pixel.copy_from_slice(&rgb(pixel[0], pixel[1], pixel[2]));
        }
    }
    decoded
}

/// One byte of 0 or 1 for each bit.
fn unpack(bits: &[u8], width: usize, rows: usize) -> Vec<u8> {
    let row_bytes = width.div_ceil(8);
    let row = |row: usize| (0..width).map(move |x| bits[row * row_bytes + x / 8] >> (7 - x % 8) & 1);
    (0..rows).flat_map(row).collect()
}

/// JFIF 1.02, as the reference decoder rounds it.
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let byte = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [byte(y + 91_881 * cr), byte(y - 22_554 * cb - 46_802 * cr), byte(y + 116_130 * cb)]
}

fn limits(length: u64) -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = length as usize + 1024;
    limits.intermediate_buffer_size = usize::MAX;
    limits
}

/// Pictures within the picture say their own size: it must be that of the part, before anything is made of it.
fn check_inner_size(layout: &Layout, rows: u64, bytes: &[u8]) -> Result<(), String> {
    let size = match layout.compression {
        JPEG => jpeg_size(bytes),
        WEBP | 34_927 => webp_size(bytes),
        _ => return Ok(()),
    };
    let (width, height, samples) = size.ok_or("its header cannot be read")?;
    let fits = width == layout.chunk_width && height == rows;
    if !fits || samples.is_some_and(|samples| samples != layout.interleaved()) {
        return Err(format!("it holds {width} x {height} pixels where {} x {rows} belong", layout.chunk_width));
    }
    Ok(())
}

/// Width, height and number of components from the frame header of a JPEG (ISO/IEC 10918-1, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u64, u64, Option<u16>)> {
    let mut at = 2;
    loop {
        let marker = bytes.get(at..at + 2)?;
        let (0xFF, kind) = (marker[0], marker[1]) else { return None };
        if kind == 0xFF || (0xD0..=0xD8).contains(&kind) {
            at += if kind == 0xFF { 1 } else { 2 };
            continue;
        }
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
        let is_frame = (0xC0..=0xCF).contains(&kind) && !matches!(kind, 0xC4 | 0xC8 | 0xCC);
        if is_frame {
            let frame = bytes.get(at + 5..at + 10)?;
            let side = |high: u8, low: u8| u64::from(u16::from_be_bytes([high, low]));
            return Some((side(frame[2], frame[3]), side(frame[0], frame[1]), Some(u16::from(frame[4]))));
        }
        at += 2 + length.max(2);
    }
}

fn webp_size(bytes: &[u8]) -> Option<(u64, u64, Option<u16>)> {
    let reader = image::ImageReader::with_format(Cursor::new(bytes), image::ImageFormat::WebP);
    reader.into_dimensions().ok().map(|(width, height)| (u64::from(width), u64::from(height), None))
}

/// A TIFF file of one strip.
fn as_picture(layout: &Layout, big_endian: bool, rows: u64, bytes: &[u8], jpeg_tables: Option<&[u8]>) -> Vec<u8> {
    const FIELDS_AT: u32 = 8;
    let tables = jpeg_tables.unwrap_or_default();
    let count: u32 = if jpeg_tables.is_some() { 12 } else { 11 };
    let tables_at = FIELDS_AT + 2 + count * 12 + 4;
    let data_at = tables_at + tables.len() as u32;
    let mut fields = vec![
        (256, 4, 1, layout.chunk_width as u32),
        (257, 4, 1, rows as u32),
        (258, 4, 1, u32::from(layout.bits)),
        (259, 4, 1, u32::from(crate_compression(layout.compression))),
        // Read as grey whatever it is: values must come out as they are stored.
        (262, 4, 1, 1),
        (273, 4, 1, data_at),
        (277, 4, 1, u32::from(layout.interleaved())),
        (278, 4, 1, rows as u32),
        (279, 4, 1, bytes.len() as u32),
        (317, 4, 1, u32::from(layout.predictor)),
        (339, 4, 1, u32::from(layout.format)),
    ];
    if jpeg_tables.is_some() {
        fields.push((347, 7, tables.len() as u32, tables_at));
    }
    let two = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let four = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut file = Vec::with_capacity(data_at as usize + bytes.len());
    file.extend_from_slice(if big_endian { b"MM" } else { b"II" });
    file.extend_from_slice(&two(42));
    file.extend_from_slice(&four(FIELDS_AT));
    file.extend_from_slice(&two(fields.len() as u16));
    for (tag, kind, count, value) in fields {
        file.extend_from_slice(&two(tag));
        file.extend_from_slice(&two(kind));
        file.extend_from_slice(&four(count));
        file.extend_from_slice(&four(value));
    }
    file.extend_from_slice(&four(0));
    file.extend_from_slice(tables);
    file.extend_from_slice(bytes);
    file
}

/// Codecs with several numbers, under the one the decoder knows.
fn crate_compression(compression: u16) -> u16 {
    match compression {
        34_926 => 50_000,
        34_927 => WEBP,
        known => known,
    }
}
