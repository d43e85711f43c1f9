//! What was verified of each peer's log last, and how the next checkpoint is compared with it.

use std::sync::PoisonError;

use dataset_model::{NodeId, Timestamp};
use federation::{
    Checkpoint, Comparison, Cosignature, FederationError, ForkProof, ForkSide, Puller, Tree, with_cosignatures,
};
use ledger::Collection;
use serde::{Deserialize, Serialize};

use crate::{Node, NodeError, forks::OWN_CHECKPOINT, key_rotation::Read, peers::Peer};

/// How often a checkpoint is compared anew because another one was verified meanwhile.
const ATTEMPTS: usize = 4;

/// The largest tree of a peer's log that was verified. All that is held of the log is its beginning, and every later
/// checkpoint, by whatever way it comes, must extend it. Key: the peer's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verified {
    #[serde(flatten)]
    pub tree: Tree,
    /// The checkpoint as the log signed it. Nothing for a log of which none was seen yet, or not since they are kept.
    pub note: Option<String>,
    pub time: Timestamp,
}

impl Verified {
    /// Its side of a contradiction.
    fn side(&self, root: dataset_model::Digest, proof: Option<Vec<dataset_model::Digest>>) -> ForkSide {
        ForkSide { note: self.note.clone().unwrap_or_default(), root, proof }
    }
}

impl Node {
    pub(crate) fn verified_checkpoints(&self) -> Collection<Verified> {
        self.ledger.collection("verified_checkpoints")
    }

    /// What was verified of a peer's log last; at least what is held of it.
    pub(crate) fn verified(&self, id: &NodeId) -> Result<Verified, NodeError> {
        let held = self.ledger.size(id)?;
        match self.verified_checkpoints().get(id.as_str())? {
            Some(verified) if verified.tree.size >= held => Ok(verified),
            _ => {
                let tree = Tree { size: held, root: self.ledger.root(id, held)? };
                Ok(Verified { tree, note: None, time: Timestamp::now() })
            }
        }
    }

    /// The peer's latest checkpoint: signed, cosigned as is required here, and an extension of all that was verified before.
    pub(crate) async fn next_checkpoint(&self, peer: &Peer) -> Result<Checkpoint, NodeError> {
        let id = &peer.config.id;
        self.require_no_fork(peer)?;
        for _ in 0..ATTEMPTS {
            // Before the question: what a witness was shown until then, the log had.
            let before = self.verified(id)?;
            let read = self.read_checkpoint(peer).await?;
            self.require_witnesses(peer, &read.checkpoint)?;
            if let Some(proof) = self.contradiction(peer, &read.puller, &before, &read.checkpoint).await? {
                let size = proof.size;
                self.keep_fork(peer, proof, OWN_CHECKPOINT)?;
                return Err(peer.fault(FederationError::Fork { size }));
            }
            if self.set_verified(peer, &before, &read)? {
                peer.status().witnesses = self.witnesses_on(id, &read.checkpoint.note).into_iter().collect();
                return Ok(read.checkpoint);
            }
        }
        Err(NodeError::Unavailable(format!("the log of '{id}' grows faster than it can be compared")))
    }

    /// Writes a checkpoint down, unless another one than `before` was written down meanwhile.
    fn set_verified(&self, peer: &Peer, before: &Verified, read: &Read) -> Result<bool, NodeError> {
        let _alone = peer.verifying.lock().unwrap_or_else(PoisonError::into_inner);
        if self.verified(&peer.config.id)?.tree != before.tree {
            return Ok(false);
        }
        let mut changes = self.pinning(peer, &read.changes)?;
        if read.checkpoint.size > before.tree.size || (before.note.is_none() && read.checkpoint.tree() == before.tree) {
            changes.push(self.verified_change(peer, &read.checkpoint, &read.puller)?);
        }
        if !changes.is_empty() {
            self.ledger.write(changes)?;
        }
        peer.follow_keys(&read.changes);
        Ok(true)
    }

    /// The change that writes a checkpoint down as verified. The caller holds `peer.verifying`.
    pub(crate) fn verified_change(
        &self,
        peer: &Peer,
        checkpoint: &Checkpoint,
        puller: &Puller,
    ) -> Result<ledger::Change, NodeError> {
        let note = with_cosignatures(&checkpoint.note, puller.key(), []).map_err(|error| peer.fault(error))?;
        let verified = Verified { tree: checkpoint.tree(), note: Some(note), time: Timestamp::now() };
        Ok(self.verified_checkpoints().put(peer.config.id.as_str(), &verified)?)
    }

    /// The proof that a signed checkpoint and the one verified before are of two histories, if they are.
    async fn contradiction(
        &self,
        peer: &Peer,
        puller: &Puller,
        before: &Verified,
        new: &Checkpoint,
    ) -> Result<Option<ForkProof>, NodeError> {
        let fault = |source| peer.fault(source);
        if new.size >= before.tree.size {
            return Ok(match puller.compare(new.tree(), before.tree).await.map_err(fault)? {
                Comparison::Extends => None,
                Comparison::Differs { root, proof } => {
                    let new = ForkSide { note: new.note.clone(), root, proof: Some(proof) };
                    let sides = [before.side(before.tree.root, Some(Vec::new())), new];
                    Some(ForkProof { size: before.tree.size, sides })
                }
            });
        }
        if let Some(proof) = self.contradicts_held(&peer.config.id, before, new)? {
            return Ok(Some(proof));
        }
        let held = self.ledger.size(&peer.config.id)?;
        let rolled_back = |held| fault(FederationError::RolledBack { held, offered: new.size });
        if new.size < held {
            return Err(rolled_back(held));
        }
        // A witness is shown checkpoints before everybody sees them: a smaller one is fine if it is of the same history.
        match puller.compare(before.tree, new.tree()).await {
            Ok(Comparison::Extends) => Ok(None),
            Ok(Comparison::Differs { root, proof }) => {
                let new_side = ForkSide { note: new.note.clone(), root: new.root, proof: Some(Vec::new()) };
                Ok(Some(ForkProof { size: new.size, sides: [before.side(root, Some(proof)), new_side] }))
            }
            Err(FederationError::Refused { status: 404 | 410, .. }) => Err(rolled_back(before.tree.size)),
            Err(error) => Err(fault(error)),
        }
    }

    /// The same, of a checkpoint of not more entries than are held, or of as many as were verified.
    pub(crate) fn contradicts_held(
        &self,
        id: &NodeId,
        before: &Verified,
        new: &Checkpoint,
    ) -> Result<Option<ForkProof>, NodeError> {
        let held = self.ledger.size(id)?;
        let (root, proof) = if new.size == before.tree.size {
            (before.tree.root, Some(Vec::new()))
        } else if new.size <= held {
            let known = before.tree.size <= held;
            let proof = known.then(|| self.ledger.consistency_proof(id, new.size, before.tree.size)).transpose()?;
            (self.ledger.root(id, new.size)?, proof)
        } else {
            return Ok(None);
        };
        let new_side = ForkSide { note: new.note.clone(), root: new.root, proof: Some(Vec::new()) };
        Ok((root != new.root).then(|| ForkProof { size: new.size, sides: [before.side(root, proof), new_side] }))
    }

    /// Refuses a checkpoint with entries that are not held, when fewer peers have cosigned it than is required.
    fn require_witnesses(&self, peer: &Peer, checkpoint: &Checkpoint) -> Result<(), NodeError> {
        let required = peer.config.witnesses_required;
        if required == 0 || checkpoint.size <= self.ledger.size(&peer.config.id)? {
            return Ok(());
        }
        let found = self.witnesses_on(&peer.config.id, &checkpoint.note).len();
        let missing = FederationError::NotWitnessed { size: checkpoint.size, found, required };
        if found >= required { Ok(()) } else { Err(peer.fault(missing)) }
    }

    /// The peers, other than the one whose log it is, that have cosigned a checkpoint.
    fn witnesses_on(&self, log: &NodeId, note: &str) -> Vec<crate::Witness> {
        let witness = |peer: std::sync::Arc<Peer>| {
            let Cosignature { time, .. } = peer.puller().key().cosignature_on(note.as_bytes()).ok()??;
            Some(crate::Witness { id: peer.config.id.clone(), time })
        };
        self.peers.all().into_iter().filter(|peer| peer.config.id != *log).filter_map(witness).collect()
    }
}
