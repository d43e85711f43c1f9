//! Which versions of other nodes a node holds copies of, page by page.

use dataset_model::{DatasetId, Digest, NodeId, Timestamp, VersionNumber};
use serde::{Deserialize, Serialize};

use crate::{FederationError, PeerClient, paths};

/// The most that one page has.
const PAGE: usize = 1000;
/// The largest page that is read, in bytes.
const PAGE_BYTES: u64 = 1024 * 1024;

/// A version of another node of which a complete, checked copy is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirroredVersion {
    /// The node that published it.
    pub node: NodeId,
    /// The dataset's id there.
    pub dataset: DatasetId,
    /// The version.
    pub version: VersionNumber,
    /// The Merkle root over its files.
    pub content_root: Digest,
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// When every byte was last found right.
    pub verified: Timestamp,
}

/// What `/federation/v1/mirrored` answers. Nobody has to believe it: who downloads checks every file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirroredPage {
    /// Copies, in the order of node, dataset and version.
    pub copies: Vec<MirroredVersion>,
    /// Ask with `?after=` this for the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl MirroredPage {
    /// As many copies stand on one page.
    pub const LENGTH: usize = PAGE;
}

impl PeerClient {
    /// One page of what the node mirrors.
    ///
    /// # Errors
    /// When it cannot be had, or is no such page.
    pub async fn mirrored(&self, after: Option<&str>) -> Result<MirroredPage, FederationError> {
        let after = after.map(|after| {
            let query: String =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("after", after).finish();
            format!("?{query}")
        });
        let path = format!("{}{}", paths::MIRRORED, after.unwrap_or_default());
        let page: MirroredPage = self.json(&path, PAGE_BYTES).await?;
        if page.copies.len() > PAGE {
            return Err(FederationError::malformed(format!("a page has at most {PAGE} copies")));
        }
        Ok(page)
    }

    /// Any JSON answer of at most so many bytes.
    ///
    /// # Errors
    /// When it cannot be had, is larger, or is not of this form.
    pub async fn json<T: serde::de::DeserializeOwned>(&self, path: &str, most: u64) -> Result<T, FederationError> {
        let bytes = self.get(path, paths::JSON, most).await?;
        serde_json::from_slice(&bytes).map_err(|error| FederationError::malformed(format!("{path}: {error}")))
    }

    /// The bytes of a JSON answer that may be large, such as a list of files; given as they came.
    ///
    /// # Errors
    /// When it cannot be had, or is larger than `most` bytes.
    pub async fn raw_json(&self, path: &str, most: u64) -> Result<bytes::Bytes, FederationError> {
        let url = format!("{}{path}", self.base);
        let expected = crate::fetch::Expected { media_type: paths::JSON, bytes: most };
        let response = crate::fetch::send(self.http.get(&url).timeout(self.limits.bulk), &url, expected).await?;
        crate::fetch::body(response, &url, expected).await
    }

    /// The address of the node, without trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }
}
