//! The form of C2SP `signed-note`: a text, an empty line, signature lines.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{FederationError, key::may_be_in_name};

/// The largest note that is read, in bytes.
pub(crate) const MAX_NOTE_BYTES: usize = 64 * 1024;
const MAX_SIGNATURES: usize = 100;

/// A note whose signatures nobody has checked yet.
pub(crate) struct Note<'a> {
    /// The signed text, with its last newline.
    pub(crate) text: &'a str,
    /// Name, key id and signature bytes of each signature line.
    pub(crate) signatures: Vec<(&'a str, [u8; 4], Vec<u8>)>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Note<'_>, FederationError> {
    let malformed = |what: &str| FederationError::malformed(format!("a signed note {what}"));
    if bytes.len() > MAX_NOTE_BYTES {
        return Err(FederationError::TooLarge { what: "a signed note".into(), limit: MAX_NOTE_BYTES as u64 });
    }
    let note = std::str::from_utf8(bytes).map_err(|_| malformed("is UTF-8"))?;
    let split = note.rfind("\n\n").ok_or_else(|| malformed("has an empty line before its signatures"))?;
    let (text, lines) = (&note[..=split], &note[split + 2..]);
    check_text(text)?;
    let lines = lines.strip_suffix('\n').ok_or_else(|| malformed("ends in a newline"))?;
    let signatures: Option<Vec<_>> = lines.split('\n').take(MAX_SIGNATURES + 1).map(read_signature).collect();
    let signatures = signatures.ok_or_else(|| malformed("has signature lines '— name base64'"))?;
    if signatures.len() > MAX_SIGNATURES {
        return Err(malformed("has at most 100 signatures"));
    }
    Ok(Note { text, signatures })
}

pub(crate) fn write(text: &str, name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("{text}\n{}", line(name, id, signature))
}

/// A signature line, with its newline.
pub(crate) fn line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("— {name} {}\n", STANDARD.encode([&id[..], signature].concat()))
}

pub(crate) fn check_text(text: &str) -> Result<(), FederationError> {
    let plain = !text.chars().any(|c| c < ' ' && c != '\n');
    if plain && text.ends_with('\n') {
        return Ok(());
    }
    Err(FederationError::malformed("the text of a signed note ends in a newline and has no other control characters"))
}

fn read_signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    let (id, signature) = signature.split_first_chunk::<4>()?;
    let named = !name.is_empty() && name.chars().all(may_be_in_name);
    (named && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}
