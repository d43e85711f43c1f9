//! The own log's checkpoint: shown to the peers, which cosign it, and then to everybody.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use dataset_model::NodeId;
use federation::{AddCheckpoint, Cosignature, FederationError, Tree, WitnessAnswer, with_cosignatures};
use ledger::{Collection, Ledger};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::{Node, NodeConfig, NodeError, Witness, peers::Peer};

/// The longest that one witness may take to cosign.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest wait between two attempts at a witness that does not answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The shortest pause between two rounds that nobody asked for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long nothing is done when nothing is to be done.
const IDLE: Duration = Duration::from_secs(3600);

/// A tree of the own log and who has cosigned it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnCheckpoint {
    #[serde(flatten)]
    pub tree: Tree,
    pub cosignatures: BTreeMap<NodeId, Cosignature>,
}

impl OwnCheckpoint {
    fn new(tree: Tree) -> Self {
        Self { tree, cosignatures: BTreeMap::new() }
    }

    /// Who has cosigned it.
    pub(crate) fn witnesses(&self) -> impl Iterator<Item = Witness> {
        self.cosignatures.iter().map(|(id, cosignature)| Witness { id: id.clone(), time: cosignature.time })
    }
}

/// What is known of the own log's checkpoints.
pub(crate) struct Announcing {
    /// Told when the own log has grown or a peer was added.
    pub wake: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the peers are asked to cosign.
    current: Option<OwnCheckpoint>,
    /// The newest one that as many have cosigned as are required.
    cosigned: Option<OwnCheckpoint>,
    /// What a witness said that should not be.
    alarm: Option<String>,
}

impl Announcing {
    /// Takes up what was cosigned before the node stopped.
    pub(crate) fn open(config: &NodeConfig, ledger: &Ledger) -> Result<Self, NodeError> {
        let kept = cosigned(ledger).get(config.id.as_str())?;
        let held = ledger.size(&config.id)?;
        let is_ours = |kept: &OwnCheckpoint| {
            Ok::<_, NodeError>(kept.tree.size <= held && ledger.root(&config.id, kept.tree.size)? == kept.tree.root)
        };
        let cosigned = match kept {
            Some(kept) if is_ours(&kept)? => Some(kept),
            _ => None,
        };
        Ok(Self { wake: Notify::new(), state: Mutex::new(State { cosigned, ..State::default() }) })
    }

    /// How much of the own log everybody may see at the start.
    pub(crate) fn shown_size(&self, config: &NodeConfig, ledger: &Ledger) -> Result<u64, NodeError> {
        if config.witnesses_required == 0 {
            return Ok(ledger.size(&config.id)?);
        }
        Ok(self.state().cosigned.as_ref().map_or(0, |cosigned| cosigned.tree.size))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cosigned(ledger: &Ledger) -> Collection<OwnCheckpoint> {
    ledger.collection("cosigned_checkpoint")
}

impl Node {
    /// The checkpoint that this node shows: the latest, or the latest that as many peers have cosigned as are required.
    pub(crate) fn shown_checkpoint(&self) -> Result<OwnCheckpoint, NodeError> {
        let size = self.ledger.size(&self.config.id)?;
        let state = self.announcing.state();
        if self.config.witnesses_required == 0 || size == 0 {
            let current = state.current.clone().filter(|current| current.tree.size == size);
            drop(state);
            return current.map_or_else(|| self.own_tree().map(OwnCheckpoint::new), Ok);
        }
        let wait =
            "no checkpoint of this log was cosigned by as many witnesses as its operator requires: try again later";
        state.cosigned.clone().ok_or_else(|| NodeError::Unavailable(wait.into()))
    }

    /// A checkpoint as everybody may read it: signed, with its cosignatures.
    pub(crate) fn note_of(&self, own: &OwnCheckpoint) -> Result<String, NodeError> {
        let note = self.signed(own.tree);
        let note = with_cosignatures(&note, &self.public_key(), own.cosignatures.values());
        note.map_err(|error| NodeError::Internal(error.to_string()))
    }

    /// What somebody said about the own log that should not be, if anybody did.
    pub fn alarm(&self) -> Option<String> {
        self.announcing.state().alarm.clone()
    }

    /// Notes that somebody knows another own log than is here.
    pub(crate) fn raise_alarm(&self, alarm: String) {
        let mut state = self.announcing.state();
        if state.alarm.as_ref() != Some(&alarm) {
            tracing::warn!("{alarm}");
            state.alarm = Some(alarm);
        }
    }

    /// Shows the own log's checkpoints to the peers, until told to stop.
    pub(crate) async fn announce(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut asked = JoinSet::new();
        let mut witnesses = HashMap::new();
        while !*stopped.borrow() {
            match self.next_announcement(asked.is_empty()) {
                Ok(Some(own)) => self.ask_idle_witnesses(own.tree, &mut witnesses, &mut asked),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "the own log cannot be announced"),
            }
            let pause = pause_of(&witnesses);
            tokio::select! {
                Some(answer) = asked.join_next() => match answer {
                    Ok((peer, tree, answer)) => self.take_answer(&peer, tree, answer, &mut witnesses),
                    Err(error) => tracing::error!(%error, "a witness could not be asked"),
                },
                () = self.announcing.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                changed = stopped.changed() => if changed.is_err() { return },
            }
        }
    }

    /// What is to be cosigned now: the newest tree, unless witnesses are at one that needs more of them.
    fn next_announcement(&self, nobody_is_asked: bool) -> Result<Option<OwnCheckpoint>, NodeError> {
        let newest = self.own_tree()?;
        let mut state = self.announcing.state();
        let enough = state
            .current
            .as_ref()
            .is_none_or(|current| current.cosignatures.len() >= self.config.witnesses_required || nobody_is_asked);
        if enough && state.current.as_ref().is_none_or(|current| current.tree.size < newest.size) {
            state.current = Some(OwnCheckpoint::new(newest));
        }
        Ok(state.current.clone().filter(|current| current.tree.size > 0))
    }

    fn ask_idle_witnesses(self: &Arc<Self>, tree: Tree, witnesses: &mut Witnesses, asked: &mut JoinSet<Answered>) {
        let peers = self.peers.all();
        witnesses.retain(|id, _| peers.iter().any(|peer| peer.config.id == *id));
        for peer in peers {
            let state = witnesses.entry(peer.config.id.clone()).or_default();
            let waits = state.not_before.is_some_and(|time| time > Instant::now());
            if state.busy || waits || state.answered == Some(tree) {
                continue;
            }
            state.busy = true;
            let (node, peer) = (self.clone(), peer.clone());
            asked.spawn(async move {
                let answer = tokio::time::timeout(PATIENCE, node.ask_witness(&peer, tree)).await;
                let late = || Err(peer.fault(FederationError::Timeout { url: peer.config.url.clone() }));
                let answer = answer.unwrap_or_else(|_| late());
                (peer, tree, answer)
            });
        }
    }

    /// Asks a peer to cosign; nothing when it has a newer checkpoint already.
    async fn ask_witness(&self, peer: &Peer, tree: Tree) -> Result<Option<Cosignature>, NodeError> {
        let note = self.signed(tree);
        let puller = peer.puller();
        let mut old = peer.status().cosigned.as_ref().map_or(0, |cosigned| cosigned.size).min(tree.size);
        for _ in 0..3 {
            let proof = self.ledger.consistency_proof(&self.config.id, old, tree.size)?;
            let request = AddCheckpoint { old, proof, checkpoint: note.clone() };
            match puller.client().add_checkpoint(&request).await.map_err(|error| peer.fault(error))? {
                WitnessAnswer::Signed(lines) => {
                    let cosignature = puller.key().cosignature_on(format!("{note}{lines}").as_bytes());
                    let cosignature = cosignature.and_then(|found| found.ok_or(FederationError::BadSignature));
                    return cosignature.map(Some).map_err(|error| peer.fault(error));
                }
                WitnessAnswer::Conflict(known) if known == old => break,
                WitnessAnswer::Conflict(known) if known > tree.size => {
                    return self.newer_at(peer, known).map(|()| None);
                }
                WitnessAnswer::Conflict(known) => old = known,
            }
        }
        Err(peer.fault(FederationError::Fork { size: old }))
    }

    /// A witness knows a larger tree of the own log than it was asked to cosign: as it should, or as it cannot.
    fn newer_at(&self, peer: &Peer, known: u64) -> Result<(), NodeError> {
        let size = self.ledger.size(&self.config.id)?;
        if known > size {
            self.raise_alarm(format!(
                "'{}' says that this node's log had {known} entries, {size} are here. Was its data restored from an older copy? \
                 What is published now contradicts what others hold",
                peer.config.id
            ));
        }
        Ok(())
    }

    fn take_answer(
        &self,
        peer: &Peer,
        tree: Tree,
        answer: Result<Option<Cosignature>, NodeError>,
        witnesses: &mut Witnesses,
    ) {
        let state = witnesses.entry(peer.config.id.clone()).or_default();
        state.busy = false;
        match answer {
            Ok(cosignature) => {
                (state.answered, state.failures, state.not_before) = (Some(tree), 0, None);
                if let Some(Err(error)) = cosignature.map(|cosignature| self.keep_cosignature(peer, tree, cosignature))
                {
                    tracing::error!(%error, "a cosignature could not be kept");
                }
            }
            Err(error) => {
                tracing::debug!(peer = %peer.config.id, %error, "a peer did not cosign");
                state.failures = (state.failures + 1).min(16);
                state.not_before = Some(Instant::now() + LONGEST_WAIT.min(Duration::from_secs(1 << state.failures)));
            }
        }
    }

    fn keep_cosignature(&self, peer: &Peer, tree: Tree, cosignature: Cosignature) -> Result<(), NodeError> {
        peer.status().cosigned = Some(crate::Cosigned { size: tree.size, time: cosignature.time });
        let mut state = self.announcing.state();
        let Some(current) = state.current.as_mut().filter(|current| current.tree == tree) else { return Ok(()) };
        current.cosignatures.insert(peer.config.id.clone(), cosignature);
        let required = self.config.witnesses_required;
        if required > 0 && current.cosignatures.len() >= required {
            let current = current.clone();
            self.ledger.write(vec![cosigned(&self.ledger).put(self.config.id.as_str(), &current)?])?;
            state.cosigned = Some(current);
            drop(state);
            self.notice_growth();
        }
        Ok(())
    }
}

/// How it stands with one witness.
#[derive(Debug, Default)]
struct WitnessState {
    busy: bool,
    /// The tree it answered about last, whatever the answer.
    answered: Option<Tree>,
    failures: u32,
    not_before: Option<Instant>,
}

type Witnesses = HashMap<NodeId, WitnessState>;
type Answered = (Arc<Peer>, Tree, Result<Option<Cosignature>, NodeError>);

/// How long until a witness may be asked again.
fn pause_of(witnesses: &Witnesses) -> Duration {
    let waiting = witnesses.values().filter(|state| !state.busy).filter_map(|state| state.not_before);
    waiting.map(|time| time.saturating_duration_since(Instant::now())).min().unwrap_or(IDLE).max(SHORTEST_PAUSE)
}
