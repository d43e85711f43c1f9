use serde::Serialize;

use crate::{error::OmeZarrError, record::ImageRecord};

use super::{Display, TILE_SIDES, View};

/// What a viewer needs to ask for tiles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PictureInfo {
    /// The folder of the image.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Whether each pixel names an object.
    pub is_label: bool,
    /// The levels, largest first.
    pub levels: Vec<PictureLevel>,
    /// The sides a tile may have, in pixels.
    pub tile_sizes: Vec<u32>,
    /// Planes along the depth, at level 0.
    pub z: u64,
    /// Time points.
    pub t: u64,
    /// How its channels are shown when nobody says otherwise.
    pub channels: Vec<super::DisplayChannel>,
    /// The label images that can be laid over it.
    pub labels: Vec<String>,
}

/// One level of a pyramid, as pictures are made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PictureLevel {
    /// Its number, 0 for the largest.
    pub level: usize,
    /// Width in pixels.
    pub width: u64,
    /// Height in pixels.
    pub height: u64,
    /// Planes along the depth.
    pub z: u64,
}

impl PictureInfo {
    /// Describes an image for viewers.
    ///
    /// # Errors
    /// When the image has no two axes of space.
    pub fn of(image: &ImageRecord, display: &Display) -> Result<Self, OmeZarrError> {
        let view = View::of(image)?;
        let level = |(level, of): (usize, &crate::Level)| {
            let whole = view.whole(of);
            PictureLevel { level, width: whole.width, height: whole.height, z: view.depth(of) }
        };
        Ok(Self {
            path: image.path.clone(),
            name: image.name.clone(),
            is_label: image.is_label,
            levels: image.levels.iter().enumerate().map(level).collect(),
            tile_sizes: TILE_SIDES.to_vec(),
            z: image.levels.first().map_or(1, |level| view.depth(level)),
            t: image.levels.first().map_or(1, |level| view.times(level)),
            channels: display.channels.clone(),
            labels: image.label_names.clone(),
        })
    }
}
