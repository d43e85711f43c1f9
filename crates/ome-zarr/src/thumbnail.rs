use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use crate::{
    describe::describe,
    error::OmeZarrError,
    pixels::{PixelReader, Plane, Slice},
    record::{AxisKind, ImageRecord, Level},
    source::{FileSource, join},
};

mod colors;
mod contrast;
mod labels;
mod shrink;

use colors::Shown;
use shrink::Size;

/// Draws a small picture of an image: the middle of the depth, the first time, up to four channels in the colours and
/// windows of its `omero` metadata, or with contrast that shows what is there. Label images are shown with one colour
/// per object.
///
/// `max_side` is the longest side in pixels, 16 to 1024; smaller images keep their size. The answer is a PNG.
///
/// Memory is bounded: a level whose plane or chunks are larger than 64 MiB decoded is refused, and a smaller one tried.
///
/// # Errors
/// No image of a known version is there, its pixels cannot be decoded or are too many, or the source failed.
pub fn thumbnail(source: &dyn FileSource, image_path: &str, max_side: u32) -> Result<Vec<u8>, OmeZarrError> {
    if !(16..=1024).contains(&max_side) {
        return Err(OmeZarrError::ThumbnailSize(max_side));
    }
    let image = describe(source, image_path)?;
    let view = View::of(&image).ok_or_else(|| OmeZarrError::metadata(&image.path, "it has no two axes to show"))?;
    let mut answer = Err(OmeZarrError::metadata(&image.path, "it has no resolution levels"));
    for level in levels(&image, &view, max_side) {
        answer = draw(source, &image, &view, level, max_side);
        if !matches!(answer, Err(OmeZarrError::TooLarge { .. })) {
            break;
        }
    }
    answer
}

/// The axes of an image, by what they are shown as.
struct View {
    y: usize,
    x: usize,
    z: Option<usize>,
    channel: Option<usize>,
}

impl View {
    /// `y` and `x` are the last two axes of space.
    fn of(image: &ImageRecord) -> Option<Self> {
        let of_kind = |kind: AxisKind| image.axes.iter().enumerate().filter(move |(_, axis)| axis.kind == kind);
        let mut space: Vec<usize> = of_kind(AxisKind::Space).map(|(index, _)| index).collect();
        let (x, y) = (space.pop()?, space.pop()?);
        let channel = of_kind(AxisKind::Channel).map(|(index, _)| index).next();
        Some(Self { y, x, z: space.pop(), channel })
    }

    /// The plane to show of a level.
    fn slice(&self, level: &Level, channel: u64) -> Slice {
        let index = level.shape.iter().enumerate().map(|(axis, size)| match axis {
            _ if Some(axis) == self.z => size / 2,
            _ if Some(axis) == self.channel => channel,
            _ => 0,
        });
        Slice { index: index.collect(), y: self.y, x: self.x }
    }
}

/// The levels to try: the smallest that is large enough, then the smaller ones.
fn levels<'a>(image: &'a ImageRecord, view: &View, max_side: u32) -> impl Iterator<Item = &'a Level> {
    let side = |level: &Level, axis: usize| level.shape.get(axis).copied().unwrap_or(0);
    let is_enough = |level: &Level| side(level, view.y).max(side(level, view.x)) >= u64::from(max_side);
    let first = image.levels.iter().rposition(is_enough).unwrap_or(0);
    image.levels.iter().skip(first)
}

fn draw(
    source: &dyn FileSource,
    image: &ImageRecord,
    view: &View,
    level: &Level,
    max_side: u32,
) -> Result<Vec<u8>, OmeZarrError> {
    let reader = PixelReader::open(source, &join(&image.path, &level.path))?;
    if reader.shape().contains(&0) {
        return Err(OmeZarrError::metadata(&image.path, "its level holds no pixels"));
    }
    if image.is_label {
        let plane = reader.plane(&view.slice(level, 0))?;
        let size = fit(&plane, max_side);
        return png(size, &labels::paint(&plane, size, &labels::colors(source, &image.path)?));
    }
    let channels = view.channel.and_then(|axis| level.shape.get(axis).copied()).unwrap_or(1);
    let shown = colors::shown(image, channels);
    let mut layers = Vec::new();
    let mut size = Size { width: 1, height: 1 };
    for channel in &shown {
        // One plane at a time is held at full size.
        let plane = reader.plane(&view.slice(level, channel.index))?;
        size = fit(&plane, max_side);
        layers.push(shrink::shrink(&plane, size));
    }
    png(size, &blend(&shown, &layers, colors::is_photograph(image, channels)))
}

fn fit(plane: &Plane, max_side: u32) -> Size {
    Size::fitting(plane.width, plane.height, max_side as usize)
}

/// Adds the channels up, each in its colour.
fn blend(shown: &[Shown], layers: &[Vec<f32>], is_photograph: bool) -> Vec<u8> {
    let windows = contrast::windows(shown, layers, is_photograph);
    let pixels = layers.first().map_or(0, Vec::len);
    let mut sums = vec![[0f32; 3]; pixels];
    for ((channel, layer), window) in shown.iter().zip(layers).zip(&windows) {
        for (sum, value) in sums.iter_mut().zip(layer) {
            let light = window.light(*value);
            sum.iter_mut().zip(channel.color).for_each(|(sum, color)| *sum += light * color);
        }
    }
    sums.iter().flatten().map(|light| (light.clamp(0.0, 1.0) * 255.0).round() as u8).collect()
}

fn png(size: Size, rgb: &[u8]) -> Result<Vec<u8>, OmeZarrError> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(rgb, size.width as u32, size.height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| OmeZarrError::Encode(Box::new(error)))?;
    Ok(bytes)
}
