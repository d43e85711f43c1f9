//! What proves, with a node's public key alone, that a version or one file of it is what the node published.

use dataset_model::{
    DatasetId, Digest, Entry, Event, Manifest, ManifestFile, Published, VersionNumber, canonical_json, leaf_hash,
    root_from_path,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Checkpoint, FederationError, LogKeys, PublicKey};

/// A version's entry and its way to the signed checkpoint, as `/api/v1/datasets/{id}/versions/{version}/proof` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionProof {
    /// The entry's index in the log.
    pub index: u64,
    /// The size of the tree the proof is for.
    pub size: u64,
    /// The tree's root.
    pub root: Digest,
    /// The hashes from the leaf's neighbour up (RFC 6962 §2.1.1).
    pub proof: Vec<Digest>,
    /// The entry with all its fields, also those that this program does not know.
    pub entry: Value,
    /// The signed checkpoint of that tree.
    pub checkpoint: String,
    /// One file's way to the entry's `content_root`, where a file was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileProof>,
}

/// A file's way to its version's `content_root`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProof {
    /// Path, size and digest.
    #[serde(flatten)]
    pub file: ManifestFile,
    /// Its place among the version's files, from 0.
    pub index: u64,
    /// How many files the version has.
    pub files: u64,
    /// The hashes from its neighbour up (RFC 6962 §2.1.1).
    pub proof: Vec<Digest>,
}

/// What a list of files has to agree with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenFiles {
    /// The dataset.
    pub what: DatasetId,
    /// The version.
    pub version: VersionNumber,
    /// The root that its entry names.
    pub content_root: Digest,
}

/// A version whose entry was proved to be in a signed log.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenVersion {
    /// The entry.
    pub entry: Entry,
    /// The entry's index in the log.
    pub index: u64,
    /// The digests it holds.
    pub published: Published,
    /// The checkpoint that vouches for it.
    pub checkpoint: Checkpoint,
}

impl VersionProof {
    /// Checks everything from the checkpoint's signature down to the entry, and to the file where one is told.
    ///
    /// # Errors
    /// [`FederationError::BadSignature`] when the checkpoint is not signed by the key, [`FederationError::BadEntry`] when
    /// the entry is not in the signed tree, or is not about this version's files, [`FederationError::WrongFiles`] when the
    /// file is not one of the version's.
    pub fn verify(
        &self,
        key: &PublicKey,
        dataset: &DatasetId,
        version: VersionNumber,
    ) -> Result<ProvenVersion, FederationError> {
        self.verify_by(&LogKeys::new(key.clone()), dataset, version)
    }

    /// The same, with a key and those that it led to.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_by(
        &self,
        keys: &LogKeys,
        dataset: &DatasetId,
        version: VersionNumber,
    ) -> Result<ProvenVersion, FederationError> {
        let wrong = || FederationError::BadEntry { index: self.index };
        let checkpoint = keys.verify_checkpoint(self.checkpoint.as_bytes())?;
        let bytes = canonical_json(&self.entry).map_err(|_| wrong())?;
        let root = root_from_path(leaf_hash(&bytes), self.index, checkpoint.size, &self.proof);
        if root != Some(checkpoint.root) {
            return Err(wrong());
        }
        let entry = Entry::from_bytes(&bytes).map_err(|_| wrong())?;
        if entry.dataset != *dataset || entry.version != version {
            return Err(wrong());
        }
        let (Event::Publish(published) | Event::Revise(published)) = &entry.event else { return Err(wrong()) };
        if let Some(file) = &self.file {
            file.verify(&published.content_root)?;
        }
        Ok(ProvenVersion { published: published.clone(), entry, index: self.index, checkpoint })
    }
}

impl FileProof {
    /// Checks that the file is below a `content_root`.
    ///
    /// # Errors
    /// [`FederationError::WrongFiles`] when it is not.
    pub fn verify(&self, content_root: &Digest) -> Result<(), FederationError> {
        let root = root_from_path(leaf_hash(self.file.leaf().as_bytes()), self.index, self.files, &self.proof);
        if root == Some(*content_root) {
            return Ok(());
        }
        Err(FederationError::WrongFiles { what: format!("'{}'", self.file.path) })
    }
}

impl ProvenVersion {
    /// What its list of files has to agree with.
    pub fn files(&self) -> ProvenFiles {
        ProvenFiles {
            what: self.entry.dataset.clone(),
            version: self.entry.version,
            content_root: self.published.content_root,
        }
    }
}

impl ProvenFiles {
    /// Reads a list of files that anybody sent, and checks that it is this version's.
    ///
    /// # Errors
    /// [`FederationError::Malformed`] when it is no list of files, [`FederationError::WrongFiles`] when it is another one.
    pub fn manifest(&self, json: &[u8]) -> Result<Manifest, FederationError> {
        let malformed =
            |error: &dyn std::fmt::Display| FederationError::malformed(format!("no list of files: {error}"));
        let files: Vec<ManifestFile> = serde_json::from_slice(json).map_err(|error| malformed(&error))?;
        let manifest = Manifest::new(files).map_err(|error| malformed(&error))?;
        if manifest.content_root() == self.content_root {
            return Ok(manifest);
        }
        Err(FederationError::WrongFiles { what: format!("{} {}", self.what, self.version) })
    }
}

#[cfg(test)]
mod tests {
    use dataset_model::MerkleTree;

    use super::*;
    use crate::NodeKey;

    fn manifest() -> Manifest {
        let file = |path: &str| ManifestFile { path: path.parse().unwrap(), size: 3, sha256: Digest::of(path) };
        Manifest::new(vec![file("a"), file("b"), file("c")]).unwrap()
    }

    fn proof_of(key: &NodeKey) -> VersionProof {
        let manifest = manifest();
        let published = Published {
            crate_digest: Digest::of("crate"),
            inventory: Digest::of("inventory"),
            content_root: manifest.content_root(),
            graph: None,
        };
        let entry = Entry {
            dataset: "europe-1".parse().unwrap(),
            version: VersionNumber::FIRST,
            previous: None,
            time: "2026-11-21T10:00:00Z".parse().unwrap(),
            event: Event::Publish(published),
        };
        let mut entry = serde_json::to_value(entry).unwrap();
        entry["later"] = Value::from(7);
        let bytes = canonical_json(&entry).unwrap();
        let mut log = MerkleTree::default();
        log.push(&bytes);
        let neighbour = leaf_hash(b"other");
        log.push(b"other");
        let path = manifest.prove(&manifest.tree(), 1).unwrap();
        let file = FileProof { file: manifest.files()[1].clone(), index: 1, files: 3, proof: path };
        VersionProof {
            index: 0,
            size: 2,
            root: log.root(),
            proof: vec![neighbour],
            entry,
            checkpoint: key.sign_checkpoint(2, log.root()),
            file: Some(file),
        }
    }

    #[test]
    fn a_proof_holds_with_fields_that_nobody_knows_and_with_no_other_value() {
        let key = NodeKey::generate("heliograph/europe");
        let (id, version): (DatasetId, _) = ("europe-1".parse().unwrap(), VersionNumber::FIRST);
        let good = proof_of(&key);
        let check = |proof: &VersionProof| proof.verify(&key.public_key(), &id, version);
        let proven = check(&good).unwrap().files();
        assert!(proven.manifest(&serde_json::to_vec(&manifest()).unwrap()).is_ok());
        assert!(matches!(proven.manifest(b"[]"), Err(FederationError::WrongFiles { .. })));

        let mut other = good.clone();
        other.entry["later"] = Value::from(8);
        assert!(matches!(check(&other), Err(FederationError::BadEntry { index: 0 })));
        let mut other = good.clone();
        other.index = 1;
        assert!(check(&other).is_err());
        let mut other = good.clone();
        other.file.as_mut().unwrap().file.size = 4;
        assert!(matches!(check(&other), Err(FederationError::WrongFiles { .. })));
        assert!(good.verify(&key.public_key(), &"europe-2".parse().unwrap(), version).is_err());
        assert!(good.verify(&key.public_key(), &id, version.next()).is_err());
        let stranger = NodeKey::generate("heliograph/europe");
        let refused = good.verify(&stranger.public_key(), &id, version);
        assert!(matches!(refused, Err(FederationError::BadSignature)));
    }
}
