use dataset_model::Digest;
use serde::{Deserialize, Serialize};

/// What one multiscale image is, as its metadata says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// The folder of the multiscales group, relative to the source's root; `""` is the root itself.
    pub path: String,
    /// The name in the metadata, or else that of the folder; `""` if neither has one.
    pub name: String,
    /// The OME-Zarr version: `0.4` or `0.5`.
    pub version: String,
    /// The axes, slowest first.
    pub axes: Vec<Axis>,
    /// The size of level 0 in pixels, in the order of the axes.
    pub shape: Vec<u64>,
    /// The pixel type as Zarr 3 names it, such as `uint16`.
    pub data_type: String,
    /// The resolution levels, largest first; at least one.
    pub levels: Vec<Level>,
    /// The channels that the `omero` metadata describes; empty where there is none.
    pub channels: Vec<Channel>,
    /// Whether this is a label image: each pixel names the object it belongs to.
    pub is_label: bool,
    /// The names of the label images that belong to this image, as listed.
    pub label_names: Vec<String>,
    /// The size of one level-0 pixel along each axis, in that axis's unit; `None` where the axis has no unit.
    pub physical_size: Vec<Option<f64>>,
    /// The plate it is a field of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_of: Option<FieldOf>,
    /// The bytes of all files in its folder; `None` until they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The Merkle root over all files in its folder; `None` until they are hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// Where a field belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOf {
    /// The folder of the plate.
    pub plate: String,
    /// The well in it, as `row/column`.
    pub well: String,
}

/// What one plate is: its own metadata, and what its fields have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateRecord {
    /// The folder of the plate's group, relative to the source's root.
    pub path: String,
    /// The name in the metadata, or else that of the folder.
    pub name: String,
    /// The OME-Zarr version: `0.4` or `0.5`.
    pub version: String,
    /// Rows of wells there are places for.
    pub rows: u64,
    /// Columns of wells there are places for.
    pub columns: u64,
    /// Wells that are there.
    pub wells: u64,
    /// Acquisitions it names.
    pub acquisitions: u64,
    /// Fields of all wells together.
    pub fields: u64,
    /// The first field, which stands for all.
    pub field: Option<Box<ImageRecord>>,
    /// The bytes of all files in its folder; `None` until they are counted.
    pub bytes: Option<u64>,
    /// The Merkle root over all files in its folder; `None` until they are hashed.
    pub digest: Option<Digest>,
}

/// One dimension of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Its name, such as `x`.
    pub name: String,
    /// What it runs along.
    pub kind: AxisKind,
    /// Its unit, such as `micrometer`.
    pub unit: Option<String>,
}

/// What an axis runs along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisKind {
    /// Time.
    Time,
    /// Colours, stains, detectors.
    Channel,
    /// Height, width, depth.
    Space,
    /// Anything else.
    Other,
}

/// One resolution of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The folder of its array, relative to the image.
    pub path: String,
    /// Its size in pixels, in the order of the axes.
    pub shape: Vec<u64>,
    /// The size of the smallest part that can be read, in pixels.
    pub chunk_shape: Vec<u64>,
    /// The size of one stored object in pixels, where chunks are packed into shards.
    pub shard_shape: Option<Vec<u64>>,
    /// The size of one pixel along each axis, in the axes' units.
    pub scale: Vec<f64>,
    /// The codecs chunks are encoded with, in order, by their names in the metadata; those inside of shards follow
    /// `sharding_indexed`.
    #[serde(default)]
    pub codecs: Vec<String>,
}

/// How a channel is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name, such as a stain.
    pub label: Option<String>,
    /// Its colour: six upper-case hexadecimal digits.
    pub color: Option<String>,
    /// The intensities between which it is shown.
    pub window: Option<Window>,
    /// Whether it is shown at first.
    pub active: bool,
    /// The wavelength of the light that was recorded, in nanometres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emission: Option<f64>,
}

/// A range of intensities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The lowest value there can be.
    pub min: f64,
    /// The highest value there can be.
    pub max: f64,
    /// The value shown as black.
    pub start: f64,
    /// The value shown at full colour.
    pub end: f64,
}
