//! Reading the crates of a listing once, and some of them ahead of their turn: it is most of what an import does.

use std::{sync::Arc, thread::available_parallelism};

use bytes::Bytes;
use dataset_model::{DatasetId, Digest};
use futures::{Stream, StreamExt};
use metadata_store::{CrateError, Glance, ReadCrate, glance, read_crate};

use crate::{ListingItem, Node, NodeError, SourceName, minting::slug};

/// The most crates read at a time.
const MOST_AHEAD: usize = 8;

/// Reads the crates of a source.
pub(super) struct Reader {
    node: Arc<Node>,
    source: SourceName,
    /// What relative ids start from as long as the dataset's id is not known.
    base: String,
}

impl Reader {
    pub(super) fn new(node: &Arc<Node>, source: &SourceName) -> Self {
        let base = format!("{}/sources/{source}/", node.config.public_url);
        Self { node: node.clone(), source: source.clone(), base }
    }

    /// Whether an id was a relative one.
    pub(super) fn is_relative(&self, iri: &str) -> bool {
        iri.starts_with(&self.base)
    }

    /// Reads a crate. What relative ids in it start from is the page that its dataset probably gets, so that nobody has to read it
    /// again; where its root dataset is not what it seemed to be, something else.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Arc<ReadCrate>, CrateError> {
        match self.read_as_guessed(bytes)? {
            Some(read) => Ok(read),
            None => read_crate(bytes, &self.base, &self.node.ontology).map(Arc::new),
        }
    }

    /// Reads a crate for the page that its dataset probably gets; nothing where that turns out not to be its page.
    fn read_as_guessed(&self, bytes: &[u8]) -> Result<Option<Arc<ReadCrate>>, CrateError> {
        let Some((Glance { id, .. }, dataset)) = self.guess(bytes) else { return Ok(None) };
        let page = self.node.config.page(&dataset);
        let read = self.node.recent_reads.read((Digest::of(bytes), bytes), &page, &self.node.ontology)?;
        let is_so = read.summary.iri == id && self.id_of(&read).is_ok_and(|id| id == dataset);
        Ok(is_so.then_some(read))
    }

    /// The same listing; crates that come next are read meanwhile.
    pub(super) fn ahead<S>(
        self: &Arc<Self>,
        listing: S,
    ) -> impl Stream<Item = Result<ListingItem, NodeError>> + Unpin + Send + use<S>
    where
        S: Stream<Item = Result<ListingItem, NodeError>> + Unpin + Send,
    {
        let at_once = available_parallelism().map_or(1, std::num::NonZero::get).clamp(2, MOST_AHEAD);
        let reader = self.clone();
        let read = move |item: Result<ListingItem, NodeError>| {
            let reader = reader.clone();
            async move {
                if let Ok(ListingItem::Crate { bytes, .. }) = &item {
                    reader.keep_at_hand(bytes.clone()).await;
                }
                item
            }
        };
        Box::pin(listing.map(read).buffered(at_once))
    }

    /// Reads a crate, so that it need only be fetched from what was read a moment ago.
    async fn keep_at_hand(self: Arc<Self>, bytes: Bytes) {
        if bytes.len() as u64 <= self.node.config.limits.crate_bytes {
            // What is wrong with it will be told when it is its turn.
            let _ = tokio::task::spawn_blocking(move || drop(self.read_as_guessed(&bytes))).await;
        }
    }

    fn guess(&self, bytes: &[u8]) -> Option<(Glance, DatasetId)> {
        let glance = glance(bytes)?;
        let dataset = self.plain_id(&glance.id, glance.identifier.as_deref()).ok()?;
        Some((glance, dataset))
    }

    /// The id that a study gets unless another has it: `{source}.{accession}`.
    pub(super) fn id_of(&self, read: &ReadCrate) -> Result<DatasetId, NodeError> {
        self.plain_id(&read.summary.iri, read.summary.identifiers.first().map(String::as_str))
    }

    fn plain_id(&self, iri: &str, accession: Option<&str>) -> Result<DatasetId, NodeError> {
        let last = iri.trim_end_matches('/').rsplit('/').next();
        let local = slug(accession.filter(|text| !text.contains('/')).or(last).unwrap_or(iri));
        let plain = format!("{}.{local}", self.source);
        plain.parse().map_err(|error| NodeError::Internal(format!("{plain}: {error}")))
    }
}
