use std::{str::FromStr, sync::Arc};

use bytes::Bytes;
use dataset_model::{
    Access, DatasetId, DatasetKey, Declared, Digest, Entry, Event, Finding, IdError, ManifestFile, NodeId, Repair,
    VersionNumber, Withdrawn,
};
use serde_json::Value;

use crate::{
    Actor, ImageView, Node, NodeError, NodeView, RecordKind, RecordView, Tombstone, VersionView,
    composition::{CRATE_FILE, OME_ZARR_FORMAT},
    documents::{Draft, version_key},
    image_facts::{ImageEntities, ImageFacts},
    policy,
};

/// Which version is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionChoice {
    /// The newest.
    #[default]
    Latest,
    /// This one.
    Number(VersionNumber),
}

impl FromStr for VersionChoice {
    type Err = IdError;

    /// Reads `latest`, `v2` or `2`.
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "latest" { Ok(Self::Latest) } else { text.parse().map(Self::Number) }
    }
}

/// A live dataset with its entries, newest first.
pub(crate) struct Found {
    pub key: DatasetKey,
    pub history: Vec<(u64, Entry)>,
}

impl Found {
    /// The entry of the chosen version.
    pub(crate) fn entry(&self, choice: VersionChoice) -> Result<&(u64, Entry), NodeError> {
        let found = match choice {
            VersionChoice::Latest => self.history.first(),
            VersionChoice::Number(number) => self.history.iter().find(|(_, entry)| entry.version == number),
        };
        let VersionChoice::Number(number) = choice else {
            return found.ok_or_else(|| NodeError::Internal(format!("{} has no entry", self.key)));
        };
        found.ok_or_else(|| NodeError::NotFound(format!("dataset '{}' has no version {number}", self.key.id)))
    }
}

impl Node {
    /// A dataset's record, whichever node announced it; own datasets come first where two nodes use one id.
    ///
    /// # Errors
    /// When there is none the actor may see, or it was withdrawn.
    pub async fn record(
        &self,
        actor: &Actor,
        id: &DatasetId,
        node: Option<&NodeId>,
        choice: VersionChoice,
    ) -> Result<RecordView, NodeError> {
        let found = self.find(actor, id, node)?;
        let (index, entry) = found.entry(choice)?;
        let crate_bytes = self.crate_of_entry(entry)?;
        let page = self.page_of(&found.key);
        let mut summary = match &crate_bytes {
            Some(bytes) => self.summary_of(entry, bytes, &page),
            None => dataset_model::Summary { title: id.to_string(), ..Default::default() },
        };
        let own = found.key.node == self.config.id;
        let kind = kind_of(entry);
        let measured = self.measure(&found.key, entry).await?;
        if let Some((files, bytes)) = measured {
            summary.declared = Declared { bytes: Some(bytes), files: Some(files) };
        }
        Ok(RecordView {
            provenance: self.provenance_of(&found.key, (*index, entry), &summary)?,
            id: id.clone(),
            node: NodeView { id: found.key.node.clone(), url: self.url_of(&found.key.node) },
            own,
            iri: if kind == RecordKind::Catalogue { summary.iri.clone() } else { page.clone() },
            kind,
            version: entry.version,
            access: Access::Open,
            versions: found.history.iter().filter_map(version_view).collect(),
            images: self.images(&found.key, entry, crate_bytes.as_deref())?,
            summary,
            files: measured.map(|(files, _)| files),
            bytes: measured.map(|(_, bytes)| bytes),
            copy: self.copy_view(&found.key, entry.version)?,
            mirrors: self.mirrors_of(&found.key, entry.version),
            page,
        })
    }

    /// A version's RO-Crate as the log's digest covers it. What another node announced with contact details in it is given
    /// without them; the digest does not cover that.
    ///
    /// # Errors
    /// As [`Node::record`]; and when the crate has not arrived from the peer yet, or nobody can read it.
    pub fn crate_bytes(
        &self,
        actor: &Actor,
        id: &DatasetId,
        node: Option<&NodeId>,
        choice: VersionChoice,
    ) -> Result<Bytes, NodeError> {
        let found = self.find(actor, id, node)?;
        let (_, entry) = found.entry(choice)?;
        let missing =
            || NodeError::Unavailable(format!("the crate of '{id}' has not arrived from '{}' yet", found.key.node));
        let bytes = self.crate_of_entry(entry)?.ok_or_else(missing)?;
        let unreadable = |error| NodeError::NotFound(format!("the crate of '{id}' cannot be read, nor shown: {error}"));
        let public = metadata_store::public_crate(&bytes).map_err(unreadable)?;
        Ok(public.changed.map_or(bytes, Bytes::from))
    }

    /// A version's complete list of files.
    ///
    /// # Errors
    /// As [`Node::record`]; and when this node holds neither the dataset's bytes nor a copy of them.
    pub async fn manifest(
        &self,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
    ) -> Result<Vec<ManifestFile>, NodeError> {
        Ok(self.holding(actor, id, choice)?.manifest().await?.files().to_vec())
    }

    /// The chosen version of an own deposit.
    pub(crate) fn own_version(
        &self,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
    ) -> Result<(DatasetKey, VersionNumber), NodeError> {
        let found = self.find(actor, id, None)?;
        let (_, entry) = found.entry(choice)?;
        if found.key.node == self.config.id && kind_of(entry) == RecordKind::Deposit {
            return Ok((found.key.clone(), entry.version));
        }
        Err(NodeError::NotFound(format!("the files of '{id}' are not here: see {}", self.page_of(&found.key))))
    }

    /// A live dataset the actor may read.
    pub(crate) fn find(&self, actor: &Actor, id: &DatasetId, node: Option<&NodeId>) -> Result<Arc<Found>, NodeError> {
        let absent = || NodeError::NotFound(format!("there is no dataset '{id}' here"));
        // Before anything is read, so that what changes meanwhile is noticed.
        let generation = self.ledger.generation();
        if let Some(known) = self.known_datasets.get(id, generation).filter(|_| node.is_none()) {
            policy::require_read(actor, Access::Open, absent)?;
            return Ok(known);
        }
        let holders = self.ledger.nodes_holding(id)?;
        let own = holders.iter().find(|holder| **holder == self.config.id);
        let holder = match node {
            Some(node) => holders.iter().find(|holder| *holder == node),
            None => own.or(holders.first()),
        };
        let key = DatasetKey { node: holder.ok_or_else(absent)?.clone(), id: id.clone() };
        let history = self.history(&key)?;
        let (_, newest) = history.first().ok_or_else(absent)?;
        policy::require_read(actor, Access::Open, absent)?;
        if let Event::Withdraw(withdrawn) = &newest.event {
            return Err(NodeError::Gone(Box::new(self.tombstone(&key, newest, withdrawn))));
        }
        let found = Arc::new(Found { key, history });
        if node.is_none() {
            self.known_datasets.keep(id, generation, found.clone());
        }
        Ok(found)
    }

    /// A dataset's entries, newest first, back to its latest withdrawal.
    pub(crate) fn history(&self, key: &DatasetKey) -> Result<Vec<(u64, Entry)>, NodeError> {
        let mut history = Vec::new();
        let mut next = self.ledger.head(&key.node, &key.id)?;
        while let Some(index) = next {
            let entry = self.entry(&key.node, index)?;
            let withdrawn = matches!(entry.event, Event::Withdraw(_));
            if withdrawn && !history.is_empty() {
                break;
            }
            // A peer's pointer is only followed backwards, so that a forged one cannot make a loop.
            next = entry.previous.filter(|previous| *previous < index && !withdrawn);
            history.push((index, entry));
        }
        Ok(history)
    }

    /// One entry of a log.
    pub(crate) fn entry(&self, node: &NodeId, index: u64) -> Result<Entry, NodeError> {
        let bytes = self.ledger.entry(node, index)?;
        let bytes = bytes.ok_or_else(|| NodeError::NotFound(format!("the log of '{node}' has no entry {index}")))?;
        Entry::from_bytes(&bytes).map_err(|error| NodeError::Internal(format!("entry {index} of '{node}': {error}")))
    }

    /// What the crate of an entry says; one that cannot be read any more is shown as such, never dropped.
    pub(crate) fn summary_of(&self, entry: &Entry, bytes: &[u8], page: &str) -> dataset_model::Summary {
        let digest = entry.crate_digest().unwrap_or_else(|| Digest::of(bytes));
        match self.recent_reads.read((digest, bytes), page, &self.ontology) {
            Ok(read) => read.summary.clone(),
            Err(error) => unreadable_summary(page, &error.to_string()),
        }
    }

    pub(crate) fn crate_of_entry(&self, entry: &Entry) -> Result<Option<Bytes>, NodeError> {
        match entry.crate_digest() {
            Some(digest) => Ok(self.ledger.crate_bytes(&digest)?),
            None => Ok(None),
        }
    }

    /// The dataset's page at the node that announced it; its graph in the RDF store has the same name.
    pub(crate) fn page_of(&self, key: &DatasetKey) -> String {
        match self.url_of(&key.node) {
            Some(url) => format!("{url}/datasets/{}", key.id),
            None => format!("urn:heliograph:{}:{}", key.node, key.id),
        }
    }

    /// What a new version of an own dataset starts from: its next number and the files it has, with their CRC-32 where known.
    pub(crate) fn base_of_new_version(
        &self,
        actor: &Actor,
        base: &DatasetId,
    ) -> Result<(DatasetId, VersionNumber, Vec<(ManifestFile, Option<u32>)>), NodeError> {
        let (key, version) = self.own_version(actor, base, VersionChoice::Latest)?;
        let owner = self.owners().get(base.as_str())?.map(|owner| owner.owner).unwrap_or_default();
        policy::require_owner(actor, &owner)?;
        let archive = self.archive.clone();
        let id = key.id.clone();
        let runtime = tokio::runtime::Handle::current();
        let manifest = tokio::task::block_in_place(|| runtime.block_on(archive.manifest(&id, version)));
        let manifest = manifest.map_err(NodeError::Archive)?;
        let checksums = self.checksums_of_version(&key.id, version, &manifest)?;
        let files = manifest.files().iter().cloned().zip(checksums);
        let files = files.filter(|(file, _)| file.path.as_str() != CRATE_FILE).collect();
        Ok((key.id, version.next(), files))
    }

    /// The crate the version before was deposited with.
    pub(crate) fn crate_of_base(&self, draft: &Draft) -> Result<Option<String>, NodeError> {
        match VersionNumber::try_from(draft.version.get().saturating_sub(1)) {
            Ok(before) => Ok(self.sent_crates().get(&version_key(&draft.dataset, before))?),
            Err(_) => Ok(None),
        }
    }

    fn tombstone(&self, key: &DatasetKey, entry: &Entry, withdrawn: &Withdrawn) -> Tombstone {
        Tombstone {
            id: key.id.clone(),
            node: key.node.clone(),
            page: self.page_of(key),
            reason: withdrawn.reason,
            time: entry.time,
            version: entry.version,
        }
    }

    async fn measure(&self, key: &DatasetKey, entry: &Entry) -> Result<Option<(u64, u64)>, NodeError> {
        if key.node != self.config.id || kind_of(entry) == RecordKind::Catalogue {
            return Ok(None);
        }
        let manifest = self.archive.manifest(&key.id, entry.version).await.map_err(NodeError::Archive)?;
        Ok(Some((manifest.files().len() as u64, manifest.total_bytes())))
    }

    /// The images a crate names, with the measured record beside each where it is ours.
    fn images(&self, key: &DatasetKey, entry: &Entry, crate_bytes: Option<&[u8]>) -> Result<Vec<ImageView>, NodeError> {
        let Some(base) = self.url_of(&key.node) else { return Ok(Vec::new()) };
        self.images_at(&base, key, entry, crate_bytes)
    }

    /// The same, with addresses that start with `base`. Of a record whose bytes are elsewhere there are none: its paths lead nowhere here.
    pub(crate) fn images_at(
        &self,
        base: &str,
        key: &DatasetKey,
        entry: &Entry,
        crate_bytes: Option<&[u8]>,
    ) -> Result<Vec<ImageView>, NodeError> {
        if kind_of(entry) == RecordKind::Catalogue {
            return Ok(Vec::new());
        }
        let data = format!("{base}/data/{}/{}", key.id, entry.version);
        let mut views = crate_bytes.map(|bytes| images_of_crate(bytes, &data)).unwrap_or_default();
        if key.node == self.config.id {
            let records = self.image_records().get(&version_key(&key.id, entry.version))?.unwrap_or_default();
            for view in &mut views {
                view.record = records.iter().find(|record| record.path == view.path).cloned();
                // Crates of older programs tell no facts.
                view.facts = view.facts.take().or_else(|| view.record.as_ref().map(ImageFacts::of));
            }
        }
        Ok(views)
    }
}

/// Deposit or catalogue record, by what the newest entry says.
pub(crate) fn kind_of(entry: &Entry) -> RecordKind {
    match entry.event {
        Event::Catalogue(_) => RecordKind::Catalogue,
        Event::Publish(_) | Event::Revise(_) | Event::Withdraw(_) => RecordKind::Deposit,
    }
}

/// The summary of a crate that cannot be read: its page as title, and the reason.
pub(crate) fn unreadable_summary(page: &str, reason: &str) -> dataset_model::Summary {
    let hint = "Ask the publisher to put the crate right.";
    dataset_model::Summary {
        iri: page.to_owned(),
        title: page.rsplit('/').next().unwrap_or(page).to_owned(),
        incomplete: true,
        findings: vec![dataset_model::Finding::error("crate.unreadable", CRATE_FILE, reason, hint)],
        ..Default::default()
    }
}

/// The OME-Zarr images that a crate lists; `data` is the address its relative paths start from.
pub(crate) fn images_of_crate(bytes: &[u8], data: &str) -> Vec<ImageView> {
    let mut document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    metadata_store::withhold_contacts(&mut document);
    let graph = document.get("@graph").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let entities = ImageEntities::of(graph);
    graph.iter().filter_map(|entity| image_of_entity(entity, &entities, data)).collect()
}

fn image_of_entity(entity: &Value, entities: &ImageEntities<'_>, data: &str) -> Option<ImageView> {
    let text = |key: &str| entity.get(key).and_then(Value::as_str);
    if text("encodingFormat") != Some(OME_ZARR_FORMAT) {
        return None;
    }
    let path = text("@id")?.trim_end_matches('/').to_owned();
    // Only what lies in the dataset: an absolute id is somebody else's image.
    path.parse::<dataset_model::FilePath>().ok()?;
    let web = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
    Some(ImageView {
        url: format!("{data}/{path}"),
        name: text("name").unwrap_or(&path).to_owned(),
        description: text("description").unwrap_or_default().to_owned(),
        thumbnail: text("thumbnailUrl").filter(web).map(str::to_owned),
        facts: entities.facts(entity),
        record: None,
        path,
    })
}

fn version_view((index, entry): &(u64, Entry)) -> Option<VersionView> {
    let (inventory, content_root) = match &entry.event {
        Event::Publish(published) | Event::Revise(published) => {
            (Some(published.inventory), Some(published.content_root))
        }
        Event::Catalogue(_) | Event::Withdraw(_) => (None, None),
    };
    let crate_digest: Digest = entry.crate_digest()?;
    Some(VersionView { version: entry.version, time: entry.time, index: *index, crate_digest, inventory, content_root })
}

/// What is wrong with a crate, and what of it is read otherwise than written, without keeping it.
pub fn check_crate(bytes: &[u8]) -> (Vec<Finding>, Vec<Repair>) {
    let ontology = metadata_store::Ontology::bundled();
    // A page that nobody has (RFC 2606 §2): a crate that was not published has no address yet.
    match metadata_store::read_crate(bytes, "https://unpublished.invalid/datasets/1", &ontology) {
        Ok(read) => (read.summary.findings, read.summary.repairs),
        Err(error) => (NodeError::from(error).findings().to_vec(), Vec::new()),
    }
}
