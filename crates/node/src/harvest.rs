//! Following peers' logs: verify, then commit, then apply; a failed pass never shrinks what is held.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, Entry, Event, MerkleTree, NodeId, Timestamp};
use federation::{Batch, BulkPull, Checkpoint, FederationError};
use ledger::{Append, Collection, LedgerError};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
};

use crate::{
    Actor, ErrorKind, Node, NodeError, Rejected, Scope, counted::Counted, hints, origin::harvest_key, peers::Peer,
    policy,
};

/// Entries taken from a peer in one commit.
const BATCH: u64 = 1024;
/// With so many entries to go, the log is read as one stream.
const BULK_FROM: u64 = 512;
/// The longest wait after repeated failures, in seconds.
const LONGEST_WAIT: u64 = 300;

/// What one pass over a peer's log did. It adds up: `seen = stored + unchanged + rejected`.
#[derive(Debug, Clone, Serialize)]
pub struct HarvestReport {
    /// The peer.
    pub peer: NodeId,
    /// Entries looked at.
    pub seen: u64,
    /// Entries kept with everything they point to, withdrawals included.
    pub stored: u64,
    /// Always 0: a log has no unchanged entries. Here so that every report has the same shape.
    pub unchanged: u64,
    /// Of the entries stored, withdrawals.
    pub withdrawn: u64,
    /// Entries whose crate the peer does not give; they are asked for again with every pass.
    pub rejected: Vec<Rejected>,
    /// Entries of the peer held after the pass.
    pub held: u64,
    /// The size of the verified checkpoint.
    pub checkpoint: u64,
    /// Crates the peer did not give, until it is known whether they are still wanted.
    #[serde(skip)]
    missing: Vec<(Digest, MissingCrate)>,
}

/// A crate a peer announced and did not give. Key: `{node}/{digest}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MissingCrate {
    pub index: u64,
    pub dataset: DatasetId,
}

/// A batch of entries, read and sorted out, before it is committed.
struct Sorted {
    bytes: Vec<Vec<u8>>,
    /// Crates the batch needs, with the entry that points to each.
    wanted: HashMap<Digest, MissingCrate>,
    /// Crates of datasets that the batch withdraws.
    dropped: Vec<Digest>,
    withdrawn: u64,
}

impl Node {
    pub(crate) fn missing_crates(&self) -> Collection<MissingCrate> {
        self.ledger.collection("missing_crates")
    }

    /// One pass over one peer, or over all of them.
    ///
    /// # Errors
    /// Unless the actor may ask for harvests; when a named peer is unknown or its pass fails. Failures among all
    /// peers are in their [`PeerStatus`](crate::PeerStatus).
    pub async fn harvest(
        self: &Arc<Self>,
        actor: &Actor,
        only: Option<&NodeId>,
    ) -> Result<Vec<HarvestReport>, NodeError> {
        policy::require(actor, Scope::Harvest)?;
        let mut reports = Vec::new();
        for peer in self.peers.all() {
            if only.is_some_and(|only| *only != peer.config.id) {
                continue;
            }
            match self.follow_once(&peer).await {
                Ok(report) => reports.push(report),
                Err(error) if only.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        if let Some(only) = only.filter(|_| reports.is_empty()) {
            return Err(NodeError::NotFound(format!("this node follows no peer '{only}'")));
        }
        Ok(reports)
    }

    /// Starts the task that gives each peer, also those added later, a task of its own, which looks at its checkpoint again
    /// and again.
    pub(crate) fn start_followers(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(follow_all(self.clone(), stopped.clone()))
    }

    /// What a follower does each time.
    async fn look_again(self: &Arc<Self>, peer: &Arc<Peer>) -> Result<(), NodeError> {
        self.follow_once(peer).await?;
        self.look_around(peer).await;
        self.hear(peer).await;
        Ok(())
    }

    /// One pass, its outcome written down.
    async fn follow_once(self: &Arc<Self>, peer: &Arc<Peer>) -> Result<HarvestReport, NodeError> {
        let _alone = peer.pulling.lock().await;
        let outcome = self.pull(peer, &peer.config.id).await;
        let mut status = peer.status();
        match &outcome {
            Ok(report) => {
                status.offered = Some(report.checkpoint);
                status.checked = Some(Timestamp::now());
                if report.stored > 0 {
                    status.changed = status.checked;
                }
                (status.error, status.peer_fault, status.failures) = (None, false, 0);
            }
            Err(error) => {
                status.error = Some(sentence(error));
                status.peer_fault = matches!(error, NodeError::Peer { source, .. } if source.is_peer_fault());
                // That witnesses are slow, or that the own disk is full, is no reason to look less often.
                let waits = matches!(error, NodeError::Peer { source: FederationError::NotWitnessed { .. }, .. })
                    || error.kind() == ErrorKind::Full;
                status.failures += u32::from(!waits);
            }
        }
        outcome
    }

    async fn pull(self: &Arc<Self>, peer: &Arc<Peer>, id: &NodeId) -> Result<HarvestReport, NodeError> {
        let checkpoint = self.next_checkpoint(peer).await?;
        let mut held = self.ledger.frontier(id)?;
        let mut report = HarvestReport {
            peer: id.clone(),
            seen: 0,
            stored: 0,
            unchanged: 0,
            withdrawn: 0,
            rejected: Vec::new(),
            held: held.size(),
            checkpoint: checkpoint.size,
            missing: Vec::new(),
        };
        self.ask_again(peer, id).await?;
        let bringing = Counted::among(&self.bringing_bulk);
        let mut bulk = open_bulk(peer, &checkpoint, &held).await;
        while held.size() < checkpoint.size {
            self.require_space()?;
            let (batch, given) = match &mut bulk {
                Some(stream) => {
                    let next = stream.next_batch(&held, BATCH).await.map_err(|error| peer.fault(error))?;
                    if next.batch.entries.is_empty() {
                        // It ended before its time; the rest is asked for as by anybody who is up to date.
                        bulk = None;
                        continue;
                    }
                    (next.batch, Some(next.crates.into_iter().collect()))
                }
                None => {
                    let next = peer.puller().next_batch(&checkpoint, &held, BATCH).await;
                    (next.map_err(|error| peer.fault(error))?, None)
                }
            };
            held = self.take_batch(peer, id, batch, given, &held, &mut report).await?;
            self.wake_projectors();
        }
        drop(bringing);
        // For proofs of its records; kept before all entries were here, it would be of a tree that is not.
        if self.peer_notes().get(id.as_str())?.as_ref() != Some(&checkpoint.note) {
            self.ledger.write(vec![self.peer_notes().put(id.as_str(), &checkpoint.note)?])?;
        }
        self.weigh_again(peer)?;
        self.forget_withdrawn(id, &mut report)?;
        Ok(report)
    }

    /// Takes from the report what the peer did not give because a later entry withdraws it.
    fn forget_withdrawn(&self, id: &NodeId, report: &mut HarvestReport) -> Result<(), NodeError> {
        let missing = std::mem::take(&mut report.missing);
        for (digest, entry) in missing {
            if self.missing_crates().get(&format!("{id}/{digest}"))?.is_some() {
                let why = format!("the peer does not give its crate {digest}");
                report.rejected.push(Rejected { what: format!("entry {} ({})", entry.index, entry.dataset), why });
            }
        }
        report.stored = report.seen - report.rejected.len() as u64;
        Ok(())
    }

    /// Takes the next entries, with everything they point to, in one commit. The crates are fetched unless they have come already.
    async fn take_batch(
        &self,
        peer: &Peer,
        id: &NodeId,
        batch: Batch,
        given: Option<HashMap<Digest, Bytes>>,
        held: &MerkleTree,
        report: &mut HarvestReport,
    ) -> Result<MerkleTree, NodeError> {
        let fault = |source| peer.fault(source);
        let sorted = self.sort_out(id, held.size(), &batch.entries)?;
        let wanted: Vec<Digest> = sorted.wanted.keys().copied().collect();
        let mut crates = Vec::new();
        // What was withdrawn is not asked for again.
        let missing = self.missing_crates();
        let mut changes: Vec<_> =
            sorted.dropped.iter().map(|digest| missing.remove(&format!("{id}/{digest}"))).collect();
        let given = match given {
            Some(mut given) => wanted.iter().map(|digest| (*digest, given.remove(digest))).collect(),
            None => peer.puller().crates(&wanted).await.map_err(fault)?,
        };
        for (digest, bytes) in given {
            match (bytes, sorted.wanted.get(&digest)) {
                (Some(bytes), _) => crates.push((digest, bytes)),
                (None, Some(missing)) => {
                    changes.push(self.missing_crates().put(&format!("{id}/{digest}"), missing)?);
                    report.missing.push((digest, missing.clone()));
                }
                (None, None) => {}
            }
        }
        changes.push(self.harvest_times().put(&harvest_key(id, held.size()), &Timestamp::now())?);
        let count = sorted.bytes.len() as u64;
        let append = Append {
            expected_size: Some(held.size()),
            entries: sorted.bytes,
            crates,
            dropped_crates: sorted.dropped,
            changes,
        };
        self.ledger.append(id, append).map_err(|error| match error {
            // The entry says it follows another one than it does: signed, and wrong all the same.
            LedgerError::BrokenChain { index, .. } => fault(FederationError::BadEntry { index }),
            other => other.into(),
        })?;
        report.seen += count;
        report.withdrawn += sorted.withdrawn;
        report.held = batch.tree.size();
        Ok(batch.tree)
    }

    /// Reads the entries of a batch and finds which crates to fetch and which to drop.
    fn sort_out(&self, id: &NodeId, start: u64, entries: &[bytes::Bytes]) -> Result<Sorted, NodeError> {
        let mut sorted = Sorted { bytes: Vec::new(), wanted: HashMap::new(), dropped: Vec::new(), withdrawn: 0 };
        let mut announced: HashMap<DatasetId, Vec<(Digest, u64)>> = HashMap::new();
        for (index, bytes) in (start..).zip(entries) {
            let fault = || NodeError::Peer { peer: id.to_string(), source: FederationError::BadEntry { index } };
            let entry = Entry::from_bytes(bytes).map_err(|_| fault())?;
            match (&entry.event, entry.crate_digest()) {
                (Event::Withdraw(_), _) => {
                    sorted.withdrawn += 1;
                    announced.remove(&entry.dataset);
                    sorted.dropped.extend(self.held_crates(id, &entry.dataset)?);
                }
                (_, Some(digest)) => announced.entry(entry.dataset).or_default().push((digest, index)),
                (_, None) => return Err(fault()),
            }
            sorted.bytes.push(bytes.to_vec());
        }
        // Only now: a crate of a dataset that the batch takes back may be another dataset's too.
        for (dataset, digests) in announced {
            let missing = |index| MissingCrate { index, dataset: dataset.clone() };
            sorted.wanted.extend(digests.into_iter().map(|(digest, index)| (digest, missing(index))));
        }
        Ok(sorted)
    }

    /// The crates a log names for a dataset, all versions.
    pub(crate) fn held_crates(&self, node: &NodeId, dataset: &DatasetId) -> Result<HashSet<Digest>, NodeError> {
        let key = dataset_model::DatasetKey { node: node.clone(), id: dataset.clone() };
        Ok(self.history(&key)?.iter().filter_map(|(_, entry)| entry.crate_digest()).collect())
    }

    /// Asks once more for crates the peer announced and did not give.
    async fn ask_again(self: &Arc<Self>, peer: &Peer, id: &NodeId) -> Result<(), NodeError> {
        let mut wanted = HashMap::new();
        for row in self.missing_crates().iter_prefix(&format!("{id}/")).take(1000) {
            let (key, missing) = row?;
            if let Some(digest) = key.rsplit('/').next().and_then(|text| text.parse::<Digest>().ok()) {
                wanted.insert(digest, (key, missing.dataset));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let digests: Vec<Digest> = wanted.keys().copied().collect();
        let fault = |source| peer.fault(source);
        let given = peer.puller().crates(&digests).await.map_err(fault)?;
        let crates: Vec<_> = given.into_iter().filter_map(|(digest, bytes)| Some((digest, bytes?))).collect();
        let arrived: Vec<_> = crates.iter().filter_map(|(digest, _)| wanted.remove(digest)).collect();
        let changes = arrived.iter().map(|(key, _)| self.missing_crates().remove(key)).collect();
        self.ledger.append(id, Append { crates, changes, ..Append::default() })?;
        self.apply_again(id, arrived.into_iter().map(|(_, dataset)| dataset).collect()).await
    }
}

/// The rest of a peer's log as one stream, where it is long and the peer offers that.
async fn open_bulk(peer: &Peer, checkpoint: &Checkpoint, held: &MerkleTree) -> Option<BulkPull> {
    if checkpoint.size.saturating_sub(held.size()) < BULK_FROM {
        return None;
    }
    match peer.puller().bulk(checkpoint, held).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::debug!(peer = %peer.config.id, %error, "no bulk stream; reading the log in tiles");
            None
        }
    }
}

/// Follows every peer there is and every one that is added, and tells it of what happens here, until told to stop.
async fn follow_all(node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
    let mut followers = JoinSet::new();
    while !*stopped.borrow() {
        for peer in node.peers.all() {
            if !peer.followed.swap(true, Ordering::SeqCst) {
                followers.spawn(follow(node.clone(), peer.clone(), stopped.clone()));
                followers.spawn(hints::tell(node.clone(), peer, stopped.clone()));
            }
        }
        tokio::select! {
            () = node.peers.changed.notified() => {}
            Some(ended) = followers.join_next() => report_end(ended),
            changed = stopped.changed() => if changed.is_err() { break },
        }
    }
    while let Some(ended) = followers.join_next().await {
        report_end(ended);
    }
}

fn report_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a peer is not followed any more until the node starts again");
    }
}

/// Follows one peer until told to stop or it is removed: at the polling interval, later after failures, at once when woken.
async fn follow(node: Arc<Node>, peer: Arc<Peer>, mut stopped: watch::Receiver<bool>) {
    let mut removed = peer.removed.subscribe();
    let mut last_error = None;
    while !*stopped.borrow() && !*removed.borrow() {
        let outcome = tokio::select! {
            outcome = node.look_again(&peer) => outcome,
            _ = stopped.changed() => return,
            _ = removed.changed() => return,
        };
        let error = outcome.err().map(|error| sentence(&error));
        if let Some(error) = error.as_ref().filter(|error| last_error.as_ref() != Some(*error)) {
            tracing::info!(peer = %peer.config.id, error, "a harvest failed; what is held stays");
        }
        last_error = error;
        let failures = peer.status().failures;
        let seconds = (node.config.poll_seconds << failures.min(6)).min(LONGEST_WAIT.max(node.config.poll_seconds));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            () = peer.wake.notified() => {}
            _ = stopped.changed() => {}
            _ = removed.changed() => {}
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
