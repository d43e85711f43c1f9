use sha2::{Digest as _, Sha256};

use crate::Digest;

/// A Merkle tree hash as in RFC 6962 §2.1 / RFC 9162 §2.1.1, built leaf by leaf in logarithmic memory.
///
/// ```
/// let mut tree = dataset_model::MerkleTree::default();
/// tree.push(b"leaf");
/// assert_eq!(tree.root().to_string().len(), 64);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MerkleTree {
    /// Roots of complete subtrees, largest first, with the number of leaves under each.
    peaks: Vec<(u64, Digest)>,
}

impl MerkleTree {
    /// Takes up a tree where it was left: the roots of its complete subtrees, largest first, with their leaf counts.
    pub fn from_peaks(peaks: Vec<(u64, Digest)>) -> Self {
        Self { peaks }
    }

    /// How many leaves were added.
    pub fn size(&self) -> u64 {
        self.peaks.iter().map(|(size, _)| size).sum()
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut node = (1, hash(&[&[0], leaf]));
        while let Some(&(size, left)) = self.peaks.last().filter(|(size, _)| *size == node.0) {
            node = (size * 2, parent(&left, &node.1));
            self.peaks.pop();
        }
        self.peaks.push(node);
    }

    /// The root over all leaves so far; of an empty tree, the SHA-256 of nothing.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev().map(|(_, digest)| *digest);
        match peaks.next() {
            None => Digest::of([]),
            Some(last) => peaks.fold(last, |right, left| parent(&left, &right)),
        }
    }
}

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    hash(&[&[0], leaf])
}

/// The root of the tree whose leaves have these hashes; they may be the roots of complete subtrees of one size, of which only
/// the last one may be smaller.
pub fn root_of(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => Digest::of([]),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(half_of(hashes.len()));
            parent(&root_of(left), &root_of(right))
        }
    }
}

/// What proves that one of these hashes is in the tree over them at its place: the hashes from its neighbour up (RFC 6962
/// §2.1.1). Empty where there is no such place.
pub fn inclusion_path(hashes: &[Digest], index: usize) -> Vec<Digest> {
    let (mut path, mut within, mut at) = (Vec::new(), hashes, index);
    while within.len() > 1 && at < within.len() {
        let (left, right) = within.split_at(half_of(within.len()));
        if at < left.len() {
            path.push(root_of(right));
            within = left;
        } else {
            path.push(root_of(left));
            at -= left.len();
            within = right;
        }
    }
    path.reverse();
    path
}

/// The root that an inclusion proof leads to, from the hash of a leaf at `index` of `size`; nothing when the proof has not
/// the length it must have.
pub fn root_from_path(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    // RFC 9162 §2.1.3.2.
    let (mut node, mut last) = (index, size.checked_sub(1)?);
    if index >= size {
        return None;
    }
    let mut root = leaf;
    for hash in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            root = parent(hash, &root);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            root = parent(&root, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// The largest power of two that is smaller than a number above one.
fn half_of(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn parent(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[1], left.as_bytes(), right.as_bytes()])
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    Digest::from_bytes(sha.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recursive definition, straight from the RFC.
    fn by_definition(leaves: &[Vec<u8>]) -> Digest {
        match leaves {
            [] => Digest::of([]),
            [leaf] => hash(&[&[0], leaf]),
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                parent(&by_definition(&leaves[..half]), &by_definition(&leaves[half..]))
            }
        }
    }

    #[test]
    fn the_stack_agrees_with_the_definition_for_every_size() {
        for count in 0..70_u8 {
            let leaves: Vec<Vec<u8>> = (0..count).map(|i| vec![i; usize::from(i)]).collect();
            let mut tree = MerkleTree::default();
            leaves.iter().for_each(|leaf| tree.push(leaf));
            assert_eq!(tree.root(), by_definition(&leaves), "{count} leaves");
        }
    }

    #[test]
    fn every_leaf_of_every_tree_is_proved_at_its_place_and_nowhere_else() {
        for count in 1..40_u8 {
            let hashes: Vec<Digest> = (0..count).map(|leaf| leaf_hash(&[leaf])).collect();
            let (root, size) = (root_of(&hashes), u64::from(count));
            for (index, leaf) in hashes.iter().enumerate() {
                let path = inclusion_path(&hashes, index);
                assert_eq!(root_from_path(*leaf, index as u64, size, &path), Some(root), "{index} of {count}");
                let other = (index as u64 + 1) % size;
                assert!(count == 1 || root_from_path(*leaf, other, size, &path) != Some(root), "{index} of {count}");
                assert_eq!(root_from_path(*leaf, index as u64, size, &[path, vec![root]].concat()), None);
            }
        }
        assert_eq!(root_from_path(Digest::of("x"), 0, 0, &[]), None);
        assert_eq!(root_from_path(Digest::of("x"), 2, 2, &[Digest::of("y")]), None);
    }

    #[test]
    fn roots_of_subtrees_stand_for_their_leaves() {
        for count in [1, 255, 256, 257, 512, 1000_usize] {
            let hashes: Vec<Digest> = (0..count).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
            let blocks: Vec<Digest> = hashes.chunks(256).map(root_of).collect();
            assert_eq!(root_of(&blocks), root_of(&hashes), "{count}");
        }
    }
}
