//! Nodes that follow each other: everything arrives, nothing false is believed, and a failure shrinks nothing.

use std::sync::atomic::Ordering;

use e2e_tests::{COMPLETE, Client, Dataset, Federation, Liar, Lie, Node, Setup, Words, eventually};
use serde_json::{Value, json};

/// What a follower says about a peer.
async fn peer_state(follower: &Node, peer: &str) -> Value {
    let peers = follower.anybody().get("/api/v1/peers").await.ok();
    let mut states = peers.as_array().into_iter().flatten();
    states.find(|state| state["id"] == peer).unwrap_or_else(|| panic!("no peer '{peer}': {peers}")).clone()
}

/// Waits until a follower's state of a peer is as wanted.
async fn peer_becomes(follower: &Node, peer: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let what = format!("'{}' sees of '{peer}': {what}", follower.id());
    eventually(&what, || async {
        // Asked for, because after failures a follower waits longer and longer.
        follower.admin().post(&format!("/api/v1/harvest?peer={peer}"), &Value::Null).await;
        let state = peer_state(follower, peer).await;
        if wanted(&state) { Ok(state) } else { Err(state.to_string()) }
    })
    .await
}

#[tokio::test]
async fn what_one_node_publishes_all_nodes_find() {
    let federation = Federation::start(&["europe", "japan", "australia"]).await;
    let mut ids = Vec::new();
    for (node, title) in federation.nodes.iter().zip(["Wombat spleen", "Wombat liver", "Wombat heart"]) {
        ids.push(node.depositor().deposit(&Dataset::small(title)).await.id);
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    federation.all_find("q=wombat", &all).await;
    for node in &federation.nodes {
        let answer = node.anybody().search("q=wombat").await;
        for (origin, id) in federation.nodes.iter().zip(&ids) {
            check_rows(&answer, node, origin, id);
            let record = node.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok();
            assert_eq!(record["node"]["id"], origin.id());
            assert_eq!(record["own"], node.id() == origin.id());
            let url = record["images"][0]["url"].as_str().unwrap_or_else(|| panic!("no image: {record:#}"));
            assert!(url.starts_with(&origin.url()), "the bytes are at their origin: {url}");
            let here = node.anybody().get(&format!("/api/v1/datasets/{id}/versions/1/crate")).await.expect(200).body;
            let there = origin.anybody().get(&format!("/api/v1/datasets/{id}/versions/1/crate")).await.expect(200).body;
            assert_eq!(here, there);
        }
        let one = node.anybody().found(&format!("q=wombat&node={}", federation.nodes[1].id())).await;
        assert_eq!(one, [ids[1].clone()]);
    }
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

/// The answer names the node of a record in its hit, in a facet and in its report of sources.
fn check_rows(answer: &Value, node: &Node, origin: &Node, id: &str) {
    let find = |rows: &Value, key: &str, value: &str| {
        let found = rows.as_array().into_iter().flatten().find(|row| row[key] == value).cloned();
        found.unwrap_or_else(|| panic!("no {key} = {value}: {answer:#}"))
    };
    assert_eq!(find(&answer["hits"], "id", id)["node"], origin.id());
    assert_eq!(find(&answer["facets"]["node"], "value", origin.id())["count"], 1);
    let source = find(&answer["sources"], "node", origin.id());
    assert_eq!((&source["total"], &source["as_of"]), (&json!(1), &json!(1)), "{source}");
    assert_eq!(source["status"], if node.id() == origin.id() { "live" } else { "mirror" });
}

#[tokio::test]
async fn a_new_version_and_a_withdrawal_reach_every_node() {
    let federation = Federation::start(&["europe", "japan", "australia"]).await;
    let europe = federation.node("europe");
    let client = europe.depositor();
    let kept = client.deposit(&Dataset::small("Quokka kept")).await;
    let published = client.deposit(&Dataset::small("Quokka before")).await;
    let id = published.id.as_str();
    federation.all_find("q=quokka", &[&kept.id, id]).await;
    client.new_version(id, &Words::titled("Quokka after").crate_json(), &[]).await;
    federation.all_find("q=after", &[id]).await;
    federation.all_find("q=before", &[]).await;

    let tombstone = client.withdraw(id, "retracted").await;
    assert_eq!(tombstone["reason"], "retracted");
    assert_eq!(europe.anybody().found("q=quokka").await, std::slice::from_ref(&kept.id), "gone at home at once");
    federation.all_find("q=quokka", &[&kept.id]).await;
    for node in &federation.nodes {
        for path in ["", "/versions/1", "/versions/2", "/versions/1/crate", "/versions/1/manifest", "/versions/1/proof"]
        {
            if path.ends_with("proof") && node.id() != "europe" {
                continue;
            }
            let problem = node.anybody().get(&format!("/api/v1/datasets/{id}{path}")).await.problem(410);
            assert_eq!(problem["tombstone"]["id"], id, "{path}");
            assert_eq!(problem["tombstone"]["node"], "europe", "{path}");
            assert_eq!(problem["tombstone"]["reason"], "retracted");
            assert!(!problem.to_string().contains("Quokka"), "{problem}");
        }
        let page = node.anybody().get_with(&format!("/datasets/{id}"), &[("accept", "text/html")]).await.expect(410);
        assert!(!page.text().contains("Quokka after"), "{}", page.text());
        let data = node.anybody().get(&format!("/data/{id}/v1/image.ome.zarr/zarr.json")).await;
        assert!([404, 410].contains(&data.status) && (node.id() != "europe" || data.status == 410), "{data:?}");
        nothing_left_in_rdf(node, "Quokka after", "Quokka kept").await;
    }
    client.post(&format!("/api/v1/datasets/{id}/withdraw"), &Value::Null).await.problem(410);
    client.post(&format!("/api/v1/datasets/{id}/versions"), &Value::Null).await.problem(410);
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

/// RDF follows search after a moment: waits until the one title is there and the other gone.
async fn nothing_left_in_rdf(node: &Node, gone: &str, kept: &str) {
    let query =
        "SELECT ?title WHERE { GRAPH ?g { ?s <http://schema.org/name> ?title } FILTER(CONTAINS(?title, 'Quokka')) }";
    eventually("RDF holds what is published and nothing withdrawn", || async {
        let request = node.anybody().request(reqwest::Method::POST, "/sparql");
        let request = request.header("content-type", "application/sparql-query").header("accept", "text/csv");
        let text = node.anybody().send(request.body(query)).await.expect(200).text();
        if text.contains(kept) && !text.contains(gone) { Ok(()) } else { Err(text) }
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_is_down_costs_nobody_what_they_hold() {
    let mut federation = Federation::start(&["europe", "japan", "australia"]).await;
    let id = federation.node("japan").depositor().deposit(&Dataset::small("Tanuki")).await.id;
    federation.all_find("q=tanuki", &[&id]).await;
    federation.node_mut("japan").stop().await;
    for name in ["europe", "australia"] {
        let node = federation.node(name);
        let state = peer_becomes(node, "japan", "an error", |state| state["error"].is_string()).await;
        assert_eq!(state["peer_fault"], false, "being down is no lie: {state}");
        assert_eq!(state["held"], 1);
        assert_eq!(node.anybody().found("q=tanuki").await, std::slice::from_ref(&id));
        node.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok();
        node.anybody().get("/health/ready").await.expect(200);
    }
    let other = federation.node("europe").depositor().deposit(&Dataset::small("Tanuki in Europe")).await.id;
    federation.node_mut("japan").launch().await;
    for name in ["europe", "australia"] {
        let node = federation.node(name);
        let state = peer_becomes(node, "japan", "no error", |state| state["error"].is_null()).await;
        assert_eq!(state["failures"], 0, "{state}");
    }
    federation.all_find("q=tanuki", &[&id, &other]).await;
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

#[tokio::test]
async fn a_log_that_was_rolled_back_is_noticed_and_shrinks_nothing() {
    let mut federation = Federation::start(&["europe", "japan"]).await;
    let first = federation.node("japan").depositor().deposit(&Dataset::small("Kappa one")).await.id;
    let japan = federation.node_mut("japan");
    japan.stop().await;
    let older = japan.scratch().join("older");
    japan.copy_data(&older);
    japan.launch().await;
    let second = japan.depositor().deposit(&Dataset::small("Kappa two")).await.id;
    federation.all_find("q=kappa", &[&first, &second]).await;

    let japan = federation.node_mut("japan");
    japan.stop().await;
    japan.replace_data(&older);
    japan.launch().await;
    let europe = federation.node("europe");
    let named = |state: &Value| state["peer_fault"] == true;
    let state = peer_becomes(europe, "japan", "a fault", named).await;
    let error = state["error"].as_str().unwrap();
    assert!(error.contains("japan") && error.contains("1 entries, 2 were verified"), "{error}");
    assert_eq!(state["held"], 2);
    let mut found = europe.anybody().found("q=kappa").await;
    found.sort();
    let mut both = vec![first.clone(), second.clone()];
    both.sort();
    assert_eq!(found, both);

    // The rolled-back node goes on: another second entry is another history, however long it becomes.
    let japan = federation.node("japan");
    let third = japan.depositor().deposit(&Dataset::small("Kappa three")).await.id;
    japan.depositor().deposit(&Dataset::small("Kappa four")).await;
    let forked = |state: &Value| state["error"].as_str().is_some_and(|error| error.contains("another history"));
    let state = peer_becomes(europe, "japan", "a fork", forked).await;
    assert_eq!((&state["peer_fault"], &state["held"]), (&json!(true), &json!(2)), "{state}");
    let mut found = europe.anybody().found("q=kappa").await;
    found.sort();
    assert_eq!(found, both, "{third} is of a history that was not believed");
    let refused = europe.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await.problem(502);
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("japan")), "{refused}");
    let forks = europe.anybody().get("/federation/v1/forks").await.ok();
    assert_eq!(forks["forks"][0]["size"], 2, "the proof is kept: {forks}");
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&["another history", "older copy"]));
}

/// One honest node, a proxy before it that lies in one way, and a follower that knows only the proxy.
async fn a_liar_is_found_out(lie: Lie) {
    let honest = Node::start("japan").await;
    let (liar, url) = Liar::before(&honest.url(), lie).await;
    let mut setup = Setup::new("europe").await;
    let mut peer = honest.setup.as_peer();
    peer.url = url;
    setup.peers = vec![peer];
    // The first look, at an empty log, must not count: there is nothing to lie about yet.
    liar.lying.store(false, Ordering::SeqCst);
    let follower = Node::start_with(setup).await;
    let before = honest.depositor().deposit(&Dataset::small("Yokai before")).await.id;
    eventually("what came before the lie is there", || async {
        let found = follower.anybody().found("q=yokai").await;
        if found == [before.clone()] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    liar.lying.store(true, Ordering::SeqCst);
    let mut after = Vec::new();
    for title in ["Yokai one", "Yokai two"] {
        after.push(honest.depositor().deposit(&Dataset::small(title)).await.id);
    }
    let wrong = |state: &Value| liar.lied.load(Ordering::SeqCst) && state["error"].is_string();
    let state = peer_becomes(&follower, "japan", "an error", wrong).await;
    assert_eq!(state["peer_fault"], !matches!(lie, Lie::ServerError), "{lie:?}: {state}");
    assert_eq!(state["held"], 1, "{lie:?}: {state}");
    assert_eq!(follower.anybody().found("q=yokai").await, std::slice::from_ref(&before), "{lie:?}");
    for id in &after {
        follower.anybody().get(&format!("/api/v1/datasets/{id}")).await.problem(404);
    }
    // The truth is believed as soon as it is told.
    liar.lying.store(false, Ordering::SeqCst);
    let state =
        peer_becomes(&follower, "japan", "the truth", |state| state["error"].is_null() && state["held"] == 3).await;
    assert_eq!(state["peer_fault"], false);
    eventually("the truth is searchable", || async {
        let found = follower.anybody().found("q=yokai").await;
        if found.len() == 3 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    follower.assert_quiet_log(&[]);
    honest.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_changed_entry_is_found_out() {
    a_liar_is_found_out(Lie::Entries).await;
}

#[tokio::test]
async fn a_changed_hash_tile_is_found_out() {
    a_liar_is_found_out(Lie::Tiles).await;
}

#[tokio::test]
async fn a_changed_checkpoint_is_found_out() {
    a_liar_is_found_out(Lie::Checkpoint).await;
}

#[tokio::test]
async fn a_changed_crate_is_found_out() {
    a_liar_is_found_out(Lie::Crates).await;
}

#[tokio::test]
async fn answers_that_are_cut_short_are_found_out() {
    a_liar_is_found_out(Lie::CutShort).await;
}

#[tokio::test]
async fn a_failing_peer_is_no_liar() {
    a_liar_is_found_out(Lie::ServerError).await;
}

#[tokio::test]
async fn a_peer_with_another_key_than_agreed_is_not_believed() {
    let honest = Node::start("japan").await;
    let mut setup = Setup::new("europe").await;
    let mut peer = honest.setup.as_peer();
    peer.public_key = Setup::new("japan").await.keys.public;
    setup.peers = vec![peer];
    let follower = Node::start_with(setup).await;
    honest.depositor().deposit(&Dataset::small("Unagi")).await;
    let state = peer_becomes(&follower, "japan", "a fault", |state| state["peer_fault"] == true).await;
    assert!(state["error"].as_str().is_some_and(|error| error.contains("key")), "{state}");
    assert_eq!(state["held"], 0);
    assert!(follower.anybody().found("q=unagi").await.is_empty());
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_harvest_on_demand_needs_a_token_and_its_report_adds_up() {
    let honest = Node::start("japan").await;
    let mut setup = Setup::new("europe").await;
    // Only on demand within this test.
    setup.poll_seconds = 100_000;
    setup.peers = vec![honest.setup.as_peer()];
    let follower = Node::start_with(setup).await;
    peer_becomes(&follower, "japan", "the first look", |state| state["checked"].is_string()).await;
    let client = honest.depositor();
    let kept = client.deposit(&Dataset::small("Ramen kept")).await.id;
    let gone = client.deposit(&Dataset::small("Ramen gone")).await.id;
    client.withdraw(&gone, "spam").await;
    let path = "/api/v1/harvest?peer=japan";
    follower.anybody().post(path, &Value::Null).await.problem(401);
    follower.depositor().post(path, &Value::Null).await.problem(403);
    let harvester = Client::new(&follower.url(), Some(&follower.new_token(&["harvest"]).await));
    harvester.post("/api/v1/harvest?peer=nobody", &Value::Null).await.problem(404);
    let reports = harvester.post(path, &Value::Null).await.ok();
    let report = &reports[0];
    assert_eq!(report["peer"], "japan");
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("no '{key}': {report}"));
    let rejected = report["rejected"].as_array().map(Vec::len).unwrap_or_default() as u64;
    assert_eq!(number("seen"), number("stored") + number("unchanged") + rejected, "{report}");
    assert_eq!((number("seen"), number("withdrawn"), number("held"), number("checkpoint")), (3, 1, 3, 3));
    assert_eq!(rejected, 0, "a crate that was withdrawn in the same breath is not missed: {report}");
    let again = harvester.post(path, &Value::Null).await.ok();
    assert_eq!(again[0]["seen"], 0, "{again}");
    eventually("the harvest is searchable", || async {
        let found = follower.anybody().found("q=ramen").await;
        if found == [kept.clone()] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_crate_that_two_records_share_outlives_the_withdrawal_of_one() {
    let honest = Node::start("japan").await;
    let line = Words::titled("Shared oyster").listed("a", "https://archive.example/1");
    let admin = honest.admin();
    for (source, lines) in [("one", line.as_str()), ("two", line.as_str()), ("one", "")] {
        admin.import(source, format!("{lines}{COMPLETE}")).await.ok();
    }
    let mut setup = Setup::new("europe").await;
    setup.peers = vec![honest.setup.as_peer()];
    // It sees all three entries at once.
    let follower = Node::start_with(setup).await;
    for node in [&honest, &follower] {
        eventually("the other record is found", || async {
            let answer = node.anybody().search("q=oyster").await;
            if answer["total"] == 1 { Ok(()) } else { Err(format!("{answer}")) }
        })
        .await;
        let ids = node.anybody().found("q=oyster").await;
        assert!(ids[0].starts_with("two."), "{ids:?}");
        node.anybody().get(&format!("/api/v1/datasets/{}/versions/1/crate", ids[0])).await.expect(200);
        node.assert_quiet_log(&[]);
    }
}
