use std::sync::Arc;

use dataset_model::{DatasetId, Entry, Event, Withdrawn};
use ledger::{Append, Change};

use crate::{Actor, Node, NodeError, Tombstone, VersionChoice, error::reason_from, policy};

impl Node {
    /// Takes a dataset back: it disappears from search, RDF and bytes, here at once and at every peer with its next
    /// harvest; a tombstone stays. On return its files are erased here, unless the disk refuses: then that is tried again.
    ///
    /// # Errors
    /// Unless the actor deposited it or is a curator; when it is not ours or already withdrawn.
    pub async fn withdraw(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        reason: Option<&str>,
    ) -> Result<Tombstone, NodeError> {
        let reason = reason_from(reason)?;
        let owner = self.owners().get(id.as_str())?.map(|owner| owner.owner).unwrap_or_default();
        policy::require_owner(actor, &owner)?;
        let lock = self.datasets_in_use.of(id);
        let _alone = lock.write().await;
        let own = self.config.id.clone();
        let found = self.find(actor, id, Some(&own))?;
        let (index, latest) = found.entry(VersionChoice::Latest)?;
        let entry = Entry {
            dataset: id.clone(),
            version: latest.version,
            previous: Some(*index),
            time: self.time_of_new_entry()?,
            event: Event::Withdraw(Withdrawn { reason }),
        };
        let bytes = entry.to_bytes().map_err(|error| NodeError::Internal(error.to_string()))?;
        // The proof stays; the content can be fetched by nobody any more, not even by its digest.
        let dropped_crates = self.held_crates(&own, id)?.into_iter().collect();
        let changes = self.documents_of_versions(id)?;
        let indexes =
            self.ledger.append(&own, Append { entries: vec![bytes], dropped_crates, changes, ..Append::default() })?;
        // First of all, so that the files are erased also when whoever asked hangs up now.
        self.wake_projectors();
        if let Err(error) = self.erase_own(id).await {
            tracing::warn!(dataset = %id, error = crate::harvest::sentence(&error), "the files of a withdrawn dataset are not all erased yet; trying again");
        }
        self.wait_until_applied(indexes.start).await;
        Ok(Tombstone {
            id: id.clone(),
            page: self.page_of(&found.key),
            node: own,
            reason,
            time: entry.time,
            version: latest.version,
        })
    }

    /// The changes that remove what is kept beside a dataset's versions.
    fn documents_of_versions(&self, id: &DatasetId) -> Result<Vec<Change>, NodeError> {
        let prefix = format!("{id}/");
        let mut changes = self.sent_crates().remove_prefix(&prefix)?;
        changes.extend(self.image_records().remove_prefix(&prefix)?);
        changes.extend(self.plate_records().remove_prefix(&prefix)?);
        changes.extend(self.checksums().remove_prefix(&prefix)?);
        changes.extend(self.conversions().remove_prefix(&prefix)?);
        changes.extend(self.origins_of_versions(id)?);
        Ok(changes)
    }

    /// The changes that remove where a dataset's versions were imported from, and their originals.
    pub(crate) fn origins_of_versions(&self, id: &DatasetId) -> Result<Vec<Change>, NodeError> {
        let prefix = format!("{id}/");
        let mut changes = self.imported_from().remove_prefix(&prefix)?;
        changes.extend(self.original_crates().remove_prefix(&prefix)?);
        Ok(changes)
    }
}
