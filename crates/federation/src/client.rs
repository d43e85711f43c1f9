mod gossip;

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use dataset_model::Digest;
use reqwest::{Client, Response, StatusCode, header::CONTENT_TYPE};
use url::Url;

use crate::{
    FederationError, Limits, NodeDescription, bundle,
    crate_stream::{CrateRequest, Decoder, MAX_DIGESTS},
    fetch::{self, Expected},
    live::{LiveAnswer, LiveQuestion},
    note::MAX_NOTE_BYTES,
    paths,
};

pub use gossip::{SeenCheckpoints, WitnessAnswer};

const HASH_BYTES: usize = 32;
const TILE_BYTES: u64 = 256 * HASH_BYTES as u64;

/// Asks a peer. Every answer has a deadline and a size limit; what it says is not verified here, except that crates
/// have the digests they were asked for by. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PeerClient {
    pub(crate) base: String,
    pub(crate) limits: Limits,
    pub(crate) http: Client,
}

impl PeerClient {
    /// A client for the node at `base`, which may have a path.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(base: Url, limits: Limits) -> Result<Self, FederationError> {
        let http = fetch::client(&limits)?;
        Ok(Self { base: base.as_str().trim_end_matches('/').to_owned(), limits, http })
    }

    /// The limits it keeps.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the node says about itself.
    ///
    /// # Errors
    /// When it cannot be had, or is no description.
    pub async fn description(&self) -> Result<NodeDescription, FederationError> {
        let bytes = self.get(paths::NODE, paths::JSON, self.limits.description_bytes).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| FederationError::malformed(format!("not a node description: {error}")))
    }

    /// The signed checkpoint, unverified.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, FederationError> {
        Ok(self.get(paths::CHECKPOINT, paths::TEXT, MAX_NOTE_BYTES as u64).await?.into())
    }

    /// A hash tile, unverified: 32 bytes for each of `width` hashes, or 256. When the partial tile is gone because the
    /// log has grown, its beginning is cut from the full one (C2SP `tlog-tiles`, "Partial Tiles").
    ///
    /// # Errors
    /// When it cannot be had, or has another size.
    pub async fn tile(&self, level: u8, index: u64, width: Option<u8>) -> Result<Bytes, FederationError> {
        let hashes = width.map_or(256, usize::from);
        let mut partial = width;
        let mut tile = self.get(&paths::tile(level, index, width), paths::BYTES, TILE_BYTES).await;
        if width.is_some() && is_missing(&tile) {
            partial = None;
            tile = self.get(&paths::tile(level, index, None), paths::BYTES, TILE_BYTES).await;
        }
        let tile = tile?;
        if tile.len() != partial.map_or(256, usize::from) * HASH_BYTES {
            return Err(FederationError::malformed(format!("a hash tile has {} bytes", tile.len())));
        }
        Ok(tile.slice(..hashes * HASH_BYTES))
    }

    /// A bundle of entries, unverified, except that it has `width` of them, or 256. When the partial bundle is gone because
    /// the log has grown, its beginning is cut from the full one.
    ///
    /// # Errors
    /// When it cannot be had, or has not that many entries.
    pub async fn entry_bundle(&self, index: u64, width: Option<u8>) -> Result<Bytes, FederationError> {
        let entries = width.map_or(bundle::WIDTH, u64::from);
        let mut present = entries;
        let mut bytes = self.get(&paths::entries(index, width), paths::BYTES, bundle::MAX_BYTES).await;
        if width.is_some() && is_missing(&bytes) {
            present = bundle::WIDTH;
            bytes = self.get(&paths::entries(index, None), paths::BYTES, bundle::MAX_BYTES).await;
        }
        bundle::cut(bytes?, present, entries)
    }

    /// Crates by digest, in the order asked; nothing for those the node does not have. Each has the digest it was asked
    /// for by. Any number may be asked for; an answer too large for the limits is asked for in two halves.
    ///
    /// # Errors
    /// When one request fails, or a crate is larger than the limit or has other bytes.
    pub async fn crates(&self, digests: &[Digest]) -> Result<Vec<(Digest, Option<Bytes>)>, FederationError> {
        let mut crates = Vec::with_capacity(digests.len());
        let mut parts: VecDeque<&[Digest]> = digests.chunks(MAX_DIGESTS).collect();
        while let Some(part) = parts.pop_front() {
            match self.some_crates(part).await {
                Err(FederationError::TooLarge { .. }) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.push_front(second);
                    parts.push_front(first);
                }
                answer => crates.extend(answer?),
            }
        }
        Ok(crates)
    }

    /// The node's log from an entry on, with crates, as a stream; the head of the answer has come.
    pub(crate) async fn log(&self, from: u64, to: u64) -> Result<(String, Response), FederationError> {
        let url = format!("{}{}?from={from}&to={to}", self.base, paths::LOG);
        let expected = Expected { media_type: paths::ZSTD, bytes: u64::MAX };
        // The body has no deadline of its own: each batch of it has.
        let head = tokio::time::timeout(self.limits.answer, fetch::send(self.http.get(&url), &url, expected)).await;
        let response = head.map_err(|_| FederationError::Timeout { url: url.clone() })??;
        Ok((url, response))
    }

    /// Tells the node, which follows our log, that it has grown: sends a signed checkpoint, once. It is never sent again: the node
    /// looks for itself every now and then.
    ///
    /// # Errors
    /// When it cannot be had, or does not want to know.
    pub async fn hint(&self, note: &str) -> Result<(), FederationError> {
        let url = format!("{}{}", self.base, paths::INBOX);
        let request = self.http.post(&url).timeout(self.limits.hint).header(CONTENT_TYPE, paths::TEXT);
        let response = request.body(note.to_owned()).send().await.map_err(|error| fetch::failed(&url, error))?;
        match response.status() {
            StatusCode::ACCEPTED => Ok(()),
            status => Err(FederationError::Refused { url, status: status.as_u16() }),
        }
    }

    /// Searches the node's own records, once, within a time.
    ///
    /// # Errors
    /// When it does not answer in time, or what cannot be used.
    pub async fn search(&self, question: &LiveQuestion<'_>, time: Duration) -> Result<LiveAnswer, FederationError> {
        let url = format!("{}{}", self.base, question.path()?);
        let expected = Expected { media_type: paths::JSON, bytes: question.answer_bytes() };
        let response = fetch::send(self.http.get(&url).timeout(time), &url, expected).await?;
        question.read(&fetch::body(response, &url, expected).await?)
    }

    async fn some_crates(&self, digests: &[Digest]) -> Result<Vec<(Digest, Option<Bytes>)>, FederationError> {
        let url = format!("{}{}", self.base, paths::CRATES);
        let request = self.http.post(&url).timeout(self.limits.bulk).json(&CrateRequest { digests: digests.to_vec() });
        let expected = Expected { media_type: paths::ZSTD, bytes: self.limits.answer_bytes };
        let mut response = fetch::send(request, &url, expected).await?;
        let mut decoder = Decoder::new(digests, &self.limits)?;
        let mut received = 0_u64;
        while let Some(piece) = fetch::next_piece(&mut response, &url).await? {
            received += piece.len() as u64;
            if received > expected.bytes {
                return Err(FederationError::TooLarge { what: url, limit: expected.bytes });
            }
            decoder.push(&piece)?;
        }
        decoder.finish()
    }

    pub(crate) async fn get(&self, path: &str, media_type: &'static str, bytes: u64) -> Result<Bytes, FederationError> {
        let url = format!("{}{path}", self.base);
        fetch::get(&self.http, &self.limits, &url, Expected { media_type, bytes }).await
    }
}

fn is_missing(answer: &Result<Bytes, FederationError>) -> bool {
    matches!(answer, Err(FederationError::Refused { status: 404 | 410, .. }))
}
