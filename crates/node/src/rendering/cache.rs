//! Drawn pictures on disk, up to a size: those looked at least recently go first.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use dataset_model::{DatasetId, Digest};
use lru::LruCache;

/// What a small file takes on disk, in bytes, so that many of them are bounded too.
const LEAST: u64 = 4096;
/// The length of the digest behind a picture's bytes.
const SEAL: usize = 32;

/// The pictures of each dataset, in a folder of its own, by the digest of what they were made from.
pub(crate) struct PictureCache {
    folder: PathBuf,
    /// The most it holds, in bytes.
    limit: u64,
    held: Mutex<Held>,
    being_drawn: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

struct Held {
    files: LruCache<(String, String), u64>,
    bytes: u64,
}

impl PictureCache {
    /// Finds what an earlier run left in the folder.
    pub(crate) fn open(folder: PathBuf, limit: u64) -> Self {
        let cache = Self {
            folder,
            limit,
            held: Mutex::new(Held { files: LruCache::unbounded(), bytes: 0 }),
            being_drawn: Mutex::default(),
        };
        let mut found = cache.on_disk();
        found.sort();
        for (_, dataset, name, size) in found {
            cache.remember(dataset, name, size);
        }
        cache
    }

    /// Who draws this picture has the lock; who wants the same waits for it, and finds the picture then.
    pub(crate) fn drawing(&self, key: Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.being_drawn.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry(key).or_default().clone()
    }

    /// A picture, if it is held and whole.
    pub(crate) fn get(&self, dataset: &DatasetId, key: &Digest) -> Option<Vec<u8>> {
        let name = (dataset.to_string(), key.to_string());
        self.held().files.get(&name)?;
        let path = self.folder.join(&name.0).join(&name.1);
        let whole = std::fs::read(&path).ok().and_then(unsealed);
        if whole.is_none() {
            // Taken away or damaged: it is drawn again.
            let mut held = self.held();
            held.bytes -= held.files.pop(&name).unwrap_or(0);
        }
        whole
    }

    /// Keeps a picture. That it cannot be kept is no reason not to show it.
    pub(crate) fn put(&self, dataset: &DatasetId, key: &Digest, bytes: &[u8]) {
        let size = (bytes.len() as u64).max(LEAST);
        if size > self.limit {
            return;
        }
        match write(&self.folder.join(dataset.as_str()), &key.to_string(), bytes) {
            Ok(()) => self.remember(dataset.to_string(), key.to_string(), size),
            Err(error) => tracing::warn!(%error, folder = %self.folder.display(), "a picture could not be kept"),
        }
    }

    /// Removes all pictures of a dataset.
    pub(crate) fn forget(&self, dataset: &DatasetId) {
        let mut held = self.held();
        let names: Vec<_> =
            held.files.iter().map(|(name, _)| name).filter(|(of, _)| of == dataset.as_str()).cloned().collect();
        for name in names {
            held.bytes -= held.files.pop(&name).unwrap_or(0);
        }
        match std::fs::remove_dir_all(self.folder.join(dataset.as_str())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%dataset, %error, "pictures of a withdrawn dataset could not be removed");
            }
            _ => {}
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a file, and removes the oldest ones that no longer fit.
    fn remember(&self, dataset: String, name: String, size: u64) {
        let mut held = self.held();
        held.bytes += size;
        held.bytes -= held.files.put((dataset, name), size).unwrap_or(0);
        while held.bytes > self.limit
            && let Some(((dataset, name), size)) = held.files.pop_lru()
        {
            held.bytes -= size;
            if let Err(error) = std::fs::remove_file(self.folder.join(dataset).join(name)) {
                tracing::debug!(%error, "an old picture was gone already");
            }
        }
    }

    /// Every file that is there: age, dataset, name, size. What is no picture of ours is removed.
    fn on_disk(&self) -> Vec<(SystemTime, String, String, u64)> {
        let mut found = Vec::new();
        for folder in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let dataset = folder.file_name().to_string_lossy().into_owned();
            for file in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                let Ok(about) = file.metadata() else { continue };
                if name.parse::<Digest>().is_err() {
                    drop(std::fs::remove_file(file.path()));
                    continue;
                }
                let age = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push((age, dataset.clone(), name, about.len().max(LEAST)));
            }
        }
        found
    }
}

/// Writes a file whole or not at all, as far as readers see. After a loss of power it may be damaged, which its seal
/// shows: waiting for the disk would cost more than drawing again.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let temporary = folder.join(format!("{name}.{:016x}.new", rand::random::<u64>()));
    let sealed = [bytes, Digest::of(bytes).as_bytes()].concat();
    std::fs::write(&temporary, sealed)?;
    std::fs::rename(&temporary, folder.join(name))
}

fn unsealed(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let length = bytes.len().checked_sub(SEAL)?;
    let seal = bytes.split_off(length);
    (Digest::of(&bytes).as_bytes().as_slice() == seal).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(name: &str) -> DatasetId {
        name.parse().unwrap()
    }

    fn key(number: u32) -> Digest {
        Digest::of(number.to_string())
    }

    #[test]
    fn the_pictures_looked_at_least_recently_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PictureCache::open(folder.path().into(), 3 * LEAST);
        let a = dataset("a-1");
        for number in 0..3 {
            cache.put(&a, &key(number), b"picture");
        }
        assert!(cache.get(&a, &key(0)).is_some());
        cache.put(&a, &key(3), b"picture");
        assert!(cache.get(&a, &key(1)).is_none(), "the oldest is gone");
        assert_eq!(cache.get(&a, &key(0)).unwrap(), b"picture");
        assert_eq!(std::fs::read_dir(folder.path().join("a-1")).unwrap().count(), 3);
    }

    #[test]
    fn what_an_earlier_run_left_is_found_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let a = dataset("a-1");
        let first = PictureCache::open(folder.path().into(), 10 * LEAST);
        (0..5).for_each(|number| first.put(&a, &key(number), b"picture"));
        std::fs::write(folder.path().join("a-1/x.new"), b"half a picture").unwrap();
        let second = PictureCache::open(folder.path().into(), 2 * LEAST);
        assert_eq!((0..5).filter(|number| second.get(&a, &key(*number)).is_some()).count(), 2);
        assert_eq!(std::fs::read_dir(folder.path().join("a-1")).unwrap().count(), 2);
    }

    #[test]
    fn a_damaged_picture_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PictureCache::open(folder.path().into(), 10 * LEAST);
        let a = dataset("a-1");
        for damaged in [b"".as_slice(), b"short", &[0; 100]] {
            cache.put(&a, &key(1), b"picture");
            std::fs::write(folder.path().join("a-1").join(key(1).to_string()), damaged).unwrap();
            assert_eq!(cache.get(&a, &key(1)), None);
        }
    }

    #[test]
    fn a_forgotten_dataset_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PictureCache::open(folder.path().into(), 10 * LEAST);
        cache.put(&dataset("a-1"), &key(1), b"picture");
        cache.put(&dataset("a-2"), &key(1), b"picture");
        cache.forget(&dataset("a-1"));
        assert!(cache.get(&dataset("a-1"), &key(1)).is_none() && cache.get(&dataset("a-2"), &key(1)).is_some());
        assert!(!folder.path().join("a-1").exists());
    }

    #[test]
    fn nothing_is_kept_where_nothing_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PictureCache::open(folder.path().join("x"), 0);
        cache.put(&dataset("a-1"), &key(1), b"picture");
        assert!(cache.get(&dataset("a-1"), &key(1)).is_none() && !folder.path().join("x").exists());
    }
}
