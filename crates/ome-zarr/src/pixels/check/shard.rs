use std::ops::Range;

use rayon::prelude::*;

use crate::{array::ArrayMeta, error::OmeZarrError, source::FileSource, validate::Rule};

use super::{super::chain::Sharding, BadChunk, Watch, chunk::ChunkChecker};

/// Bytes per inner chunk in the index: offset and length (Zarr sharding codec 1.0, "binary shard format").
const ENTRY_BYTES: u64 = 16;
const CHECKSUM_BYTES: u64 = 4;
/// The most inner chunks a shard may have: an index of 16 MiB.
const MAX_ENTRIES: u64 = 1 << 20;
/// Bad chunks reported of one shard.
const MAX_BAD_CHUNKS: usize = 20;

/// Checks the index of a shard, and decodes every chunk it points at.
pub(super) fn check(
    source: &dyn FileSource,
    file: &str,
    meta: &ArrayMeta,
    sharding: Sharding,
    checker: &ChunkChecker,
    watch: &Watch<'_>,
) -> Result<Vec<BadChunk>, OmeZarrError> {
    let Some(size) = source.size(file)? else { return Ok(Vec::new()) };
    let count = inner_chunks(meta);
    if count > MAX_ENTRIES {
        let message = format!("the pixels of the shard are not checked: it has {count} inner chunks");
        return Ok(vec![BadChunk::new(Rule::ChunkUnchecked, file, message)]);
    }
    let length = count * ENTRY_BYTES;
    let stored = length + if sharding.checksummed { CHECKSUM_BYTES } else { 0 };
    if size < stored {
        let message = format!("the shard has {size} bytes, fewer than its index of {stored}");
        return Ok(vec![BadChunk::new(Rule::ChunkIndex, file, message)]);
    }
    let start = if sharding.index_first { 0 } else { size - stored };
    let index = source.read(file, start..start + stored)?;
    let (entries, checksum) = index.split_at_checked(length as usize).unwrap_or_default();
    if sharding.checksummed && crc32c::crc32c(entries).to_le_bytes() != checksum {
        let message = "the checksum of the shard's index is wrong";
        return Ok(vec![BadChunk::new(Rule::ChunkIndex, file, message)]);
    }
    let (ranges, mut bad) = ranges(entries, file, size, &(start..start + stored), checker.encoded_limit());
    bad.extend(overlaps(&ranges, file));
    let decode = |(at, range): &(usize, Range<u64>)| -> Result<Option<BadChunk>, OmeZarrError> {
        watch.check()?;
        let encoded = source.read(file, range.clone())?;
        let named = |(rule, message)| BadChunk::new(rule, file, format!("inner chunk {at}: {message}"));
        Ok(checker.check(&encoded).err().map(named))
    };
    let is_small = checker.chunk_bytes() <= super::PARALLEL_CHUNK_BYTES;
    let found: Vec<Option<BadChunk>> = if is_small {
        ranges.par_iter().map(decode).collect::<Result<_, _>>()?
    } else {
        ranges.iter().map(decode).collect::<Result<_, _>>()?
    };
    bad.extend(found.into_iter().flatten());
    bad.truncate(MAX_BAD_CHUNKS);
    Ok(bad)
}

fn inner_chunks(meta: &ArrayMeta) -> u64 {
    let sides = meta.object_shape.iter().zip(meta.chunk_shape()).map(|(outer, inner)| outer / inner);
    sides.fold(1u64, u64::saturating_mul)
}

/// Where the inner chunks are, in the order of the index, and which entries cannot be right.
fn ranges(
    entries: &[u8],
    file: &str,
    size: u64,
    index: &Range<u64>,
    limit: u64,
) -> (Vec<(usize, Range<u64>)>, Vec<BadChunk>) {
    let (mut ranges, mut bad) = (Vec::new(), Vec::new());
    for (at, entry) in entries.chunks_exact(ENTRY_BYTES as usize).enumerate() {
        let Some((offset, length)) = numbers(entry).filter(|entry| *entry != (u64::MAX, u64::MAX)) else { continue };
        let end = offset.checked_add(length).filter(|end| *end <= size);
        let fault = match end {
            None => Some("lies outside the shard"),
            Some(end) if length > 0 && offset < index.end && index.start < end => Some("lies in the index itself"),
            Some(_) if length > limit => Some("is larger than what it should decode to"),
            Some(_) => None,
        };
        match (fault, end) {
            (None, Some(end)) => ranges.push((at, offset..end)),
            (fault, _) => {
                let message = format!("inner chunk {at} {}", fault.unwrap_or_default());
                bad.push(BadChunk::new(Rule::ChunkIndex, file, message));
            }
        }
    }
    (ranges, bad)
}

fn numbers(entry: &[u8]) -> Option<(u64, u64)> {
    let (offset, length) = entry.split_at_checked(8)?;
    Some((u64::from_le_bytes(offset.try_into().ok()?), u64::from_le_bytes(length.try_into().ok()?)))
}

/// Inner chunks that share bytes with another. Space between them is allowed.
fn overlaps(ranges: &[(usize, Range<u64>)], file: &str) -> Vec<BadChunk> {
    let mut sorted: Vec<&(usize, Range<u64>)> = ranges.iter().filter(|(_, range)| !range.is_empty()).collect();
    sorted.sort_unstable_by_key(|(_, range)| (range.start, range.end));
    let pairs = sorted.windows(2).filter_map(|pair| match pair {
        [(first, before), (second, after)] if before.end > after.start => Some((first, second)),
        _ => None,
    });
    let report = |(first, second): (&usize, &usize)| {
        BadChunk::new(Rule::ChunkOverlap, file, format!("inner chunks {first} and {second} overlap in the shard"))
    };
    pairs.map(report).take(MAX_BAD_CHUNKS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(entries: &[(u64, u64)]) -> Vec<u8> {
        entries.iter().flat_map(|(offset, length)| [offset.to_le_bytes(), length.to_le_bytes()].concat()).collect()
    }

    #[test]
    fn entries_outside_the_shard_or_in_its_index_are_bad_and_absent_ones_are_not() {
        let entries = [(0, 10), (u64::MAX, u64::MAX), (95, 20), (u64::MAX - 1, 3), (0, 200)];
        let (good, bad) = ranges(&index(&entries), "s", 120, &(100..120), 1000);
        assert_eq!(good, [(0, 0..10)]);
        assert_eq!(bad.len(), 3);
    }

    #[test]
    fn chunks_that_share_bytes_are_found_in_any_order() {
        assert!(overlaps(&[(0, 10..20), (1, 0..10), (2, 30..40)], "s").is_empty());
        assert_eq!(overlaps(&[(0, 10..20), (1, 5..11)], "s").len(), 1);
        assert_eq!(overlaps(&[(0, 10..20), (1, 10..20)], "s").len(), 1);
    }
}
