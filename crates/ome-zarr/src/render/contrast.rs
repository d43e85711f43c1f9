/// Below this share of full light the brightest pixels of a window are too dark to see.
const TOO_DARK: f32 = 0.2;
/// Above it, the middle pixel of a window is too bright to show anything.
const TOO_BRIGHT: f32 = 0.95;

/// The intensities shown as black and as full colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) start: f64,
    pub(super) end: f64,
}

impl Range {
    /// How bright a value is shown, 0 to 1.
    pub(super) fn light(self, value: f64) -> f32 {
        let light = (value - self.start) / (self.end - self.start);
        // `clamp` keeps NaN, which is shown black.
        if light.is_nan() { 0.0 } else { light.clamp(0.0, 1.0) as f32 }
    }
}

/// The window the metadata names, unless it would show nothing: many writers put the range of the pixel type there.
pub(super) fn window(named: Option<Range>, values: &[f64]) -> Range {
    let (robust, median) = robust(values);
    named.filter(|named| shows_something(*named, robust, median)).unwrap_or(robust)
}

fn shows_something(named: Range, robust: Range, median: f64) -> bool {
    named.end > named.start && named.light(robust.end) >= TOO_DARK && named.light(median) <= TOO_BRIGHT
}

/// From 0.1 % to 99.9 % of the pixels that have a value, and the median.
pub(super) fn robust(values: &[f64]) -> (Range, f64) {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
        sorted.get(index).copied().unwrap_or(0.0)
    };
    let (start, end) = (at(0.001), at(0.999));
    let brightest = at(1.0);
    // A few bright pixels on black: they are what there is to see.
    let end = if end > start { end } else { brightest };
    // One more than a large number may be the same number.
    let end = if end > start { end } else { start + start.abs().max(1.0) };
    (Range { start, end }, at(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_the_whole_pixel_type_gives_way_to_what_is_there() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let range = |start, end| Some(Range { start, end });
        assert!(window(range(0.0, 65535.0), &values).end < 1000.0);
        assert_eq!(window(range(100.0, 900.0), &values), Range { start: 100.0, end: 900.0 });
        assert!(window(range(5.0, 5.0), &values).end > 5.0);
    }

    #[test]
    fn flat_empty_huge_and_unknown_values_have_a_window_too() {
        for values in [vec![7.0; 10], vec![], vec![f64::NAN; 3], vec![1e300; 4], vec![-1e18; 4]] {
            let window = window(None, &values);
            assert!(window.end > window.start && window.end.is_finite(), "{window:?}");
        }
    }

    #[test]
    fn a_single_bright_spot_is_shown() {
        let mut values = vec![0.0; 100_000];
        values[17] = 500.0;
        assert_eq!(window(None, &values).end, 500.0);
    }
}
