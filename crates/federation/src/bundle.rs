//! Entry bundles: each entry after its length in 16 bits, big-endian (C2SP `tlog-tiles`, "Log Entries").

use bytes::{Buf, Bytes};
use dataset_model::{Entry, canonical_json};

use crate::FederationError;

/// A full tile or bundle has this many hashes or entries.
pub(crate) const WIDTH: u64 = 256;
/// The largest bundle: 256 entries of 65,535 bytes.
pub(crate) const MAX_BYTES: u64 = WIDTH * (2 + 65_535);

/// Cuts a bundle into its entries; it must hold exactly `width` of them.
pub(crate) fn parse(mut bundle: Bytes, width: u64) -> Result<Vec<Bytes>, FederationError> {
    let wrong = || FederationError::malformed(format!("an entry bundle does not hold exactly {width} entries"));
    let mut entries = Vec::new();
    for _ in 0..width {
        let length = usize::from(bundle.try_get_u16().map_err(|_| wrong())?);
        if length > bundle.len() {
            return Err(wrong());
        }
        entries.push(bundle.split_to(length));
    }
    if bundle.is_empty() { Ok(entries) } else { Err(wrong()) }
}

/// The first `wanted` entries of a bundle that must hold exactly `present`, as a bundle.
pub(crate) fn cut(bundle: Bytes, present: u64, wanted: u64) -> Result<Bytes, FederationError> {
    let entries = parse(bundle.clone(), present)?;
    let first = entries.iter().zip(0..wanted);
    let length: usize = first.map(|(entry, _)| 2 + entry.len()).sum();
    Ok(bundle.slice(..length))
}

/// Whether bytes are a log entry in the one form it has (RFC 8785), so that all readers see the same.
pub(crate) fn is_canonical_entry(bytes: &[u8]) -> bool {
    let canonical = || {
        let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        canonical_json(&value).ok()
    };
    Entry::from_bytes(bytes).is_ok() && canonical().is_some_and(|canonical| canonical == bytes)
}
