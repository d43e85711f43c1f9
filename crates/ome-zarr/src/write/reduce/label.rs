use super::Block;

/// The most pixels that become one: two along each of z, y and x.
const MAX_BOX: usize = 8;

pub(super) fn reduce(pixel: usize, block: Block<'_>, step: [usize; 3], out: &mut [u8]) {
    match pixel {
        1 => commonest(block, step, out, u8::from_ne_bytes),
        2 => commonest(block, step, out, u16::from_ne_bytes),
        4 => commonest(block, step, out, u32::from_ne_bytes),
        8 => commonest(block, step, out, u64::from_ne_bytes),
        _ => commonest(block, step, out, u128::from_ne_bytes),
    }
}

fn commonest<T: Copy + Ord + Default, const N: usize>(
    block: Block<'_>,
    step: [usize; 3],
    out: &mut [u8],
    read: impl Fn([u8; N]) -> T,
) {
    let [depth, height, width] = block.shape;
    let mut pixels = out.as_chunks_mut::<N>().0.iter_mut();
    for z in 0..depth.div_ceil(step[0]) {
        for y in 0..height.div_ceil(step[1]) {
            let rows: Vec<&[[u8; N]]> = block.rows(z, y, step, N).map(|row| row.as_chunks::<N>().0).collect();
            for x in (0..width).step_by(step[2]) {
                let mut values = [(T::default(), [0; N]); MAX_BOX];
                let inside = rows.iter().flat_map(|row| row.iter().skip(x).take(step[2]));
                let mut count = 0;
                for (value, bytes) in values.iter_mut().zip(inside) {
                    *value = (read(*bytes), *bytes);
                    count += 1;
                }
                if let (Some(pixel), Some(values)) = (pixels.next(), values.get_mut(..count)) {
                    *pixel = mode(values);
                }
            }
        }
    }
}

/// The most frequent value; of equals the smallest that is not 0.
fn mode<T: Copy + Ord + Default, const N: usize>(values: &mut [(T, [u8; N])]) -> [u8; N] {
    if let Some((first, rest)) = values.split_first()
        && rest.iter().all(|value| value.0 == first.0)
    {
        return first.1;
    }
    // 0 comes last, the others from small to large; a later value has to be more frequent to win.
    values.sort_unstable_by_key(|(value, _)| (*value == T::default(), *value));
    let runs = values.chunk_by(|a, b| a.0 == b.0);
    let mut best: &[(T, [u8; N])] = &[];
    for run in runs {
        if run.len() > best.len() {
            best = run;
        }
    }
    best.first().map_or([0; N], |(_, bytes)| *bytes)
}
