//! Writes OME-Zarr 0.5: arrays in shards, pyramids, and the metadata that goes with them.
//!
//! Level 0 is read from the source once. While a band of it is encoded, its pixels for the next level go into a sparse
//! file beside the output (a *spool*), from which that level is written in the same way. So memory holds only the bands
//! that are worked on, whatever the size of the image; every shard is a pure function of source and options; and what a
//! journal says is complete need not be done again.

mod bands;
mod compression;
mod encoder;
mod image;
mod journal;
mod layout;
mod level;
mod metadata;
mod omero;
mod options;
mod reduce;
mod shard;
mod spool;
mod turns;
mod work;

pub use compression::Compression;
pub use options::Sharding;

pub(crate) use image::{Pyramid, block_of, write_pyramid};
pub(crate) use journal::{Journal, Unusable};
pub(crate) use layout::{Layout, LevelLayout, bytes as bytes_of, steps};
pub(crate) use metadata::{
    OME_VERSION, axes_of, axis_name, group_v3, image_metadata, method, multiscale, write_file, write_json,
};
pub(crate) use omero::{Contrast, omero};
pub(crate) use options::WriteOptions;
pub(crate) use reduce::Reduction;
pub(crate) use work::Work;
