//! What is copied of a peer, as it is written: in the configuration, over the API, and beside a peer that was added.

use serde::{Deserialize, Serialize};

use super::{MirrorPolicy, Wanted};
use crate::{NodeError, SearchRequest};

/// `"none"`, `"all"`, or which of a peer's datasets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MirrorSetting {
    /// `none` or `all`.
    Named(String),
    /// Some of its datasets.
    Some(MirrorSection),
}

/// Which of a peer's datasets are copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MirrorSection {
    /// A search, as in its address: `q=zebrafish&organism=Danio rerio`; all datasets when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The most that one version may have, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_dataset_bytes: Option<u64>,
    /// The most that all copies of the peer may have, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_bytes: Option<u64>,
}

impl Default for MirrorSetting {
    fn default() -> Self {
        Self::Named("none".into())
    }
}

impl MirrorSetting {
    /// The policy it stands for.
    ///
    /// # Errors
    /// When it is neither of the names, or its search cannot be read.
    pub fn policy(&self, bytes_per_second: Option<u64>) -> Result<MirrorPolicy, NodeError> {
        let of = |wanted| MirrorPolicy { wanted, bytes_per_second, ..MirrorPolicy::default() };
        Ok(match self {
            Self::Named(name) if name == "none" => of(Wanted::None),
            Self::Named(name) if name == "all" => of(Wanted::All),
            Self::Named(name) => {
                let what = format!("mirror: '{name}' is none of \"none\", \"all\" and {{ query = \"…\" }}");
                return Err(NodeError::Invalid(what));
            }
            Self::Some(chosen) => {
                if let Some(query) = &chosen.query {
                    read_search(query)?;
                }
                MirrorPolicy {
                    max_dataset_bytes: chosen.max_dataset_bytes,
                    max_total_bytes: chosen.max_total_bytes,
                    ..of(chosen.query.clone().map_or(Wanted::All, Wanted::Found))
                }
            }
        })
    }
}

/// Reads a search as it stands in an address.
pub(super) fn read_search(query: &str) -> Result<SearchRequest, NodeError> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    SearchRequest::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

impl From<&MirrorPolicy> for MirrorSetting {
    fn from(policy: &MirrorPolicy) -> Self {
        let &MirrorPolicy { max_dataset_bytes, max_total_bytes, .. } = policy;
        let query = match &policy.wanted {
            Wanted::None => return Self::default(),
            Wanted::All => None,
            Wanted::Found(query) => Some(query.clone()),
        };
        let section = MirrorSection { query, max_dataset_bytes, max_total_bytes };
        if section == MirrorSection::default() { Self::Named("all".into()) } else { Self::Some(section) }
    }
}
