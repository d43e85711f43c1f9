//! Sample images made by ourselves: plausible microscopy with shot noise, valid metadata, and no licence to ask for.
//!
//! ```
//! use ome_zarr::sample;
//!
//! let folder = tempfile::tempdir()?;
//! let image = sample::write(folder.path(), sample::Kind::Stack, 7)?;
//! assert!(image.ends_with("stack.ome.zarr"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::{Path, PathBuf};

use crate::error::OmeZarrError;

mod cells;
mod labelled;
mod metadata;
mod noise;
mod picture;
mod pyramid;
mod scene;
mod stack;
mod writer;

/// What to make. Each has three resolution levels and a few megabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `cells.ome.zarr`: 1024 × 1024 pixels, nuclei, cytoplasm and spots; OME-Zarr 0.5, sharded.
    Cells,
    /// `stack.ome.zarr`: 16 × 512 × 512 pixels, nuclei in depth; OME-Zarr 0.4.
    Stack,
    /// `labelled.ome.zarr`: 640 × 640 pixels, nuclei and cytoplasm, with a label image that names each nucleus;
    /// OME-Zarr 0.5.
    Labelled,
}

/// Writes a sample image into a folder and returns the path of the image, which must not exist yet.
///
/// The same kind and seed always give the same bytes; other seeds show other cells.
///
/// # Errors
/// [`OmeZarrError::Write`] if the image exists or cannot be written.
pub fn write(folder: &Path, kind: Kind, seed: u64) -> Result<PathBuf, OmeZarrError> {
    match kind {
        Kind::Cells => cells::write(&writer::create(folder, "cells.ome.zarr")?, seed),
        Kind::Stack => stack::write(&writer::create(folder, "stack.ome.zarr")?, seed),
        Kind::Labelled => labelled::write(&writer::create(folder, "labelled.ome.zarr")?, seed),
    }
}
