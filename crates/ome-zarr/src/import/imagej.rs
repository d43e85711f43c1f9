//! TIFF files that `ImageJ` wrote: what their description says of axes, sizes and units.

use std::sync::Arc;

use dataset_model::Finding;

use super::{
    Import, labels, note,
    tiff::{Place, Stack, TiffFile},
    units,
};
use crate::{
    error::OmeZarrError,
    raster::{RasterChannel, T, X, Y, Z},
    record::Window,
};

/// Whether the text beside the first page is `ImageJ`'s.
pub(super) fn is_description(text: &str) -> bool {
    text.starts_with("ImageJ=") || text.starts_with("SCIFIO=")
}

/// The lines of a description: `name=value`.
struct Description<'a>(&'a str);

impl Description<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0
            .lines()
            .find_map(|line| line.split_once('=').filter(|(known, _)| known.trim() == name))
            .map(|(_, v)| v.trim())
    }

    /// How many there are; 1 where it is not said.
    fn count(&self, name: &str) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).filter(|count| *count > 0).unwrap_or(1)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// Opens such a file.
pub(super) fn open(file: TiffFile, text: &str) -> Result<Import, OmeZarrError> {
    let path = file.file.path().to_owned();
    let description = Description(text);
    let mut notes = Vec::new();
    let samples = u64::from(file.pages[0].layout().samples());
    let planes = planes(&file, &description, &path, &mut notes)?;
    let [t, c, z] = sizes(&description, planes, samples, &path, &mut notes)?;
    let places = places(&file, [t, c, z], samples);
    let resolution = file.resolution;
    let mut stack = Stack::new(Arc::from([file]), places, [t, c * samples, z], "")?;
    let info = &mut stack.info;
    let unit = description.text("unit").unwrap_or(match resolution.unit {
        2 => "inch",
        3 => "cm",
        _ => "pixel",
    });
    // Printers' dots per inch say nothing about what was seen.
    let is_measured = description.text("unit").is_some();
    let size =
        |pixels: Option<f64>| pixels.filter(|_| is_measured).and_then(|pixels| units::length(1.0 / pixels, unit));
    info.pixel_size[X] = size(resolution.x);
    info.pixel_size[Y] = match description.text("yunit") {
        Some(unit) => resolution.y.and_then(|pixels| units::length(1.0 / pixels, unit)),
        None => size(resolution.y),
    };
    let depth_unit = description.text("zunit").unwrap_or(unit);
    info.pixel_size[Z] =
        description.number("spacing").filter(|_| is_measured).and_then(|size| units::length(size.abs(), depth_unit));
    info.pixel_size[T] = description
        .number("finterval")
        .and_then(|step| units::time(step, description.text("tunit").unwrap_or("s")))
        .filter(|_| t > 1);
    window(&description, info.shape[1], &mut info.channels);
    labels::mark(info, &path, &mut notes);
    Ok(Import { rasters: vec![Box::new(stack)], ome_xml: None, files: vec![path], notes })
}

/// How many planes there are, whether or not each has a directory of its own.
fn planes(
    file: &TiffFile,
    description: &Description<'_>,
    path: &str,
    notes: &mut Vec<Finding>,
) -> Result<u64, OmeZarrError> {
    let (declared, pages) = (description.count("images"), file.pages.len() as u64);
    if pages > 1 && declared == 1 && description.text("images").is_none() {
        notes.push(note("images", path, format!("the description counts no images; all {pages} pages are read")));
        return Ok(pages);
    }
    if pages > declared {
        let message = format!("the description counts {declared} images, the file has {pages} pages: the rest is left");
        notes.push(note("images", path, message));
    }
    if pages >= declared {
        return Ok(declared);
    }
    // Beyond 4 GiB ImageJ writes one directory, and the planes in a row.
    let there = file.planes()?;
    if there >= declared {
        return Ok(declared);
    }
    Err(OmeZarrError::metadata(
        path,
        format!("its description promises {declared} images, and the file holds {there}: it is incomplete"),
    ))
}

/// t, c, z, where c counts the samples of a page as one.
fn sizes(
    description: &Description<'_>,
    planes: u64,
    samples: u64,
    path: &str,
    notes: &mut Vec<Finding>,
) -> Result<[u64; 3], OmeZarrError> {
    let (t, c, z) = (description.count("frames"), description.count("channels"), description.count("slices"));
    let product = |c: u64| t.checked_mul(c).and_then(|planes| planes.checked_mul(z));
    if product(c) == Some(planes) {
        return Ok([t, c, z]);
    }
    // Three colours of one page count as three channels.
    if c.is_multiple_of(samples) && product(c / samples) == Some(planes) {
        return Ok([t, c / samples, z]);
    }
    if t * c * z > 1 {
        let message = format!("{c} channels, {z} slices and {t} frames are not {planes} images: read as slices");
        notes.push(note("axes", path, message));
    }
    if planes > 1 << 22 {
        return Err(OmeZarrError::too_large(path, "it has more than 4,194,304 planes"));
    }
    Ok([1, 1, planes])
}

/// Channels are the fastest, then slices, then frames.
fn places(file: &TiffFile, [t, c, z]: [u64; 3], samples: u64) -> Vec<Place> {
    let in_a_row = (file.pages.len() as u64) < t * c * z;
    let plane = file.pages[0].layout().plane_bytes();
    let mut places = Vec::new();
    for t in 0..t {
        for channel in 0..c * samples {
            for depth in 0..z {
                let (channel, sample) = (channel / samples, (channel % samples) as u16);
                let index = (t * z + depth) * c + channel;
                let (page, shift) = if in_a_row { (0, index * plane) } else { (index as u32, 0) };
                places.push(Place { file: 0, page, sample, shift });
            }
        }
    }
    places
}

/// The range that is shown, which `ImageJ` keeps for the one channel it looked at last.
fn window(description: &Description<'_>, count: u64, channels: &mut Vec<RasterChannel>) {
    let range = description.number("min").zip(description.number("max")).filter(|(low, high)| low < high);
    if let (1, Some((low, high))) = (count, range) {
        let window = Window { min: low, max: high, start: low, end: high };
        *channels = vec![RasterChannel { window: Some(window), ..RasterChannel::default() }];
    }
}
