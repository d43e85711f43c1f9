//! Reads planes of pixels. Which bytes hold a chunk is worked out here, and sizes are bounded before bytes are decoded;
//! the array library only runs the codecs.

use std::collections::BTreeMap;

use bytes::Bytes;
use rayon::prelude::*;

use crate::{
    array::ArrayMeta,
    error::OmeZarrError,
    node::{Node, NodeKind},
    source::{FileSource, join},
};

mod chain;
mod decoder;
mod guard;
mod plane;
mod shard;

pub(crate) use plane::Plane;

use chain::Chain;
use decoder::Decoder;
use shard::ShardIndex;

/// The largest plane read, decoded, in bytes.
const MAX_PLANE_BYTES: u64 = 64 << 20;
/// The largest chunk decoded, in bytes.
const MAX_CHUNK_BYTES: u64 = 64 << 20;
/// The most that is decoded for one plane, in bytes: chunks deeper than a plane cost more than it.
const MAX_DECODED_BYTES: u64 = 1 << 30;
/// The most chunks read for one plane.
const MAX_CHUNKS: u64 = 16_384;

/// An array that planes are read from.
pub(crate) struct PixelReader<'a> {
    source: &'a dyn FileSource,
    folder: String,
    meta: ArrayMeta,
    chain: Chain,
    decoder: Decoder,
}

/// Which plane: the index along every axis, and the two axes that span the plane, where the index does not count.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) index: Vec<u64>,
    pub(crate) y: usize,
    pub(crate) x: usize,
}

impl<'a> PixelReader<'a> {
    /// Opens the array in a folder.
    pub(crate) fn open(source: &'a dyn FileSource, folder: &str) -> Result<Self, OmeZarrError> {
        let bad = |reason: String| OmeZarrError::metadata(folder, reason);
        let node = Node::read(source, folder)?
            .filter(|node| node.kind == NodeKind::Array)
            .ok_or_else(|| bad("there is no array here".to_owned()))?;
        let meta = ArrayMeta::read(&node).map_err(bad)?;
        let chunk_bytes = meta.bytes_of(meta.chunk_shape()).unwrap_or(u64::MAX);
        if chunk_bytes > MAX_CHUNK_BYTES {
            let reason = format!("one chunk has {} MiB decoded; write chunks of 0.5 to 2 MiB", chunk_bytes >> 20);
            return Err(OmeZarrError::too_large(folder, reason));
        }
        let chain = Chain::read(&node).map_err(bad)?;
        let decoder = Decoder::new(&node, &meta, &chain).map_err(|reason| OmeZarrError::decode(folder, reason))?;
        Ok(Self { source, folder: folder.to_owned(), meta, chain, decoder })
    }

    pub(crate) fn shape(&self) -> &[u64] {
        &self.meta.shape
    }

    /// Reads one plane.
    pub(crate) fn plane(&self, slice: &Slice) -> Result<Plane, OmeZarrError> {
        let jobs = self.jobs(slice)?;
        let tiles: Vec<Vec<(Vec<u64>, Vec<u8>)>> = jobs
            .par_iter()
            .map(|(object, chunks)| self.read_object(object, chunks, slice))
            .collect::<Result<_, _>>()?;
        let mut plane = Plane::new(&self.meta, slice)
            .ok_or_else(|| OmeZarrError::metadata(&self.folder, "the plane lies outside the array"))?;
        for (chunk, tile) in tiles.iter().flatten() {
            plane.place(&self.meta, slice, chunk, tile);
        }
        Ok(plane)
    }

    /// The chunks a plane needs, by the stored object they are in.
    fn jobs(&self, slice: &Slice) -> Result<BTreeMap<Vec<u64>, Vec<Vec<u64>>>, OmeZarrError> {
        let outside = || OmeZarrError::metadata(&self.folder, "the plane lies outside the array");
        let (shape, chunk_shape) = (&self.meta.shape, self.meta.chunk_shape());
        let side = |axis: usize| Some((*shape.get(axis)?, *chunk_shape.get(axis)?));
        let ((height, tall), (width, wide)) = side(slice.y).zip(side(slice.x)).ok_or_else(outside)?;
        let (rows, columns) = (height.div_ceil(tall), width.div_ceil(wide));
        self.check_size(height, width, rows.saturating_mul(columns))?;
        let mut first: Vec<u64> = slice.index.iter().zip(chunk_shape).map(|(index, chunk)| index / chunk).collect();
        let mut jobs: BTreeMap<Vec<u64>, Vec<Vec<u64>>> = BTreeMap::new();
        for row in 0..rows {
            for column in 0..columns {
                for (axis, value) in [(slice.y, row), (slice.x, column)] {
                    *first.get_mut(axis).ok_or_else(outside)? = value;
                }
                jobs.entry(self.object_of(&first)).or_default().push(first.clone());
            }
        }
        Ok(jobs)
    }

    fn check_size(&self, height: u64, width: u64, chunks: u64) -> Result<(), OmeZarrError> {
        let too_large = |reason: String| Err(OmeZarrError::too_large(&self.folder, reason));
        let pixel = self.meta.data_type.size() as u64;
        let plane = height.saturating_mul(width).saturating_mul(pixel);
        if plane > MAX_PLANE_BYTES {
            return too_large(format!("one plane has {} MiB; add smaller resolution levels", plane >> 20));
        }
        let decoded = self.meta.bytes_of(self.meta.chunk_shape()).unwrap_or(u64::MAX).saturating_mul(chunks);
        if chunks > MAX_CHUNKS || decoded > MAX_DECODED_BYTES {
            return too_large(format!("one plane spreads over {chunks} chunks, {} MiB in all", decoded >> 20));
        }
        Ok(())
    }

    /// The stored object an inner chunk is in; a chunk is its own object where there are no shards.
    fn object_of(&self, chunk: &[u64]) -> Vec<u64> {
        let shapes = self.meta.chunk_shape().iter().zip(&self.meta.object_shape);
        chunk.iter().zip(shapes).map(|(index, (inner, outer))| index / (outer / inner).max(1)).collect()
    }

    /// The parts of a plane that one stored object holds: each chunk with its pixels in the plane.
    fn read_object(
        &self,
        object: &[u64],
        chunks: &[Vec<u64>],
        slice: &Slice,
    ) -> Result<Vec<(Vec<u64>, Vec<u8>)>, OmeZarrError> {
        let file = join(&self.folder, &self.meta.keys.encode(object));
        let index = match &self.chain.sharding {
            Some(sharding) => ShardIndex::read(self.source, &file, &self.meta, sharding)?,
            None => None,
        };
        let read = |chunk: &Vec<u64>| {
            let encoded = match &index {
                Some(index) => index.chunk(self.source, &file, chunk, self.encoded_limit())?,
                None if self.chain.sharding.is_some() => None,
                None => self.whole(&file)?,
            };
            let decoded =
                self.decoder.decode(encoded.as_deref()).map_err(|reason| OmeZarrError::decode(&file, reason))?;
            Ok((chunk.clone(), plane::cut(&self.meta, slice, chunk, &decoded)))
        };
        chunks.par_iter().map(read).collect()
    }

    /// A chunk in a file of its own; `None` if it was never written.
    fn whole(&self, file: &str) -> Result<Option<Bytes>, OmeZarrError> {
        let Some(size) = self.source.size(file)? else { return Ok(None) };
        if size > self.encoded_limit() {
            return Err(OmeZarrError::decode(file, "the stored chunk is larger than what it should decode to"));
        }
        Ok(Some(self.source.read(file, 0..size)?))
    }

    /// No compressor makes a chunk much larger than it was.
    fn encoded_limit(&self) -> u64 {
        let decoded = self.meta.bytes_of(self.meta.chunk_shape()).unwrap_or(0);
        decoded + decoded / 8 + 65_536
    }
}
