//! Room on the disk: while there is little of it nothing new is taken in, and what a full disk stopped begins anew.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::{Node, NodeError};

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Looks with room after which a projection that still fails is opened anew.
const PATIENCE: u32 = 10;

/// What the looks at the disk have found.
#[derive(Default)]
struct Looks {
    short: bool,
    /// Whether there was too little room since the node was opened.
    was_short: bool,
    /// Looks in a row with room, and with a projection that fails.
    stuck: u32,
}

impl Node {
    /// Fails while there is too little room to take in anything new.
    pub(crate) fn require_space(&self) -> Result<(), NodeError> {
        self.shortage().map_or(Ok(()), |why| Err(NodeError::Full(why)))
    }

    /// Fails while there is too little room for copies of so many bytes.
    pub(crate) fn require_space_for_copies(&self, bytes: u64) -> Result<(), NodeError> {
        self.require_space()?;
        let needed = self.config.limits.free_disk_bytes.saturating_add(bytes);
        short("copies", self.config.mirror.free_bytes(), needed).map_or(Ok(()), |why| Err(NodeError::Full(why)))
    }

    /// Which disk is too full for new deposits, records and entries of peers, if one is.
    pub(crate) fn shortage(&self) -> Option<String> {
        let needed = self.config.limits.free_disk_bytes;
        short("data", self.ledger.free_bytes(), needed)
            .or_else(|| short("archive", self.config.archive.free_bytes(), needed))
    }

    /// What keeps the node from doing its work.
    pub fn failing(&self) -> Vec<String> {
        let stopped = "ledger: a write failed, and what is on the disk is not known; nothing more is written until the node \
                       starts again, which it does by itself as soon as there is room on the disk";
        let stopped = self.ledger.is_stopped().then(|| stopped.to_owned());
        stopped.into_iter().chain(self.failing_projections()).collect()
    }

    /// Returns when the node has to be opened again: a store stopped at a failed write, and there is room on the disk (again).
    pub async fn new_start_wanted(&self) {
        let mut wanted = self.new_start.subscribe();
        // An error means that the node is being dropped; nobody waits then.
        let _ = wanted.wait_for(|wanted| *wanted).await;
    }

    /// Starts the task that says when there is too little room, and when there is enough again.
    pub(crate) fn start_watching_space(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        let (node, mut stopped) = (self.clone(), stopped.clone());
        tokio::spawn(async move {
            let mut looks = Looks::default();
            while !*stopped.borrow() {
                node.look_at_space(&mut looks).await;
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = stopped.changed() => return,
                }
            }
        })
    }

    async fn look_at_space(self: &Arc<Self>, looks: &mut Looks) {
        let shortage = self.shortage();
        match &shortage {
            Some(why) if !looks.short => tracing::warn!(why, "nothing new is taken in"),
            None if looks.short => tracing::info!("there is room on the disk again"),
            _ => {}
        }
        looks.short = shortage.is_some();
        looks.was_short |= looks.short;
        if looks.short || self.ledger.has_failed_to_read() {
            let ledger = self.ledger.clone();
            // What it finds is asked for below.
            let _ = tokio::task::spawn_blocking(move || ledger.check()).await;
        }
        // The RDF store stays closed to writers once it has met a full disk; that may have been between two looks.
        let mut failures = self.projection_failures();
        let stuck = !looks.short && failures.any(|(_, failure)| looks.was_short || failure.full_disk);
        looks.stuck = if stuck { looks.stuck + 1 } else { 0 };
        if !looks.short && (self.ledger.is_stopped() || looks.stuck > PATIENCE) {
            self.new_start.send_if_modified(|wanted| !std::mem::replace(wanted, true));
        }
    }
}

/// What is wrong with a disk that has less than `needed` bytes free.
fn short(what: &str, free: Option<u64>, needed: u64) -> Option<String> {
    let free = free.filter(|free| *free < needed)?;
    Some(format!(
        "the disk of this node's {what} is full: {} MiB are free, and less than {} MiB (limits.free_disk_bytes) are kept for \
         withdrawals and for what is under way. The operator has to make room; then it goes on by itself",
        free >> 20,
        needed.div_ceil(1 << 20)
    ))
}
