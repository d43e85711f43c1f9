use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use dataset_model::DatasetId;
use tokio::sync::OwnedMutexGuard;

/// One lock per dataset, for as long as somebody holds or awaits it.
#[derive(Debug, Default)]
pub(crate) struct DatasetLocks {
    held: Mutex<HashMap<DatasetId, Weak<tokio::sync::Mutex<()>>>>,
}

impl DatasetLocks {
    /// Waits until nobody else works on the dataset.
    pub(crate) async fn lock(&self, dataset: &DatasetId) -> OwnedMutexGuard<()> {
        self.entry(dataset).lock_owned().await
    }

    fn entry(&self, dataset: &DatasetId) -> Arc<tokio::sync::Mutex<()>> {
        let mut held = unpoisoned(&self.held);
        held.retain(|_, lock| lock.strong_count() > 0);
        let lock = held.get(dataset).and_then(Weak::upgrade).unwrap_or_default();
        held.insert(dataset.clone(), Arc::downgrade(&lock));
        lock
    }
}

/// Locks although another thread panicked: what these locks guard is a cache or a register, never half changed.
pub(crate) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_dataset_is_locked_alone_and_forgotten_afterwards() {
        let locks = DatasetLocks::default();
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        let guard = locks.lock(&a).await;
        assert!(locks.lock(&a).now_or_never().is_none());
        drop(locks.lock(&b).now_or_never().unwrap());
        drop(guard);
        drop(locks.lock(&a).now_or_never().unwrap());
        drop(locks.lock(&b).await);
        assert_eq!(unpoisoned(&locks.held).len(), 1);
    }
}
