use std::{collections::BTreeMap, ops::Range};

use dataset_model::{Digest, MerkleTree, NodeId};
use tlog_tiles::{Hash, node_hash, record_hash};

use crate::{
    LedgerError,
    database::{Database, Writes},
    keys,
};

/// The growing edge of a log: its size and the roots of its complete subtrees, largest first (RFC 9162 §2.1.1).
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<(u8, Hash)>,
}

/// The edge of every log.
pub(crate) type Frontiers = BTreeMap<NodeId, Frontier>;

impl Frontier {
    /// The edge that a log had when it held `size` entries.
    pub(crate) fn at(database: &Database, node: &NodeId, size: u64) -> Result<Self, LedgerError> {
        let peaks = peaks_of(size)
            .map(|(level, index)| Ok((level, read_hash(database, node, level, index)?)))
            .collect::<Result<_, LedgerError>>()?;
        Ok(Self { size, peaks })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry, and to `writes` the hash of every subtree that it completes.
    pub(crate) fn push(&mut self, node: &NodeId, entry: &[u8], writes: &mut Writes) {
        let (mut level, mut hash) = (0, record_hash(entry));
        writes.push((keys::hash(node, level, self.size), Some(hash.0.to_vec())));
        while let Some(&(_, left)) = self.peaks.last().filter(|(peak, _)| *peak == level) {
            self.peaks.pop();
            level += 1;
            hash = node_hash(left, hash);
            writes.push((keys::hash(node, level, self.size >> level), Some(hash.0.to_vec())));
        }
        self.peaks.push((level, hash));
        self.size += 1;
    }

    pub(crate) fn tree(&self) -> MerkleTree {
        let peaks = self.peaks.iter().map(|(level, hash)| (1 << level, Digest::from_bytes(hash.0)));
        MerkleTree::from_peaks(peaks.collect())
    }

    pub(crate) fn root(&self) -> Digest {
        self.tree().root()
    }
}

/// Reads the hash of a complete subtree.
pub(crate) fn read_hash(database: &Database, node: &NodeId, level: u8, index: u64) -> Result<Hash, LedgerError> {
    let value = database.get(&keys::hash(node, level, index))?;
    to_hash(value.as_deref().unwrap_or_default())
        .ok_or_else(|| LedgerError::damaged(format!("the log of {node} lacks the hash at level {level}, {index}")))
}

/// Reads the hashes of neighbouring subtrees.
pub(crate) fn read_hashes(
    database: &Database,
    node: &NodeId,
    level: u8,
    indexes: Range<u64>,
) -> Result<Vec<Hash>, LedgerError> {
    let found = database.range(keys::hash(node, level, indexes.start), keys::hash(node, level, indexes.end));
    let hashes: Option<Vec<Hash>> = found.map(|row| row.map(|(_, value)| to_hash(&value))).collect::<Result<_, _>>()?;
    hashes
        .filter(|hashes| hashes.len() as u64 == indexes.end.saturating_sub(indexes.start))
        .ok_or_else(|| LedgerError::damaged(format!("the log of {node} lacks hashes at level {level}, {indexes:?}")))
}

fn to_hash(value: &[u8]) -> Option<Hash> {
    value.try_into().ok().map(Hash)
}

/// Level and index of the complete subtrees of a tree of `size` leaves, largest first.
fn peaks_of(size: u64) -> impl Iterator<Item = (u8, u64)> {
    (0..64_u8).rev().filter(move |level| size >> level & 1 == 1).map(move |level| (level, (size >> level) - 1))
}
