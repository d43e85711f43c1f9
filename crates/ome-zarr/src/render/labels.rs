use std::collections::HashMap;

use crate::{
    at::{At, whole},
    describe::describe,
    error::OmeZarrError,
    node::Node,
    pixels::PixelReader,
    record::{ImageRecord, Level},
    source::{FileSource, join},
    tree::resolve,
};

use super::{Budget, Picture, Place, Rect, Samples, View, area::Size};

/// More colours than this are made up rather than looked up.
const MAX_COLORS: usize = 65_536;
/// How much of an object's colour lies over the image, and how much of it along the object's edge.
const FILL: f32 = 0.25;
const EDGE: f32 = 0.9;

/// A label image, with the colours it names for its objects.
pub(super) struct LabelImage<'a> {
    source: &'a dyn FileSource,
    image: ImageRecord,
    colors: HashMap<u64, [u8; 3]>,
}

impl<'a> LabelImage<'a> {
    /// An image that is a label image itself.
    pub(super) fn itself(source: &'a dyn FileSource, image: &ImageRecord) -> Result<Self, OmeZarrError> {
        Ok(Self { source, colors: colors(source, &image.path)?, image: image.clone() })
    }

    /// The label image of this name that belongs to an image.
    pub(super) fn of(source: &'a dyn FileSource, image: &ImageRecord, name: &str) -> Result<Self, OmeZarrError> {
        let shown: String = name.chars().take(80).collect();
        let absent = || OmeZarrError::request(format!("labels={shown}: the image has no label image of that name"));
        if !image.label_names.iter().any(|listed| listed == name) {
            return Err(absent());
        }
        let folder = resolve(&join(&image.path, "labels"), name).ok_or_else(absent)?;
        Self::itself(source, &describe(source, &folder)?)
    }

    /// The objects under each pixel of a picture of part of this very image.
    pub(super) fn ids(
        self,
        budget: &Budget<'_>,
        level: &Level,
        place: &Place,
        rect: Rect,
        size: Size,
    ) -> Result<Painted, OmeZarrError> {
        let view = View::of(&self.image)?;
        let whole = view.whole(level);
        let ids = self.read(budget, level, place, (rect, whole), size)?;
        Ok(Painted { ids, size, colors: self.colors })
    }

    /// The objects under each pixel of a picture of part of the image it belongs to, at a level of that image.
    pub(super) fn over(
        self,
        budget: &Budget<'_>,
        image: &ImageRecord,
        level: &Level,
        place: &Place,
        rect: Rect,
        size: Size,
    ) -> Result<Painted, OmeZarrError> {
        let (view, own_view) = (View::of(image)?, View::of(&self.image)?);
        let whole = view.whole(level);
        // The smallest level of the labels with as many pixels as the picture would have of the whole image.
        let wanted = (whole.width * size.width as u64).div_ceil(rect.width.max(1));
        let enough = |own: &&Level| own_view.whole(own).width >= wanted;
        let own = self.image.levels.iter().rev().find(enough).or(self.image.levels.first());
        let own = own.ok_or_else(|| OmeZarrError::metadata(&self.image.path, "it has no resolution levels"))?.clone();
        let along = |at: u64, size: u64, own: u64| (at * own / size.max(1)).min(own.saturating_sub(1));
        let place = Place {
            z: along(place.z, view.depth(level), own_view.depth(&own)),
            t: along(place.t, view.times(level), own_view.times(&own)),
        };
        let ids = self.read(budget, &own, &place, (rect, whole), size)?;
        Ok(Painted { ids, size, colors: self.colors })
    }

    /// The object in the middle of each pixel of a picture, and of one pixel around it. `rect` is the part shown of a
    /// plane of size `whole`, which the level covers too, maybe with fewer or more pixels.
    fn read(
        &self,
        budget: &Budget<'_>,
        level: &Level,
        place: &Place,
        (rect, whole): (Rect, Rect),
        size: Size,
    ) -> Result<Vec<u64>, OmeZarrError> {
        let view = View::of(&self.image)?;
        let reader = PixelReader::open(self.source, &join(&self.image.path, &level.path))?;
        let own = view.whole(level);
        if own.width == 0 || own.height == 0 || reader.shape() != level.shape.as_slice() {
            return Err(OmeZarrError::metadata(&self.image.path, "its level holds no pixels"));
        }
        let rows = places(rect.y, rect.height, size.height, whole.height, own.height);
        let columns = places(rect.x, rect.width, size.width, whole.width, own.width);
        let (Some(top), Some(left)) = (rows.first().copied(), columns.first().copied()) else { return Ok(Vec::new()) };
        let bottom = rows.last().copied().unwrap_or(top);
        let right = columns.last().copied().unwrap_or(left);
        let part = Rect { y: top, x: left, height: bottom - top + 1, width: right - left + 1 };
        let mut ids = Vec::with_capacity(rows.len() * columns.len());
        let mut held: Option<(Rect, Samples)> = None;
        let bands = view.bands(&reader, part, 1, super::BAND_BYTES);
        let mut bands = bands.into_iter().peekable();
        for row in rows {
            while held.as_ref().is_none_or(|(band, _)| row >= band.y + band.height) {
                let Some(band) = bands.next() else { break };
                if row < band.y + band.height {
                    held = Some((band, Samples::read(&reader, &view, place, band, 0..1, budget)?));
                }
            }
            let Some((band, samples)) = &held else { break };
            let line: Vec<u64> = samples.label_row((row - band.y) as usize).collect();
            ids.extend(columns.iter().map(|x| line.get((x - left) as usize).copied().unwrap_or(0)));
        }
        Ok(ids)
    }
}

/// For each pixel along a side of a picture, and one before and after it, the pixel of a level in its middle. Sorted.
fn places(start: u64, length: u64, pixels: usize, whole: u64, own: u64) -> Vec<u64> {
    let (start, length, pixels, whole, own) =
        (i128::from(start), i128::from(length), pixels as i128, i128::from(whole), i128::from(own));
    let place = |pixel: i128| {
        // (start + (pixel + 1/2) * length / pixels) / whole * own, in whole numbers.
        let at = (2 * start * pixels + (2 * pixel + 1) * length) * own / (2 * pixels * whole).max(1);
        at.clamp(0, own - 1) as u64
    };
    (-1..=pixels).map(place).collect()
}

/// The objects of a picture, one pixel wider on each side than it.
pub(super) struct Painted {
    ids: Vec<u64>,
    size: Size,
    colors: HashMap<u64, [u8; 3]>,
}

impl Painted {
    fn id(&self, y: usize, x: usize) -> u64 {
        self.ids.get(y * (self.size.width + 2) + x).copied().unwrap_or(0)
    }

    fn color(&self, id: u64) -> [u8; 3] {
        self.colors.get(&id).copied().unwrap_or_else(|| made_up(id))
    }

    /// Each object in its colour on black.
    pub(super) fn alone(&self) -> Picture {
        let pixels = (1..=self.size.height).flat_map(|y| (1..=self.size.width).map(move |x| (y, x)));
        let rgb = pixels.flat_map(|(y, x)| self.color(self.id(y, x))).collect();
        Picture { width: self.size.width as u32, height: self.size.height as u32, rgb }
    }

    /// The objects over a picture of the same size: a veil of their colour, and their outline.
    pub(super) fn over(&self, mut picture: Picture) -> Picture {
        for (at, pixel) in picture.rgb.chunks_exact_mut(3).enumerate() {
            let (y, x) = (at / self.size.width + 1, at % self.size.width + 1);
            let id = self.id(y, x);
            if id == 0 {
                continue;
            }
            let around = [self.id(y - 1, x), self.id(y + 1, x), self.id(y, x - 1), self.id(y, x + 1)];
            let share = if around.iter().all(|other| *other == id) { FILL } else { EDGE };
            for (part, color) in pixel.iter_mut().zip(self.color(id)) {
                *part = (f32::from(*part) * (1.0 - share) + f32::from(color) * share).round() as u8;
            }
        }
        picture
    }
}

/// The colours a label image names for its objects.
fn colors(source: &dyn FileSource, folder: &str) -> Result<HashMap<u64, [u8; 3]>, OmeZarrError> {
    let node = Node::read(source, folder)?;
    let named = node.as_ref().and_then(|node| node.ome_key("image-label")).map(|label| label.list("colors"));
    let color = |at: &At<'_>| {
        let value = whole(at.get("label-value")?.value)?;
        let rgba: Vec<u8> = at.list("rgba").iter().filter_map(|part| u8::try_from(whole(part.value)?).ok()).collect();
        let [red, green, blue, ..] = *rgba.as_slice() else { return None };
        Some((value as u64, [red, green, blue]))
    };
    Ok(named.unwrap_or_default().iter().take(MAX_COLORS).filter_map(color).collect())
}

/// A colour of its own for each label; 0, the background, is black.
fn made_up(label: u64) -> [u8; 3] {
    if label == 0 {
        return [0, 0, 0];
    }
    // Steps of the golden ratio keep neighbouring numbers apart in hue.
    let hue = (label as f64 * 0.618_033_988_749_895).fract();
    let lightness = 0.75 + 0.25 * (label as f64 * 0.754_877_666).fract();
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|shift| {
        let wave = ((hue + shift).fract() * 6.0 - 3.0).abs() - 1.0;
        ((0.25 + 0.75 * wave.clamp(0.0, 1.0)) * lightness * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_labels_have_different_colours_and_the_background_is_black() {
        assert_eq!(made_up(0), [0, 0, 0]);
        for label in 1..100 {
            assert_ne!(made_up(label), made_up(label + 1));
        }
    }

    #[test]
    fn each_pixel_of_a_picture_looks_at_the_middle_of_what_it_covers() {
        assert_eq!(places(0, 4, 4, 4, 4), [0, 0, 1, 2, 3, 3]);
        // Half the pixels of the image, a picture of its second half.
        assert_eq!(places(4, 4, 4, 8, 4), [1, 2, 2, 3, 3, 3]);
        // A picture half as large as the image.
        assert_eq!(places(0, 8, 4, 8, 8), [0, 1, 3, 5, 7, 7]);
    }

    #[test]
    fn outlines_stand_out_from_the_veil() {
        let size = Size { width: 3, height: 3 };
        let ids = vec![7; 25];
        let painted = Painted { ids, size, colors: HashMap::from([(7, [200, 0, 0])]) };
        let picture = painted.over(Picture { width: 3, height: 3, rgb: vec![0; 27] });
        assert!(picture.rgb.chunks(3).all(|pixel| pixel == [50, 0, 0]), "an object without an edge in sight");
        let mut ids = vec![0; 25];
        ids[12] = 7;
        let painted = Painted { ids, size, colors: HashMap::from([(7, [200, 0, 0])]) };
        let picture = painted.over(Picture { width: 3, height: 3, rgb: vec![0; 27] });
        assert_eq!(picture.rgb[12..15], [180, 0, 0]);
        assert_eq!(picture.rgb[0..3], [0, 0, 0]);
    }
}
