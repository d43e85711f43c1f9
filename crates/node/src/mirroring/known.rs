//! Who else holds copies: every node says so, and is asked now and then.

use std::{collections::HashSet, sync::Arc, time::Duration};

use dataset_model::{DatasetKey, VersionNumber};
use federation::{FederationError, PeerClient};
use tokio::{sync::watch, task::JoinHandle};

use crate::Node;

/// Seconds between two questions, at least.
const PAUSE: u64 = 60;
/// Pages read of one node at most: a hundred thousand copies.
const MOST_PAGES: usize = 100;

impl Node {
    /// Starts the task that asks peers which copies they hold.
    pub(crate) fn start_asking_mirrors(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        let (node, mut stopped) = (self.clone(), stopped.clone());
        tokio::spawn(async move {
            // As often as logs are looked at, but a busy follower need not ask each second.
            let pause = Duration::from_secs(PAUSE.min(node.config.poll_seconds.max(1)));
            while !*stopped.borrow() {
                tokio::select! {
                    () = node.ask_mirrors() => {}
                    _ = stopped.changed() => return,
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stopped.changed() => return,
                }
            }
        })
    }

    /// Asks each peer once. What a peer that does not answer said before is kept: who downloads finds out.
    async fn ask_mirrors(&self) {
        for peer in self.followed() {
            match copies_at(&peer.client).await {
                Ok(copies) => {
                    self.mirrors.known().insert(peer.id, copies);
                }
                Err(error) => tracing::debug!(peer = %peer.id, %error, "a peer does not say which copies it holds"),
            }
        }
    }
}

async fn copies_at(client: &PeerClient) -> Result<HashSet<(DatasetKey, VersionNumber)>, FederationError> {
    let mut copies = HashSet::new();
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let page = client.mirrored(after.as_deref()).await?;
        let keys = page.copies.into_iter().map(|copy| (DatasetKey { node: copy.node, id: copy.dataset }, copy.version));
        copies.extend(keys);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(copies)
}
