//! Microscope files of a draft made into OME-Zarr images beside them. The files stay as they were received.

mod engine;
mod folder;
mod foreign;
mod plan;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dataset_model::{FilePath, Finding, ManifestFile, Timestamp, VersionNumber};
use futures::{StreamExt, TryStreamExt};
use ledger::Collection;
use ome_zarr::{FolderSource, ImportCandidate, OmeZarrError, Progress};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use crate::{
    Actor, ConversionRequest, Node, NodeError,
    documents::{Draft, version_key},
    draft_source::DraftSource,
    jobs::{Job, LiveJob},
};

pub use foreign::{ForeignConverter, ForeignFailure, convert_foreign};

pub(crate) use engine::{Engine, OmeZarr};
pub(crate) use plan::ConversionPlan;

/// Files stored at the same time.
const STORED_AT_ONCE: usize = 4;

/// An image that the node made of deposited files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The image's folder in the dataset.
    pub image: FilePath,
    /// What it was made of.
    pub sources: Vec<ManifestFile>,
    /// The programs that made it, with their versions.
    pub software: Vec<String>,
    /// When it was made.
    pub ended: Timestamp,
    /// What is worth knowing about how the files were read.
    pub findings: Vec<Finding>,
}

impl Node {
    /// The images made in a draft (key: its id) and in a version (key: `{dataset}/{version}`).
    pub(crate) fn conversions(&self) -> Collection<Vec<Conversion>> {
        self.ledger.collection("conversions")
    }

    /// The images made for the version before, which a new version has too.
    pub(crate) fn conversions_of_base(&self, draft: &Draft) -> Result<Vec<Conversion>, NodeError> {
        match VersionNumber::try_from(draft.version.get().saturating_sub(1)) {
            Ok(before) => Ok(self.conversions().get(&version_key(&draft.dataset, before))?.unwrap_or_default()),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Converts what is asked for, as a job.
    pub(crate) async fn convert_draft(
        self: &Arc<Self>,
        job: &Job,
        live: &Arc<LiveJob>,
    ) -> Result<Vec<Conversion>, NodeError> {
        let _alone = alone(self.drafts_in_use.of(&job.deposit), live).await?;
        let draft = self.open_draft(&Actor::Operator, &job.deposit)?;
        let source = Arc::new(DraftSource::of_draft(self, &draft)?);
        let plan = self.plan_conversions(&draft, source, &job.request).await?;
        let refused = plan.refusals(false);
        if !refused.is_empty() && (plan.pending.is_empty() || !job.request.paths.is_empty()) {
            return Err(NodeError::refused("files of the deposit cannot be converted here", refused));
        }
        self.convert_all(&draft, plan.pending, &job.id, live).await
    }

    /// Which files of a draft are to be converted.
    pub(crate) async fn plan_conversions(
        self: &Arc<Self>,
        draft: &Draft,
        source: Arc<DraftSource>,
        request: &ConversionRequest,
    ) -> Result<ConversionPlan, NodeError> {
        let (engine, request, made) =
            (self.engine.clone(), request.clone(), self.conversions().get(draft.id.as_str())?.unwrap_or_default());
        let foreign = self.foreign.is_some();
        let planned = tokio::task::spawn_blocking(move || {
            let candidates = engine.find(source.as_ref())?;
            ConversionPlan::new(candidates, &source, &made, foreign).only(&request)
        });
        planned.await.map_err(|error| NodeError::Internal(format!("looking for microscope files: {error}")))?
    }

    /// Makes the images one after the other. Each is part of the draft once its files and its record are in the ledger.
    pub(crate) async fn convert_all(
        self: &Arc<Self>,
        draft: &Draft,
        pending: Vec<ImportCandidate>,
        job: &str,
        live: &Arc<LiveJob>,
    ) -> Result<Vec<Conversion>, NodeError> {
        let source = Arc::new(DraftSource::of_draft(self, draft)?);
        let (count, mut made) = (pending.len(), Vec::new());
        for (at, candidate) in pending.into_iter().enumerate() {
            live.begin(format!("converting '{}' ({} of {count})", candidate.path, at + 1), 0);
            let folder = self.work_folder(job).join(folder::name_of(&candidate.output));
            let task = Conversion::task(self.clone(), candidate.clone(), source.clone(), folder.clone(), live.clone());
            let findings = tokio::task::spawn_blocking(task)
                .await
                .map_err(|error| NodeError::Internal(format!("converting: {error}")))??;
            made.push(self.store_image(draft, &candidate, &source, &folder, findings, live).await?);
            // What is in the draft is not needed twice; a folder that stays goes with the job's.
            let _ = std::fs::remove_dir_all(&folder);
        }
        Ok(made)
    }

    /// Moves an image's files into the draft.
    async fn store_image(
        &self,
        draft: &Draft,
        candidate: &ImportCandidate,
        source: &DraftSource,
        folder: &Path,
        findings: Vec<Finding>,
        live: &LiveJob,
    ) -> Result<Conversion, NodeError> {
        let image: FilePath = candidate.output.parse().map_err(|error| NodeError::Invalid(format!("{error}")))?;
        let files = folder::files_below(&folder::image_in(folder, &candidate.output))
            .map_err(|error| NodeError::Internal(format!("reading what was converted: {error}")))?;
        let total = files.iter().map(|file| file.size).sum();
        self.require_room(draft, total, files.len() as u64)?;
        live.begin(format!("storing '{image}'"), total);
        let stored = futures::stream::iter(files).map(|file| async move {
            if live.is_cancelled() {
                return Err(OmeZarrError::Cancelled.into());
            }
            let path = format!("{}/{}", candidate.output, file.path)
                .parse()
                .map_err(|error| NodeError::Internal(format!("a converted file: {error}")))?;
            let adopted = self.archive.adopt_draft_file(&draft.id, file.at, self.config.limits.file_bytes).await;
            let blob = adopted.map_err(NodeError::Archive)?;
            Ok::<_, NodeError>((ManifestFile { path, size: blob.size, sha256: blob.sha256 }, blob.crc32))
        });
        let mut done = 0;
        let files: Vec<(ManifestFile, u32)> = stored
            .buffered(STORED_AT_ONCE)
            .inspect_ok(|(file, _)| {
                done += file.size;
                live.advance(done, total);
            })
            .try_collect()
            .await?;
        let conversion = Conversion {
            image,
            sources: candidate.files.iter().filter_map(|path| source.file(path)).cloned().collect(),
            software: self.software(candidate),
            ended: Timestamp::now(),
            findings,
        };
        self.add_image(draft, &conversion, &files)?;
        Ok(conversion)
    }

    /// One write: the image is in the draft, or it is not.
    fn add_image(
        &self,
        draft: &Draft,
        conversion: &Conversion,
        files: &[(ManifestFile, u32)],
    ) -> Result<(), NodeError> {
        let mut changes = self.draft_files().remove_prefix(&format!("{}/{}/", draft.id, conversion.image))?;
        for (file, crc32) in files {
            changes.push(self.put_received(&draft.id, file, *crc32)?);
        }
        let mut made = self.conversions().get(draft.id.as_str())?.unwrap_or_default();
        made.retain(|other| other.image != conversion.image);
        made.push(conversion.clone());
        changes.push(self.conversions().put(draft.id.as_str(), &made)?);
        self.ledger.write(changes)?;
        self.count_files_again(&draft.id);
        Ok(())
    }

    /// Makes one image, by this program alone or with the help of another.
    fn make_image(
        &self,
        candidate: &ImportCandidate,
        source: Arc<DraftSource>,
        folder: &Path,
        out: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<Finding>, NodeError> {
        let outcome = match self.foreign.as_deref().filter(|_| candidate.refusal.is_some()) {
            None => self.engine.convert(source, &candidate.path, out, progress),
            Some(foreign) => {
                let made = convert_foreign(foreign, candidate, source.as_ref(), folder, progress)?;
                self.engine.convert(
                    Arc::new(FolderSource::new(folder).map_err(OmeZarrError::from)?),
                    &made,
                    out,
                    progress,
                )
            }
        };
        outcome.map_err(|error| failed(candidate, error))
    }

    fn require_room(&self, draft: &Draft, bytes: u64, files: u64) -> Result<(), NodeError> {
        let limits = &self.config.limits;
        if bytes > limits.converted_bytes {
            return Err(too_large(limits.converted_bytes));
        }
        let present = self.files_of(&draft.id).count() as u64;
        if present + files > limits.deposit_files {
            return Err(NodeError::TooLarge(format!(
                "the converted image has {files} files and the deposit {present} already; a deposit may have {}",
                limits.deposit_files
            )));
        }
        Ok(())
    }

    fn software(&self, candidate: &ImportCandidate) -> Vec<String> {
        let foreign = self.foreign.as_ref().filter(|_| candidate.refusal.is_some());
        foreign.map(|foreign| foreign.software()).into_iter().chain([heliograph()]).collect()
    }
}

impl Conversion {
    /// The work on one candidate, to be run where it may take its time: the image stands in `folder` afterwards.
    fn task(
        node: Arc<Node>,
        candidate: ImportCandidate,
        source: Arc<DraftSource>,
        folder: PathBuf,
        live: Arc<LiveJob>,
    ) -> impl FnOnce() -> Result<Vec<Finding>, NodeError> {
        move || {
            let out = folder::image_in(&folder, &candidate.output);
            if let Some(findings) = folder::finished(&folder, &out) {
                return Ok(findings);
            }
            let limit = node.config.limits.converted_bytes;
            let bounded = Bounded { live: &live, limit, exceeded: AtomicBool::new(false) };
            std::fs::create_dir_all(&folder).map_err(|error| crate::service::unusable(&folder, &error))?;
            let outcome = node.make_image(&candidate, source, &folder, &out, &bounded);
            if bounded.exceeded.into_inner() {
                return Err(too_large_of(&candidate));
            }
            let findings = outcome?;
            folder::finish(&folder, &findings).map_err(|error| crate::service::unusable(&folder, &error))?;
            Ok(findings)
        }
    }
}

/// Follows a conversion, and ends one that grows too large.
struct Bounded<'a> {
    live: &'a LiveJob,
    limit: u64,
    exceeded: AtomicBool,
}

impl Progress for Bounded<'_> {
    fn advance(&self, done: u64, total: u64) {
        if total > self.limit {
            self.exceeded.store(true, Ordering::Relaxed);
        }
        self.live.advance(done, total);
    }

    fn is_cancelled(&self) -> bool {
        self.live.is_cancelled() || self.exceeded.load(Ordering::Relaxed)
    }
}

/// This program as provenance names it.
pub(crate) fn heliograph() -> String {
    format!("Heliograph {}", env!("CARGO_PKG_VERSION"))
}

/// Waits until a draft is nobody else's: files that are arriving arrive first, no others begin.
pub(crate) async fn alone(lock: Arc<RwLock<()>>, live: &LiveJob) -> Result<OwnedRwLockWriteGuard<()>, NodeError> {
    live.begin("waiting for files that are arriving", 0);
    tokio::select! {
        guard = lock.write_owned() => Ok(guard),
        () = live.stopped() => Err(OmeZarrError::Cancelled.into()),
    }
}

/// Why a conversion failed, in a person's words.
fn failed(candidate: &ImportCandidate, error: OmeZarrError) -> NodeError {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    match error {
        OmeZarrError::Cancelled => error.into(),
        OmeZarrError::Write { .. } => NodeError::Unavailable(format!(
            "'{}' could not be converted: {message}; ask the operator whether the node's disk is full, then try again",
            candidate.path
        )),
        _ => {
            let hint = "Check that the file opens in the microscope's own software, or convert it there and deposit the OME-Zarr.";
            let finding = Finding::error("import.failed", &candidate.path, &message, hint);
            NodeError::refused(format!("'{}' could not be converted: {message}", candidate.path), vec![finding])
        }
    }
}

fn too_large_of(candidate: &ImportCandidate) -> NodeError {
    NodeError::TooLarge(format!(
        "'{}' holds more pixels than this node converts (limits.converted_bytes): convert it yourself with 'heliograph \
         convert' and deposit the result, or ask the operator to raise the limit",
        candidate.path
    ))
}

fn too_large(limit: u64) -> NodeError {
    NodeError::TooLarge(format!("a converted image may have {limit} bytes (limits.converted_bytes), this one has more"))
}

#[cfg(test)]
mod tests;
