//! Whether every stored chunk of an array decodes to what the array says.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::{
    array::ArrayMeta,
    error::OmeZarrError,
    faults::Faults,
    node::Node,
    progress::Progress,
    source::{FileSource, join},
    tree::Tree,
    validate::{Rule, chunk_objects},
};

use super::{chain::Chain, decoder::Decoder};

mod chunk;
mod shard;

use chunk::ChunkChecker;

/// Chunks above this, decoded, are not decoded here, in bytes.
const MAX_CHUNK_BYTES: u64 = 256 << 20;
/// Chunks up to this, decoded, are decoded on all cores at once, in bytes; larger ones one after the other.
const PARALLEL_CHUNK_BYTES: u64 = 32 << 20;
/// An array with this many bad chunks is not looked at further.
const MAX_BAD_CHUNKS: usize = 100;
/// The most places of a grid asked for, where files cannot be listed.
const MAX_GRID: u64 = 1 << 20;

/// Something wrong with a stored chunk.
#[derive(Debug, PartialEq)]
struct BadChunk {
    rule: Rule,
    file: String,
    message: String,
}

impl BadChunk {
    fn new(rule: Rule, file: &str, message: impl Into<String>) -> Self {
        Self { rule, file: file.to_owned(), message: message.into() }
    }
}

/// One array to be checked.
struct Job<'a> {
    node: &'a Node,
    meta: ArrayMeta,
    chain: Chain,
    checker: ChunkChecker,
    /// The files that hold chunks.
    objects: Vec<String>,
    /// The decoded size of one of them, in bytes.
    object_bytes: u64,
}

/// Decodes every stored chunk of the arrays.
pub(crate) fn check(
    source: &dyn FileSource,
    tree: &Tree,
    arrays: &[&Node],
    progress: &dyn Progress,
    faults: &mut Faults,
) -> Result<(), OmeZarrError> {
    let mut jobs = Vec::new();
    for array in arrays {
        faults.judge(array);
        jobs.extend(job(tree, array, faults));
    }
    let total = jobs.iter().map(|job| job.object_bytes.saturating_mul(job.objects.len() as u64)).sum();
    let watch = Watch { progress, done: AtomicU64::new(0), total };
    let (small, large): (Vec<&Job<'_>>, Vec<&Job<'_>>) =
        jobs.iter().partition(|job| job.checker.chunk_bytes() <= PARALLEL_CHUNK_BYTES);
    let mut found: Vec<(&Node, Vec<BadChunk>)> = small
        .par_iter()
        .map(|job| Ok((job.node, job.run(source, &watch, true)?)))
        .collect::<Result<_, OmeZarrError>>()?;
    for job in large {
        found.push((job.node, job.run(source, &watch, false)?));
    }
    for (node, bad) in found {
        faults.judge(node);
        for BadChunk { rule, file, message } in bad {
            faults.add(rule, file, message, hint(rule));
        }
    }
    Ok(())
}

fn hint(rule: Rule) -> &'static str {
    match rule {
        Rule::ChunkIndex | Rule::ChunkOverlap => "Write the shard again, or take a fresh copy of it.",
        Rule::ChunkUnchecked => "Compress with blosc or zstd, in chunks of 0.5 to 2 MiB.",
        _ => "Write the chunk again, or take a fresh copy of it.",
    }
}

/// What is needed to check an array; nothing, with the reason, where it cannot be checked.
fn job<'a>(tree: &Tree, node: &'a Node, faults: &mut Faults) -> Option<Job<'a>> {
    // An array that cannot be understood was reported when it was.
    let meta = ArrayMeta::read(node).ok()?;
    let mut unchecked = |reason: String| {
        let message = format!("the pixels are not checked: {reason}");
        faults.add(Rule::ChunkUnchecked, node.file.clone(), message, hint(Rule::ChunkUnchecked));
        None
    };
    let chunk_bytes = meta.bytes_of(meta.chunk_shape()).unwrap_or(u64::MAX);
    if chunk_bytes > MAX_CHUNK_BYTES {
        return unchecked(format!("one chunk has {} MiB decoded", chunk_bytes >> 20));
    }
    let chain = match Chain::read(node) {
        Ok(chain) => chain,
        Err(reason) => return unchecked(reason),
    };
    let decoder = match Decoder::new(node, &meta, &chain) {
        Ok(decoder) => decoder,
        Err(reason) => return unchecked(reason),
    };
    let objects = match objects(tree, node, &meta) {
        Ok(objects) => objects,
        Err(reason) => return unchecked(reason),
    };
    let object_bytes = meta.bytes_of(&meta.object_shape).unwrap_or(u64::MAX);
    let checker = ChunkChecker::new(decoder, &chain, chunk_bytes);
    Some(Job { node, meta, chain, checker, objects, object_bytes })
}

/// The files of an array that hold its chunks; those that may, where files cannot be listed.
fn objects(tree: &Tree, node: &Node, meta: &ArrayMeta) -> Result<Vec<String>, String> {
    if tree.is_listed {
        return Ok(chunk_objects(tree, node, meta).into_iter().map(|(file, _)| file).collect());
    }
    let grid: Vec<u64> = meta.shape.iter().zip(&meta.object_shape).map(|(size, chunk)| size.div_ceil(*chunk)).collect();
    let count = grid.iter().fold(1u64, |count, side| count.saturating_mul(*side));
    if count > MAX_GRID {
        return Err(format!("the source cannot list its files, and there may be {count} chunks"));
    }
    let mut chunks = vec![Vec::new()];
    for side in grid {
        chunks = chunks
            .into_iter()
            .flat_map(|chunk: Vec<u64>| (0..side).map(move |index| [chunk.as_slice(), &[index]].concat()))
            .collect();
    }
    Ok(chunks.iter().map(|chunk| join(&node.folder, &meta.keys.encode(chunk))).collect())
}

/// How far the work is, and whether it is still wanted.
struct Watch<'a> {
    progress: &'a dyn Progress,
    done: AtomicU64,
    total: u64,
}

impl Watch<'_> {
    fn check(&self) -> Result<(), OmeZarrError> {
        if self.progress.is_cancelled() { Err(OmeZarrError::Cancelled) } else { Ok(()) }
    }

    fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        self.progress.advance(done.min(self.total), self.total);
    }
}

impl Job<'_> {
    fn run(
        &self,
        source: &dyn FileSource,
        watch: &Watch<'_>,
        in_parallel: bool,
    ) -> Result<Vec<BadChunk>, OmeZarrError> {
        let bad = AtomicUsize::new(0);
        let check = |file: &String| -> Result<Vec<BadChunk>, OmeZarrError> {
            watch.check()?;
            if bad.load(Ordering::Relaxed) >= MAX_BAD_CHUNKS {
                return Ok(Vec::new());
            }
            let found = match &self.chain.sharding {
                Some(sharding) => shard::check(source, file, &self.meta, *sharding, &self.checker, watch)?,
                None => self.check_whole(source, file)?,
            };
            bad.fetch_add(found.len(), Ordering::Relaxed);
            watch.advance(self.object_bytes);
            Ok(found)
        };
        let found: Vec<Vec<BadChunk>> = if in_parallel {
            self.objects.par_iter().map(check).collect::<Result<_, _>>()?
        } else {
            self.objects.iter().map(check).collect::<Result<_, _>>()?
        };
        Ok(found.into_iter().flatten().collect())
    }

    /// A chunk in a file of its own.
    fn check_whole(&self, source: &dyn FileSource, file: &str) -> Result<Vec<BadChunk>, OmeZarrError> {
        let Some(size) = source.size(file)? else { return Ok(Vec::new()) };
        if size > self.checker.encoded_limit() {
            let message = format!("the chunk has {size} bytes, more than it should decode to");
            return Ok(vec![BadChunk::new(Rule::ChunkSize, file, message)]);
        }
        let encoded = source.read(file, 0..size)?;
        Ok(self
            .checker
            .check(&encoded)
            .err()
            .map(|(rule, message)| BadChunk::new(rule, file, message))
            .into_iter()
            .collect())
    }
}
