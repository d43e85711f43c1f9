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
    /// A plane from its pixels, row by row; `None` if they are not as many as the array's sides say.
    pub(super) fn new(meta: &ArrayMeta, slice: &Slice, bytes: Vec<u8>) -> Option<Self> {
        let side = |axis: usize| usize::try_from(*meta.shape.get(axis)?).ok();
        let (height, width, data_type) = (side(slice.y)?, side(slice.x)?, meta.data_type);
        let size = height.checked_mul(width)?.checked_mul(data_type.size())?;
        (bytes.len() == size).then_some(Self { width, height, data_type, bytes })
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
