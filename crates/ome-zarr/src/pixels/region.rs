use crate::array::ArrayMeta;

/// A box of pixels along every axis of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) start: Vec<u64>,
    pub(crate) shape: Vec<u64>,
}

impl Region {
    /// The part of the array that a chunk covers; smaller than the chunk at the array's ends.
    pub(super) fn of_chunk(meta: &ArrayMeta, chunk: &[u64]) -> Option<Self> {
        let side = |((index, size), length): ((&u64, &u64), &u64)| {
            let start = index.checked_mul(*size)?;
            Some((start, length.checked_sub(start)?.min(*size)))
        };
        let sides = chunk.iter().zip(meta.chunk_shape()).zip(&meta.shape).map(side);
        let (start, shape) = sides.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        Some(Self { start, shape })
    }

    /// Where two regions of one array overlap.
    pub(super) fn overlap(&self, other: &Self) -> Option<Self> {
        let side = |axis: usize| {
            let (a, b) = (*self.start.get(axis)?, *other.start.get(axis)?);
            let (a_end, b_end) = (a.checked_add(*self.shape.get(axis)?)?, b.checked_add(*other.shape.get(axis)?)?);
            let start = a.max(b);
            Some((start, a_end.min(b_end).checked_sub(start).filter(|length| *length > 0)?))
        };
        let (start, shape) = (0..self.start.len()).map(side).collect::<Option<Vec<_>>>()?.into_iter().unzip();
        Some(Self { start, shape })
    }

    /// Whether the region lies inside an array of this shape and is not empty.
    pub(super) fn is_inside(&self, shape: &[u64]) -> bool {
        let fits = |((start, length), size): ((&u64, &u64), &u64)| {
            *length > 0 && start.checked_add(*length).is_some_and(|end| end <= *size)
        };
        self.start.len() == shape.len()
            && self.shape.len() == shape.len()
            && self.start.iter().zip(&self.shape).zip(shape).all(fits)
    }

    #[cfg(test)]
    pub(crate) fn pixels(&self) -> u64 {
        self.shape.iter().fold(1, |product, side| product.saturating_mul(*side))
    }
}

/// A block of pixels in memory: C order, the machine's byte order.
pub(crate) struct Block<B> {
    pub(crate) bytes: B,
    /// The region it stands for; `bytes` may be longer along the first axis, never along the others.
    pub(crate) start: Vec<u64>,
    pub(crate) shape: Vec<u64>,
}

/// Copies the pixels of `part` from one block to another; both cover it.
pub(crate) fn copy(from: &Block<&[u8]>, to: &mut Block<&mut [u8]>, part: &Region, pixel: usize) {
    let (from_strides, to_strides) = (strides(&from.shape, pixel), strides(&to.shape, pixel));
    let from_at = offset(&part.start, &from.start, &from_strides);
    let to_at = offset(&part.start, &to.start, &to_strides);
    copy_axis((from.bytes, from_at, &from_strides), (to.bytes, to_at, &to_strides), &part.shape, pixel);
}

fn copy_axis(from: (&[u8], usize, &[usize]), to: (&mut [u8], usize, &[usize]), shape: &[u64], pixel: usize) {
    let (source, from_at, from_strides) = from;
    let (target, to_at, to_strides) = to;
    let [length, inner @ ..] = shape else {
        return copy_run(source, from_at, target, to_at, pixel);
    };
    let ([from_stride, from_rest @ ..], [to_stride, to_rest @ ..]) = (from_strides, to_strides) else { return };
    let run = *length as usize * from_stride;
    // Where both lie without gaps from here on, one copy does.
    let is_whole = |strides: &[usize]| {
        inner
            .iter()
            .rev()
            .zip(strides.iter().rev())
            .try_fold(pixel, |size, (n, stride)| (size == *stride).then_some(size * *n as usize))
    };
    if from_stride == to_stride && is_whole(from_rest) == Some(*from_stride) && is_whole(to_rest) == Some(*to_stride) {
        return copy_run(source, from_at, target, to_at, run);
    }
    for step in 0..*length as usize {
        let (from_at, to_at) = (from_at + step * from_stride, to_at + step * to_stride);
        copy_axis((source, from_at, from_rest), (&mut *target, to_at, to_rest), inner, pixel);
    }
}

fn copy_run(source: &[u8], from_at: usize, target: &mut [u8], to_at: usize, length: usize) {
    if let (Some(source), Some(target)) = (source.get(from_at..from_at + length), target.get_mut(to_at..to_at + length))
    {
        target.copy_from_slice(source);
    }
}

/// The distance between neighbours along each axis of a block, in bytes.
pub(super) fn strides(shape: &[u64], pixel: usize) -> Vec<usize> {
    let mut strides = vec![pixel; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as usize;
    }
    strides
}

fn offset(place: &[u64], origin: &[u64], strides: &[usize]) -> usize {
    place.iter().zip(origin).zip(strides).map(|((place, origin), stride)| (place - origin) as usize * stride).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(index: usize, shape: &[u64]) -> Vec<u64> {
        let mut rest = index as u64;
        let mut place: Vec<u64> = shape
            .iter()
            .rev()
            .map(|side| {
                let at = rest % side;
                rest /= side;
                at
            })
            .collect();
        place.reverse();
        place
    }

    proptest! {
        #[test]
        fn every_pixel_of_the_part_arrives_where_it_belongs_and_no_other_changes(
            axes in proptest::collection::vec((0u64..3, 1u64..4, 0u64..3, 0u64..3, 0u64..3, 0u64..3), 1..5),
            pixel in 1usize..3,
        ) {
            // Along each axis: the part, and how far the two blocks reach beyond it.
            let part = Region { start: axes.iter().map(|a| a.0 + 3).collect(), shape: axes.iter().map(|a| a.1).collect() };
            let from = Region {
                start: axes.iter().map(|a| a.0 + 3 - a.2).collect(),
                shape: axes.iter().map(|a| a.1 + a.2 + a.3).collect(),
            };
            let to = Region {
                start: axes.iter().map(|a| a.0 + 3 - a.4).collect(),
                shape: axes.iter().map(|a| a.1 + a.4 + a.5).collect(),
            };
            let source: Vec<u8> = (0..from.pixels() as usize * pixel).map(|at| (at % 250) as u8 + 1).collect();
            let mut target = vec![0u8; to.pixels() as usize * pixel];
            copy(
                &Block { bytes: &source, start: from.start.clone(), shape: from.shape.clone() },
                &mut Block { bytes: &mut target, start: to.start.clone(), shape: to.shape.clone() },
                &part,
                pixel,
            );
            for at in 0..to.pixels() as usize {
                let place: Vec<u64> = place(at, &to.shape).iter().zip(&to.start).map(|(a, b)| a + b).collect();
                let inside = place.iter().zip(&part.start).zip(&part.shape).all(|((p, s), n)| p >= s && p < &(s + n));
                let expected = if inside {
                    let from_at = offset(&place, &from.start, &strides(&from.shape, pixel));
                    source[from_at..from_at + pixel].to_vec()
                } else {
                    vec![0; pixel]
                };
                prop_assert_eq!(&target[at * pixel..(at + 1) * pixel], &expected);
            }
        }
    }
}
