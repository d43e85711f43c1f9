use std::path::PathBuf;

use archive_store::Location;
use dataset_model::NodeId;

use crate::{JobLimits, SourceConfig};

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
    /// Other nodes to follow.
    pub peers: Vec<PeerConfig>,
    /// Seconds between two looks at a peer's checkpoint.
    pub poll_seconds: u64,
    /// Sources that are no nodes, harvested by this one.
    pub sources: Vec<SourceConfig>,
    /// What the node takes at most.
    pub limits: Limits,
    /// How jobs are run.
    pub jobs: JobLimits,
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
        }
    }
}

impl NodeConfig {
    /// The address of a dataset's page on this node: its IRI when the dataset is ours.
    pub fn page(&self, id: &dataset_model::DatasetId) -> String {
        format!("{}/datasets/{id}", self.public_url)
    }

    /// The address of a node of the federation, ours or a peer's.
    pub fn url_of(&self, node: &NodeId) -> Option<&str> {
        if *node == self.id {
            return Some(&self.public_url);
        }
        self.peers.iter().find(|peer| peer.id == *node).map(|peer| peer.url.as_str())
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
            peers: Vec::new(),
            poll_seconds: 3600,
            sources: Vec::new(),
            limits: Limits::default(),
            jobs: JobLimits::default(),
        }
    }
}
