//! Two histories of one log, and one history under two keys.

use dataset_model::{Digest, Timestamp};
use federation::{Comparison, FederationError, ForkProof, ForkSide, KeyChain, KeyChange, NodeKey, Tree};
use proptest::prelude::*;

use crate::peer::{Peer, entries, entry, limits, tree};

fn tree_of(entries: &[Vec<u8>]) -> Tree {
    let tree = tree(entries);
    Tree { size: tree.size(), root: tree.root() }
}

/// A log of `length` entries that differs from the usual one at `at`.
fn other_history(length: u64, at: u64) -> Vec<Vec<u8>> {
    (0..length).map(|index| entry(if index == at { index + 100_000 } else { index })).collect()
}

#[tokio::test]
async fn what_differs_is_proven_so_that_anybody_can_check() {
    for (before, now, at) in [(1, 2, 0), (5, 5, 2), (256, 700, 255), (300, 301, 0), (70_000, 70_001, 69_999)] {
        let (held, other) = (entries(before), other_history(now, at));
        let peer = Peer::new(other.clone()).serve().await;
        let puller = peer.puller_within(limits());
        let checkpoint = puller.signed_checkpoint().await.unwrap();
        let Comparison::Differs { root, proof } = puller.compare(checkpoint.tree(), tree_of(&held)).await.unwrap()
        else {
            panic!("{before}, {now}, {at}");
        };
        assert_eq!(root, tree(&other[..usize::try_from(before).unwrap()]).root());
        let first = ForkSide {
            note: peer.peer.key.sign_checkpoint(before, tree_of(&held).root),
            root: tree_of(&held).root,
            proof: Some(Vec::new()),
        };
        let second = ForkSide { note: checkpoint.note.clone(), root, proof: Some(proof) };
        let fork = ForkProof { size: before, sides: [first, second] };
        let keys = [peer.peer.key.public_key()];
        fork.verify(&keys).unwrap();

        let changed = |change: &dyn Fn(&mut ForkProof)| {
            let mut fork = fork.clone();
            change(&mut fork);
            fork.verify(&keys).is_err()
        };
        assert!(changed(&|fork| fork.sides[1].root = Digest::of("x")));
        assert!(changed(&|fork| fork.sides[0].root = fork.sides[1].root));
        assert!(changed(&|fork| fork.sides[1].proof = None));
        assert!(changed(&|fork| fork.sides[1].proof.as_mut().unwrap().push(Digest::of("x"))));
        assert!(changed(&|fork| fork.size += 1));
        assert!(changed(&|fork| fork.sides[0] = fork.sides[1].clone()), "one history is no contradiction");
        assert!(fork.verify(&[NodeKey::generate("heliograph.example/peer").public_key()]).is_err(), "another key");
    }
}

#[tokio::test]
async fn what_only_grew_does_not_differ() {
    let peer = Peer::new(entries(700)).serve().await;
    let puller = peer.puller();
    let checkpoint = puller.signed_checkpoint().await.unwrap();
    for size in [0, 1, 255, 256, 257, 699, 700] {
        let compared = puller.compare(checkpoint.tree(), tree_of(&entries(size))).await.unwrap();
        assert_eq!(compared, Comparison::Extends, "{size}");
    }
    let larger = puller.compare(checkpoint.tree(), tree_of(&entries(701))).await;
    assert!(matches!(larger, Err(FederationError::RolledBack { .. })));
}

fn change(from: &NodeKey, to: &NodeKey, size: u64) -> KeyChange {
    let time: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    KeyChange::sign(from, to, Tree { size, root: Digest::of(size.to_be_bytes()) }, time).unwrap()
}

fn chain(changes: &[&KeyChange]) -> KeyChain {
    let changes = changes.iter().map(|change| change.note.clone()).collect();
    KeyChain { log: "a.example".into(), public_key: String::new(), changes }
}

#[test]
fn a_chain_of_keys_is_followed_from_where_one_stands() {
    let keys: Vec<NodeKey> = (0..4).map(|_| NodeKey::generate("a.example")).collect();
    let changes: Vec<KeyChange> =
        keys.windows(2).zip(0..).map(|(pair, size)| change(&pair[0], &pair[1], size)).collect();
    let chain = chain(&changes.iter().collect::<Vec<_>>());
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(chain.after(&key.public_key()).unwrap(), changes[at..], "{at}");
    }
    let stranger = NodeKey::generate("a.example").public_key();
    assert_eq!(chain.after(&stranger).unwrap(), []);
}

#[test]
fn a_change_needs_both_signatures_and_the_logs_name() {
    let (old, new, thief) =
        (NodeKey::generate("a.example"), NodeKey::generate("a.example"), NodeKey::generate("a.example"));
    let honest = change(&old, &new, 5);
    assert_eq!(KeyChange::read(&honest.note).unwrap(), honest);
    let lines: Vec<&str> = honest.note.lines().collect();
    for missing in [lines.len() - 1, lines.len() - 2] {
        let mut fewer = lines.clone();
        fewer.remove(missing);
        let note = fewer.join("\n") + "\n";
        assert!(KeyChange::read(&note).is_err(), "one signature is not enough: {note}");
    }
    let forged = honest.note.replace(&new.public_key().to_string(), &thief.public_key().to_string());
    assert!(matches!(
        chain(&[&KeyChange { note: forged, ..honest.clone() }]).after(&old.public_key()),
        Err(FederationError::BadSignature)
    ));
    let elsewhere = NodeKey::generate("b.example");
    let tree = Tree { size: 0, root: Digest::of([]) };
    let time = "2026-11-23T10:00:00Z".parse().unwrap();
    assert!(KeyChange::sign(&old, &elsewhere, tree, time).is_err());
    assert!(KeyChange::sign(&old, &old, tree, time).is_err());
}

proptest! {
    #[test]
    fn a_proof_shows_extension_and_nothing_else(old in 1..600_u64, more in 1..600_u64, bit in 0..256_usize, at: prop::sample::Index) {
        let new = entries(old + more);
        let (small, large) = (tree_of(&new[..usize::try_from(old).unwrap()]), tree_of(&new));
        let mut hashes = Vec::new();
        for (index, entry) in (0..).zip(&new) {
            let more = tlog_tiles::stored_hashes(index, entry, &Stored(&hashes)).unwrap();
            hashes.extend(more);
        }
        let proof = tlog_tiles::prove_tree(large.size, small.size, &Stored(&hashes)).unwrap();
        let mut proof: Vec<Digest> = proof.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect();
        prop_assert!(large.extends(small, &proof));
        prop_assert!(!small.extends(large, &proof));
        let at = at.index(proof.len());
        let mut bytes = *proof[at].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        proof[at] = Digest::from_bytes(bytes);
        prop_assert!(!large.extends(small, &proof));
    }
}

struct Stored<'a>(&'a [tlog_tiles::Hash]);

impl tlog_tiles::HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let read = |&index: &u64| {
            self.0.get(usize::try_from(index).unwrap()).copied().ok_or(tlog_tiles::Error::IndexesNotInTree)
        };
        indexes.iter().map(read).collect()
    }
}
