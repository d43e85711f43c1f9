use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The absolute IRI of an ontology term, in the one spelling used inside Heliograph.
///
/// OBO terms have the form `http://purl.obolibrary.org/obo/FBbi_00000246`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TermIri(String);

/// The text is no term IRI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the IRI of a term, such as http://purl.obolibrary.org/obo/FBbi_00000246")]
pub struct TermIriError(String);

const OBO: &str = "http://purl.obolibrary.org/obo/";

impl TermIri {
    /// The IRI as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short form: `FBbi:00000246` for an OBO term, else the IRI.
    pub fn curie(&self) -> String {
        match self.0.strip_prefix(OBO).and_then(|local| local.split_once('_')) {
            Some((prefix, number)) => format!("{prefix}:{number}"),
            None => self.0.clone(),
        }
    }
}

impl FromStr for TermIri {
    type Err = TermIriError;

    fn from_str(text: &str) -> Result<Self, TermIriError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for TermIri {
    type Error = TermIriError;

    fn try_from(text: String) -> Result<Self, TermIriError> {
        let absolute = text.starts_with("http://") || text.starts_with("https://") || text.starts_with("urn:");
        let clean = |c: char| !matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`');
        // Every answer of a search reads hundreds of them, nearly all of them ASCII.
        let printed = text.bytes().all(|byte| byte.is_ascii_graphic())
            || !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let accepted = absolute && text.len() <= 2048 && printed && text.chars().all(clean);
        if accepted { Ok(Self(text)) } else { Err(TermIriError(text)) }
    }
}

impl From<TermIri> for String {
    fn from(iri: TermIri) -> Self {
        iri.0
    }
}

impl fmt::Display for TermIri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An ontology term with the name people read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Term {
    /// The term.
    pub iri: TermIri,
    /// Its label, as the record or the ontology gives it.
    pub label: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_clean_iris_are_terms() {
        let term: TermIri = "http://purl.obolibrary.org/obo/NCBITaxon_9606".parse().unwrap();
        assert_eq!(term.curie(), "NCBITaxon:9606");
        for bad in ["#term", "FBbi:00000246", "http://a b", "javascript:alert(1)", ""] {
            assert!(bad.parse::<TermIri>().is_err(), "{bad:?}");
        }
    }
}
