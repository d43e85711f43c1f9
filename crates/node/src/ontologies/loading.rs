//! Taking in an ontology.

use std::{error::Error, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::Stream;
use metadata_store::{MetadataError, OntologyTable};
use tokio::sync::mpsc;

use super::{OntologyReport, kept};
use crate::{
    Actor, Node, NodeError, Scope, policy,
    unpacking::{BodyReader, WAITING, feed},
};

/// How long a load waits for another one.
const PATIENCE: Duration = Duration::from_secs(30);

impl Node {
    /// Takes in an ontology while it streams in, in place of the edition before, and reads the records again that it
    /// touches. `name` is what it shall be called, where not after itself. It goes on to its end when the caller gives up
    /// after the last byte.
    ///
    /// # Errors
    /// Unless the actor is a curator; when another ontology is being loaded; when it cannot be read, or breaks off: nothing
    /// has changed then.
    pub async fn load_ontology<S, E>(
        self: &Arc<Self>,
        actor: &Actor,
        name: Option<String>,
        body: S,
    ) -> Result<OntologyReport, NodeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        policy::require(actor, Scope::Curate)?;
        self.require_space()?;
        let node = self.clone();
        let task = tokio::spawn(async move {
            let turn = tokio::time::timeout(PATIENCE, node.ontologies.loading.lock()).await;
            let Ok(_alone) = turn else {
                return Err(NodeError::Conflict(
                    "another ontology is being loaded, or records still follow one".into(),
                ));
            };
            let (to_reader, pieces) = mpsc::channel(WAITING);
            let worker = node.clone();
            let loading = tokio::task::spawn_blocking(move || {
                let body = BodyReader { pieces, current: Bytes::new() };
                worker.take_ontology(name.as_deref(), body)
            });
            let (_, loaded) = tokio::join!(feed(body, to_reader), loading);
            loaded.map_err(|error| NodeError::Internal(format!("loading an ontology: {error}")))?
        });
        task.await.map_err(|error| NodeError::Internal(format!("loading an ontology: {error}")))?
    }

    fn take_ontology(&self, name: Option<&str>, body: impl io::Read) -> Result<OntologyReport, NodeError> {
        let folder = kept::folder(&self.config.data_dir);
        let growing = kept::begin(&folder)?;
        let report =
            OntologyTable::read(body, name, Some(&growing)).map_err(refused).and_then(|table| self.settle_in(table));
        kept::give_up(&folder);
        report
    }

    /// Compares, commits, and lets search and RDF follow.
    fn settle_in(&self, table: OntologyTable) -> Result<OntologyReport, NodeError> {
        let info = table.info().clone();
        let before = self.ontology.tables().into_iter().find(|known| known.info().name == info.name);
        let counts = table.compare(before.as_deref()).map_err(NodeError::Metadata)?;
        let mut report = OntologyReport {
            name: info.name.clone(),
            version: info.version,
            format: info.format,
            digest: info.digest,
            terms: info.terms,
            added: counts.added,
            changed: counts.changed,
            removed: counts.removed,
            records_reexpanded: 0,
        };
        if before.as_ref().is_some_and(|before| before.info().digest == info.digest) {
            return Ok(report);
        }
        self.settle_pending(&info.name)?;
        kept::commit(&kept::folder(&self.config.data_dir), &self.ledger, &table, false, before.is_some())?;
        self.ontology.replace(Arc::new(table));
        report.records_reexpanded = self.settle_ontology(&info.name)?;
        Ok(report)
    }
}

/// What cannot be read is the sender's business, a full disk is ours.
fn refused(error: MetadataError) -> NodeError {
    let full = |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    match &error {
        MetadataError::OntologyFile(source) if source.downcast_ref::<io::Error>().is_some_and(full) => {
            NodeError::Unavailable("there is no room for the ontology on the node's disk".into())
        }
        MetadataError::Ontology { .. } | MetadataError::OntologyContent(_) | MetadataError::OntologyFile(_) => {
            NodeError::Invalid(error.to_string())
        }
        _ => NodeError::Metadata(error),
    }
}
