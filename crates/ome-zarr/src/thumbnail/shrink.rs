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
    let Some(buffer) = ImageBuffer::<Luma<f32>, Vec<f32>>::from_raw(width as u32, height as u32, blocks) else {
        return vec![0.0; size.width * size.height];
    };
    imageops::resize(&buffer, size.width as u32, size.height as u32, imageops::FilterType::Triangle).into_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_side_fits_and_no_side_vanishes() {
        assert_eq!(Size::fitting(2000, 1000, 256), Size { width: 256, height: 128 });
        assert_eq!(Size::fitting(100_000, 3, 256), Size { width: 256, height: 1 });
        assert_eq!(Size::fitting(64, 32, 256), Size { width: 64, height: 32 });
    }
}
