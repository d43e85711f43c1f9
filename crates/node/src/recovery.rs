//! What an interrupted run left, put right at start: there is no stuck state that needs a person.

use std::collections::HashSet;

use dataset_model::{DatasetId, Event, VersionNumber};

use crate::{
    Node, NodeError,
    documents::{Draft, DraftState},
};

/// Ends every publication that was under way, collects blobs no draft points to, and takes up jobs.
pub(crate) async fn recover(node: &Node) -> Result<(), NodeError> {
    let drafts: Vec<Draft> = node.drafts().iter_prefix("").map(|row| Ok(row?.1)).collect::<Result<_, NodeError>>()?;
    for draft in drafts.iter().filter(|draft| draft.state == DraftState::Publishing) {
        heal_draft(node, &draft.id).await?;
    }
    for draft in &drafts {
        node.forget_arrivals(&draft.id).await?;
    }
    let known: HashSet<&DatasetId> = drafts.iter().map(|draft| &draft.id).collect();
    for orphan in node.archive.list_drafts().await.map_err(NodeError::Archive)? {
        if !known.contains(&orphan) {
            tracing::info!(deposit = %orphan, "removing blobs no deposit points to");
            node.archive.delete_draft(&orphan).await.map_err(NodeError::Archive)?;
        }
    }
    node.forget_finished_copies().await?;
    node.recover_jobs()
}

/// Brings a draft back from `Publishing`: its publication was not appended to the ledger, so it never happened.
///
/// The append removes the draft in the same transaction: a draft that is still there was not published.
pub(crate) async fn heal_draft(node: &Node, id: &DatasetId) -> Result<(), NodeError> {
    let Some(draft) = node.drafts().get(id.as_str())?.filter(|draft| draft.state == DraftState::Publishing) else {
        return Ok(());
    };
    tracing::info!(deposit = %id, version = %draft.version, "taking back a publication that did not finish");
    let withdrawn = node.is_withdrawn(&draft.dataset)?;
    let keep = node.latest_own_version(&draft.dataset)?.filter(|_| !withdrawn);
    debug_assert!(keep < Some(draft.version), "a published version is never rolled back");
    if keep < Some(draft.version) {
        node.archive.roll_back(&draft.dataset, keep).await.map_err(NodeError::Archive)?;
    }
    let open = Draft { state: DraftState::Open, ..draft };
    node.ledger.write(vec![node.drafts().put(id.as_str(), &open)?])?;
    Ok(())
}

impl Node {
    /// Whether an own dataset was taken back.
    fn is_withdrawn(&self, dataset: &DatasetId) -> Result<bool, NodeError> {
        match self.ledger.head(&self.config.id, dataset)? {
            None => Ok(false),
            Some(index) => Ok(matches!(self.entry(&self.config.id, index)?.event, Event::Withdraw(_))),
        }
    }

    /// The latest published version of an own dataset.
    pub(crate) fn latest_own_version(&self, dataset: &DatasetId) -> Result<Option<VersionNumber>, NodeError> {
        match self.ledger.head(&self.config.id, dataset)? {
            None => Ok(None),
            Some(index) => Ok(Some(self.entry(&self.config.id, index)?.version)),
        }
    }
}
