//! How many do something at this moment.

use std::sync::atomic::{AtomicUsize, Ordering};

/// One of those that are counted, until it is dropped.
pub(crate) struct Counted<'a> {
    count: &'a AtomicUsize,
    /// How many there were before it.
    pub(crate) before: usize,
}

impl<'a> Counted<'a> {
    pub(crate) fn among(count: &'a AtomicUsize) -> Self {
        Self { before: count.fetch_add(1, Ordering::Relaxed), count }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
