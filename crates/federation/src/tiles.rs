//! Questions about a tree, answered from hash tiles that its signed root vouches for.

use std::{cell::RefCell, collections::HashMap, ops::Range};

use bytes::Bytes;
use dataset_model::Digest;
use serde::{Deserialize, Serialize};
use tlog_tiles::{
    Error, HASH_SIZE, Hash, HashReader, Tile, TileHashReader, TileReader, check_tree, prove_tree, stored_hash_index,
    sub_tree_index, tree_hash,
};

use crate::FederationError;

const HEIGHT: u8 = 8;

/// A Merkle tree over the first entries of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Tree {
    /// Whether a proof (RFC 6962 §2.1.2) shows that this tree extends a smaller one. Nothing is to be proven of the empty tree
    /// and of one of the same size.
    pub fn extends(self, smaller: Self, proof: &[Digest]) -> bool {
        if smaller.size == 0 || smaller.size >= self.size {
            return proof.is_empty() && (smaller.size == 0 || smaller == self);
        }
        let proof = proof.iter().map(|hash| Hash(*hash.as_bytes())).collect();
        let (root, smaller_root) = (Hash(*self.root.as_bytes()), Hash(*smaller.root.as_bytes()));
        check_tree(&proof, self.size, root, smaller.size, smaller_root).is_ok()
    }
}

/// Tiles that were fetched; nothing is believed about them yet.
pub(crate) type Tiles = HashMap<Tile, Bytes>;

/// What one may want to know about a tree.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// The hashes that prove that the tree extends the one of this size; more than nothing and less than all of it.
    Extends(u64),
    /// The hashes that make the root over so many entries; at least one and not more than all.
    Root(u64),
    /// The hashes of the entries in a range.
    Leaves(Range<u64>),
}

impl Question {
    /// The tiles that are needed for the answer and to check it.
    pub(crate) fn tiles(&self, tree: Tree) -> Vec<Tile> {
        let wanted = Wanted::default();
        // It fails where it would read the tiles; which ones is what we wanted to know.
        drop(self.ask(tree, &wanted));
        wanted.0.into_inner()
    }

    fn ask(&self, tree: Tree, tiles: &impl TileReader) -> Result<Vec<Hash>, Error> {
        let hashes = TileHashReader::new(tree.size, Hash(*tree.root.as_bytes()), tiles);
        match self {
            Self::Extends(smaller) => prove_tree(tree.size, *smaller, &hashes),
            Self::Root(size) => hashes.read_hashes(&sub_tree_index(0, *size, Vec::new())),
            Self::Leaves(range) => {
                let indexes: Vec<u64> = range.clone().map(|index| stored_hash_index(0, index)).collect();
                hashes.read_hashes(&indexes)
            }
        }
    }
}

/// The root over the first entries of a tree, and the proof that the tree extends the one of that root.
pub(crate) fn prefix(tree: Tree, size: u64, tiles: &Tiles) -> Result<(Digest, Vec<Digest>), FederationError> {
    let fetched = Fetched { size: tree.size, tiles };
    let hashes = TileHashReader::new(tree.size, Hash(*tree.root.as_bytes()), &fetched);
    let root = tree_hash(size, &hashes).map_err(|_| FederationError::Inconsistent { size: tree.size })?;
    let proof = answer(&Question::Extends(size), tree, tiles)?;
    Ok((Digest::from_bytes(root.0), proof.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect()))
}

/// Whether a tree extends a smaller one.
pub(crate) fn extends(tree: Tree, smaller: Tree, tiles: &Tiles) -> Result<bool, FederationError> {
    let proof = answer(&Question::Extends(smaller.size), tree, tiles)?;
    let proof: Vec<Digest> = proof.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect();
    Ok(tree.extends(smaller, &proof))
}

/// The index of the first of these entries that is not in the tree at its place.
pub(crate) fn first_wrong(
    tree: Tree,
    start: u64,
    entries: &[Bytes],
    tiles: &Tiles,
) -> Result<Option<u64>, FederationError> {
    let end = start + entries.len() as u64;
    let leaves = answer(&Question::Leaves(start..end), tree, tiles)?;
    let mut pairs = (start..).zip(entries.iter().zip(leaves));
    Ok(pairs.find(|(_, (entry, leaf))| tlog_tiles::record_hash(entry) != *leaf).map(|(index, _)| index))
}

/// The first of the tree's leaves in a range whose hash is not the one at that place in a list of all of them.
pub(crate) fn first_wrong_leaf(
    tree: Tree,
    indexes: Range<u64>,
    hashes: &[Digest],
    tiles: &Tiles,
) -> Result<Option<u64>, FederationError> {
    let leaves = answer(&Question::Leaves(indexes.clone()), tree, tiles)?;
    let at = |index: u64| usize::try_from(index).ok().and_then(|index| hashes.get(index));
    let mut pairs = indexes.zip(leaves);
    Ok(pairs.find(|(index, leaf)| at(*index).is_none_or(|hash| hash.as_bytes() != &leaf.0)).map(|(index, _)| index))
}

fn answer(question: &Question, tree: Tree, tiles: &Tiles) -> Result<Vec<Hash>, FederationError> {
    question
        .ask(tree, &Fetched { size: tree.size, tiles })
        .map_err(|_| FederationError::Inconsistent { size: tree.size })
}

/// Notes which tiles are asked for, and has none.
#[derive(Default)]
struct Wanted(RefCell<Vec<Tile>>);

impl TileReader for Wanted {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        self.0.borrow_mut().extend_from_slice(tiles);
        Err(Error::InvalidTile)
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Tiles of a tree of some size, of which those that have a parent agree with it. The reader checks that itself, except for as many of
/// them as the tiles of the tree's right edge have more than one hash in its root (tlog_tiles 0.2.0, `TileHashReader::read_hashes`).
struct Fetched<'a> {
    size: u64,
    tiles: &'a Tiles,
}

impl Fetched<'_> {
    fn get(&self, tile: &Tile) -> Result<&Bytes, Error> {
        self.tiles.get(tile).ok_or(Error::InvalidTile)
    }

    fn check_against_parent(&self, tile: &Tile, wanted: &[Tile]) -> Result<(), Error> {
        let parent = tile.parent(1, self.size).filter(|parent| wanted.contains(parent));
        let Some(parent) = parent.filter(|_| tile.width() == 1 << HEIGHT) else { return Ok(()) };
        let index = stored_hash_index(parent.level() * HEIGHT, tile.level_index());
        let hash = parent.hash_at_index(self.get(&parent)?, index)?;
        let bytes = self.get(tile)?;
        let whole = bytes.len() == HASH_SIZE << HEIGHT;
        if whole && Tile::subtree_hash(bytes) == hash { Ok(()) } else { Err(Error::InconsistentTile) }
    }
}

impl TileReader for Fetched<'_> {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, wanted: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        wanted.iter().try_for_each(|tile| self.check_against_parent(tile, wanted))?;
        wanted.iter().map(|tile| self.get(tile).map(|bytes| bytes.to_vec())).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}
