use std::ops::Range;

use super::Region;

/// A part of a region that is filled at one go: chunks side by side along the last axis, and the lines of the region that
/// their pixels go to. Cells share no memory, so threads fill them without waiting for one another.
pub(super) struct Cell<'a> {
    /// The place of its first chunk in the grid.
    pub(super) chunk: Vec<u64>,
    /// How many chunks it has.
    pub(super) count: u64,
    /// Where along the last axis the lines begin, in pixels of the array.
    pub(super) start: u64,
    /// In C order of all axes but the last.
    pub(super) lines: Vec<&'a mut [u8]>,
}

/// Divides the memory of a region among the chunks that fill it. With `split`, each chunk has a cell of its own.
pub(super) fn divide<'a>(
    region: &Region,
    grid: &[Range<u64>],
    chunk_shape: &[u64],
    pixel: usize,
    out: &'a mut [u8],
    split: bool,
) -> Vec<Cell<'a>> {
    let (Some((last, leading)), Some(length), Some(size)) =
        (grid.split_last(), region.shape.last(), chunk_shape.last())
    else {
        return vec![Cell { chunk: Vec::new(), count: 1, start: 0, lines: vec![out] }];
    };
    let start = region.start.last().copied().unwrap_or(0);
    let columns: Vec<Range<u64>> =
        if split { last.clone().map(|column| column..column + 1).collect() } else { vec![last.clone()] };
    let mut cells = Vec::new();
    for leading in places(leading) {
        for column in &columns {
            let chunk = [leading.as_slice(), &[column.start]].concat();
            let start = start.max(column.start * size);
            cells.push(Cell { chunk, count: column.end - column.start, start, lines: Vec::new() });
        }
    }
    let mut place = vec![0u64; leading.len()];
    for mut line in out.chunks_exact_mut((*length as usize * pixel).max(1)) {
        let mut cell = 0;
        for (axis, range) in leading.iter().enumerate() {
            let chunk = (region.start[axis] + place[axis]) / chunk_shape[axis];
            cell = cell * (range.end - range.start) as usize + (chunk - range.start) as usize;
        }
        for (number, column) in columns.iter().enumerate() {
            let from = start.max(column.start * size);
            let to = (start + length).min(column.end * size);
            let (head, rest) = line.split_at_mut((to - from) as usize * pixel);
            if let Some(cell) = cells.get_mut(cell * columns.len() + number) {
                cell.lines.push(head);
            }
            line = rest;
        }
        advance(&mut place, &region.shape);
    }
    cells
}

/// All places of a grid, in C order.
fn places(grid: &[Range<u64>]) -> Vec<Vec<u64>> {
    grid.iter().fold(vec![Vec::new()], |places, range| {
        let longer = |place: Vec<u64>| range.clone().map(move |index| [place.as_slice(), &[index]].concat());
        places.into_iter().flat_map(longer).collect()
    })
}

/// The next place in C order; the last axis of `shape` may be one more than `place` has.
pub(super) fn advance(place: &mut [u64], shape: &[u64]) {
    for (at, side) in place.iter_mut().zip(shape).rev() {
        *at += 1;
        if *at < *side {
            return;
        }
        *at = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_byte_of_a_region_goes_to_the_chunk_it_is_in(
            axes in proptest::collection::vec((0u64..5, 1u64..6, 1u64..4), 1..5),
            pixel in 1usize..3,
            split: bool,
        ) {
            let region = Region { start: axes.iter().map(|a| a.0).collect(), shape: axes.iter().map(|a| a.1).collect() };
            let chunk: Vec<u64> = axes.iter().map(|a| a.2).collect();
            let grid: Vec<Range<u64>> = axes.iter().map(|a| a.0 / a.2..(a.0 + a.1).div_ceil(a.2)).collect();
            let count = region.shape.iter().product::<u64>() as usize;
            let mut out = vec![0u8; count * pixel];
            let mut cells = divide(&region, &grid, &chunk, pixel, &mut out, split);
            let places: Vec<(Vec<u64>, u64)> = cells.iter().map(|cell| (cell.chunk.clone(), cell.count)).collect();
            for (number, cell) in cells.iter_mut().enumerate() {
                cell.lines.iter_mut().for_each(|line| line.fill(number as u8 + 1));
            }
            let mut at = vec![0; axes.len()];
            for bytes in out.chunks_exact(pixel) {
                let chunk: Vec<u64> = at.iter().zip(&axes).map(|(at, axis)| (at + axis.0) / axis.2).collect();
                let (last, leading) = chunk.split_last().unwrap();
                let holds = |(first, count): &(Vec<u64>, u64)| {
                    let (start, before) = first.split_last().unwrap();
                    before == leading && (*start..start + count).contains(last)
                };
                let number = places.iter().position(holds).unwrap() as u8 + 1;
                prop_assert!(bytes.iter().all(|byte| *byte == number));
                advance(&mut at, &region.shape);
            }
        }
    }
}
