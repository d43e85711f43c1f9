//! A new node takes a long log in one stream: in few requests, resumed where it broke off, and without what is gone.

use std::{sync::Arc, time::Duration};

use e2e_tests::{Hostile, Manner, Node, PeerEntry, Setup, Words, eventually};
use serde_json::{Value, json};

/// As many catalogue records, of one source.
async fn publish(node: &Node, source: &str, numbers: std::ops::Range<u32>, complete: bool) {
    let mut lines = String::new();
    for number in numbers {
        let address = format!("https://archive.example/{source}/{number}");
        lines.push_str(&Words::titled(&format!("Plankton {number}")).listed(number, &address));
    }
    lines.push_str(&format!("{{\"complete\": {complete}}}\n"));
    let report = node.admin().import(source, lines).await.ok();
    assert_eq!(report["rejected"], json!([]), "{report}");
}

async fn follower_of(origin: &Node, url: String) -> Node {
    let mut setup = Setup::new("europe").await;
    setup.peers = vec![PeerEntry { url, ..origin.setup.as_peer() }];
    Node::start_with(setup).await
}

async fn same_catalogue(follower: &Node, origin: &Node) {
    let found = async |node: &Node| {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = node.anybody().search(&format!("q=plankton&sort=title&size=200{cursor}")).await;
            let hits = answer["hits"].as_array().into_iter().flatten();
            found.extend(hits.map(|hit| format!("{} {}", hit["id"], hit["version"])));
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    let wanted = found(origin).await;
    eventually("the catalogues are the same", || async {
        let held = found(follower).await;
        if held == wanted { Ok(()) } else { Err(format!("{} of {}", held.len(), wanted.len())) }
    })
    .await;
}

/// What was asked for to read the log; what else nodes tell each other is left out.
fn requests(between: &Arc<Hostile>) -> Vec<String> {
    let places = ["/log/", "/federation/v1/log", "/federation/v1/crates"];
    between.asked().into_iter().filter(|target| places.iter().any(|place| target.starts_with(place))).collect()
}

#[tokio::test]
async fn a_new_node_takes_a_long_log_with_its_crates_in_a_handful_of_requests() {
    let origin = Node::start("japan").await;
    publish(&origin, "one", 0..900, true).await;
    // What is left out the second time is withdrawn.
    publish(&origin, "one", 100..900, true).await;
    let (between, url) = Hostile::before(&origin.url(), |_| Manner::Honest).await;
    let follower = follower_of(&origin, url).await;
    same_catalogue(&follower, &origin).await;
    let asked = requests(&between);
    let bulk = asked.iter().filter(|target| target.starts_with("/federation/v1/log?from=0&to=1000")).count();
    let checkpoints = asked.iter().filter(|target| target.starts_with("/log/checkpoint")).count();
    assert_eq!(bulk, 1, "{asked:?}");
    assert!(asked.len() - checkpoints <= 4, "a stream and a few tiles: {asked:?}");
    let state = follower.anybody().get("/api/v1/peers").await.ok()[0].clone();
    assert_eq!((&state["held"], &state["error"]), (&json!(1000), &Value::Null), "{state}");
    for record in follower.anybody().search("q=plankton&size=5").await["hits"].as_array().into_iter().flatten() {
        let path = format!("/api/v1/datasets/{}/versions/1/crate", record["id"].as_str().unwrap_or_default());
        let here = follower.anybody().get(&path).await.expect(200).body;
        assert_eq!(here, origin.anybody().get(&path).await.expect(200).body);
    }
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_gone_on_with_and_one_that_is_refused_is_not_needed() {
    let origin = Node::start("japan").await;
    publish(&origin, "one", 0..2000, true).await;
    let whole = origin.anybody().get("/federation/v1/log?from=0&to=2000").await.expect(200);
    assert_eq!(whole.header("content-type"), "application/zstd");
    let half = whole.body.slice(..whole.body.len() * 2 / 3).to_vec();
    // Says more than it sends.
    let mut cut = b"HTTP/1.1 200 OK\r\ncontent-type: application/zstd\r\ncontent-length: 99999999\r\n\r\n".to_vec();
    cut.extend(half);
    let (between, url) = Hostile::before(&origin.url(), move |target| {
        if target.contains("/log?from=0&") { Manner::Raw(cut.clone()) } else { Manner::Honest }
    })
    .await;
    let follower = follower_of(&origin, url).await;
    same_catalogue(&follower, &origin).await;
    let streams: Vec<_> = requests(&between).into_iter().filter(|target| target.contains("/log?")).collect();
    assert!(streams.len() >= 2 && streams[0].contains("from=0&"), "{streams:?}");
    assert!(streams[1..].iter().all(|target| !target.contains("from=0&")), "what had come was kept: {streams:?}");

    let refused = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
    let (_, url) = Hostile::before(&origin.url(), move |target| {
        if target.contains("/log?") { Manner::Raw(refused.clone()) } else { Manner::Honest }
    })
    .await;
    let follower = follower_of(&origin, url).await;
    same_catalogue(&follower, &origin).await;
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_stream_is_given_of_what_the_log_has_and_to_so_many_readers_at_once() {
    let origin = Node::start("japan").await;
    publish(&origin, "one", 0..3, true).await;
    let client = origin.anybody();
    for (range, status) in [("from=0&to=3", 200), ("from=3&to=3", 200), ("from=0&to=4", 404), ("from=2&to=1", 404)] {
        client.get(&format!("/federation/v1/log?{range}")).await.expect(status);
    }
    for wrong in ["", "?from=0", "?from=-1&to=2", "?from=0&to=99999999999999999999"] {
        let answer = client.get(&format!("/federation/v1/log{wrong}")).await;
        assert!((400..423).contains(&answer.status), "{answer:?}");
    }
}

#[tokio::test]
async fn streams_of_a_hostile_peer_are_refused_by_name_and_nothing_is_taken_from_them() {
    let origin = Node::start("japan").await;
    publish(&origin, "one", 0..600, true).await;
    let zstd = "application/zstd";
    let streams = [
        ("no zstd", Manner::answer(zstd, b"GIF89a, and no zstd"), "malformed"),
        ("a page", Manner::answer("text/html", b"<h1>Welcome</h1>"), ""),
        (
            "a bomb",
            Manner::answer(zstd, &zstd::encode_all(&b"0 -\n\n".repeat(40_000_000)[..], 1).unwrap_or_default()),
            "more than",
        ),
        ("endless bytes", Manner::endless(zstd, &[0x28; 4096], Duration::ZERO), "malformed"),
        (
            "a huge crate",
            Manner::answer(zstd, &zstd::encode_all(&b"2 99999999999\n{}\n"[..], 1).unwrap_or_default()),
            "more than",
        ),
        (
            "a huge entry",
            Manner::answer(zstd, &zstd::encode_all(&b"70000 -\n"[..], 1).unwrap_or_default()),
            "more than",
        ),
    ];
    let (between, url) = Hostile::before(&origin.url(), |target| {
        if target.contains("/log?") { Manner::answer(zstd, b"") } else { Manner::Honest }
    })
    .await;
    // Without the stream, tiles are there: they are cut off here, so that the stream alone is judged.
    let follower = {
        let mut setup = Setup::new("europe").await;
        setup.poll_seconds = 3600;
        setup.peers = vec![PeerEntry { url, ..origin.setup.as_peer() }];
        setup.variables = vec![("HELIOGRAPH_FEDERATION_HINTS".into(), "false".into())];
        between.behave(|_| Manner::Raw(Vec::new()));
        Node::start_with(setup).await
    };
    for (what, manner, error) in streams {
        between.behave(move |target| match target {
            target if target.contains("/log?") => manner.clone(),
            target if target.starts_with("/log/tile/entries") => Manner::Raw(Vec::new()),
            _ => Manner::Honest,
        });
        let problem = follower.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.problem(502);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(error)), "{what}: {problem}");
        assert_eq!(follower.anybody().get("/api/v1/peers").await.ok()[0]["held"], 0, "{what}");
    }
    between.behave(|_| Manner::Honest);
    follower.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.ok();
    same_catalogue(&follower, &origin).await;
    follower.assert_quiet_log(&[]);
}
