//! A log in bulk: entries with the crates they point to, in one stream, for a reader that has far to catch up.
//!
//! Request: GET [`paths::LOG`](crate::paths::LOG)`?from=<index>&to=<size>`. Answer: one zstd stream of records, one for each entry, in
//! order:
//!
//! ```text
//! <length of the entry in decimal> <length of the crate in decimal, or ->\n
//! <entry>\n
//! <crate>\n
//! ```
//!
//! The last line is left out where there is `-`: the entry points to no crate, or the server does not have it (any more). A
//! stream may end before `to`; the reader asks again from where it is, or takes tiles.
//!
//! ```
//! use bytes::Bytes;
//! use federation::{Limits, log_stream::{Decoder, LogRecord, encode}};
//!
//! let record = LogRecord { entry: Bytes::from("{}"), crate_bytes: Some(Bytes::from("crate")) };
//! let mut decoder = Decoder::new(&Limits::default())?;
//! for piece in encode([Ok::<_, std::io::Error>(record.clone())].into_iter()) {
//!     decoder.push(&piece?)?;
//! }
//! assert_eq!(decoder.take(), Some(record));
//! assert!(decoder.is_between_records());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decoder;
mod encoder;

use bytes::Bytes;

pub use decoder::Decoder;
pub use encoder::encode;

/// An entry, with the crate it points to where the server has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The entry's bytes.
    pub entry: Bytes,
    /// The crate's bytes.
    pub crate_bytes: Option<Bytes>,
}
