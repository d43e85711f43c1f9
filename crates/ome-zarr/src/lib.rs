//! The image engine: finds, judges, describes and draws OME-Zarr 0.4 and 0.5 images.
//!
//! **Owns** what OME-Zarr is: where images are in a tree of files, the rules they must keep, what their metadata says,
//! and how their pixels are decoded and shown. It reads through a [`FileSource`] handed to it, so the same code serves
//! a draft, a published version and a local folder.
//!
//! **Must not know** archives, datasets, users, HTTP or where the bytes come from. The array library that decodes
//! chunks is named in no public item.
//!
//! Metadata comes from strangers. It is read leniently, value by value; sizes are checked before anything is
//! allocated; what is wrong becomes a [`Finding`](dataset_model::Finding) that names the file and the JSON pointer.
//!
//! ```
//! use dataset_model::Findings;
//! use ome_zarr::{FolderSource, describe, find_images, sample, thumbnail, validate};
//!
//! let folder = tempfile::tempdir()?;
//! sample::write(folder.path(), sample::Kind::Cells, 1)?;
//!
//! let source = FolderSource::new(folder.path())?;
//! let images = find_images(&source)?;
//! assert!(!validate(&source)?.findings.has_errors());
//! assert_eq!(describe(&source, &images[0].path)?.channels.len(), 3);
//! assert!(thumbnail(&source, &images[0].path, 128)?.starts_with(b"\x89PNG"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod array;
mod at;
mod convert;
mod describe;
mod error;
mod faults;
mod find;
mod import;
mod node;
mod pixels;
mod plate;
mod progress;
mod raster;
mod record;
mod render;
mod repairs;
pub mod sample;
mod source;
mod tree;
mod validate;
mod version;
mod write;
pub mod zip;

pub use convert::{Conversion, ConvertOptions, ConvertedImage, DEFAULT_MEMORY, convert};
pub use describe::describe;
pub use error::OmeZarrError;
pub use find::{ImageLocation, find_images, find_stores};
pub use import::{ImportCandidate, find_imports};
pub use node::ZarrVersion;
pub use pixels::{ArrayShape, array_shape, read_region};
pub use plate::describe_plate;
pub use progress::{Progress, Unwatched};
pub use record::{Axis, AxisKind, Channel, FieldOf, ImageRecord, Level, PlateRecord, Window};
pub use render::{
    ChannelChoice, Display, DisplayChannel, Picture, PictureFormat, PictureInfo, PictureLevel, Renderer, TILE_SIDES,
    Thumbnail, Tile, thumbnail,
};
pub use repairs::{DoorRepair, RepairedSource, repairs};
pub use source::{FileSource, FolderSource, SourceError};
pub use validate::{Conformance, Report, RuleEntry, rules, validate, validate_attributes, validate_pixels};
pub use write::{Compression, Sharding};
