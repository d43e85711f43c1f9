use std::sync::Arc;

use dataset_model::{DatasetId, NodeId};
use search_index::StudyRecord;

use crate::{Actor, Node, NodeError, policy};

impl Node {
    /// The study a dataset's record describes: where else it is described, why that is believed, and what is related to it.
    ///
    /// # Errors
    /// When there is no such dataset, or the index cannot be read.
    pub async fn study(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        node: Option<&NodeId>,
    ) -> Result<StudyRecord, NodeError> {
        let (key, visible) = (self.find(actor, id, node)?.key.clone(), policy::visible(actor));
        let index = self.search.clone();
        let found = tokio::task::spawn_blocking(move || index.study(&key, &visible))
            .await
            .map_err(|error| NodeError::Internal(format!("finding a study: {error}")))??;
        found.ok_or_else(|| NodeError::NotFound(format!("the record of '{id}' is not searchable yet: ask again")))
    }
}

#[cfg(test)]
mod tests;
