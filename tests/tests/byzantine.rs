//! Peers that try to cost a follower its memory, its time or its network: each is refused by name, and forgiven when it behaves.

use std::time::Duration;

use e2e_tests::{Dataset, Hostile, Manner, Node, PeerEntry, Setup, eventually};
use serde_json::Value;

fn head(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\n{{}}").into_bytes()
}

/// Where it strikes, what it does there, and what the follower says of it.
fn attacks() -> Vec<(&'static str, Manner, &'static str)> {
    let text = "text/plain; charset=utf-8";
    let bytes = "application/octet-stream";
    let (at_once, zstd) = (Duration::ZERO, "application/zstd");
    let redirect = |to: &str| Manner::Raw(head("307 Go", &format!("location: {to}\r\n")));
    let frames = "0 ".repeat(40_000_000);
    let bomb = zstd::encode_all(frames.as_bytes(), 1).unwrap_or_default();
    vec![
        ("/log/checkpoint", Manner::endless(text, &[b'a'; 10_000], at_once), "more than 65536 bytes"),
        ("/log/checkpoint", Manner::endless(text, b"a", at_once), "more than 65536 bytes"),
        ("/log/checkpoint", redirect("http://169.254.169.254/latest/meta-data/"), "leads elsewhere (status 307)"),
        ("/log/checkpoint", redirect("http://10.0.0.1/"), "leads elsewhere (status 307)"),
        ("/log/checkpoint", redirect("http://localhost:1/"), "leads elsewhere (status 307)"),
        ("/log/checkpoint", redirect("file:///etc/passwd"), "leads elsewhere (status 307)"),
        ("/log/checkpoint", redirect("/log/checkpoint"), "leads elsewhere (status 307)"),
        (
            "/log/checkpoint",
            Manner::Raw(head("200 OK", "content-type: text/plain\r\ncontent-encoding: gzip\r\n")),
            "not asked for",
        ),
        ("/log/checkpoint", Manner::answer("text/html", b"<h1>Welcome</h1>"), "instead of 'text/plain'"),
        (
            "/log/checkpoint",
            Manner::Endless { head: b"HTTP/1.1 200 OK\r\n".to_vec(), piece: b"x-a: b\r\n".repeat(500), pause: at_once },
            "cannot be reached",
        ),
        ("/log/checkpoint", Manner::Raw(b"220 mail.example ESMTP\r\n".to_vec()), "cannot be reached"),
        ("/log/tile/entries/", Manner::endless(bytes, &[0; 10_000], at_once), "more than"),
        ("/log/tile/entries/", Manner::answer(bytes, &[0xff; 7_000]), "malformed"),
        ("/federation/v1/crates", Manner::answer(zstd, &bomb), "malformed"),
        ("/federation/v1/crates", Manner::endless(zstd, &[0; 10_000], at_once), "malformed"),
    ]
}

#[tokio::test]
async fn attacks_are_refused_by_name_and_a_peer_that_behaves_again_is_followed() {
    let origin = Node::start("japan").await;
    let id = origin.depositor().deposit(&Dataset::small("Mongoose")).await.id;
    let (between, url) = Hostile::before(&origin.url(), |_| Manner::Raw(Vec::new())).await;
    let mut setup = Setup::new("europe").await;
    setup.poll_seconds = 3600;
    setup.peers = vec![PeerEntry { url, ..origin.setup.as_peer() }];
    let follower = Node::start_with(setup).await;
    for (place, manner, error) in attacks() {
        let what = format!("{place}: {error}");
        between.behave(move |target| if target.starts_with(place) { manner.clone() } else { Manner::Honest });
        let problem = follower.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.problem(502);
        let state = follower.anybody().get("/api/v1/peers").await.ok()[0].clone();
        let said = state["error"].as_str().unwrap_or_default();
        assert!(said.contains(error), "{what}: {problem} {state}");
        assert_eq!(state["held"], 0, "{what}");
        assert!(follower.anybody().found("q=mongoose").await.is_empty(), "{what}");
    }
    between.behave(|_| Manner::Honest);
    follower.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.ok();
    eventually("what is true is searchable", || async {
        let found = follower.anybody().found("q=mongoose").await;
        if found == [id.clone()] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    follower.assert_quiet_log(&[]);
}
