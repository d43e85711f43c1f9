/// The size of a picture, in pixels; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Size {
    /// The largest size of the same form whose sides are at most `max_side`, with no more pixels along either side than
    /// there were. `pixel` is the height of one pixel in its widths.
    pub(super) fn fitting(width: usize, height: usize, pixel: f64, max_side: usize) -> Self {
        let (wide, high) = (width as f64 / pixel.max(1.0), height as f64 * pixel.min(1.0));
        let shrink = (max_side as f64 / wide.max(high).max(1.0)).min(1.0);
        let side = |side: f64| ((side * shrink).round() as usize).max(1);
        Self { width: side(wide), height: side(high) }
    }

    pub(super) fn pixels(self) -> usize {
        self.width * self.height
    }
}

/// Shrinks a plane row by row: each pixel of the picture is the mean of the area it covers, pixels without a value left
/// out.
pub(super) struct AreaMean {
    from: Size,
    to: Size,
    sums: Vec<f64>,
    weights: Vec<f64>,
    /// The row being added, shrunk along its width.
    row: Vec<(f64, f64)>,
}

impl AreaMean {
    pub(super) fn new(from: Size, to: Size) -> Self {
        let (sums, weights) = (vec![0.0; to.pixels()], vec![0.0; to.pixels()]);
        Self { from, to, sums, weights, row: vec![(0.0, 0.0); to.width] }
    }

    /// Adds a run of row `y` of the plane, beginning at `left`.
    pub(super) fn add_run(&mut self, y: usize, left: usize, values: impl Iterator<Item = f64>) {
        self.row.fill((0.0, 0.0));
        for (x, value) in values.enumerate().filter(|(_, value)| !value.is_nan()) {
            spread(left + x, self.from.width, self.to.width, |column, share| {
                if let Some((sum, weight)) = self.row.get_mut(column) {
                    *sum += share * value;
                    *weight += share;
                }
            });
        }
        let width = self.to.width;
        spread(y, self.from.height, self.to.height, |line, share| {
            let places = self.sums.iter_mut().zip(&mut self.weights).skip(line * width);
            for ((sum, weight), (of_sum, of_weight)) in places.zip(&self.row) {
                *sum += share * of_sum;
                *weight += share * of_weight;
            }
        });
    }

    /// The picture; NaN where no pixel had a value.
    pub(super) fn values(&self) -> Vec<f64> {
        self.sums.iter().zip(&self.weights).map(|(sum, weight)| sum / weight).collect()
    }
}

/// Gives each of `to` places the share of one of `from` that falls on it.
fn spread(at: usize, from: usize, to: usize, mut give: impl FnMut(usize, f64)) {
    if from == to {
        return give(at, 1.0);
    }
    // In units of 1/(from * to) of the whole side, so that all is exact.
    let (start, end) = (at * to, (at + 1) * to);
    for place in start / from..=(end - 1) / from {
        let overlap = end.min((place + 1) * from) - start.max(place * from);
        give(place, overlap as f64 / to as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(values: &[f64], from: Size, to: Size) -> Vec<f64> {
        let mut mean = AreaMean::new(from, to);
        for (y, row) in values.chunks(from.width).enumerate() {
            mean.add_run(y, 0, row.iter().copied());
        }
        mean.values()
    }

    #[test]
    fn each_pixel_is_the_mean_of_the_area_it_covers() {
        let values: Vec<f64> = (0..9).map(f64::from).collect();
        let to = |width, height| Size { width, height };
        assert_eq!(shrunk(&values, to(3, 3), to(3, 3)), values);
        assert_eq!(shrunk(&values, to(3, 3), to(1, 1)), [4.0]);
        // Columns 0 and half of 1, half of 1 and 2.
        let halves = shrunk(&values, to(3, 3), to(2, 1));
        assert!((halves[0] - (3.0 + 0.5 * 4.0) / 1.5).abs() < 1e-9, "{halves:?}");
    }

    #[test]
    fn pixels_without_a_value_do_not_darken_their_neighbours() {
        let values = [8.0, f64::NAN, f64::NAN, f64::NAN];
        let shrunk = shrunk(&values, Size { width: 4, height: 1 }, Size { width: 2, height: 1 });
        assert_eq!(shrunk[0], 8.0);
        assert!(shrunk[1].is_nan());
    }

    #[test]
    fn the_longest_side_fits_and_no_side_vanishes() {
        assert_eq!(Size::fitting(2000, 1000, 1.0, 256), Size { width: 256, height: 128 });
        assert_eq!(Size::fitting(100_000, 3, 1.0, 256), Size { width: 256, height: 1 });
        assert_eq!(Size::fitting(64, 32, 1.0, 256), Size { width: 64, height: 32 });
    }

    #[test]
    fn pixels_that_are_not_square_keep_the_form_of_the_specimen() {
        assert_eq!(Size::fitting(100, 100, 2.0, 256), Size { width: 50, height: 100 });
        assert_eq!(Size::fitting(100, 100, 0.5, 256), Size { width: 100, height: 50 });
        assert_eq!(Size::fitting(1000, 1000, 0.5, 100), Size { width: 100, height: 50 });
    }
}
