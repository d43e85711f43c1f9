use std::path::{Path, PathBuf};

use serde_json::json;

use crate::error::OmeZarrError;

use super::{
    metadata::{channel, group_v3, multiscale, omero},
    noise::{Clouds, Random},
    picture::Picture,
    pyramid::{Pyramid, mean},
    scene::{Cell, scatter},
    writer::{Layout, camera_codecs, write_json, write_v3},
};

const SIDE: usize = 1024;
const CHUNK: usize = 256;
const HIGHEST: u32 = 65_535;

/// Writes the three-channel field of cells.
pub(super) fn write(image: &Path, seed: u64) -> Result<PathBuf, OmeZarrError> {
    let mut random = Random::new(seed);
    let cells = scatter(&mut random, SIDE, 1, 34.0);
    let pictures = [nuclei(SIDE, &cells, seed), bodies(SIDE, &cells, seed), spots(&cells, &mut random)];
    let backgrounds = [90.0, 130.0, 70.0];
    let exposed: Vec<Vec<f32>> = pictures
        .iter()
        .zip(backgrounds)
        .map(|(picture, dark)| picture.exposed(&mut random, dark, HIGHEST as f32))
        .collect();
    let named = [("Nuclei (DAPI)", "3D6BFF"), ("Tubulin", "2BD96B"), ("Vesicles", "FF7A1A")];
    let channels: Vec<_> =
        named.iter().zip(&exposed).map(|((label, color), pixels)| channel(label, color, HIGHEST, pixels)).collect();
    let axes = [("c", 1.0), ("y", 0.325), ("x", 0.325)];
    let ome = json!({
        "version": "0.5",
        "multiscales": [multiscale(&format!("Cells {seed}"), &axes, false)],
        "omero": omero(&channels),
    });
    write_json(&image.join("zarr.json"), &group_v3(&ome))?;
    let pyramid = Pyramid::new(exposed.concat(), SIDE, mean);
    for (level, (pixels, side)) in pyramid.levels.iter().zip(&pyramid.sides).enumerate() {
        let layout = Layout {
            axes: &["c", "y", "x"],
            shape: vec![named.len(), *side, *side],
            chunk: vec![1, CHUNK, CHUNK],
            shard: Some(vec![1, *side, *side]),
        };
        let pixels = pixels.iter().map(|pixel| *pixel as u16).collect();
        write_v3(&image.join(level.to_string()), &layout, &camera_codecs(), pixels)?;
    }
    Ok(image.to_owned())
}

/// Nuclei with bright and dark chromatin and a soft edge.
pub(super) fn nuclei(side: usize, cells: &[Cell], seed: u64) -> Picture {
    let clouds = Clouds(seed ^ 0xd1);
    let mut picture = Picture::new(side);
    for cell in cells {
        picture.raise(cell.x, cell.y, cell.radius * 1.7, |x, y| {
            let inside = 1.0 / (1.0 + ((cell.distance(x, y) - 1.0) * 18.0).exp());
            let chromatin = 0.55 + 0.75 * clouds.fine(x / 9.0, y / 9.0);
            1500.0 * cell.brightness * inside * chromatin
        });
    }
    picture
}

/// Cell bodies, crossed by fibres that grow denser towards the nucleus.
pub(super) fn bodies(side: usize, cells: &[Cell], seed: u64) -> Picture {
    let (clouds, fibres) = (Clouds(seed ^ 0xb0), Clouds(seed ^ 0xf1));
    let mut picture = Picture::new(side);
    for cell in cells {
        picture.raise(cell.x, cell.y, cell.radius * 3.4, |x, y| {
            let outline = 0.75 + 0.6 * clouds.fine(x / 40.0, y / 40.0);
            let distance = cell.distance(x, y) / (2.1 * outline);
            let body = 1.0 / (1.0 + ((distance - 1.0) * 9.0).exp()) * (1.15 - 0.75 * distance).max(0.0);
            let (u, v) =
                ((x + 14.0 * clouds.at(x / 25.0, y / 25.0)) / 16.0, (y + 14.0 * clouds.at(y / 25.0, x / 25.0)) / 16.0);
            let hollow = 1.0 - 0.45 / (1.0 + ((cell.distance(x, y) - 0.95) * 12.0).exp());
            900.0 * cell.brightness * body * hollow * (0.3 + 0.95 * fibres.ridges(u, v))
        });
    }
    picture
}

/// Small bright vesicles around the nuclei.
fn spots(cells: &[Cell], random: &mut Random) -> Picture {
    let mut picture = Picture::new(SIDE);
    for cell in cells {
        let count = random.between(6.0, 34.0) as usize;
        for _ in 0..count {
            let (turn, away) = (random.between(0.0, std::f32::consts::TAU), cell.radius * random.between(0.9, 1.9));
            let (x, y) = (cell.x + away * turn.cos(), cell.y + away * turn.sin());
            let (width, height) = (random.between(1.2, 2.4), random.between(500.0, 2200.0));
            picture.raise(x, y, width * 4.0, |u, v| {
                height * (-((u - x).powi(2) + (v - y).powi(2)) / (2.0 * width * width)).exp()
            });
        }
    }
    picture
}
