use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

use crate::error::OmeZarrError;

/// Decoded parts kept for one image, in bytes.
pub(crate) const MAX_KEPT: usize = 64 << 20;
/// Above this size, parts are decoded one at a time.
const LARGE: u64 = 16 << 20;

/// Decoded parts of an image that may be needed again, within bounds: what is kept, and what is in the making.
pub(super) struct Cache<K: Hash + Eq> {
    kept: Mutex<Kept<K>>,
    /// One large part at a time, so that threads do not each hold one.
    large: Mutex<()>,
}

struct Kept<K: Hash + Eq> {
    parts: LruCache<K, Arc<Vec<u8>>>,
    bytes: usize,
}

impl<K: Hash + Eq> Default for Cache<K> {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { parts: LruCache::unbounded(), bytes: 0 }), large: Mutex::new(()) }
    }
}

impl<K: Hash + Eq + Copy> Cache<K> {
    /// A part that decodes to `bytes` bytes: the one that is kept, or the one that is made now.
    pub(super) fn get(
        &self,
        key: K,
        bytes: u64,
        make: impl FnOnce() -> Result<Vec<u8>, OmeZarrError>,
    ) -> Result<Arc<Vec<u8>>, OmeZarrError> {
        if let Some(part) = self.kept(key) {
            return Ok(part);
        }
        let _turn = (bytes > LARGE).then(|| locked(&self.large));
        if let Some(part) = self.kept(key) {
            return Ok(part);
        }
        let part = Arc::new(make()?);
        self.keep(key, &part);
        Ok(part)
    }

    fn kept(&self, key: K) -> Option<Arc<Vec<u8>>> {
        locked(&self.kept).parts.get(&key).map(Arc::clone)
    }

    fn keep(&self, key: K, part: &Arc<Vec<u8>>) {
        let mut kept = locked(&self.kept);
        kept.bytes += part.len();
        if let Some(before) = kept.parts.put(key, Arc::clone(part)) {
            kept.bytes -= before.len();
        }
        while kept.bytes > MAX_KEPT && kept.parts.len() > 1 {
            let Some((_, dropped)) = kept.parts.pop_lru() else { break };
            kept.bytes -= dropped.len();
        }
    }
}

/// A cache is as good after a panic as before.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays_within_its_bound_and_the_last_part_always_stays() {
        let cache = Cache::default();
        for key in 0..10 {
            cache.get(key, 0, || Ok(vec![0; 20 << 20])).unwrap();
        }
        assert!(locked(&cache.kept).bytes <= MAX_KEPT);
        cache.get(99, 0, || Ok(vec![0; MAX_KEPT + 1])).unwrap();
        let made_again = || Err(OmeZarrError::Cancelled);
        assert_eq!(cache.get(99, 0, made_again).unwrap().len(), MAX_KEPT + 1);
    }
}
