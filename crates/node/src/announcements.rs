use std::{ops::Range, sync::Arc};

use dataset_model::{Access, Entry, Event, Timestamp};

use crate::{Actor, Node, NodeError, policy};

/// Entries of the log that one page of announcements covers; as many addresses a page of a sitemap may have (sitemaps.org).
const PAGE: u64 = 50_000;
/// Entries read at a time.
const BATCH: u64 = 1024;

/// A dataset of this node that is not withdrawn, and when that was last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its page.
    pub page: String,
    /// The time of its newest entry in the log.
    pub time: Timestamp,
}

impl Node {
    /// For each page of announcements, the time of its last entry; nothing for an empty log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn announcement_pages(&self, actor: &Actor) -> Result<Vec<Timestamp>, NodeError> {
        require(actor)?;
        let own = &self.config.id;
        let size = self.ledger.size(own)?;
        let last = |page: u64| size.min((page + 1) * PAGE).saturating_sub(1);
        (0..size.div_ceil(PAGE)).map(|page| Ok(self.entry(own, last(page))?.time)).collect()
    }

    /// The datasets whose newest entry stands on a page of the log, the first being 0: an old page only ever shrinks.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn announcements(self: &Arc<Self>, actor: &Actor, page: u64) -> Result<Vec<Announcement>, NodeError> {
        require(actor)?;
        let node = self.clone();
        let read = move || {
            let size = node.ledger.size(&node.config.id)?;
            let (from, to) =
                (page.saturating_mul(PAGE).min(size), page.saturating_add(1).saturating_mul(PAGE).min(size));
            let mut found = Vec::new();
            for start in (from..to).step_by(BATCH as usize) {
                node.newest_among(start..to.min(start + BATCH), &mut found)?;
            }
            Ok(found)
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| NodeError::Internal(error.to_string()))?
    }

    fn newest_among(&self, range: Range<u64>, found: &mut Vec<Announcement>) -> Result<(), NodeError> {
        let own = &self.config.id;
        for (index, bytes) in range.clone().zip(self.ledger.entries(own, range)?) {
            let Ok(entry) = Entry::from_bytes(&bytes) else { continue };
            let newest = self.ledger.head(own, &entry.dataset)? == Some(index);
            if newest && !matches!(entry.event, Event::Withdraw(_)) {
                found.push(Announcement { page: self.config.page(&entry.dataset), time: entry.time });
            }
        }
        Ok(())
    }
}

fn require(actor: &Actor) -> Result<(), NodeError> {
    policy::require_read(actor, Access::Open, || NodeError::NotFound("nothing is announced".into()))
}
