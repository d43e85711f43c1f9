//! Checkpoints that nodes tell each other: a node that shows two partners two histories is found out by the first of the two
//! that hears of the other.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use dataset_model::Digest;
use federation::{Checkpoint, ForkProof, ForkSide, SeenCheckpoints, with_cosignatures};

use crate::{Node, NodeError, peers::Peer};

/// Checkpoints looked at in one answer.
const MOST_CHECKPOINTS: usize = 10_000;
/// Checkpoints of one log that are kept until what is held has grown as far.
const MOST_UNPROVEN: usize = 16;

/// A signed checkpoint that somebody told of, of more entries than are held.
#[derive(Debug, Clone)]
pub(crate) struct Hearsay {
    pub checkpoint: Checkpoint,
    told_by: String,
}

impl Node {
    /// The last verified checkpoint of every log that is followed, and the own one, as JSON; and the tag of this answer.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn seen_checkpoints(&self) -> Result<(Bytes, String), NodeError> {
        let mut checkpoints = Vec::new();
        if let Ok(own) = self.shown_checkpoint() {
            checkpoints.push(self.signed(own.tree));
        }
        for peer in self.peers.all() {
            checkpoints.extend(self.verified(&peer.config.id)?.note);
        }
        let body = serde_json::to_vec(&SeenCheckpoints { checkpoints });
        let body = body.map_err(|error| NodeError::Internal(error.to_string()))?;
        let tag = format!("\"{}\"", Digest::of(&body));
        Ok((body.into(), tag))
    }

    /// Reads what a peer has seen of the logs that are followed here, if that has changed. That it does not answer is no
    /// news: its own log is asked for next time all the same.
    pub(crate) async fn hear(&self, teller: &Peer) {
        let tag = teller.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let seen = match teller.puller().client().seen_checkpoints(tag.as_deref()).await {
            Ok(Some((seen, tag))) => {
                *teller.heard.lock().unwrap_or_else(PoisonError::into_inner) = tag;
                seen
            }
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(peer = %teller.config.id, %error, "no checkpoints were told");
                return;
            }
        };
        for note in seen.checkpoints.iter().take(MOST_CHECKPOINTS) {
            if let Err(error) = self.hear_of(note, teller) {
                tracing::warn!(peer = %teller.config.id, %error, "a checkpoint that it told of could not be compared");
            }
        }
    }

    fn hear_of(&self, note: &str, teller: &Peer) -> Result<(), NodeError> {
        let log = note.lines().next().unwrap_or_default();
        if log == self.public_key().origin() {
            return self.hear_of_myself(note, teller);
        }
        for peer in self.peers.all() {
            if let Some(checkpoint) = peer.verify(note) {
                let told_by = format!("what '{}' has seen", teller.config.id);
                self.weigh(&peer, Hearsay { checkpoint, told_by })?;
            }
        }
        Ok(())
    }

    /// Compares a signed checkpoint of a peer's log with what is held, or keeps it until as much is held.
    fn weigh(&self, peer: &Arc<Peer>, heard: Hearsay) -> Result<(), NodeError> {
        let id = &peer.config.id;
        let before = self.verified(id)?;
        let new = &heard.checkpoint;
        if new.size == before.tree.size || new.size <= self.ledger.size(id)? {
            return match self.contradicts_held(id, &before, new)? {
                Some(proof) => self.keep_fork(peer, proof, &heard.told_by),
                None => Ok(()),
            };
        }
        let mut unproven = peer.unproven();
        if let Some(other) = unproven.iter().find(|other| other.checkpoint.size == new.size) {
            let sides = [&other.checkpoint, new].map(side);
            let differ = other.checkpoint.root != new.root;
            drop(unproven);
            let proof = ForkProof { size: new.size, sides };
            return if differ { self.keep_fork(peer, proof, &heard.told_by) } else { Ok(()) };
        }
        if unproven.len() < MOST_UNPROVEN {
            unproven.push(heard);
        }
        Ok(())
    }

    /// Compares what was told of a peer's log before with what is held now.
    pub(crate) fn weigh_again(&self, peer: &Arc<Peer>) -> Result<(), NodeError> {
        let heard = std::mem::take(&mut *peer.unproven());
        heard.into_iter().try_for_each(|heard| self.weigh(peer, heard))
    }

    /// Compares a checkpoint that this node is said to have signed with its log.
    fn hear_of_myself(&self, note: &str, teller: &Peer) -> Result<(), NodeError> {
        let Ok(heard) = self.public_key().verify_checkpoint(note.as_bytes()) else { return Ok(()) };
        let size = self.ledger.size(&self.config.id)?;
        let teller = &teller.config.id;
        if heard.size > size {
            self.raise_alarm(format!(
                "'{teller}' has seen a checkpoint of {} entries that is signed with this node's key, {size} are here: was its data \
                 restored from an older copy, or its key stolen?",
                heard.size
            ));
        } else if self.ledger.root(&self.config.id, heard.size)? != heard.root {
            self.raise_alarm(format!(
                "'{teller}' has seen a checkpoint of {} entries that is signed with this node's key and is of another log: was its \
                 data restored from an older copy, or its key stolen?",
                heard.size
            ));
        }
        Ok(())
    }
}

fn side(checkpoint: &Checkpoint) -> ForkSide {
    ForkSide { note: checkpoint.note.clone(), root: checkpoint.root, proof: Some(Vec::new()) }
}

impl Peer {
    /// A checkpoint of this peer's log, if one of its keys signed it; of a key it has given up, only one from before.
    pub(crate) fn verify(&self, note: &str) -> Option<Checkpoint> {
        let key = self.puller().key().clone();
        let former = self.key_changes();
        let mut former = former.iter().rev().filter_map(|change| {
            let checkpoint = change.from.verify_checkpoint(note.as_bytes()).ok()?;
            (checkpoint.size <= change.tree.size).then_some((checkpoint, change.from.clone()))
        });
        let now = key.verify_checkpoint(note.as_bytes()).ok().map(|checkpoint| (checkpoint, key));
        let (checkpoint, key) = now.or_else(|| former.next())?;
        // Whoever told it may have added signatures of his own; they are nobody's business.
        let note = with_cosignatures(&checkpoint.note, &key, []).ok()?;
        Some(Checkpoint { note, ..checkpoint })
    }
}
