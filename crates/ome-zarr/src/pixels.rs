//! Reads regions and planes of pixels. Which bytes hold a chunk is worked out here, and sizes are bounded before bytes are decoded;
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
mod region;
mod shard;

pub(crate) use plane::Plane;
pub(crate) use region::Region;

use chain::Chain;
use decoder::Decoder;
use region::Block;
use shard::ShardIndex;

/// The largest region read at once, decoded, in bytes.
const MAX_REGION_BYTES: u64 = 256 << 20;
/// The largest plane read, decoded, in bytes.
const MAX_PLANE_BYTES: u64 = 64 << 20;
/// The largest chunk decoded, in bytes.
const MAX_CHUNK_BYTES: u64 = 64 << 20;
/// The most that is decoded for one region, in bytes: chunks deeper than a plane cost more than it.
const MAX_DECODED_BYTES: u64 = 1 << 30;
/// The most chunks read for one region.
const MAX_CHUNKS: u64 = 16_384;

/// An array that pixels are read from.
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

    pub(crate) fn meta(&self) -> &ArrayMeta {
        &self.meta
    }

    /// Reads one plane.
    pub(crate) fn plane(&self, slice: &Slice) -> Result<Plane, OmeZarrError> {
        let mut region = Region { start: slice.index.clone(), shape: vec![1; slice.index.len()] };
        for axis in [slice.y, slice.x] {
            let length = *self.meta.shape.get(axis).ok_or_else(|| self.outside())?;
            *region.start.get_mut(axis).ok_or_else(|| self.outside())? = 0;
            *region.shape.get_mut(axis).ok_or_else(|| self.outside())? = length;
        }
        let bytes = self.meta.bytes_of(&region.shape).unwrap_or(u64::MAX);
        if bytes > MAX_PLANE_BYTES {
            let reason = format!("one plane has {} MiB; add smaller resolution levels", bytes >> 20);
            return Err(OmeZarrError::too_large(&self.folder, reason));
        }
        Plane::new(&self.meta, slice, self.region(&region)?).ok_or_else(|| self.outside())
    }

    /// Reads the pixels of a region: C order, in the machine's byte order. Chunks never written are fill value.
    ///
    /// At most 256 MiB, from chunks of at most 1 GiB in all.
    pub(crate) fn region(&self, region: &Region) -> Result<Vec<u8>, OmeZarrError> {
        if !region.is_inside(&self.meta.shape) {
            return Err(self.outside());
        }
        let bytes = self.check_size(region)?;
        let jobs = self.jobs(region);
        let tiles: Vec<Vec<(Region, Vec<u8>)>> = jobs
            .par_iter()
            .map(|(object, chunks)| self.read_object(object, chunks, region))
            .collect::<Result<_, _>>()?;
        let mut whole = vec![0; bytes];
        let mut target =
            Block { bytes: whole.as_mut_slice(), start: region.start.clone(), shape: region.shape.clone() };
        for (part, tile) in tiles.iter().flatten() {
            let tile = Block { bytes: tile.as_slice(), start: part.start.clone(), shape: part.shape.clone() };
            region::copy(&tile, &mut target, part, self.meta.data_type.size());
        }
        Ok(whole)
    }

    fn outside(&self) -> OmeZarrError {
        OmeZarrError::metadata(&self.folder, "the region lies outside the array")
    }

    /// The chunks along each axis that a region touches.
    fn grid(&self, region: &Region) -> Vec<std::ops::Range<u64>> {
        let ends = region.start.iter().zip(&region.shape).zip(self.meta.chunk_shape());
        ends.map(|((start, length), chunk)| start / chunk..(start + length).div_ceil(*chunk)).collect()
    }

    /// The chunks a region needs, by the stored object they are in.
    fn jobs(&self, region: &Region) -> BTreeMap<Vec<u64>, Vec<Vec<u64>>> {
        let mut chunks = vec![Vec::new()];
        for range in self.grid(region) {
            chunks = chunks
                .into_iter()
                .flat_map(|chunk: Vec<u64>| range.clone().map(move |index| [chunk.as_slice(), &[index]].concat()))
                .collect();
        }
        let mut jobs: BTreeMap<Vec<u64>, Vec<Vec<u64>>> = BTreeMap::new();
        for chunk in chunks {
            jobs.entry(self.object_of(&chunk)).or_default().push(chunk);
        }
        jobs
    }

    /// Refuses regions that would take too much memory or time; gives the size in bytes.
    fn check_size(&self, region: &Region) -> Result<usize, OmeZarrError> {
        let too_large = |reason: String| Err(OmeZarrError::too_large(&self.folder, reason));
        let bytes = self.meta.bytes_of(&region.shape).unwrap_or(u64::MAX);
        if bytes > MAX_REGION_BYTES {
            return too_large(format!("a region of {} MiB is too much at once", bytes >> 20));
        }
        let chunks = self.grid(region).iter().fold(1u64, |count, range| count.saturating_mul(range.end - range.start));
        let decoded = self.meta.bytes_of(self.meta.chunk_shape()).unwrap_or(u64::MAX).saturating_mul(chunks);
        if chunks > MAX_CHUNKS || decoded > MAX_DECODED_BYTES {
            return too_large(format!("a region spreads over {chunks} chunks, {} MiB in all", decoded >> 20));
        }
        usize::try_from(bytes).map_err(|_| self.outside())
    }

    /// The stored object an inner chunk is in; a chunk is its own object where there are no shards.
    fn object_of(&self, chunk: &[u64]) -> Vec<u64> {
        let shapes = self.meta.chunk_shape().iter().zip(&self.meta.object_shape);
        chunk.iter().zip(shapes).map(|(index, (inner, outer))| index / (outer / inner).max(1)).collect()
    }

    /// The parts of a region that one stored object holds.
    fn read_object(
        &self,
        object: &[u64],
        chunks: &[Vec<u64>],
        region: &Region,
    ) -> Result<Vec<(Region, Vec<u8>)>, OmeZarrError> {
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
            self.cut(chunk, &decoded, region)
        };
        chunks.par_iter().map(read).collect()
    }

    /// The part of a decoded chunk that a region wants.
    fn cut(&self, chunk: &[u64], decoded: &[u8], region: &Region) -> Result<(Region, Vec<u8>), OmeZarrError> {
        let covered = Region::of_chunk(&self.meta, chunk);
        let part = covered.and_then(|covered| covered.overlap(region)).ok_or_else(|| self.outside())?;
        let pixel = self.meta.data_type.size();
        let mut tile = vec![0; part.pixels() as usize * pixel];
        // A stored chunk has its full shape, even where it reaches beyond the end of the array.
        let start = chunk.iter().zip(self.meta.chunk_shape()).map(|(index, size)| index * size).collect();
        let from = Block { bytes: decoded, start, shape: self.meta.chunk_shape().to_vec() };
        let mut to = Block { bytes: tile.as_mut_slice(), start: part.start.clone(), shape: part.shape.clone() };
        region::copy(&from, &mut to, &part, pixel);
        Ok((part, tile))
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
