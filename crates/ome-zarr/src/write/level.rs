//! Writes one array, and the pixels of the next level with it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    path::PathBuf,
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use crate::{
    array::DataType,
    error::OmeZarrError,
    pixels::{Block, Region, copy},
    raster::{C, T, Tczyx, X, Y, Z},
};

use super::{
    bands::{Bands, Part, counts, part},
    compression::Compression,
    encoder::{Encoder, Started},
    journal::Ranges,
    layout::{LevelLayout, bytes as bytes_of, per_axis, shrunk},
    reduce::{self, Reduction},
    shard::{self, ShardFile},
    spool::Spool,
    turns::{Turns, Watch},
    work::Work,
};

/// Bands that are complete and wait for the disk.
const MAX_WAITING: usize = 4;

/// Reads a region of the level's pixels.
pub(super) type Read<'a> = dyn Fn(&Tczyx, &Tczyx, &mut [u8]) -> Result<(), OmeZarrError> + Sync + 'a;

/// An array to write.
pub(super) struct LevelTask<'a> {
    /// Its path in the tree that is written.
    pub(super) name: String,
    /// Where it is written.
    pub(super) folder: PathBuf,
    /// Which of t, c, z, y and x it has, in order.
    pub(super) axes: &'a [usize],
    pub(super) layout: &'a LevelLayout,
    pub(super) data_type: DataType,
    pub(super) compression: Compression,
    pub(super) read: &'a Read<'a>,
    /// What the source decodes together, in pixels.
    pub(super) block: Tczyx,
    /// Where the pixels of the next level go.
    pub(super) next: Option<Next<'a>>,
}

/// The level after the one that is written.
pub(super) struct Next<'a> {
    pub(super) spool: &'a Spool,
    pub(super) step: Tczyx,
    pub(super) reduction: Reduction,
}

/// Writes the array's chunks; gives the range of values in each channel. Groups that an earlier run has completed are
/// left as they are.
pub(super) fn write(task: &LevelTask<'_>, work: &Work<'_>) -> Result<Ranges, OmeZarrError> {
    let step = task.next.as_ref().map_or([1; 5], |next| next.step);
    let pixel = task.data_type.size() as u64;
    let bands = Bands::new(task.layout, &step, &task.block, pixel, work.memory);
    let mut ranges = Ranges::new();
    let mut open = Vec::new();
    for group in 0..bands.groups() {
        match work.journal.done(&task.name, group) {
            Some(done) => {
                widen(&mut ranges, done);
                let shape = bands.group(group).shape;
                work.advance(bytes_of(&shape, pixel));
            }
            None => open.push(group),
        }
    }
    let decode = |reason| OmeZarrError::decode(&task.name, reason);
    let encoder = Encoder::new(&task.layout.chunk, task.data_type, task.compression, task.layout.shard.is_some())
        .map_err(decode)?;
    let workers = work.workers(bands.band_bytes(), bytes_of(&task.block, pixel))?;
    let writer = Writer { task, work, encoder, turns: Turns::default(), group: Mutex::default() };
    let found = writer.run(&bands, &open, workers)?;
    widen(&mut ranges, &found);
    Ok(ranges)
}

/// Ranges that include others.
pub(super) fn widen(ranges: &mut Ranges, others: &Ranges) {
    for (channel, (low, high)) in others {
        let range = ranges.entry(*channel).or_insert((*low, *high));
        *range = (range.0.min(*low), range.1.max(*high));
    }
}

/// A band in its place.
struct Turn {
    number: u64,
    group: u64,
    band: Part,
    is_last: bool,
}

/// What a band has become.
#[derive(Default)]
struct Prepared {
    /// Chunks for shards: which shard, the place in it, and the bytes.
    chunks: Vec<(Tczyx, usize, Vec<u8>)>,
    /// Chunks that are files of their own, and written.
    files: Vec<PathBuf>,
    ranges: Ranges,
}

/// A group whose bands are all written.
struct Complete {
    group: u64,
    parts: Parts,
}

/// What there is of a group.
#[derive(Default)]
struct Parts {
    shards: BTreeMap<Tczyx, ShardFile>,
    files: Vec<PathBuf>,
    ranges: Ranges,
}

struct Writer<'a> {
    task: &'a LevelTask<'a>,
    work: &'a Work<'a>,
    encoder: Encoder,
    turns: Turns,
    group: Mutex<Parts>,
}

impl Writer<'_> {
    /// Works on bands side by side; shards are written in order, and finished by a thread of their own, which waits for
    /// the disk.
    fn run(&self, bands: &Bands, groups: &[u64], workers: usize) -> Result<Ranges, OmeZarrError> {
        let numbered = groups.iter().flat_map(|group| {
            let mut parts = bands.of(bands.group(*group)).peekable();
            std::iter::from_fn(move || {
                let band = parts.next()?;
                Some((*group, band, parts.peek().is_none()))
            })
        });
        let queue =
            Mutex::new(numbered.zip(0..).map(|((group, band, is_last), number)| Turn { number, group, band, is_last }));
        let (sender, receiver) = sync_channel(MAX_WAITING);
        std::thread::scope(|scope| {
            let sealer = scope.spawn(|| self.seal_all(receiver));
            let workers: Vec<_> = (0..workers)
                .map(|_| {
                    let sender = sender.clone();
                    let queue = &queue;
                    scope.spawn(move || self.take_turns(|| queue.lock().ok()?.next(), &sender))
                })
                .collect();
            drop(sender);
            let outcomes = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(broken())));
            let mut errors: Vec<OmeZarrError> = outcomes.filter_map(Result::err).collect();
            let ranges = sealer.join().unwrap_or_else(|_| Err(broken()));
            // When one thread fails the others stop, which is no reason of its own.
            errors.sort_by_key(|error| matches!(error, OmeZarrError::Cancelled));
            match (ranges, errors.into_iter().next()) {
                (Ok(ranges), None) => Ok(ranges),
                (Err(error), _) | (Ok(_), Some(error)) => Err(error),
            }
        })
    }

    fn take_turns(
        &self,
        mut next: impl FnMut() -> Option<Turn>,
        sender: &SyncSender<Complete>,
    ) -> Result<(), OmeZarrError> {
        let watch = Watch::over(&self.turns);
        let mut scratch = Scratch::default();
        while let Some(turn) = next() {
            self.work_on(&turn, &mut scratch, sender)?;
        }
        watch.all_is_well();
        Ok(())
    }

    fn work_on(&self, turn: &Turn, scratch: &mut Scratch, sender: &SyncSender<Complete>) -> Result<(), OmeZarrError> {
        if self.work.progress.is_cancelled() {
            return Err(OmeZarrError::Cancelled);
        }
        let prepared = self.prepare(&turn.band, scratch)?;
        if !self.turns.wait_for(turn.number) {
            return Err(OmeZarrError::Cancelled);
        }
        let complete = self.append(turn, prepared)?;
        self.turns.pass();
        self.work.advance(scratch.pixels.len() as u64);
        match complete {
            Some(complete) => sender.send(complete).map_err(|_| OmeZarrError::Cancelled),
            None => Ok(()),
        }
    }

    /// Reads a band, makes the next level's pixels of it, and encodes its chunks.
    fn prepare(&self, band: &Part, scratch: &mut Scratch) -> Result<Prepared, OmeZarrError> {
        let pixel = self.task.data_type.size();
        let length = bytes_of(&band.shape, pixel as u64) as usize;
        scratch.pixels.resize(length, 0);
        (self.task.read)(&band.start, &band.shape, &mut scratch.pixels)?;
        let mut prepared = Prepared { ranges: self.each_stack(band, scratch)?, ..Prepared::default() };
        let chunk = &self.task.layout.chunk;
        let count = counts(&band.shape, chunk).iter().product();
        for index in 0..count {
            let place = part(index, band, chunk);
            let pixels = gather(&scratch.pixels, band, &place, chunk, &mut scratch.chunk, pixel);
            let bytes = self
                .encoder
                .encode(pixels, &mut scratch.started)
                .map_err(|reason| OmeZarrError::decode(&self.task.name, reason))?;
            let Some(bytes) = bytes else { continue };
            if self.task.layout.shard.is_some() {
                let (shard, inner) = self.address(&place);
                prepared.chunks.push((shard, inner, bytes));
            } else {
                let path = self.path(&per_axis(|axis| place.start[axis] / chunk[axis]));
                shard::write_chunk(&path, &bytes).map_err(|error| OmeZarrError::write(&path, error))?;
                prepared.files.push(path);
            }
        }
        Ok(prepared)
    }

    /// Looks at each stack of a band: its range of values, and its pixels in the next level.
    fn each_stack(&self, band: &Part, scratch: &mut Scratch) -> Result<Ranges, OmeZarrError> {
        let (data_type, pixel) = (self.task.data_type, self.task.data_type.size());
        let stack = [Z, Y, X].map(|axis| band.shape[axis] as usize);
        let mut stacks = scratch.pixels.chunks_exact((stack.iter().product::<usize>() * pixel).max(1));
        let mut ranges = Ranges::new();
        for t in band.start[T]..band.start[T] + band.shape[T] {
            for c in band.start[C]..band.start[C] + band.shape[C] {
                let Some(bytes) = stacks.next() else { break };
                if let Some(range) = reduce::range(data_type, bytes) {
                    widen(&mut ranges, &Ranges::from([(c, range)]));
                }
                let Some(next) = &self.task.next else { continue };
                let start =
                    per_axis(|axis| [t, c, band.start[Z], band.start[Y], band.start[X]][axis] / next.step[axis]);
                let shape = shrunk(&[1, 1, band.shape[Z], band.shape[Y], band.shape[X]], &next.step);
                let step = [Z, Y, X].map(|axis| next.step[axis] as usize);
                scratch.reduced.resize(bytes_of(&shape, pixel as u64) as usize, 0);
                let block = reduce::Block { bytes, shape: stack };
                reduce::reduce(next.reduction, data_type, block, step, &mut scratch.reduced);
                let written = next.spool.write(&start, &shape, &scratch.reduced);
                written.map_err(|error| OmeZarrError::write(&self.task.folder, error))?;
            }
        }
        Ok(ranges)
    }

    /// Appends a band's chunks to their shards; the last band of a group completes it.
    fn append(&self, turn: &Turn, prepared: Prepared) -> Result<Option<Complete>, OmeZarrError> {
        let mut group = self.group.lock().map_err(|_| broken())?;
        for (shard, place, bytes) in prepared.chunks {
            let path = self.path(&shard);
            let failed = |error| OmeZarrError::write(&path, error);
            let file = match group.shards.entry(shard) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(new) => {
                    let inner = counts(&self.task.layout.object(), &self.task.layout.chunk).iter().product::<u64>();
                    new.insert(ShardFile::create(&path, inner as usize).map_err(failed)?)
                }
            };
            file.append(place, &bytes).map_err(failed)?;
        }
        group.files.extend(prepared.files);
        widen(&mut group.ranges, &prepared.ranges);
        Ok(turn.is_last.then(|| Complete { group: turn.group, parts: std::mem::take(&mut *group) }))
    }

    /// Finishes groups as they become complete; gives all their ranges.
    fn seal_all(&self, complete: Receiver<Complete>) -> Result<Ranges, OmeZarrError> {
        let mut ranges = Ranges::new();
        for Complete { group, parts } in complete {
            let sealed = parts.shards.into_values().try_for_each(ShardFile::finish);
            let sealed = sealed.and_then(|()| parts.files.iter().try_for_each(|file| shard::sync(file)));
            let noted = sealed.and_then(|()| self.work.journal.note(&self.task.name, group, &parts.ranges));
            noted.map_err(|error| OmeZarrError::write(&self.task.folder, error))?;
            widen(&mut ranges, &parts.ranges);
        }
        Ok(ranges)
    }

    /// The shard a chunk is in, and its place in the shard's index.
    fn address(&self, chunk: &Part) -> (Tczyx, usize) {
        let (shard, inner) = (self.task.layout.object(), self.task.layout.chunk);
        let sides = counts(&shard, &inner);
        let place = (0..5).fold(0, |place, axis| place * sides[axis] + chunk.start[axis] % shard[axis] / inner[axis]);
        (per_axis(|axis| chunk.start[axis] / shard[axis]), place as usize)
    }

    /// The file of a chunk or shard (Zarr 3, chunk key encoding `default`).
    fn path(&self, object: &Tczyx) -> PathBuf {
        let mut path = self.task.folder.join("c");
        path.extend(self.task.axes.iter().filter_map(|axis| object.get(*axis)).map(u64::to_string));
        path
    }
}

/// Memory that a worker uses again.
#[derive(Default)]
struct Scratch {
    pixels: Vec<u8>,
    reduced: Vec<u8>,
    chunk: Vec<u8>,
    started: Started,
}

/// The pixels of a chunk, 0 where it reaches beyond the end of the array.
fn gather<'a>(
    pixels: &'a [u8],
    band: &Part,
    place: &Part,
    chunk: &Tczyx,
    scratch: &'a mut Vec<u8>,
    pixel: usize,
) -> &'a [u8] {
    if place.shape == *chunk && band.shape == *chunk {
        return pixels;
    }
    let length = bytes_of(chunk, pixel as u64) as usize;
    if place.shape != *chunk {
        scratch.clear();
    }
    scratch.resize(length, 0);
    let region = |part: &Part| Region { start: part.start.to_vec(), shape: part.shape.to_vec() };
    let from = Block { bytes: pixels, start: band.start.to_vec(), shape: band.shape.to_vec() };
    let mut to = Block { bytes: scratch.as_mut_slice(), start: place.start.to_vec(), shape: chunk.to_vec() };
    copy(&from, &mut to, &region(place), pixel);
    scratch
}

fn broken() -> OmeZarrError {
    OmeZarrError::write(&PathBuf::new(), io::Error::other("a thread of the writer failed"))
}
