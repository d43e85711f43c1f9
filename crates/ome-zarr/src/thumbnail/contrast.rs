use super::colors::Shown;

/// Below this share of full light the brightest pixels of a window are too dark to see.
const TOO_DARK: f32 = 0.2;
/// Above it, the middle pixel of a window is too bright to show anything.
const TOO_BRIGHT: f32 = 0.95;

/// The intensities shown as black and as full colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) start: f32,
    pub(super) end: f32,
}

impl Range {
    /// How bright a value is shown, 0 to 1.
    pub(super) fn light(self, value: f32) -> f32 {
        let light = (value - self.start) / (self.end - self.start);
        if light.is_finite() { light.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The window of each channel. Those of the metadata count, unless they would show nothing: many writers put the range
/// of the pixel type there.
pub(super) fn windows(shown: &[Shown], layers: &[Vec<f32>], is_photograph: bool) -> Vec<Range> {
    if is_photograph {
        // Colours shift if red, green and blue are stretched one by one.
        let all: Vec<f32> = layers.iter().flatten().copied().collect();
        return vec![robust(&all).0; shown.len()];
    }
    let window = |(channel, layer): (&Shown, &Vec<f32>)| {
        let (robust, median) = robust(layer);
        channel.window.filter(|named| shows_something(*named, robust, median)).unwrap_or(robust)
    };
    shown.iter().zip(layers).map(window).collect()
}

fn shows_something(named: Range, robust: Range, median: f32) -> bool {
    named.end > named.start && named.light(robust.end) >= TOO_DARK && named.light(median) <= TOO_BRIGHT
}

/// From 0.1 % to 99.9 % of the pixels, and the median.
fn robust(values: &[f32]) -> (Range, f32) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| {
        let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
        sorted.get(index).copied().unwrap_or(0.0)
    };
    let (start, end) = (at(0.001), at(0.999));
    let end = if end > start { end } else { start + 1.0 };
    (Range { start, end }, at(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(window: Option<Range>) -> Vec<Shown> {
        vec![Shown { index: 0, color: [1.0; 3], window }]
    }

    #[test]
    fn a_window_of_the_whole_pixel_type_gives_way_to_what_is_there() {
        let layer: Vec<f32> = (0..1000).map(|value| value as f32).collect();
        let named = Range { start: 0.0, end: 65535.0 };
        let [window] = windows(&channel(Some(named)), std::slice::from_ref(&layer), false)[..] else { panic!() };
        assert!(window.end < 1000.0);
        let named = Range { start: 100.0, end: 900.0 };
        assert_eq!(windows(&channel(Some(named)), &[layer], false), [named]);
    }

    #[test]
    fn a_flat_or_empty_layer_has_a_window_too() {
        for layer in [vec![7.0; 10], vec![]] {
            let window = windows(&channel(None), &[layer], false)[0];
            assert!(window.end > window.start);
        }
    }
}
