//! Harvesting the sources of the configuration: on a schedule, and when asked.

use std::{sync::Arc, time::Duration};

use dataset_model::Timestamp;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    SourceConfig, SourceName,
    state::Progress,
    web::{Before, listing_since},
};
use crate::{
    Actor, ImportReport, Node, NodeError, Scope,
    catalogue::{Shrinking, Taken},
    elapsed::seconds_since,
    policy,
};

/// The wait after a harvest that failed; twice as long after each further one, up to the source's interval.
const RETRY_SECONDS: u64 = 300;
/// The longest a schedule sleeps before it looks at the clock again.
const LOOK_SECONDS: u64 = 3600;

/// How a harvest that somebody asks for differs from the usual one.
#[derive(Debug, Clone, Copy, Default)]
pub struct HarvestChoice {
    /// More than half of the source may be withdrawn at once.
    pub confirm_shrink: bool,
    /// The whole listing is read, not only what changed.
    pub full: bool,
}

impl Node {
    /// Harvests a source of the configuration now. A failure of the source is in the report.
    ///
    /// # Errors
    /// Unless the actor may ask for harvests, and, to confirm that a source shrinks, is a curator; when there is no such source,
    /// it is being harvested just now, or the ledger fails.
    pub async fn harvest_source(
        self: &Arc<Self>,
        actor: &Actor,
        name: &SourceName,
        choice: HarvestChoice,
    ) -> Result<ImportReport, NodeError> {
        policy::require(actor, if choice.confirm_shrink { Scope::Curate } else { Scope::Harvest })?;
        let config = self.configured(name).cloned().ok_or_else(|| {
            NodeError::NotFound(format!("there is no source '{name}' in this node's configuration ([[sources]])"))
        })?;
        let node = self.clone();
        // In a task of its own: somebody who hangs up does not leave a harvest half written down.
        let task = tokio::spawn(async move { node.harvest_once(&config, choice).await });
        task.await.map_err(|error| NodeError::Internal(format!("harvesting a source: {error}")))?
    }

    async fn harvest_once(
        self: &Arc<Self>,
        config: &SourceConfig,
        choice: HarvestChoice,
    ) -> Result<ImportReport, NodeError> {
        let name = &config.name;
        let lock = self.sources_in_use.of(name);
        let Ok(_alone) = lock.try_write() else {
            return Err(NodeError::Conflict(format!("source '{name}' is being read just now: ask again later")));
        };
        let asked = Timestamp::now();
        let before = self.known_before(config, choice)?;
        let listing = listing_since(config, &self.config.public_url, self.config.limits.crate_bytes, before)?;
        let shrinking = if choice.confirm_shrink { Shrinking::Confirmed } else { Shrinking::HeldBack };
        let Taken { report, progress, .. } = self.take_listing(name, listing, shrinking).await?;
        let progress = progress.map(|from| Progress { of: settings(config), from });
        self.keep_harvest(name, asked, &report, progress)?;
        let (seen, stored, withdrawn) = (report.seen, report.stored, report.withdrawn);
        match &report.stopped {
            Some(why) => {
                tracing::info!(source = %name, why, "a listing was not read to its end; nothing was taken for gone")
            }
            None => {
                tracing::info!(source = %name, seen, stored, withdrawn, rejected = report.rejected.len(), "harvested")
            }
        }
        Ok(report)
    }

    fn known_before(&self, config: &SourceConfig, choice: HarvestChoice) -> Result<Before, NodeError> {
        if choice.full {
            return Ok(Before::default());
        }
        let prefix = format!("{}/", config.name);
        let mut before = Before::default();
        for row in self.source_records().iter_prefix(&prefix) {
            let (key, record) = row?;
            before.stamps.extend(record.stamp.map(|stamp| (key[prefix.len()..].to_owned(), stamp)));
        }
        let state = self.source_states().get(&config.name.to_string())?.unwrap_or_default();
        before.from = state.progress.filter(|progress| progress.of == settings(config)).map(|progress| progress.from);
        Ok(before)
    }

    /// Starts one task a source that has an interval.
    pub(crate) fn start_sources(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let scheduled = self.config.sources.iter().filter(|source| source.interval_seconds > 0);
        scheduled.map(|source| tokio::spawn(keep_harvesting(self.clone(), source.clone(), stopped.clone()))).collect()
    }

    /// Seconds until a source is due.
    fn due_in(&self, config: &SourceConfig) -> Result<u64, NodeError> {
        let state = self.source_states().get(&config.name.to_string())?.unwrap_or_default();
        let Some(asked) = state.asked else { return Ok(0) };
        let retry = RETRY_SECONDS << state.failures.saturating_sub(1).min(10);
        let wait = if state.failures > 0 { retry.min(config.interval_seconds) } else { config.interval_seconds };
        // A clock that was set back must not stop the harvests.
        Ok(seconds_since(asked, Timestamp::now()).map_or(0, |passed| wait.saturating_sub(passed)))
    }
}

/// What a provider's changes are asked for with: a moment learnt with other settings means nothing.
fn settings(config: &SourceConfig) -> String {
    let (format, set) = (config.format.as_deref().unwrap_or_default(), config.set.as_deref().unwrap_or_default());
    format!("{} {} {format} {set}", config.kind.as_str(), config.url)
}

async fn keep_harvesting(node: Arc<Node>, config: SourceConfig, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let wait = match node.due_in(&config) {
            Ok(0) => {
                let harvest = node.harvest_once(&config, HarvestChoice::default());
                let outcome = tokio::select! {
                    outcome = harvest => outcome,
                    _ = stopped.changed() => return,
                };
                match outcome {
                    Ok(_) => continue,
                    Err(NodeError::Conflict(_)) => 5,
                    Err(error) => {
                        tracing::error!(source = %config.name, %error, "harvesting failed");
                        RETRY_SECONDS
                    }
                }
            }
            Ok(seconds) => seconds.min(LOOK_SECONDS),
            Err(error) => {
                tracing::error!(source = %config.name, %error, "a source's state cannot be read");
                RETRY_SECONDS
            }
        };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(wait)) => {}
            _ = stopped.changed() => return,
        }
    }
}
