//! Cuts an array into the parts that are worked on one at a time.
//!
//! A *group* is what becomes complete together: one shard, or several side by side. A *band* is a part of a group that is
//! read, shrunk and encoded by one worker: whole chunks, and whole pixels of the next level. Bands follow one another in
//! C order, so the order of chunks in a shard depends on nothing but the array, the source's blocks and the memory.

use crate::raster::{C, Tczyx, X, Y, Z};

use super::layout::{LevelLayout, bytes, per_axis};

/// A box of pixels of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: Tczyx,
    pub(super) shape: Tczyx,
}

/// How an array is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bands {
    whole: Tczyx,
    group: Tczyx,
    band: Tczyx,
    pixel: u64,
}

impl Bands {
    /// `step` leads to the next level; `block` is what the source decodes together; both in pixels. Bands stay below a
    /// 64th of `memory`, a 16th where that spares the source from decoding a block twice.
    pub(super) fn new(level: &LevelLayout, step: &Tczyx, block: &Tczyx, pixel: u64, memory: u64) -> Self {
        let whole = level.shape;
        let object = level.object();
        // Along an axis with a single chunk nothing is cut, whatever its length.
        let unit = per_axis(|axis| match level.chunk[axis] {
            chunk if chunk >= whole[axis] => chunk,
            chunk => least_common_multiple(chunk, step[axis]),
        });
        let mut group = per_axis(|axis| least_common_multiple(object[axis], unit[axis]));
        // Samples of a pixel that lie together are read together, though they go to shards of their own.
        group[C] = block[C].clamp(1, whole[C]).next_multiple_of(group[C]);
        let row = bytes(&per_axis(|axis| if axis == X { group[X] } else { unit[axis] }), pixel);
        group[X] *= (memory / 64 / row.max(1)).clamp(1, whole[X].div_ceil(group[X]));
        let blockwise = per_axis(|axis| block[axis].max(1).next_multiple_of(unit[axis]).min(group[axis]));
        let spares = [C, Z, Y].iter().any(|axis| blockwise[*axis] > unit[*axis]);
        let band = if spares && bytes(&blockwise, pixel) <= memory / 16 {
            blockwise
        } else {
            let side_by_side = (memory / 64 / bytes(&unit, pixel).max(1)).max(1);
            per_axis(|axis| if axis == X { (unit[X] * side_by_side).min(group[X]) } else { unit[axis] })
        };
        Self { whole, group, band, pixel }
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> u64 {
        counts(&self.whole, &self.group).iter().product()
    }

    /// One group; smaller at the array's ends.
    pub(super) fn group(&self, index: u64) -> Part {
        part(index, &Part { start: [0; 5], shape: self.whole }, &self.group)
    }

    /// The bands of a group, in order.
    pub(super) fn of(&self, group: Part) -> impl Iterator<Item = Part> + use<> {
        let band = self.band;
        let count = counts(&group.shape, &band).iter().product();
        (0..count).map(move |index| part(index, &group, &band))
    }

    /// The largest band, in bytes.
    pub(super) fn band_bytes(&self) -> u64 {
        bytes(&self.band, self.pixel)
    }
}

/// How many parts of a shape cover a whole, along each axis.
pub(super) fn counts(whole: &Tczyx, part: &Tczyx) -> Tczyx {
    per_axis(|axis| whole[axis].div_ceil(part[axis]))
}

/// The part at a place in C order.
pub(super) fn part(index: u64, whole: &Part, shape: &Tczyx) -> Part {
    let counts = counts(&whole.shape, shape);
    let mut rest = index;
    let mut at = [0; 5];
    for axis in (0..5).rev() {
        at[axis] = rest % counts[axis] * shape[axis];
        rest /= counts[axis];
    }
    let side = |axis: usize| shape[axis].min(whole.shape[axis] - at[axis]);
    Part { start: per_axis(|axis| whole.start[axis] + at[axis]), shape: per_axis(side) }
}

fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(shape: Tczyx, chunk: Tczyx, shard: Option<Tczyx>) -> LevelLayout {
        LevelLayout { shape, chunk, shard, step: [1; 5] }
    }

    #[test]
    fn a_volume_is_worked_on_in_rows_of_chunks() {
        let level = level([1, 1, 512, 512, 512], [1, 1, 64, 128, 128], Some([1, 1, 256, 512, 512]));
        let bands = Bands::new(&level, &[1, 1, 2, 2, 2], &[1; 5], 2, 1 << 30);
        assert_eq!((bands.groups(), bands.band), (2, [1, 1, 64, 128, 512]));
        // A source with large chunks decodes each of them once.
        let bands = Bands::new(&level, &[1, 1, 2, 2, 2], &[1, 1, 256, 256, 256], 2, 1 << 30);
        assert_eq!(bands.band, [1, 1, 256, 256, 256]);
    }

    #[test]
    fn samples_that_lie_together_are_read_once() {
        let level = level([1, 3, 1, 9000, 9000], [1, 1, 1, 1024, 1024], Some([1, 1, 1, 8192, 8192]));
        let bands = Bands::new(&level, &[1, 1, 1, 2, 2], &[1, 3, 1, 240, 240], 1, 1 << 30);
        assert_eq!((bands.groups(), bands.band), (2, [1, 3, 1, 1024, 1024]));
    }

    proptest! {
        #[test]
        fn bands_cover_every_pixel_once_and_cut_no_chunk_and_no_pixel_of_the_next_level(
            shape in [1u64..3, 1u64..3, 1u64..9, 1u64..40, 1u64..40],
            chunk in [1u64..3, 1u64..3, 1u64..4, 1u64..9, 1u64..9],
            times in [1u64..3, 1u64..3, 1u64..3, 1u64..4, 1u64..4],
            block in [1u64..3, 1u64..3, 1u64..9, 1u64..40, 1u64..40],
            step in [1u64..=1, 1u64..=1, 1u64..=2, 1u64..=2, 1u64..=2],
            memory in prop::sample::select(vec![1u64, 10_000, 1 << 20]),
            sharded: bool,
        ) {
            let chunk = per_axis(|axis| chunk[axis].min(shape[axis]));
            let level = level(shape, chunk, sharded.then(|| per_axis(|axis| chunk[axis] * times[axis])));
            let bands = Bands::new(&level, &step, &block, 1, memory);
            let mut seen = vec![0; shape.iter().product::<u64>() as usize];
            for group in (0..bands.groups()).map(|index| bands.group(index)) {
                for band in bands.of(group) {
                    for axis in 0..5 {
                        let end = band.start[axis] + band.shape[axis];
                        let cuts = |length: u64| band.start[axis] % length == 0 && (end % length == 0 || end == shape[axis]);
                        prop_assert!(cuts(chunk[axis]) && cuts(step[axis]), "{bands:?} {band:?}");
                        let object = level.object()[axis];
                        prop_assert!(group.start[axis] % object == 0);
                    }
                    for index in 0..band.shape.iter().product() {
                        let pixel = part(index, &band, &[1; 5]).start;
                        let place = pixel.iter().zip(shape).fold(0, |place, (at, side)| place * side + at);
                        seen[place as usize] += 1;
                    }
                }
            }
            prop_assert!(seen.iter().all(|count| *count == 1));
        }
    }
}
