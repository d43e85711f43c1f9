use crate::array::{ArrayMeta, DataType};

use super::Slice;

/// A picture: rows of pixels in the machine's byte order.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    data_type: DataType,
    bytes: Vec<u8>,
}

impl Plane {
    /// A plane of zeros; its size has been checked.
    pub(super) fn new(meta: &ArrayMeta, slice: &Slice) -> Option<Self> {
        let side = |axis: usize| usize::try_from(*meta.shape.get(axis)?).ok();
        let (height, width, data_type) = (side(slice.y)?, side(slice.x)?, meta.data_type);
        let size = height.checked_mul(width)?.checked_mul(data_type.size())?;
        Some(Self { width, height, data_type, bytes: vec![0; size] })
    }

    /// Puts the pixels of one chunk where they belong.
    pub(super) fn place(&mut self, meta: &ArrayMeta, slice: &Slice, chunk: &[u64], tile: &[u8]) {
        let Some(part) = Part::of(meta, slice, chunk) else { return };
        let pixel = self.data_type.size();
        for (row, source) in tile.chunks_exact((part.width * pixel).max(1)).enumerate().take(part.height) {
            let start = ((part.top + row) * self.width + part.left) * pixel;
            if let Some(target) = self.bytes.get_mut(start..start + source.len()) {
                target.copy_from_slice(source);
            }
        }
    }

    /// One row as numbers; NaN and infinities are 0.
    pub(crate) fn row(&self, y: usize) -> impl Iterator<Item = f32> {
        let data_type = self.data_type;
        self.pixels(y).map(move |pixel| {
            let value = number(data_type, pixel);
            if value.is_finite() { value as f32 } else { 0.0 }
        })
    }

    /// One row as the bits of whole numbers: what a label image names its objects with.
    pub(crate) fn label_row(&self, y: usize) -> impl Iterator<Item = u64> {
        let data_type = self.data_type;
        self.pixels(y).map(move |pixel| match data_type {
            DataType::Int(_) | DataType::UInt(_) | DataType::Bool => unsigned(pixel),
            _ => number(data_type, pixel) as u64,
        })
    }

    fn pixels(&self, y: usize) -> std::slice::ChunksExact<'_, u8> {
        let size = self.data_type.size();
        let row = self.width * size;
        self.bytes.get(y * row..(y + 1) * row).unwrap_or_default().chunks_exact(size)
    }
}

/// Which part of a plane a chunk covers, in pixels.
struct Part {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Part {
    fn of(meta: &ArrayMeta, slice: &Slice, chunk: &[u64]) -> Option<Self> {
        let side = |axis: usize| -> Option<(usize, usize)> {
            let size = *meta.chunk_shape().get(axis)?;
            let start = chunk.get(axis)?.checked_mul(size)?;
            let extent = meta.shape.get(axis)?.checked_sub(start)?.min(size);
            Some((usize::try_from(start).ok()?, usize::try_from(extent).ok()?))
        };
        let ((top, height), (left, width)) = side(slice.y).zip(side(slice.x))?;
        Some(Self { top, left, height, width })
    }
}

/// Cuts the pixels of a plane out of a decoded chunk. Where the chunk is not as long as its shape says, the rest is 0.
pub(super) fn cut(meta: &ArrayMeta, slice: &Slice, chunk: &[u64], decoded: &[u8]) -> Vec<u8> {
    let Some(part) = Part::of(meta, slice, chunk) else { return Vec::new() };
    let pixel = meta.data_type.size();
    let shape = meta.chunk_shape();
    let stride = |axis: usize| shape.iter().skip(axis + 1).product::<u64>() as usize * pixel;
    let fixed = |(axis, index): (usize, &u64)| match shape.get(axis) {
        Some(size) if axis != slice.y && axis != slice.x => (index % size) as usize * stride(axis),
        _ => 0,
    };
    let origin: usize = slice.index.iter().enumerate().map(fixed).sum();
    let (down, right) = (stride(slice.y), stride(slice.x));
    let mut tile = Vec::with_capacity(part.height * part.width * pixel);
    for row in 0..part.height {
        let start = origin + row * down;
        if right == pixel {
            tile.extend_from_slice(decoded.get(start..start + part.width * pixel).unwrap_or_default());
        } else {
            let pixels = (0..part.width).map(|column| start + column * right);
            pixels.for_each(|at| tile.extend_from_slice(decoded.get(at..at + pixel).unwrap_or_default()));
        }
    }
    tile
}

/// A little- or big-endian machine's own integer, of any width.
fn unsigned(pixel: &[u8]) -> u64 {
    match *pixel {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_ne_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_ne_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

fn number(data_type: DataType, pixel: &[u8]) -> f64 {
    let bits = unsigned(pixel);
    match data_type {
        DataType::Bool => f64::from(u8::from(bits != 0)),
        DataType::UInt(_) => bits as f64,
        DataType::Int(8) => f64::from(bits as u8 as i8),
        DataType::Int(16) => f64::from(bits as u16 as i16),
        DataType::Int(32) => f64::from(bits as u32 as i32),
        DataType::Int(_) => bits as i64 as f64,
        DataType::Float(16) => half(bits as u16),
        DataType::Float(32) => f64::from(f32::from_bits(bits as u32)),
        DataType::Float(_) => f64::from_bits(bits),
        DataType::Complex(_) => 0.0,
    }
}

/// An IEEE 754 half-precision number.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    match exponent {
        0 => sign * fraction * 2f64.powi(-14),
        31 => f64::NAN,
        _ => sign * (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_are_read() {
        assert_eq!(number(DataType::UInt(16), &513u16.to_ne_bytes()), 513.0);
        assert_eq!(number(DataType::Int(8), &(-3i8).to_ne_bytes()), -3.0);
        assert_eq!(number(DataType::Int(64), &(-3i64).to_ne_bytes()), -3.0);
        assert_eq!(number(DataType::Float(32), &1.5f32.to_ne_bytes()), 1.5);
        assert_eq!(half(0x3c00), 1.0);
        assert_eq!(half(0xc000), -2.0);
        assert_eq!(half(0x0001), 2f64.powi(-24));
    }
}
