//! Zeiss CZI files, as far as their pixels are stored plain or with Zstandard.

use std::{collections::BTreeMap, sync::Arc};

use dataset_model::Finding;

mod directory;
mod metadata;
mod mosaic;

use directory::Subblock;
use metadata::Metadata;
use mosaic::Mosaic;

use super::{Import, file::SourceFile, formats, labels, note, units};
use crate::{
    array::DataType,
    error::OmeZarrError,
    raster::{C, Raster, X, Y, Z},
};

/// Whether a file begins as a CZI file does.
pub(super) fn is_czi(head: &[u8]) -> bool {
    head.starts_with(b"ZISRAWFILE")
}

/// How pixels of a CZI type are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PixelType {
    data_type: DataType,
    /// Blue, green, red and, if there are four, alpha, side by side; or one.
    samples: u16,
}

impl PixelType {
    fn read(value: i32) -> Option<Self> {
        let (data_type, samples) = match value {
            0 => (DataType::UInt(8), 1),
            1 => (DataType::UInt(16), 1),
            2 => (DataType::Float(32), 1),
            3 => (DataType::UInt(8), 3),
            4 => (DataType::UInt(16), 3),
            8 => (DataType::Float(32), 3),
            9 => (DataType::UInt(8), 4),
            13 => (DataType::Float(64), 1),
            _ => return None,
        };
        Some(Self { data_type, samples })
    }

    fn bytes(self) -> u64 {
        self.data_type.size() as u64 * u64::from(self.samples)
    }
}

fn refused(path: &str, reason: impl Into<String>) -> OmeZarrError {
    formats::unsupported(path, "Zeiss CZI", reason)
}

/// Opens such a file.
pub(super) fn open(file: SourceFile) -> Result<Import, OmeZarrError> {
    let path = file.path().to_owned();
    let header = directory::header(&file)?;
    let subblocks = directory::subblocks(&file, header.directory)?;
    let xml = directory::metadata(&file, header.metadata)?;
    let metadata = xml.as_deref().map(Metadata::read).unwrap_or_default();
    let mut notes = Vec::new();
    let images = images(&path, subblocks, &mut notes)?;
    let file = Arc::new(file);
    let mut rasters: Vec<Box<dyn Raster>> = Vec::new();
    let names = names(images.keys(), &metadata.name);
    for (parts, name) in images.into_values().zip(names) {
        let mut mosaic = Mosaic::new(&file, parts, &mut notes)?;
        describe(&mut mosaic, &metadata);
        mosaic.info.name = name;
        labels::mark(&mut mosaic.info, &path, &mut notes);
        rasters.push(Box::new(mosaic));
    }
    Ok(Import { rasters, ome_xml: None, files: vec![path], notes })
}

/// The document's name, and what tells its images apart: `planula S1`.
fn names<'a>(images: impl Iterator<Item = &'a Vec<(char, i32)>>, document: &str) -> Vec<String> {
    let images: Vec<_> = images.collect();
    let differs = |place: &&(char, i32)| !images.iter().all(|image| image.contains(place));
    let name = |image: &&Vec<(char, i32)>| {
        let places = image.iter().filter(differs).map(|(dimension, at)| format!(" {dimension}{at}"));
        format!("{document}{}", places.collect::<String>()).trim().to_owned()
    };
    images.iter().map(name).collect()
}

/// The subblocks of full size, by the image they belong to.
fn images(
    path: &str,
    subblocks: Vec<Subblock>,
    notes: &mut Vec<Finding>,
) -> Result<BTreeMap<Vec<(char, i32)>, Vec<Subblock>>, OmeZarrError> {
    let mut images = BTreeMap::<_, Vec<Subblock>>::new();
    let all = subblocks.len();
    for subblock in subblocks.into_iter().filter(|subblock| !subblock.is_reduced) {
        images.entry(subblock.image.clone()).or_default().push(subblock);
    }
    let kept: usize = images.values().map(Vec::len).sum();
    if kept == 0 {
        return Err(OmeZarrError::decode(path, "it holds no pixels of full size"));
    }
    if kept < all {
        notes.push(note("levels", path, "smaller copies of its images are left out"));
    }
    Ok(images)
}

/// What the metadata adds to an image.
fn describe(mosaic: &mut Mosaic, metadata: &Metadata) {
    let info = &mut mosaic.info;
    for (axis, meters) in [X, Y, Z].into_iter().zip(metadata.scaling) {
        // Metres of a microscope are micrometres.
        info.pixel_size[axis] = meters.and_then(|meters| units::length(rounded(meters * 1e6), "um"));
    }
    if !info.is_rgb && metadata.channels.len() as u64 == info.shape[C] {
        info.channels.clone_from(&metadata.channels);
    }
}

/// Without the noise that a change of unit leaves in the last digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}
