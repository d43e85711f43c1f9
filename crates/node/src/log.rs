use std::sync::Arc;

use bytes::Bytes;
use dataset_model::{Digest, Timestamp};
use federation::{
    NodeDescription, PeerDescription, Tree, WitnessDescription,
    crate_stream::{CrateRequest, MAX_DIGESTS, encode},
};
use futures::Stream;

use crate::{Actor, Node, NodeError, policy};

impl Node {
    /// The node's latest signed checkpoint (C2SP `tlog-checkpoint`).
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn checkpoint(&self) -> Result<String, NodeError> {
        self.note_of(&self.shown_checkpoint()?)
    }

    /// A tree of the own log, signed.
    pub(crate) fn signed(&self, tree: Tree) -> String {
        let mut last = self.checkpoint.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match last.as_ref().filter(|(of, _)| *of == tree) {
            Some((_, note)) => note.clone(),
            None => last.insert((tree, self.key.sign_checkpoint(tree.size, tree.root))).1.clone(),
        }
    }

    /// The time of a new entry of the own log: now, and not before that of the last one. A clock that was set back must not hide
    /// new entries from those who ask for what came since a moment.
    pub(crate) fn time_of_new_entry(&self) -> Result<Timestamp, NodeError> {
        let own = &self.config.id;
        let last = self.ledger.size(own)?.checked_sub(1).map(|last| self.entry(own, last)).transpose()?;
        let now = Timestamp::now();
        Ok(last.map_or(now, |last| now.max(last.time)))
    }

    /// A hash tile of the node's log (C2SP `tlog-tiles`), `width` hashes wide where it is partial.
    ///
    /// # Errors
    /// When the log has not grown that far.
    pub fn log_tile(&self, level: u8, index: u64, width: Option<u8>) -> Result<Bytes, NodeError> {
        self.ledger.tile(&self.config.id, level, index, width)?.ok_or_else(beyond_the_log)
    }

    /// A bundle of entries of the node's log.
    ///
    /// # Errors
    /// When the log has not grown that far.
    pub fn log_entries(&self, index: u64, width: Option<u8>) -> Result<Bytes, NodeError> {
        self.ledger.entry_bundle(&self.config.id, index, width)?.ok_or_else(beyond_the_log)
    }

    /// A crate by its digest, for peers that hold its entry. One with contact details in it, which another node announced, is
    /// not given on.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn crate_by_digest(&self, actor: &Actor, digest: &Digest) -> Result<Option<Bytes>, NodeError> {
        // Only open datasets are in the log today; the policy is asked all the same.
        policy::require_read(actor, dataset_model::Access::Open, beyond_the_log)?;
        let bytes = self.ledger.crate_bytes(digest)?;
        let is_public =
            |bytes: &Bytes| metadata_store::public_crate(bytes).is_ok_and(|public| public.changed.is_none());
        Ok(bytes.filter(is_public))
    }

    /// What the node says about itself.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn description(&self) -> Result<NodeDescription, NodeError> {
        let peers = self.peers.all().into_iter().map(|peer| PeerDescription {
            id: peer.config.id.clone(),
            url: peer.config.url.clone(),
            public_key: peer.puller().key().to_string(),
        });
        let shown = self.shown_checkpoint().ok();
        let witnesses = shown.iter().flat_map(|own| own.witnesses());
        let witnesses = witnesses.map(|witness| WitnessDescription { id: witness.id, time: witness.time });
        Ok(NodeDescription {
            id: self.config.id.clone(),
            title: self.config.title.clone(),
            url: self.config.public_url.clone(),
            public_key: self.public_key().to_string(),
            software: "heliograph".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            country: self.config.country.clone(),
            peers: peers.collect(),
            witnesses: witnesses.collect(),
            log_size: self.ledger.size(&self.config.id)?,
            protocol: federation::PROTOCOL,
        })
    }
}

fn beyond_the_log() -> NodeError {
    NodeError::NotFound("the log has nothing there (yet): read /log/checkpoint for its size".into())
}

impl Node {
    /// Crates by digest, as the stream peers read; `request` is `{"digests": […]}`.
    ///
    /// # Errors
    /// When the request cannot be read.
    pub fn crate_stream(
        self: &Arc<Self>,
        actor: &Actor,
        request: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static + use<>, NodeError> {
        let request: CrateRequest = serde_json::from_str(request)
            .map_err(|error| NodeError::Invalid(format!("send {{\"digests\": [\"<64 hex digits>\", …]}}: {error}")))?;
        if request.digests.len() > MAX_DIGESTS {
            return Err(NodeError::TooLarge(format!("at most {MAX_DIGESTS} digests in one request")));
        }
        let (node, actor) = (self.clone(), actor.clone());
        let crates = request.digests.into_iter().map(move |digest| {
            node.crate_by_digest(&actor, &digest).map(|bytes| (digest, bytes)).map_err(std::io::Error::other)
        });
        Ok(futures::stream::iter(encode(crates)))
    }
}
