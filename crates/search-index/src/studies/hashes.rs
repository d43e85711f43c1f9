//! Study keys as numbers, as a column holds them.

use dataset_model::{Digest, StudyKey, StudyKeyKind};

use crate::SearchDocument;

/// Bits that say what a number is.
const KIND_BITS: u32 = 3;
const VALUE_MASK: u64 = u64::MAX >> KIND_BITS;
/// The code that follows those of [`StudyKeyKind`]: who published the record.
const PUBLISHER: u64 = 7;

/// A study key as a number: its kind, and 61 bits of the SHA-256 of its value. Numbers order by kind first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyHash(pub(crate) u64);

impl KeyHash {
    pub(crate) fn of(key: &StudyKey) -> Self {
        Self::new(code(key.kind), space(key.kind), &key.value)
    }

    /// Who published the record; the node where nobody is named.
    pub(crate) fn publisher(record: &SearchDocument) -> Self {
        match record.publisher.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Self::new(PUBLISHER, "publisher", name),
            None => Self::new(PUBLISHER, "node", record.key.node.as_str()),
        }
    }

    fn new(code: u64, space: &str, value: &str) -> Self {
        let digest = Digest::of(format!("{space}\n{value}"));
        let first = digest.as_bytes().first_chunk().copied().map_or(0, u64::from_be_bytes);
        Self((code << (64 - KIND_BITS)) | (first & VALUE_MASK))
    }

    /// Its kind; none for a publisher.
    pub(crate) fn kind(self) -> Option<StudyKeyKind> {
        KINDS.into_iter().find(|kind| code(*kind) == self.0 >> (64 - KIND_BITS))
    }

    /// The value without the kind: equal for an identifier and a claim of it, for a title and a citation of it.
    pub(crate) fn value(self) -> u64 {
        self.0 & VALUE_MASK
    }

    /// The same value as another kind.
    pub(crate) fn as_kind(self, kind: StudyKeyKind) -> Self {
        Self((code(kind) << (64 - KIND_BITS)) | self.value())
    }

    /// Whether it can make two records one study.
    pub(crate) fn joins(self) -> bool {
        self.kind().is_some_and(|kind| kind != StudyKeyKind::Mention)
    }
}

const KINDS: [StudyKeyKind; 7] = [
    StudyKeyKind::Identifier,
    StudyKeyKind::SameAs,
    StudyKeyKind::Title,
    StudyKeyKind::Article,
    StudyKeyKind::ArticleTitle,
    StudyKeyKind::Description,
    StudyKeyKind::Mention,
];

/// Written to disk: never changed, only added to.
fn code(kind: StudyKeyKind) -> u64 {
    match kind {
        StudyKeyKind::Identifier => 0,
        StudyKeyKind::SameAs => 1,
        StudyKeyKind::Title => 2,
        StudyKeyKind::Article => 3,
        StudyKeyKind::ArticleTitle => 4,
        StudyKeyKind::Description => 5,
        StudyKeyKind::Mention => 6,
    }
}

/// Values are compared within their space.
fn space(kind: StudyKeyKind) -> &'static str {
    match kind {
        StudyKeyKind::Identifier | StudyKeyKind::SameAs | StudyKeyKind::Mention => "identifier",
        StudyKeyKind::Title | StudyKeyKind::ArticleTitle => "title",
        StudyKeyKind::Article => "article",
        StudyKeyKind::Description => "description",
    }
}

/// Whose value a claim is about: `SameAs` and `Mention` name identifiers, `ArticleTitle` may be a title.
pub(crate) fn owner_of(kind: StudyKeyKind) -> Option<StudyKeyKind> {
    match kind {
        StudyKeyKind::SameAs | StudyKeyKind::Mention => Some(StudyKeyKind::Identifier),
        StudyKeyKind::ArticleTitle => Some(StudyKeyKind::Title),
        _ => None,
    }
}

/// Everything that is kept of a record for telling studies.
pub(crate) fn of_record(record: &SearchDocument) -> Vec<u64> {
    let mut all: Vec<u64> = record.study_keys.iter().map(|key| KeyHash::of(key).0).collect();
    all.push(KeyHash::publisher(record).0);
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a stored number says who published the record.
pub(crate) fn is_publisher(number: u64) -> bool {
    number >> (64 - KIND_BITS) == PUBLISHER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_has_the_value_of_what_it_claims_and_spaces_do_not_meet() {
        let key = |kind| KeyHash::of(&StudyKey::new(kind, "idr0015"));
        assert_eq!(key(StudyKeyKind::SameAs).as_kind(StudyKeyKind::Identifier), key(StudyKeyKind::Identifier));
        assert_ne!(key(StudyKeyKind::Title).value(), key(StudyKeyKind::Identifier).value());
        for kind in KINDS {
            assert_eq!(key(kind).kind(), Some(kind));
        }
        assert!(KINDS.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
    }
}
