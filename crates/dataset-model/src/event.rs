use serde::{Deserialize, Serialize};

use crate::{CanonicalError, DatasetId, Digest, Timestamp, VersionNumber, canonical_json};

/// The largest entry a C2SP `tlog-tiles` bundle can hold: a 16-bit length.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// One entry of a node's log. It names no person and holds no description: what it points to is fetched by digest, so
/// that a withdrawal can erase the content and keep the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The dataset it is about.
    pub dataset: DatasetId,
    /// The version it is about.
    pub version: VersionNumber,
    /// The index of the entry before this one about the same dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
    /// When the node accepted it.
    pub time: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Everything that can happen to a dataset. The list is closed: a new kind of event is a new protocol version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Event {
    /// A dataset's first version was published.
    Publish(Published),
    /// A later version was published.
    Revise(Published),
    /// A record whose bytes live elsewhere was added or changed.
    Catalogue(Catalogued),
    /// The dataset was taken back; only its tombstone remains.
    Withdraw(Withdrawn),
}

/// The digests of a published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The version's `ro-crate-metadata.json`.
    #[serde(rename = "crate")]
    pub crate_digest: Digest,
    /// The version's OCFL inventory.
    pub inventory: Digest,
    /// Merkle root over the version's files: [`Manifest::content_root`](crate::Manifest::content_root).
    pub content_root: Digest,
    /// The crate as RDF, canonicalised (RDFC-1.0); absent when the graph was too tangled to canonicalise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<Digest>,
}

/// The digests of a catalogue record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogued {
    /// The record's crate as its publisher wrote it, without e-mail addresses and telephone numbers.
    #[serde(rename = "crate")]
    pub crate_digest: Digest,
    /// The crate byte for byte as its publisher wrote it, where that is another one; only the node that announces it has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Digest>,
    /// The crate as RDF, canonicalised (RDFC-1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<Digest>,
    /// The name of the source it was imported from.
    pub source: String,
}

/// Why a dataset was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The reason, from a closed list, so that an entry never carries free text about people.
    pub reason: WithdrawReason,
}

/// Reasons for a withdrawal (the list InvenioRDM uses, and `unlisted` for catalogue records).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum WithdrawReason {
    Duplicate,
    Retracted,
    Replaced,
    Spam,
    TestRecord,
    Copyright,
    PersonalData,
    TakeDownRequest,
    DisputedAuthorship,
    Misconduct,
    OutOfScope,
    /// The source it was imported from no longer lists it.
    Unlisted,
    #[default]
    Other,
}

/// The bytes are no entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Larger than a log can carry.
    #[error("a log entry may have {MAX_ENTRY_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// Not JSON, or fields missing.
    #[error("not a log entry")]
    Malformed(#[source] serde_json::Error),
    /// Cannot be written.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl Entry {
    /// The canonical bytes that are hashed into the log.
    ///
    /// # Errors
    /// When the entry would be larger than a log can carry.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryError> {
        let bytes = canonical_json(self)?;
        if bytes.len() > MAX_ENTRY_BYTES { Err(EntryError::TooLarge(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads an entry; fields it does not know are left alone, so that later protocol versions can add some.
    ///
    /// # Errors
    /// When the bytes are too large or are no entry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLarge(bytes.len()));
        }
        serde_json::from_slice(bytes).map_err(EntryError::Malformed)
    }

    /// The digest of the crate it points to; a withdrawal points to none.
    pub fn crate_digest(&self) -> Option<Digest> {
        match &self.event {
            Event::Publish(published) | Event::Revise(published) => Some(published.crate_digest),
            Event::Catalogue(catalogued) => Some(catalogued.crate_digest),
            Event::Withdraw(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_byte_form() {
        let entry = Entry {
            dataset: "europe-1".parse().unwrap(),
            version: VersionNumber::FIRST,
            previous: None,
            time: "2026-11-21T10:00:00Z".parse().unwrap(),
            event: Event::Publish(Published {
                crate_digest: Digest::of("crate"),
                inventory: Digest::of("inventory"),
                content_root: Digest::of("root"),
                graph: None,
            }),
        };
        let bytes = entry.to_bytes().unwrap();
        let expected = format!(
            r#"{{"content_root":"{}","crate":"{}","dataset":"europe-1","inventory":"{}","op":"publish","time":"2026-11-21T10:00:00Z","version":1}}"#,
            Digest::of("root"),
            Digest::of("crate"),
            Digest::of("inventory")
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
        assert_eq!(Entry::from_bytes(&bytes).unwrap(), entry);
    }

    #[test]
    fn unknown_fields_are_left_alone_and_unknown_events_refused() {
        let ok =
            br#"{"dataset":"a","op":"withdraw","reason":"spam","time":"2026-01-01T00:00:00Z","version":1,"later":7}"#;
        assert!(Entry::from_bytes(ok).is_ok());
        let bad = br#"{"dataset":"a","op":"erase","time":"2026-01-01T00:00:00Z","version":1}"#;
        assert!(Entry::from_bytes(bad).is_err());
    }
}
