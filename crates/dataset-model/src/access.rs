use serde::{Deserialize, Serialize};

/// Who may read a dataset.
///
/// Only `open` can be chosen today; the type is here so that every read already passes a decision that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Anyone may read metadata and bytes.
    #[default]
    Open,
    /// Anyone may read the metadata; the bytes are not here or not public.
    MetadataOnly,
    /// Only people the depositor or a curator named may read anything.
    Restricted,
}

impl Access {
    /// The name used in JSON, facets and URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::MetadataOnly => "metadata-only",
            Self::Restricted => "restricted",
        }
    }
}
