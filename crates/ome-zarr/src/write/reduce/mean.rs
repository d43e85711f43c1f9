use half::f16;

use crate::array::DataType;

use super::{Block, number::Number};

pub(super) fn reduce(data_type: DataType, block: Block<'_>, step: [usize; 3], out: &mut [u8]) {
    match data_type {
        DataType::UInt(8) | DataType::Bool => area::<u8, 1>(block, step, out),
        DataType::UInt(16) => area::<u16, 2>(block, step, out),
        DataType::UInt(32) => area::<u32, 4>(block, step, out),
        DataType::UInt(_) => area::<u64, 8>(block, step, out),
        DataType::Int(8) => area::<i8, 1>(block, step, out),
        DataType::Int(16) => area::<i16, 2>(block, step, out),
        DataType::Int(32) => area::<i32, 4>(block, step, out),
        DataType::Int(_) => area::<i64, 8>(block, step, out),
        DataType::Float(16) => area::<f16, 2>(block, step, out),
        DataType::Float(32) => area::<f32, 4>(block, step, out),
        DataType::Float(_) => area::<f64, 8>(block, step, out),
        DataType::Complex(64) => complex::<f32, 4>(block, step, out),
        DataType::Complex(_) => complex::<f64, 8>(block, step, out),
    }
}

/// The means of all boxes, row by row.
fn area<P: Number<N>, const N: usize>(block: Block<'_>, step: [usize; 3], out: &mut [u8]) {
    let [depth, height, width] = block.shape;
    let merged = width.div_ceil(step[2]);
    let mut sums = vec![P::Sum::default(); merged];
    let mut rows = out.chunks_exact_mut((merged * N).max(1));
    for z in 0..depth.div_ceil(step[0]) {
        for y in 0..height.div_ceil(step[1]) {
            sums.fill(P::Sum::default());
            let mut count = 0;
            for row in block.rows(z, y, step, N) {
                add_row::<P, N>(row.as_chunks::<N>().0, step[2], &mut sums);
                count += 1;
            }
            if let Some(row) = rows.next() {
                let last = width - (merged - 1) * step[2];
                write_row::<P, N>(&sums, (count * step[2], count * last), row.as_chunks_mut::<N>().0);
            }
        }
    }
}

fn add_row<P: Number<N>, const N: usize>(row: &[[u8; N]], step: usize, sums: &mut [P::Sum]) {
    if step == 2 {
        let (pairs, rest) = row.as_chunks::<2>();
        for (sum, [a, b]) in sums.iter_mut().zip(pairs) {
            P::add(sum, P::read(*a));
            P::add(sum, P::read(*b));
        }
        if let ([last], Some(sum)) = (rest, sums.last_mut()) {
            P::add(sum, P::read(*last));
        }
    } else {
        for (sum, group) in sums.iter_mut().zip(row.chunks(step)) {
            group.iter().for_each(|pixel| P::add(sum, P::read(*pixel)));
        }
    }
}

/// `counts`: how many pixels are in every sum but the last, and in the last.
fn write_row<P: Number<N>, const N: usize>(sums: &[P::Sum], counts: (usize, usize), out: &mut [[u8; N]]) {
    // Steps are powers of two, and so is what is left over at an end.
    let (shift, last) = (counts.0.trailing_zeros(), counts.1.trailing_zeros());
    for (pixel, sum) in out.iter_mut().zip(sums) {
        *pixel = P::mean(*sum, shift).write();
    }
    if let (Some(pixel), Some(sum)) = (out.last_mut(), sums.last()) {
        *pixel = P::mean(*sum, last).write();
    }
}

/// Real and imaginary parts, each on its own.
fn complex<P: Number<N>, const N: usize>(block: Block<'_>, step: [usize; 3], out: &mut [u8]) {
    for part in 0..2 {
        let bytes: Vec<u8> = block.bytes.as_chunks::<N>().0.iter().skip(part).step_by(2).flatten().copied().collect();
        let mut means = vec![0; out.len() / 2];
        area::<P, N>(Block { bytes: &bytes, shape: block.shape }, step, &mut means);
        for (to, from) in out.as_chunks_mut::<N>().0.iter_mut().skip(part).step_by(2).zip(means.as_chunks::<N>().0) {
            *to = *from;
        }
    }
}
