//! The pull against honest peers and against those that rewrite history.

use dataset_model::{Digest, MerkleTree};
use federation::{FederationError, Limits, NodeKey, Puller};
use proptest::prelude::*;

use crate::peer::{Answer, Peer, entries, entry, limits, tree};

/// Pulls everything, batch by batch, starting from what is held.
pub(crate) async fn pull_all(
    puller: &Puller,
    mut held: Vec<Vec<u8>>,
    batch: u64,
) -> Result<Vec<Vec<u8>>, FederationError> {
    let mut after = tree(&held);
    let checkpoint = puller.checkpoint(after.size(), after.root()).await?;
    while after.size() < checkpoint.size {
        let batch = puller.next_batch(&checkpoint, &after, batch).await?;
        assert!(!batch.entries.is_empty(), "every batch gets further");
        held.extend(batch.entries.iter().map(|entry| entry.to_vec()));
        after = batch.tree;
        assert_eq!((after.size(), after.root()), (held.len() as u64, tree(&held).root()));
    }
    assert_eq!(after.root(), checkpoint.root);
    Ok(held)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn an_honest_log_is_pulled_whole_from_anywhere_in_batches_of_any_size(
        size in 0..900_u64, held: prop::sample::Index, batch in 1..700_u64
    ) {
        let held = held.index(size as usize + 1) as u64;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pulled = runtime.block_on(async {
            let served = Peer::new(entries(size)).serve().await;
            // Batches of a few entries only take a few steps from the end.
            let held = if batch < 20 { held.max(size.saturating_sub(batch * 6)) } else { held };
            pull_all(&served.puller(), entries(held), batch).await.unwrap()
        });
        prop_assert_eq!(pulled, entries(size));
    }
}

#[tokio::test]
async fn batches_end_with_bundles_so_that_none_is_fetched_twice() {
    let served = Peer::new(entries(1000)).serve().await;
    let puller = served.puller();
    let mut held = tree(&entries(100));
    let checkpoint = puller.checkpoint(100, held.root()).await.unwrap();
    let mut sizes = Vec::new();
    while held.size() < checkpoint.size {
        held = puller.next_batch(&checkpoint, &held, 300).await.unwrap().tree;
        sizes.push(held.size());
    }
    assert_eq!(sizes, [256, 512, 768, 1000]);
    let batch = puller.next_batch(&checkpoint, &held, 300).await.unwrap();
    assert!(batch.entries.is_empty() && batch.tree.size() == 1000);
}

#[tokio::test]
async fn a_batch_of_large_entries_is_shorter() {
    let served = Peer::new(entries(1500)).serve().await;
    let puller = served.puller_within(Limits { batch_bytes: 60_000, ..limits() });
    let checkpoint = puller.checkpoint(0, MerkleTree::default().root()).await.unwrap();
    let batch = puller.next_batch(&checkpoint, &MerkleTree::default(), 1024).await.unwrap();
    assert!(batch.entries.len() < 1024 && batch.entries.len() % 256 == 0, "{} entries", batch.entries.len());
    assert_eq!(pull_all(&puller, Vec::new(), 1024).await.unwrap(), entries(1500));
}

#[tokio::test]
async fn an_old_checkpoint_can_be_finished_after_the_log_has_grown() {
    let key = NodeKey::generate("heliograph.example/peer");
    let young = Peer::new(entries(300)).with_key(key.clone()).serve().await;
    let checkpoint = young.puller().checkpoint(0, MerkleTree::default().root()).await.unwrap();
    // The grown log has dropped the partial tiles of its youth.
    let tidy =
        |path: &str, answer: Answer| if path.contains(".p/44") { Answer { status: 404, ..answer } } else { answer };
    let grown = Peer::new(entries(600)).with_key(key).altered(tidy).serve().await;
    let puller = grown.puller();
    let mut held = MerkleTree::default();
    while held.size() < checkpoint.size {
        held = puller.next_batch(&checkpoint, &held, 256).await.unwrap().tree;
    }
    assert_eq!(held.root(), checkpoint.root);
}

#[tokio::test]
async fn a_checkpoint_of_another_key_is_not_believed() {
    let served = Peer::new(entries(10)).serve().await;
    let stranger = NodeKey::generate("heliograph.example/peer").public_key();
    let puller = Puller::new(served.base.parse().unwrap(), stranger, limits()).unwrap();
    let outcome = puller.checkpoint(0, MerkleTree::default().root()).await;
    assert!(matches!(outcome, Err(FederationError::BadSignature)), "{outcome:?}");
}

#[tokio::test]
async fn a_log_that_became_shorter_is_named() {
    let served = Peer::new(entries(10)).serve().await;
    let outcome = served.puller().checkpoint(11, tree(&entries(11)).root()).await;
    assert!(matches!(outcome, Err(FederationError::RolledBack { held: 11, offered: 10 })), "{outcome:?}");
}

#[tokio::test]
async fn a_fork_is_named_whatever_its_size() {
    let mut other = entries(600);
    other[3] = entry(9999);
    let served = Peer::new(other).serve().await;
    for held in [4, 255, 256, 257, 500, 600] {
        let outcome = served.puller().checkpoint(held, tree(&entries(held)).root()).await;
        assert!(matches!(outcome, Err(FederationError::Fork { size }) if size == held), "{held}: {outcome:?}");
    }
    assert!(served.puller().checkpoint(3, tree(&entries(3)).root()).await.is_ok(), "the fork comes later");
}

#[tokio::test]
async fn a_fork_after_the_checkpoint_was_read_is_named_too() {
    let key = NodeKey::generate("heliograph.example/peer");
    let mut other = entries(600);
    other[3] = entry(9999);
    let forked = Peer::new(other).with_key(key.clone()).serve().await;
    let checkpoint = forked.puller().checkpoint(0, MerkleTree::default().root()).await.unwrap();
    let held = tree(&entries(300));
    let outcome = forked.puller().next_batch(&checkpoint, &held, 256).await;
    assert!(matches!(outcome, Err(FederationError::Fork { size: 300 })), "{outcome:?}");
    let outcome = forked.puller().next_batch(&checkpoint, &tree(&entries(600)), 256).await;
    assert!(matches!(outcome, Err(FederationError::Fork { size: 600 })), "{outcome:?}");
    let outcome = forked.puller().next_batch(&checkpoint, &tree(&entries(601)), 256).await;
    assert!(matches!(outcome, Err(FederationError::RolledBack { held: 601, offered: 600 })), "{outcome:?}");
}

#[tokio::test]
async fn a_signed_entry_that_is_no_canonical_entry_is_named() {
    let spaced = String::from_utf8(entry(5)).unwrap().replacen(':', ": ", 1).into_bytes();
    let twice = String::from_utf8(entry(5)).unwrap().replacen('{', r#"{"op":"withdraw","#, 1).into_bytes();
    for bad in [b"{}".to_vec(), Vec::new(), vec![0xff; 40], spaced, twice] {
        let mut log = entries(400);
        log[5] = bad;
        let served = Peer::new(log).serve().await;
        let outcome = pull_all(&served.puller(), entries(2), 256).await;
        assert!(matches!(outcome, Err(FederationError::BadEntry { index: 5 })), "{outcome:?}");
    }
}

#[tokio::test]
async fn crates_are_pulled_by_digest() {
    let served = Peer::new(entries(20)).serve().await;
    let asked = [Digest::of("crate 7"), Digest::of("gone")];
    let crates = served.puller().crates(&asked).await.unwrap();
    assert_eq!(crates[0].1.as_deref(), Some(&b"crate 7"[..]));
    assert_eq!(crates[1], (asked[1], None));
}
