//! TIFF files that describe nothing, or only their shape: pages of one size are slices.

use std::sync::Arc;

use dataset_model::Finding;
use serde_json::Value;

use super::{
    Import, labels, metaseries, note,
    tiff::{Files, Layout, Photometric, Place, Stack, TiffFile},
    units,
};
use crate::{
    error::OmeZarrError,
    raster::{Raster, X, Y},
};

/// Opens such a file. `text` is what stands beside its first page.
pub(super) fn open(file: TiffFile, text: Option<&str>) -> Result<Import, OmeZarrError> {
    let path = file.file.path().to_owned();
    let mut notes = Vec::new();
    if text.is_some_and(|text| text.starts_with("Aperio")) {
        return slide(file, text.unwrap_or_default(), &path);
    }
    let shape = text.and_then(|text| Shape::read(text, &file));
    if let Some(shape) = shape {
        return shaped(file, &shape, &path);
    }
    let groups = groups(&file, &path, &mut notes);
    let files: Files = Arc::from([file]);
    let mut rasters: Vec<Box<dyn Raster>> = Vec::new();
    for (index, pages) in groups.iter().enumerate() {
        let name = if groups.len() > 1 { format!("page {}", pages[0]) } else { String::new() };
        let mut stack = stack(&files, pages, &name)?;
        metaseries::describe(&mut stack.info, text);
        tell_colours(stack.layout(), &path, index, &mut notes);
        labels::mark(&mut stack.info, &path, &mut notes);
        rasters.push(Box::new(stack));
    }
    if groups.iter().any(|pages| pages.len() > 1) {
        notes.push(note("pages", &path, "nothing says what its pages are: pages of one size are read as slices (z)"));
    }
    Ok(Import { rasters, ome_xml: None, files: vec![path], notes })
}

/// Pages of one size and type, in the order of the file.
fn groups(file: &TiffFile, path: &str, notes: &mut Vec<Finding>) -> Vec<Vec<u32>> {
    let kept: Vec<u32> = (0..file.pages.len() as u32).filter(|page| !file.pages[*page as usize].is_reduced).collect();
    let kept = if kept.is_empty() { (0..file.pages.len() as u32).collect() } else { kept };
    if kept.len() < file.pages.len() {
        let message = format!("{} smaller copies of its pages are left out", file.pages.len() - kept.len());
        notes.push(note("levels", path, message));
    }
    if is_pyramid(file, &kept) {
        notes.push(note("levels", path, "each page is a smaller copy of the first, which is the one that is read"));
        return vec![vec![kept[0]]];
    }
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for page in kept {
        let like = |other: u32| kind(file, other) == kind(file, page);
        match groups.iter_mut().find(|group| like(group[0])) {
            Some(group) => group.push(page),
            None => groups.push(vec![page]),
        }
    }
    if groups.len() > 1 {
        let message = format!("its pages have {} different sizes or types: they become separate images", groups.len());
        notes.push(note("pages", path, message));
    }
    groups
}

fn kind(file: &TiffFile, page: u32) -> (u64, u64, u16, u8, u8) {
    file.pages[page as usize].layout().kind()
}

/// Whether every page is the one before it at a half or less of its size, with the same sides.
fn is_pyramid(file: &TiffFile, pages: &[u32]) -> bool {
    let size = |page: u32| kind(file, page);
    let shrinks = |pair: &[u32]| {
        let ((w0, h0, s0, ..), (w1, h1, s1, ..)) = (size(pair[0]), size(pair[1]));
        let ratio = w0.div_ceil(w1.max(1)).max(2);
        let near =
            |large: u64, small: u64| (large / ratio).abs_diff(small) <= 1 || large.div_ceil(ratio).abs_diff(small) <= 1;
        s0 == s1 && w1 < w0 && h1 < h0 && near(w0, w1) && near(h0, h1)
    };
    pages.len() > 1 && size(pages[0]).0 >= 256 && pages.windows(2).all(shrinks)
}

/// An image whose slices are pages.
fn stack(files: &Files, pages: &[u32], name: &str) -> Result<Stack, OmeZarrError> {
    let samples = files[0].pages[pages[0] as usize].layout().samples();
    let of = |sample| pages.iter().map(move |page| Place { file: 0, page: *page, sample, shift: 0 });
    let places = (0..samples).flat_map(of).collect();
    Stack::new(Arc::clone(files), places, [1, u64::from(samples), pages.len() as u64], name)
}

/// What is kept of colours that mean something else than their numbers say.
fn tell_colours(layout: &Layout, path: &str, index: usize, notes: &mut Vec<Finding>) {
    let message = match layout.photometric() {
        Photometric::Palette => "its colours come from a palette: the numbers are kept, the palette is not applied",
        Photometric::WhiteIsZero => "it counts white as 0: the numbers are kept as they are",
        Photometric::Other => "its colours are no red, green and blue: the numbers are kept as they are",
        Photometric::Gray | Photometric::Rgb | Photometric::YCbCr => return,
    };
    if index == 0 {
        notes.push(note("colours", path, message));
    }
}

/// What `tifffile` and programs like it say of the shape: `{"shape": [3, 5, 64, 64], "axes": "CZYX"}`.
struct Shape {
    /// t, c, z; c counts the samples of a page as one.
    sizes: [u64; 3],
    /// The order of the planes, the slowest first.
    order: Vec<usize>,
}

impl Shape {
    /// `None` where nothing is said, or what is said does not fit the file.
    fn read(text: &str, file: &TiffFile) -> Option<Self> {
        let value: Value = serde_json::from_str(text.trim()).ok()?;
        let shape: Vec<u64> = value.get("shape")?.as_array()?.iter().map(Value::as_u64).collect::<Option<_>>()?;
        let axes = value.get("axes")?.as_str()?.to_uppercase();
        if axes.len() != shape.len() {
            return None;
        }
        let layout = file.pages[0].layout();
        let (mut sizes, mut order, mut seen) = ([1; 3], Vec::new(), [false; 3]);
        let mut rest = [layout.width(), layout.height()];
        for (axis, size) in axes.chars().zip(shape) {
            let slot = match axis {
                'T' => 0,
                // Samples of one page are not planes.
                'C' | 'S' if layout.samples() > 1 && size == u64::from(layout.samples()) => continue,
                'C' => 1,
                'Z' => 2,
                'X' if size == rest[0] => {
                    rest[0] = 0;
                    continue;
                }
                'Y' if size == rest[1] => {
                    rest[1] = 0;
                    continue;
                }
                _ => return None,
            };
            if std::mem::replace(&mut seen[slot], true) {
                return None;
            }
            sizes[slot] = size;
            order.push(slot);
        }
        let planes = sizes.iter().try_fold(1_u64, |planes, size| planes.checked_mul(*size))?;
        let there = file.planes().ok()?;
        (rest == [0, 0] && planes > 0 && planes <= there && planes <= 1 << 22).then_some(Self { sizes, order })
    }
}

fn shaped(file: TiffFile, shape: &Shape, path: &str) -> Result<Import, OmeZarrError> {
    let [t, c, z] = shape.sizes;
    let samples = file.pages[0].layout().samples();
    let in_a_row = (file.pages.len() as u64) < t * c * z;
    let plane = file.pages[0].layout().plane_bytes();
    let mut places = Vec::new();
    for t in 0..t {
        for channel in 0..c {
            for sample in 0..samples {
                for depth in 0..z {
                    let at = [t, channel, depth];
                    let index = shape.order.iter().fold(0, |index, slot| index * shape.sizes[*slot] + at[*slot]);
                    let (page, shift) = if in_a_row { (0, index * plane) } else { (index as u32, 0) };
                    places.push(Place { file: 0, page, sample, shift });
                }
            }
        }
    }
    let mut notes = Vec::new();
    let mut stack = Stack::new(Arc::from([file]), places, [t, c * u64::from(samples), z], "")?;
    labels::mark(&mut stack.info, path, &mut notes);
    Ok(Import { rasters: vec![Box::new(stack)], ome_xml: None, files: vec![path.to_owned()], notes })
}

/// An Aperio slide: its first page is the image, the others are smaller copies, the label and an overview.
fn slide(file: TiffFile, text: &str, path: &str) -> Result<Import, OmeZarrError> {
    let mut notes = Vec::new();
    if file.pages.len() > 1 {
        let message = "an Aperio slide: the image is read; smaller copies, label and overview are left out";
        notes.push(note("levels", path, message));
    }
    let files: Files = Arc::from([file]);
    let mut stack = stack(&files, &[0], "")?;
    let micrometers = text.split('|').find_map(|part| part.trim().strip_prefix("MPP = ")?.trim().parse().ok());
    let size = micrometers.and_then(|size| units::length(size, "um"));
    stack.info.pixel_size[X].clone_from(&size);
    stack.info.pixel_size[Y] = size;
    Ok(Import { rasters: vec![Box::new(stack)], ome_xml: None, files: vec![path.to_owned()], notes })
}
