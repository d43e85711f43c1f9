//! Logs with known contents, and a check that everything a ledger says about a log agrees.

use std::collections::BTreeMap;

use bytes::Bytes;
use dataset_model::{
    Catalogued, DatasetId, Digest, Entry, Event, MerkleTree, NodeId, VersionNumber, WithdrawReason, Withdrawn,
};
use ledger::Ledger;

pub(crate) fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub(crate) fn dataset(name: &str) -> DatasetId {
    name.parse().unwrap()
}

pub(crate) fn crate_of(text: &str) -> (Digest, Bytes) {
    (Digest::of(text), Bytes::from(text.to_owned()))
}

/// An entry that points to the crate `text`.
pub(crate) fn catalogued(id: &str, previous: Option<u64>, text: &str) -> Vec<u8> {
    let event = Event::Catalogue(Catalogued {
        crate_digest: Digest::of(text),
        original: None,
        graph: None,
        source: "tests".into(),
    });
    entry(id, previous, event)
}

pub(crate) fn withdrawn(id: &str, previous: Option<u64>) -> Vec<u8> {
    entry(id, previous, Event::Withdraw(Withdrawn { reason: WithdrawReason::Unlisted }))
}

fn entry(id: &str, previous: Option<u64>, event: Event) -> Vec<u8> {
    let time = "2026-11-21T10:00:00Z".parse().unwrap();
    Entry { dataset: dataset(id), version: VersionNumber::FIRST, previous, time, event }.to_bytes().unwrap()
}

/// The entry at `index` of a log in which entry `i` is about dataset `i % datasets`.
pub(crate) fn nth(index: u64, datasets: u64) -> Vec<u8> {
    let id = format!("set-{}", index % datasets);
    catalogued(&id, index.checked_sub(datasets), &format!("crate {index}"))
}

/// Compares everything the ledger says about a log with the entries it should hold.
pub(crate) fn check(ledger: &Ledger, node: &NodeId, expected: &[Vec<u8>]) {
    let size = expected.len() as u64;
    assert_eq!(ledger.size(node).unwrap(), size);
    assert_eq!(ledger.entries(node, 0..size + 1).unwrap(), expected);
    assert_eq!(ledger.entry(node, size).unwrap(), None);
    let mut tree = MerkleTree::default();
    let mut heads = BTreeMap::new();
    for (index, bytes) in expected.iter().enumerate() {
        tree.push(bytes);
        heads.insert(Entry::from_bytes(bytes).unwrap().dataset, index as u64);
    }
    assert_eq!(ledger.root(node, size).unwrap(), tree.root());
    assert_eq!(ledger.frontier(node).unwrap().root(), tree.root());
    assert_eq!(ledger.frontier(node).unwrap().size(), size);
    assert_eq!(ledger.heads(node).collect::<Result<BTreeMap<_, _>, _>>().unwrap(), heads);
    for (dataset, index) in heads {
        assert_eq!(ledger.head(node, &dataset).unwrap(), Some(index));
    }
}
