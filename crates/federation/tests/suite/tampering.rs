//! Whatever a peer does to its answers, a pull gives the signed log or says what is wrong; never something else.

use std::sync::atomic::{AtomicUsize, Ordering};

use dataset_model::Digest;
use federation::FederationError;
use proptest::prelude::*;

use crate::{
    peer::{Answer, Peer, entries, entry},
    pull::pull_all,
};

/// What a peer does to the entry at some index before it hands its log out.
#[derive(Debug, Clone, Copy)]
enum Lie {
    Drop,
    Swap,
    Replace,
    Repeat,
}

impl Lie {
    fn tell(self, log: &mut Vec<Vec<u8>>, at: usize) {
        match self {
            Self::Drop => drop(log.remove(at)),
            Self::Swap if at + 1 < log.len() => log.swap(at, at + 1),
            Self::Swap | Self::Replace => log[at] = entry(1_000_000),
            Self::Repeat => log.insert(at + 1, log[at].clone()),
        }
    }

    /// The first index at which the log differs.
    fn index(self, at: u64) -> u64 {
        if matches!(self, Self::Repeat) { at + 1 } else { at }
    }
}

fn lies() -> impl Strategy<Value = Lie> {
    prop_oneof![Just(Lie::Drop), Just(Lie::Swap), Just(Lie::Replace), Just(Lie::Repeat)]
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Where a change strikes: in which request, at which place of the answer.
#[derive(Debug, Clone)]
enum Damage {
    Flip(u8),
    Cut,
    Append(u8),
    Swap(prop::sample::Index),
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (0..8_u8).prop_map(Damage::Flip),
        1 => Just(Damage::Cut),
        1 => any::<u8>().prop_map(Damage::Append),
        1 => any::<prop::sample::Index>().prop_map(Damage::Swap),
    ]
}

fn strike(damage: &Damage, at: &prop::sample::Index, body: &mut Vec<u8>) {
    let place = at.index(body.len());
    match damage {
        Damage::Flip(bit) => body[place] ^= 1 << bit,
        Damage::Cut => body.truncate(place),
        Damage::Append(byte) => body.insert(place, *byte),
        Damage::Swap(other) => {
            let other = other.index(body.len());
            body.swap(place, other);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_log_handed_out_otherwise_than_signed_is_detected_and_the_entry_named(
        size in 1..800_u64, held: prop::sample::Index, at: prop::sample::Index, lie in lies()
    ) {
        let held = held.index(size as usize) as u64;
        let at = held + at.index((size - held) as usize) as u64;
        let mut handed_out = entries(size);
        lie.tell(&mut handed_out, at as usize);
        let outcome = block_on(async {
            let served = Peer::new(entries(size)).handing_out(handed_out.clone()).serve().await;
            pull_all(&served.puller(), entries(held), 300).await
        });
        if handed_out.get(..size as usize) == Some(&entries(size)[..]) {
            // Something was added after the signed end, which nobody asks for.
            prop_assert_eq!(outcome.unwrap(), entries(size));
            return Ok(());
        }
        match outcome {
            Err(FederationError::BadEntry { index }) => prop_assert_eq!(index, lie.index(at)),
            // The last bundle has lost an entry, so that the peer has no bundle of that width any more.
            Err(FederationError::Refused { status: 404, .. }) => prop_assert!(matches!(lie, Lie::Drop)),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_damage_to_any_answer_gives_the_signed_log_or_a_peer_fault(
        size in 1..700_u64, held: prop::sample::Index, request in 0..8_usize, at: prop::sample::Index, damage in damages()
    ) {
        let held = held.index(size as usize + 1) as u64;
        let outcome = block_on(async {
            let answered = AtomicUsize::new(0);
            let alter = move |_: &str, mut answer: Answer| {
                if answered.fetch_add(1, Ordering::SeqCst) == request && !answer.body.is_empty() {
                    strike(&damage, &at, &mut answer.body);
                }
                answer
            };
            let served = Peer::new(entries(size)).altered(alter).serve().await;
            pull_all(&served.puller(), entries(held), 256).await
        });
        match outcome {
            Ok(pulled) => prop_assert_eq!(pulled, entries(size)),
            // It is the way that is bad, not the log's history.
            Err(FederationError::Fork { size }) => prop_assert!(false, "a fork at {}", size),
            Err(error) => prop_assert!(error.is_peer_fault(), "{}", error),
        }
    }

    #[test]
    fn a_peer_that_rewrites_what_is_held_is_caught_at_the_checkpoint(
        size in 1..700_u64, held: prop::sample::Index, at: prop::sample::Index
    ) {
        let held = 1 + held.index(size as usize) as u64;
        let at = at.index(held as usize);
        let mut rewritten = entries(size);
        rewritten[at] = entry(1_000_000);
        let outcome = block_on(async {
            let served = Peer::new(rewritten).serve().await;
            pull_all(&served.puller(), entries(held), 256).await
        });
        prop_assert!(matches!(outcome, Err(FederationError::Fork { size }) if size == held), "{:?}", outcome);
    }
}

#[tokio::test]
async fn tiles_that_do_not_fit_the_signed_root_are_not_believed() {
    // The right edge of 265 entries has several hashes in one tile, of 300 more; the first tile is below it.
    for (size, held, tile) in [(300, 100, "/tile/0/"), (300, 100, "/tile/0/000"), (265, 1, "/tile/0/000")] {
        let flip = move |path: &str, mut answer: Answer| {
            if path.contains(tile) {
                answer.body[40] ^= 1;
            }
            answer
        };
        let served = Peer::new(entries(size)).altered(flip).serve().await;
        let outcome = pull_all(&served.puller(), entries(held), 256).await;
        assert!(matches!(outcome, Err(FederationError::Inconsistent { size: at }) if at == size), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_crate_with_other_bytes_is_named() {
    let lie = Digest::of("crate 7");
    let swap = move |path: &str, answer: Answer| match path {
        federation::paths::CRATES => {
            Answer { body: zstd::encode_all(format!("{lie} 7\ncrate 8\n").as_bytes(), 3).unwrap(), ..answer }
        }
        _ => answer,
    };
    let served = Peer::new(entries(20)).altered(swap).serve().await;
    let outcome = served.puller().crates(&[lie]).await;
    assert!(matches!(outcome, Err(FederationError::WrongDigest { digest }) if digest == lie), "{outcome:?}");
}
