//! Cosignatures of witnesses: C2SP `tlog-cosignature`, the Ed25519 form, `cosignature/v1`.

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FederationError, NodeKey, PublicKey, note};

/// The signature type of timestamped Ed25519 cosignatures.
pub(crate) const COSIGNATURE: u8 = 4;
/// The first line of what is signed; no other text that a node signs begins like this.
pub(crate) const HEADER: &str = "cosignature/v1\n";
/// Most cosignatures on one checkpoint; with the log's own it is a note of a hundred.
pub const MAX_COSIGNATURES: usize = 99;

/// A witness's statement that, as of a time, a checkpoint is the latest one it saw of a log, and extends all those before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosignature {
    /// The name of the witness's key.
    pub witness: String,
    /// When the witness cosigned.
    pub time: Timestamp,
    /// The signature line of the note, with its newline.
    pub line: String,
}

impl NodeKey {
    /// Cosigns a checkpoint, a signed note. The caller has verified it, and that it extends what was cosigned before.
    ///
    /// # Errors
    /// When it is no note.
    pub fn cosign(&self, checkpoint: &[u8], time: Timestamp) -> Result<Cosignature, FederationError> {
        let text = note::read(checkpoint)?.text;
        let seconds = u64::try_from(time.unix_seconds()).unwrap_or_default();
        let signature = self.sign_bytes(message(text, seconds).as_bytes());
        let timestamped = [&seconds.to_be_bytes()[..], &signature].concat();
        let line = note::line(self.origin(), self.public_key().id_as(COSIGNATURE), &timestamped);
        Ok(Cosignature { witness: self.origin().to_owned(), time, line })
    }
}

impl PublicKey {
    /// This key's valid cosignature on a checkpoint, if it has one; of several, the latest.
    ///
    /// # Errors
    /// When the checkpoint is no note.
    pub fn cosignature_on(&self, checkpoint: &[u8]) -> Result<Option<Cosignature>, FederationError> {
        let note = note::read(checkpoint)?;
        let own =
            note.signatures.iter().filter(|(name, id, _)| *name == self.origin() && *id == self.id_as(COSIGNATURE));
        let valid = own.filter_map(|(name, id, signature)| {
            let (seconds, rest) = signature.split_first_chunk::<8>()?;
            let seconds = u64::from_be_bytes(*seconds);
            let time = Timestamp::from_unix_seconds(i64::try_from(seconds).ok()?)?;
            let valid = self.verifies(message(note.text, seconds).as_bytes(), rest);
            valid.then(|| Cosignature { witness: (*name).to_owned(), time, line: note::line(name, *id, signature) })
        });
        Ok(valid.max_by_key(|cosignature| cosignature.time))
    }

    /// The text form of the same key as that of a witness: `name+id+base64` with signature type 4.
    pub fn as_witness(&self) -> String {
        let key = STANDARD.encode([&[COSIGNATURE], &self.bytes()[..]].concat());
        format!("{}+{:08x}+{key}", self.origin(), u32::from_be_bytes(self.id_as(COSIGNATURE)))
    }
}

/// A checkpoint with these cosignatures in place of those it has: the log's own signature, then theirs.
///
/// # Errors
/// When the checkpoint is no note, or `log` did not sign it.
pub fn with_cosignatures<'a>(
    checkpoint: &str,
    log: &PublicKey,
    cosignatures: impl IntoIterator<Item = &'a Cosignature>,
) -> Result<String, FederationError> {
    let note = note::read(checkpoint.as_bytes())?;
    let own = note.signatures.iter().find(|(name, id, _)| *name == log.origin() && *id == log.id());
    let (name, id, signature) = own.ok_or(FederationError::BadSignature)?;
    let mut text = format!("{}\n{}", note.text, note::line(name, *id, signature));
    cosignatures.into_iter().take(MAX_COSIGNATURES).for_each(|cosignature| text.push_str(&cosignature.line));
    Ok(text)
}

fn message(text: &str, seconds: u64) -> String {
    format!("{HEADER}time {seconds}\n{text}")
}
