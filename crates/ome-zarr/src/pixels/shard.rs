use std::ops::Range;

use bytes::Bytes;

use crate::{array::ArrayMeta, error::OmeZarrError, source::FileSource};

use super::chain::Sharding;

/// Bytes per inner chunk in the index: offset and length.
const ENTRY_BYTES: u64 = 16;
/// The most inner chunks a shard may have: an index of 16 MiB.
const MAX_ENTRIES: u64 = 1 << 20;

/// Where the inner chunks of a shard are in its file (Zarr sharding codec 1.0, "binary shard format").
pub(super) struct ShardIndex {
    entries: Bytes,
    /// Inner chunks per shard, along each axis.
    grid: Vec<u64>,
    /// The size of the file, in bytes.
    size: u64,
}

impl ShardIndex {
    /// Reads the index of a shard; `None` if the shard was never written.
    pub(super) fn read(
        source: &dyn FileSource,
        file: &str,
        meta: &ArrayMeta,
        sharding: &Sharding,
    ) -> Result<Option<Self>, OmeZarrError> {
        let Some(size) = source.size(file)? else { return Ok(None) };
        let shapes = meta.object_shape.iter().zip(meta.chunk_shape());
        let grid: Vec<u64> = shapes.map(|(outer, inner)| outer / inner).collect();
        let count = grid.iter().try_fold(1u64, |count, side| count.checked_mul(*side)).unwrap_or(u64::MAX);
        if count > MAX_ENTRIES {
            return Err(OmeZarrError::too_large(file, "a shard has more than a million inner chunks"));
        }
        let length = count * ENTRY_BYTES;
        let stored = length + if sharding.checksummed { 4 } else { 0 };
        let start = if sharding.index_first { 0 } else { size.saturating_sub(stored) };
        if size < stored {
            return Err(OmeZarrError::decode(
                file,
                "the shard is shorter than its index: it was not written completely",
            ));
        }
        Ok(Some(Self { entries: source.read(file, start..start + length)?, grid, size }))
    }

    /// Where the encoded bytes of an inner chunk are, named by its place in the array; `None` if it was never written.
    pub(super) fn range_of(&self, file: &str, chunk: &[u64], limit: u64) -> Result<Option<Range<u64>>, OmeZarrError> {
        let place = chunk.iter().zip(&self.grid).fold(0, |place, (index, side)| place * side + index % side);
        let at = usize::try_from(place * ENTRY_BYTES).unwrap_or(usize::MAX);
        let entry = at.checked_add(16).and_then(|end| self.entries.get(at..end));
        let damaged = || OmeZarrError::decode(file, "the index of the shard points outside the shard");
        let (offset, length) = entry.and_then(numbers).ok_or_else(damaged)?;
        if (offset, length) == (u64::MAX, u64::MAX) {
            return Ok(None);
        }
        let end = offset.checked_add(length).filter(|end| *end <= self.size).ok_or_else(damaged)?;
        if length > limit {
            return Err(OmeZarrError::decode(file, "a stored chunk is larger than what it should decode to"));
        }
        Ok(Some(offset..end))
    }
}

fn numbers(entry: &[u8]) -> Option<(u64, u64)> {
    let (offset, length) = entry.split_at_checked(8)?;
    Some((u64::from_le_bytes(offset.try_into().ok()?), u64::from_le_bytes(length.try_into().ok()?)))
}
