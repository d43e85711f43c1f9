use image::{ImageBuffer, Luma, imageops};

use crate::pixels::Plane;

/// The size of a picture, in pixels; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Size {
    /// The largest size of the same form whose sides are at most `max_side`; never larger than it was.
    pub(super) fn fitting(width: usize, height: usize, max_side: usize) -> Self {
        let longest = width.max(height).max(1);
        let side = |side: usize| {
            let shrunk = (side as f64 * max_side as f64 / longest as f64).round() as usize;
            if longest <= max_side { side.max(1) } else { shrunk.max(1) }
        };
        Self { width: side(width), height: side(height) }
    }
}

/// Shrinks a plane: whole blocks are averaged row by row, so that only the small picture is held as numbers, and the
/// rest of the way is interpolated.
pub(super) fn shrink(plane: &Plane, size: Size) -> Vec<f32> {
    let factor = (plane.width / size.width).min(plane.height / size.height).max(1);
    let (width, height) = (plane.width.div_ceil(factor), plane.height.div_ceil(factor));
    let mut blocks = Vec::with_capacity(width * height);
    for top in (0..plane.height).step_by(factor) {
        let rows = top..(top + factor).min(plane.height);
        let mut sums = vec![0f32; width];
        for y in rows.clone() {
            let values: Vec<f32> = plane.row(y).collect();
            sums.iter_mut().zip(values.chunks(factor)).for_each(|(sum, block)| *sum += block.iter().sum::<f32>());
        }
        let columns = |block: usize| (plane.width - block * factor).min(factor);
        blocks.extend(sums.iter().enumerate().map(|(block, sum)| sum / (rows.len() * columns(block)) as f32));
    }
    if (width, height) == (size.width, size.height) {
        return blocks;
    }
    interpolate(blocks, Size { width, height }, size)
}

/// Resizes numbers of any magnitude. The library takes them for light from 0 to 1 and cuts off the rest, so that they are
/// brought there first.
fn interpolate(mut values: Vec<f32>, from: Size, to: Size) -> Vec<f32> {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let span = if high > low { high - low } else { 1.0 };
    values.iter_mut().for_each(|value| *value = (*value - low) / span);
    let Some(buffer) = ImageBuffer::<Luma<f32>, Vec<f32>>::from_raw(from.width as u32, from.height as u32, values)
    else {
        return vec![0.0; to.width * to.height];
    };
    let resized = imageops::resize(&buffer, to.width as u32, to.height as u32, imageops::FilterType::Triangle);
    resized.into_raw().into_iter().map(|value| value * span + low).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_magnitude() {
        let values: Vec<f32> = (0..25).map(|at| 1000.0 + at as f32).collect();
        let resized = interpolate(values, Size { width: 5, height: 5 }, Size { width: 3, height: 3 });
        assert!(resized.iter().all(|value| (999.9..1024.1).contains(value)), "{resized:?}");
        assert!((resized[4] - 1012.0).abs() < 0.5, "{resized:?}");
    }

    #[test]
    fn the_longest_side_fits_and_no_side_vanishes() {
        assert_eq!(Size::fitting(2000, 1000, 256), Size { width: 256, height: 128 });
        assert_eq!(Size::fitting(100_000, 3, 256), Size { width: 256, height: 1 });
        assert_eq!(Size::fitting(64, 32, 256), Size { width: 64, height: 32 });
    }
}
