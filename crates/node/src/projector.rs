use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use dataset_model::{DatasetId, Entry, NodeId};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    Node, NodeError,
    counted::Counted,
    harvest::sentence,
    projection::{BULK, Projection, Step, Steps},
};

/// Entries read at once.
const STEP: u64 = 512;
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The longest a use case waits for the projections to show what it did.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps one projection up with every log. Each projection has its own, so that search does not wait for RDF.
pub(crate) struct Projector {
    name: &'static str,
    projection: Arc<dyn Projection>,
    progress: watch::Sender<BTreeMap<NodeId, u64>>,
    wake: Notify,
    failing: Mutex<Option<Failure>>,
    /// One writer at a time.
    applying: Mutex<()>,
    /// How many wait for an entry to be shown.
    waiting: AtomicUsize,
}

/// What stops a projection.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) why: String,
    /// Whether it met a disk without room.
    pub(crate) full_disk: bool,
}

impl Projector {
    pub(crate) fn new(name: &'static str, projection: Arc<dyn Projection>) -> Self {
        let (progress, _) = watch::channel(BTreeMap::new());
        let (failing, applying, waiting) = Default::default();
        Self { name, projection, progress, wake: Notify::new(), failing, applying, waiting }
    }

    /// What stops it, if anything does.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// How far each log has been applied since the start of the program.
    pub(crate) fn progress(&self) -> BTreeMap<NodeId, u64> {
        self.progress.borrow().clone()
    }

    /// How far each log has been applied, as the projection itself says.
    pub(crate) fn applied(&self) -> Result<BTreeMap<NodeId, u64>, NodeError> {
        self.projection.applied()
    }

    /// Applies every entry of every log that has not been applied yet; gives how many those were.
    pub(crate) fn catch_up(&self, node: &Node) -> Result<u64, NodeError> {
        let _alone = self.applying.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let total = |applied: &BTreeMap<NodeId, u64>| applied.values().sum::<u64>();
        let mut applied = self.projection.applied()?;
        let before = total(&applied);
        loop {
            let so_far = total(&applied);
            // Each log in turn, so that no backlog of one keeps all others waiting.
            for log in node.ledger.nodes()? {
                if is_behind(node, &log, &applied)? {
                    let mut backlog = Backlog { node, projector: self, log, applied: applied.clone(), last: None };
                    self.projection.apply(&mut backlog)?;
                    applied = self.projection.applied()?;
                    self.progress.send_replace(applied.clone());
                }
            }
            if total(&applied) == so_far {
                break;
            }
        }
        let count = total(&applied).saturating_sub(before);
        self.progress.send_replace(applied);
        Ok(count)
    }

    /// Applies the newest state of some datasets once more: something they point to has arrived late.
    pub(crate) fn apply_again(&self, node: &Node, log: &NodeId, datasets: &[DatasetId]) -> Result<(), NodeError> {
        let _alone = self.applying.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut changes = Vec::new();
        for dataset in datasets {
            if let Some(index) = node.ledger.head(log, dataset)? {
                changes.push(node.change_of(log, (index, node.entry(log, index)?))?);
            }
        }
        self.projection.apply(&mut Some(Step { changes, applied: self.projection.applied()? }))
    }

    /// Lets the projection forget how far it has come, while nothing is being applied.
    pub(crate) fn start_afresh(&self, forget: impl FnOnce() -> Result<(), NodeError>) -> Result<(), NodeError> {
        let _alone = self.applying.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        forget()
    }

    async fn run(&self, node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let worker = node.clone();
            let name = self.name;
            let outcome = tokio::task::spawn_blocking(move || worker.projector(name).catch_up(&worker)).await;
            let failure = match outcome {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(Failure { why: sentence(&error), full_disk: error.met_a_full_disk() }),
                Err(error) => Some(Failure { why: error.to_string(), full_disk: false }),
            };
            if let Some(Failure { why: error, .. }) = &failure {
                tracing::error!(projection = self.name, error, "applying the log failed; trying again");
            }
            let pause = if failure.is_some() { Duration::from_secs(2) } else { Duration::MAX };
            *self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = failure;
            // Who waits need not wait for what fails.
            self.progress.send_modify(|_| ());
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stopped.changed() => {}
            }
        }
    }

    fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until so much of a log is applied, or applying fails; says whether it is.
    async fn reach(&self, node: &NodeId, size: u64) -> bool {
        let _awaiting = Counted::among(&self.waiting);
        let mut progress = self.progress.subscribe();
        let is_there = |applied: &BTreeMap<NodeId, u64>| applied.get(node).is_some_and(|applied| *applied >= size);
        let ended = progress.wait_for(|applied| is_there(applied) || self.failure().is_some()).await;
        // An error means that the node is being dropped; nobody waits then.
        ended.is_ok_and(|applied| is_there(&applied))
    }
}

fn is_behind(node: &Node, log: &NodeId, applied: &BTreeMap<NodeId, u64>) -> Result<bool, NodeError> {
    Ok(node.ledger.size(log)? > applied.get(log).copied().unwrap_or(0))
}

/// What is to be applied of a log, also of what it grows by meanwhile.
struct Backlog<'a> {
    node: &'a Node,
    projector: &'a Projector,
    log: NodeId,
    applied: BTreeMap<NodeId, u64>,
    /// How many changes the last step had.
    last: Option<usize>,
}

impl Backlog<'_> {
    /// Whether what came was bulk, and nobody brings any more of it.
    fn has_ended(&self) -> bool {
        self.last.is_some_and(|changes| changes >= BULK) && self.node.bringing_bulk.load(Ordering::Relaxed) == 0
    }
}

impl Steps for Backlog<'_> {
    /// Ends early where an entry of this node's own log waits.
    fn next(&mut self) -> Result<Option<Step>, NodeError> {
        let (node, own) = (self.node, &self.node.config.id);
        let own_waits = self.last.is_some() && self.log != *own && is_behind(node, own, &self.applied)?;
        if own_waits || !is_behind(node, &self.log, &self.applied)? {
            return Ok(None);
        }
        // A store that meets a full disk in the middle of a commit has to be opened again.
        node.ledger.require_space()?;
        let from = self.applied.get(&self.log).copied().unwrap_or(0);
        let to = node.ledger.size(&self.log)?.min(from + STEP);
        let changes = changes(node, &self.log, from..to)?;
        self.applied.insert(self.log.clone(), to);
        self.last = Some(changes.len());
        Ok(Some(Step { changes, applied: self.applied.clone() }))
    }

    fn next_within(&mut self, time: Duration) -> Result<Option<Step>, NodeError> {
        let begun = Instant::now();
        loop {
            let next = self.next()?;
            if next.is_some() || begun.elapsed() > time || self.projector.is_awaited() || self.has_ended() {
                return Ok(next);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// One step that is all there is.
impl Steps for Option<Step> {
    fn next(&mut self) -> Result<Option<Step>, NodeError> {
        Ok(self.take())
    }

    fn next_within(&mut self, _: Duration) -> Result<Option<Step>, NodeError> {
        self.next()
    }
}

/// The last state each dataset has within a range of entries.
fn changes(
    node: &Node,
    log: &NodeId,
    range: std::ops::Range<u64>,
) -> Result<Vec<crate::projection::RecordChange>, NodeError> {
    let mut last = BTreeMap::new();
    for (index, bytes) in (range.start..).zip(node.ledger.entries(log, range)?) {
        match Entry::from_bytes(&bytes) {
            Ok(entry) => drop(last.insert(entry.dataset.clone(), (index, entry))),
            Err(error) => tracing::warn!(%log, %error, "an entry cannot be read; it stays in the log and is not shown"),
        }
    }
    last.into_values().map(|entry| node.change_of(log, entry)).collect()
}

impl Node {
    pub(crate) fn start_projectors(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let start = |name: &'static str| {
            let (node, stopped) = (self.clone(), stopped.clone());
            tokio::spawn(async move { node.projector(name).run(node.clone(), stopped).await })
        };
        vec![start("search"), start("rdf")]
    }

    fn projector(&self, name: &str) -> &Projector {
        if name == self.searchable.name { &self.searchable } else { &self.queryable }
    }

    /// Tells the projectors, those who cosign, and those who tell others, that a log has grown.
    pub(crate) fn wake_projectors(&self) {
        self.notice_growth();
        self.announcing.wake.notify_one();
        self.searchable.wake.notify_one();
        self.queryable.wake.notify_one();
        self.eraser.wake.notify_one();
        self.mirrors.wake.notify_one();
    }

    /// Applies the newest state of some datasets once more, in both projections.
    pub(crate) async fn apply_again(self: &Arc<Self>, log: &NodeId, datasets: Vec<DatasetId>) -> Result<(), NodeError> {
        let (node, log) = (self.clone(), log.clone());
        let again = move || {
            node.searchable.apply_again(&node, &log, &datasets)?;
            node.queryable.apply_again(&node, &log, &datasets)
        };
        tokio::task::spawn_blocking(again).await.map_err(|error| NodeError::Internal(error.to_string()))?
    }

    /// Waits until search and RDF show an entry of the own log, or patience ends; the entry is durable either way.
    pub(crate) async fn wait_until_applied(&self, index: u64) {
        let own = &self.config.id;
        let both = async { tokio::join!(self.searchable.reach(own, index + 1), self.queryable.reach(own, index + 1)) };
        if !matches!(tokio::time::timeout(PATIENCE, both).await, Ok((true, true))) {
            tracing::warn!(index, "search or RDF is behind; the entry will show when it has caught up");
        }
    }

    /// What keeps the node from showing what it holds.
    pub fn failing_projections(&self) -> Vec<String> {
        let failures = self.projection_failures();
        failures.map(|(name, failure)| format!("{name}: {}", failure.why)).collect()
    }

    /// What stops which projection.
    pub(crate) fn projection_failures(&self) -> impl Iterator<Item = (&'static str, Failure)> {
        let projectors = [&self.searchable, &self.queryable].into_iter();
        projectors.filter_map(|projector| Some((projector.name, projector.failure()?)))
    }
}
