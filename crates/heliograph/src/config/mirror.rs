//! What is copied of a peer, as it is written in the configuration.

use anyhow::{Result, bail};
use node::{MirrorPolicy, Wanted};
use serde::Deserialize;

/// `mirror` of a peer.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum MirrorSetting {
    /// `none` or `all`.
    Named(String),
    /// Some of its datasets.
    Some(MirrorSection),
}

/// `mirror = { … }`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MirrorSection {
    /// A search, as in its address: `q=zebrafish&organism=Danio rerio`; all datasets when not given.
    pub query: Option<String>,
    /// The most that one version may have, in bytes.
    pub max_dataset_bytes: Option<u64>,
    /// The most that all copies of the peer may have, in bytes.
    pub max_total_bytes: Option<u64>,
}

impl Default for MirrorSetting {
    fn default() -> Self {
        Self::Named("none".into())
    }
}

impl MirrorSetting {
    /// The policy it stands for.
    pub(super) fn policy(&self, bytes_per_second: Option<u64>) -> Result<MirrorPolicy> {
        let of = |wanted| MirrorPolicy { wanted, bytes_per_second, ..MirrorPolicy::default() };
        Ok(match self {
            Self::Named(name) if name == "none" => of(Wanted::None),
            Self::Named(name) if name == "all" => of(Wanted::All),
            Self::Named(name) => bail!("mirror: '{name}' is none of \"none\", \"all\" and {{ query = \"…\" }}"),
            Self::Some(chosen) => MirrorPolicy {
                max_dataset_bytes: chosen.max_dataset_bytes,
                max_total_bytes: chosen.max_total_bytes,
                ..of(chosen.query.clone().map_or(Wanted::All, Wanted::Found))
            },
        })
    }
}
