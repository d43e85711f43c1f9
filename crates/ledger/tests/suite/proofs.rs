//! Roots, tiles and proofs against `tlog_tiles` and the tree of `dataset-model`.

use crate::support::{node, nth};
use dataset_model::{Digest, MerkleTree, NodeId};
use ledger::{Append, Ledger, LedgerError};
use proptest::prelude::*;
use tlog_tiles::{Error, Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree};

const SIZE: u64 = 1030;

struct Fixture {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    log: NodeId,
    /// The roots of the trees of 0, 1, 2, … entries.
    roots: Vec<Digest>,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let log = node("europe");
    let entries: Vec<Vec<u8>> = (0..SIZE).map(|index| nth(index, 100)).collect();
    let mut tree = MerkleTree::default();
    let mut roots = vec![tree.root()];
    for entry in &entries {
        tree.push(entry);
        roots.push(tree.root());
    }
    for batch in entries.chunks(333) {
        ledger.append(&log, Append { entries: batch.to_vec(), ..Append::default() }).unwrap();
    }
    Fixture { _folder: folder, ledger, log, roots }
}

fn hash(digest: Digest) -> Hash {
    Hash(*digest.as_bytes())
}

fn hashes(digests: &[Digest]) -> Vec<Hash> {
    digests.iter().copied().map(hash).collect()
}

/// What an auditor does: read tiles by their C2SP coordinates.
struct Auditor<'a>(&'a Fixture);

impl TileReader for Auditor<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let width = (tile.width() < 256).then(|| u8::try_from(tile.width()).unwrap());
            let bytes = self.0.ledger.tile(&self.0.log, tile.level(), tile.level_index(), width).unwrap();
            bytes.map(|bytes| bytes.to_vec()).ok_or(Error::InvalidTile)
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn every_earlier_root_can_be_had_again() {
    let fixture = fixture();
    for size in 0..=SIZE {
        assert_eq!(fixture.ledger.root(&fixture.log, size).unwrap(), fixture.roots[size as usize], "{size}");
    }
    let beyond = fixture.ledger.root(&fixture.log, SIZE + 1).unwrap_err();
    assert!(matches!(beyond, LedgerError::BeyondEnd { asked: 1031, size: 1030, .. }), "{beyond}");
}

#[test]
fn an_auditor_proves_every_entry_from_the_tiles_of_every_size() {
    let fixture = fixture();
    for size in (1..=SIZE).step_by(37).chain([255, 256, 257, 512, SIZE]) {
        let auditor = Auditor(&fixture);
        let tiles = TileHashReader::new(size, hash(fixture.roots[size as usize]), &auditor);
        for index in [0, size / 2, size - 1] {
            let leaf = tiles.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]).unwrap()[0];
            assert_eq!(leaf, tlog_tiles::record_hash(&nth(index, 100)), "entry {index} of {size}");
        }
    }
}

#[test]
fn bundles_hold_the_entries_after_their_lengths() {
    let fixture = fixture();
    for (index, width) in [(0, None), (3, None), (4, Some(1)), (4, Some(6)), (1, Some(200))] {
        let count = width.map_or(256, u64::from);
        let mut expected = Vec::new();
        for entry in (index * 256..index * 256 + count).map(|entry| nth(entry, 100)) {
            expected.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
            expected.extend_from_slice(&entry);
        }
        assert_eq!(fixture.ledger.entry_bundle(&fixture.log, index, width).unwrap().unwrap(), expected);
    }
}

#[test]
fn tiles_that_are_not_there_yet_are_not_served() {
    let fixture = fixture();
    let Fixture { ledger, log, .. } = &fixture;
    for (level, index, width) in [
        (0, 4, None),
        (0, 4, Some(7)),
        (0, 5, Some(1)),
        (1, 0, None),
        (1, 0, Some(5)),
        (2, 0, Some(1)),
        (7, 0, Some(1)),
        (8, 0, Some(1)),
        (255, 0, None),
        (0, u64::MAX, None),
        (0, u64::MAX / 256, None),
        (0, 0, Some(0)),
    ] {
        assert_eq!(ledger.tile(log, level, index, width).unwrap(), None, "{level} {index} {width:?}");
    }
    assert_eq!(ledger.tile(log, 1, 0, Some(4)).unwrap().unwrap().len(), 128);
    assert_eq!(ledger.entry_bundle(log, 4, Some(7)).unwrap(), None);
    assert_eq!(ledger.tile(&node("japan"), 0, 0, Some(1)).unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]

    #[test]
    fn proofs_convince_tlog_tiles(
        pairs in prop::collection::vec((1..=SIZE, any::<prop::sample::Index>()), 400)
    ) {
        let fixture = fixture();
        let Fixture { ledger, log, roots, .. } = &fixture;
        for (size, other) in pairs {
            let smaller = other.index(size as usize) as u64;
            let root = hash(roots[size as usize]);
            let proof = hashes(&ledger.inclusion_proof(log, smaller, size).unwrap());
            let leaf = tlog_tiles::record_hash(&nth(smaller, 100));
            prop_assert!(check_record(&proof, size, root, smaller, leaf).is_ok(), "{smaller} in {size}");
            let old = smaller + 1;
            let proof = hashes(&ledger.consistency_proof(log, old, size).unwrap());
            prop_assert!(check_tree(&proof, size, root, old, hash(roots[old as usize])).is_ok(), "{old} to {size}");
        }
    }
}

#[test]
fn proofs_of_what_is_not_there_are_refused() {
    let fixture = fixture();
    let Fixture { ledger, log, .. } = &fixture;
    assert!(matches!(ledger.inclusion_proof(log, 5, 5), Err(LedgerError::BeyondEnd { .. })));
    assert!(matches!(ledger.inclusion_proof(log, 0, SIZE + 1), Err(LedgerError::BeyondEnd { .. })));
    assert!(matches!(ledger.consistency_proof(log, 6, 5), Err(LedgerError::BeyondEnd { .. })));
    assert!(ledger.consistency_proof(log, 0, SIZE).unwrap().is_empty());
    assert!(ledger.consistency_proof(log, SIZE, SIZE).unwrap().is_empty());
}
