use dataset_model::{NodeId, Timestamp};
use federation::PublicKey;
use serde::Serialize;

use crate::{Actor, Node, NodeError, PeerConfig, policy};

/// How a peer stands with us.
#[derive(Debug, Clone, Serialize)]
pub struct PeerStatus {
    /// Its name.
    pub id: NodeId,
    /// Its address.
    pub url: String,
    /// Its pinned public key.
    pub public_key: String,
    /// Short form of the key, for reading aloud.
    pub fingerprint: String,
    /// Entries of its log held here, all verified.
    pub held: u64,
    /// The size its last verified checkpoint told.
    pub offered: Option<u64>,
    /// When that checkpoint was read.
    pub checked: Option<Timestamp>,
    /// When entries last arrived.
    pub changed: Option<Timestamp>,
    /// What went wrong last, if the last pass failed.
    pub error: Option<String>,
    /// Whether the error is the peer's doing (a lie, a fork), not the network's.
    pub peer_fault: bool,
    /// Passes that failed since the last that did not.
    pub failures: u32,
}

impl PeerStatus {
    pub(crate) fn new(config: &PeerConfig) -> Self {
        let fingerprint = config.public_key.parse::<PublicKey>().map(|key| key.fingerprint()).unwrap_or_default();
        Self {
            id: config.id.clone(),
            url: config.url.clone(),
            public_key: config.public_key.clone(),
            fingerprint,
            held: 0,
            offered: None,
            checked: None,
            changed: None,
            error: None,
            peer_fault: false,
            failures: 0,
        }
    }

    /// Entries the peer has and we do not hold yet, as far as we know.
    pub fn lag(&self) -> u64 {
        self.offered.unwrap_or(self.held).saturating_sub(self.held)
    }
}

impl Node {
    /// Every peer's state.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn peers(&self, actor: &Actor) -> Result<Vec<PeerStatus>, NodeError> {
        policy::require_read(actor, dataset_model::Access::Open, || NodeError::NotFound("no peers".into()))?;
        let mut states = Vec::new();
        for peer in &self.peers {
            let mut status = peer.status.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            status.held = self.ledger.size(&status.id)?;
            states.push(status);
        }
        Ok(states)
    }
}
