//! The door of the archive: images are judged with what can be repaired in mind, and repairs are laid over the files that
//! are published. What stood there before is kept beside them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use archive_store::Expect;
use bytes::Bytes;
use dataset_model::{DatasetId, Digest, FilePath, ManifestFile};
use ome_zarr::{DoorRepair, FileSource, OmeZarrError, Progress, RepairedSource, Report};

use crate::{Node, NodeError};

/// The folder that keeps metadata files as they were deposited, where they were repaired.
const ORIGINALS: &str = "original-metadata";
/// The longest that the pixels of one deposit are decoded.
const LONGEST_CHECK: Duration = Duration::from_secs(3600);
/// Judgements kept, so that validating and then publishing decodes the pixels once.
const KEPT_JUDGEMENTS: usize = 16;

/// What was found about the images of a draft, and what is repaired when it is published.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// The images as they will be after the repairs.
    pub report: Report,
    pub repairs: Vec<DoorRepair>,
}

/// The last judgements, by the digest of what was judged.
#[derive(Debug, Default)]
pub(crate) struct Judgements(Mutex<VecDeque<(Digest, Arc<Judgement>)>>);

impl Judgements {
    /// Judges the images of a source, pixels included, unless files of this digest were judged a moment ago.
    pub(crate) fn judge(&self, files: Digest, source: &dyn FileSource) -> Result<Arc<Judgement>, NodeError> {
        if let Some(known) = self.known(files) {
            return Ok(known);
        }
        let judgement = Arc::new(judge(source)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((files, judgement.clone()));
        while kept.len() > KEPT_JUDGEMENTS {
            kept.pop_front();
        }
        Ok(judgement)
    }

    fn known(&self, files: Digest) -> Option<Arc<Judgement>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(digest, _)| *digest == files).map(|(_, judgement)| judgement.clone())
    }
}

fn judge(source: &dyn FileSource) -> Result<Judgement, NodeError> {
    let repairs = ome_zarr::repairs(source)?;
    let repaired = RepairedSource::new(source, &repairs);
    match ome_zarr::validate_pixels(&repaired, &Deadline(Instant::now() + LONGEST_CHECK)) {
        Ok(report) => Ok(Judgement { report, repairs }),
        Err(OmeZarrError::Cancelled) => Err(NodeError::TooLarge(format!(
            "decoding the pixels took more than {} minutes: split the deposit",
            LONGEST_CHECK.as_secs() / 60
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Stops the work at some time.
struct Deadline(Instant);

impl Progress for Deadline {
    fn advance(&self, _done: u64, _total: u64) {}

    fn is_cancelled(&self) -> bool {
        Instant::now() > self.0
    }
}

/// Where the file that was repaired is kept as it was deposited.
pub(crate) fn original_of(path: &str) -> String {
    format!("{ORIGINALS}/{path}.original")
}

impl Node {
    /// Replaces the files of a publication that are repaired, and keeps the deposited ones under `original-metadata/`.
    pub(crate) async fn lay_repairs(
        &self,
        draft: &DatasetId,
        repairs: &[DoorRepair],
        files: &mut Vec<ManifestFile>,
    ) -> Result<(), NodeError> {
        let changes: BTreeMap<&str, Option<&Bytes>> =
            repairs.iter().map(|repair| (repair.path.as_str(), repair.bytes.as_ref())).collect();
        for (path, bytes) in changes {
            let Some(at) = files.iter().position(|file| file.path.as_str() == path) else { continue };
            let deposited = files.remove(at);
            if let Some(bytes) = bytes {
                files.push(self.repaired_file(draft, deposited.path.clone(), bytes).await?);
            }
            let original: FilePath = original_of(path)
                .parse()
                .map_err(|error| NodeError::Invalid(format!("'{path}' cannot be kept as it was: {error}")))?;
            files.retain(|file| file.path != original);
            files.push(ManifestFile { path: original, ..deposited });
        }
        Ok(())
    }

    async fn repaired_file(&self, draft: &DatasetId, path: FilePath, bytes: &Bytes) -> Result<ManifestFile, NodeError> {
        let body = futures::stream::iter([Ok::<_, std::io::Error>(bytes.clone())]);
        let expect = Expect { sha256: None, size: None, max_bytes: u64::MAX };
        let blob = self.archive.put_draft_file(draft, body, expect).await.map_err(NodeError::Archive)?;
        Ok(ManifestFile { path, size: blob.size, sha256: blob.sha256 })
    }
}
