use crate::record::{Channel, ImageRecord};

use super::contrast::Range;

/// More channels than this cannot be told apart in one small picture.
const MAX_SHOWN: usize = 4;

const WHITE: [f32; 3] = [1.0, 1.0, 1.0];
const RED_GREEN_BLUE: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
/// Where the image names no colours: pairs that most colour-blind people can tell apart come first.
const PALETTE: [[f32; 3]; MAX_SHOWN] = [[0.1, 1.0, 0.25], [1.0, 0.15, 0.9], [0.1, 0.75, 1.0], [1.0, 0.8, 0.1]];

/// A channel that is shown.
pub(super) struct Shown {
    pub(super) index: u64,
    /// Red, green and blue at full intensity, 0 to 1.
    pub(super) color: [f32; 3],
    /// The window its metadata names.
    pub(super) window: Option<Range>,
}

/// The channels to show: the active ones first.
pub(super) fn shown(image: &ImageRecord, channels: u64) -> Vec<Shown> {
    let is_active = |index: u64| channel(image, index).is_none_or(|channel| channel.active);
    let mut indices: Vec<u64> = (0..channels).filter(|index| is_active(*index)).take(MAX_SHOWN).collect();
    if indices.is_empty() {
        indices = (0..channels).take(MAX_SHOWN).collect();
    }
    let count = indices.len();
    let is_photograph = is_photograph(image, channels);
    let show = |(place, index): (usize, u64)| {
        let described = channel(image, index);
        let fallback = match (is_photograph, count) {
            (true, _) => RED_GREEN_BLUE.get(place),
            (false, 1) => Some(&WHITE),
            (false, _) => PALETTE.get(place),
        };
        let color = described.and_then(|channel| channel.color.as_deref()).and_then(rgb);
        let window = described.and_then(|channel| channel.window);
        Shown {
            index,
            // A single channel in black would be invisible, as would any.
            color: color.filter(|color| color.iter().any(|part| *part > 0.1)).or(fallback.copied()).unwrap_or(WHITE),
            window: window.map(|window| Range { start: window.start as f32, end: window.end as f32 }),
        }
    };
    indices.into_iter().enumerate().map(show).collect()
}

/// Three channels of bytes that nothing describes are red, green and blue: a slide scan or a screenshot.
pub(super) fn is_photograph(image: &ImageRecord, channels: u64) -> bool {
    image.channels.is_empty() && channels == 3 && image.data_type == "uint8"
}

fn channel(image: &ImageRecord, index: u64) -> Option<&Channel> {
    image.channels.get(usize::try_from(index).ok()?)
}

fn rgb(hex: &str) -> Option<[f32; 3]> {
    let number = u32::from_str_radix(hex, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue].map(|part| f32::from(part) / 255.0))
}
