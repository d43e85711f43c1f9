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
}
