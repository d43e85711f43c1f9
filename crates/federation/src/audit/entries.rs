//! The log of an audited node: every entry, its place, and what it says about the ones before.

use std::collections::HashMap;

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, Entry, Event, VersionNumber, leaf_hash};

use super::{AT_ONCE, Audit, AuditFinding, LiveVersion};
use crate::{Checkpoint, FederationError, bundle, bundle::WIDTH};

/// What all entries together say.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) leaves: Vec<Digest>,
    heads: HashMap<DatasetId, Head>,
    /// The versions of each dataset that is not withdrawn.
    pub(super) live: HashMap<DatasetId, Vec<LiveVersion>>,
}

/// The last entry about a dataset.
#[derive(Debug, Clone, Copy)]
struct Head {
    index: u64,
    version: VersionNumber,
}

impl History {
    /// Datasets that are not withdrawn, and those that are.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.live.len() as u64, (self.heads.len() - self.live.len()) as u64)
    }

    /// Takes the next entry; says what is wrong with it, if anything is.
    fn take(&mut self, bytes: &[u8]) -> Option<&'static str> {
        let index = self.leaves.len() as u64;
        self.leaves.push(leaf_hash(bytes));
        if !bundle::is_canonical_entry(bytes) {
            return Some("it is no canonical log entry");
        }
        let Ok(entry) = Entry::from_bytes(bytes) else { return Some("it is no log entry") };
        let before = self.heads.insert(entry.dataset.clone(), Head { index, version: entry.version });
        let wrong = follows(before, &entry);
        let crate_digest = entry.crate_digest();
        match (&entry.event, crate_digest) {
            (Event::Withdraw(_), _) | (_, None) => drop(self.live.remove(&entry.dataset)),
            (event, Some(crate_digest)) => {
                let content_root = match event {
                    Event::Publish(published) | Event::Revise(published) => Some(published.content_root),
                    Event::Catalogue(_) | Event::Withdraw(_) => None,
                };
                let version = LiveVersion { version: entry.version, crate_digest, content_root };
                self.live.entry(entry.dataset).or_default().push(version);
            }
        }
        wrong
    }
}

/// What is wrong with an entry, given the last one about the same dataset.
fn follows(before: Option<Head>, entry: &Entry) -> Option<&'static str> {
    if entry.previous != before.map(|head| head.index) {
        return Some("it does not name the entry before it about the same dataset");
    }
    let is_withdrawal = matches!(entry.event, Event::Withdraw(_));
    match before {
        None if is_withdrawal || entry.version != VersionNumber::FIRST => Some("it is no beginning"),
        Some(head) if is_withdrawal && entry.version != head.version => {
            Some("it withdraws another version than the last")
        }
        Some(head) if !is_withdrawal && entry.version <= head.version => Some("its version does not follow"),
        _ => None,
    }
}

impl Audit {
    /// Reads every entry, and says which are wrong in themselves.
    pub(super) async fn read_entries(
        &self,
        checkpoint: &Checkpoint,
        history: &mut History,
    ) -> Result<Vec<AuditFinding>, FederationError> {
        use futures::{StreamExt, TryStreamExt, stream};
        let bundles = (0..checkpoint.size.div_ceil(WIDTH)).map(|index| self.bundle(index, checkpoint.size));
        let mut bundles = stream::iter(bundles).buffered(AT_ONCE);
        let mut findings = Vec::new();
        while let Some(entries) = bundles.try_next().await? {
            for entry in entries {
                let index = history.leaves.len();
                if let Some(what) = history.take(&entry) {
                    findings.push(AuditFinding { place: format!("entry {index}"), what: what.to_owned() });
                }
            }
        }
        Ok(findings)
    }

    async fn bundle(&self, index: u64, size: u64) -> Result<Vec<Bytes>, FederationError> {
        let width = (size - index * WIDTH).min(WIDTH);
        let bytes = self.client().entry_bundle(index, u8::try_from(width).ok()).await?;
        bundle::parse(bytes, width)
    }

    /// Says which entry is not the signed one.
    pub(super) async fn blame(&mut self, checkpoint: &Checkpoint, history: &History) {
        for index in 0..checkpoint.size.div_ceil(WIDTH) {
            let start = index * WIDTH;
            let end = checkpoint.size.min(start + WIDTH);
            let wrong = self.puller.first_wrong_leaf(checkpoint, start..end, &history.leaves).await;
            match wrong {
                Ok(None) => {}
                Ok(Some(at)) => return self.find(format!("entry {at}"), FederationError::BadEntry { index: at }),
                Err(error) => return self.find(format!("entries {start} to {end}"), error),
            }
        }
        self.find("checkpoint", "the entries are not those that were signed");
    }
}
