//! The files of an audited node: lists against what was signed, bytes against the lists.

use std::collections::HashMap;

use dataset_model::{DatasetId, ManifestFile, VersionNumber};
use futures::{StreamExt, stream};
use rand::RngExt;

use super::{AT_ONCE, Audit, AuditedFiles, LiveVersion};
use crate::{FileAddress, Meter, ProvenFiles};

/// The largest list of files that is read, in bytes.
const MANIFEST_BYTES: u64 = 1 << 30;

/// A file with where it stands.
type Placed = (DatasetId, VersionNumber, ManifestFile);

impl Audit {
    /// Checks the lists of files of all versions, and the bytes of those files that are to be read.
    pub(super) async fn check_files(&mut self, live: &HashMap<DatasetId, Vec<LiveVersion>>, wanted: AuditedFiles) {
        let mut sample: Vec<Placed> = Vec::new();
        let mut datasets: Vec<_> = live.iter().collect();
        datasets.sort_by_key(|(dataset, _)| *dataset);
        for (dataset, versions) in datasets {
            for of in versions {
                let Some(content_root) = of.content_root else { continue };
                let proven = ProvenFiles { what: dataset.clone(), version: of.version, content_root };
                let path = format!("/api/v1/datasets/{dataset}/versions/{}/manifest", of.version);
                let read = self.client().raw_json(&path, MANIFEST_BYTES).await;
                let manifest = match read.and_then(|bytes| proven.manifest(&bytes)) {
                    Ok(manifest) => manifest,
                    Err(error) => {
                        self.find(format!("{dataset} {}", of.version), error);
                        continue;
                    }
                };
                self.report.versions += 1;
                let placed = |file: &ManifestFile| (dataset.clone(), of.version, file.clone());
                match wanted {
                    AuditedFiles::None => self.report.files += manifest.files().len() as u64,
                    AuditedFiles::All => {
                        self.report.files += manifest.files().len() as u64;
                        self.read_files(manifest.files().iter().map(placed)).await;
                    }
                    AuditedFiles::Sample(most) => {
                        for file in manifest.files() {
                            self.report.files += 1;
                            choose(&mut sample, (most, self.report.files), || placed(file));
                        }
                    }
                }
            }
        }
        self.read_files(sample.into_iter()).await;
    }

    async fn read_files(&mut self, files: impl Iterator<Item = Placed>) {
        let (client, meter) = (self.client().clone(), Meter::new(None, |_| {}));
        let read = files.map(|(dataset, version, file)| {
            let (client, meter) = (&client, &meter);
            async move {
                let outcome = client.check(FileAddress { dataset: &dataset, version, file: &file }, meter).await;
                (format!("{dataset} {version} '{}'", file.path), file.size, outcome)
            }
        });
        let mut read = stream::iter(read).buffered(AT_ONCE);
        while let Some((place, size, outcome)) = read.next().await {
            match outcome {
                Ok(()) => {
                    self.report.files_read += 1;
                    self.report.bytes_read += size;
                }
                Err(error) => self.find(place, error),
            }
        }
    }
}

/// Keeps `most` of all that were ever seen, each with the same chance (reservoir sampling).
fn choose(sample: &mut Vec<Placed>, (most, seen): (usize, u64), file: impl FnOnce() -> Placed) {
    if sample.len() < most {
        return sample.push(file());
    }
    let at = rand::rng().random_range(0..seen);
    if let Some(place) = usize::try_from(at).ok().and_then(|at| sample.get_mut(at)) {
        *place = file();
    }
}
