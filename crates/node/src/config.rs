use std::path::PathBuf;

use archive_store::Location;
use dataset_model::NodeId;

use crate::{JobLimits, MirrorPolicy, SourceConfig};

/// What a node needs to know about itself. The binary composes it from TOML and the environment.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Short name in the federation.
    pub id: NodeId,
    /// Title shown on pages.
    pub title: String,
    /// One or two sentences about the repository.
    pub about: String,
    /// Whom to write to about the repository; harvesters are told.
    pub admin_email: Option<String>,
    /// Country, as shown on the federation page.
    pub country: Option<String>,
    /// The address under which others reach it, without trailing slash. Dataset IRIs start with it, so it must not change.
    pub public_url: String,
    /// Folder of ledger, projections, keys and caches; on a local disk.
    pub data_dir: PathBuf,
    /// Where the archive is.
    pub archive: Location,
    /// Where copies of peers' bytes are.
    pub mirror: Location,
    /// Other nodes to follow.
    pub peers: Vec<PeerConfig>,
    /// Seconds between two looks at a peer's checkpoint.
    pub poll_seconds: u64,
    /// How many peers must have cosigned a checkpoint of the own log before everybody sees it.
    pub witnesses_required: usize,
    /// Whether peers are told at once when the own log grows.
    pub hints: bool,
    /// Seconds a live search waits for a peer.
    pub live_seconds: u64,
    /// Whether names of peers may lead to addresses of private networks.
    pub private_peers: bool,
    /// Sources that are no nodes, harvested by this one.
    pub sources: Vec<SourceConfig>,
    /// What the node takes at most.
    pub limits: Limits,
    /// How jobs are run.
    pub jobs: JobLimits,
    /// How often stored bytes are read again.
    pub scrub: ScrubSchedule,
}

/// How often every stored byte is read and compared with its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubSchedule {
    /// Days from the beginning of one pass to that of the next; 0 is never.
    pub days: u64,
    /// The most that is read in a second, in bytes.
    pub bytes_per_second: u64,
}

impl Default for ScrubSchedule {
    fn default() -> Self {
        Self { days: 30, bytes_per_second: 20_000_000 }
    }
}

/// A node to follow.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its name, under which its datasets appear here.
    pub id: NodeId,
    /// Its address, without trailing slash.
    pub url: String,
    /// Its public key as a C2SP verifier key: `name+hash+base64`.
    pub public_key: String,
    /// How many other peers must have cosigned its checkpoint before new entries are taken.
    pub witnesses_required: usize,
    /// What is copied of its bytes.
    pub mirror: MirrorPolicy,
}

impl PeerConfig {
    /// A peer that is followed as all are by default.
    pub fn new(id: NodeId, url: String, public_key: String) -> Self {
        Self { id, url, public_key, witnesses_required: 0, mirror: MirrorPolicy::default() }
    }
}

/// What a node takes at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files in one deposit.
    pub deposit_files: u64,
    /// Bytes of all files of one archive, unpacked.
    pub archive_bytes: u64,
    /// Bytes of one RO-Crate.
    pub crate_bytes: u64,
    /// Bytes of pixels one converted image may have, its smaller levels included.
    pub converted_bytes: u64,
    /// Seconds one SPARQL query may take.
    pub sparql_seconds: u64,
    /// Rows one SPARQL answer may have.
    pub sparql_rows: usize,
    /// Bytes of memory one SPARQL query may take.
    pub sparql_memory_bytes: u64,
    /// Bytes of drawn pictures kept on disk.
    pub render_cache_bytes: u64,
    /// Bytes that must be free on the disk before anything new is taken in.
    pub free_disk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 30,
            deposit_files: 2_000_000,
            archive_bytes: 1 << 40,
            crate_bytes: 16 << 20,
            converted_bytes: 1 << 40,
            sparql_seconds: 20,
            sparql_rows: 100_000,
            sparql_memory_bytes: 1 << 30,
            render_cache_bytes: 1 << 30,
            free_disk_bytes: 256 << 20,
        }
    }
}

impl NodeConfig {
    /// How long peers are waited for, and what is taken from them.
    pub(crate) fn peer_limits(&self) -> federation::Limits {
        federation::Limits { private_addresses: self.private_peers, ..federation::Limits::default() }
    }

    /// The address of a dataset's page on this node: its IRI when the dataset is ours.
    pub fn page(&self, id: &dataset_model::DatasetId) -> String {
        format!("{}/datasets/{id}", self.public_url)
    }
}

#[cfg(test)]
impl NodeConfig {
    /// A node `europe` without peers, all of it in a folder.
    pub(crate) fn in_folder(folder: &std::path::Path) -> Self {
        Self {
            id: "europe".parse().unwrap(),
            title: "Europe".into(),
            about: String::new(),
            admin_email: None,
            country: None,
            public_url: "http://europe.example".into(),
            data_dir: folder.join("data"),
            archive: Location::Local(folder.join("data/archive")),
            mirror: Location::Local(folder.join("data/mirror")),
            peers: Vec::new(),
            poll_seconds: 3600,
            witnesses_required: 0,
            hints: true,
            live_seconds: 2,
            private_peers: false,
            sources: Vec::new(),
            limits: Limits::default(),
            jobs: JobLimits::default(),
            scrub: ScrubSchedule::default(),
        }
    }
}
