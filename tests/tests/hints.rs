//! Hints: a publication reaches followers that poll once an hour, and no hint, true or false, does anything else.

use e2e_tests::{Client, Dataset, Federation, Hostile, Manner, Node, PeerEntry, Setup, eventually};
use reqwest::Method;
use serde_json::Value;

/// Looks at peers once in an hour: what arrives within a test came by a hint.
fn hourly(mut setup: Setup) -> Setup {
    setup.poll_seconds = 3600;
    setup
}

/// Posts a hint; gives the status.
async fn post(client: &Client, note: impl Into<Vec<u8>>) -> u16 {
    let request = client.request(Method::POST, "/federation/v1/inbox").header("content-type", "text/plain");
    client.send(request.body(note.into())).await.status
}

async fn checkpoint(node: &Node) -> String {
    node.anybody().get("/log/checkpoint").await.expect(200).text()
}

async fn peer_state(node: &Node) -> Value {
    node.anybody().get("/api/v1/peers").await.ok()[0].clone()
}

async fn held_becomes(node: &Node, held: u64) {
    eventually(&format!("'{}' holds {held}", node.id()), || async {
        let state = peer_state(node).await;
        if state["held"] == held { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn publications_withdrawals_and_a_new_start_reach_nodes_that_poll_once_an_hour() {
    let mut federation = Federation::start_with(&["europe", "japan", "australia"], hourly).await;
    let mut ids = Vec::new();
    for node in &federation.nodes {
        ids.push(node.depositor().deposit(&Dataset::small("Numbat")).await.id);
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    federation.all_find("q=numbat", &all).await;
    federation.nodes[1].depositor().withdraw(&ids[1], "retracted").await;
    federation.all_find("q=numbat", &[all[0], all[2]]).await;

    federation.node_mut("japan").stop().await;
    let late = federation.node("europe").depositor().deposit(&Dataset::small("Numbat late")).await.id;
    federation.node_mut("japan").launch().await;
    let early = federation.node("japan").depositor().deposit(&Dataset::small("Numbat again")).await.id;
    federation.all_find("q=numbat", &[all[0], all[2], &late, &early]).await;
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

#[tokio::test]
async fn a_publication_is_told_by_a_hint_alone() {
    let mut japan = hourly(Setup::new("japan").await);
    let mut setup = hourly(Setup::new("europe").await);
    setup.peers = vec![japan.as_peer()];
    // All that japan can tell europe is a hint: europe is not there for anything else.
    let absent = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
    let (between, url) = Hostile::before(&setup.url(), move |target| match target {
        "/federation/v1/inbox" => Manner::Honest,
        _ => Manner::Raw(absent.clone()),
    })
    .await;
    japan.peers = vec![PeerEntry { url, ..setup.as_peer() }];
    let japan = Node::start_with(japan).await;
    let europe = Node::start_with(setup).await;
    for number in 1..=3 {
        japan.depositor().deposit(&Dataset::small("Dugong")).await;
        held_becomes(&europe, number).await;
    }
    let hints = between.asked().iter().filter(|target| *target == "/federation/v1/inbox").count();
    assert!((3..=4).contains(&hints), "one for each publication, and perhaps one at the start: {:?}", between.asked());
}

#[tokio::test]
async fn only_a_true_hint_makes_a_node_look_and_no_hint_does_anything_else() {
    let origin = Node::start("japan").await;
    let (watched, url) = Hostile::before(&origin.url(), |_| Manner::Honest).await;
    let mut setup = hourly(Setup::new("europe").await);
    setup.peers = vec![PeerEntry { url, ..origin.setup.as_peer() }];
    let follower = Node::start_with(setup).await;
    let stranger = Node::start("mars").await;
    eventually("the first look", || async {
        let state = peer_state(&follower).await;
        if state["checked"].is_string() { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
    let empty = checkpoint(&origin).await;
    origin.depositor().deposit(&Dataset::small("Axolotl")).await;
    let one = checkpoint(&origin).await;
    origin.depositor().deposit(&Dataset::small("Axolotl too")).await;
    let two = checkpoint(&origin).await;

    let looks = || watched.asked().iter().filter(|target| *target == "/log/checkpoint").count();
    let before = looks();
    let client = follower.anybody();
    let forged = two.replacen("\n2\n", "\n9\n", 1);
    assert_eq!(post(&client, forged).await, 403, "signed by somebody else");
    assert_eq!(post(&client, checkpoint(&stranger).await).await, 404, "followed by nobody");
    let name = two.lines().next().unwrap_or_default();
    let signature = checkpoint(&stranger).await.lines().last().unwrap_or_default().to_owned();
    assert_eq!(post(&client, format!("{name}\n9\nAAAA\n\n{signature}\n")).await, 403);
    for unreadable in ["", "\n", &two[..two.len() - 2], &format!("{name}\n"), &format!("{name}\n\n\n"), "\u{fffd}"] {
        let status = post(&client, unreadable).await;
        assert!([400, 403, 404].contains(&status), "{status}: {unreadable:?}");
    }
    assert_eq!(post(&client, vec![0xff; 4000]).await, 400);
    let long = client.request(Method::POST, "/federation/v1/inbox").body(vec![b'a'; 9000]);
    client.send(long).await.problem(413);
    assert_eq!(looks(), before, "nothing of it was a reason to look");
    let state = peer_state(&follower).await;
    assert_eq!((&state["held"], &state["failures"]), (&0.into(), &0.into()), "{state}");

    // In the wrong order, and more than once; a busy node may have had enough of them for this second.
    let hint = async |note: &str| {
        eventually("a hint is taken", || async {
            match post(&client, note).await {
                202 => Ok(()),
                status => Err(format!("{status}")),
            }
        })
        .await;
    };
    hint(&two).await;
    held_becomes(&follower, 2).await;
    assert_eq!(looks(), before + 1);
    for old in [&two, &one, &empty, &two] {
        hint(old).await;
    }
    origin.depositor().deposit(&Dataset::small("Axolotl once more")).await;
    hint(&checkpoint(&origin).await).await;
    held_becomes(&follower, 3).await;
    assert_eq!(looks(), before + 2, "what is held already was no reason to look");
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_flood_of_hints_is_turned_away_and_the_node_goes_on() {
    let origin = Node::start("japan").await;
    let mut setup = hourly(Setup::new("europe").await);
    setup.peers = vec![origin.setup.as_peer()];
    let follower = Node::start_with(setup).await;
    origin.depositor().deposit(&Dataset::small("Lungfish")).await;
    let note = checkpoint(&origin).await;
    let client = follower.anybody();
    for round in 0..300 {
        let note = if round % 2 == 0 { note.clone() } else { note.replacen("\n1\n", "\n8\n", 1) };
        let status = post(&client, note).await;
        assert!([202, 403, 429].contains(&status), "{status}");
    }
    held_becomes(&follower, 1).await;
    follower.anybody().get("/health/ready").await.expect(200);
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_node_told_to_keep_quiet_sends_no_hints_and_is_found_by_polling() {
    let (watched, url) = Hostile::before("127.0.0.1:9", |_| Manner::Raw(Vec::new())).await;
    let mut setup = Setup::new("japan").await;
    let keys = e2e_tests::KeyPair::new("europe").await;
    setup.peers = vec![PeerEntry { id: "europe".into(), url, public_key: keys.public, more: String::new() }];
    // The harness ends the section on its own; a key in it can be set by a variable.
    setup.variables = vec![("HELIOGRAPH_FEDERATION_HINTS".into(), "false".into())];
    let quiet = Node::start_with(setup).await;
    quiet.depositor().deposit(&Dataset::small("Silent night")).await;
    let mut setup = Setup::new("australia").await;
    setup.peers = vec![quiet.setup.as_peer()];
    let follower = Node::start_with(setup).await;
    held_becomes(&follower, 1).await;
    assert!(!watched.asked().iter().any(|target| target.contains("inbox")), "{:?}", watched.asked());
}
