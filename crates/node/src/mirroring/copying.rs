//! Copying one version: its list of files checked against the entry, each file against the list, then one commit.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use archive_store::Commit;
use dataset_model::{
    DatasetId, DatasetKey, Digest, Entry, Manifest, ManifestFile, Published, Timestamp, VersionNumber,
};
use federation::{FederationError, FileAddress, Holders, Meter, ProvenFiles};
use futures::{StreamExt, TryStreamExt};

use super::{Copy, Followed, copy_key, object_of};
use crate::{Node, NodeError};

/// Files that are fetched at the same time.
const AT_ONCE: usize = 4;
/// How an attempt at a version ended.
pub(super) enum Copied {
    /// It is complete.
    Complete,
    /// It is larger than the policy allows.
    TooLarge,
    /// The dataset was withdrawn meanwhile.
    Gone,
}

impl Node {
    /// Who may have a version's bytes: the node that published it, those that say they have a copy, and where `everybody` is
    /// asked, all others that are followed.
    pub(crate) fn sources_of(&self, key: &DatasetKey, version: VersionNumber, everybody: bool) -> Holders {
        let holders: HashSet<_> = self.mirrors_of(key, version).into_iter().map(|node| node.id).collect();
        let mut followed: Vec<Followed> = self.followed();
        let rank = |peer: &Followed| match (peer.id == key.node, holders.contains(&peer.id)) {
            (true, _) => 0,
            (_, true) => 1,
            _ => 2,
        };
        followed.retain(|peer| everybody || rank(peer) < 2);
        followed.sort_by_key(rank);
        Holders::new(followed.into_iter().map(|peer| (peer.id.to_string(), peer.client)))
    }

    /// Copies one version, going on with what an earlier attempt left.
    pub(super) async fn copy_version(
        self: &Arc<Self>,
        key: &DatasetKey,
        (entry, published): (&Entry, &Published),
        (peer, meter, room): (&Followed, &Meter, u64),
    ) -> Result<Copied, NodeError> {
        let object = object_of(key)?;
        let _alone = self.mirrors.in_use.of(&object).write_owned().await;
        let proven = ProvenFiles { what: key.id.clone(), version: entry.version, content_root: published.content_root };
        let sources = self.sources_of(key, entry.version, false);
        let manifest = sources.manifest(&proven).await.map_err(|error| peer_fault(key, error))?;
        let bytes = manifest.total_bytes();
        if peer.policy.max_dataset_bytes.is_some_and(|most| bytes > most) || bytes > room {
            return Ok(Copied::TooLarge);
        }
        self.require_space_for_copies(bytes)?;
        let missing = self.missing_files(&object, &manifest).await?;
        let fetched =
            missing.into_iter().map(|file| self.fetch_file(key, entry.version, file, (&object, &sources, meter)));
        futures::stream::iter(fetched).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        if !self.is_live(key)? {
            return Ok(Copied::Gone);
        }
        self.commit_copy(key, entry.version, &object, manifest).await?;
        Ok(Copied::Complete)
    }

    /// Files whose bytes neither an earlier copy of the dataset has nor an interrupted attempt left.
    async fn missing_files(&self, object: &DatasetId, manifest: &Manifest) -> Result<Vec<ManifestFile>, NodeError> {
        let archive = &self.mirrors.archive;
        let mut here: HashSet<Digest> = archive.contents(object).await.map_err(NodeError::Archive)?;
        let arrived: HashMap<Digest, u64> = archive.draft_blobs(object).await.map_err(NodeError::Archive)?;
        here.extend(arrived.into_keys());
        Ok(manifest.files().iter().filter(|file| here.insert(file.sha256)).cloned().collect())
    }

    async fn fetch_file(
        self: &Arc<Self>,
        key: &DatasetKey,
        version: VersionNumber,
        file: ManifestFile,
        (object, sources, meter): (&DatasetId, &Holders, &Meter),
    ) -> Result<(), NodeError> {
        if !self.is_live(key)? {
            return Err(NodeError::Conflict(format!("'{}' was withdrawn while it was copied", key.id)));
        }
        let part = self.part_of(object, &file)?;
        let address = FileAddress { dataset: &key.id, version, file: &file };
        sources.download(address, &part, meter).await.map_err(|error| peer_fault(key, error))?;
        let kept = self.mirrors.archive.adopt_draft_file(object, part.clone(), file.size).await;
        let kept = kept.map_err(NodeError::Archive)?;
        if kept.sha256 != file.sha256 {
            return Err(NodeError::Internal(format!(
                "'{}' changed on this disk while it was taken over",
                part.display()
            )));
        }
        remove_file(&part)
    }

    /// Where a file is collected until it is whole.
    pub(crate) fn part_of(&self, object: &DatasetId, file: &ManifestFile) -> Result<PathBuf, NodeError> {
        let folder = self.parts_of(object);
        std::fs::create_dir_all(&folder).map_err(|error| crate::service::unusable(&folder, &error))?;
        Ok(folder.join(file.sha256.to_string()))
    }

    /// The folder of what is collected for an object.
    pub(crate) fn parts_of(&self, object: &DatasetId) -> PathBuf {
        self.config.data_dir.join("arriving").join(object.as_str())
    }

    /// The commit point of a copy is the document.
    async fn commit_copy(
        &self,
        key: &DatasetKey,
        version: VersionNumber,
        object: &DatasetId,
        manifest: Manifest,
    ) -> Result<(), NodeError> {
        let last = self.copies_of(key)?.into_values().map(|copy| copy.object_version).max();
        let object_version = last.map_or(VersionNumber::FIRST, VersionNumber::next);
        let (files, bytes) = (manifest.files().len() as u64, manifest.total_bytes());
        let content_root = manifest.content_root();
        let commit = Commit {
            dataset: object.clone(),
            version: object_version,
            files: manifest.files().to_vec(),
            draft: object.clone(),
            created: Timestamp::now(),
            message: format!("Copy of {version} of {} at {}", key.id, key.node),
            user: Some((self.config.title.clone(), Some(self.config.public_url.clone()))),
        };
        self.mirrors.archive.commit(commit).await.map_err(NodeError::Archive)?;
        let now = Timestamp::now();
        let copy = Copy { object_version, content_root, files, bytes, mirrored: now, verified: now };
        self.ledger.write(vec![self.copies().put(&copy_key(key, version), &copy)?])?;
        if let Err(error) = self.mirrors.archive.delete_draft(object).await {
            tracing::warn!(%key, %error, "what a copy was made from could not be removed");
        }
        let folder = self.parts_of(object);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(folder = %folder.display(), %error, "a folder of a copy could not be removed");
            }
            _ => {}
        }
        Ok(())
    }
}

pub(crate) fn peer_fault(key: &DatasetKey, source: FederationError) -> NodeError {
    NodeError::Peer { peer: key.node.to_string(), source }
}

pub(crate) fn remove_file(path: &std::path::Path) -> Result<(), NodeError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(crate::service::unusable(path, &error)),
        _ => Ok(()),
    }
}
