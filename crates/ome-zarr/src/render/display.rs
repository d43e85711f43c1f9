use serde::{Deserialize, Serialize};

use crate::{
    error::OmeZarrError,
    pixels::PixelReader,
    record::{ImageRecord, Level},
    source::join,
};

use super::{
    Budget, ChannelChoice, Place, Rect, Renderer, Samples, View,
    colors::{self, is_photograph},
    contrast::{self, Range},
};

/// More channels than this cannot be told apart in one picture, unless somebody chooses them.
const MAX_SHOWN: usize = 4;
/// The most channels somebody may choose.
const MAX_CHOSEN: usize = 8;
/// As many channels are described; instruments with more are read with an array library.
const MAX_DESCRIBED: u64 = 64;
/// The level that windows are taken from is the smallest with at least this side, in pixels.
const SAMPLE_SIDE: u64 = 256;
/// The part of a plane that windows are taken from, in pixels along a side.
const MAX_SAMPLE: u64 = 1024;
/// The most decoded to find the windows, in bytes.
const MAX_WORK: u64 = 512 << 20;
/// The share of all intensities that a photograph must use to be shown as it is.
const FULL_PHOTOGRAPH: f64 = 0.25;

/// How an image is shown when nobody says otherwise, the same for all its tiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Display {
    /// Its channels, in order; at most 64.
    pub channels: Vec<DisplayChannel>,
}

/// How one channel is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisplayChannel {
    /// Its name, where the metadata gives one.
    pub label: Option<String>,
    /// Six upper-case hexadecimal digits.
    pub color: String,
    /// The intensity shown as black.
    pub start: f64,
    /// The intensity shown at full colour.
    pub end: f64,
    /// Whether it is shown at first.
    pub active: bool,
}

/// A channel that is shown.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) index: u64,
    /// Red, green and blue at full intensity, 0 to 1.
    pub(super) color: [f32; 3],
    pub(super) window: Range,
}

impl Display {
    /// The channels chosen, or those shown at first.
    pub(super) fn shown(&self, choices: &[ChannelChoice]) -> Result<Vec<Shown>, OmeZarrError> {
        if choices.len() > MAX_CHOSEN {
            return Err(OmeZarrError::request(format!("at most {MAX_CHOSEN} channels fit in one picture")));
        }
        if choices.is_empty() {
            let active = |channel: &&(usize, &DisplayChannel)| channel.1.active;
            let channels: Vec<_> = self.channels.iter().enumerate().collect();
            return Ok(channels.iter().filter(active).map(|(index, channel)| channel.shown(*index as u64)).collect());
        }
        let chosen = |choice: &ChannelChoice| {
            let channel = usize::try_from(choice.index).ok().and_then(|index| self.channels.get(index));
            let last = self.channels.len().saturating_sub(1);
            let absent = || OmeZarrError::request(format!("c={}: the channels are 0 to {last}", choice.index));
            let mut shown = channel.ok_or_else(absent)?.shown(choice.index);
            shown.color = choice.color.as_deref().and_then(colors::rgb).unwrap_or(shown.color);
            shown.window = choice.window.map_or(shown.window, |(start, end)| Range { start, end });
            Ok(shown)
        };
        choices.iter().map(chosen).collect()
    }
}

impl DisplayChannel {
    fn shown(&self, index: u64) -> Shown {
        let color = colors::rgb(&self.color).unwrap_or([1.0; 3]);
        Shown { index, color, window: Range { start: self.start, end: self.end } }
    }
}

/// Reads what the windows need, and decides.
pub(super) fn of(renderer: &Renderer<'_>, image: &ImageRecord) -> Result<Display, OmeZarrError> {
    let view = View::of(image)?;
    if image.is_label {
        let channel = DisplayChannel { label: None, color: "FFFFFF".into(), start: 0.0, end: 1.0, active: true };
        return Ok(Display { channels: vec![channel] });
    }
    let channels = image.levels.first().map_or(1, |level| view.channels(level));
    let described = channels.min(MAX_DESCRIBED);
    let values = sampled(renderer, image, &view, described)?;
    let windows = windows(image, channels, &values);
    let mut display: Vec<DisplayChannel> = windows
        .into_iter()
        .enumerate()
        .map(|(index, window)| DisplayChannel {
            label: image.channels.get(index).and_then(|channel| channel.label.clone()),
            color: colors::hex(colors::of_channel(image, index, channels)),
            start: window.start,
            end: window.end,
            active: image.channels.get(index).is_none_or(|channel| channel.active),
        })
        .collect();
    if !display.iter().any(|channel| channel.active) {
        display.iter_mut().for_each(|channel| channel.active = true);
    }
    let active = display.iter_mut().filter(|channel| channel.active);
    active.skip(MAX_SHOWN).for_each(|channel| channel.active = false);
    Ok(Display { channels: display })
}

/// The window of each channel, from values of each.
pub(super) fn windows(image: &ImageRecord, channels: u64, values: &[Vec<f64>]) -> Vec<Range> {
    if is_photograph(image, channels) {
        // Colours shift if red, green and blue are stretched one by one.
        let (joint, _) = contrast::robust(&values.concat());
        let full = Range { start: 0.0, end: 255.0 };
        let is_full = joint.end - joint.start >= FULL_PHOTOGRAPH * full.end;
        return vec![if is_full { full } else { joint }; values.len()];
    }
    let named = |index: usize| {
        let window = image.channels.get(index)?.window?;
        Some(Range { start: window.start, end: window.end })
    };
    values.iter().enumerate().map(|(index, values)| contrast::window(named(index), values)).collect()
}

/// Values of each channel, from a few planes of a small level: first, middle and last time, three depths.
fn sampled(
    renderer: &Renderer<'_>,
    image: &ImageRecord,
    view: &View,
    channels: u64,
) -> Result<Vec<Vec<f64>>, OmeZarrError> {
    let mut values = vec![Vec::new(); channels as usize];
    let mut first = true;
    let budget = Budget::new(MAX_WORK, renderer.watch, &image.path);
    for level in view.levels_for(image, SAMPLE_SIDE) {
        let reader = match PixelReader::open(renderer.source, &join(&image.path, &level.path)) {
            Err(OmeZarrError::TooLarge { .. }) => continue,
            reader => reader?,
        };
        if reader.shape() != level.shape.as_slice() || level.shape.contains(&0) {
            return Err(OmeZarrError::metadata(&image.path, "its level holds no pixels"));
        }
        for place in places(view, level) {
            let wanted: Vec<Shown> = (0..channels).map(any_channel).collect();
            for group in view.groups(&reader, &wanted) {
                let rect = middle_part(view.whole(level));
                match Samples::read(&reader, view, &place, rect, group.clone(), &budget) {
                    // What fits has to do: a channel without a value gets the window its metadata names.
                    Err(OmeZarrError::TooLarge { .. }) => break,
                    samples => {
                        let samples = samples?;
                        first = false;
                        for (index, values) in values.iter_mut().enumerate() {
                            if group.contains(&(index as u64)) {
                                let rows = 0..rect.height as usize;
                                values.extend(rows.flat_map(|y| samples.row(index as u64 - group.start, y)));
                            }
                        }
                    }
                }
            }
        }
        if !first {
            break;
        }
    }
    Ok(values)
}

fn any_channel(index: u64) -> Shown {
    Shown { index, color: [1.0; 3], window: Range { start: 0.0, end: 1.0 } }
}

fn places(view: &View, level: &Level) -> Vec<Place> {
    let (depth, times) = (view.depth(level), view.times(level));
    let middle = view.middle(level);
    let mut places = vec![middle];
    places.extend([depth / 4, depth * 3 / 4].map(|z| Place { z, ..middle }));
    places.extend([times / 2, times.saturating_sub(1)].map(|t| Place { t, ..middle }));
    let mut seen = Vec::new();
    places.retain(|place| {
        !seen.contains(place) && {
            seen.push(*place);
            true
        }
    });
    places
}

fn middle_part(whole: Rect) -> Rect {
    let (height, width) = (whole.height.min(MAX_SAMPLE), whole.width.min(MAX_SAMPLE));
    Rect { y: (whole.height - height) / 2, x: (whole.width - width) / 2, height, width }
}
