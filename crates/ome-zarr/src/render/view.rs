use std::ops::Range;

use crate::{
    error::OmeZarrError,
    pixels::PixelReader,
    record::{AxisKind, ImageRecord, Level},
};

use super::{Rect, Tile, area::Size, display::Shown};

/// Pixels further from square than this are shown as if they were this far.
const MAX_STRETCH: f64 = 8.0;

/// The axes of an image, by what they are shown as.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) y: usize,
    pub(super) x: usize,
    pub(super) z: Option<usize>,
    pub(super) t: Option<usize>,
    pub(super) channel: Option<usize>,
}

/// Which plane of a level: its place along depth and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) z: u64,
    pub(super) t: u64,
}

impl View {
    /// `y` and `x` are the last two axes of space.
    pub(super) fn of(image: &ImageRecord) -> Result<Self, OmeZarrError> {
        let of_kind = |kind: AxisKind| image.axes.iter().enumerate().filter(move |(_, axis)| axis.kind == kind);
        let mut space: Vec<usize> = of_kind(AxisKind::Space).map(|(index, _)| index).collect();
        let (Some(x), Some(y)) = (space.pop(), space.pop()) else {
            return Err(OmeZarrError::metadata(&image.path, "it has no two axes of space to show"));
        };
        let first = |kind: AxisKind| of_kind(kind).map(|(index, _)| index).next();
        Ok(Self { y, x, z: space.pop(), t: first(AxisKind::Time), channel: first(AxisKind::Channel) })
    }

    fn side(level: &Level, axis: Option<usize>) -> u64 {
        axis.map_or(1, |axis| level.shape.get(axis).copied().unwrap_or(1))
    }

    /// Width and height of a level.
    pub(super) fn whole(&self, level: &Level) -> Rect {
        Rect { y: 0, x: 0, height: Self::side(level, Some(self.y)), width: Self::side(level, Some(self.x)) }
    }

    pub(super) fn channels(&self, level: &Level) -> u64 {
        Self::side(level, self.channel)
    }

    pub(super) fn depth(&self, level: &Level) -> u64 {
        Self::side(level, self.z)
    }

    pub(super) fn times(&self, level: &Level) -> u64 {
        Self::side(level, self.t)
    }

    /// The middle of the depth, the first time.
    pub(super) fn middle(&self, level: &Level) -> Place {
        Place { z: self.depth(level) / 2, t: 0 }
    }

    /// The plane asked for.
    pub(super) fn place(&self, level: &Level, z: Option<u64>, t: Option<u64>) -> Result<Place, OmeZarrError> {
        let middle = self.middle(level);
        let inside = |name: &str, asked: Option<u64>, size: u64, default: u64| match asked {
            Some(at) if at >= size => Err(OmeZarrError::request(format!(
                "{name}={at}: this level has planes 0 to {}",
                size.saturating_sub(1)
            ))),
            asked => Ok(asked.unwrap_or(default)),
        };
        let z = inside("z", z, self.depth(level), middle.z)?;
        Ok(Place { z, t: inside("t", t, self.times(level), middle.t)? })
    }

    /// The part of a level that a tile shows.
    pub(super) fn tile(&self, level: &Level, tile: &Tile) -> Result<Rect, OmeZarrError> {
        let (whole, size) = (self.whole(level), u64::from(tile.size));
        let side = |name: &str, at: u64, length: u64| {
            let start = at.saturating_mul(size);
            if start < length {
                return Ok((start, size.min(length - start)));
            }
            let last = length.div_ceil(size).saturating_sub(1);
            Err(OmeZarrError::request(format!("{name}={at}: this level has tiles 0 to {last} of {size} pixels")))
        };
        let ((y, height), (x, width)) = (side("y", tile.y, whole.height)?, side("x", tile.x, whole.width)?);
        Ok(Rect { y, x, height, width })
    }

    /// The levels to try: the smallest that is large enough, then the smaller ones.
    pub(super) fn levels_for<'a>(
        &self,
        image: &'a ImageRecord,
        max_side: u64,
    ) -> impl Iterator<Item = &'a Level> + use<'a> {
        let is_enough = |level: &Level| self.whole(level).height.max(self.whole(level).width) >= max_side;
        let first = image.levels.iter().rposition(is_enough).unwrap_or(0);
        image.levels.iter().skip(first)
    }

    /// The size of a picture of a whole level: never more pixels than the level has, in the form its pixels' physical
    /// size gives it.
    pub(super) fn fitting(&self, image: &ImageRecord, level: &Level, max_side: usize) -> Size {
        let whole = self.whole(level);
        let unit = |axis: usize| image.axes.get(axis).and_then(|axis| axis.unit.as_deref());
        let scale = |axis: usize| level.scale.get(axis).copied().filter(|scale| scale.is_finite() && *scale > 0.0);
        let pixel = match (scale(self.y), scale(self.x)) {
            (Some(y), Some(x)) if unit(self.y) == unit(self.x) => (y / x).clamp(1.0 / MAX_STRETCH, MAX_STRETCH),
            _ => 1.0,
        };
        Size::fitting(whole.width as usize, whole.height as usize, pixel, max_side)
    }

    /// The channels to read at a time: together where chunks hold several, else one by one.
    pub(super) fn groups(&self, reader: &PixelReader<'_>, shown: &[Shown]) -> Vec<Range<u64>> {
        let per_chunk =
            self.channel.and_then(|axis| reader.meta().chunk_shape().get(axis).copied()).unwrap_or(1).max(1);
        let mut groups: Vec<Range<u64>> = Vec::new();
        let mut indices: Vec<u64> = shown.iter().map(|channel| channel.index).collect();
        indices.sort_unstable();
        indices.dedup();
        for index in indices {
            match groups.last_mut() {
                Some(group) if group.start / per_chunk == index / per_chunk => group.end = index + 1,
                _ => groups.push(index..index + 1),
            }
        }
        groups
    }

    /// Cuts a part of a plane into bands of whole chunk rows that hold about `bytes` each.
    pub(super) fn bands(&self, reader: &PixelReader<'_>, rect: Rect, channels: u64, bytes: u64) -> Vec<Rect> {
        let meta = reader.meta();
        let rows = meta.chunk_shape().get(self.y).copied().unwrap_or(1).max(1);
        let row = rect.width.saturating_mul(channels).saturating_mul(meta.data_type.size() as u64).max(1);
        let height = rows.saturating_mul((bytes / row / rows).max(1));
        let end = rect.y + rect.height;
        let starts = (rect.y..end).step_by(usize::try_from(height).unwrap_or(usize::MAX));
        starts.map(|y| Rect { y, height: height.min(end - y), ..rect }).collect()
    }

    /// The same, cut across where a band would hold much more than that.
    pub(super) fn blocks(&self, reader: &PixelReader<'_>, rect: Rect, channels: u64, bytes: u64) -> Vec<Rect> {
        let meta = reader.meta();
        let columns = meta.chunk_shape().get(self.x).copied().unwrap_or(1).max(1);
        let cut = |band: Rect| {
            let column = band.height.saturating_mul(channels).saturating_mul(meta.data_type.size() as u64).max(1);
            let width = columns.saturating_mul((bytes / column / columns).max(1));
            let end = band.x + band.width;
            let starts = (band.x..end).step_by(usize::try_from(width).unwrap_or(usize::MAX));
            starts.map(move |x| Rect { x, width: width.min(end - x), ..band })
        };
        self.bands(reader, rect, channels, bytes).into_iter().flat_map(cut).collect()
    }
}
