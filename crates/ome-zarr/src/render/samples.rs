use std::ops::Range;

use crate::{
    array::DataType,
    error::OmeZarrError,
    pixels::{PixelReader, Region},
};

use super::{Budget, Place, Rect, View};

/// Pixels of a part of a plane, of one or several channels.
pub(super) struct Samples {
    bytes: Vec<u8>,
    data_type: DataType,
    width: usize,
    /// Bytes from one channel, row and column to the next.
    strides: (usize, usize, usize),
}

impl Samples {
    /// Reads a part of a plane; `channels` counts for nothing where there is no axis of channels.
    pub(super) fn read(
        reader: &PixelReader<'_>,
        view: &View,
        place: &Place,
        rect: Rect,
        channels: Range<u64>,
        budget: &Budget<'_>,
    ) -> Result<Self, OmeZarrError> {
        let count = channels.end - channels.start;
        budget.take(reader, view, rect, count)?;
        let side = |axis: usize| match Some(axis) {
            _ if axis == view.y => (rect.y, rect.height),
            _ if axis == view.x => (rect.x, rect.width),
            at if at == view.z => (place.z, 1),
            at if at == view.t => (place.t, 1),
            at if at == view.channel => (channels.start, count),
            _ => (0, 1),
        };
        let (start, shape): (Vec<u64>, Vec<u64>) = (0..reader.shape().len()).map(side).unzip();
        let data_type = reader.meta().data_type;
        let stride = |axis: usize| {
            let inner: u64 = shape.iter().skip(axis + 1).product();
            inner as usize * data_type.size()
        };
        let strides = (view.channel.map_or(0, stride), stride(view.y), stride(view.x));
        let bytes = reader.region(&Region { start, shape: shape.clone() })?;
        Ok(Self { bytes, data_type, width: rect.width as usize, strides })
    }

    /// One row as numbers; NaN and infinities are NaN. `channel` counts from the first that was read.
    pub(super) fn row(&self, channel: u64, y: usize) -> impl Iterator<Item = f64> {
        let data_type = self.data_type;
        self.pixels(channel, y).map(move |pixel| {
            let value = number(data_type, pixel);
            if value.is_finite() { value } else { f64::NAN }
        })
    }

    /// One row as the bits of whole numbers: what a label image names its objects with.
    pub(super) fn label_row(&self, y: usize) -> impl Iterator<Item = u64> {
        let data_type = self.data_type;
        self.pixels(0, y).map(move |pixel| match data_type {
            DataType::Int(_) | DataType::UInt(_) | DataType::Bool => unsigned(pixel),
            _ => number(data_type, pixel) as u64,
        })
    }

    fn pixels(&self, channel: u64, y: usize) -> impl Iterator<Item = &[u8]> {
        let (of_channel, of_row, of_column) = self.strides;
        let (start, size) = (channel as usize * of_channel + y * of_row, self.data_type.size());
        (0..self.width).map(move |x| {
            let at = start + x * of_column;
            self.bytes.get(at..at + size).unwrap_or_default()
        })
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
        DataType::Complex(_) => magnitude(pixel),
    }
}

/// How far a complex number is from 0.
fn magnitude(pixel: &[u8]) -> f64 {
    let (real, imaginary) = pixel.split_at(pixel.len() / 2);
    let part = DataType::Float(if pixel.len() == 8 { 32 } else { 64 });
    number(part, real).hypot(number(part, imaginary))
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
        assert_eq!(number(DataType::Complex(64), &[3f32.to_ne_bytes(), 4f32.to_ne_bytes()].concat()), 5.0);
        assert_eq!(half(0x3c00), 1.0);
        assert_eq!(half(0xc000), -2.0);
        assert_eq!(half(0x0001), 2f64.powi(-24));
    }
}
