use std::{
    hash::Hash,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use lru::LruCache;

use crate::locks::unpoisoned;

/// The values used last, up to a total weight; values are cheap clones of something shared.
#[derive(Debug)]
pub(crate) struct Cache<K: Hash + Eq, V> {
    limit: u64,
    held: Mutex<Held<K, V>>,
    /// Counts removals, so that what was read before one is not kept after it.
    epoch: AtomicU64,
}

#[derive(Debug)]
struct Held<K: Hash + Eq, V> {
    values: LruCache<K, (V, u64)>,
    weight: u64,
}

/// When a value began to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(u64);

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// A cache of at most `limit`, in the unit its values are weighed in.
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, held: Mutex::new(Held { values: LruCache::unbounded(), weight: 0 }), epoch: AtomicU64::new(0) }
    }

    /// The value, when it is held.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        unpoisoned(&self.held).values.get(key).map(|(value, _)| value.clone())
    }

    /// To be asked before a value is read, and handed to [`insert`](Self::insert).
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    /// Keeps a value, unless something was removed since it began to be read.
    pub(crate) fn insert(&self, key: K, value: V, weight: u64, since: Epoch) {
        let mut held = unpoisoned(&self.held);
        if self.epoch.load(Ordering::Acquire) != since.0 || weight > self.limit {
            return;
        }
        if let Some((_, (_, old))) = held.values.push(key, (value, weight)) {
            held.weight -= old;
        }
        held.weight += weight;
        while held.weight > self.limit
            && let Some((_, (_, old))) = held.values.pop_lru()
        {
            held.weight -= old;
        }
    }

    /// Drops every value whose key matches.
    pub(crate) fn remove(&self, matches: impl Fn(&K) -> bool)
    where
        K: Clone,
    {
        let mut held = unpoisoned(&self.held);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        let gone: Vec<K> = held.values.iter().map(|(key, _)| key).filter(|key| matches(key)).cloned().collect();
        for key in gone {
            if let Some((_, weight)) = held.values.pop(&key) {
                held.weight -= weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_the_weight_is_reached() {
        let cache = Cache::new(10);
        for key in 0..4 {
            cache.insert(key, key, 4, cache.epoch());
        }
        cache.insert(9, 9, 11, cache.epoch());
        let held: Vec<i32> = (0..10).filter_map(|key| cache.get(&key)).collect();
        assert_eq!(held, [2, 3]);
        cache.insert(2, 20, 6, cache.epoch());
        assert_eq!((cache.get(&2), cache.get(&3)), (Some(20), Some(3)));
    }

    #[test]
    fn what_was_read_before_a_removal_is_not_kept_after_it() {
        let cache = Cache::new(10);
        cache.insert("kept", 1, 1, cache.epoch());
        let since = cache.epoch();
        cache.remove(|key| *key == "other");
        cache.insert("stale", 2, 1, since);
        assert_eq!((cache.get(&"stale"), cache.get(&"kept")), (None, Some(1)));
    }
}
