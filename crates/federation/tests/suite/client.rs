//! The client against peers that are slow, broken, too talkative, or somebody else.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use dataset_model::Digest;
use federation::{FederationError, Limits, paths};

use crate::peer::{Answer, Ending, Peer, entries, limits};

fn hurried() -> Limits {
    Limits { answer: Duration::from_millis(60), bulk: Duration::from_millis(60), attempts: 1, ..limits() }
}

#[tokio::test]
async fn a_well_behaved_peer_is_understood() {
    let served = Peer::new(entries(600)).serve().await;
    let client = served.client(limits());
    assert_eq!(client.description().await.unwrap(), served.peer.description());
    assert!(client.checkpoint().await.unwrap().starts_with(b"heliograph.example/peer\n600\n"));
    assert_eq!(client.tile(0, 1, None).await.unwrap().len(), 8192);
    assert_eq!(client.tile(0, 2, Some(88)).await.unwrap().len(), 88 * 32);
    assert!(client.entry_bundle(2, Some(88)).await.unwrap().len() > 88 * 100);
}

#[tokio::test]
async fn a_partial_tile_that_is_gone_is_cut_from_the_full_one() {
    let gone =
        |path: &str, answer: Answer| if path.contains(".p/") { Answer { status: 404, ..answer } } else { answer };
    let served = Peer::new(entries(512)).altered(gone).serve().await;
    let client = served.client(limits());
    let full = client.tile(0, 1, None).await.unwrap();
    assert_eq!(client.tile(0, 1, Some(9)).await.unwrap(), full.slice(..9 * 32));
    let full = client.entry_bundle(1, None).await.unwrap();
    let part = client.entry_bundle(1, Some(9)).await.unwrap();
    assert!(full.starts_with(&part) && part.len() < full.len() / 20);
}

#[tokio::test]
async fn crates_come_in_the_order_asked_with_gaps_where_there_are_none() {
    let served = Peer::new(entries(2500)).serve().await;
    let mut asked: Vec<Digest> = (0..2500).rev().map(|index| Digest::of(format!("crate {index}"))).collect();
    asked.insert(1200, Digest::of("nobody has this"));
    let crates = served.client(limits()).crates(&asked).await.unwrap();
    assert_eq!(crates.iter().map(|(digest, _)| *digest).collect::<Vec<_>>(), asked);
    assert_eq!(crates[0].1.as_deref(), Some(&b"crate 2499"[..]));
    assert_eq!(crates[1200].1, None);
    assert_eq!(served.requests(), 3, "at most 1000 at a time");
    assert!(served.client(limits()).crates(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn crates_too_many_bytes_for_one_answer_come_in_several() {
    let big: Vec<Vec<u8>> = (0..8_u8).map(|letter| vec![letter; 1000]).collect();
    let peer = big.iter().cloned().fold(Peer::new(entries(1)), Peer::with_crate);
    let served = peer.serve().await;
    let asked: Vec<Digest> = big.iter().map(Digest::of).collect();
    let client = served.client(Limits { answer_bytes: 2500, ..limits() });
    let crates = client.crates(&asked).await.unwrap();
    assert!(crates.iter().zip(&big).all(|((_, bytes), big)| bytes.as_deref() == Some(&big[..])));
    let client = served.client(Limits { crate_bytes: 999, ..limits() });
    let refused = client.crates(&asked).await;
    assert!(matches!(refused, Err(FederationError::TooLarge { limit: 999, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/node/", listener.local_addr().unwrap());
    drop(listener);
    let client = federation::PeerClient::new(base.parse().unwrap(), limits()).unwrap();
    let error = client.checkpoint().await.unwrap_err();
    assert!(
        matches!(&error, FederationError::Unreachable { url, .. } if url == &format!("{base}log/checkpoint")),
        "{error}"
    );
    assert!(!error.is_peer_fault());
}

#[tokio::test]
async fn an_answer_that_stalls_or_drips_ends_at_the_deadline() {
    for ending in [Ending::Stalls, Ending::Drips] {
        let slow = move |_: &str, answer: Answer| Answer { ending, ..answer };
        let served = Peer::new(entries(300)).altered(slow).serve().await;
        let client = served.client(hurried());
        assert!(matches!(client.checkpoint().await, Err(FederationError::Timeout { .. })));
        assert!(matches!(client.tile(0, 0, None).await, Err(FederationError::Timeout { .. })));
        assert!(matches!(client.crates(&[Digest::of("crate 1")]).await, Err(FederationError::Timeout { .. })));
        let held = dataset_model::MerkleTree::default();
        let checkpoint = served.peer.key.sign_checkpoint(300, crate::peer::tree(&entries(300)).root());
        let puller = served.puller_within(hurried());
        let checkpoint = puller.verify_checkpoint(checkpoint.as_bytes()).unwrap();
        let late = puller.bulk(&checkpoint, &held).await.unwrap().next_batch(&held, 1024).await;
        assert!(matches!(late, Err(FederationError::Timeout { .. })), "{late:?}");
    }
}

#[tokio::test]
async fn a_reading_request_that_fails_is_tried_again_and_a_bulk_request_is_not() {
    for broken in [Ending::BreaksOff, Ending::Complete] {
        let failures = AtomicUsize::new(2);
        let fails_twice = move |_: &str, answer: Answer| {
            if failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
                return answer;
            }
            let status = if broken == Ending::Complete { 503 } else { 200 };
            Answer { status, ending: broken, ..answer }
        };
        let served = Peer::new(entries(300)).altered(fails_twice).serve().await;
        assert_eq!(served.client(limits()).tile(0, 0, None).await.unwrap().len(), 8192);
        assert_eq!(served.requests(), 3);
    }
    let served = Peer::new(entries(3)).altered(|_, answer| Answer { status: 503, ..answer }).serve().await;
    let refused = served.client(limits()).crates(&[Digest::of("crate 1")]).await;
    assert!(matches!(refused, Err(FederationError::Refused { status: 503, .. })), "{refused:?}");
    assert_eq!(served.requests(), 1);
    let refused = served.client(limits()).checkpoint().await;
    assert!(matches!(refused, Err(FederationError::Refused { status: 503, .. })), "{refused:?}");
    assert_eq!(served.requests(), 4, "three attempts");
}

#[tokio::test]
async fn a_refusal_that_will_not_pass_is_not_tried_again() {
    for status in [400, 403, 404] {
        let served = Peer::new(entries(3)).altered(move |_, answer| Answer { status, ..answer }).serve().await;
        let error = served.client(limits()).checkpoint().await.unwrap_err();
        assert!(matches!(error, FederationError::Refused { status: found, .. } if found == status), "{error}");
        assert!(!error.is_peer_fault());
        assert_eq!(served.requests(), 1);
    }
}

#[tokio::test]
async fn a_page_instead_of_data_is_malformed() {
    let page = |_: &str, answer: Answer| Answer { media_type: "text/html; charset=utf-8", ..answer };
    let served = Peer::new(entries(300)).altered(page).serve().await;
    let client = served.client(limits());
    for error in [
        client.checkpoint().await.unwrap_err(),
        client.tile(0, 0, None).await.unwrap_err(),
        client.entry_bundle(0, None).await.unwrap_err(),
        client.description().await.unwrap_err(),
        client.crates(&[Digest::of("crate 1")]).await.unwrap_err(),
    ] {
        assert!(matches!(error, FederationError::Malformed { .. }), "{error}");
        assert!(error.to_string().contains("text/html"), "{error}");
    }
}

#[tokio::test]
async fn an_oversize_answer_is_refused_whether_its_length_is_told_or_not() {
    // An answer that stalls tells no length; it must be refused before the deadline, by what has come.
    for ending in [Ending::Complete, Ending::Stalls] {
        let long = move |_: &str, answer: Answer| Answer { body: vec![b'x'; 40_000_000], ending, ..answer };
        let served = Peer::new(entries(300)).altered(long).serve().await;
        let client = served.client(limits());
        for error in [
            client.checkpoint().await.unwrap_err(),
            client.tile(0, 0, None).await.unwrap_err(),
            client.entry_bundle(0, None).await.unwrap_err(),
            client.description().await.unwrap_err(),
        ] {
            assert!(matches!(error, FederationError::TooLarge { .. }), "{ending:?}: {error}");
        }
        assert_eq!(served.requests(), 4, "asking again would not help");
    }
}

#[tokio::test]
async fn tiles_and_bundles_of_another_size_are_malformed() {
    let shorter = |_: &str, mut answer: Answer| {
        answer.body.pop();
        answer
    };
    let longer = |_: &str, mut answer: Answer| {
        answer.body.push(0);
        answer
    };
    for peer in [Peer::new(entries(300)).altered(shorter), Peer::new(entries(300)).altered(longer)] {
        let served = peer.serve().await;
        let client = served.client(limits());
        // One byte too many passes the limit for a full tile.
        let tile = client.tile(0, 0, None).await.unwrap_err();
        assert!(matches!(tile, FederationError::Malformed { .. } | FederationError::TooLarge { .. }), "{tile}");
        let bundle = client.entry_bundle(0, None).await.unwrap_err();
        assert!(matches!(bundle, FederationError::Malformed { .. }), "{bundle}");
    }
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_origin_alone() {
    let other = Peer::new(entries(3)).serve().await;
    let elsewhere = format!("{}{}", other.base, paths::CHECKPOINT);
    let away = move |_: &str, answer: Answer| Answer { status: 307, location: Some(elsewhere.clone()), ..answer };
    let served = Peer::new(entries(3)).altered(away).serve().await;
    let refused = served.client(limits()).checkpoint().await;
    assert!(matches!(refused, Err(FederationError::LeadsElsewhere { status: 307, .. })), "{refused:?}");
    assert_eq!(other.requests(), 0, "the other host was never asked");

    let within = |path: &str, answer: Answer| match path {
        paths::CHECKPOINT => Answer { status: 308, location: Some(paths::NODE.into()), ..answer },
        _ => Answer { media_type: paths::TEXT, ..answer },
    };
    let served = Peer::new(entries(3)).altered(within).serve().await;
    assert!(served.client(limits()).checkpoint().await.unwrap().starts_with(b"{"));

    let around = |path: &str, answer: Answer| Answer { status: 302, location: Some(path.into()), ..answer };
    let served = Peer::new(entries(3)).altered(around).serve().await;
    let circling = served.client(limits()).checkpoint().await;
    assert!(matches!(circling, Err(FederationError::LeadsElsewhere { status: 302, .. })), "{circling:?}");
}
