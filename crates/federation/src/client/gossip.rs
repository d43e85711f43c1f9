//! What nodes ask each other beside a log: cosignatures, checkpoints seen, keys.

use dataset_model::NodeId;
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use serde::{Deserialize, Serialize};

use super::PeerClient;
use crate::{
    AddCheckpoint, FederationError, KeyChain,
    checkpoint::decimal,
    fetch::{self, Expected},
    paths,
};

/// The largest answer of a witness, in bytes: some signature lines, or a number.
const MAX_SIGNATURE_BYTES: u64 = 16 * 1024;
/// The largest list of checkpoints, in bytes.
const MAX_CHECKPOINTS_BYTES: u64 = 4 * 1024 * 1024;
/// The largest chain of keys, in bytes.
const MAX_KEYS_BYTES: u64 = 1024 * 1024;

/// What a witness answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// Signature lines, not verified.
    Signed(String),
    /// The witness's latest checkpoint of the log has another size than was said.
    Conflict(u64),
}

/// The checkpoints a node saw last, of every log it follows and of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCheckpoints {
    /// Signed notes.
    pub checkpoints: Vec<String>,
}

impl PeerClient {
    /// Asks a witness to cosign a checkpoint. It is asked once: the caller tries again when it likes.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses.
    pub async fn add_checkpoint(&self, wanted: &AddCheckpoint) -> Result<WitnessAnswer, FederationError> {
        let url = format!("{}{}", self.base, paths::ADD_CHECKPOINT);
        let request = self.http.post(&url).timeout(self.limits.answer).header(CONTENT_TYPE, paths::TEXT);
        let answer = request.body(wanted.to_text()).send().await.map_err(|error| fetch::failed(&url, error))?;
        let status = answer.status();
        let body = fetch::body(answer, &url, Expected { media_type: paths::TEXT, bytes: MAX_SIGNATURE_BYTES }).await?;
        let text = || String::from_utf8(body.to_vec()).map_err(|_| FederationError::malformed("signatures are UTF-8"));
        match status {
            StatusCode::OK => Ok(WitnessAnswer::Signed(text()?)),
            StatusCode::CONFLICT => {
                let size = text()?.strip_suffix('\n').and_then(decimal);
                size.map(WitnessAnswer::Conflict).ok_or_else(|| FederationError::malformed("a witness names its size"))
            }
            other => Err(FederationError::Refused { url, status: other.as_u16() }),
        }
    }

    /// The checkpoints the node saw last, not verified, with the tag of this answer; nothing when they have not changed since
    /// the answer of that tag.
    ///
    /// # Errors
    /// When they cannot be had, or are no list.
    pub async fn seen_checkpoints(
        &self,
        unless: Option<&str>,
    ) -> Result<Option<(SeenCheckpoints, Option<String>)>, FederationError> {
        let url = format!("{}{}", self.base, paths::CHECKPOINTS);
        let mut request = self.http.get(&url).timeout(self.limits.answer);
        if let Some(tag) = unless {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let expected = Expected { media_type: paths::JSON, bytes: MAX_CHECKPOINTS_BYTES };
        let answer = match fetch::send(request, &url, expected).await {
            Err(FederationError::Refused { status: 304, .. }) => return Ok(None),
            answer => answer?,
        };
        let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = fetch::body(answer, &url, expected).await?;
        let seen = serde_json::from_slice(&body);
        let seen = seen.map_err(|error| FederationError::malformed(format!("not a list of checkpoints: {error}")))?;
        Ok(Some((seen, tag)))
    }

    /// The changes of the node's key, not verified.
    ///
    /// # Errors
    /// When they cannot be had, or are no chain.
    pub async fn key_chain(&self) -> Result<KeyChain, FederationError> {
        self.read_key_chain(paths::KEYS).await
    }

    /// The changes of a key of a log that the node follows, as it has verified them; not verified here.
    ///
    /// # Errors
    /// When they cannot be had, or are no chain.
    pub async fn key_chain_of(&self, log: &NodeId) -> Result<KeyChain, FederationError> {
        self.read_key_chain(&format!("{}?node={log}", paths::KEYS)).await
    }

    async fn read_key_chain(&self, path: &str) -> Result<KeyChain, FederationError> {
        let bytes = self.get(path, paths::JSON, MAX_KEYS_BYTES).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| FederationError::malformed(format!("not a chain of keys: {error}")))
    }
}
