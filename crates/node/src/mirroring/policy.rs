//! Which of a peer's datasets are copied.

use std::{collections::HashSet, sync::Arc};

use dataset_model::{Access, DatasetId, DatasetKey, Entry, Event, NodeId, Published};
use search_index::FacetSelection;

use super::setting::read_search;
use crate::{Actor, Node, NodeError, policy::may_copy};

/// Hits on a page while what a search finds is gone through.
const PAGE: usize = 200;

/// What is copied of a peer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MirrorPolicy {
    /// Which datasets.
    pub wanted: Wanted,
    /// The most that one version may have, in bytes; any size when nothing is said.
    pub max_dataset_bytes: Option<u64>,
    /// The most that all copies of the peer may have, in bytes.
    pub max_total_bytes: Option<u64>,
    /// The most that is asked of it in a second, in bytes.
    pub bytes_per_second: Option<u64>,
}

/// Which datasets of a peer are copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those that a search finds, written as in the address of a search: `q=zebrafish&organism=Danio rerio`.
    Found(String),
}

impl Wanted {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::None => "none",
            Self::All => "all",
            Self::Found(query) => query,
        }
    }
}

impl Node {
    /// The datasets of a peer that its policy wants, whatever their size; nothing while the search they are chosen by has not
    /// caught up with the log.
    pub(super) async fn wanted_of(
        self: &Arc<Self>,
        peer: &NodeId,
        wanted: &Wanted,
    ) -> Result<Option<Vec<DatasetId>>, NodeError> {
        let found = match wanted {
            Wanted::None => return Ok(Some(Vec::new())),
            Wanted::All => None,
            Wanted::Found(query) => {
                if self.searchable.progress().get(peer).copied().unwrap_or(0) < self.ledger.size(peer)? {
                    return Ok(None);
                }
                Some(self.found_of(peer, query).await?)
            }
        };
        let heads = self.ledger.heads(peer).map(|head| Ok(head?.0));
        let chosen = |id: &Result<DatasetId, NodeError>| match (id, &found) {
            (Ok(id), Some(found)) => found.contains(id),
            _ => true,
        };
        heads.filter(chosen).collect::<Result<_, NodeError>>().map(Some)
    }

    async fn found_of(self: &Arc<Self>, peer: &NodeId, query: &str) -> Result<HashSet<DatasetId>, NodeError> {
        let mut request = read_search(query)?;
        request.node = vec![peer.clone()];
        (request.size, request.collapse, request.facets) = (PAGE, false, FacetSelection::NONE);
        let mut found = HashSet::new();
        loop {
            let answer = self.search(&Actor::Anonymous, request.clone()).await?;
            found.extend(answer.hits.into_iter().map(|hit| hit.document.key.id));
            match answer.next_cursor {
                Some(next) => request.cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// The versions of a dataset that may be copied, newest first: none of one that was withdrawn.
    pub(crate) fn copiable(&self, key: &DatasetKey) -> Result<Vec<(Entry, Published)>, NodeError> {
        // All that a log announces is open today.
        if !may_copy(Access::Open) {
            return Ok(Vec::new());
        }
        let history = self.history(key)?;
        let published = history.into_iter().map_while(|(_, entry)| match entry.event.clone() {
            Event::Publish(published) | Event::Revise(published) => Some((entry, published)),
            Event::Catalogue(_) | Event::Withdraw(_) => None,
        });
        Ok(published.collect())
    }

    /// Whether a dataset is still what its node shows.
    pub(crate) fn is_live(&self, key: &DatasetKey) -> Result<bool, NodeError> {
        Ok(!self.copiable(key)?.is_empty())
    }
}
