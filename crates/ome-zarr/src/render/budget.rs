use std::sync::atomic::{AtomicU64, Ordering};

use crate::{error::OmeZarrError, pixels::PixelReader, progress::Progress};

use super::{Rect, View};

/// What may still be decoded for one picture, and whether it is still wanted.
pub(super) struct Budget<'a> {
    left: AtomicU64,
    watch: &'a dyn Progress,
    path: String,
}

impl<'a> Budget<'a> {
    /// `path` is named where it does not suffice.
    pub(super) fn new(bytes: u64, watch: &'a dyn Progress, path: &str) -> Self {
        Self { left: AtomicU64::new(bytes), watch, path: path.to_owned() }
    }

    /// Refuses a read that would decode more than what is left, before any of it is read. `channels` are the numbers of
    /// channels read at a time.
    pub(super) fn check(
        &self,
        reader: &PixelReader<'_>,
        view: &View,
        rect: Rect,
        channels: impl Iterator<Item = u64>,
    ) -> Result<(), OmeZarrError> {
        let bytes: u64 = channels.fold(0, |sum, count| sum.saturating_add(decoded(reader, view, rect, count)));
        if bytes <= self.left.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(self.too_large(bytes))
    }

    /// Takes what a read decodes off what is left.
    pub(super) fn take(
        &self,
        reader: &PixelReader<'_>,
        view: &View,
        rect: Rect,
        count: u64,
    ) -> Result<(), OmeZarrError> {
        if self.watch.is_cancelled() {
            return Err(OmeZarrError::Cancelled);
        }
        let bytes = decoded(reader, view, rect, count);
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        if taken.is_ok() { Ok(()) } else { Err(self.too_large(bytes)) }
    }

    fn too_large(&self, bytes: u64) -> OmeZarrError {
        let reason = format!("this picture needs {} MiB of chunks decoded; add smaller resolution levels", bytes >> 20);
        OmeZarrError::too_large(&self.path, reason)
    }
}

/// The bytes of all chunks that a part of a plane touches: a chunk is decoded whole.
fn decoded(reader: &PixelReader<'_>, view: &View, rect: Rect, channels: u64) -> u64 {
    let meta = reader.meta();
    let chunk = meta.chunk_shape();
    let touched = |axis: usize, start: u64, length: u64| {
        let side = chunk.get(axis).copied().unwrap_or(1).max(1);
        (start.saturating_add(length)).div_ceil(side).saturating_sub(start / side)
    };
    let across = view.channel.map_or(1, |axis| channels.div_ceil(chunk.get(axis).copied().unwrap_or(1).max(1)));
    let chunks =
        touched(view.y, rect.y, rect.height).saturating_mul(touched(view.x, rect.x, rect.width)).saturating_mul(across);
    chunks.saturating_mul(meta.bytes_of(chunk).unwrap_or(u64::MAX))
}
