//! What is known of an image or plate and travels with its dataset's crate, so that every node of the federation can
//! search and show it. docs/VOCABULARY.md describes the terms.

use dataset_model::Digest;
use ome_zarr::{AxisKind, ImageRecord, PlateRecord};
use serde::Serialize;

mod entity;
mod units;

pub(crate) use entity::{ImageEntities, context};

/// Where the words of Heliograph's own RDF vocabulary live.
pub(crate) const VOCABULARY: &str = "https://heliograph.org/ns#";

/// As many channels, labels and codecs of one image are told.
const MAX_LISTED: usize = 32;
/// More dimensions than any image has.
const MAX_AXES: usize = 8;
/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// What an image is; of a plate, what each of its fields is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ImageFacts {
    /// The OME-Zarr version: `0.4` or `0.5`.
    pub version: String,
    /// The dimensions, slowest first.
    pub axes: Vec<AxisFacts>,
    /// The pixel type as Zarr 3 names it, such as `uint16`.
    pub data_type: String,
    /// The number of resolution levels.
    pub levels: u64,
    /// The smallest part of level 0 that can be read, in pixels.
    pub chunk_shape: Vec<u64>,
    /// One stored object of level 0 in pixels, where chunks are packed into shards.
    pub shard_shape: Option<Vec<u64>>,
    /// The codecs of level 0.
    pub codecs: Vec<String>,
    /// The channels that the metadata describes.
    pub channels: Vec<ChannelFacts>,
    /// The names of its label images.
    pub labels: Vec<String>,
    /// What the plate is, where it is one.
    pub plate: Option<PlateFacts>,
    /// The bytes of all its files.
    pub bytes: Option<u64>,
    /// The Merkle root over all its files.
    pub digest: Option<Digest>,
}

/// One dimension of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AxisFacts {
    /// Its name.
    pub name: String,
    /// What it runs along.
    pub kind: AxisKind,
    /// Its size in pixels.
    pub size: u64,
    /// The extent of one pixel: micrometres in space, seconds in time; `None` where the unit is not a length or a time.
    pub pixel: Option<f64>,
}

/// One channel of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelFacts {
    /// Its name.
    pub label: Option<String>,
    /// Six upper-case hexadecimal digits.
    pub color: Option<String>,
    /// The intensities between which it is shown.
    pub window: Option<(f64, f64)>,
    /// The wavelength recorded, in nanometres.
    pub emission: Option<f64>,
}

/// The shape of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlateFacts {
    pub rows: u64,
    pub columns: u64,
    pub wells: u64,
    pub fields: u64,
    pub acquisitions: u64,
}

impl ImageFacts {
    /// The facts of an image.
    pub fn of(image: &ImageRecord) -> Self {
        let first = image.levels.first();
        let axis = |(at, axis): (usize, &ome_zarr::Axis)| AxisFacts {
            name: clipped(&axis.name),
            kind: axis.kind,
            size: image.shape.get(at).copied().unwrap_or(1),
            pixel: image.physical_size.get(at).copied().flatten().and_then(|pixel| units::standard(axis, pixel)),
        };
        let channel = |channel: &ome_zarr::Channel| ChannelFacts {
            label: channel.label.as_deref().map(clipped).filter(|label| !label.is_empty()),
            color: channel.color.clone(),
            window: channel.window.map(|window| (window.start, window.end)),
            emission: channel.emission,
        };
        Self {
            version: image.version.clone(),
            axes: image.axes.iter().enumerate().take(MAX_AXES).map(axis).collect(),
            data_type: image.data_type.clone(),
            levels: image.levels.len() as u64,
            chunk_shape: first.map(|level| level.chunk_shape.clone()).unwrap_or_default(),
            shard_shape: first.and_then(|level| level.shard_shape.clone()),
            codecs: first.map(|level| level.codecs.clone()).unwrap_or_default(),
            channels: image.channels.iter().take(MAX_LISTED).map(channel).collect(),
            labels: image.label_names.iter().take(MAX_LISTED).map(|name| clipped(name)).collect(),
            plate: None,
            bytes: image.bytes,
            digest: image.digest,
        }
    }

    /// The facts of a plate: its own, and those of the field that stands for all.
    pub fn of_plate(plate: &PlateRecord) -> Self {
        let field = plate.field.as_deref().map(Self::of).unwrap_or_default();
        let PlateRecord { rows, columns, wells, fields, acquisitions, .. } = *plate;
        Self {
            version: plate.version.clone(),
            plate: Some(PlateFacts { rows, columns, wells, fields, acquisitions }),
            bytes: plate.bytes,
            digest: plate.digest,
            ..field
        }
    }

    /// A line for people: `OME-Zarr 0.5, c 3 × y 512 × x 512, uint16`, axes in the order in which they are stored.
    pub fn line(&self) -> String {
        let axes: Vec<String> = self.axes.iter().map(|axis| format!("{} {}", axis.name, axis.size)).collect();
        let image = [axes.join(" × "), self.data_type.clone()].into_iter().filter(|part| !part.is_empty());
        let image: Vec<String> = image.collect();
        match &self.plate {
            None => format!("OME-Zarr {}, {}", self.version, image.join(", ")),
            Some(plate) => format!(
                "OME-Zarr {} plate, {} wells in {} rows and {} columns, {} fields of {}",
                self.version,
                plate.wells,
                plate.rows,
                plate.columns,
                plate.fields,
                image.join(", ")
            ),
        }
    }

    /// The sizes along x, y, z, time and channels, 1 where there is no such axis: the last axes of space are x, y and z.
    pub fn sizes(&self) -> [(&'static str, u64); 5] {
        let axes = self.canonical();
        ["X", "Y", "Z", "T", "C"].map(|letter| {
            let axis = axes.iter().find(|(of, _)| *of == letter);
            (letter, axis.map_or(1, |(_, axis)| axis.size))
        })
    }

    /// The axes that mean something to everyone.
    fn canonical(&self) -> Vec<(&'static str, &AxisFacts)> {
        let of_kind = |kind: AxisKind| self.axes.iter().filter(move |axis| axis.kind == kind);
        let space: Vec<_> = of_kind(AxisKind::Space).collect();
        let mut axes: Vec<_> = ["X", "Y", "Z"].into_iter().zip(space.into_iter().rev()).collect();
        axes.extend(of_kind(AxisKind::Time).next().map(|axis| ("T", axis)));
        axes.extend(of_kind(AxisKind::Channel).next().map(|axis| ("C", axis)));
        axes
    }
}

fn clipped(text: &str) -> String {
    text.trim().chars().take(MAX_NAME).collect()
}
