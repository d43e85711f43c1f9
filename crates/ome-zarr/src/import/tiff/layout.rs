use super::directory::{Directory, Field, Reader};
use crate::{array::DataType, error::OmeZarrError};

/// The tags that say how pixels are stored (TIFF 6.0, section 8; Technical Note 2; `SGILOG`, Adobe and LEAD additions).
mod tag {
    pub(super) const WIDTH: u16 = 256;
    pub(super) const HEIGHT: u16 = 257;
    pub(super) const BITS: u16 = 258;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC: u16 = 262;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const SAMPLES: u16 = 277;
    pub(super) const ROWS_PER_STRIP: u16 = 278;
    pub(super) const PLANAR: u16 = 284;
    pub(super) const PREDICTOR: u16 = 317;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_HEIGHT: u16 = 323;
    pub(super) const SAMPLE_FORMAT: u16 = 339;
    pub(super) const JPEG_TABLES: u16 = 347;
    pub(super) const SUBSAMPLING: u16 = 530;
    pub(super) const DEPTH: u16 = 32_997;
}

/// One sample of each pixel is kept apart from the others.
const PLANAR: u64 = 2;
/// More samples than this in one pixel are no picture.
const MAX_SAMPLES: u64 = 4096;
/// The most strips or tiles of one page: 64 Mi pixels square in tiles of 16 KiB pixels.
const MAX_CHUNKS: u64 = 1 << 26;

/// No picture has more: 1 PiB.
const MAX_PLANE_BYTES: u64 = 1 << 50;

/// What the colours of a pixel mean, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Photometric {
    WhiteIsZero,
    Gray,
    Rgb,
    Palette,
    YCbCr,
    Other,
}

/// How the pixels of a page are stored. Pages of one stack share theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Layout {
    pub(super) width: u64,
    pub(super) height: u64,
    /// Bits per sample.
    pub(super) bits: u8,
    /// 1 unsigned, 2 signed, 3 floating point.
    pub(super) format: u8,
    pub(super) samples: u16,
    pub(super) planar: bool,
    pub(super) photometric: Photometric,
    pub(super) compression: u16,
    pub(super) predictor: u16,
    pub(super) lowest_bit_first: bool,
    pub(super) chunk_width: u64,
    pub(super) chunk_height: u64,
    pub(super) is_tiled: bool,
    pub(super) jpeg_tables: Option<Field>,
    pub(super) subsampling: [u16; 2],
}

impl Layout {
    pub(super) fn read(reader: &mut Reader<'_>, directory: &Directory, path: &str) -> Result<Self, OmeZarrError> {
        let mut number = |tag: u16, default: Option<u64>| match directory.field(tag) {
            Some(field) => reader.whole(field),
            None => default.ok_or_else(|| OmeZarrError::decode(path, format!("a page lacks the TIFF tag {tag}"))),
        };
        let (width, height) = (number(tag::WIDTH, None)?, number(tag::HEIGHT, None)?);
        let samples = number(tag::SAMPLES, Some(1))?;
        let depth = number(tag::DEPTH, Some(1))?;
        let tile_width = number(tag::TILE_WIDTH, Some(0))?;
        let is_tiled = tile_width > 0;
        let (chunk_width, chunk_height) = if is_tiled {
            (tile_width, number(tag::TILE_HEIGHT, None)?)
        } else {
            // 2^32 - 1 and absence both mean one strip.
            (width, number(tag::ROWS_PER_STRIP, Some(height))?.min(height))
        };
        let photometric = photometric(number(tag::PHOTOMETRIC, Some(1))?);
        let compression = number(tag::COMPRESSION, Some(1))? as u16;
        let predictor = number(tag::PREDICTOR, Some(1))? as u16;
        let lowest_bit_first = number(tag::FILL_ORDER, Some(1))? == 2;
        let planar = number(tag::PLANAR, Some(1))? == PLANAR && samples > 1;
        let sides = [width, height, chunk_width, chunk_height];
        if sides.iter().any(|side| *side == 0 || *side > 1 << 31) || samples == 0 || samples > MAX_SAMPLES || depth > 1
        {
            return Err(OmeZarrError::decode(
                path,
                format!(
                    "a page of {width} x {height} pixels in parts of {chunk_width} x {chunk_height} x {depth} with \
                     {samples} samples is not a picture that can be read"
                ),
            ));
        }
        let (bits, format) = sample_type(reader, directory, samples, path)?;
        let layout = Self {
            width,
            height,
            bits,
            format,
            samples: samples as u16,
            planar,
            photometric,
            compression,
            predictor,
            lowest_bit_first,
            chunk_width,
            chunk_height,
            is_tiled,
            jpeg_tables: directory.field(tag::JPEG_TABLES),
            subsampling: subsampling(reader, directory),
        };
        if layout.chunk_count() > MAX_CHUNKS || layout.plane_bytes() > MAX_PLANE_BYTES {
            return Err(OmeZarrError::too_large(
                path,
                format!("a page of {width} x {height} pixels in parts of {chunk_width} x {chunk_height} is too much"),
            ));
        }
        Ok(layout)
    }

    pub(in crate::import) fn width(&self) -> u64 {
        self.width
    }

    pub(in crate::import) fn height(&self) -> u64 {
        self.height
    }

    pub(in crate::import) fn samples(&self) -> u16 {
        self.samples
    }

    pub(in crate::import) fn photometric(&self) -> Photometric {
        self.photometric
    }

    /// What pages of one image have in common: width, height, samples, bits and kind of number.
    pub(in crate::import) fn kind(&self) -> (u64, u64, u16, u8, u8) {
        (self.width, self.height, self.samples, self.bits, self.format)
    }

    /// Parts from left to right.
    pub(super) fn across(&self) -> u64 {
        self.width.div_ceil(self.chunk_width)
    }

    /// Parts from top to bottom.
    pub(super) fn down(&self) -> u64 {
        self.height.div_ceil(self.chunk_height)
    }

    /// All strips or tiles of the page.
    pub(super) fn chunk_count(&self) -> u64 {
        let planes = if self.planar { u64::from(self.samples) } else { 1 };
        self.across().saturating_mul(self.down()).saturating_mul(planes)
    }

    /// The rows a strip or tile holds: the last strip holds those that are left, a tile is always whole.
    pub(super) fn rows_of(&self, row: u64) -> u64 {
        if self.is_tiled { self.chunk_height } else { self.chunk_height.min(self.height - row * self.chunk_height) }
    }

    /// The samples that are stored side by side.
    pub(super) fn interleaved(&self) -> u16 {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of one sample as it is handed out.
    pub(super) fn sample_bytes(&self) -> usize {
        usize::from(self.bits.div_ceil(8))
    }

    /// Bytes from one pixel to the next.
    pub(super) fn pixel_bytes(&self) -> u64 {
        u64::from(self.interleaved()) * self.sample_bytes() as u64
    }

    /// Bytes of so many rows of a strip or tile, decoded.
    pub(super) fn bytes_of(&self, rows: u64) -> u64 {
        self.chunk_width.saturating_mul(rows).saturating_mul(self.pixel_bytes())
    }

    /// Bytes of a whole plane, all samples included.
    pub(in crate::import) fn plane_bytes(&self) -> u64 {
        let pixels = self.width.saturating_mul(self.height);
        pixels.saturating_mul(u64::from(self.samples)).saturating_mul(self.sample_bytes() as u64)
    }

    /// Whether the file's bytes are the pixels.
    pub(super) fn is_plain(&self) -> bool {
        self.compression == 1 && self.predictor == 1 && self.bits >= 8
    }

    /// Whether its samples are the colours of a picture.
    pub(super) fn is_rgb(&self) -> bool {
        matches!(self.photometric, Photometric::Rgb | Photometric::YCbCr) && self.samples >= 3
    }

    /// The type of a pixel; `None` if there is none like it.
    pub(super) fn data_type(&self) -> Option<DataType> {
        match (self.format, self.bits) {
            // Pictures of one bit are handed out as 0 and 1.
            (1, 1) if self.samples == 1 => Some(DataType::UInt(8)),
            (1, bits @ (8 | 16 | 32 | 64)) => Some(DataType::UInt(bits)),
            (2, bits @ (8 | 16 | 32 | 64)) => Some(DataType::Int(bits)),
            (3, bits @ (16 | 32 | 64)) => Some(DataType::Float(bits)),
            _ => None,
        }
    }
}

fn photometric(value: u64) -> Photometric {
    match value {
        0 => Photometric::WhiteIsZero,
        1 => Photometric::Gray,
        2 => Photometric::Rgb,
        3 => Photometric::Palette,
        6 => Photometric::YCbCr,
        _ => Photometric::Other,
    }
}

/// Bits and kind of number, which all samples of a pixel share.
fn sample_type(
    reader: &mut Reader<'_>,
    directory: &Directory,
    samples: u64,
    path: &str,
) -> Result<(u8, u8), OmeZarrError> {
    let mut same = |tag: u16, default: u64| -> Result<u64, OmeZarrError> {
        let Some(field) = directory.field(tag).filter(|field| field.count > 0) else { return Ok(default) };
        let values = reader.wholes(field, 0, field.count.min(samples))?;
        if values.iter().any(|value| *value != values[0]) {
            return Err(OmeZarrError::decode(path, "the samples of a pixel have different types, which is not read"));
        }
        Ok(values[0])
    };
    let bits = same(tag::BITS, 1)?;
    let format = match same(tag::SAMPLE_FORMAT, 1)? {
        // 4 is "undefined": the numbers are what their bits say.
        4 => 1,
        known => known,
    };
    Ok((u8::try_from(bits).unwrap_or(u8::MAX), u8::try_from(format).unwrap_or(u8::MAX)))
}

fn subsampling(reader: &mut Reader<'_>, directory: &Directory) -> [u16; 2] {
    let values = directory.field(tag::SUBSAMPLING).and_then(|field| reader.wholes(field, 0, 2).ok());
    values.map_or([2, 2], |values| [values[0] as u16, values[1] as u16])
}
