//! The inventory this archive writes and reads back (OCFL 1.1, section 3.5).

use std::collections::BTreeMap;

use dataset_model::{DatasetId, Digest, FilePath, IdError, Timestamp, VersionNumber};
use serde::{Deserialize, Serialize};

use crate::{error::ArchiveError, layout};

/// The value of `type` in an OCFL 1.1 inventory.
pub(crate) const INVENTORY_TYPE: &str = "https://ocfl.io/1.1/spec/#inventory";

/// An inventory; maps are sorted, so that equal inventories are equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inventory {
    /// First, so that the head of the file tells whose it is.
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) digest_algorithm: String,
    pub(crate) head: VersionName,
    /// Content paths from the object's root, by digest.
    pub(crate) manifest: BTreeMap<Digest, Vec<String>>,
    pub(crate) versions: BTreeMap<VersionName, VersionBlock>,
}

/// One version: when, why, who, and the files by digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionBlock {
    pub(crate) created: Timestamp,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<User>,
    pub(crate) state: BTreeMap<Digest, Vec<FilePath>>,
}

/// Who made a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
}

/// A version number written `v1`, in the order of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct VersionName(pub(crate) VersionNumber);

impl TryFrom<String> for VersionName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

impl From<VersionName> for String {
    fn from(name: VersionName) -> Self {
        name.0.to_string()
    }
}

impl Inventory {
    /// An inventory without versions, to be the first one's start.
    pub(crate) fn new(dataset: &DatasetId) -> Self {
        Self {
            id: layout::ocfl_id(dataset),
            kind: INVENTORY_TYPE.to_owned(),
            digest_algorithm: "sha256".to_owned(),
            head: VersionName(VersionNumber::FIRST),
            manifest: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    /// Reads an inventory; `path` is for the error.
    pub(crate) fn parse(bytes: &[u8], path: &impl ToString) -> Result<Self, ArchiveError> {
        serde_json::from_slice(bytes).map_err(|error| ArchiveError::damaged(path.to_string(), error))
    }

    /// The bytes to store.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|error| ArchiveError::damaged(layout::INVENTORY, error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The sidecar of an inventory with this digest (OCFL 1.1, section 3.7).
pub(crate) fn sidecar_of(inventory: Digest) -> String {
    format!("{inventory} {}\n", layout::INVENTORY)
}

/// The `id` in the first bytes of an inventory, when it was written with the id first.
pub(crate) fn id_in_head(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let rest = text.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"id\"")?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_survives_writing_and_shows_its_id_first() {
        let inventory = Inventory::new(&"europe-1".parse().unwrap());
        let bytes = inventory.to_bytes().unwrap();
        assert_eq!(Inventory::parse(&bytes, &"x").unwrap(), inventory);
        assert_eq!(id_in_head(&bytes[..60]).as_deref(), Some("urn:heliograph:europe-1"));
        assert_eq!(id_in_head(b"{\"head\": 1}"), None);
    }

    #[test]
    fn versions_are_in_the_order_of_numbers() {
        let name = |text: &str| VersionName(text.parse().unwrap());
        assert!(name("v9") < name("v10"));
        assert_eq!(serde_json::to_string(&name("v10")).unwrap(), "\"v10\"");
    }
}
