use std::collections::HashMap;

use crate::{at::whole, error::OmeZarrError, node::Node, pixels::Plane, source::FileSource};

use super::shrink::Size;

/// More colours than this are made up rather than looked up.
const MAX_COLORS: usize = 65_536;

/// The colours a label image names for its objects.
pub(super) fn colors(source: &dyn FileSource, folder: &str) -> Result<HashMap<u64, [u8; 3]>, OmeZarrError> {
    let node = Node::read(source, folder)?;
    let named = node.as_ref().and_then(|node| node.ome_key("image-label")).map(|label| label.list("colors"));
    let color = |at: &crate::at::At<'_>| {
        let value = whole(at.get("label-value")?.value)?;
        let rgba: Vec<u8> = at.list("rgba").iter().filter_map(|part| u8::try_from(whole(part.value)?).ok()).collect();
        let [red, green, blue, ..] = *rgba.as_slice() else { return None };
        Some((value as u64, [red, green, blue]))
    };
    Ok(named.unwrap_or_default().iter().take(MAX_COLORS).filter_map(color).collect())
}

/// Paints each object in its colour on black, taking the pixel in the middle of each block: labels have no average.
pub(super) fn paint(plane: &Plane, size: Size, named: &HashMap<u64, [u8; 3]>) -> Vec<u8> {
    let middle = |place: usize, small: usize, large: usize| (2 * place + 1) * large / (2 * small);
    let mut rgb = Vec::with_capacity(size.width * size.height * 3);
    for y in 0..size.height {
        let row: Vec<u64> = plane.label_row(middle(y, size.height, plane.height)).collect();
        for x in 0..size.width {
            let label = row.get(middle(x, size.width, plane.width)).copied().unwrap_or(0);
            rgb.extend_from_slice(&named.get(&label).copied().unwrap_or_else(|| made_up(label)));
        }
    }
    rgb
}

/// A colour of its own for each label; 0, the background, is black.
fn made_up(label: u64) -> [u8; 3] {
    if label == 0 {
        return [0, 0, 0];
    }
    // Steps of the golden ratio keep neighbouring numbers apart in hue.
    let hue = (label as f64 * 0.618_033_988_749_895).fract();
    let lightness = 0.75 + 0.25 * (label as f64 * 0.754_877_666).fract();
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|shift| {
        let wave = ((hue + shift).fract() * 6.0 - 3.0).abs() - 1.0;
        ((0.25 + 0.75 * wave.clamp(0.0, 1.0)) * lightness * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_labels_have_different_colours_and_the_background_is_black() {
        assert_eq!(made_up(0), [0, 0, 0]);
        for label in 1..100 {
            assert_ne!(made_up(label), made_up(label + 1));
        }
    }
}
