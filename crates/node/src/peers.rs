//! The nodes this one follows: those of the configuration and those added at run time, treated alike.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, atomic::AtomicBool},
    time::Instant,
};

use dataset_model::{NodeId, Timestamp};
use federation::{FederationError, KeyChange, PublicKey, Puller, live::Circuit};
use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::{
    Actor, MirrorPolicy, MirrorSetting, Node, NodeError, PeerConfig, SuggestedPeer, Witness, gossip::Hearsay,
    hints::HintAllowance, policy,
};

/// A peer with the tools to follow it and what happened so far.
pub(crate) struct Peer {
    /// How it is followed.
    pub config: PeerConfig,
    /// What happened so far.
    pub status: Mutex<PeerStatus>,
    /// Held during a pass over its log.
    pub pulling: tokio::sync::Mutex<()>,
    /// Makes its follower look again now.
    pub wake: Notify,
    /// How many hints in its name are looked at.
    pub hints: Mutex<HintAllowance>,
    /// Whether it is asked in live searches.
    pub circuit: Mutex<Circuit>,
    /// Becomes true when it is followed no more.
    pub removed: watch::Sender<bool>,
    /// Whether a task follows it.
    pub followed: AtomicBool,
    /// Held while a checkpoint of its log is compared with the last verified one and written down.
    pub verifying: Mutex<()>,
    /// The tag of the checkpoints it told of last.
    pub heard: Mutex<Option<String>>,
    unproven: Mutex<Vec<Hearsay>>,
    /// The changes of its key since the one in the configuration.
    key_changes: RwLock<Vec<KeyChange>>,
    /// Those of the nodes it says it follows that could be followed from here, and when it was asked.
    neighbours: Mutex<(Option<Instant>, Vec<SuggestedPeer>)>,
    puller: RwLock<Puller>,
    /// What is copied of it; that of a peer that was added can be changed.
    mirror: RwLock<MirrorPolicy>,
}

impl Peer {
    /// Makes ready to follow a peer.
    pub(crate) fn open(config: PeerConfig, added: bool, limits: federation::Limits) -> Result<Self, NodeError> {
        let key = read_key(&config)?;
        let url =
            config.url.parse().map_err(|error| NodeError::Invalid(format!("url of peer '{}': {error}", config.id)))?;
        let puller =
            Puller::new(url, key, limits).map_err(|source| NodeError::Peer { peer: config.id.to_string(), source })?;
        let status = Mutex::new(PeerStatus::new(&config, added));
        let mirror = RwLock::new(config.mirror.clone());
        Ok(Self {
            config,
            status,
            pulling: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            hints: Mutex::new(HintAllowance::new(Instant::now())),
            circuit: Mutex::default(),
            removed: watch::Sender::new(false),
            followed: AtomicBool::new(false),
            verifying: Mutex::default(),
            heard: Mutex::default(),
            unproven: Mutex::default(),
            key_changes: RwLock::default(),
            neighbours: Mutex::default(),
            puller: RwLock::new(puller),
            mirror,
        })
    }

    /// Reads its log, believing what the pinned key vouches for. Cheap to have.
    pub(crate) fn puller(&self) -> Puller {
        self.puller.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is copied of it.
    pub(crate) fn mirror(&self) -> MirrorPolicy {
        self.mirror.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Copies other things of it from now on.
    pub(crate) fn set_mirror(&self, policy: MirrorPolicy) {
        let mut status = self.status();
        (status.mirror_policy, status.mirror_bytes_per_second) =
            (MirrorSetting::from(&policy), policy.bytes_per_second);
        *self.mirror.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// The changes of its key since the one in the configuration.
    pub(crate) fn key_changes(&self) -> Vec<KeyChange> {
        self.key_changes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Believes the key to which these changes lead, from now on.
    pub(crate) fn follow_keys(&self, changes: &[KeyChange]) {
        let Some(last) = changes.last() else { return };
        let puller = self.puller().with_key(last.to.clone());
        *self.puller.write().unwrap_or_else(PoisonError::into_inner) = puller;
        self.key_changes.write().unwrap_or_else(PoisonError::into_inner).extend_from_slice(changes);
        let mut status = self.status();
        (status.public_key, status.fingerprint) = (last.to.to_string(), last.to.fingerprint());
        status.key_changed = Some(KeyChanged { time: last.time, from: last.from.fingerprint(), size: last.tree.size });
        tracing::info!(peer = %self.config.id, to = status.fingerprint, "the peer's log goes on under a key that its old one signed");
    }

    /// Checkpoints of its log that others told of, of more entries than are held.
    pub(crate) fn unproven(&self) -> MutexGuard<'_, Vec<Hearsay>> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happened so far, to be read or changed.
    pub(crate) fn status(&self) -> MutexGuard<'_, PeerStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the nodes it says it follows that could be followed from here, and when it was asked.
    pub(crate) fn neighbours(&self) -> MutexGuard<'_, (Option<Instant>, Vec<SuggestedPeer>)> {
        self.neighbours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error of this peer's.
    pub(crate) fn fault(&self, source: federation::FederationError) -> NodeError {
        NodeError::Peer { peer: self.config.id.to_string(), source }
    }
}

/// All peers, in the order of the configuration, then in that of their addition. Others may come and go at any time.
#[derive(Default)]
pub(crate) struct Peers {
    all: RwLock<Vec<Arc<Peer>>>,
    /// The address of every node that is followed or was.
    addresses: RwLock<HashMap<NodeId, String>>,
    /// Told when a peer was added.
    pub changed: Notify,
    /// Held while one is added or removed.
    pub changing: tokio::sync::Mutex<()>,
}

impl Peers {
    /// Every peer there is now.
    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The peer of that name.
    pub(crate) fn get(&self, id: &NodeId) -> Option<Arc<Peer>> {
        self.all().into_iter().find(|peer| peer.config.id == *id)
    }

    /// Adds one; a task follows it from now on.
    pub(crate) fn add(&self, peer: Arc<Peer>) {
        self.remember(&peer.config.id, &peer.config.url);
        self.all.write().unwrap_or_else(PoisonError::into_inner).push(peer);
        self.changed.notify_one();
    }

    /// Takes one out; nobody follows it from now on.
    pub(crate) fn remove(&self, id: &NodeId) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        for gone in all.extract_if(.., |peer| peer.config.id == *id) {
            gone.removed.send_replace(true);
        }
    }

    /// Keeps the address of a node that is not followed any more, for the records held of it.
    pub(crate) fn remember(&self, id: &NodeId, url: &str) {
        self.addresses.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), url.to_owned());
    }

    fn url_of(&self, id: &NodeId) -> Option<String> {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

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
    /// Whether it was added at run time; otherwise it is in the configuration.
    pub added: bool,
    /// Which of its datasets are copied here, as it is written in the configuration.
    pub mirror_policy: MirrorSetting,
    /// The most that is copied from it in a second, in bytes.
    pub mirror_bytes_per_second: Option<u64>,
    /// Entries of its log held here, all verified.
    pub held: u64,
    /// The size its last verified checkpoint told.
    pub offered: Option<u64>,
    /// The largest checkpoint of its log that others have seen, where that is larger than what it shows here.
    pub seen_elsewhere: Option<u64>,
    /// When that checkpoint was read.
    pub checked: Option<Timestamp>,
    /// When entries last arrived.
    pub changed: Option<Timestamp>,
    /// The peers that have cosigned its last checkpoint.
    pub witnesses: Vec<Witness>,
    /// What of this node's log it has cosigned last.
    pub cosigned: Option<Cosigned>,
    /// When its key was changed last, if it was since it is followed here.
    pub key_changed: Option<KeyChanged>,
    /// Two histories of its log, about which nobody has decided: nothing is taken from it.
    pub fork: Option<ForkFound>,
    /// What went wrong last, if the last pass failed.
    pub error: Option<String>,
    /// Whether the error is the peer's doing (a lie, a fork), not the network's.
    pub peer_fault: bool,
    /// Passes that failed since the last that did not.
    pub failures: u32,
}

/// A checkpoint of this node's log that a peer has cosigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cosigned {
    /// How many entries it tells of.
    pub size: u64,
    /// When it was cosigned.
    pub time: Timestamp,
}

/// That a peer's log goes on under another key, as the one before has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyChanged {
    /// When.
    pub time: Timestamp,
    /// Fingerprint of the key before.
    pub from: String,
    /// How many entries the log had then.
    pub size: u64,
}

/// That a peer's log has two histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForkFound {
    /// They differ within so many first entries.
    pub size: u64,
    /// When that was found.
    pub found: Timestamp,
    /// From whom the second history came.
    pub found_by: String,
}

impl PeerStatus {
    fn new(config: &PeerConfig, added: bool) -> Self {
        let fingerprint = config.public_key.parse::<PublicKey>().map(|key| key.fingerprint()).unwrap_or_default();
        Self {
            id: config.id.clone(),
            url: config.url.clone(),
            public_key: config.public_key.clone(),
            fingerprint,
            added,
            mirror_policy: MirrorSetting::from(&config.mirror),
            mirror_bytes_per_second: config.mirror.bytes_per_second,
            held: 0,
            offered: None,
            seen_elsewhere: None,
            checked: None,
            changed: None,
            witnesses: Vec::new(),
            cosigned: None,
            key_changed: None,
            fork: None,
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
        for peer in self.peers.all() {
            let mut status = peer.status().clone();
            status.held = self.ledger.size(&status.id)?;
            let heard = peer.unproven().iter().map(|heard| heard.checkpoint.size).max();
            // What it had this node cosign, and did not show when it was asked after that, counts as well.
            let verified = self.verified(&status.id)?;
            let cosigned = status.checked.is_some_and(|checked| verified.time < checked).then_some(verified.tree.size);
            status.seen_elsewhere =
                heard.max(cosigned).filter(|size| status.offered.is_some_and(|offered| *size > offered));
            if let Some(fork) = self.open_fork(&status.id)? {
                // Whatever the last pass met with: this is what keeps the peer's entries out.
                let size = fork.proof.size;
                status.error = Some(peer.fault(FederationError::Fork { size }).to_string());
                status.peer_fault = true;
                status.fork = Some(ForkFound { size, found: fork.found, found_by: fork.found_by });
            }
            states.push(status);
        }
        Ok(states)
    }

    /// The address of a node of the federation: ours, a peer's, or that of one that was a peer.
    pub(crate) fn url_of(&self, node: &NodeId) -> Option<String> {
        if *node == self.config.id { Some(self.config.public_url.clone()) } else { self.peers.url_of(node) }
    }
}

fn read_key(config: &PeerConfig) -> Result<PublicKey, NodeError> {
    let read = config.public_key.parse::<PublicKey>();
    read.map_err(|error| NodeError::Invalid(format!("public key of peer '{}': {error}", config.id)))
}
