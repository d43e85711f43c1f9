//! Microscope files as [`Raster`]s: what is in them is read, nothing is guessed.

use std::sync::Arc;

use dataset_model::Finding;

mod cache;
mod candidates;
mod czi;
mod file;
mod folder;
mod formats;
mod imagej;
mod labels;
mod metaseries;
mod ome;
mod plain;
mod tiff;
mod units;

pub(crate) use cache::MAX_KEPT;
pub use candidates::{ImportCandidate, find_imports};
use file::SourceFile;
use tiff::{Header, TiffFile};

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
pub(crate) fn open(source: &Arc<dyn FileSource>, path: &str) -> Result<Import, OmeZarrError> {
    let is_file = !path.is_empty() && source.size(path)?.is_some();
    if !is_file {
        return folder::open(source, path);
    }
    let file = SourceFile::open(source, path)?;
    if ome::is_companion(path) {
        return ome::open_companion(source, path);
    }
    let head = file.head(64)?;
    if Header::read(&head).is_some() {
        return open_tiff(source, file);
    }
    if czi::is_czi(&head) {
        return czi::open(file);
    }
    match formats::recognise(path, &head) {
        Some(format) => Err(formats::unsupported(path, format, "this format is not read here")),
        None => Err(formats::unsupported(path, "unknown format", "it is no microscope file that is known here")),
    }
}

fn open_tiff(source: &Arc<dyn FileSource>, file: SourceFile) -> Result<Import, OmeZarrError> {
    let path = file.path().to_owned();
    let file = TiffFile::open(file)?;
    let text = file.description(0)?;
    match text {
        Some(text) if ome::is_document(&text) => ome::open(source, file, text),
        Some(text) if imagej::is_description(&text) => imagej::open(file, &text),
        text => {
            if let Some(text) = &text {
                formats::refuse_described_variants(&path, text)?;
            }
            let mut import = plain::open(file, text.as_deref())?;
            let lower = path.to_lowercase();
            if lower.ends_with(".ome.tif") || lower.ends_with(".ome.tiff") {
                let message = "it is called OME-TIFF and has no OME-XML: its pages are read as they are";
                import.notes.push(note("no-ome-xml", &path, message));
            }
            Ok(import)
        }
    }
}

/// Something worth knowing about how a file was read.
fn note(rule: &str, path: &str, message: impl Into<String>) -> Finding {
    Finding::note(&format!("import.{rule}"), path, message, "Compare the converted image with the original.")
}

#[cfg(test)]
mod tests;
