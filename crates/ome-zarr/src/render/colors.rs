use crate::record::ImageRecord;

const WHITE: [f32; 3] = [1.0, 1.0, 1.0];
const RED_GREEN_BLUE: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
/// Where the image names no colours: pairs that most colour-blind people can tell apart come first.
const PALETTE: [[f32; 3]; 6] =
    [[0.1, 1.0, 0.25], [1.0, 0.15, 0.9], [0.1, 0.75, 1.0], [1.0, 0.8, 0.1], [1.0, 0.3, 0.2], [0.7, 0.7, 0.7]];

/// The colour of a channel, one of `channels`: the one its metadata names, or one that fits.
pub(super) fn of_channel(image: &ImageRecord, index: usize, channels: u64) -> [f32; 3] {
    let named = image.channels.get(index).and_then(|channel| channel.color.as_deref()).and_then(rgb);
    // A channel in black would be invisible, and one in grey, as some writers have it, half as bright as it could be.
    let fitting = || match (is_photograph(image, channels), channels) {
        (true, _) => RED_GREEN_BLUE.get(index).copied().unwrap_or(WHITE),
        (false, 1) => WHITE,
        (false, _) => PALETTE.get(index % PALETTE.len()).copied().unwrap_or(WHITE),
    };
    named.filter(|color| color.iter().any(|part| *part > 0.1)).map_or_else(fitting, whitened)
}

fn whitened(color: [f32; 3]) -> [f32; 3] {
    let [red, green, blue] = color;
    if red == green && green == blue { WHITE } else { color }
}

/// Three channels of bytes that nothing describes are red, green and blue: a slide scan or a screenshot.
pub(super) fn is_photograph(image: &ImageRecord, channels: u64) -> bool {
    image.channels.is_empty() && channels == 3 && image.data_type == "uint8"
}

/// Red, green and blue, 0 to 1, of six hexadecimal digits.
pub(super) fn rgb(hex: &str) -> Option<[f32; 3]> {
    let number = u32::from_str_radix(hex, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue].map(|part| f32::from(part) / 255.0))
}

/// Six upper-case hexadecimal digits.
pub(super) fn hex(color: [f32; 3]) -> String {
    let [red, green, blue] = color.map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8);
    format!("{red:02X}{green:02X}{blue:02X}")
}
