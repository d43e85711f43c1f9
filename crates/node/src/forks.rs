//! Histories that contradict each other: the proof is kept, and a person decides.

use dataset_model::{Digest, NodeId, Timestamp};
use federation::{FederationError, ForkProof, PublicKey, with_cosignatures};
use ledger::Collection;
use serde::{Deserialize, Serialize};

use crate::{Actor, Node, NodeError, Scope, peers::Peer, policy};

/// Contradictions kept of one log; more prove nothing more.
const MOST_OF_ONE_LOG: usize = 8;
/// How a contradiction is found in a peer's own checkpoint.
pub(crate) const OWN_CHECKPOINT: &str = "its own checkpoint";

/// Two histories of one log, both signed, and how they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkEvidence {
    /// The peer whose log it is.
    pub peer: NodeId,
    /// The log's name.
    pub log: String,
    /// The log's keys, as far as they were pinned here; each side is signed by one of them.
    pub public_keys: Vec<String>,
    /// The contradiction.
    #[serde(flatten)]
    pub proof: ForkProof,
    /// When it was found last.
    pub found: Timestamp,
    /// From whom the second history came.
    pub found_by: String,
    /// What an administrator decided, where one has.
    pub decided: Option<ForkDecision>,
}

/// That a person has looked at a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkDecision {
    /// When.
    pub time: Timestamp,
    /// By whom: the id of a token.
    pub by: String,
    /// Why, in that person's words.
    pub note: String,
}

impl Node {
    fn fork_evidence(&self) -> Collection<ForkEvidence> {
        self.ledger.collection("forks")
    }

    /// Every contradiction found in a log that is followed here.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn forks(&self) -> Result<Vec<ForkEvidence>, NodeError> {
        self.fork_evidence().iter_prefix("").map(|row| Ok(row?.1)).collect()
    }

    /// Goes on following a peer whose log was found to have two histories. What was verified before stays what its log is
    /// compared with.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when there is no such peer, or nothing to decide.
    pub fn forgive_peer(&self, actor: &Actor, id: &NodeId, note: &str) -> Result<(), NodeError> {
        policy::require(actor, Scope::Admin)?;
        let peer = self.peers.get(id).ok_or_else(|| NodeError::NotFound(format!("there is no peer '{id}'")))?;
        let decision = ForkDecision { time: Timestamp::now(), by: actor.owner().to_owned(), note: note.to_owned() };
        let mut changes = Vec::new();
        for row in self.fork_evidence().iter_prefix(&format!("{id}/")) {
            let (key, mut evidence) = row?;
            if evidence.decided.is_none() {
                evidence.decided = Some(decision.clone());
                changes.push(self.fork_evidence().put(&key, &evidence)?);
            }
        }
        if changes.is_empty() {
            return Err(NodeError::Conflict(format!("there is nothing to forgive '{id}'")));
        }
        self.ledger.write(changes)?;
        peer.wake.notify_one();
        Ok(())
    }

    /// The contradiction in a peer's log that nobody has decided about, if there is one.
    pub(crate) fn open_fork(&self, id: &NodeId) -> Result<Option<ForkEvidence>, NodeError> {
        for row in self.fork_evidence().iter_prefix(&format!("{id}/")) {
            let evidence = row?.1;
            if evidence.decided.is_none() {
                return Ok(Some(evidence));
            }
        }
        Ok(None)
    }

    /// Fails while nobody has decided about a contradiction in the peer's log.
    pub(crate) fn require_no_fork(&self, peer: &Peer) -> Result<(), NodeError> {
        match self.open_fork(&peer.config.id)? {
            Some(fork) => Err(peer.fault(FederationError::Fork { size: fork.proof.size })),
            None => Ok(()),
        }
    }

    /// Keeps the proof of two histories. From now on nothing is taken from the peer.
    pub(crate) fn keep_fork(&self, peer: &Peer, mut proof: ForkProof, found_by: &str) -> Result<(), NodeError> {
        let (id, keys) = (&peer.config.id, peer.keys());
        for side in &mut proof.sides {
            // The log's own signature proves it; what else was sent with it is only long.
            let bare = keys.iter().find_map(|key| with_cosignatures(&side.note, key, []).ok());
            side.note = bare.unwrap_or_else(|| std::mem::take(&mut side.note));
        }
        let (size, forks) = (proof.size, self.fork_evidence());
        let roots = proof.sides.each_ref().map(|side| side.root.to_string());
        let key = format!("{id}/{size:020}/{}", &Digest::of(roots.concat()).to_string()[..16]);
        let known = forks.get(&key)?;
        // What a person has decided about stays decided when somebody tells of it again, not when the peer itself goes on so.
        if known.as_ref().is_some_and(|known| known.decided.is_some()) && found_by != OWN_CHECKPOINT {
            return Ok(());
        }
        if known.is_none() && forks.iter_prefix(&format!("{id}/")).count() >= MOST_OF_ONE_LOG {
            return Ok(());
        }
        tracing::warn!(peer = %id, size, found_by, "the peer shows another history than before; nothing more is taken from it");
        let evidence = ForkEvidence {
            peer: id.clone(),
            log: peer.puller().key().origin().to_owned(),
            public_keys: keys.iter().map(PublicKey::to_string).collect(),
            // A proof that was complete stays; it may come again without one of its halves.
            proof: known.map_or(proof, |known| known.proof),
            found: Timestamp::now(),
            found_by: found_by.to_owned(),
            decided: None,
        };
        Ok(self.ledger.write(vec![forks.put(&key, &evidence)?])?)
    }
}
