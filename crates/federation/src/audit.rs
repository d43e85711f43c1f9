//! An audit of a node from outside: everything it serves, checked against its public key.

mod entries;
mod files;

use std::collections::HashMap;

use dataset_model::{DatasetId, Digest, VersionNumber, root_of};
use futures::{StreamExt, stream};
use serde::Serialize;

use crate::{Checkpoint, FederationError, PeerClient, PublicKey, Puller, bundle::WIDTH};
use entries::History;

/// Questions asked at the same time.
const AT_ONCE: usize = 4;
/// Findings that are told one by one; the others are counted.
const MOST_FINDINGS: usize = 1000;
/// Crates asked for at once.
const CRATES: usize = 500;

/// Which files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditedFiles {
    /// None: only the lists of files are checked.
    None,
    /// All.
    All,
    /// So many, chosen at random among all.
    Sample(usize),
}

/// Something that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    /// Where: `checkpoint`, `entry 7`, the path of a tile, a crate, a version or a file.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What an audit saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Whether all of it holds.
    pub valid: bool,
    /// The name of the log.
    pub log: String,
    /// Entries in the signed log.
    pub entries: u64,
    /// Hash tiles compared.
    pub tiles: u64,
    /// Datasets that are not withdrawn.
    pub datasets: u64,
    /// Datasets that are.
    pub withdrawn: u64,
    /// Crates that have their digest.
    pub crates: u64,
    /// Versions whose list of files is the one that was signed.
    pub versions: u64,
    /// Files in these lists.
    pub files: u64,
    /// Files that were read and have their digest.
    pub files_read: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// What is wrong.
    pub findings: Vec<AuditFinding>,
    /// Further findings that are not told.
    pub more_findings: u64,
}

/// One version of a dataset that is not withdrawn.
#[derive(Debug, Clone)]
struct LiveVersion {
    version: VersionNumber,
    crate_digest: Digest,
    /// Nothing for a catalogue record.
    content_root: Option<Digest>,
}

/// An audit under way.
pub struct Audit {
    puller: Puller,
    key: PublicKey,
    told: Box<dyn Fn(&str) + Send + Sync>,
    report: AuditReport,
}

impl Audit {
    /// An audit of the node that a client asks, against a key; `told` hears what is being checked.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        client: &PeerClient,
        key: PublicKey,
        told: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, FederationError> {
        let bad = || FederationError::malformed(format!("'{}' is no address", client.base()));
        let base = client.base().parse().map_err(|_| bad())?;
        let puller = Puller::new(base, key.clone(), client.limits().clone())?;
        Ok(Self { puller, key, told: Box::new(told), report: AuditReport::default() })
    }

    /// Checks everything. What fails is in the report, by name; only what rests on it is left out then.
    pub async fn run(mut self, files: AuditedFiles) -> AuditReport {
        (self.told)("checkpoint");
        let note = self.client().checkpoint().await;
        match note.and_then(|note| self.key.verify_checkpoint(&note)) {
            Err(error) => self.find("checkpoint", error),
            Ok(checkpoint) => self.check_log(&checkpoint, files).await,
        }
        self.report.valid = self.report.findings.is_empty();
        self.report
    }

    fn client(&self) -> &PeerClient {
        self.puller.client()
    }

    fn find(&mut self, place: impl Into<String>, what: impl ToString) {
        if self.report.findings.len() < MOST_FINDINGS {
            self.report.findings.push(AuditFinding { place: place.into(), what: what.to_string() });
        } else {
            self.report.more_findings += 1;
        }
    }

    async fn check_log(&mut self, checkpoint: &Checkpoint, files: AuditedFiles) {
        self.report.log.clone_from(&checkpoint.origin);
        (self.told)("entries");
        let mut history = History::default();
        match self.read_entries(checkpoint, &mut history).await {
            Err(error) => return self.find("entries", error),
            Ok(findings) => findings.into_iter().for_each(|finding| self.find(finding.place, finding.what)),
        }
        self.report.entries = checkpoint.size;
        if root_of(&history.leaves) != checkpoint.root {
            return self.blame(checkpoint, &history).await;
        }
        (self.told)("tiles");
        self.check_tiles(&history.leaves).await;
        (self.report.datasets, self.report.withdrawn) = history.counts();
        (self.told)("crates");
        self.check_crates(&history.live).await;
        (self.told)("files");
        self.check_files(&history.live, files).await;
    }

    /// Compares every hash tile with what the entries give.
    async fn check_tiles(&mut self, leaves: &[Digest]) {
        let (mut hashes, mut level) = (leaves.to_vec(), 0);
        let width = usize::try_from(WIDTH).unwrap_or(256);
        while !hashes.is_empty() {
            let tiles: Vec<(u64, &[Digest])> = (0..).zip(hashes.chunks(width)).collect();
            let client = self.client().clone();
            let asked = tiles.into_iter().map(|(index, expected)| {
                let client = &client;
                async move {
                    let partial = u8::try_from(expected.len()).ok();
                    let place = crate::paths::tile(level, index, partial);
                    let expected: Vec<u8> = expected.iter().flat_map(|hash| *hash.as_bytes()).collect();
                    let wrong = match client.tile(level, index, partial).await {
                        Ok(found) if found == expected => None,
                        Ok(_) => Some("other hashes than the entries give".to_owned()),
                        Err(error) => Some(error.to_string()),
                    };
                    (place, wrong)
                }
            });
            let found: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
            for (place, wrong) in found {
                self.report.tiles += 1;
                if let Some(what) = wrong {
                    self.find(place, what);
                }
            }
            hashes = hashes.chunks_exact(width).map(root_of).collect();
            level += 1;
        }
    }

    /// Asks for every crate that an entry of a live dataset points to.
    async fn check_crates(&mut self, live: &HashMap<DatasetId, Vec<LiveVersion>>) {
        let mut wanted: HashMap<Digest, String> = HashMap::new();
        for (dataset, versions) in live {
            wanted.extend(versions.iter().map(|of| (of.crate_digest, format!("{dataset} {}", of.version))));
        }
        let digests: Vec<Digest> = wanted.keys().copied().collect();
        for part in digests.chunks(CRATES) {
            let name = |digest: &Digest| format!("crate {digest} of {}", wanted.get(digest).map_or("", String::as_str));
            match self.client().crates(part).await {
                Ok(crates) => {
                    for (digest, bytes) in crates {
                        match bytes {
                            Some(_) => self.report.crates += 1,
                            None => self.find(name(&digest), "the node does not give it"),
                        }
                    }
                }
                Err(FederationError::WrongDigest { digest }) => {
                    self.find(name(&digest), "other bytes than were signed")
                }
                Err(error) => self.find("crates", error),
            }
        }
    }
}
