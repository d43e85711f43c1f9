use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An identifier was not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a node name.
    #[error("'{0}' is not a node name: use 1 to 32 lower-case letters, digits and hyphens, a letter first")]
    Node(String),
    /// Not a dataset id.
    #[error(
        "'{0}' is not a dataset id: use 1 to 128 letters, digits, '.', '_' and '-', a letter or digit first, no '..'"
    )]
    Dataset(String),
    /// Not a version number.
    #[error("'{0}' is not a version: use v1, v2, …")]
    Version(String),
}

macro_rules! text_id {
    ($name:ident, $doc:literal, $error:ident, $valid:path) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if $valid(text) { Ok(Self(text.to_owned())) } else { Err(IdError::$error(text.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(NodeId, "The short name of a node in its federation, such as `europe`.", Node, is_node_id);
text_id!(
    DatasetId,
    "The identifier of a dataset within the node that announced it, such as `europe-7k3m9q2x` or `idr.idr0001`. \
     Ids are compared with case and never reused.",
    Dataset,
    is_dataset_id
);

fn is_node_id(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_dataset_id(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !text.contains("..")
}

/// A dataset in the federation: the node that announced it, and its id there.
///
/// A peer can only ever announce datasets under its own node name, so that no peer overwrites another's record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DatasetKey {
    /// The node whose log announced the dataset.
    pub node: NodeId,
    /// The id within that node.
    pub id: DatasetId,
}

impl fmt::Display for DatasetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.id)
    }
}

/// The number of a published version, from 1; written `v1` in paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct VersionNumber(u32);

impl VersionNumber {
    /// The first version.
    pub const FIRST: Self = Self(1);

    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl TryFrom<u32> for VersionNumber {
    type Error = IdError;

    fn try_from(number: u32) -> Result<Self, IdError> {
        if number == 0 { Err(IdError::Version(number.to_string())) } else { Ok(Self(number)) }
    }
}

impl From<VersionNumber> for u32 {
    fn from(version: VersionNumber) -> Self {
        version.0
    }
}

impl FromStr for VersionNumber {
    type Err = IdError;

    /// Reads `v3`, and `3` as well.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let wrong = || IdError::Version(text.to_owned());
        if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        digits.parse().map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_climb_or_hide_are_refused() {
        for bad in ["", "..", "a/b", ".hidden", "a..b", "a b", "é", &"x".repeat(129)] {
            assert!(bad.parse::<DatasetId>().is_err(), "{bad:?}");
        }
        for good in ["europe-7k3m9q2x", "idr.idr0001", "S-BIAD1002", "1-Bao_x"] {
            assert!(good.parse::<DatasetId>().is_ok(), "{good:?}");
        }
        assert!("Europe".parse::<NodeId>().is_err());
    }

    #[test]
    fn versions_count_from_one() {
        assert_eq!("v2".parse::<VersionNumber>().unwrap().to_string(), "v2");
        for bad in ["v0", "0", "v", "", "v-1", "v01", "latest", "v4294967296"] {
            assert!(bad.parse::<VersionNumber>().is_err(), "{bad:?}");
        }
    }
}
