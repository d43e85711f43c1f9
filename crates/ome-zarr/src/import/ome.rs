//! OME-TIFF: the images that an OME-XML document describes, with their pixels in one or more TIFF files.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use dataset_model::Finding;

mod document;
mod files;
mod places;
mod plates;

use document::{Channel, Document, Image, Pixels};
use files::FileSet;
use places::Planes;

use super::{
    Import, labels, note,
    tiff::{Files, Place, Stack, TiffFile},
    units,
};
use crate::{
    error::OmeZarrError,
    raster::{C, Raster, RasterChannel, T, X, Y, Z},
    source::{FileSource, join, split},
};

/// No OME-XML document is longer.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Whether the text beside a picture is OME-XML.
pub(super) fn is_document(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let start: String = text.chars().take(4096).collect();
    text.starts_with('<') && (start.contains("<OME") || start.contains(":OME "))
}

/// Whether a file is one that holds OME-XML for TIFF files beside it.
pub(super) fn is_companion(path: &str) -> bool {
    path.to_lowercase().ends_with(".companion.ome")
}

/// The files that a document names, itself included, sorted; or why the set cannot be read.
/// `text` is the document, or `None` where the file is nothing else.
///
/// # Errors
/// The source could not be read.
pub(super) fn members(
    source: &dyn FileSource,
    path: &str,
    text: Option<String>,
) -> Result<Result<Vec<String>, String>, OmeZarrError> {
    let has_pixels = text.is_some();
    let text = match text {
        Some(text) => text,
        None => match stand_alone(source, path) {
            Ok(text) => text,
            Err(error) => return Ok(Err(error.to_string())),
        },
    };
    let document = match read(path, &text) {
        Ok(document) => document,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let folder = split(path).map_or("", |(folder, _)| folder);
    let mut names: BTreeSet<&str> = document.file_names().collect();
    names.extend(document.metadata_file.as_deref());
    let mut files = BTreeSet::from([path.to_owned()]);
    for name in &names {
        let file = join(folder, name);
        let is_there = files::check_name(name).is_ok() && source.size(&file)?.is_some();
        if is_there {
            files.insert(file);
        } else if !has_pixels || names.len() > 1 || document.metadata_file.is_some() {
            return Ok(Err(files::missing(path, name).to_string()));
        }
    }
    Ok(Ok(files.into_iter().collect()))
}

fn stand_alone(source: &dyn FileSource, path: &str) -> Result<String, OmeZarrError> {
    let size = source.size(path)?.unwrap_or(0);
    if size > MAX_DOCUMENT {
        return Err(OmeZarrError::too_large(path, "an OME-XML document has at most 256 MiB"));
    }
    let bytes = source.read(path, 0..size)?;
    String::from_utf8(bytes.into()).map_err(|_| OmeZarrError::metadata(path, "the OME-XML is not UTF-8"))
}

/// Opens a TIFF file whose first page carries OME-XML.
pub(super) fn open(source: &Arc<dyn FileSource>, file: TiffFile, xml: String) -> Result<Import, OmeZarrError> {
    let path = file.file.path().to_owned();
    let document = read(&path, &xml)?;
    let Some(metadata_file) = &document.metadata_file else { return import(source, &path, Some(file), document, xml) };
    let companion = join(split(&path).map_or("", |(folder, _)| folder), metadata_file);
    if files::check_name(metadata_file).is_err() || source.size(&companion)?.is_none() {
        return Err(files::missing(&path, metadata_file));
    }
    open_companion(source, &companion)
}

/// Opens a document that stands in a file of its own.
pub(super) fn open_companion(source: &Arc<dyn FileSource>, path: &str) -> Result<Import, OmeZarrError> {
    let xml = stand_alone(source.as_ref(), path)?;
    let document = read(path, &xml)?;
    if document.metadata_file.is_some() {
        return Err(OmeZarrError::metadata(path, "it names yet another file for its metadata"));
    }
    import(source, path, None, document, xml)
}

fn read(path: &str, xml: &str) -> Result<Document, OmeZarrError> {
    Document::read(xml).map_err(|reason| OmeZarrError::metadata(path, format!("its OME-XML cannot be used: {reason}")))
}

fn import(
    source: &Arc<dyn FileSource>,
    path: &str,
    own: Option<TiffFile>,
    document: Document,
    xml: String,
) -> Result<Import, OmeZarrError> {
    let mut notes = Vec::new();
    let mut set = FileSet::new(source, path, own, &document);
    if set.accept_renamed(&document)? {
        notes.push(note("renamed", path, "the OME-XML knows the file by another name; it is read as that file"));
    }
    let mut unnamed = 0;
    let mut found = Vec::new();
    for (index, image) in document.images.iter().enumerate() {
        let name = title(image, index);
        let Some(pixels) = &image.pixels else { continue };
        if let Some(reason) = pixels.elsewhere.filter(|_| pixels.planes.is_empty()) {
            notes.push(note("no-pixels", path, format!("{name} {reason}; it is left out")));
            continue;
        }
        found.push((image, pixels, places::find(pixels, &mut set, &mut unnamed, &name)?));
    }
    let mut pages = HashSet::new();
    let planes = found.iter().flat_map(|(.., planes)| &planes.places);
    if !planes.clone().all(|place| pages.insert((place.file, place.page))) {
        return Err(OmeZarrError::metadata(path, "its OME-XML gives the same page to two planes"));
    }
    let files = set.finish();
    let fields = plates::fields(&document);
    let mut rasters: Vec<Box<dyn Raster>> = Vec::new();
    for (image, pixels, planes) in found {
        let mut stack = stack(&files, path, image, pixels, planes, &mut notes)?;
        stack.info.field = fields.get(image.id.as_str()).cloned();
        labels::mark(&mut stack.info, path, &mut notes);
        rasters.push(Box::new(stack));
    }
    if rasters.is_empty() {
        return Err(OmeZarrError::metadata(path, "its OME-XML describes no image whose pixels are in TIFF files"));
    }
    let mut used: Vec<String> = files.iter().map(|file| file.file.path().to_owned()).chain([path.to_owned()]).collect();
    used.sort_unstable();
    used.dedup();
    drop(fields);
    Ok(Import { rasters, ome_xml: Some(xml), files: used, notes })
}

/// How an image is called in messages.
fn title(image: &Image, index: usize) -> String {
    match image.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("image {index} ('{}')", name.escape_default()),
        None => format!("image {index}"),
    }
}

fn stack(
    files: &Files,
    path: &str,
    image: &Image,
    pixels: &Pixels,
    planes: Planes,
    notes: &mut Vec<Finding>,
) -> Result<Stack, OmeZarrError> {
    let samples = u64::from(planes.samples);
    let [t, c, z] = planes.sizes;
    let mut places = Vec::with_capacity(planes.places.len() * planes.samples as usize);
    for channel in planes.places.chunks((z) as usize) {
        let of = |sample| channel.iter().map(move |place| Place { sample, ..*place });
        places.extend((0..planes.samples).flat_map(of));
    }
    let name = image.name.as_deref().unwrap_or_default();
    let mut stack = Stack::new(Arc::clone(files), places, [t, c * samples, z], name)?;
    let info = &mut stack.info;
    let [width, height, ..] = pixels.sizes;
    if [info.shape[X], info.shape[Y]] != [width, height] {
        return Err(OmeZarrError::metadata(
            path,
            format!(
                "its OME-XML says {width} x {height} pixels, and the pages have {} x {}: it describes another file",
                info.shape[X], info.shape[Y]
            ),
        ));
    }
    if info.shape[C] != pixels.sizes[3] {
        let message = format!(
            "the OME-XML says {} channels, and each page holds {samples} samples: {} channels are read",
            pixels.sizes[3], info.shape[C]
        );
        notes.push(note("channels", path, message));
    }
    let stored = info.data_type.to_string();
    if type_name(&pixels.data_type) != stored {
        let message = format!("the OME-XML says {}, the file holds {stored}: read as stored", pixels.data_type);
        notes.push(note("type", path, message));
    }
    info.pixel_size[T] = pixels.time_increment.as_ref().and_then(|(value, unit)| units::time(*value, unit));
    for (axis, size) in [X, Y, Z].into_iter().zip(&pixels.physical) {
        info.pixel_size[axis] = size.as_ref().and_then(|(value, unit)| units::length(*value, unit));
    }
    let described = channels(pixels, samples, info.shape[C]);
    if !described.is_empty() && !info.is_rgb {
        info.channels = described;
    }
    Ok(stack)
}

/// OME-XML's name of a type, as Zarr spells it.
fn type_name(name: &str) -> &str {
    match name {
        "float" => "float32",
        "double" => "float64",
        "bit" => "uint8",
        known => known,
    }
}

/// One for each channel; empty where the document describes none, or not these.
fn channels(pixels: &Pixels, samples: u64, count: u64) -> Vec<RasterChannel> {
    let mut all = Vec::new();
    for channel in &pixels.channels {
        let samples = channel.samples.unwrap_or(samples).clamp(1, 4096);
        for _ in 0..samples {
            all.push(described(channel));
        }
        if all.len() as u64 > count {
            break;
        }
    }
    let says_something = all.iter().any(|channel| *channel != RasterChannel::default());
    if all.len() as u64 == count && says_something { all } else { Vec::new() }
}

fn described(channel: &Channel) -> RasterChannel {
    // A signed number that holds red, green, blue and alpha.
    let color = channel
        .color
        .and_then(|color| i32::try_from(color).ok().map(|color| color as u32).or(u32::try_from(color).ok()));
    let nanometers = |length: &(f64, String)| units::nanometers(length.0, &length.1);
    RasterChannel {
        name: channel.name.clone(),
        color: color.map(|color| format!("{:06X}", color >> 8)),
        emission: channel.emission.as_ref().and_then(nanometers),
        excitation: channel.excitation.as_ref().and_then(nanometers),
        window: None,
    }
}
