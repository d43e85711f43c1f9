//! A node that shows different histories to different partners.

use std::{path::Path, sync::atomic::Ordering};

use e2e_tests::{Dataset, Federation, KeyPair, Liar, Lie, Node, PeerEntry, Setup, eventually, python, run};
use serde_json::{Value, json};

async fn state(node: &Node, peer: &str) -> Value {
    let peers = node.anybody().get("/api/v1/peers").await.ok();
    peers.as_array().unwrap().iter().find(|state| state["id"] == peer).unwrap().clone()
}

async fn holds(node: &Node, peer: &str, count: u64) {
    eventually(&format!("'{}' holds {count} of '{peer}'", node.id()), || async {
        node.admin().post(&format!("/api/v1/harvest?peer={peer}"), &Value::Null).await;
        let state = state(node, peer).await;
        if state["held"] == count { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
}

async fn finds_the_fork(node: &Node, peer: &str) -> Value {
    eventually(&format!("'{}' finds that '{peer}' forked", node.id()), || async {
        let forks = node.anybody().get("/federation/v1/forks").await.ok();
        let open =
            forks["forks"].as_array().unwrap().iter().find(|fork| fork["peer"] == peer && fork["decided"].is_null());
        open.cloned().ok_or_else(|| forks.to_string())
    })
    .await
}

async fn forgive(node: &Node, peer: &str) {
    let (url, token) = (node.url(), node.admin_token.clone());
    let note = "their disk was restored";
    run(["peers", "forgive", peer, "--note", note, "--node", &url, "--token", &token]).await.ok();
}

/// Japan shows Europe a second entry, forgets it, and shows Australia as many others; then it is gone and the two meet.
struct TwoHistories {
    federation: Federation,
    first: String,
    told_europe: String,
    told_australia: Vec<String>,
}

async fn two_histories(australia_sees: u64) -> TwoHistories {
    let mut federation = Federation::start(&["europe", "japan", "australia"]).await;
    let first = federation.node("japan").depositor().deposit(&Dataset::small("Thylacine first")).await.id;
    federation.all_find("q=thylacine", &[&first]).await;
    let japan = federation.node_mut("japan");
    japan.stop().await;
    let older = japan.scratch().join("older");
    japan.copy_data(&older);

    federation.node_mut("australia").stop().await;
    federation.node_mut("japan").launch().await;
    let told_europe = federation.node("japan").depositor().deposit(&Dataset::small("Thylacine for Europe")).await.id;
    holds(federation.node("europe"), "japan", 2).await;
    federation.node_mut("europe").stop().await;
    let japan = federation.node_mut("japan");
    japan.stop().await;
    japan.replace_data(&older);
    japan.launch().await;
    federation.node_mut("australia").launch().await;
    let mut told_australia = Vec::new();
    for at in 0..australia_sees {
        let dataset = Dataset::small(&format!("Thylacine {at} for Australia"));
        told_australia.push(federation.node("japan").depositor().deposit(&dataset).await.id);
    }
    holds(federation.node("australia"), "japan", 1 + australia_sees).await;
    federation.node_mut("japan").stop().await;
    federation.node_mut("europe").launch().await;
    TwoHistories { federation, first, told_europe, told_australia }
}

#[tokio::test]
async fn a_node_that_shows_two_partners_two_histories_is_caught_when_they_meet() {
    let TwoHistories { mut federation, first, told_europe, told_australia } = two_histories(1).await;
    for (name, own) in [("europe", &told_europe), ("australia", &told_australia[0])] {
        let node = federation.node(name);
        let fork = finds_the_fork(node, "japan").await;
        assert!(fork["found_by"].as_str().unwrap().contains("has seen"), "{fork}");
        assert_eq!((&fork["size"], &fork["log"]), (&json!(2), &json!("heliograph/japan")), "{fork}");
        let [one, other] = [0, 1].map(|side| fork["sides"][side].clone());
        assert_ne!(one["root"], other["root"]);
        for side in [&one, &other] {
            assert!(side["note"].as_str().unwrap().starts_with("heliograph/japan\n2\n"), "{fork}");
            assert_eq!(side["proof"], json!([]), "checkpoints of one size need no more: {fork}");
        }
        still_finds(node, &[&first, own]).await;
        proven(&federation, name).await;
        let state = state(node, "japan").await;
        assert_eq!((&state["peer_fault"], &state["fork"]["size"]), (&json!(true), &json!(2)), "{state}");
        let page = node.anybody().get("/federation").await.expect(200).text();
        assert!(page.contains("two histories"), "{page}");
    }
    a_person_decides(&mut federation).await;
}

#[tokio::test]
async fn a_shorter_history_is_compared_with_the_beginning_of_the_longer_one() {
    let TwoHistories { federation, .. } = two_histories(2).await;
    let fork = finds_the_fork(federation.node("australia"), "japan").await;
    assert_eq!(fork["size"], 2, "{fork}");
    let sizes = [0, 1].map(|side| fork["sides"][side]["note"].as_str().unwrap().lines().nth(1).unwrap().to_owned());
    assert_eq!(sizes, ["3", "2"], "{fork}");
    assert_eq!(fork["sides"][0]["proof"].as_array().unwrap().len(), 1, "{fork}");
    proven(&federation, "australia").await;
}

/// A checker in another language believes the proof, with the log's key and not with another one.
async fn proven(federation: &Federation, name: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/fork_check.py");
    let check = |key: String| {
        let mut command = tokio::process::Command::new(python());
        command.arg(&script).args([&federation.node(name).url(), &key]);
        async move { command.output().await.expect("running Python") }
    };
    let output = check(federation.node("japan").setup.keys.public.clone()).await;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("\"size\": 2"), "{said}");
    assert!(!check(KeyPair::new("japan").await.public).await.status.success());
}

/// What was verified stays; a node that was just started shows it in a moment.
async fn still_finds(node: &Node, ids: &[&str]) {
    let mut held: Vec<&str> = ids.to_vec();
    held.sort_unstable();
    eventually("what was verified is found", || async {
        let mut found = node.anybody().found("q=thylacine").await;
        found.sort();
        if found == held { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

/// Nothing is taken until somebody decides; then whoever holds the history that goes on goes on with it.
async fn a_person_decides(federation: &mut Federation) {
    federation.node_mut("japan").launch().await;
    federation.node("japan").depositor().deposit(&Dataset::small("Thylacine third")).await;
    let australia = federation.node("australia");
    australia.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.problem(502);
    assert_eq!(state(australia, "japan").await["held"], 2);
    australia.depositor().post("/api/v1/peers/japan/forgive", &json!({})).await.problem(403);
    forgive(australia, "japan").await;
    holds(australia, "japan", 3).await;
    australia.admin().post("/api/v1/peers/japan/forgive", &json!({})).await.problem(409);
    let forks = australia.anybody().get("/federation/v1/forks").await.ok();
    assert_eq!(forks["forks"][0]["decided"]["note"], "their disk was restored", "the proof stays: {forks}");

    let europe = federation.node("europe");
    forgive(europe, "japan").await;
    let fork = finds_the_fork(europe, "japan").await;
    assert_eq!(fork["size"], 2, "the other history is still another one: {fork}");
    assert_eq!(state(europe, "japan").await["held"], 2);
}

#[tokio::test]
async fn a_replayed_checkpoint_hides_entries_and_that_is_seen() {
    let (mut japan, mut australia) = (Setup::new("japan").await, Setup::new("australia").await);
    (japan.peers, australia.peers) = (vec![australia.as_peer()], vec![japan.as_peer()]);
    let (japan, australia) = (Node::start_with(japan).await, Node::start_with(australia).await);
    let (liar, url) = Liar::before(&japan.url(), Lie::Replay).await;
    let mut europe = Setup::new("europe").await;
    europe.peers = vec![PeerEntry { url, ..japan.setup.as_peer() }, australia.setup.as_peer()];
    liar.lying.store(false, Ordering::SeqCst);
    let europe = Node::start_with(europe).await;
    japan.depositor().deposit(&Dataset::small("Kakapo one")).await;
    holds(&europe, "japan", 1).await;
    liar.lying.store(true, Ordering::SeqCst);
    europe.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.ok();
    japan.depositor().deposit(&Dataset::small("Kakapo two")).await;
    holds(&australia, "japan", 2).await;
    let hidden = eventually("europe hears of entries that it is not shown", || async {
        let state = state(&europe, "japan").await;
        if state["seen_elsewhere"] == 2 { Ok(state) } else { Err(state.to_string()) }
    })
    .await;
    assert_eq!((&hidden["held"], &hidden["offered"], &hidden["peer_fault"]), (&json!(1), &json!(1), &json!(false)));
    let page = europe.anybody().get("/federation").await.expect(200).text();
    assert!(page.contains("which it does not show here"), "{page}");
    // What is told while nothing is hidden is taken, and fits what was heard.
    liar.lying.store(false, Ordering::SeqCst);
    holds(&europe, "japan", 2).await;
    assert_eq!(state(&europe, "japan").await["seen_elsewhere"], Value::Null);
    europe.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_node_that_was_restored_from_an_older_copy_is_told_so() {
    let mut federation = Federation::start(&["europe", "japan"]).await;
    let first = federation.node("japan").depositor().deposit(&Dataset::small("Moa first")).await.id;
    federation.all_find("q=moa", &[&first]).await;
    let japan = federation.node_mut("japan");
    japan.stop().await;
    let older = japan.scratch().join("older");
    japan.copy_data(&older);
    japan.launch().await;
    japan.depositor().deposit(&Dataset::small("Moa second")).await;
    holds(federation.node("europe"), "japan", 2).await;
    let japan = federation.node_mut("japan");
    japan.stop().await;
    japan.replace_data(&older);
    japan.launch().await;
    let japan = federation.node("japan");
    eventually("the page says that the data is old", || async {
        let page = japan.anybody().get("/federation").await.expect(200).text();
        if page.contains("older copy") && page.contains("europe") { Ok(()) } else { Err(page) }
    })
    .await;
    japan.assert_quiet_log(&["older copy"]);
}
