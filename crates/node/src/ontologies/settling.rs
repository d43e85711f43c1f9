//! Search and RDF follow an ontology: the records it touches are read again, and its graph is written.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dataset_model::{DatasetId, DatasetKey, NodeId};
use metadata_store::OntologyTable;
use tokio::{sync::watch, task::JoinHandle};

use super::{OntologyRecord, kept};
use crate::{Node, NodeError};

/// Terms up to which an ontology's graph is written before the node is open.
const SMALL: u64 = 20_000;
/// How long a node that stops waits for what is being written.
const GRACE: Duration = Duration::from_secs(10);
/// Records that are read again in one commit.
const BATCH: usize = 256;

impl Node {
    /// Ends what an interrupted run left, in the background.
    pub(crate) fn start_ontologies(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
        let (node, mut stopped) = (self.clone(), stopped.clone());
        tokio::spawn(async move {
            let Ok(alone) = node.ontologies.loading.clone().try_lock_owned() else { return };
            let worker = node.clone();
            let settle = move || {
                let _alone = alone;
                worker.settle_all()
            };
            let mut settled = tokio::task::spawn_blocking(settle);
            let ended = tokio::select! {
                ended = &mut settled => Some(ended),
                // A large graph may take minutes; the next start goes on with it.
                _ = stopped.changed() => tokio::time::timeout(GRACE, settled).await.ok(),
            };
            match ended {
                Some(Ok(Err(error))) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "search and RDF do not follow the ontologies; the next start tries again"
                ),
                Some(Err(error)) => tracing::error!(%error, "following the ontologies ended badly"),
                Some(Ok(Ok(()))) | None => {}
            }
        })
    }

    /// Writes the graphs of small ontologies, so that they are there from the beginning.
    pub(crate) fn write_small_graphs(&self) -> Result<(), NodeError> {
        let small = self.ontology.tables().into_iter().filter(|table| table.info().terms <= SMALL);
        small.into_iter().try_for_each(|table| self.write_graph(&table))
    }

    /// Lets search and RDF follow every ontology.
    pub(crate) fn settle_all(&self) -> Result<(), NodeError> {
        for table in self.ontology.tables() {
            self.settle_pending(&table.info().name)?;
            self.write_graph(&table)?;
        }
        Ok(())
    }

    /// Lets search and RDF follow an ontology, if they do not yet.
    pub(super) fn settle_pending(&self, name: &str) -> Result<(), NodeError> {
        let is_pending = self.ontology_records().get(name)?.is_some_and(|record| !record.settled);
        if is_pending { self.settle_ontology(name).map(|_| ()) } else { Ok(()) }
    }

    /// Reads the records again that an ontology touches, writes its graph, and notes that this is done. Doing it again does
    /// no harm. Gives how many records those were.
    pub(super) fn settle_ontology(&self, name: &str) -> Result<u64, NodeError> {
        let Some(record) = self.ontology_records().get(name)? else { return Ok(0) };
        let Some(table) = self.table(name) else { return Ok(0) };
        let count = self.read_touched_again(&record, &table)?;
        self.write_graph(&table)?;
        let settled = OntologyRecord { replaces: None, settled: true, ..record };
        self.ledger.write(vec![self.ontology_records().put(name, &settled)?])?;
        kept::clean(&kept::folder(&self.config.data_dir), &self.ontology_records())?;
        *self.ontologies.in_use.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        tracing::info!(
            ontology = name,
            terms = table.info().terms,
            records = count,
            "search and RDF follow an ontology"
        );
        Ok(count)
    }

    fn table(&self, name: &str) -> Option<Arc<OntologyTable>> {
        self.ontology.tables().into_iter().find(|table| table.info().name == name)
    }

    fn write_graph(&self, table: &OntologyTable) -> Result<(), NodeError> {
        let record = self.ontology_records().get(&table.info().name)?;
        let before = record.and_then(|record| self.edition_before(&record));
        if self.metadata.follow_ontology(table, before.as_ref()).map_err(NodeError::Metadata)? {
            return Ok(());
        }
        // Nobody knows what the records in the store were read with.
        self.queryable.start_afresh(|| self.metadata.start_afresh().map_err(NodeError::Metadata))?;
        self.wake_projectors();
        Ok(())
    }

    fn edition_before(&self, record: &OntologyRecord) -> Option<OntologyTable> {
        kept::before(&kept::folder(&self.config.data_dir), record).unwrap_or_else(|error| {
            tracing::warn!(%error, folder = record.replaces, "the edition of an ontology before this one cannot be opened");
            None
        })
    }

    /// Reads the records again that name a changed term, or descend from one. Those that arrive meanwhile are read with the
    /// new edition already. RDF has the ancestors of every record beside it, so it knows which those are.
    fn read_touched_again(&self, record: &OntologyRecord, table: &OntologyTable) -> Result<u64, NodeError> {
        self.queryable.catch_up(self)?;
        let before = self.edition_before(record);
        let touched = self.metadata.graphs_touched(before.as_ref(), table).map_err(NodeError::Metadata)?;
        let mut count = 0;
        for log in self.ledger.nodes()? {
            for datasets in self.datasets_of(&log, &touched)?.chunks(BATCH) {
                self.searchable.apply_again(self, &log, datasets)?;
                self.queryable.apply_again(self, &log, datasets)?;
                count += datasets.len() as u64;
            }
        }
        Ok(count)
    }

    /// The datasets of a log whose pages are among these.
    fn datasets_of(&self, log: &NodeId, pages: &BTreeSet<String>) -> Result<Vec<DatasetId>, NodeError> {
        let mut found = Vec::new();
        for head in self.ledger.heads(log) {
            let key = DatasetKey { node: log.clone(), id: head?.0 };
            if pages.contains(&self.page_of(&key)) {
                found.push(key.id);
            }
        }
        Ok(found)
    }
}
