use serde::{Deserialize, Serialize};

/// Something by which two records may be known as descriptions of one study.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StudyKey {
    /// What it is.
    pub kind: StudyKeyKind,
    /// Its normalised value: equal values are the same thing.
    pub value: String,
}

/// What a [`StudyKey`] is, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StudyKeyKind {
    /// The record's own address, DOI or accession number.
    Identifier,
    /// An address, DOI or accession number that the record says it is the same as.
    SameAs,
    /// The title, where it is one that could not be of anything else.
    Title,
    /// DOI or PubMed id of the article the study is published in.
    Article,
    /// Title of the article the study is published in.
    ArticleTitle,
    /// Digest of the description, where it is long enough.
    Description,
    /// An accession number named in its text: a related study, never the same by that.
    Mention,
}

impl StudyKey {
    /// A key of some kind.
    pub fn new(kind: StudyKeyKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}

impl StudyKeyKind {
    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::SameAs => "same-as",
            Self::Title => "title",
            Self::Article => "article",
            Self::ArticleTitle => "article-title",
            Self::Description => "description",
            Self::Mention => "mention",
        }
    }
}
