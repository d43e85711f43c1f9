use dataset_model::{Access, DatasetId, DatasetKey, Digest, NodeId, Summary, Timestamp, VersionNumber, WithdrawReason};
use ome_zarr::ImageRecord;
use serde::Serialize;

use crate::{ImageFacts, ProvenanceView};

/// What a dataset is to this federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// Deposited at a node; its bytes are served there.
    Deposit,
    /// A record imported from elsewhere; its bytes live with its publisher.
    Catalogue,
}

impl RecordKind {
    /// The name used in JSON and search.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Catalogue => "catalogue",
        }
    }
}

/// A dataset as pages and the API show it.
#[derive(Debug, Clone, Serialize)]
pub struct RecordView {
    /// Its id.
    pub id: DatasetId,
    /// The node that announced it.
    pub node: NodeView,
    /// Whether the node that answers is that node.
    pub own: bool,
    /// Its name in the world: its page at its node, or the publisher's page of a catalogue record.
    pub iri: String,
    /// Its page at the node that announced it.
    pub page: String,
    /// Deposit or catalogue record.
    pub kind: RecordKind,
    /// The version shown.
    pub version: VersionNumber,
    /// Who may read it.
    pub access: Access,
    /// All versions, newest first.
    pub versions: Vec<VersionView>,
    /// What its crate says.
    pub summary: Summary,
    /// Its images.
    pub images: Vec<ImageView>,
    /// Number of files, measured; only for own deposits.
    pub files: Option<u64>,
    /// Bytes, measured; only for own deposits.
    pub bytes: Option<u64>,
    /// The copy of its bytes that is held here; only for a peer's deposits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopyView>,
    /// Other nodes that say they hold a copy of this version.
    pub mirrors: Vec<NodeView>,
    /// Where it came from; its repairs are in `summary`.
    pub provenance: ProvenanceView,
}

/// A complete copy of a peer's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyView {
    /// Where its files are at this node.
    pub data: String,
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// When it was complete.
    pub mirrored: Timestamp,
    /// When every byte was last found right.
    pub verified: Timestamp,
}

impl RecordView {
    /// The dataset's key in the federation.
    pub fn key(&self) -> DatasetKey {
        DatasetKey { node: self.node.id.clone(), id: self.id.clone() }
    }
}

/// A node, as named on pages and in answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// Short name.
    pub id: NodeId,
    /// Address.
    pub url: Option<String>,
}

/// One version of a dataset.
#[derive(Debug, Clone, Serialize)]
pub struct VersionView {
    /// Its number.
    pub version: VersionNumber,
    /// When it was published.
    pub time: Timestamp,
    /// Its entry's index in the node's log.
    pub index: u64,
    /// Digest of its crate.
    #[serde(rename = "crate")]
    pub crate_digest: Digest,
    /// Digest of its OCFL inventory.
    pub inventory: Option<Digest>,
    /// Merkle root over its files.
    pub content_root: Option<Digest>,
}

/// One image of a dataset.
#[derive(Debug, Clone, Serialize)]
pub struct ImageView {
    /// Its folder in the dataset.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Axes, sizes and type in a line.
    pub description: String,
    /// The address any Zarr library or viewer opens.
    pub url: String,
    /// A small picture of it.
    pub thumbnail: Option<String>,
    /// What is known of it, here and at every node that holds the crate; crates of older programs do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<ImageFacts>,
    /// Everything known about it; only for own deposits, and not for plates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<ImageRecord>,
}

/// What remains of a withdrawn dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// Its id, which is never given again.
    pub id: DatasetId,
    /// The node that announced it.
    pub node: NodeId,
    /// Its page there.
    pub page: String,
    /// Why it was withdrawn.
    pub reason: WithdrawReason,
    /// When.
    pub time: Timestamp,
    /// The last version it had.
    pub version: VersionNumber,
}
