//! A log goes on under a new key: making one, and following a peer that did.

use std::path::Path;

use dataset_model::{NodeId, Timestamp};
use federation::{Checkpoint, KeyChain, KeyChange, NodeKey, PublicKey, Puller, Tree};
use ledger::{Change, Collection, Ledger};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Node, NodeError, Scope, keys,
    peers::Peer,
    policy,
    service::{unusable, write_secret},
};

/// The new key, before the change to it is in the ledger.
const NEXT_KEY: &str = "next.key";

/// How a node changed its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRotation {
    /// The key before.
    pub from: String,
    /// The key from now on.
    pub to: String,
    /// Short form of the new key, for reading aloud.
    pub fingerprint: String,
    /// How many entries the log had.
    pub size: u64,
    /// When.
    pub time: Timestamp,
    /// The statement that peers read, signed by both keys.
    pub statement: String,
}

/// The keys by which a peer's log went on since its first one was pinned. Key: the peer's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PinnedKeys {
    first: String,
    changes: Vec<String>,
}

/// A checkpoint whose signature is verified, and by which key.
pub(crate) struct Read {
    pub checkpoint: Checkpoint,
    /// Believes the key that signed.
    pub puller: Puller,
    /// The changes that lead from the pinned key to that one.
    pub changes: Vec<KeyChange>,
}

impl Node {
    /// Makes a new key, states with both keys that the log goes on under it, and puts it into the place of the old one. It is
    /// used from the next start of the node on.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when the key or the ledger cannot be written.
    pub fn rotate_key(&self, actor: &Actor) -> Result<KeyRotation, NodeError> {
        policy::require(actor, Scope::Admin)?;
        let folder = self.config.data_dir.join("keys");
        let next = NodeKey::generate(self.key.origin());
        let change = KeyChange::sign(&self.key, &next, self.own_tree()?, Timestamp::now());
        let change = change.map_err(|error| NodeError::Internal(error.to_string()))?;
        let path = folder.join(NEXT_KEY);
        write_secret(&path, &next.to_text()).map_err(|error| unusable(&path, &error))?;
        let changes = own_changes(&self.ledger);
        let number = changes.iter_prefix("").count();
        self.ledger.write(vec![changes.put(&format!("{number:06}"), &change.note)?])?;
        take_next_key(&folder)?;
        Ok(KeyRotation {
            from: change.from.to_string(),
            fingerprint: change.to.fingerprint(),
            to: change.to.to_string(),
            size: change.tree.size,
            time: change.time,
            statement: change.note,
        })
    }

    /// The changes of this node's key; or of a peer's, since it is followed here.
    ///
    /// # Errors
    /// When the ledger cannot be read, or that node is not followed.
    pub fn key_chain(&self, of: Option<&NodeId>) -> Result<KeyChain, NodeError> {
        if let Some(id) = of.filter(|id| **id != self.config.id) {
            let peer = self.peers.get(id);
            let peer = peer.ok_or_else(|| NodeError::NotFound(format!("this node does not follow '{id}'")))?;
            let key = peer.puller().key().clone();
            let changes = peer.key_changes().into_iter().map(|change| change.note).collect();
            return Ok(KeyChain { log: key.origin().to_owned(), public_key: key.to_string(), changes });
        }
        let changes = own_changes(&self.ledger).iter_prefix("").map(|row| Ok(row?.1));
        Ok(KeyChain {
            log: self.key.origin().to_owned(),
            public_key: self.public_key().to_string(),
            changes: changes.collect::<Result<_, NodeError>>()?,
        })
    }

    /// Reads a peer's checkpoint. One that is signed by another key than the pinned one is believed when the pinned key leads
    /// to that one, by statements that fit the log.
    pub(crate) async fn read_checkpoint(&self, peer: &Peer) -> Result<Read, NodeError> {
        let puller = peer.puller();
        let (checkpoint, keys) = puller.checkpoint_by_any_key().await.map_err(|error| peer.fault(error))?;
        let puller = puller.with_key(keys.current().clone());
        Ok(Read { checkpoint, puller, changes: keys.changes().to_vec() })
    }

    /// The changes that pin a peer's new key.
    pub(crate) fn pinning(&self, peer: &Peer, changes: &[KeyChange]) -> Result<Vec<Change>, NodeError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let notes = peer.key_changes().iter().chain(changes).map(|change| change.note.clone()).collect();
        let pinned = PinnedKeys { first: peer.config.public_key.clone(), changes: notes };
        Ok(vec![pinned_keys(&self.ledger).put(peer.config.id.as_str(), &pinned)?])
    }

    /// The own log's tree as it is now.
    pub(crate) fn own_tree(&self) -> Result<Tree, NodeError> {
        let size = self.ledger.size(&self.config.id)?;
        Ok(Tree { size, root: self.ledger.root(&self.config.id, size)? })
    }
}

/// The node's key. A change of it that was in the ledger and not yet in the folder when the node died is completed.
pub(crate) fn open_key(folder: &Path, node: &NodeId, ledger: &Ledger) -> Result<NodeKey, NodeError> {
    let last = own_changes(ledger).last_until("", "999999")?;
    let key = keys::load_or_make(folder, node)?;
    let Some((_, note)) = last else { return Ok(key) };
    let change = KeyChange::read(&note).map_err(|error| NodeError::Internal(error.to_string()))?;
    if key.public_key() == change.from && folder.join(NEXT_KEY).exists() {
        take_next_key(folder)?;
    }
    let key = keys::load_or_make(folder, node)?;
    if key.public_key() == change.to {
        return Ok(key);
    }
    Err(NodeError::Invalid(format!(
        "the key in {} is {}, but this node's log has gone on under {}: put that one back",
        folder.display(),
        key.public_key(),
        change.to
    )))
}

/// Follows the keys that a peer was found to have since the one in the configuration was pinned.
pub(crate) fn take_up_keys(ledger: &Ledger, peer: &Peer) -> Result<(), NodeError> {
    let Some(pinned) = pinned_keys(ledger).get(peer.config.id.as_str())? else { return Ok(()) };
    // Another key in the configuration is another beginning: what led on from the old one does not count.
    if pinned.first == peer.config.public_key {
        let changes = pinned.changes.iter().map(|note| KeyChange::read(note));
        let changes: Vec<KeyChange> = changes.collect::<Result<_, _>>().map_err(|error| peer.fault(error))?;
        peer.follow_keys(&changes);
    }
    Ok(())
}

impl Peer {
    /// Every key the log had since the first one was pinned, that one included.
    pub(crate) fn keys(&self) -> Vec<PublicKey> {
        let former = self.key_changes().into_iter().map(|change| change.from);
        former.chain([self.puller().key().clone()]).collect()
    }
}

fn own_changes(ledger: &Ledger) -> Collection<String> {
    ledger.collection("own_key_changes")
}

fn pinned_keys(ledger: &Ledger) -> Collection<PinnedKeys> {
    ledger.collection("pinned_keys")
}

fn take_next_key(folder: &Path) -> Result<(), NodeError> {
    let (from, to) = (folder.join(NEXT_KEY), folder.join(keys::FILE));
    let renamed = std::fs::rename(&from, &to).and_then(|()| std::fs::File::open(folder)?.sync_all());
    renamed.map_err(|error| unusable(&from, &error))
}
