use std::sync::Arc;

use archive_store::{Commit, Committed};
use bytes::Bytes;
use dataset_model::{
    DatasetId, Digest, Entry, Event, Finding, Findings, Manifest, ManifestFile, Published, Repair, Summary, Timestamp,
    VersionNumber,
};
use futures::StreamExt;
use ledger::{Append, Change};
use ome_zarr::{DoorRepair, ImageRecord, Progress};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, ConversionRequest, JobKind, JobState, Node, NodeError, VersionChoice,
    composition::{self, CRATE_FILE},
    conversion::{self, ConversionPlan},
    deposit_policy,
    documents::{ClientKey, Draft, DraftState, Owner, version_key},
    draft_source::DraftSource,
    image_measures::MeasuredImages,
    jobs::{Job, LiveJob},
    measured_size::{self, MeasuredSize},
    provenance, recovery,
};

/// What a depositor is told about a draft.
#[derive(Debug, Clone, Serialize)]
pub struct ValidationReport {
    /// Whether it could be published as it is.
    pub valid: bool,
    /// What is wrong or worth knowing.
    pub findings: Vec<Finding>,
    /// The images found.
    pub images: Vec<ImageRecord>,
    /// What is repaired when it is published; the findings are those that stay.
    pub repairs: Vec<DoorRepair>,
    /// How the RO-Crate is read otherwise than it is written.
    pub crate_repairs: Vec<Repair>,
}

/// Names of files that are reported one by one.
const MOST_NAMES: usize = 100;

/// What a depositor is told when a version is durable.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublicationReceipt {
    /// The dataset's id.
    pub id: DatasetId,
    /// Its page, and its name in RDF.
    pub iri: String,
    /// The version just published.
    pub version: VersionNumber,
    /// `published`.
    pub state: String,
    /// The entry's index in the node's log.
    pub index: u64,
    /// Where the bytes are.
    pub data: String,
    /// What is worth knowing about it.
    pub findings: Vec<Finding>,
    /// What was repaired; the files as they were deposited are below `original-metadata/`.
    pub repairs: Vec<DoorRepair>,
}

/// How far a call to publish came.
pub(crate) enum Publishing {
    /// To the end.
    Published(Box<PublicationReceipt>),
    /// Files are to be converted first, which only a job does.
    MustConvert,
}

/// What is known of a draft once it was looked at.
struct Checked {
    report: ValidationReport,
    /// What is to be converted.
    plan: ConversionPlan,
}

/// Everything a publication consists of before anything is written.
struct Prepared {
    draft: Draft,
    crate_bytes: Bytes,
    files: Vec<ManifestFile>,
    graph: Option<Digest>,
    report: ValidationReport,
    images: MeasuredImages,
    /// The job it is part of.
    job: Option<Job>,
}

impl Node {
    /// Checks a draft: its crate against the profile, its images against OME-Zarr.
    ///
    /// # Errors
    /// When there is no such draft. What is wrong with the draft itself is in the report.
    pub async fn validate_draft(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
    ) -> Result<ValidationReport, NodeError> {
        let draft = self.open_draft(actor, id)?;
        Ok(self.check_draft(&draft).await?.report)
    }

    /// Publishes a draft as an immutable version, after converting its microscope files. On return the version survives a
    /// crash of the machine, and this node's search shows it.
    ///
    /// # Errors
    /// With the findings when the draft breaks a MUST; the draft then stays as it was.
    pub async fn publish(self: &Arc<Self>, actor: &Actor, id: &DatasetId) -> Result<PublicationReceipt, NodeError> {
        let (node, asking, deposit) = (self.clone(), actor.clone(), id.clone());
        // In a task of its own: a client that hangs up must not stop a publication half way.
        let task = tokio::spawn(async move { node.publish_to_the_end(&asking, &deposit, None).await });
        let published = task.await.map_err(|error| NodeError::Internal(format!("publishing: {error}")))??;
        let receipt = match published {
            Publishing::Published(receipt) => *receipt,
            Publishing::MustConvert => self.publish_as_job(actor, id).await?,
        };
        self.wait_until_applied(receipt.index).await;
        Ok(receipt)
    }

    /// Waits for the job that publishes a draft.
    async fn publish_as_job(self: &Arc<Self>, actor: &Actor, id: &DatasetId) -> Result<PublicationReceipt, NodeError> {
        let job = self.start_job(actor, id, JobKind::Publish, ConversionRequest::default())?;
        let changes = self.watch_job(actor, &job.id)?;
        let last = changes.fold(job, |_, view| async move { view }).await;
        match (last.state, last.result, last.problem) {
            (JobState::Done, Some(receipt), _) => serde_json::from_value(receipt)
                .map_err(|error| NodeError::Internal(format!("the receipt of job '{}': {error}", last.id))),
            (_, _, Some(problem)) => Err(problem.into()),
            (JobState::Cancelled, ..) => Err(NodeError::Conflict(format!("job '{}' was cancelled", last.id))),
            _ => Err(NodeError::Unavailable(format!("the node stops; job '{}' goes on when it starts again", last.id))),
        }
    }

    /// Publishes within a job, or without one where nothing is to be converted.
    pub(crate) async fn publish_to_the_end(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        job: Option<(&Job, &Arc<LiveJob>)>,
    ) -> Result<Publishing, NodeError> {
        let lock = self.drafts_in_use.of(id);
        let _alone = match job {
            Some((_, live)) => conversion::alone(lock, live).await?,
            None => lock.try_write_owned().map_err(|_| self.occupied_by_files(id))?,
        };
        recovery::heal_draft(self, id).await?;
        let draft = self.open_draft(actor, id)?;
        self.require_space()?;
        self.require_next_version(actor, &draft)?;
        if let Some((_, live)) = job {
            live.begin("validating", 0);
        }
        let mut checked = self.require_valid(&draft).await?;
        if !checked.plan.pending.is_empty() {
            let Some((job, live)) = job else { return Ok(Publishing::MustConvert) };
            self.convert_all(&draft, checked.plan.pending, &job.id, live).await?;
            live.begin("validating", 0);
            checked = self.require_valid(&draft).await?;
        }
        if let Some((_, live)) = job {
            if live.is_cancelled() {
                return Err(ome_zarr::OmeZarrError::Cancelled.into());
            }
            live.begin("publishing", 0);
        }
        let dataset_lock = self.datasets_in_use.of(&draft.dataset);
        let _dataset_alone = dataset_lock.write().await;
        self.require_next_version(actor, &draft)?;
        let prepared = self.prepare(draft, checked.report, job.map(|(job, _)| job.clone())).await?;
        let committed = self.commit_to_archive(&prepared).await;
        let index = match committed.and_then(|committed| self.commit_to_ledger(&prepared, &committed)) {
            Ok(index) => index,
            Err(error) => {
                recovery::heal_draft(self, id).await?;
                return Err(error);
            }
        };
        if let Err(error) = self.archive.delete_draft(id).await {
            // The next start collects them; the publication stands.
            tracing::warn!(deposit = %id, %error, "the blobs of a published draft could not be removed");
        }
        self.wake_projectors();
        Ok(Publishing::Published(Box::new(self.receipt(prepared, index))))
    }

    /// Why a draft cannot be had alone at once.
    fn occupied_by_files(&self, id: &DatasetId) -> NodeError {
        match self.board.of_deposit(id) {
            Some(_) => self.busy(id),
            None => NodeError::Conflict(format!("files are still arriving for deposit '{id}': publish when they have")),
        }
    }

    /// Findings about crate and images, and what is to be converted before a publication.
    async fn check_draft(self: &Arc<Self>, draft: &Draft) -> Result<Checked, NodeError> {
        let (mut findings, mut crate_repairs) = (Vec::new(), Vec::new());
        match self.crate_of_draft(draft)? {
            None => findings.push(missing_crate()),
            Some(text) => {
                let read =
                    metadata_store::read_crate(text.as_bytes(), &self.config.page(&draft.dataset), &self.ontology)?;
                findings.extend(deposit_policy::judge(&read.summary, &draft.confirmed));
                findings.extend(self.compare_sizes(draft, &read.summary)?);
                crate_repairs = read.summary.repairs;
            }
        }
        let source = Arc::new(DraftSource::of_draft(self, draft)?);
        let plan = if draft.convert {
            self.plan_conversions(draft, source.clone(), &ConversionRequest::default()).await?
        } else {
            ConversionPlan::default()
        };
        let node = self.clone();
        let judged = tokio::task::spawn_blocking(move || node.judgements.judge(source.digest(), source.as_ref()))
            .await
            .map_err(|error| NodeError::Internal(format!("validating: {error}")))??;
        // Where microscope files are the images to be, what there is or what is wrong with it is said more closely.
        let said_below = !plan.pending.is_empty() || !plan.refused.is_empty();
        let spoken = |finding: &&Finding| !(said_below && finding.rule == "ome-zarr.none");
        findings.extend(judged.report.findings.iter().filter(spoken).cloned());
        let (images, repairs) = (judged.report.images.clone(), judged.repairs.clone());
        findings.extend(plan.notes());
        findings.extend(plan.refusals(!images.is_empty() || !plan.pending.is_empty()));
        let valid = !findings.has_errors();
        Ok(Checked { report: ValidationReport { valid, findings, images, repairs, crate_repairs }, plan })
    }

    /// What is to be said about the files themselves: their names, and what the crate declares about their number and size.
    fn compare_sizes(&self, draft: &Draft, summary: &Summary) -> Result<Vec<Finding>, NodeError> {
        let mut measured = MeasuredSize { files: 0, bytes: 0 };
        let mut findings = Vec::new();
        for file in self.files_of(&draft.id) {
            let file = file?.0;
            measured.files += 1;
            measured.bytes += file.size;
            findings.extend(deposit_policy::judge_name(&file.path).filter(|_| findings.len() < MOST_NAMES));
        }
        findings.extend(deposit_policy::compare_size(summary, measured));
        Ok(findings)
    }

    /// What was found of a draft that breaks no MUST.
    async fn require_valid(self: &Arc<Self>, draft: &Draft) -> Result<Checked, NodeError> {
        let checked = self.check_draft(draft).await?;
        let report = &checked.report;
        if !report.valid {
            let errors = report.findings.iter().filter(|f| f.severity == dataset_model::Severity::Error).count();
            let message = format!("the deposit cannot be published yet: {errors} thing(s) must be put right first");
            return Err(NodeError::refused(message, checked.report.findings));
        }
        Ok(checked)
    }

    async fn prepare(
        self: &Arc<Self>,
        draft: Draft,
        report: ValidationReport,
        job: Option<Job>,
    ) -> Result<Prepared, NodeError> {
        let mut files = Vec::new();
        for file in self.files_of(&draft.id) {
            files.push(file?.0);
        }
        files.retain(|file: &ManifestFile| file.path.as_str() != CRATE_FILE);
        self.lay_repairs(&draft.id, &report.repairs, &mut files).await?;
        let images = self.measure_images(&draft, &report, manifest_of(files.clone())?).await?;
        let crate_bytes = self.compose_crate(&draft, &report, &images, &files)?;
        let blob = self
            .archive
            .put_draft_file(
                &draft.id,
                futures::stream::iter([Ok::<_, std::io::Error>(crate_bytes.clone())]),
                archive_store::Expect { sha256: None, size: None, max_bytes: u64::MAX },
            )
            .await
            .map_err(NodeError::Archive)?;
        let path = CRATE_FILE.parse().map_err(|error| NodeError::Internal(format!("{CRATE_FILE}: {error}")))?;
        files.insert(0, ManifestFile { path, size: blob.size, sha256: blob.sha256 });
        manifest_of(files.clone())?;
        let graph =
            metadata_store::read_crate(&crate_bytes, &self.config.page(&draft.dataset), &self.ontology)?.graph.digest();
        Ok(Prepared { draft, crate_bytes, files, graph, report, images, job })
    }

    fn compose_crate(
        &self,
        draft: &Draft,
        report: &ValidationReport,
        images: &MeasuredImages,
        files: &[ManifestFile],
    ) -> Result<Bytes, NodeError> {
        let text = self.crate_of_draft(draft)?.unwrap_or_default();
        let document =
            serde_json::from_str(&text).map_err(|error| NodeError::Invalid(format!("the RO-Crate: {error}")))?;
        let iri = self.config.page(&draft.dataset);
        let bytes = files.iter().map(|file| file.size).sum();
        let additions = composition::Additions {
            dataset: &draft.dataset,
            version: draft.version,
            iri: &iri,
            public_url: &self.config.public_url,
            publisher: &self.config.title,
            images: &images.for_crate(),
            conversions: &self.conversions().get(draft.id.as_str())?.unwrap_or_default(),
            size: MeasuredSize { files: files.len() as u64 + 1, bytes },
        };
        let mut composed = composition::compose(document, &additions);
        provenance::record_repairs(&mut composed, &report.repairs, &self.config.public_url, Timestamp::now());
        let text = measured_size::to_bytes(&mut composed, bytes);
        Ok(text.map_err(|error| NodeError::Internal(error.to_string()))?.into())
    }

    async fn commit_to_archive(&self, prepared: &Prepared) -> Result<Committed, NodeError> {
        let draft = &prepared.draft;
        let publishing = Draft { state: DraftState::Publishing, ..draft.clone() };
        self.ledger.write(vec![self.drafts().put(draft.id.as_str(), &publishing)?])?;
        let commit = Commit {
            dataset: draft.dataset.clone(),
            version: draft.version,
            files: prepared.files.clone(),
            draft: draft.id.clone(),
            created: Timestamp::now(),
            message: format!("Published as {}", draft.version),
            user: Some((self.config.title.clone(), Some(self.config.public_url.clone()))),
        };
        self.archive.commit(commit).await.map_err(NodeError::Archive)
    }

    /// The commit point: one append, with everything that must be true together.
    fn commit_to_ledger(&self, prepared: &Prepared, committed: &Committed) -> Result<u64, NodeError> {
        let draft = &prepared.draft;
        // The job's document is written with the append: no other change may come in between.
        let _one = self.board.hold();
        let published = Published {
            crate_digest: Digest::of(&prepared.crate_bytes),
            inventory: committed.inventory,
            content_root: committed.manifest.content_root(),
            graph: prepared.graph,
        };
        let first = draft.version == VersionNumber::FIRST;
        let entry = Entry {
            dataset: draft.dataset.clone(),
            version: draft.version,
            previous: self.ledger.head(&self.config.id, &draft.dataset)?,
            time: self.time_of_new_entry()?,
            event: if first { Event::Publish(published) } else { Event::Revise(published) },
        };
        let bytes = entry.to_bytes().map_err(|error| NodeError::Internal(error.to_string()))?;
        let indexes = self.ledger.append(
            &self.config.id,
            Append {
                entries: vec![bytes],
                crates: vec![(Digest::of(&prepared.crate_bytes), prepared.crate_bytes.clone())],
                changes: self.documents_of_publication(prepared, &committed.manifest)?,
                ..Append::default()
            },
        )?;
        Ok(indexes.start)
    }

    fn documents_of_publication(&self, prepared: &Prepared, manifest: &Manifest) -> Result<Vec<Change>, NodeError> {
        let draft = &prepared.draft;
        let key = version_key(&draft.dataset, draft.version);
        // By content: a repair at the door puts other bytes in a file's place.
        let known = self.checksums_of_draft(&draft.id)?;
        let checksums: Vec<Option<u32>> =
            manifest.files().iter().map(|file| known.get(&file.sha256).copied()).collect();
        let mut changes = self.forget_draft(draft)?;
        changes.push(self.checksums().put(&key, &checksums)?);
        if let Some(text) = self.crate_of_draft(draft)? {
            changes.push(self.sent_crates().put(&key, &text)?);
        }
        changes.push(self.image_records().put(&key, &prepared.images.images)?);
        if !prepared.images.plates.is_empty() {
            changes.push(self.plate_records().put(&key, &prepared.images.plates)?);
        }
        if let Some(made) = self.conversions().get(draft.id.as_str())? {
            changes.push(self.conversions().put(&key, &made)?);
        }
        if let Some(job) = prepared.job.as_ref().map(|job| self.jobs().get(&job.id)).transpose()?.flatten() {
            let published = Some((draft.dataset.clone(), draft.version));
            changes.push(self.jobs().put(&job.id, &Job { published, ..job.clone() })?);
        }
        if draft.version == VersionNumber::FIRST {
            changes.push(self.owners().put(draft.dataset.as_str(), &Owner { owner: draft.owner.clone() })?);
        }
        if let Some(client_key) = &draft.client_key {
            let known = ClientKey {
                draft: draft.id.clone(),
                dataset: draft.dataset.clone(),
                version: draft.version,
                published: true,
            };
            changes.push(self.client_keys().put(&format!("{}/{client_key}", draft.owner), &known)?);
        }
        Ok(changes)
    }

    /// Fails when the dataset was withdrawn since the draft was made, or has another newest version.
    fn require_next_version(&self, actor: &Actor, draft: &Draft) -> Result<(), NodeError> {
        // Gone, when the dataset was withdrawn after the draft was made.
        let latest = match draft.version {
            VersionNumber::FIRST => self.latest_own_version(&draft.dataset)?,
            _ => Some(self.own_version(actor, &draft.dataset, VersionChoice::Latest)?.1),
        };
        let expected = latest.map_or(VersionNumber::FIRST, VersionNumber::next);
        if draft.version == expected {
            return Ok(());
        }
        Err(NodeError::Conflict(format!(
            "another version of '{}' was published meanwhile: this draft would be {}, the next one is {expected}; \
             start a new draft from the latest version",
            draft.dataset, draft.version
        )))
    }

    /// The receipt of a version that was published before.
    pub(crate) fn receipt_of(&self, id: &DatasetId, version: VersionNumber) -> Result<PublicationReceipt, NodeError> {
        let found = self.find(&Actor::Operator, id, Some(&self.config.id))?;
        let (index, _) = found.entry(VersionChoice::Number(version))?;
        Ok(self.receipt_at((id.clone(), version), *index, Vec::new(), Vec::new()))
    }

    fn receipt(&self, prepared: Prepared, index: u64) -> PublicationReceipt {
        let Prepared { draft, report, .. } = prepared;
        self.receipt_at((draft.dataset, draft.version), index, report.findings, report.repairs)
    }

    fn receipt_at(
        &self,
        (id, version): (DatasetId, VersionNumber),
        index: u64,
        findings: Vec<Finding>,
        repairs: Vec<DoorRepair>,
    ) -> PublicationReceipt {
        PublicationReceipt {
            iri: self.config.page(&id),
            data: format!("{}/data/{id}/{version}/", self.config.public_url),
            id,
            version,
            state: "published".into(),
            index,
            findings,
            repairs,
        }
    }
}

fn manifest_of(files: Vec<ManifestFile>) -> Result<Manifest, NodeError> {
    Manifest::new(files).map_err(|error| NodeError::Invalid(format!("the files do not fit together: {error}")))
}

fn missing_crate() -> Finding {
    Finding::error(
        "crate.missing",
        CRATE_FILE,
        "The deposit has no RO-Crate.",
        "Send one with PATCH /api/v1/deposits/{id}, or as the file ro-crate-metadata.json.",
    )
}
