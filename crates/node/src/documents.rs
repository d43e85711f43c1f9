//! The JSON documents a node keeps in its ledger beside the logs, and their keys.

use dataset_model::{DatasetId, Digest, Timestamp, VersionNumber};
use ledger::Collection;
use ome_zarr::{ImageRecord, PlateRecord};
use serde::{Deserialize, Serialize};

use crate::Node;

/// A deposit that is not published. Key: its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub id: DatasetId,
    /// The dataset it will be a version of; for a first version the same as `id`.
    pub dataset: DatasetId,
    pub version: VersionNumber,
    pub owner: String,
    /// What the client calls it, so that an interrupted client finds its draft again.
    pub client_key: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub state: DraftState,
    /// Whether microscope files are made into images.
    #[serde(default = "by_default")]
    pub convert: bool,
    /// Rules whose findings the depositor has confirmed for the present crate.
    #[serde(default)]
    pub confirmed: Vec<String>,
}

fn by_default() -> bool {
    true
}

/// Where a draft stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DraftState {
    /// Takes files.
    Open,
    /// The archive is being written; recovery at start decides how it ended.
    Publishing,
}

/// One file of a draft. Key: `{draft}/{path}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DraftFile {
    pub size: u64,
    pub sha256: Digest,
    /// Already in the archive with the version before; not sent again.
    pub inherited: bool,
    /// The CRC-32 of the bytes, for archives made of them; nothing where nobody has computed it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
}

/// How a deposit ended, for the client that asks again. Key: `{owner}/{client_key}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClientKey {
    pub draft: DatasetId,
    pub dataset: DatasetId,
    pub version: VersionNumber,
    pub published: bool,
}

/// A published dataset's owner. Key: its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub owner: String,
}

/// One record of an imported listing. Key: `{source}/{path}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SourceRecord {
    pub dataset: DatasetId,
    pub iri: String,
    /// Of the bytes as they were found.
    pub digest: Digest,
    /// Of the bytes that were published; those found, where nothing is said.
    #[serde(default)]
    pub published: Option<Digest>,
    /// What tells this state of it from others, as its source says it: an entity tag, or a time of change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<String>,
}

impl Node {
    pub(crate) fn drafts(&self) -> Collection<Draft> {
        self.ledger.collection("drafts")
    }

    pub(crate) fn draft_files(&self) -> Collection<DraftFile> {
        self.ledger.collection("draft_files")
    }

    /// The crate of a draft as it was sent, and of a version as its depositor wrote it (`{dataset}/{version}`).
    pub(crate) fn sent_crates(&self) -> Collection<String> {
        self.ledger.collection("sent_crates")
    }

    pub(crate) fn client_keys(&self) -> Collection<ClientKey> {
        self.ledger.collection("client_keys")
    }

    pub(crate) fn owners(&self) -> Collection<Owner> {
        self.ledger.collection("owners")
    }

    /// The image records of a version. Key: `{dataset}/{version}`.
    pub(crate) fn image_records(&self) -> Collection<Vec<ImageRecord>> {
        self.ledger.collection("images")
    }

    /// The CRC-32 of each file of a version, in the order of its manifest. Key: `{dataset}/{version}`.
    pub(crate) fn checksums(&self) -> Collection<Vec<Option<u32>>> {
        self.ledger.collection("checksums")
    }

    /// The plates of a version. Key: `{dataset}/{version}`; none where it has none, or was published by an older program.
    pub(crate) fn plate_records(&self) -> Collection<Vec<PlateRecord>> {
        self.ledger.collection("plates")
    }

    pub(crate) fn source_records(&self) -> Collection<SourceRecord> {
        self.ledger.collection("source_records")
    }
}

/// The key of a document about one version.
pub(crate) fn version_key(dataset: &DatasetId, version: VersionNumber) -> String {
    format!("{dataset}/{version}")
}
