//! The log in bulk: what an honest peer sends arrives, in few requests; what another one sends costs little and is named.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use dataset_model::{Digest, MerkleTree};
use federation::{
    FederationError, Limits, Puller,
    log_stream::{Decoder, LogRecord, encode},
    paths,
};
use proptest::prelude::*;

use crate::peer::{Answer, Ending, Peer, entries, limits, tree};

/// Everything after what is held, in batches of a size.
async fn pull(puller: &Puller, held: u64, batch: u64) -> Result<(Vec<Bytes>, Vec<Digest>), FederationError> {
    let mut after = tree(&entries(held));
    let checkpoint = puller.checkpoint(after.size(), after.root()).await?;
    let mut stream = puller.bulk(&checkpoint, &after).await?;
    let (mut pulled, mut digests) = (Vec::new(), Vec::new());
    while after.size() < checkpoint.size {
        let next = stream.next_batch(&after, batch).await?;
        assert!(!next.batch.entries.is_empty(), "every batch gets further");
        assert!(next.batch.entries.len() as u64 <= batch);
        digests.extend(next.crates.iter().map(|(digest, _)| *digest));
        pulled.extend(next.batch.entries);
        after = next.batch.tree;
    }
    assert_eq!(after.root(), checkpoint.root);
    Ok((pulled, digests))
}

fn raw(records: &[u8]) -> Vec<u8> {
    zstd::encode_all(records, 3).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_honest_log_arrives_whole_from_anywhere_in_batches_of_any_size(
        size in 1..700_u64, held: prop::sample::Index, batch in 20..300_u64
    ) {
        let held = held.index(size as usize + 1) as u64;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (pulled, digests) = runtime.block_on(async {
            let served = Peer::new(entries(size)).serve().await;
            pull(&served.puller(), held, batch).await.unwrap()
        });
        prop_assert!(pulled.iter().eq(&entries(size)[held as usize..]));
        let wanted: Vec<_> = (held..size).filter(|index| index % 7 != 6).map(|index| Digest::of(format!("crate {index}"))).collect();
        prop_assert_eq!(digests, wanted);
    }

    #[test]
    fn records_arrive_as_they_were_sent_however_the_stream_is_cut(
        records in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), prop::option::of(prop::collection::vec(any::<u8>(), 0..3000))), 0..40),
        piece in 1..5000_usize,
    ) {
        let records: Vec<_> = records.into_iter().map(|(entry, crate_bytes)| LogRecord { entry: entry.into(), crate_bytes: crate_bytes.map(Bytes::from) }).collect();
        let stream: Vec<u8> = encode::<std::io::Error>(records.iter().cloned().map(Ok)).flat_map(|piece| piece.unwrap()).collect();
        let mut decoder = Decoder::new(&Limits::default()).unwrap();
        let mut read = Vec::new();
        for piece in stream.chunks(piece) {
            decoder.push(piece).unwrap();
            read.extend(std::iter::from_fn(|| decoder.take()));
        }
        prop_assert!(decoder.is_between_records());
        prop_assert_eq!(read, records);
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in "[0-9]{0,3}[ \n-]{0,2}[0-9]{0,22}[\n -]{0,3}.{0,9}") {
        let mut decoder = Decoder::new(&Limits::default()).unwrap();
        let _ = decoder.push(&raw(text.as_bytes()));
        let _ = decoder.push(text.as_bytes());
    }
}

#[tokio::test]
async fn a_long_log_costs_a_handful_of_requests() {
    let served = Peer::new(entries(5000)).serve().await;
    pull(&served.puller(), 0, 256).await.unwrap();
    assert!(served.requests() <= 6, "{} requests: checkpoint, stream, and a few tiles", served.requests());
}

#[tokio::test]
async fn entries_or_crates_that_are_not_the_signed_ones_are_named() {
    let mut others = entries(600);
    others[300] = entries(601).pop().unwrap();
    let served = Peer::new(entries(600)).handing_out(others).serve().await;
    let refused = pull(&served.puller(), 0, 1024).await;
    assert!(matches!(refused, Err(FederationError::BadEntry { index: 300 })), "{refused:?}");

    let stream_of = |crate_bytes: Option<&'static str>| {
        let record = LogRecord { entry: entries(1).pop().unwrap().into(), crate_bytes: crate_bytes.map(Bytes::from) };
        let stream: Vec<u8> =
            encode::<std::io::Error>([Ok(record)].into_iter()).flat_map(|piece| piece.unwrap()).collect();
        move |path: &str, answer: Answer| match path {
            paths::LOG => Answer { body: stream.clone(), ..answer },
            _ => answer,
        }
    };
    let served = Peer::new(entries(1)).altered(stream_of(Some("something else"))).serve().await;
    let refused = pull(&served.puller(), 0, 10).await;
    assert!(matches!(refused, Err(FederationError::WrongDigest { .. })), "{refused:?}");
    let served = Peer::new(entries(1)).altered(stream_of(None)).serve().await;
    assert_eq!(pull(&served.puller(), 0, 10).await.unwrap().1, [], "a crate may be missing");
}

#[tokio::test]
async fn what_came_before_a_stream_broke_off_is_handed_on() {
    for ending in [Ending::BreaksOff, Ending::Stalls] {
        let cut = move |path: &str, answer: Answer| match path {
            paths::LOG => Answer { ending, ..answer },
            _ => answer,
        };
        let served = Peer::new(entries(3000)).altered(cut).serve().await;
        let puller = served.puller_within(Limits { bulk: Duration::from_millis(300), ..limits() });
        let mut held = MerkleTree::default();
        let checkpoint = puller.checkpoint(0, held.root()).await.unwrap();
        let mut stream = match puller.bulk(&checkpoint, &held).await {
            Ok(stream) => stream,
            // It may break off before its head has come.
            Err(failure) if ending == Ending::BreaksOff => {
                assert!(!failure.is_peer_fault(), "{failure}");
                continue;
            }
            Err(failure) => panic!("{failure}"),
        };
        let failure = loop {
            match stream.next_batch(&held, 100).await {
                Ok(next) => held = next.batch.tree,
                Err(failure) => break failure,
            }
        };
        assert!(!failure.is_peer_fault(), "{failure}");
        assert_eq!(held.root(), tree(&entries(held.size())).root());
        assert!(held.size() < 3000);
    }
}

#[tokio::test]
async fn a_peer_without_the_stream_is_read_in_tiles() {
    let none = |path: &str, answer: Answer| match path {
        paths::LOG => Answer { status: 404, ..answer },
        _ => answer,
    };
    let served = Peer::new(entries(10)).altered(none).serve().await;
    let refused = pull(&served.puller(), 0, 10).await;
    assert!(matches!(refused, Err(FederationError::Refused { status: 404, .. })), "{refused:?}");
    assert_eq!(crate::pull::pull_all(&served.puller(), Vec::new(), 10).await.unwrap(), entries(10));
}

#[test]
fn streams_that_break_the_rules_are_refused_before_anything_is_kept() {
    let limits = Limits { crate_bytes: 1000, batch_bytes: 5000, ..Limits::default() };
    let push = |stream: &[u8]| Decoder::new(&limits).unwrap().push(stream);
    for large in ["70000 -\n", "99999999999999999999 -\n", "2 1001\n", "2 18446744073709551615\n"] {
        let refused = push(&raw(large.as_bytes()));
        assert!(
            matches!(refused, Err(FederationError::TooLarge { .. } | FederationError::Malformed { .. })),
            "{large}: {refused:?}"
        );
    }
    for wrong in ["\n", "2\n", "02 -\n", "+2 -\n", "2 -\n{}x", "2 1\n{}\nxy", &"1".repeat(60)] {
        let refused = push(&raw(wrong.as_bytes()));
        assert!(matches!(refused, Err(FederationError::Malformed { .. })), "{wrong}: {refused:?}");
    }
    assert!(matches!(push(b"not zstd at all"), Err(FederationError::Malformed { .. })));
    // A bomb: 200 MB of empty entries in a few kilobytes.
    let bomb = raw(&b"0 -\n\n".repeat(40_000_000));
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert!(matches!(push(&bomb), Err(FederationError::TooLarge { .. })));
}

#[tokio::test]
async fn a_stream_without_end_stops_where_the_signed_log_ends() {
    let asked = AtomicUsize::new(0);
    let long = move |path: &str, answer: Answer| match path {
        paths::LOG => {
            asked.fetch_add(1, Ordering::SeqCst);
            let record = |_| Ok(LogRecord { entry: entries(1).pop().unwrap().into(), crate_bytes: None });
            Answer {
                body: encode::<std::io::Error>((0..100_000).map(record)).flat_map(|piece| piece.unwrap()).collect(),
                ..answer
            }
        }
        _ => answer,
    };
    let served = Peer::new(entries(3)).altered(long).serve().await;
    let refused = pull(&served.puller(), 0, 1024).await;
    assert!(matches!(refused, Err(FederationError::BadEntry { index: 1 })), "{refused:?}");
}
