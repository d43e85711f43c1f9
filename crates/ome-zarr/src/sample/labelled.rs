use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::OmeZarrError;

use super::{
    cells::{bodies, nuclei},
    metadata::{channel, group_v3, multiscale, omero},
    noise::Random,
    pyramid::{Pyramid, first, mean},
    scene::{Cell, scatter},
    writer::{Layout, camera_codecs, label_codecs, write_json, write_v3},
};

const SIDE: usize = 640;
const CHUNK: usize = 320;
const HIGHEST: u32 = 65_535;
/// The size of a pixel in micrometres.
const PIXEL: f64 = 0.5;

/// Writes the two-channel image and the label image of its nuclei.
pub(super) fn write(image: &Path, seed: u64) -> Result<PathBuf, OmeZarrError> {
    let mut random = Random::new(seed ^ 0x1abe1);
    let cells = scatter(&mut random, SIDE, 1, 24.0);
    let pictures = [nuclei(SIDE, &cells, seed ^ 0x77), bodies(SIDE, &cells, seed ^ 0x77)];
    let exposed: Vec<Vec<f32>> =
        pictures.iter().map(|picture| picture.exposed(&mut random, 110.0, HIGHEST as f32)).collect();
    let named = [("Nuclei (DAPI)", "4D7CFF"), ("Actin", "FF4D88")];
    let channels: Vec<Value> =
        named.iter().zip(&exposed).map(|((label, color), pixels)| channel(label, color, HIGHEST, pixels)).collect();
    let axes = [("c", 1.0), ("y", PIXEL), ("x", PIXEL)];
    let ome = json!({
        "version": "0.5",
        "multiscales": [multiscale(&format!("Labelled nuclei {seed}"), &axes, false)],
        "omero": omero(&channels),
    });
    write_json(&image.join("zarr.json"), &group_v3(&ome))?;
    let pyramid = Pyramid::new(exposed.concat(), SIDE, mean);
    for (level, (pixels, side)) in pyramid.levels.iter().zip(&pyramid.sides).enumerate() {
        let shape = vec![named.len(), *side, *side];
        let chunk = vec![1, CHUNK.min(*side), CHUNK.min(*side)];
        let layout = Layout { axes: &["c", "y", "x"], shape, chunk, shard: None };
        let pixels = pixels.iter().map(|pixel| *pixel as u16).collect();
        write_v3(&image.join(level.to_string()), &layout, &camera_codecs(), pixels)?;
    }
    write_labels(&image.join("labels"), &cells)?;
    Ok(image.to_owned())
}

fn write_labels(labels: &Path, cells: &[Cell]) -> Result<(), OmeZarrError> {
    let folder = labels.join("nuclei");
    let pyramid = Pyramid::new(paint(cells), SIDE, first);
    // A nucleus at the very edge may have no pixel: only what is in the picture is described.
    let mut values: Vec<u16> = pyramid.levels.first().cloned().unwrap_or_default();
    values.sort_unstable();
    values.dedup();
    values.retain(|value| *value != 0);
    write_json(&labels.join("zarr.json"), &group_v3(&json!({"version": "0.5", "labels": ["nuclei"]})))?;
    write_json(&folder.join("zarr.json"), &group_v3(&described(&values)))?;
    for (level, (pixels, side)) in pyramid.levels.iter().zip(&pyramid.sides).enumerate() {
        let chunk = vec![CHUNK.min(*side), CHUNK.min(*side)];
        let layout = Layout { axes: &["y", "x"], shape: vec![*side, *side], chunk, shard: None };
        write_v3(&folder.join(level.to_string()), &layout, &label_codecs(), pixels.clone())?;
    }
    Ok(())
}

fn described(values: &[u16]) -> Value {
    let color = |value: &u16| json!({"label-value": value, "rgba": rgba(*value)});
    let mut multiscale = multiscale("nuclei", &[("y", PIXEL), ("x", PIXEL)], false);
    multiscale["type"] = json!("nearest");
    multiscale["metadata"] = json!({"description": "each level takes one of 2 x 2 pixels of the one before"});
    json!({
        "version": "0.5",
        "multiscales": [multiscale],
        "image-label": {
            "version": "0.5",
            "colors": values.iter().map(color).collect::<Vec<_>>(),
            "properties": values.iter().map(|value| json!({"label-value": value, "class": "nucleus"})).collect::<Vec<_>>(),
            "source": {"image": "../../"},
        },
    })
}

/// A colour of its own for each nucleus.
fn rgba(value: u16) -> [u8; 4] {
    let turn = f32::from(value) * 2.399_963;
    let part = |shift: f32| (150.0 + 105.0 * (turn + shift).sin()) as u8;
    [part(0.0), part(2.1), part(4.2), 255]
}

/// The number of the nucleus at each pixel, from 1; 0 between them.
fn paint(cells: &[Cell]) -> Vec<u16> {
    let mut labels = vec![0; SIDE * SIDE];
    for (index, cell) in cells.iter().enumerate() {
        let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
        let reach = |middle: f32| {
            let edge = |at: f32| at.clamp(0.0, SIDE as f32) as usize;
            edge(middle - cell.radius * 1.7)..edge(middle + cell.radius * 1.7)
        };
        for y in reach(cell.y) {
            for x in reach(cell.x).filter(|x| cell.distance(*x as f32, y as f32) < 1.0) {
                if let Some(label) = labels.get_mut(y * SIDE + x) {
                    *label = number;
                }
            }
        }
    }
    labels
}
