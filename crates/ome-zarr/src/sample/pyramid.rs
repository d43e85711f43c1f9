/// Every level of a stack of square planes, largest first: each half as wide as the one before.
pub(super) struct Pyramid<T> {
    pub(super) levels: Vec<Vec<T>>,
    pub(super) sides: Vec<usize>,
}

/// How many levels every sample has.
pub(super) const LEVELS: usize = 3;

impl<T: Copy> Pyramid<T> {
    /// Builds the levels; `merge` makes one pixel of four.
    pub(super) fn new(planes: Vec<T>, side: usize, merge: impl Fn([T; 4]) -> T) -> Self {
        let (mut levels, mut sides) = (vec![planes], vec![side]);
        while let (Some(last), Some(side)) = (levels.last(), sides.last().copied())
            && levels.len() < LEVELS
        {
            let half = last.chunks_exact(side * 2).flat_map(|rows| {
                let (upper, lower) = rows.split_at(side);
                let blocks = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                blocks.filter_map(|blocks| match blocks {
                    (&[a, b], &[c, d]) => Some(merge([a, b, c, d])),
                    _ => None,
                })
            });
            let half = half.collect();
            levels.push(half);
            sides.push(side / 2);
        }
        Self { levels, sides }
    }
}

/// The mean of four intensities.
pub(super) fn mean(pixels: [f32; 4]) -> f32 {
    (pixels.iter().sum::<f32>() / 4.0).round()
}

/// One of four labels: labels have no mean.
pub(super) fn first(pixels: [u16; 4]) -> u16 {
    let [first, ..] = pixels;
    first
}
