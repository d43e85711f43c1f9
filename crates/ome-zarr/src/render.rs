//! Images as pictures: thumbnails, tiles of a pyramid, grids of wells, label overlays. Work is bounded before it begins.

use std::collections::BTreeMap;

use crate::{
    describe::describe,
    error::OmeZarrError,
    pixels::PixelReader,
    progress::{Progress, Unwatched},
    record::{ImageRecord, Level},
    source::{FileSource, join},
};

mod area;
mod blend;
mod budget;
mod channels;
mod colors;
mod contrast;
mod display;
mod info;
mod labels;
mod picture;
mod plate;
mod samples;
mod view;

pub use channels::ChannelChoice;
pub use display::{Display, DisplayChannel};
pub use info::{PictureInfo, PictureLevel};
pub use picture::{Picture, PictureFormat};

use area::{AreaMean, Size};
use blend::Layer;
use budget::Budget;
use labels::{LabelImage, Painted};
use samples::Samples;
use view::{Place, View};

/// The sides a thumbnail may have, in pixels: the shortest and the longest.
const THUMBNAIL_SIDES: std::ops::RangeInclusive<u32> = 16..=1024;
/// The sides a tile may have, in pixels.
pub const TILE_SIDES: [u32; 2] = [256, 512];
/// The most decoded for one thumbnail or tile, in bytes, all channels together.
const MAX_WORK: u64 = 1 << 30;
/// As much of a level is held at once while it is shrunk, in bytes.
const BAND_BYTES: u64 = 16 << 20;

/// Draws a small picture of an image or plate as PNG: the middle of the depth, the first time, up to four channels in
/// the colours and windows of its `omero` metadata, or with contrast that shows what is there. Label images have one
/// colour per object; plates are a grid of their wells.
///
/// `max_side` is the longest side in pixels, 16 to 1024; smaller images keep their size.
///
/// # Errors
/// No image of a known version is there, its pixels cannot be decoded or are too many, or the source failed.
pub fn thumbnail(source: &dyn FileSource, image_path: &str, max_side: u32) -> Result<Vec<u8>, OmeZarrError> {
    let renderer = Renderer::new(source, &Unwatched);
    let wanted = Thumbnail { max_side, ..Thumbnail::default() };
    check_side(max_side)?;
    let picture = match describe(source, image_path) {
        Err(OmeZarrError::NotAnImage { .. }) => renderer.plate(image_path, &wanted)?,
        image => {
            let image = image?;
            renderer.thumbnail(&image, &renderer.display(&image)?, &wanted)?
        }
    };
    picture.encode(PictureFormat::Png)
}

/// What a thumbnail shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thumbnail {
    /// The longest side in pixels, 16 to 1024.
    pub max_side: u32,
    /// The channels; none means those the display shows at first.
    pub channels: Vec<ChannelChoice>,
    /// The name of a label image to lay over it.
    pub labels: Option<String>,
}

/// What a tile shows: a square of one plane of one level.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tile {
    /// The level, 0 for the largest.
    pub level: usize,
    /// The tile's column, from 0 at the left.
    pub x: u64,
    /// The tile's row, from 0 at the top.
    pub y: u64,
    /// Its side in pixels, 256 or 512; tiles at the right and lower edges are cut off.
    pub size: u32,
    /// The plane along the depth, at this level; none means the middle.
    pub z: Option<u64>,
    /// The time; none means the first.
    pub t: Option<u64>,
    /// The channels; none means those the display shows at first.
    pub channels: Vec<ChannelChoice>,
    /// The name of a label image to lay over it.
    pub labels: Option<String>,
}

/// Draws the images of one source.
///
/// One call decodes at most 1 GiB and holds at most a few 100 MiB; more is refused before it is read.
pub struct Renderer<'a> {
    source: &'a dyn FileSource,
    watch: &'a dyn Progress,
}

/// Part of a plane: where it begins and how large it is, in pixels of its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rect {
    y: u64,
    x: u64,
    height: u64,
    width: u64,
}

impl<'a> Renderer<'a> {
    /// Draws from a source until `watch` says stop.
    pub fn new(source: &'a dyn FileSource, watch: &'a dyn Progress) -> Self {
        Self { source, watch }
    }

    /// How an image is shown when nobody says: colours and windows of its channels. Reads a few planes of a small level.
    ///
    /// # Errors
    /// The pixels cannot be read.
    pub fn display(&self, image: &ImageRecord) -> Result<Display, OmeZarrError> {
        display::of(self, image)
    }

    /// A small picture of an image: the middle of the depth, the first time.
    ///
    /// # Errors
    /// The request is outside of what is offered, the pixels cannot be decoded or are too many, or the source failed.
    pub fn thumbnail(
        &self,
        image: &ImageRecord,
        display: &Display,
        wanted: &Thumbnail,
    ) -> Result<Picture, OmeZarrError> {
        check_side(wanted.max_side)?;
        let view = View::of(image)?;
        let shown = display.shown(&wanted.channels)?;
        let budget = Budget::new(MAX_WORK, self.watch, &image.path);
        let mut answer = Err(OmeZarrError::metadata(&image.path, "it has no resolution levels"));
        for level in view.levels_for(image, u64::from(wanted.max_side)) {
            let size = view.fitting(image, level, wanted.max_side as usize);
            let place = view.middle(level);
            answer = if image.is_label {
                let labels = LabelImage::itself(self.source, image)?;
                labels.ids(&budget, level, &place, view.whole(level), size).map(|ids| ids.alone())
            } else {
                self.layers(image, level, &place, &shown, size, &budget).map(|layers| blend::add_up(&layers, size))
            };
            // A level whose chunks are too many or too large gives way to a smaller one.
            if !matches!(answer, Err(OmeZarrError::TooLarge { .. })) {
                let picture = answer?;
                return self.with_labels(picture, image, level, &place, view.whole(level), wanted.labels.as_deref());
            }
        }
        answer
    }

    /// A square of one plane of one level.
    ///
    /// # Errors
    /// As for [`Renderer::thumbnail`].
    pub fn tile(&self, image: &ImageRecord, display: &Display, wanted: &Tile) -> Result<Picture, OmeZarrError> {
        if !TILE_SIDES.contains(&wanted.size) {
            return Err(OmeZarrError::request(format!("a tile is 256 or 512 pixels wide, not {}", wanted.size)));
        }
        let view = View::of(image)?;
        let level = image.levels.get(wanted.level).ok_or_else(|| {
            OmeZarrError::request(format!(
                "level={}: the image has levels 0 to {}",
                wanted.level,
                image.levels.len() - 1
            ))
        })?;
        let place = view.place(level, wanted.z, wanted.t)?;
        let rect = view.tile(level, wanted)?;
        let shown = display.shown(&wanted.channels)?;
        let size = Size { width: rect.width as usize, height: rect.height as usize };
        let budget = Budget::new(MAX_WORK, self.watch, &image.path);
        let picture = if image.is_label {
            LabelImage::itself(self.source, image)?.ids(&budget, level, &place, rect, size)?.alone()
        } else {
            let reader = PixelReader::open(self.source, &join(&image.path, &level.path))?;
            let mut layers = Vec::new();
            for group in view.groups(&reader, &shown) {
                let samples = Samples::read(&reader, &view, &place, rect, group.clone(), &budget)?;
                let of_group = shown.iter().filter(|channel| group.contains(&channel.index));
                layers.extend(of_group.map(|channel| Layer {
                    values: (0..size.height).flat_map(|y| samples.row(channel.index - group.start, y)).collect(),
                    color: channel.color,
                    window: channel.window,
                }));
            }
            blend::add_up(&layers, size)
        };
        self.with_labels(picture, image, level, &place, rect, wanted.labels.as_deref())
    }

    /// A grid of the wells of a plate, a field of each.
    ///
    /// # Errors
    /// As for [`Renderer::thumbnail`]; and when channels or labels are chosen, or no well can be drawn.
    pub fn plate(&self, plate_path: &str, wanted: &Thumbnail) -> Result<Picture, OmeZarrError> {
        check_side(wanted.max_side)?;
        if !wanted.channels.is_empty() || wanted.labels.is_some() {
            return Err(OmeZarrError::request("a plate is drawn as it is: choose channels and labels of its fields"));
        }
        plate::draw(self, plate_path, wanted.max_side as usize)
    }

    /// The chosen channels of a whole level, shrunk. Rows are read in bands, so that no whole plane is ever held.
    fn layers(
        &self,
        image: &ImageRecord,
        level: &Level,
        place: &Place,
        shown: &[display::Shown],
        size: Size,
        budget: &Budget<'_>,
    ) -> Result<Vec<Layer>, OmeZarrError> {
        let view = View::of(image)?;
        let reader = PixelReader::open(self.source, &join(&image.path, &level.path))?;
        if reader.shape() != level.shape.as_slice() || level.shape.contains(&0) {
            return Err(OmeZarrError::metadata(&image.path, "its level holds no pixels"));
        }
        let whole = view.whole(level);
        let groups = view.groups(&reader, shown);
        budget.check(&reader, &view, whole, groups.iter().map(|group| group.end - group.start))?;
        let mut shrunk: BTreeMap<u64, AreaMean> = BTreeMap::new();
        for group in groups {
            for block in view.blocks(&reader, whole, group.end - group.start, BAND_BYTES) {
                let samples = Samples::read(&reader, &view, place, block, group.clone(), budget)?;
                for channel in shown.iter().filter(|channel| group.contains(&channel.index)) {
                    let mean = shrunk.entry(channel.index).or_insert_with(|| {
                        AreaMean::new(Size { width: whole.width as usize, height: whole.height as usize }, size)
                    });
                    for y in 0..block.height as usize {
                        mean.add_run(
                            block.y as usize + y,
                            block.x as usize,
                            samples.row(channel.index - group.start, y),
                        );
                    }
                }
            }
        }
        let layer = |channel: &display::Shown| {
            let values = shrunk.get(&channel.index).map(AreaMean::values).unwrap_or_default();
            Layer { values, color: channel.color, window: channel.window }
        };
        Ok(shown.iter().map(layer).collect())
    }

    fn with_labels(
        &self,
        picture: Picture,
        image: &ImageRecord,
        level: &Level,
        place: &Place,
        rect: Rect,
        name: Option<&str>,
    ) -> Result<Picture, OmeZarrError> {
        let Some(name) = name else { return Ok(picture) };
        let labels = LabelImage::of(self.source, image, name)?;
        let size = Size { width: picture.width as usize, height: picture.height as usize };
        let budget = Budget::new(MAX_WORK, self.watch, &image.path);
        let ids: Painted = labels.over(&budget, image, level, place, rect, size)?;
        Ok(ids.over(picture))
    }
}

fn check_side(side: u32) -> Result<(), OmeZarrError> {
    if THUMBNAIL_SIDES.contains(&side) {
        return Ok(());
    }
    let (least, most) = (THUMBNAIL_SIDES.start(), THUMBNAIL_SIDES.end());
    Err(OmeZarrError::request(format!("a thumbnail's longest side is {least} to {most} pixels, not {side}")))
}
