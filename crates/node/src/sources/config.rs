use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::NodeError;

/// The name of an imported source, such as `idr`: letters, digits and hyphens, at most 32.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct SourceName(String);

impl FromStr for SourceName {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let valid = !text.is_empty()
            && text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if valid {
            return Ok(Self(text.to_owned()));
        }
        Err(NodeError::Invalid(format!("'{text}' cannot name a source: use 1 to 32 letters, digits and hyphens")))
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In which way a source lists its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// RO-Crates in the folders of a web server, or in a list of addresses.
    Index,
    /// An OAI-PMH provider.
    Oai,
    /// A sitemap whose pages describe datasets by Signposting or embedded JSON-LD.
    Sitemap,
}

impl SourceKind {
    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Oai => "oai",
            Self::Sitemap => "sitemap",
        }
    }
}

impl FromStr for SourceKind {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let kinds = [Self::Index, Self::Oai, Self::Sitemap];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| NodeError::Invalid(format!("'{text}' is no kind of source: use index, oai or sitemap")))
    }
}

/// A source on the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name.
    pub name: SourceName,
    /// In which way it lists its records.
    pub kind: SourceKind,
    /// Where.
    pub url: Url,
    /// Seconds between two harvests; 0 for those that are asked for only.
    pub interval_seconds: u64,
    /// The form of metadata to ask an OAI-PMH provider for; the best it has when not given.
    pub format: Option<String>,
    /// The set to ask an OAI-PMH provider for.
    pub set: Option<String>,
    /// Other origins that the source's links may lead to.
    pub also: Vec<Url>,
    /// The longest an answer may take.
    pub answer_seconds: u64,
}

impl SourceConfig {
    /// A source to be read once, with the usual settings.
    pub fn new(name: SourceName, kind: SourceKind, url: Url) -> Self {
        let (format, set, also) = Default::default();
        Self { name, kind, url, interval_seconds: 0, format, set, also, answer_seconds: 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["idr", "SSBD-repository", "a", "1"] {
            assert_eq!(name.parse::<SourceName>().unwrap().to_string(), name);
        }
        for name in ["", "-a", "a b", "a/b", "a.b", "é", &"a".repeat(33)] {
            assert!(name.parse::<SourceName>().is_err(), "{name}");
        }
    }
}
