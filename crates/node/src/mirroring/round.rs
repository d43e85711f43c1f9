//! One pass over what is wanted of a peer, and when it is made.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use dataset_model::{DatasetKey, NodeId};
use federation::Meter;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{Followed, MirrorState, Wanted, copying::Copied};
use crate::{Node, NodeError, harvest::sentence};

/// The longest wait after passes that failed, in seconds.
const LONGEST_WAIT: u64 = 300;

/// The size of a log, and how many copies were lost so far.
type Stand = (u64, u64);

/// What is known between two passes over a peer.
#[derive(Default)]
struct Pace {
    running: bool,
    failures: u32,
    not_before: Option<Instant>,
    /// The size of the log, and how many copies had been lost, when nothing was left to do.
    done_at: Option<Stand>,
}

impl Node {
    /// Starts the task that copies what the policies want.
    pub(crate) fn start_mirroring(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(mirror(self.clone(), stopped.clone()))
    }

    /// One pass over a peer; whether nothing is left to do.
    async fn mirror_once(self: &Arc<Self>, peer: &Followed) -> Result<bool, NodeError> {
        let mut state = self.held_of(peer)?;
        let Some(wanted) = self.wanted_of(&peer.id, &peer.policy.wanted).await? else { return Ok(false) };
        let meter = Meter::new(peer.policy.bytes_per_second, |_| {});
        let mut left = Vec::new();
        for id in wanted {
            let key = DatasetKey { node: peer.id.clone(), id };
            let held = self.copies_of(&key)?;
            let versions = self.copiable(&key)?.into_iter().filter(|(entry, _)| !held.contains_key(&entry.version));
            left.extend(versions.map(|version| (key.clone(), version)));
        }
        // The newest of all first, then the others.
        left.sort_by_key(|(_, (entry, _))| std::cmp::Reverse(entry.time));
        state.pending = left.len() as u64;
        self.show(&peer.id, &state);
        let mut failure = None;
        for (key, (entry, published)) in left {
            // Somebody may have changed his mind.
            if self.peers.get(&peer.id).is_none_or(|now| now.mirror() != peer.policy) {
                return Ok(false);
            }
            let room = peer.policy.max_total_bytes.map_or(u64::MAX, |most| most.saturating_sub(state.bytes));
            match self.copy_version(&key, (&entry, &published), (peer, &meter, room)).await {
                Ok(Copied::Complete | Copied::Gone) => {}
                Ok(Copied::TooLarge) => state.too_large += 1,
                Err(error) => {
                    failure = Some(format!("{} {}: {}", key.id, entry.version, sentence(&error)));
                    self.show(&peer.id, &MirrorState { error: failure.clone(), ..state.clone() });
                    continue;
                }
            }
            let too_large = state.too_large;
            let pending = state.pending.saturating_sub(1);
            state = MirrorState { pending, too_large, ..self.held_of(peer)? };
            self.show(&peer.id, &MirrorState { error: failure.clone(), ..state.clone() });
        }
        match failure {
            Some(failure) => Err(NodeError::Unavailable(failure)),
            None => Ok(true),
        }
    }

    /// What is held of a peer, counted.
    fn held_of(&self, peer: &Followed) -> Result<MirrorState, NodeError> {
        let mut state = MirrorState { policy: peer.policy.wanted.name().to_owned(), ..MirrorState::default() };
        for row in self.copies().iter_prefix(&format!("{}/", peer.id)) {
            let (_, copy) = row?;
            state.versions += 1;
            state.bytes += copy.bytes;
        }
        Ok(state)
    }

    fn show(&self, peer: &NodeId, state: &MirrorState) {
        self.mirrors.states.lock().unwrap_or_else(PoisonError::into_inner).insert(peer.clone(), state.clone());
    }
}

async fn mirror(node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
    let mut paces: HashMap<NodeId, Pace> = HashMap::new();
    let mut passes: JoinSet<(NodeId, Stand, Result<bool, NodeError>)> = JoinSet::new();
    let pause = Duration::from_secs(node.config.poll_seconds.max(1));
    while !*stopped.borrow() {
        for peer in node.followed() {
            let pace = paces.entry(peer.id.clone()).or_default();
            let stand = (node.ledger.size(&peer.id).unwrap_or(0), node.mirrors.lost.load(Ordering::Acquire));
            let idle = peer.policy.wanted == Wanted::None || pace.done_at == Some(stand);
            if pace.running || idle || pace.not_before.is_some_and(|time| time > Instant::now()) {
                continue;
            }
            pace.running = true;
            let node = node.clone();
            passes.spawn(async move { (peer.id.clone(), stand, node.mirror_once(&peer).await) });
        }
        tokio::select! {
            () = node.mirrors.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
            // The passes are dropped: a copy that is not complete is gone on with at the next start.
            _ = stopped.changed() => return,
            Some(ended) = passes.join_next() => match ended {
                Ok((peer, stand, outcome)) => note(&node, paces.entry(peer.clone()).or_default(), (&peer, stand), outcome),
                Err(error) => tracing::error!(%error, "copying from a peer ended badly"),
            },
        }
    }
}

/// Writes down how a pass ended, and when the next one may begin.
fn note(node: &Node, pace: &mut Pace, (peer, stand): (&NodeId, Stand), outcome: Result<bool, NodeError>) {
    pace.running = false;
    match outcome {
        Ok(done) => {
            (pace.failures, pace.not_before) = (0, None);
            pace.done_at = done.then_some(stand);
        }
        Err(error) => {
            if pace.failures == 0 {
                tracing::info!(%peer, error = sentence(&error), "copying from a peer failed; it is tried again");
            }
            pace.failures += 1;
            let poll = node.config.poll_seconds.max(1);
            let seconds = (poll << pace.failures.min(6)).min(LONGEST_WAIT.max(poll));
            pace.not_before = Some(Instant::now() + Duration::from_secs(seconds));
            let mut states = node.mirrors.states();
            states.entry(peer.clone()).or_default().error = Some(sentence(&error));
        }
    }
}
