use std::sync::Arc;

use serde::Serialize;

use crate::{Node, NodeConfig, NodeError};

/// What a rebuild did.
#[derive(Debug, Clone, Serialize)]
pub struct RebuildReport {
    /// Entries applied to the search index.
    pub searchable: u64,
    /// Entries applied to the RDF store.
    pub queryable: u64,
    /// Records the index holds now.
    pub records: u64,
}

impl Node {
    /// Deletes search and RDF and makes them again from the logs, by the same `apply` as everything else.
    ///
    /// # Errors
    /// When the node is running, or a store cannot be written.
    pub async fn rebuild(config: NodeConfig) -> Result<RebuildReport, NodeError> {
        // The ledger is locked first: a running node keeps its projections.
        drop(ledger::Ledger::open(&config.data_dir.join("ledger"))?);
        for folder in ["search", "rdf"] {
            let path = config.data_dir.join(folder);
            match std::fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(NodeError::Unavailable(format!("cannot delete {}: {error}", path.display())));
                }
                _ => {}
            }
        }
        let node = Self::open(config).await?;
        tokio::task::spawn_blocking(move || node.rebuild_now())
            .await
            .map_err(|error| NodeError::Internal(format!("rebuilding: {error}")))?
    }

    fn rebuild_now(self: Arc<Self>) -> Result<RebuildReport, NodeError> {
        let searchable = self.searchable.catch_up(&self)?;
        let queryable = self.queryable.catch_up(&self)?;
        self.settle_all()?;
        Ok(RebuildReport { searchable, queryable, records: self.search.count() })
    }
}
