//! The own log in bulk, for followers that have far to catch up.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use dataset_model::{Access, Entry};
use federation::log_stream::{LogRecord, encode};
use futures::Stream;

use crate::{Actor, Node, NodeError, policy};

/// Followers that read the log in bulk at the same time.
pub(crate) const READERS: usize = 8;
/// Entries read from the ledger at a time.
const STEP: u64 = 256;

impl Node {
    /// The entries of the own log in a range, each with its crate unless that was withdrawn, as one compressed stream.
    ///
    /// # Errors
    /// When the log has not grown that far, or as many readers as there may be are at it.
    pub fn log_stream(
        self: &Arc<Self>,
        actor: &Actor,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static + use<>, NodeError> {
        let absent =
            || NodeError::NotFound("the log has nothing there (yet): read /log/checkpoint for its size".into());
        policy::require_read(actor, Access::Open, absent)?;
        if range.start > range.end || range.end > self.ledger.size(&self.config.id)? {
            return Err(absent());
        }
        let turn = self.log_readers.clone().try_acquire_owned().map_err(|_| {
            NodeError::Unavailable(
                "as many followers as may are reading the log in bulk: take tiles, or come later".into(),
            )
        })?;
        let node = self.clone();
        let steps = (range.start..range.end).step_by(STEP as usize);
        let records = steps.flat_map(move |start| {
            // For as long as the stream is read.
            let _turn = &turn;
            node.records(start..range.end.min(start.saturating_add(STEP)))
        });
        Ok(futures::stream::iter(encode(records)))
    }

    /// A few records, or what went wrong.
    fn records(&self, range: Range<u64>) -> Vec<Result<LogRecord, std::io::Error>> {
        let record = |entry: Bytes| {
            let digest = Entry::from_bytes(&entry).ok().and_then(|entry| entry.crate_digest());
            let crate_bytes = digest.map_or(Ok(None), |digest| self.ledger.crate_bytes(&digest));
            crate_bytes.map(|crate_bytes| LogRecord { entry, crate_bytes }).map_err(std::io::Error::other)
        };
        match self.ledger.entries(&self.config.id, range) {
            Ok(entries) => entries.into_iter().map(record).collect(),
            Err(error) => vec![Err(std::io::Error::other(error))],
        }
    }
}
