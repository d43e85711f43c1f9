//! Copies of peers' bytes: which are wanted, how far they are, and who else has some.
//!
//! A copy is an OCFL object of its own, in an archive of its own (`storage.mirror`). Its OCFL versions are the dataset's
//! versions in the order they were copied, newest first; [`Copy`] says which is which. A copy counts once that document is
//! written: what an interruption leaves before is gone on with, or written again.

pub(crate) mod copying;
mod known;
mod policy;
mod round;
mod setting;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use archive_store::Archive;
use dataset_model::{DatasetId, DatasetKey, Digest, NodeId, Timestamp, VersionNumber};
use federation::{MirroredPage, MirroredVersion, PeerClient};
use ledger::Collection;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{Actor, CopyView, Node, NodeError, NodeView, policy::require_read, service::Locks};

pub use policy::{MirrorPolicy, Wanted};
pub use setting::{MirrorSection, MirrorSetting};

/// What the node keeps of others, beside what the ledger says about it.
pub(crate) struct Mirrors {
    pub(crate) archive: Archive,
    pub(crate) wake: Notify,
    /// Whoever writes a copy has its lock.
    pub(crate) in_use: Locks,
    /// Counts copies that were lost, so that policies are gone through again.
    lost: AtomicU64,
    states: Mutex<BTreeMap<NodeId, MirrorState>>,
    /// What peers said they hold.
    known: Mutex<HashMap<NodeId, HashSet<(DatasetKey, VersionNumber)>>>,
}

/// How mirroring one peer stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MirrorState {
    /// What is wanted: `none`, `all`, or the search.
    pub policy: String,
    /// Versions of which a complete copy is held.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that are wanted and not complete yet.
    pub pending: u64,
    /// Versions left out because they are too large, the last pass.
    pub too_large: u64,
    /// What went wrong last, if anything did; it is tried again.
    pub error: Option<String>,
}

/// A version of a peer that is completely held. Key: `{node}/{dataset}/{version}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// Which version of the OCFL object it is.
    pub object_version: VersionNumber,
    pub content_root: Digest,
    pub files: u64,
    pub bytes: u64,
    pub mirrored: Timestamp,
    /// When every byte was last found right.
    pub verified: Timestamp,
}

/// A node that is followed, as far as copying from it goes.
pub(crate) struct Followed {
    pub id: NodeId,
    pub policy: MirrorPolicy,
    pub client: PeerClient,
}

impl Mirrors {
    pub(crate) fn new(archive: Archive) -> Self {
        Self {
            archive,
            wake: Notify::new(),
            in_use: Locks::default(),
            lost: AtomicU64::new(0),
            states: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// A copy was lost, and is to be made again.
    pub(crate) fn copy_again(&self) {
        self.lost.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// What is wanted of a peer has changed.
    pub(crate) fn wanted_anew(&self, peer: &NodeId, policy: &MirrorPolicy) {
        let state = MirrorState { policy: policy.wanted.name().to_owned(), ..MirrorState::default() };
        let mut states = self.states();
        let known = states.remove(peer).unwrap_or_default();
        states.insert(peer.clone(), MirrorState { versions: known.versions, bytes: known.bytes, ..state });
        drop(states);
        self.copy_again();
    }

    /// What keeps copies from being complete.
    pub(crate) fn failures(&self) -> Vec<String> {
        let states = self.states();
        let failing = states.iter().filter_map(|(peer, state)| Some((peer, state.error.as_ref()?)));
        failing.map(|(peer, error)| format!("copying from '{peer}': {error}")).collect()
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<NodeId, MirrorState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<NodeId, HashSet<(DatasetKey, VersionNumber)>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of the object that holds copies of a dataset: `{node}.{dataset}`, which no two datasets share, as node names have no
/// dot.
pub(crate) fn object_of(key: &DatasetKey) -> Result<DatasetId, NodeError> {
    let id = format!("{}.{}", key.node, key.id);
    id.parse().map_err(|_| NodeError::Invalid(format!("'{}' is too long a name for a copy", key.id)))
}

/// The key of the document about a copy.
fn copy_key(key: &DatasetKey, version: VersionNumber) -> String {
    format!("{key}/{version}")
}

/// What a document's key says.
pub(crate) fn read_copy_key(key: &str) -> Option<(DatasetKey, VersionNumber)> {
    let mut parts = key.split('/');
    let (node, id, version) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((DatasetKey { node, id }, version))
}

impl Node {
    pub(crate) fn copies(&self) -> Collection<Copy> {
        self.ledger.collection("mirrored")
    }

    /// The copy held of a version, when it is complete.
    pub(crate) fn copy_of(&self, key: &DatasetKey, version: VersionNumber) -> Result<Option<Copy>, NodeError> {
        Ok(self.copies().get(&copy_key(key, version))?)
    }

    /// All copies held of a dataset.
    pub(crate) fn copies_of(&self, key: &DatasetKey) -> Result<BTreeMap<VersionNumber, Copy>, NodeError> {
        let rows = self.copies().iter_prefix(&format!("{key}/"));
        let read = |row: Result<(String, Copy), _>| {
            let (key, copy) = row?;
            Ok(read_copy_key(&key).map(|(_, version)| (version, copy)))
        };
        rows.map(read).filter_map(Result::transpose).collect()
    }

    /// The nodes that are followed.
    pub(crate) fn followed(&self) -> Vec<Followed> {
        let followed = self.peers.all().into_iter().map(|peer| Followed {
            id: peer.config.id.clone(),
            policy: peer.mirror(),
            client: peer.puller().client().clone(),
        });
        followed.collect()
    }

    /// How mirroring each peer stands, by name.
    ///
    /// # Errors
    /// Unless the actor may read what is open.
    pub fn mirror_states(&self, actor: &Actor) -> Result<BTreeMap<NodeId, MirrorState>, NodeError> {
        require_read(actor, dataset_model::Access::Open, || NodeError::NotFound("no mirrors".into()))?;
        Ok(self.mirrors.states().clone())
    }

    /// What this node holds of others, page by page; `after` is what the page before said.
    ///
    /// # Errors
    /// Unless the actor may read what is open.
    pub fn mirrored(&self, actor: &Actor, after: Option<&str>) -> Result<MirroredPage, NodeError> {
        require_read(actor, dataset_model::Access::Open, || NodeError::NotFound("no mirrors".into()))?;
        let mut page = MirroredPage::default();
        let mut last = None;
        for row in self.copies().iter_after(after.unwrap_or_default()) {
            let (key, copy) = row?;
            if page.copies.len() == MirroredPage::LENGTH {
                page.next = last;
                break;
            }
            let Some((of, version)) = read_copy_key(&key) else { continue };
            last = Some(key);
            page.copies.push(MirroredVersion {
                node: of.node,
                dataset: of.id,
                version,
                content_root: copy.content_root,
                files: copy.files,
                bytes: copy.bytes,
                verified: copy.verified,
            });
        }
        Ok(page)
    }

    pub(crate) fn copy_view(&self, key: &DatasetKey, version: VersionNumber) -> Result<Option<CopyView>, NodeError> {
        let view = |copy: Copy| CopyView {
            data: format!("{}/data/{}/{version}/", self.config.public_url, key.id),
            files: copy.files,
            bytes: copy.bytes,
            mirrored: copy.mirrored,
            verified: copy.verified,
        };
        Ok(self.copy_of(key, version)?.map(view))
    }

    /// Peers that say they hold a copy of a version.
    pub(crate) fn mirrors_of(&self, key: &DatasetKey, version: VersionNumber) -> Vec<NodeView> {
        let wanted = (key.clone(), version);
        let holders: Vec<NodeId> = {
            let known = self.mirrors.known();
            known.iter().filter(|(_, held)| held.contains(&wanted)).map(|(node, _)| node.clone()).collect()
        };
        let mut views: Vec<NodeView> = holders.into_iter().map(|id| NodeView { url: self.url_of(&id), id }).collect();
        views.sort_by(|a, b| a.id.cmp(&b.id));
        views
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_two_datasets_never_share_an_object() {
        let key = |node: &str, id: &str| DatasetKey { node: node.parse().unwrap(), id: id.parse().unwrap() };
        assert_eq!(object_of(&key("europe", "a.b")).unwrap().as_str(), "europe.a.b");
        assert_ne!(object_of(&key("eu", "rope.x")).unwrap(), object_of(&key("eu-rope", "x")).unwrap());
        assert!(object_of(&key("europe", &"x".repeat(128))).is_err());
        let version = "v3".parse().unwrap();
        assert_eq!(read_copy_key(&copy_key(&key("europe", "a.b"), version)), Some((key("europe", "a.b"), version)));
    }
}
