use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dataset_model::{DatasetId, Entry, NodeId};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{Node, NodeError, harvest::sentence, projection::Projection};

/// Entries applied in one commit of a projection.
const BATCH: u64 = 512;
/// The longest a use case waits for the projections to show what it did.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps one projection up with every log. Each projection has its own, so that search does not wait for RDF.
pub(crate) struct Projector {
    name: &'static str,
    projection: Arc<dyn Projection>,
    progress: watch::Sender<BTreeMap<NodeId, u64>>,
    wake: Notify,
    failing: Mutex<Option<String>>,
    /// One writer at a time.
    applying: Mutex<()>,
}

impl Projector {
    pub(crate) fn new(name: &'static str, projection: Arc<dyn Projection>) -> Self {
        let (progress, _) = watch::channel(BTreeMap::new());
        Self { name, projection, progress, wake: Notify::new(), failing: Mutex::new(None), applying: Mutex::new(()) }
    }

    /// What stops it, if anything does.
    pub(crate) fn failure(&self) -> Option<String> {
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
        let mut applied = self.projection.applied()?;
        let mut count = 0;
        for log in node.ledger.nodes()? {
            let size = node.ledger.size(&log)?;
            let mut from = applied.get(&log).copied().unwrap_or(0);
            while from < size {
                // A store that meets a full disk in the middle of a commit has to be opened again.
                node.ledger.require_space()?;
                let to = size.min(from + BATCH);
                let changes = changes(node, &log, from..to)?;
                applied.insert(log.clone(), to);
                self.projection.apply(changes, &applied)?;
                self.progress.send_replace(applied.clone());
                count += to - from;
                from = to;
            }
        }
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
        self.projection.apply(changes, &self.projection.applied()?)
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
                Ok(Err(error)) => Some(sentence(&error)),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = &failure {
                tracing::error!(projection = self.name, error, "applying the log failed; trying again");
            }
            let pause = if failure.is_some() { Duration::from_secs(2) } else { Duration::MAX };
            *self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = failure;
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stopped.changed() => {}
            }
        }
    }

    async fn reach(&self, node: &NodeId, size: u64) {
        let mut progress = self.progress.subscribe();
        // An error means that the node is being dropped; nobody waits then.
        let _ = progress.wait_for(|applied| applied.get(node).is_some_and(|applied| *applied >= size)).await;
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
        if tokio::time::timeout(PATIENCE, both).await.is_err() {
            tracing::warn!(index, "search or RDF is behind; the entry will show when it has caught up");
        }
    }

    /// What keeps the node from showing what it holds.
    pub fn failing_projections(&self) -> Vec<String> {
        [&self.searchable, &self.queryable]
            .into_iter()
            .filter_map(|projector| Some(format!("{}: {}", projector.name, projector.failure()?)))
            .collect()
    }
}
