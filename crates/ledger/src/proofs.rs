//! Roots, tiles and proofs of a log (RFC 9162 §2.1, C2SP tlog-tiles).

use bytes::{BufMut, Bytes, BytesMut};
use dataset_model::{Digest, MerkleTree, NodeId};
use tlog_tiles::{Hash, HashReader, prove_record, prove_tree, split_stored_hash_index};

use crate::{
    Ledger, LedgerError,
    database::Database,
    frontier::{Frontier, read_hash, read_hashes},
};

/// Tiles are 8 levels high, 256 hashes wide.
const TILE_HEIGHT: u8 = 8;
const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

impl Ledger {
    /// The root of the tree over the first `size` entries.
    ///
    /// # Errors
    /// [`LedgerError::BeyondEnd`] when the log has fewer.
    pub fn root(&self, node: &NodeId, size: u64) -> Result<Digest, LedgerError> {
        self.within(node, size)?;
        Ok(Frontier::at(&self.database, node, size)?.root())
    }

    /// The tree over all entries, ready to take more leaves.
    ///
    /// # Errors
    /// When reading fails.
    pub fn frontier(&self, node: &NodeId) -> Result<MerkleTree, LedgerError> {
        Ok(Frontier::at(&self.database, node, self.size(node)?)?.tree())
    }

    /// A tile of hashes: 32 bytes for each of its 256 hashes, or of the first `width` (1 to 255) for a partial tile.
    /// Nothing when the log has not that many.
    ///
    /// # Errors
    /// When reading fails.
    pub fn tile(&self, node: &NodeId, level: u8, index: u64, width: Option<u8>) -> Result<Option<Bytes>, LedgerError> {
        let Some(height) = level.checked_mul(TILE_HEIGHT).filter(|height| *height < 64) else { return Ok(None) };
        let Some(hashes) = tile_range(index, width, self.size(node)? >> height) else { return Ok(None) };
        let hashes = read_hashes(&self.database, node, height, hashes)?;
        Ok(Some(hashes.iter().flat_map(|hash| hash.0).collect()))
    }

    /// A bundle of entries: each of its 256 entries, or of the first `width` (1 to 255), after its length (16 bits,
    /// big-endian). Nothing when the log has not that many.
    ///
    /// # Errors
    /// When reading fails.
    pub fn entry_bundle(&self, node: &NodeId, index: u64, width: Option<u8>) -> Result<Option<Bytes>, LedgerError> {
        let Some(indexes) = tile_range(index, width, self.size(node)?) else { return Ok(None) };
        let mut bundle = BytesMut::new();
        for entry in self.entries(node, indexes)? {
            let length = u16::try_from(entry.len())
                .map_err(|_| LedgerError::damaged(format!("the log of {node} has an entry larger than 64 KiB")))?;
            bundle.put_u16(length);
            bundle.put(entry);
        }
        Ok(Some(bundle.freeze()))
    }

    /// Proves that the tree over the first `size` entries holds the entry at `index`: the hashes of RFC 9162 §2.1.3,
    /// from the leaf up.
    ///
    /// # Errors
    /// [`LedgerError::BeyondEnd`] unless `index < size` and the log has `size` entries.
    pub fn inclusion_proof(&self, node: &NodeId, index: u64, size: u64) -> Result<Vec<Digest>, LedgerError> {
        self.within(node, size)?;
        if index >= size {
            return Err(LedgerError::BeyondEnd { node: node.clone(), asked: index.saturating_add(1), size });
        }
        self.prove(node, |hashes| prove_record(size, index, hashes))
    }

    /// Proves that the tree over the first `new` entries extends the one over the first `old`: the hashes of RFC 9162
    /// §2.1.4. Empty where there is nothing to prove: `old` is 0 or equal to `new`.
    ///
    /// # Errors
    /// [`LedgerError::BeyondEnd`] unless `old <= new` and the log has `new` entries.
    pub fn consistency_proof(&self, node: &NodeId, old: u64, new: u64) -> Result<Vec<Digest>, LedgerError> {
        self.within(node, new)?;
        if old > new {
            return Err(LedgerError::BeyondEnd { node: node.clone(), asked: old, size: new });
        }
        if old == 0 {
            return Ok(Vec::new());
        }
        self.prove(node, |hashes| prove_tree(new, old, hashes))
    }

    fn within(&self, node: &NodeId, asked: u64) -> Result<(), LedgerError> {
        let size = self.size(node)?;
        if asked <= size { Ok(()) } else { Err(LedgerError::BeyondEnd { node: node.clone(), asked, size }) }
    }

    fn prove(
        &self,
        node: &NodeId,
        proof: impl FnOnce(&StoredHashes<'_>) -> Result<Vec<Hash>, tlog_tiles::Error>,
    ) -> Result<Vec<Digest>, LedgerError> {
        let hashes = StoredHashes { database: &self.database, node };
        let proof = proof(&hashes)
            .map_err(|error| LedgerError::damaged(format!("the log of {node} cannot prove itself: {error}")))?;
        Ok(proof.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
    }
}

/// The indexes a tile covers, when `available` hashes are enough for it.
fn tile_range(index: u64, width: Option<u8>, available: u64) -> Option<std::ops::Range<u64>> {
    let start = index.checked_mul(TILE_WIDTH)?;
    let end = start.checked_add(width.map_or(TILE_WIDTH, u64::from))?;
    (start < end && end <= available).then_some(start..end)
}

/// Hashes by the numbering of Crosby and Wallach that the proofs use.
struct StoredHashes<'a> {
    database: &'a Database,
    node: &'a NodeId,
}

impl HashReader for StoredHashes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |&index: &u64| {
            let (level, index) = split_stored_hash_index(index);
            read_hash(self.database, self.node, level, index)
                .map_err(|error| tlog_tiles::Error::InvalidInput(error.to_string()))
        };
        indexes.iter().map(read).collect()
    }
}
