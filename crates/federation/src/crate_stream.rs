//! Crates in bulk, by digest.
//!
//! Request: POST [`paths::CRATES`](crate::paths::CRATES) with a [`CrateRequest`] as JSON, of at most [`MAX_DIGESTS`].
//! Answer: one zstd stream of frames, one for each digest, in any order:
//!
//! ```text
//! <64 hex digits> <length in decimal>\n
//! <length bytes>\n
//! ```
//!
//! or, for a digest the server does not have, `<64 hex digits> -\n`.
//!
//! ```
//! use bytes::Bytes;
//! use dataset_model::Digest;
//! use federation::crate_stream::{Decoder, encode};
//!
//! let (here, gone) = (Digest::of("crate"), Digest::of("gone"));
//! let crates = [Ok::<_, std::io::Error>((here, Some(Bytes::from("crate")))), Ok((gone, None))];
//! let mut decoder = Decoder::new(&[here, gone], &federation::Limits::default())?;
//! for piece in encode(crates.into_iter()) {
//!     decoder.push(&piece?)?;
//! }
//! assert_eq!(decoder.finish()?, [(here, Some(Bytes::from("crate"))), (gone, None)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decoder;
mod encoder;

use dataset_model::Digest;
use serde::{Deserialize, Serialize};

pub use decoder::Decoder;
pub use encoder::encode;

/// The most digests one request may name.
pub const MAX_DIGESTS: usize = 1000;

/// The largest window a stream may ask its reader to keep, as a power of two: 8 MiB.
pub(crate) const WINDOW_LOG: u32 = 23;

/// Which crates are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateRequest {
    /// SHA-256 of each.
    pub digests: Vec<Digest>,
}
