//! Proofs: that a version is in a signed log, and that a file is one of the version's.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use dataset_model::{DatasetId, Digest, Event, FilePath, Manifest, ManifestTree};
use federation::{FileProof, VersionProof};
use ledger::Collection;
use lru::LruCache;
use serde_json::Value;

use crate::{Actor, Node, NodeError, VersionChoice, dataset::Found};

/// Versions whose trees are kept: a version of a million files takes 128 KiB.
const KEPT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// The trees over the files of the versions asked about last, by `content_root`.
pub(crate) struct FileTrees(Mutex<LruCache<Digest, Arc<ManifestTree>>>);

impl Default for FileTrees {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEPT)))
    }
}

impl FileTrees {
    async fn of(&self, content_root: Digest, manifest: &Arc<Manifest>) -> Result<Arc<ManifestTree>, NodeError> {
        let held = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = held().get(&content_root) {
            return Ok(tree.clone());
        }
        let manifest = manifest.clone();
        let made = tokio::task::spawn_blocking(move || Arc::new(manifest.tree()));
        let tree = made.await.map_err(|error| NodeError::Internal(format!("proving a file: {error}")))?;
        held().put(content_root, tree.clone());
        Ok(tree)
    }
}

impl Node {
    /// The signed checkpoint of each peer whose whole log is held, as it was verified last. Key: the peer's name.
    pub(crate) fn peer_notes(&self) -> Collection<String> {
        self.ledger.collection("peer_notes")
    }

    /// Proves that a version is in the log of the node that announced it, as that node signed it; and, where a path is given,
    /// that the file is one of the version's.
    ///
    /// # Errors
    /// When there is no such version or file; when the files are not here, or no signed checkpoint of the peer is.
    pub async fn proof(
        &self,
        actor: &Actor,
        id: &DatasetId,
        choice: VersionChoice,
        path: Option<&FilePath>,
    ) -> Result<VersionProof, NodeError> {
        let found = self.find(actor, id, None)?;
        let (index, entry) = found.entry(choice)?;
        let log = &found.key.node;
        // The note first: the log may grow, and the proof is for what was signed.
        let checkpoint = self.latest_note(log)?;
        let size = signed_size(&checkpoint).filter(|size| index < size).ok_or_else(|| {
            NodeError::Unavailable(format!(
                "entry {index} of '{log}' is in no checkpoint held here yet, or too few witnesses have cosigned it: try again in a moment"
            ))
        })?;
        let unreadable = |error| NodeError::Internal(format!("entry {index} of '{log}': {error}"));
        let bytes = self.ledger.entry(log, *index)?.unwrap_or_default();
        let whole: Value = serde_json::from_slice(&bytes).map_err(unreadable)?;
        let file = match path {
            Some(path) => Some(self.prove_file(actor, &found, VersionChoice::Number(entry.version), path).await?),
            None => None,
        };
        Ok(VersionProof {
            index: *index,
            size,
            root: self.ledger.root(log, size)?,
            proof: self.ledger.inclusion_proof(log, *index, size)?,
            entry: whole,
            checkpoint,
            file,
        })
    }

    async fn prove_file(
        &self,
        actor: &Actor,
        found: &Found,
        choice: VersionChoice,
        path: &FilePath,
    ) -> Result<FileProof, NodeError> {
        let (_, entry) = found.entry(choice)?;
        let (Event::Publish(published) | Event::Revise(published)) = &entry.event else {
            return Err(NodeError::NotFound(format!("'{}' is a catalogue record: it has no files", found.key.id)));
        };
        let manifest = self.holding(actor, &found.key.id, choice)?.manifest().await?;
        let place = manifest.files().binary_search_by(|file| file.path.cmp(path)).ok();
        let file = place.and_then(|index| Some((index, manifest.files().get(index)?)));
        let (index, file) = file.ok_or_else(|| {
            NodeError::NotFound(format!("dataset '{}' {} has no file '{path}'", found.key.id, entry.version))
        })?;
        let tree = self.file_trees.of(published.content_root, &manifest).await?;
        let proof = manifest.prove(&tree, index).unwrap_or_default();
        let files = manifest.files().len() as u64;
        Ok(FileProof { file: file.clone(), index: index as u64, files, proof })
    }

    /// The latest signed checkpoint held of a log, ours or a peer's.
    fn latest_note(&self, log: &dataset_model::NodeId) -> Result<String, NodeError> {
        if *log == self.config.id {
            return self.checkpoint();
        }
        let held = self.peer_notes().get(log.as_str())?;
        held.ok_or_else(|| {
            NodeError::Unavailable(format!("no signed checkpoint of '{log}' is held here yet: try again"))
        })
    }
}

/// The size of the tree that a checkpoint is about.
fn signed_size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}
