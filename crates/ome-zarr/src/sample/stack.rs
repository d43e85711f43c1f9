use std::path::{Path, PathBuf};

use serde_json::json;

use crate::error::OmeZarrError;

use super::{
    metadata::{channel, multiscale, omero},
    noise::{Clouds, Random},
    picture::Picture,
    pyramid::{Pyramid, mean},
    scene::{Cell, scatter},
    writer::{Layout, write_json, write_v2},
};

const SIDE: usize = 512;
const DEPTH: usize = 16;
const CHUNK: usize = 256;
const HIGHEST: u32 = 255;

/// Writes the stack of planes through a field of nuclei.
pub(super) fn write(image: &Path, seed: u64) -> Result<PathBuf, OmeZarrError> {
    let mut random = Random::new(seed ^ 0x57ac);
    let cells = scatter(&mut random, SIDE, DEPTH, 26.0);
    let mut planes = Vec::with_capacity(DEPTH * SIDE * SIDE);
    for z in 0..DEPTH {
        planes.extend(plane(&cells, z as f32, seed).exposed(&mut random, 9.0, HIGHEST as f32));
    }
    let shown = channel("Nuclei (Hoechst)", "5AC8FF", HIGHEST, &planes);
    let axes = [("z", 1.0), ("y", 0.2), ("x", 0.2)];
    let attributes = json!({
        "multiscales": [multiscale(&format!("Nuclei in depth {seed}"), &axes, true)],
        "omero": omero(&[shown]),
    });
    write_json(&image.join(".zgroup"), &json!({"zarr_format": 2}))?;
    write_json(&image.join(".zattrs"), &attributes)?;
    let pyramid = Pyramid::new(planes, SIDE, mean);
    for (level, (pixels, side)) in pyramid.levels.iter().zip(&pyramid.sides).enumerate() {
        let layout = Layout {
            axes: &["z", "y", "x"],
            shape: vec![DEPTH, *side, *side],
            chunk: vec![1, CHUNK.min(*side), CHUNK.min(*side)],
            shard: None,
        };
        write_v2(&image.join(level.to_string()), &layout, pixels.iter().map(|pixel| *pixel as u8).collect())?;
    }
    Ok(image.to_owned())
}

/// What is in focus at a depth, and the haze of what is not.
fn plane(cells: &[Cell], z: f32, seed: u64) -> Picture {
    let clouds = Clouds(seed ^ (z as u64) << 8);
    let mut picture = Picture::new(SIDE);
    for cell in cells {
        let thickness = cell.radius / 7.0;
        let away = ((z - cell.z) / thickness).abs();
        // Inside, a ball is cut to a disc; outside, it is a wide dim blur.
        let (size, softness, strength) = if away < 0.95 {
            ((1.0 - away * away).sqrt(), 14.0, 1.0 - 0.25 * away)
        } else {
            (0.45 + 0.35 * away, 5.0, 0.4 * (-1.1 * (away - 0.95)).exp())
        };
        picture.raise(cell.x, cell.y, cell.radius * (size + 0.8), |x, y| {
            let inside = 1.0 / (1.0 + ((cell.distance(x, y) - size) * softness).exp());
            let chromatin = 0.6 + 0.7 * clouds.fine(x / 8.0, y / 8.0);
            150.0 * cell.brightness * strength * inside * chromatin
        });
    }
    picture
}
