//! Makes the pixels of the next level: area means of intensities, the commonest of labels.

use crate::array::DataType;

mod label;
mod mean;
mod number;

/// How several pixels become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// The arithmetic mean; whole numbers are rounded to the nearest, halves to the even one, so that no level is
    /// brighter than the one before. Pixels that are not a number do not count.
    Mean,
    /// The value that most of the pixels have. Of values that are equally frequent the smallest that is not 0 wins:
    /// thin objects outlive the background, and the order of the pixels does not matter.
    Mode,
}

impl Reduction {
    /// Labels and masks have no mean.
    pub(crate) fn of(data_type: DataType, is_label: bool) -> Self {
        if is_label || data_type == DataType::Bool { Self::Mode } else { Self::Mean }
    }

    /// As `multiscales[].type` names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Mode => "mode",
        }
    }
}

/// A block of pixels: z, y and x, C order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) shape: [usize; 3],
}

impl<'a> Block<'a> {
    /// The rows that are merged into one row of the result.
    fn rows(self, z: usize, y: usize, step: [usize; 3], pixel: usize) -> impl Iterator<Item = &'a [u8]> {
        let [depth, height, width] = self.shape;
        let range = |at: usize, step: usize, end: usize| at * step..(at * step + step).min(end);
        let length = width * pixel;
        range(z, step[0], depth).flat_map(move |z| {
            range(y, step[1], height).filter_map(move |y| {
                let start = (z * height + y) * length;
                self.bytes.get(start..start + length)
            })
        })
    }
}

/// Fills `out` with the block shrunk by `step` along z, y and x; what is left over at an end is merged with itself.
pub(super) fn reduce(reduction: Reduction, data_type: DataType, block: Block<'_>, step: [usize; 3], out: &mut [u8]) {
    match reduction {
        Reduction::Mean => mean::reduce(data_type, block, step, out),
        Reduction::Mode => label::reduce(data_type.size(), block, step, out),
    }
}

/// The lowest and the highest number in some pixels; `None` where there is no finite one.
pub(super) fn range(data_type: DataType, bytes: &[u8]) -> Option<(f64, f64)> {
    number::range(data_type, bytes)
}

/// Adds the finite numbers in some pixels to a list.
pub(super) fn numbers(data_type: DataType, bytes: &[u8], list: &mut Vec<f32>) {
    number::numbers(data_type, bytes, list);
}

#[cfg(test)]
mod tests;
