//! What a log sends to a witness: C2SP `tlog-witness`, `add-checkpoint`.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::Digest;

use crate::{FederationError, checkpoint::decimal, note::MAX_NOTE_BYTES};

/// The most hashes a proof may have.
const MAX_PROOF: usize = 63;
/// The largest request, in bytes: the old size, 63 hashes in base64, a note.
pub const MAX_ADD_CHECKPOINT_BYTES: usize = 64 + MAX_PROOF * 45 + MAX_NOTE_BYTES;

/// A checkpoint for a witness to cosign, with the proof that it extends the one cosigned before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint the witness cosigned last; 0 for none.
    pub old: u64,
    /// The proof that the new tree extends the old one (RFC 6962 §2.1.2).
    pub proof: Vec<Digest>,
    /// The signed note.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// The body of the request.
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", STANDARD.encode(hash.as_bytes()));
        }
        format!("{text}\n{}", self.checkpoint)
    }

    /// Reads the body of a request; the checkpoint is not looked at.
    ///
    /// # Errors
    /// When it has another form.
    pub fn from_bytes(body: &[u8]) -> Result<Self, FederationError> {
        let malformed = || {
            FederationError::malformed(
                "a request for a cosignature is 'old <size>', hashes, an empty line, a checkpoint",
            )
        };
        if body.len() > MAX_ADD_CHECKPOINT_BYTES {
            let limit = MAX_ADD_CHECKPOINT_BYTES as u64;
            return Err(FederationError::TooLarge { what: "a request for a cosignature".into(), limit });
        }
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(malformed)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal).ok_or_else(malformed)?;
        let hash =
            |line: &str| STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok()).map(Digest::from_bytes);
        let proof: Vec<Digest> = lines.take(MAX_PROOF + 1).map(hash).collect::<Option<_>>().ok_or_else(malformed)?;
        if proof.len() > MAX_PROOF {
            return Err(malformed());
        }
        Ok(Self { old, proof, checkpoint: checkpoint.to_owned() })
    }
}
