use std::sync::atomic::{AtomicBool, Ordering};

/// How long work is followed, and stopped: validations and conversions take minutes on large images.
pub trait Progress: Send + Sync {
    /// `done` of `total` bytes of decoded pixels have been worked on. May be called from several threads, out of order.
    fn advance(&self, done: u64, total: u64);

    /// Asked often; when true, the work ends soon with [`OmeZarrError::Cancelled`](crate::OmeZarrError::Cancelled).
    fn is_cancelled(&self) -> bool;
}

/// Nobody watches, nobody stops it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn advance(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody watches, but somebody may stop it by setting the flag.
impl Progress for AtomicBool {
    fn advance(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}
