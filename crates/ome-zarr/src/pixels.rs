//! Reads regions of pixels. Which bytes hold a chunk is worked out here, and sizes are bounded before bytes are decoded;
//! the array library only runs the codecs.

use std::{
    num::NonZeroUsize,
    ops::Range,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use lru::LruCache;
use rayon::prelude::*;

use crate::{
    array::ArrayMeta,
    error::OmeZarrError,
    node::{Node, NodeKind},
    source::{FileSource, join},
};

mod cells;
mod chain;
mod check;
mod decoder;
mod direct;
mod guard;
mod region;
mod shard;

pub(crate) use check::check;
pub(crate) use region::{Block, Region, copy};

use cells::Cell;
use chain::Chain;
use decoder::Decoder;
use direct::Scratch;
use shard::ShardIndex;

/// The largest region read at once, decoded, in bytes.
const MAX_REGION_BYTES: u64 = 256 << 20;
/// The largest chunk decoded, in bytes.
const MAX_CHUNK_BYTES: u64 = 64 << 20;
/// The most that is decoded for one region, in bytes: chunks deeper than a plane cost more than it.
const MAX_DECODED_BYTES: u64 = 1 << 30;
/// The most chunks read for one region.
const MAX_CHUNKS: u64 = 16_384;
/// Chunks of a shard that lie together are read together, up to this, in bytes.
const READ_BYTES: u64 = 4 << 20;
/// As long as the gap between them is no larger than this, in bytes.
const GAP_BYTES: u64 = 16 << 10;
/// What the indexes of shards that are kept may take, in bytes, and how many there may be.
const INDEX_BYTES: usize = 8 << 20;
const MAX_INDEXES: usize = 64;
/// Parts of a region that are filled side by side.
const MIN_CELLS: u64 = 16;

/// An array that pixels are read from.
pub(crate) struct PixelReader<'a> {
    source: &'a dyn FileSource,
    folder: String,
    meta: ArrayMeta,
    chain: Chain,
    decoder: Decoder,
    /// The indexes of shards that were read last; `None` for shards that were never written.
    indexes: Mutex<LruCache<Vec<u64>, Option<Arc<ShardIndex>>>>,
}

/// The shape of an array, and of one stored object of it: a shard, or a chunk where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayShape {
    /// In pixels, slowest axis first.
    pub shape: Vec<u64>,
    /// In pixels, slowest axis first.
    pub object_shape: Vec<u64>,
}

/// The shape of the array in a folder of a source; `""` is the root.
///
/// # Errors
/// There is no array there, or one that is not read here.
pub fn array_shape(source: &dyn FileSource, array: &str) -> Result<ArrayShape, OmeZarrError> {
    let meta = PixelReader::open(source, array)?.meta;
    Ok(ArrayShape { shape: meta.shape, object_shape: meta.object_shape })
}

/// Reads a region of the array in a folder of a source, such as a level of an image: C order, in the machine's byte order,
/// fill value where nothing was written. At most 256 MiB; all processors work on it.
///
/// # Errors
/// As for [`array_shape`]; the region is too large or outside the array; a chunk is damaged.
pub fn read_region(
    source: &dyn FileSource,
    array: &str,
    start: &[u64],
    shape: &[u64],
) -> Result<Vec<u8>, OmeZarrError> {
    PixelReader::open(source, array)?.region(&Region { start: start.to_vec(), shape: shape.to_vec() })
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
        let inner = meta.object_shape.iter().zip(meta.chunk_shape()).map(|(outer, inner)| outer / inner);
        let index_bytes = usize::try_from(inner.fold(16u64, u64::saturating_mul)).unwrap_or(usize::MAX);
        let kept = NonZeroUsize::new((INDEX_BYTES / index_bytes.max(1)).min(MAX_INDEXES)).unwrap_or(NonZeroUsize::MIN);
        let indexes = Mutex::new(LruCache::new(kept));
        Ok(Self { source, folder: folder.to_owned(), meta, chain, decoder, indexes })
    }

    pub(crate) fn shape(&self) -> &[u64] {
        &self.meta.shape
    }

    pub(crate) fn meta(&self) -> &ArrayMeta {
        &self.meta
    }

    /// Reads the pixels of a region: C order, in the machine's byte order. Chunks never written are fill value.
    ///
    /// At most 256 MiB, from chunks of at most 1 GiB in all.
    pub(crate) fn region(&self, region: &Region) -> Result<Vec<u8>, OmeZarrError> {
        if !region.is_inside(&self.meta.shape) {
            return Err(self.outside());
        }
        let bytes = self.check_size(region)?;
        let mut whole = vec![0; bytes];
        let cells = self.cells(region, &mut whole);
        let fill = |scratch: &mut Scratch, cell: Cell<'_>| self.fill(region, cell, scratch);
        cells.into_par_iter().try_for_each_init(Scratch::default, fill)?;
        Ok(whole)
    }

    /// Reads a region as [`region`](Self::region) does, into memory of its size, on the thread that asks.
    pub(crate) fn read_serially(&self, region: &Region, out: &mut [u8]) -> Result<(), OmeZarrError> {
        if !region.is_inside(&self.meta.shape) || out.len() as u64 != self.meta.bytes_of(&region.shape).unwrap_or(0) {
            return Err(self.outside());
        }
        let mut scratch = Scratch::default();
        let pixel = self.meta.data_type.size();
        let cells = cells::divide(region, &self.grid(region), self.meta.chunk_shape(), pixel, out, false);
        cells.into_iter().try_for_each(|cell| self.fill(region, cell, &mut scratch))
    }

    /// Parts of a region for many threads.
    fn cells<'b>(&self, region: &Region, out: &'b mut [u8]) -> Vec<Cell<'b>> {
        let grid = self.grid(region);
        let rows = grid.iter().rev().skip(1).fold(1u64, |rows, range| rows.saturating_mul(range.end - range.start));
        cells::divide(region, &grid, self.meta.chunk_shape(), self.meta.data_type.size(), out, rows < MIN_CELLS)
    }

    /// Fills a part of a region, chunk by chunk.
    fn fill(&self, region: &Region, mut cell: Cell<'_>, scratch: &mut Scratch) -> Result<(), OmeZarrError> {
        let mut chunks: Vec<Vec<u64>> = Vec::new();
        for step in 0..cell.count {
            let mut chunk = cell.chunk.clone();
            chunk.last_mut().into_iter().for_each(|last| *last += step);
            chunks.push(chunk);
        }
        let mut rest = chunks.as_slice();
        while let Some(first) = rest.first() {
            let file = join(&self.folder, &self.meta.keys.encode(&self.object_of(first)));
            let together = self.read_together(&file, rest)?;
            for (chunk, encoded) in rest.iter().zip(&together) {
                let decoded = encoded.as_ref().map(|encoded| self.decoder.decode_with(encoded, scratch));
                let decoded = decoded.transpose().map_err(|reason| OmeZarrError::decode(&file, reason))?;
                self.place(chunk, decoded, region, &mut cell)?;
            }
            rest = rest.get(together.len()..).unwrap_or_default();
        }
        Ok(())
    }

    /// The encoded bytes of the first chunk of a row, and of those after it that lie behind it in the same shard.
    fn read_together(&self, file: &str, chunks: &[Vec<u64>]) -> Result<Vec<Option<Bytes>>, OmeZarrError> {
        let Some(first) = chunks.first() else { return Ok(Vec::new()) };
        if self.chain.sharding.is_none() {
            return Ok(vec![self.whole(file)?]);
        }
        let object = self.object_of(first);
        let Some(index) = self.index(&object, file)? else { return Ok(vec![None]) };
        let mut ranges: Vec<Option<Range<u64>>> = Vec::new();
        let mut read: Option<Range<u64>> = None;
        for chunk in chunks.iter().take_while(|chunk| self.object_of(chunk) == object) {
            let range = index.range_of(file, chunk, self.encoded_limit())?;
            if let Some(range) = &range {
                let joined = read.as_ref().map_or(range.clone(), |read| read.start..range.end);
                let is_behind = read.as_ref().is_none_or(|read| {
                    range.start >= read.end
                        && range.start - read.end <= GAP_BYTES
                        && joined.end - joined.start <= READ_BYTES
                });
                if !is_behind {
                    break;
                }
                read = Some(joined);
            }
            ranges.push(range);
        }
        let Some(read) = read else { return Ok(ranges.into_iter().map(|_| None).collect()) };
        let bytes = self.source.read(file, read.clone())?;
        let cut =
            |range: Range<u64>| bytes.slice((range.start - read.start) as usize..(range.end - read.start) as usize);
        Ok(ranges.into_iter().map(|range| range.map(cut)).collect())
    }

    /// The index of a shard; `None` if the shard was never written.
    fn index(&self, object: &[u64], file: &str) -> Result<Option<Arc<ShardIndex>>, OmeZarrError> {
        let Some(sharding) = &self.chain.sharding else { return Ok(None) };
        if let Some(kept) = self.indexes.lock().ok().and_then(|mut indexes| indexes.get(object).cloned()) {
            return Ok(kept);
        }
        let index = ShardIndex::read(self.source, file, &self.meta, sharding)?.map(Arc::new);
        if let Ok(mut indexes) = self.indexes.lock() {
            indexes.put(object.to_vec(), index.clone());
        }
        Ok(index)
    }

    /// Copies what a region wants of a chunk to its lines; fill value where the chunk was never written.
    fn place(
        &self,
        chunk: &[u64],
        decoded: Option<&[u8]>,
        region: &Region,
        cell: &mut Cell<'_>,
    ) -> Result<(), OmeZarrError> {
        let covered = Region::of_chunk(&self.meta, chunk);
        let part = covered.and_then(|covered| covered.overlap(region)).ok_or_else(|| self.outside())?;
        let pixel = self.meta.data_type.size();
        let (Some(start), Some(length)) = (part.start.last(), part.shape.last()) else { return Err(self.outside()) };
        let (from, length) = ((start - cell.start) as usize * pixel, *length as usize * pixel);
        // A stored chunk has its full shape, even where it reaches beyond the end of the array.
        let strides = region::strides(self.meta.chunk_shape(), pixel);
        let inside = part.start.iter().zip(chunk).zip(self.meta.chunk_shape());
        let first: usize =
            inside.zip(&strides).map(|(((at, index), size), stride)| (at - index * size) as usize * stride).sum();
        let leading = part.shape.len() - 1;
        let mut place = vec![0; leading];
        for line in &mut cell.lines {
            let target = line.get_mut(from..from + length).ok_or_else(|| self.outside())?;
            match decoded {
                Some(decoded) => {
                    let at =
                        first + place.iter().zip(&strides).map(|(at, stride)| *at as usize * stride).sum::<usize>();
                    target.copy_from_slice(decoded.get(at..at + length).ok_or_else(|| self.outside())?);
                }
                None => target.chunks_exact_mut(pixel).for_each(|target| target.copy_from_slice(self.decoder.fill())),
            }
            cells::advance(&mut place, &part.shape);
        }
        Ok(())
    }

    fn outside(&self) -> OmeZarrError {
        OmeZarrError::metadata(&self.folder, "the region lies outside the array")
    }

    /// The chunks along each axis that a region touches.
    fn grid(&self, region: &Region) -> Vec<std::ops::Range<u64>> {
        let ends = region.start.iter().zip(&region.shape).zip(self.meta.chunk_shape());
        ends.map(|((start, length), chunk)| start / chunk..(start + length).div_ceil(*chunk)).collect()
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
