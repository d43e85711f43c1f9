//! Microscope files as [`Raster`]s: what is in them is read, nothing is guessed.

use std::sync::Arc;

use dataset_model::Finding;

use crate::{error::OmeZarrError, raster::Raster, source::FileSource};

/// What a file, or a set of files that belong together, holds.
pub(crate) struct Import {
    /// The images, in the order of the source.
    pub(crate) rasters: Vec<Box<dyn Raster>>,
    /// The OME-XML document of the source, kept beside the images.
    pub(crate) ome_xml: Option<String>,
    /// Every file of the source that the images come from, sorted.
    pub(crate) files: Vec<String>,
    /// What is worth knowing about how the source was read.
    pub(crate) notes: Vec<Finding>,
}

/// Opens a microscope file, with the files that belong to it, or a folder of planes.
///
/// `path` is relative to the root of the source.
///
/// # Errors
/// The format is not read here (the message names it and the way out), or the file contradicts itself.
pub(crate) fn open(_source: &Arc<dyn FileSource>, path: &str) -> Result<Import, OmeZarrError> {
    Err(OmeZarrError::metadata(path, "no importer knows this format"))
}
