//! The one file that names the engine (sled 0.34).
//!
//! # What is stored
//! One tree, so that every change is one engine batch and an append can never be half done. The first byte of a key is
//! its space (`keys.rs`); numbers in keys are big-endian, so that order in the tree is order in the log; `/` separates
//! names, which cannot hold one.
//!
//! | space | key | value |
//! |---|---|---|
//! | `n` log | node | size (u64) and root (32 bytes) of the node's log |
//! | `e` entry | node `/` index | record: the entry's canonical bytes |
//! | `h` hash | node `/` level (u8) index (u64) | Merkle hash of the complete subtree over 2^level entries (32 bytes) |
//! | `d` head | node `/` dataset | index of the last entry about the dataset (u64) |
//! | `c` crate | digest (32 bytes) | record: the crate, zstd-compressed |
//! | `u` use | digest (32 bytes) node `/` dataset | nothing: an entry about the dataset pointed to the crate |
//! | `k` document | collection `/` key | record: JSON |
//! | `p` piece | generation (u64) number (u32) | up to 4 KiB of a long record |
//!
//! A *record* is `0` and the value, or, when that has more than 4 KiB, `1`, a random generation (u64) and the number of
//! its pieces (u32). Long values are cut because the engine moves pages of more than 128 KiB (its leaves hold some 17
//! values) into files of their own, which it never syncs.
//!
//! # What a crash leaves
//! * *Before the batch is applied*: nothing of it.
//! * *While or after it is applied, before the sync*: on reading its log back the engine takes up a batch entirely or
//!   not at all. No caller was told of it and no reader saw the new size, so that both are right.
//! * *After the sync*: all of it.
//! * *A torn tail of the engine's log* (power loss): cut off by its checksums, as above. The engine's own flush ends in
//!   `sync_file_range`, which leaves the disk's cache and the file's length to luck; [`Database::sync`] therefore asks
//!   the file system for a real sync of the same file.
//! * *While the engine is opened*: its recovery can be repeated, once a snapshot that is not whole is removed.
//! * *Bit rot, or an engine that did not keep its word*: [`crate::Ledger::open`] compares size, root, hashes and last
//!   entry of each log, and refuses a folder in which they disagree rather than signing a second history.
//!
//! A failed write or sync stops all writing until the ledger is opened again, because what reached the disk is unknown. So
//! that a full disk is no such failure, nothing is begun unless [`HEADROOM`] and a multiple of what is written are free.

use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{LedgerError, error::Cause};

const ENGINE_FILE: &str = "db";
const LOCK_FILE: &str = "ledger.lock";
const CACHE_BYTES: u64 = 256 * 1024 * 1024;
/// How long threads and starting children of this process may keep the engine's file after a ledger was closed.
const CLOSING: Duration = Duration::from_secs(10);
/// Bytes that must be free before anything is written: pages that the engine moves, and what others write meanwhile.
const HEADROOM: u64 = 16 * 1024 * 1024;
/// Bytes on the disk for each byte that is written, at most: a changed page is written whole.
const GROWTH: u64 = 4;

/// Keys and what to store under them; `None` removes. Applied together or not at all.
pub(crate) type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// An ordered map of bytes on disk.
pub(crate) struct Database {
    folder: PathBuf,
    engine: sled::Db,
    file: File,
    reads: Reads,
    /// Held as long as the engine is; dropped last, so that the next owner finds the engine closed.
    _lock: Lock,
}

/// The lock on the folder.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a child process that is being started holds a copy of it until it runs its own
    /// program, and the lock with it. An error leaves the lock to that closing.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the ledger could not be released");
        }
    }
}

impl Database {
    pub(crate) fn open(dir: &Path) -> Result<Self, LedgerError> {
        let failed = |source: Cause| LedgerError::Open { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(|error| failed(error.into()))?;
        let lock = lock(dir)?;
        require_space(dir, 0)?;
        remove_unfinished_snapshots(dir).map_err(|error| failed(error.into()))?;
        let engine = open_engine(dir).map_err(|error| failed(error.into()))?;
        let file = File::options().write(true).open(dir.join(ENGINE_FILE)).map_err(|error| failed(error.into()))?;
        File::open(dir).and_then(|folder| folder.sync_all()).map_err(|error| failed(error.into()))?;
        Ok(Self { folder: dir.to_owned(), engine, file, reads: Reads::default(), _lock: lock })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LedgerError> {
        let value = self.reads.told(self.engine.get(key))?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    pub(crate) fn contains(&self, key: &[u8]) -> Result<bool, LedgerError> {
        self.reads.told(self.engine.contains_key(key))
    }

    /// All keys that start with `prefix`, in order, with their values. What is written meanwhile may or may not show.
    pub(crate) fn scan(&self, prefix: &[u8]) -> impl Iterator<Item = Result<(Vec<u8>, Bytes), LedgerError>> + use<> {
        self.reads.clone().pairs(self.engine.scan_prefix(prefix))
    }

    /// All keys from `from` on and before `to`, in order, with their values.
    pub(crate) fn range(
        &self,
        from: Vec<u8>,
        to: Vec<u8>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Bytes), LedgerError>> + use<> {
        self.reads.clone().pairs(self.engine.range(from..to))
    }

    /// All keys from `from` to `to`, both included, the last one first.
    pub(crate) fn backwards(
        &self,
        from: Vec<u8>,
        to: Vec<u8>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Bytes), LedgerError>> + use<> {
        self.reads.clone().pairs(self.engine.range(from..=to).rev())
    }

    /// Whether a read has failed since this was asked last.
    pub(crate) fn has_failed_to_read(&self) -> bool {
        self.reads.failed.swap(false, Ordering::Relaxed)
    }

    /// Bytes that are free where it is kept.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        fs4::available_space(&self.folder).ok()
    }

    /// Fails when there may be no room for writes of so many bytes.
    pub(crate) fn require_space(&self, bytes: u64) -> Result<(), LedgerError> {
        require_space(&self.folder, bytes)
    }

    /// Applies all writes together. They are seen at once, and are durable after the next [`sync`](Self::sync).
    pub(crate) fn apply(&self, writes: Writes) -> Result<(), LedgerError> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.engine.apply_batch(batch).map_err(engine_failed)
    }

    /// Makes everything applied before durable.
    pub(crate) fn sync(&self) -> Result<(), LedgerError> {
        self.engine.flush().map_err(engine_failed)?;
        self.file.sync_data().map_err(|error| LedgerError::Write(error.into()))
    }
}

/// What reading has come to. The engine tells of a write that failed in the background with whatever comes next, and that may
/// be a read.
#[derive(Clone, Default)]
struct Reads {
    failed: Arc<AtomicBool>,
}

impl Reads {
    fn told<T>(&self, outcome: sled::Result<T>) -> Result<T, LedgerError> {
        outcome.map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            match error {
                // No read needs room.
                sled::Error::Io(error) if error.kind() == ErrorKind::StorageFull => LedgerError::Stopped,
                other => LedgerError::Read(other.into()),
            }
        })
    }

    fn pairs(
        self,
        items: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Bytes), LedgerError>> {
        items.map(move |item| {
            let (key, value) = self.told(item)?;
            Ok((key.to_vec(), Bytes::copy_from_slice(&value)))
        })
    }
}

fn require_space(dir: &Path, bytes: u64) -> Result<(), LedgerError> {
    let needed = HEADROOM.saturating_add(bytes.saturating_mul(GROWTH));
    // A file system that does not say what is free has to say so when it is written to.
    let free = fs4::available_space(dir).unwrap_or(u64::MAX);
    if free >= needed { Ok(()) } else { Err(LedgerError::Full { free, needed }) }
}

/// A crash or a full disk while the engine opens may leave a snapshot that is not whole. The engine would take it for the newest
/// one, and refuse to open; the one before is still there.
fn remove_unfinished_snapshots(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<Lock, LedgerError> {
    let failed = |source: std::io::Error| LedgerError::Open { path: dir.to_owned(), source: source.into() };
    let path = dir.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Opens the engine. Its own lock may outlive a ledger that was just closed (see [`CLOSING`]): nobody else can hold it,
/// because ours is taken, so it is waited for.
fn open_engine(dir: &Path) -> Result<sled::Db, sled::Error> {
    let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES);
    let started = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if is_lock(&error) && started.elapsed() < CLOSING => {
                std::thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}

/// The engine reports its lock as text alone.
fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// The engine hides what the system said from those who ask for causes.
fn engine_failed(error: sled::Error) -> LedgerError {
    LedgerError::Write(match error {
        sled::Error::Io(error) => error.into(),
        other => other.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_tells_of_a_write_without_room_is_remembered() {
        let reads = Reads::default();
        let of_a_scan = reads.clone();
        assert_eq!(reads.told(Ok(1)).unwrap(), 1);
        assert!(!reads.failed.load(Ordering::Relaxed));
        let full = || sled::Error::Io(ErrorKind::StorageFull.into());
        let told: Vec<_> = of_a_scan.pairs(std::iter::once(Err(full()))).collect();
        assert!(matches!(told[..], [Err(LedgerError::Stopped)]), "{told:?}");
        assert!(reads.failed.load(Ordering::Relaxed), "also what a scan was told");
    }
}
