//! This node as a witness of the logs it follows: C2SP `tlog-witness`.

use std::sync::{Arc, PoisonError};

use dataset_model::{NodeId, Timestamp};
use federation::{AddCheckpoint, Checkpoint};
use serde::Serialize;

use crate::{Node, NodeError, peers::Peer};

/// A node that cosigned a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Its name.
    pub id: NodeId,
    /// When it cosigned.
    pub time: Timestamp,
}

/// What a witness answers to a checkpoint it may cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnessed {
    /// The cosignature, as a line of the note.
    Cosigned(String),
    /// The latest checkpoint that was verified here has this size; the proof must start there.
    Conflict(u64),
}

impl Node {
    /// Cosigns a checkpoint of a log that is followed here, once it is proven that it extends the last one and that is
    /// written down. `body` is the request of C2SP `tlog-witness`, `add-checkpoint`.
    ///
    /// # Errors
    /// `Malformed` when the request cannot be read, `NotFound` for a log that is not followed here, `Forbidden` when its key
    /// did not sign, or while a fork of it is undecided, `Invalid` when the proof does not fit.
    pub fn witness(&self, body: &[u8]) -> Result<Witnessed, NodeError> {
        let request = AddCheckpoint::from_bytes(body).map_err(|error| NodeError::Malformed(error.to_string()))?;
        let (peer, checkpoint) = self.log_of(&request.checkpoint)?;
        self.require_no_fork(&peer).map_err(|error| NodeError::Forbidden(error.to_string()))?;
        if request.old > checkpoint.size {
            let what = format!("the old size, {}, is larger than the new one, {}", request.old, checkpoint.size);
            return Err(NodeError::Malformed(what));
        }
        let _alone = peer.verifying.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.verified(&peer.config.id)?;
        if checkpoint.size <= before.tree.size
            && let Some(proof) = self.contradicts_held(&peer.config.id, &before, &checkpoint)?
        {
            self.keep_fork(&peer, proof, "a checkpoint it wanted cosigned")?;
            return Ok(Witnessed::Conflict(before.tree.size));
        }
        if request.old != before.tree.size {
            return Ok(Witnessed::Conflict(before.tree.size));
        }
        if !checkpoint.tree().extends(before.tree, &request.proof) {
            let what = format!("the proof does not show that the log extends its first {} entries", request.old);
            return Err(NodeError::Invalid(what));
        }
        if checkpoint.size > before.tree.size || before.note.is_none() {
            self.ledger.write(vec![self.verified_change(&peer, &checkpoint, &peer.puller())?])?;
        }
        if checkpoint.size > self.ledger.size(&peer.config.id)? {
            // There is something to read.
            peer.wake.notify_one();
        }
        let cosigned = self.key.cosign(checkpoint.note.as_bytes(), Timestamp::now());
        Ok(Witnessed::Cosigned(cosigned.map_err(|error| peer.fault(error))?.line))
    }

    /// The followed log that a signed checkpoint is of.
    fn log_of(&self, note: &str) -> Result<(Arc<Peer>, Checkpoint), NodeError> {
        let log = note.lines().next().unwrap_or_default();
        let peers: Vec<_> = self.peers.all().into_iter().filter(|peer| peer.puller().key().origin() == log).collect();
        if peers.is_empty() {
            return Err(NodeError::NotFound(
                "this node witnesses the logs it follows, and that is none of them".into(),
            ));
        }
        for peer in peers {
            if let Ok(checkpoint) = peer.puller().key().verify_checkpoint(note.as_bytes()) {
                return Ok((peer, checkpoint));
            }
        }
        Err(NodeError::Forbidden("the checkpoint is not signed by the key that is pinned here, or is none".into()))
    }
}
