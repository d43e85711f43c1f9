//! The text of C2SP `tlog-checkpoint`: origin, size, root, each on a line; more lines may follow.

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::Digest;

use crate::{FederationError, tiles::Tree};

/// The largest tree that is believed; far more than a log can reach, and small enough that no sum overflows.
const MAX_SIZE: u64 = 1 << 48;

/// A verified statement of a peer about its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of the Merkle tree over them.
    pub root: Digest,
    /// The signed note as it was received.
    pub note: String,
}

impl Checkpoint {
    /// The tree it tells of.
    pub fn tree(&self) -> Tree {
        Tree { size: self.size, root: self.root }
    }
}

pub(crate) fn text(origin: &str, size: u64, root: &Digest) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()))
}

pub(crate) fn parse(text: &str) -> Result<(&str, u64, Digest), FederationError> {
    let malformed = || FederationError::malformed("a checkpoint has three lines: origin, size, root in base64");
    let mut lines = text.strip_suffix('\n').ok_or_else(malformed)?.split('\n');
    let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or_else(malformed);
    let (origin, size, root) = (line()?, line()?, line()?);
    let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or_else(malformed)?;
    let size = decimal(size).filter(|size| *size <= MAX_SIZE).ok_or_else(malformed)?;
    let root = Digest::from_bytes(root);
    if lines.any(str::is_empty) || (size == 0 && root != Digest::of([])) {
        return Err(malformed());
    }
    Ok((origin, size, root))
}

/// The log that a note says it is about: its first line. Nobody has signed for it until the note is verified.
pub fn origin_of(note: &[u8]) -> Option<&str> {
    let line = note.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok().filter(|line| !line.is_empty())
}

/// A number in its one decimal form: no sign, no leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
