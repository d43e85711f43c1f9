use std::{collections::HashMap, error::Error};

use archive_store::{ArchiveError, Expect};
use bytes::Bytes;
use dataset_model::{DatasetId, Digest, FilePath, ManifestFile, Timestamp, VersionNumber};
use futures::Stream;
use ledger::Change;
use serde::Serialize;

use crate::{
    Actor, Node, NodeError, Scope,
    composition::CRATE_FILE,
    deposit_policy,
    documents::{ClientKey, Draft, DraftFile, DraftState, version_key},
    policy,
};

/// What a new draft starts from.
#[derive(Debug, Default)]
pub struct NewDraft {
    /// The RO-Crate as sent; may come later.
    pub crate_json: Option<String>,
    /// What the client calls this deposit: asking again with the same key gives the same draft.
    pub client_key: Option<String>,
    /// The dataset to make a new version of.
    pub new_version_of: Option<DatasetId>,
    /// Whether microscope files are made into images; they are when nothing is said.
    pub convert: Option<bool>,
}

/// A draft as its owner sees it.
#[derive(Debug, Clone, Serialize)]
pub struct DraftView {
    /// The draft's id; for a first version also the future dataset's.
    pub id: DatasetId,
    /// The dataset it is, or will be, a version of.
    pub dataset: DatasetId,
    /// The version it will be.
    pub version: VersionNumber,
    /// `draft`, `publishing` or `published`.
    pub state: &'static str,
    /// The page it will have.
    pub iri: String,
    /// Files present, those inherited from the version before included.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether a crate was sent.
    pub has_crate: bool,
    /// Whether microscope files are made into images.
    pub convert: bool,
    /// The folders of images that the node made of other files.
    pub converted: Vec<FilePath>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// The files of a draft in order of their paths.
#[derive(Debug, Clone, Serialize)]
pub struct FileListing {
    /// The files.
    pub files: Vec<ManifestFile>,
    /// Ask with `after=` this path for more.
    pub next: Option<FilePath>,
}

/// The most files one listing answer holds.
const LISTING_PAGE: usize = 50_000;

impl Node {
    /// Makes a draft, or finds the one made before under the same client key.
    ///
    /// # Errors
    /// When the actor may not deposit, or the crate cannot be read.
    pub fn create_draft(&self, actor: &Actor, new: NewDraft) -> Result<DraftView, NodeError> {
        policy::require(actor, Scope::Deposit)?;
        if let Some(known) = self.known_client_key(actor, new.client_key.as_deref())? {
            return self.draft_of_client_key(&known);
        }
        self.require_space()?;
        let id = self.mint_id()?;
        let (dataset, version, inherited) = match &new.new_version_of {
            None => (id.clone(), VersionNumber::FIRST, Vec::new()),
            Some(base) => self.base_of_new_version(actor, base)?,
        };
        let now = Timestamp::now();
        let draft = Draft {
            id: id.clone(),
            dataset: dataset.clone(),
            version,
            owner: actor.owner().to_owned(),
            client_key: new.client_key.clone(),
            created: now,
            updated: now,
            state: DraftState::Open,
            convert: new.convert.unwrap_or(true),
            confirmed: Vec::new(),
        };
        let mut changes = vec![self.drafts().put(id.as_str(), &draft)?];
        for (file, crc32) in &inherited {
            changes.push(self.put_inherited(&id, file, *crc32)?);
        }
        let made = self.conversions_of_base(&draft)?;
        if !made.is_empty() {
            changes.push(self.conversions().put(id.as_str(), &made)?);
        }
        if let Some(text) = new.crate_json.or(self.crate_of_base(&draft)?) {
            self.check_crate_text(&draft, &text)?;
            changes.push(self.sent_crates().put(id.as_str(), &text)?);
        }
        if let Some(key) = &new.client_key {
            let known = ClientKey { draft: id.clone(), dataset, version, published: false };
            changes.push(self.client_keys().put(&client_key(actor, key), &known)?);
        }
        self.ledger.write(changes)?;
        self.view_draft(&draft)
    }

    /// One draft.
    ///
    /// # Errors
    /// When there is none, or it is somebody else's.
    pub fn draft(&self, actor: &Actor, id: &DatasetId) -> Result<DraftView, NodeError> {
        self.view_draft(&self.own_draft(actor, id)?)
    }

    /// The actor's drafts.
    ///
    /// # Errors
    /// When the actor may not deposit.
    pub fn list_drafts(&self, actor: &Actor) -> Result<Vec<DraftView>, NodeError> {
        policy::require(actor, Scope::Deposit)?;
        let mut views = Vec::new();
        for row in self.drafts().iter_prefix("") {
            let draft = row?.1;
            if policy::require_owner(actor, &draft.owner).is_ok() {
                views.push(self.view_draft(&draft)?);
            }
        }
        Ok(views)
    }

    /// Replaces the crate of a draft.
    ///
    /// # Errors
    /// When the crate cannot be read; the draft then stays as it was.
    pub fn replace_crate(&self, actor: &Actor, id: &DatasetId, text: String) -> Result<DraftView, NodeError> {
        let draft = self.open_draft(actor, id)?;
        let lock = self.drafts_in_use.of(id);
        let Ok(_shared) = lock.try_read() else { return Err(self.busy(id)) };
        self.check_crate_text(&draft, &text)?;
        self.ledger.write(vec![self.sent_crates().put(id.as_str(), &text)?, self.touched(&draft)?])?;
        self.view_draft(&draft)
    }

    /// Says whether microscope files of a draft are made into images.
    ///
    /// # Errors
    /// When there is no such draft, or something is being done with it.
    pub fn choose_conversion(&self, actor: &Actor, id: &DatasetId, convert: bool) -> Result<DraftView, NodeError> {
        let draft = self.open_draft(actor, id)?;
        let lock = self.drafts_in_use.of(id);
        let Ok(_shared) = lock.try_read() else { return Err(self.busy(id)) };
        let draft = Draft { convert, updated: Timestamp::now(), ..draft };
        self.ledger.write(vec![self.drafts().put(id.as_str(), &draft)?])?;
        self.view_draft(&draft)
    }

    /// Notes that the depositor means what the crate says, although rules say otherwise; another crate is not meant by it.
    ///
    /// # Errors
    /// When there is no such draft, something is being done with it, or a rule cannot be confirmed.
    pub fn confirm(&self, actor: &Actor, id: &DatasetId, rules: Vec<String>) -> Result<(), NodeError> {
        deposit_policy::require_confirmable(&rules)?;
        let draft = self.open_draft(actor, id)?;
        let lock = self.drafts_in_use.of(id);
        let Ok(_shared) = lock.try_read() else { return Err(self.busy(id)) };
        let draft = Draft { confirmed: rules, updated: Timestamp::now(), ..draft };
        Ok(self.ledger.write(vec![self.drafts().put(id.as_str(), &draft)?])?)
    }

    /// Takes one file. Sending it again, or another in its place, is fine; on return it is on disk.
    ///
    /// # Errors
    /// When the bytes are not what `expected` says, or bytes or files too many; the draft then stays as it was.
    pub async fn put_draft_file<S, E>(
        &self,
        actor: &Actor,
        id: &DatasetId,
        path: FilePath,
        expected: Option<Digest>,
        body: S,
    ) -> Result<ManifestFile, NodeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let draft = self.open_draft(actor, id)?;
        let lock = self.drafts_in_use.of(id);
        let Ok(_shared) = lock.try_read() else { return Err(self.busy(id)) };
        self.require_space()?;
        self.make_room(id, &path)?;
        let expect = Expect { sha256: expected, size: None, max_bytes: self.config.limits.file_bytes };
        let blob = self.archive.put_draft_file(id, body, expect).await.map_err(refused_body)?;
        let file = ManifestFile { path, size: blob.size, sha256: blob.sha256 };
        let changes = if file.path.as_str() == CRATE_FILE {
            self.take_crate(&draft, &file).await?
        } else {
            vec![self.put_received(id, &file, blob.crc32)?]
        };
        self.ledger.write(changes)?;
        Ok(file)
    }

    /// Takes a file out of a draft.
    ///
    /// # Errors
    /// When it is not there.
    pub fn delete_draft_file(&self, actor: &Actor, id: &DatasetId, path: &FilePath) -> Result<(), NodeError> {
        self.open_draft(actor, id)?;
        let lock = self.drafts_in_use.of(id);
        let Ok(_shared) = lock.try_read() else { return Err(self.busy(id)) };
        let key = file_key(id, path);
        if self.draft_files().get(&key)?.is_none() {
            return Err(NodeError::NotFound(format!("deposit '{id}' has no file '{path}'")));
        }
        Ok(self.ledger.write(vec![self.draft_files().remove(&key)])?)
    }

    /// What has arrived.
    ///
    /// # Errors
    /// When there is no such draft.
    pub fn list_draft_files(
        &self,
        actor: &Actor,
        id: &DatasetId,
        after: Option<&FilePath>,
    ) -> Result<FileListing, NodeError> {
        self.own_draft(actor, id)?;
        let mut files = Vec::new();
        for file in self.files_of(id) {
            let file = file?.0;
            if after.is_some_and(|after| file.path <= *after) {
                continue;
            }
            if files.len() == LISTING_PAGE {
                let next = files.last().map(|file: &ManifestFile| file.path.clone());
                return Ok(FileListing { files, next });
            }
            files.push(file);
        }
        Ok(FileListing { files, next: None })
    }

    /// Throws a draft away.
    ///
    /// # Errors
    /// When there is none, or something is being done with it.
    pub async fn delete_draft(&self, actor: &Actor, id: &DatasetId) -> Result<(), NodeError> {
        let draft = self.open_draft(actor, id)?;
        let lock = self.drafts_in_use.of(id);
        let Ok(_alone) = lock.try_write() else { return Err(self.busy(id)) };
        let mut changes = self.forget_draft(&draft)?;
        if let Some(key) = &draft.client_key {
            changes.push(self.client_keys().remove(&format!("{}/{key}", draft.owner)));
        }
        self.ledger.write(changes)?;
        self.archive.delete_draft(id).await.map_err(NodeError::Archive)
    }

    /// A draft the actor may work on, open for changes.
    pub(crate) fn open_draft(&self, actor: &Actor, id: &DatasetId) -> Result<Draft, NodeError> {
        let draft = self.own_draft(actor, id)?;
        if draft.state == DraftState::Open { Ok(draft) } else { Err(self.busy(id)) }
    }

    /// A draft the actor may see.
    pub(crate) fn own_draft(&self, actor: &Actor, id: &DatasetId) -> Result<Draft, NodeError> {
        policy::require(actor, Scope::Deposit)?;
        let absent = || NodeError::NotFound(format!("there is no open deposit '{id}'; it may have been published"));
        let draft = self.drafts().get(id.as_str())?.ok_or_else(absent)?;
        // Somebody else's draft looks like none: ids of drafts are not public.
        policy::require_owner(actor, &draft.owner).map_err(|_| absent())?;
        Ok(draft)
    }

    /// The files of a draft, each with whether it is inherited.
    pub(crate) fn files_of(
        &self,
        id: &DatasetId,
    ) -> impl Iterator<Item = Result<(ManifestFile, bool), NodeError>> + use<> {
        let prefix = format!("{id}/");
        self.draft_files().iter_prefix(&prefix).map(move |row| {
            let (key, file) = row?;
            let path = key[prefix.len()..].parse().map_err(|error| NodeError::Internal(format!("{key}: {error}")))?;
            Ok((ManifestFile { path, size: file.size, sha256: file.sha256 }, file.inherited))
        })
    }

    /// What changes when the RO-Crate arrives as a file.
    pub(crate) async fn take_crate(&self, draft: &Draft, file: &ManifestFile) -> Result<Vec<Change>, NodeError> {
        let text = self.read_draft_text(&draft.id, file).await?;
        self.check_crate_text(draft, &text)?;
        Ok(vec![self.sent_crates().put(draft.id.as_str(), &text)?, self.touched(draft)?])
    }

    pub(crate) fn has_draft_file(&self, id: &DatasetId, path: &FilePath) -> Result<bool, NodeError> {
        Ok(self.draft_files().get(&file_key(id, path))?.is_some())
    }

    /// Writes many files down at once, `new` of which the draft does not have, unless it would have too many.
    pub(crate) fn put_many(&self, id: &DatasetId, new: u64, changes: Vec<Change>) -> Result<(), NodeError> {
        let limit = self.config.limits.deposit_files;
        // Counted again when the next file comes.
        self.draft_file_counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(id);
        let count = self.files_of(id).count() as u64 + new;
        if count > limit {
            return Err(NodeError::TooLarge(format!(
                "a deposit may have {limit} files, and '{id}' would have {count}"
            )));
        }
        Ok(self.ledger.write(changes)?)
    }

    /// The CRC-32 of the contents of a draft, where they are known.
    pub(crate) fn checksums_of_draft(&self, id: &DatasetId) -> Result<HashMap<Digest, u32>, NodeError> {
        let mut checksums = HashMap::new();
        for row in self.draft_files().iter_prefix(&format!("{id}/")) {
            let file = row?.1;
            if let Some(crc32) = file.crc32 {
                checksums.insert(file.sha256, crc32);
            }
        }
        Ok(checksums)
    }

    /// The changes that make a draft's documents disappear.
    pub(crate) fn forget_draft(&self, draft: &Draft) -> Result<Vec<Change>, NodeError> {
        self.count_files_again(&draft.id);
        let mut changes = self.draft_files().remove_prefix(&format!("{}/", draft.id))?;
        changes.push(self.drafts().remove(draft.id.as_str()));
        changes.push(self.sent_crates().remove(draft.id.as_str()));
        changes.push(self.conversions().remove(draft.id.as_str()));
        Ok(changes)
    }

    /// Forgets how many files a draft has; the next one that is sent counts them.
    pub(crate) fn count_files_again(&self, id: &DatasetId) {
        self.draft_file_counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(id);
    }

    /// The crate sent for a draft.
    pub(crate) fn crate_of_draft(&self, draft: &Draft) -> Result<Option<String>, NodeError> {
        Ok(self.sent_crates().get(draft.id.as_str())?)
    }

    /// Fails when the draft has as many files as it may, unless this one takes the place of another.
    fn make_room(&self, id: &DatasetId, path: &FilePath) -> Result<(), NodeError> {
        if self.has_draft_file(id, path)? {
            return Ok(());
        }
        let limit = self.config.limits.deposit_files;
        let mut counts = self.draft_file_counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = counts.entry(id.clone()).or_insert(u64::MAX);
        if *count >= limit {
            *count = self.files_of(id).count() as u64;
        }
        if *count >= limit {
            return Err(NodeError::TooLarge(format!("a deposit may have {limit} files, and '{id}' has {count}")));
        }
        *count += 1;
        Ok(())
    }

    /// The change that gives a draft a file whose bytes have arrived.
    pub(crate) fn put_received(&self, id: &DatasetId, file: &ManifestFile, crc32: u32) -> Result<Change, NodeError> {
        self.put_file(
            id,
            file,
            DraftFile { size: file.size, sha256: file.sha256, inherited: false, crc32: Some(crc32) },
        )
    }

    fn put_inherited(&self, id: &DatasetId, file: &ManifestFile, crc32: Option<u32>) -> Result<Change, NodeError> {
        self.put_file(id, file, DraftFile { size: file.size, sha256: file.sha256, inherited: true, crc32 })
    }

    fn put_file(&self, id: &DatasetId, file: &ManifestFile, document: DraftFile) -> Result<Change, NodeError> {
        Ok(self.draft_files().put(&file_key(id, &file.path), &document)?)
    }

    fn touched(&self, draft: &Draft) -> Result<Change, NodeError> {
        // What was confirmed was confirmed of another crate.
        let touched = Draft { updated: Timestamp::now(), confirmed: Vec::new(), ..draft.clone() };
        Ok(self.drafts().put(draft.id.as_str(), &touched)?)
    }

    fn check_crate_text(&self, draft: &Draft, text: &str) -> Result<(), NodeError> {
        if text.len() as u64 > self.config.limits.crate_bytes {
            let limit = self.config.limits.crate_bytes;
            return Err(NodeError::TooLarge(format!(
                "an RO-Crate may have {limit} bytes, this one has {}",
                text.len()
            )));
        }
        metadata_store::read_crate(text.as_bytes(), &self.config.page(&draft.dataset), &self.ontology)?;
        Ok(())
    }

    async fn read_draft_text(&self, id: &DatasetId, file: &ManifestFile) -> Result<String, NodeError> {
        if file.size > self.config.limits.crate_bytes {
            return Err(NodeError::TooLarge(format!("an RO-Crate may have {} bytes", self.config.limits.crate_bytes)));
        }
        let blob = self.archive.open_draft_file(id, file.sha256, file.size).await.map_err(NodeError::Archive)?;
        let bytes = blob.bytes(0..file.size).await.map_err(NodeError::Archive)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| NodeError::Invalid(format!("{CRATE_FILE} is not UTF-8 text")))
    }

    fn view_draft(&self, draft: &Draft) -> Result<DraftView, NodeError> {
        let (mut files, mut bytes) = (0, 0);
        for file in self.files_of(&draft.id) {
            files += 1;
            bytes += file?.0.size;
        }
        Ok(DraftView {
            id: draft.id.clone(),
            dataset: draft.dataset.clone(),
            version: draft.version,
            state: if draft.state == DraftState::Open { "draft" } else { "publishing" },
            iri: self.config.page(&draft.dataset),
            files,
            bytes,
            has_crate: self.crate_of_draft(draft)?.is_some(),
            convert: draft.convert,
            converted: self.converted(draft.id.as_str())?,
            created: Some(draft.created),
        })
    }

    fn converted(&self, key: &str) -> Result<Vec<FilePath>, NodeError> {
        let made = self.conversions().get(key)?.unwrap_or_default();
        Ok(made.into_iter().map(|conversion| conversion.image).collect())
    }

    fn known_client_key(&self, actor: &Actor, key: Option<&str>) -> Result<Option<ClientKey>, NodeError> {
        match key {
            Some(key) => Ok(self.client_keys().get(&client_key(actor, key))?),
            None => Ok(None),
        }
    }

    fn draft_of_client_key(&self, known: &ClientKey) -> Result<DraftView, NodeError> {
        if let Some(draft) = self.drafts().get(known.draft.as_str())? {
            return self.view_draft(&draft);
        }
        Ok(DraftView {
            id: known.draft.clone(),
            dataset: known.dataset.clone(),
            version: known.version,
            state: "published",
            iri: self.config.page(&known.dataset),
            files: 0,
            bytes: 0,
            has_crate: true,
            convert: true,
            converted: self.converted(&version_key(&known.dataset, known.version))?,
            created: None,
        })
    }
}

fn file_key(id: &DatasetId, path: &FilePath) -> String {
    format!("{id}/{path}")
}

fn client_key(actor: &Actor, key: &str) -> String {
    format!("{}/{key}", actor.owner())
}

/// A body that was not what it should be is the sender's matter; anything else is ours.
pub(crate) fn refused_body(error: ArchiveError) -> NodeError {
    match error {
        ArchiveError::WrongDigest { .. } | ArchiveError::WrongSize { .. } | ArchiveError::Body(_) => {
            NodeError::Invalid(format!("the file was not stored: {error}"))
        }
        ArchiveError::TooLarge { .. } => NodeError::TooLarge(format!("the file was not stored: {error}")),
        other => NodeError::Archive(other),
    }
}
