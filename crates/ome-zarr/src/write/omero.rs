//! How the channels of an image are shown: names, colours, and the intensities from which to which.

use serde_json::{Value, json};

use crate::{
    error::OmeZarrError,
    pixels::{PixelReader, Region},
    raster::{C, RasterChannel, RasterInfo, T, X, Y, Z},
    record::Window,
    source::{FileSource, join},
};

use super::{
    journal::Ranges,
    layout::{Layout, per_axis},
    reduce,
};

/// The most pixels of a channel that are looked at.
const MAX_SAMPLES: u64 = 4 << 20;
/// The most rows and columns that are looked at of one plane.
const MAX_SIDE: u64 = 2048;
/// More channels than this at once show nothing.
const MAX_ACTIVE: usize = 6;
const WHITE: &str = "FFFFFF";
const RED_GREEN_BLUE: [&str; 3] = ["FF0000", "00FF00", "0000FF"];
/// Where nothing is known: neighbours that most colour-blind people can tell apart.
const PALETTE: [&str; 6] = ["1AFF40", "FF26E6", "1ABFFF", "FFCC1A", "FF4D26", "8C66FF"];

/// An image that is written, and what is needed to choose its contrast.
pub(crate) struct Contrast<'a> {
    /// The tree that is written.
    pub(crate) source: &'a dyn FileSource,
    /// The folder of the image in it.
    pub(crate) path: &'a str,
    pub(crate) layout: &'a Layout,
    /// The folders of the levels, below the image.
    pub(crate) levels: &'a [String],
    /// Which of t, c, z, y and x its arrays have.
    pub(crate) axes: &'a [usize],
    /// The lowest and highest value of each channel.
    pub(crate) ranges: &'a Ranges,
}

/// The `omero` metadata of an image.
///
/// A window's `min` and `max` are the lowest and highest value of level 0; `start` and `end` leave out the darkest and the
/// brightest 0.1 % of a level that is small enough to look at. Wavelengths, in nanometres, keep the names OMERO gives them.
pub(crate) fn omero(info: &RasterInfo, contrast: &Contrast<'_>) -> Result<Value, OmeZarrError> {
    let count = info.shape[C];
    let mut channels = Vec::new();
    for index in 0..count {
        let nothing = RasterChannel::default();
        let channel = info.channels.get(index as usize).unwrap_or(&nothing);
        let window = match channel.window {
            Some(window) => window,
            None => contrast.window(index)?,
        };
        channels.push(described(channel, index as usize, info, &window));
    }
    let model = if count == 1 { "greyscale" } else { "color" };
    Ok(json!({
        "channels": channels,
        "rdefs": {"defaultT": 0, "defaultZ": info.shape[Z] / 2, "model": model},
    }))
}

fn described(channel: &RasterChannel, index: usize, info: &RasterInfo, window: &Window) -> Value {
    let fallback = match info.shape[C] {
        1 => WHITE,
        _ if info.is_rgb => RED_GREEN_BLUE.get(index).copied().unwrap_or(WHITE),
        _ => PALETTE.get(index % PALETTE.len()).copied().unwrap_or(WHITE),
    };
    let mut described = json!({
        "label": channel.name.clone().unwrap_or_else(|| format!("Channel {index}")),
        "color": channel.color.as_deref().unwrap_or(fallback),
        "window": {
            "min": plain(window.min), "max": plain(window.max),
            "start": plain(window.start), "end": plain(window.end),
        },
        "active": index < MAX_ACTIVE,
        "coefficient": 1,
        "family": "linear",
        "inverted": false,
    });
    for (key, wavelength) in [("emissionWave", channel.emission), ("excitationWave", channel.excitation)] {
        if let Some(wavelength) = wavelength {
            described[key] = plain(wavelength);
        }
    }
    described
}

/// A whole number without a point.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9.0e15 { json!(number as i64) } else { json!(number) }
}

impl Contrast<'_> {
    fn window(&self, channel: u64) -> Result<Window, OmeZarrError> {
        let (min, max) = self.ranges.get(&channel).copied().unwrap_or((0.0, 1.0));
        let mut samples = self.samples(channel)?;
        let mut at = |share: f64| {
            let index = (samples.len().saturating_sub(1) as f64 * share).round() as usize;
            if samples.is_empty() { min } else { f64::from(*samples.select_nth_unstable_by(index, f32::total_cmp).1) }
        };
        let (start, end) = (at(0.001).max(min), at(0.999).min(max));
        let end = if end > start { end } else { max.max(start) };
        Ok(Window { min, max, start, end: if end > start { end } else { start + 1.0 } })
    }

    /// Pixels of one channel: all of the largest level that is small enough, or planes of the smallest, evenly spread.
    fn samples(&self, channel: u64) -> Result<Vec<f32>, OmeZarrError> {
        let of_channel = |shape: &[u64; 5]| shape[T] * shape[Z] * shape[Y].min(MAX_SIDE) * shape[X].min(MAX_SIDE);
        let mut levels = self.layout.levels.iter().zip(self.levels);
        let small = levels.clone().find(|(level, _)| of_channel(&level.shape) <= MAX_SAMPLES);
        let Some((level, name)) = small.or_else(|| levels.next_back()) else { return Ok(Vec::new()) };
        let reader = PixelReader::open(self.source, &join(self.path, name))?;
        let (shape, data_type) = (level.shape, reader.meta().data_type);
        let plane = shape[Y].min(MAX_SIDE) * shape[X].min(MAX_SIDE);
        let (planes, wanted) = (shape[T] * shape[Z], (MAX_SAMPLES / plane.max(1)).max(1));
        let stride = planes.div_ceil(wanted).max(1);
        let mut samples = Vec::new();
        for at in (stride / 2..planes).step_by(stride as usize) {
            let size = |axis: usize| shape[axis].min(if axis == Y || axis == X { MAX_SIDE } else { 1 });
            let middle = |axis: usize| (shape[axis] - size(axis)) / 2;
            let start = [at / shape[Z], channel, at % shape[Z], middle(Y), middle(X)];
            let size = per_axis(size);
            let of = |place: &[u64; 5]| self.axes.iter().filter_map(|axis| place.get(*axis)).copied().collect();
            let pixels = reader.region(&Region { start: of(&start), shape: of(&size) })?;
            reduce::numbers(data_type, &pixels, &mut samples);
        }
        Ok(samples)
    }
}
