//! What was withdrawn is erased: from the archive, and of peers' datasets from the copies.
//!
//! The logs say what to erase. A document says how far each was gone through, so that an erasure that a crash cut off is gone
//! on with, and a node that was away for a year ends as the others are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dataset_model::{DatasetId, DatasetKey, Entry, Event, NodeId};
use ledger::Collection;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    Node, NodeError,
    mirroring::{object_of, read_copy_key},
    service::unusable,
};

/// Entries looked at in one step.
const STEP: u64 = 256;
/// Entries without a withdrawal after which it is written down how far we are.
const SAVED_EVERY: u64 = 4096;
/// Seconds until what could not be erased is tried again.
const AGAIN: u64 = 30;

/// How far erasing is.
#[derive(Default)]
pub(crate) struct Eraser {
    pub(crate) wake: Notify,
    /// The index after the last entry looked at, of each log.
    done: Mutex<BTreeMap<NodeId, u64>>,
    failure: Mutex<Option<String>>,
}

impl Eraser {
    fn done(&self) -> MutexGuard<'_, BTreeMap<NodeId, u64>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why something withdrawn is still on a disk, if anything is.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Node {
    /// How many entries of each log were gone through. Key: the node's name.
    fn erased(&self) -> Collection<u64> {
        self.ledger.collection("erased")
    }

    /// Starts the task that erases what the logs take back.
    pub(crate) fn start_eraser(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        let (node, mut stopped) = (self.clone(), stopped.clone());
        tokio::spawn(async move {
            while !*stopped.borrow() {
                // Not dropped half way: what is begun of one dataset is ended.
                let outcome = node.erase_all(&stopped).await;
                let failure = outcome.err().map(|error| crate::harvest::sentence(&error));
                let pause = if failure.is_some() { Duration::from_secs(AGAIN) } else { Duration::MAX };
                let before = {
                    let mut kept = node.eraser.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    std::mem::replace(&mut *kept, failure.clone())
                };
                if let Some(error) = failure.filter(|_| before.is_none()) {
                    tracing::warn!(error, "something withdrawn could not be erased; trying again");
                }
                tokio::select! {
                    () = node.eraser.wake.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                    _ = stopped.changed() => {}
                }
            }
        })
    }

    /// Goes through what is new in every log.
    async fn erase_all(&self, stopped: &watch::Receiver<bool>) -> Result<(), NodeError> {
        for log in self.ledger.nodes()? {
            let saved = self.erased().get(log.as_str())?.unwrap_or(0);
            let mut at = self.eraser.done().get(&log).copied().unwrap_or(saved);
            let size = self.ledger.size(&log)?;
            while at < size && !*stopped.borrow() {
                let to = size.min(at + STEP);
                let withdrawn = self.withdrawn_in(&log, at..to)?;
                for dataset in &withdrawn {
                    self.erase_dataset(&log, dataset).await?;
                }
                if !withdrawn.is_empty() || to / SAVED_EVERY > at / SAVED_EVERY {
                    self.ledger.write(vec![self.erased().put(log.as_str(), &to)?])?;
                }
                self.eraser.done().insert(log.clone(), to);
                at = to;
            }
        }
        Ok(())
    }

    fn withdrawn_in(&self, log: &NodeId, indexes: std::ops::Range<u64>) -> Result<Vec<DatasetId>, NodeError> {
        let entries = self.ledger.entries(log, indexes)?;
        let entries = entries.iter().filter_map(|bytes| Entry::from_bytes(bytes).ok());
        Ok(entries.filter(|entry| matches!(entry.event, Event::Withdraw(_))).map(|entry| entry.dataset).collect())
    }

    async fn erase_dataset(&self, log: &NodeId, dataset: &DatasetId) -> Result<(), NodeError> {
        if *log == self.config.id {
            let lock = self.datasets_in_use.of(dataset);
            let _alone = lock.write().await;
            return self.erase_own(dataset).await;
        }
        self.erase_copies(&DatasetKey { node: log.clone(), id: dataset.clone() }).await
    }

    /// Erases the files of an own dataset and what was made of them; the caller has its lock.
    pub(crate) async fn erase_own(&self, dataset: &DatasetId) -> Result<(), NodeError> {
        self.forget_renderings(dataset);
        let erased = self.archive.erase(dataset).await.map_err(NodeError::Archive);
        self.bytes_were_replaced();
        erased
    }

    /// Erases every copy of a peer's dataset, complete or not.
    pub(crate) async fn erase_copies(&self, key: &DatasetKey) -> Result<(), NodeError> {
        // One whose name is too long was never copied.
        let Ok(object) = object_of(key) else { return Ok(()) };
        let _alone = self.mirrors.in_use.of(&object).write_owned().await;
        self.forget_renderings(&object);
        let archive = &self.mirrors.archive;
        archive.erase(&object).await.map_err(NodeError::Archive)?;
        archive.delete_draft(&object).await.map_err(NodeError::Archive)?;
        let parts = self.parts_of(&object);
        match std::fs::remove_dir_all(&parts) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(&parts, &error)),
            _ => {}
        }
        // Last, so that nothing is forgotten that is still there.
        let prefix = format!("{key}/");
        let gone = self.copies().remove_prefix(&prefix)?;
        if !gone.is_empty() {
            self.ledger.write(gone)?;
            tracing::info!(%key, "erased the copies of a dataset that was withdrawn");
        }
        self.bytes_were_replaced();
        Ok(())
    }

    /// Removes what interrupted copies left that nobody goes on with.
    pub(crate) async fn forget_finished_copies(&self) -> Result<(), NodeError> {
        for draft in self.mirrors.archive.list_drafts().await.map_err(NodeError::Archive)? {
            let key = draft.as_str().split_once('.').and_then(|(node, id)| read_copy_key(&format!("{node}/{id}/v1")));
            let complete = match &key {
                Some((key, _)) => {
                    let held = self.copies_of(key)?;
                    self.copiable(key)?.iter().all(|(entry, _)| held.contains_key(&entry.version))
                }
                None => true,
            };
            if complete {
                self.mirrors.archive.delete_draft(&draft).await.map_err(NodeError::Archive)?;
            }
        }
        Ok(())
    }
}
