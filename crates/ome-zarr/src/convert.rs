//! Any image in, one OME-Zarr 0.5 out.

use std::{path::Path, sync::Arc};

use dataset_model::Finding;

use crate::{
    error::OmeZarrError,
    progress::Progress,
    source::FileSource,
    write::{Compression, Sharding, WriteOptions},
};

mod arrays;
mod attributes;
mod collection;
mod consolidate;
mod copying;
mod input;
mod legacy;
mod ome_xml;
mod plate;
mod store;
mod store_image;
mod workspace;
mod zarr_raster;

use input::Input;
use workspace::Workspace;

/// What a conversion may use, in bytes, when nothing is said.
pub const DEFAULT_MEMORY: u64 = 1 << 30;

/// How to convert. By default the kind of image decides about the layout, and arrays that can be carried over as they are
/// stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertOptions {
    /// The shape of chunks, in the order t, c, z, y, x; axes left out at the front are 1.
    pub chunk: Option<Vec<u64>>,
    /// How chunks are packed into files.
    pub sharding: Option<Sharding>,
    /// How chunks are compressed.
    pub compression: Option<Compression>,
    /// How many resolution levels there are.
    pub levels: Option<usize>,
    /// The most memory to use, in bytes.
    pub memory: u64,
    /// How many threads work; 0 is one for each processor.
    pub threads: usize,
}

impl Default for ConvertOptions {
    fn default() -> Self {
        Self { chunk: None, sharding: None, compression: None, levels: None, memory: DEFAULT_MEMORY, threads: 0 }
    }
}

impl ConvertOptions {
    fn layout(&self) -> WriteOptions {
        WriteOptions { chunk: self.chunk.clone(), sharding: self.sharding.clone(), compression: self.compression }
    }

    /// Whether arrays of OME-Zarr images are to be written anew.
    fn is_new_layout(&self) -> bool {
        self.chunk.is_some() || self.sharding.is_some() || self.compression.is_some() || self.levels.is_some()
    }

    fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        }
    }
}

/// What a conversion has done.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Conversion {
    /// The images of the output, in its order; labels are images too.
    pub images: Vec<ConvertedImage>,
    /// What is worth knowing about how the source was read.
    pub findings: Vec<Finding>,
    /// Whether no pixel was decoded: every chunk was carried over as it was.
    pub metadata_only: bool,
}

/// An image of the output.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConvertedImage {
    /// Its folder in the output; `""` is the root.
    pub path: String,
    /// The size of level 0 in pixels, in the order of its axes.
    pub shape: Vec<u64>,
    /// The pixel type as Zarr 3 names it.
    pub data_type: String,
    /// How many resolution levels it has.
    pub levels: usize,
    /// The decoded size of level 0, in bytes.
    pub bytes: u64,
}

/// Converts a microscope file, a folder of planes, or an OME-Zarr of version 0.1 to 0.5 to OME-Zarr 0.5.
///
/// `path` is the file or folder inside the source; `""` is its root. `out` is made: a folder, or an archive if its name
/// ends in `.ozx`. Until all is done, everything is in a folder beside it whose name ends in `.partial`: when the work is
/// stopped or fails, that folder stays, and the same conversion goes on from it. Level 0 equals the source bit for bit.
///
/// # Errors
/// `out` exists; the source is not read here, or cannot be read; the options do not fit the image;
/// [`OmeZarrError::Cancelled`].
pub fn convert(
    source: Arc<dyn FileSource>,
    path: &str,
    out: &Path,
    options: &ConvertOptions,
    progress: &dyn Progress,
) -> Result<Conversion, OmeZarrError> {
    workspace::check_free(out)?;
    let input = Input::open(source, path)?;
    let workspace = Workspace::open(out, &input.task(options)?)?;
    let mut conversion = match input {
        Input::Store(store) => store::convert(&store, &workspace, options, progress)?,
        Input::Files(files) => collection::convert(files, &workspace, options, progress)?,
    };
    conversion.findings.extend(consolidate::consolidate(&workspace.tree())?);
    workspace.publish(out, progress)?;
    Ok(conversion)
}
