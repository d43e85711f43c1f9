use rayon::prelude::*;

use super::{Picture, area::Size, contrast::Range};

/// A channel ready to be shown.
pub(super) struct Layer {
    /// Row by row; NaN is shown black.
    pub(super) values: Vec<f64>,
    /// Red, green and blue at full intensity, 0 to 1.
    pub(super) color: [f32; 3],
    pub(super) window: Range,
}

/// Adds the channels up, each in its colour.
pub(super) fn add_up(layers: &[Layer], size: Size) -> Picture {
    let mut rgb = vec![0; size.pixels() * 3];
    rgb.par_chunks_mut(3 * size.width).enumerate().for_each(|(y, row)| {
        let mut sums = vec![[0f32; 3]; size.width];
        for layer in layers {
            let values = layer.values.get(y * size.width..(y + 1) * size.width).unwrap_or_default();
            for (sum, value) in sums.iter_mut().zip(values) {
                let light = layer.window.light(*value);
                sum.iter_mut().zip(layer.color).for_each(|(sum, color)| *sum += light * color);
            }
        }
        row.iter_mut().zip(sums.iter().flatten()).for_each(|(part, light)| *part = byte(*light));
    });
    Picture { width: size.width as u32, height: size.height as u32, rgb }
}

fn byte(light: f32) -> u8 {
    (light.clamp(0.0, 1.0) * 255.0).round() as u8
}
