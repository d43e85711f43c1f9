use std::sync::atomic::{AtomicU64, Ordering};

use crate::{error::OmeZarrError, progress::Progress};

use super::journal::Journal;

/// What the program itself takes, in bytes.
const PROGRAM_BYTES: u64 = 20 << 20;

/// What all arrays of a conversion share.
pub(crate) struct Work<'a> {
    pub(crate) journal: &'a Journal,
    pub(crate) progress: &'a dyn Progress,
    /// The most memory, in bytes.
    pub(crate) memory: u64,
    pub(crate) threads: usize,
    /// What the source keeps for itself, in bytes.
    kept: u64,
    done: AtomicU64,
    total: u64,
}

impl<'a> Work<'a> {
    /// `total` is the decoded size of all pixels that will be written, in bytes.
    pub(crate) fn new(
        journal: &'a Journal,
        progress: &'a dyn Progress,
        (memory, threads): (u64, usize),
        total: u64,
    ) -> Self {
        Self { journal, progress, memory, threads, kept: 0, done: AtomicU64::new(0), total }
    }

    /// With a source that keeps decoded parts for itself, up to so many bytes.
    pub(crate) fn beside(self, kept: u64) -> Self {
        Self { kept, ..self }
    }

    /// Some bytes have been worked on.
    pub(crate) fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.advance(done.min(self.total), self.total);
    }

    /// How many bands may be worked on at once. Each is held as pixels and, at worst, once more encoded; a chunk of it
    /// and a quarter for the next level come on top, and what the source holds of a block, encoded and decoded.
    pub(super) fn workers(&self, band: u64, block: u64) -> Result<usize, OmeZarrError> {
        let one = band.saturating_mul(5) / 2 + block.saturating_mul(2);
        let room = self.memory.saturating_sub(PROGRAM_BYTES + self.kept);
        match usize::try_from(room / one.max(1)).unwrap_or(usize::MAX) {
            0 => Err(OmeZarrError::Options(format!(
                "these chunks need {} MiB of memory: allow more, or choose smaller chunks",
                (one + PROGRAM_BYTES + self.kept).div_ceil(1 << 20)
            ))),
            workers => Ok(workers.min(self.threads.max(1))),
        }
    }
}
