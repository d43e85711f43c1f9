//! A node that joins a federation while all of it runs.

use axum::{Json, Router, routing::get};
use e2e_tests::{Client, Dataset, Federation, KeyPair, Node, Setup, eventually, run};
use serde_json::{Value, json};

/// Runs `heliograph peers …` as the node's administrator.
async fn peers(node: &Node, arguments: &[&str]) -> e2e_tests::Output {
    let (url, token) = (node.url(), node.admin_token.clone());
    run(["peers"].iter().chain(arguments).chain(&["--node", &url, "--token", &token])).await
}

/// The names of the peers a node follows.
async fn followed(node: &Node) -> Vec<String> {
    let peers = node.anybody().get("/api/v1/peers").await.ok();
    peers.as_array().unwrap().iter().map(|peer| peer["id"].as_str().unwrap().to_owned()).collect()
}

async fn finds(node: &Node, query: &str, count: usize) {
    eventually(&format!("'{}' finds {count} with {query}", node.id()), || async {
        let found = node.anybody().found(query).await;
        if found.len() == count { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

/// Somebody who describes himself like this, at a port of its own.
async fn described_as(description: Value) -> String {
    let app = Router::new().route("/federation/v1/node", get(move || async move { Json(description) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn description(id: &str, key: &str, peers: Value) -> Value {
    json!({"id": id, "title": id, "url": "https://elsewhere.example", "public_key": key, "software": "heliograph",
        "version": "0", "peers": peers, "log_size": 0, "protocol": 1})
}

#[tokio::test]
async fn a_newcomer_is_shown_who_a_node_is_and_offered_the_whole_federation() {
    let federation = Federation::start(&["europe", "japan"]).await;
    for (node, title) in federation.nodes.iter().zip(["Numbat one", "Numbat two"]) {
        node.depositor().deposit(&Dataset::small(title)).await;
    }
    let (europe, japan) = (federation.node("europe"), federation.node("japan"));
    let newcomer = Node::start("australia").await;
    let undecided = peers(&newcomer, &["add", &japan.url()]).await;
    assert!(
        !undecided.status.success() && undecided.stderr.contains("--key"),
        "nobody is there to ask: {undecided:#?}"
    );
    assert!(undecided.stdout.contains("Node japan") && undecided.stdout.contains(&japan.setup.keys.public));
    assert!(followed(&newcomer).await.is_empty());

    let added = peers(&newcomer, &["add", &japan.url(), "--key", &japan.setup.keys.public]).await.ok();
    assert!(added.stdout.contains("following 'japan'"), "{added:#?}");
    let (offered, command) = added.stdout.split_once("Also in this federation").unwrap_or_else(|| panic!("{added:#?}"));
    assert!(offered.contains("fingerprint") && command.contains(&europe.setup.keys.public), "{added:#?}");
    finds(&newcomer, "q=numbat", 1).await;
    eventually("the page suggests europe", || async {
        let page = newcomer.anybody().get("/federation").await.expect(200).text();
        if page.contains("Also in this federation") && page.contains(&europe.url()) { Ok(()) } else { Err(page) }
    })
    .await;
    let command: Vec<&str> = command.split("heliograph peers ").nth(1).unwrap().split_whitespace().collect();
    peers(&newcomer, &command).await.ok();
    finds(&newcomer, "q=numbat", 2).await;
    let described = newcomer.anybody().get("/federation/v1/node").await.ok();
    assert_eq!(described["peers"].as_array().unwrap().len(), 2, "{described}");
    assert_eq!(newcomer.anybody().get("/api/v1/peers/suggested").await.ok(), json!([]));
    newcomer.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_was_added_is_followed_after_a_restart_and_what_was_removed_is_kept_and_shown() {
    let honest = Node::start("japan").await;
    let id = honest.depositor().deposit(&Dataset::small("Bilby first")).await.id;
    let mut follower = Node::start("europe").await;
    let body = json!({"url": format!("{}/", honest.url()), "public_key": honest.setup.keys.public});
    follower.anybody().post("/api/v1/peers", &body).await.problem(401);
    follower.depositor().post("/api/v1/peers", &body).await.problem(403);
    for _ in 0..2 {
        let answer = follower.admin().post("/api/v1/peers", &body).await.expect(201).json();
        assert_eq!((&answer["id"], &answer["following"]), (&json!("japan"), &json!(true)), "twice is once: {answer}");
    }
    finds(&follower, "q=bilby", 1).await;
    follower.restart().await;
    honest.depositor().deposit(&Dataset::small("Bilby second")).await;
    finds(&follower, "q=bilby", 2).await;

    peers(&follower, &["remove", "japan"]).await.ok();
    assert!(followed(&follower).await.is_empty());
    follower.restart().await;
    assert!(followed(&follower).await.is_empty());
    finds(&follower, "q=bilby", 2).await;
    let record = follower.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok();
    assert_eq!(record["node"]["url"], honest.url(), "its records still lead to it");
    let gone = peers(&follower, &["remove", "japan"]).await;
    assert!(!gone.status.success() && gone.stderr.contains("no peer 'japan'"), "{gone:#?}");
    follower.admin().post("/api/v1/peers", &body).await.expect(201);
    honest.depositor().deposit(&Dataset::small("Bilby third")).await;
    finds(&follower, "q=bilby", 3).await;
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_peer_of_the_configuration_counts_and_cannot_be_removed_here() {
    let honest = Node::start("japan").await;
    let mut follower = Node::start("europe").await;
    let body = json!({"url": honest.url(), "public_key": honest.setup.keys.public});
    follower.admin().post("/api/v1/peers", &body).await.expect(201);
    follower.stop().await;
    let mut other = honest.setup.as_peer();
    other.url = "http://127.0.0.1:9".into();
    follower.setup.peers = vec![other];
    follower.launch().await;
    let states = follower.anybody().get("/api/v1/peers").await.ok();
    assert_eq!((&states[0]["url"], &states[0]["added"]), (&json!("http://127.0.0.1:9"), &json!(false)), "{states}");
    let refused = follower.admin().delete("/api/v1/peers/japan").await.problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("configuration"), "{refused}");
    follower.assert_quiet_log(&["the configuration counts"]);
}

#[tokio::test]
async fn a_key_that_was_not_agreed_to_is_not_pinned() {
    let honest = Node::start("japan").await;
    let follower = Node::start("europe").await;
    let other = KeyPair::new("japan").await.public;
    let admin = follower.admin();
    let refused = admin.post("/api/v1/peers", &json!({"url": honest.url(), "public_key": other})).await.problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("nothing was pinned"), "{refused}");
    // Who describes himself with another node's key must sign with it as well.
    let boaster = described_as(description("japan", &honest.setup.keys.public, json!([]))).await;
    let claim = json!({"url": boaster, "public_key": honest.setup.keys.public});
    admin.post("/api/v1/peers", &claim).await.problem(502);
    assert!(followed(&follower).await.is_empty());
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn names_and_keys_are_taken_once() {
    let (japan, other) = (Node::start("japan").await, Node::start("japan").await);
    let mut setup = Setup::new("europe").await;
    setup.peers = vec![japan.setup.as_peer()];
    let follower = Node::start_with(setup).await;
    for (url, why) in [(other.url(), "followed already"), (follower.url(), "this node itself")] {
        let refused = follower.admin().post("/api/v1/peers", &json!({"url": url})).await.problem(409);
        assert!(refused["detail"].as_str().unwrap().contains(why), "{refused}");
    }
    let again = described_as(description("nippon", &japan.setup.keys.public, json!([]))).await;
    follower.admin().post("/api/v1/peers", &json!({"url": again})).await.problem(409);
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_and_what_a_stranger_suggests_is_sifted() {
    let follower = Node::start("europe").await;
    let admin: Client = follower.admin();
    for url in ["", "japan.example", "file:///etc/passwd", "ftp://h/", "http://u:p@127.0.0.1/", "http://127.0.0.1/?q"] {
        admin.post("/api/v1/peers", &json!({"url": url})).await.problem(422);
    }
    admin.post("/api/v1/peers", &json!({"url": "http://127.0.0.1:9"})).await.problem(502);

    let key = KeyPair::new("fine").await.public;
    let named = |url: &str, key: &str| json!({"id": "other", "url": url, "public_key": key});
    let plain = KeyPair::new("plain").await.public;
    let stranger = description(
        "stranger",
        &KeyPair::new("stranger").await.public,
        json!([
            named("http://169.254.169.254/latest", &key),
            named("file:///etc/passwd", &key),
            named("http://me:secret@127.0.0.1:1", &key),
            named("http://127.0.0.1:1/$(id)", &key),
            named("http://127.0.0.1:1/", "no key"),
            named("http://127.0.0.1:8/", &follower.setup.keys.public),
            {"id": "fine", "url": "http://127.0.0.1:7/node", "public_key": plain},
        ]),
    );
    let url = described_as(stranger).await;
    let offer = admin.post("/api/v1/peers", &json!({"url": url})).await.ok();
    let suggested = offer["suggestions"].as_array().unwrap();
    assert_eq!(suggested.len(), 1, "{offer:#}");
    assert_eq!((&suggested[0]["id"], &suggested[0]["url"]), (&json!("fine"), &json!("http://127.0.0.1:7/node")));
    assert_eq!(offer["following"], false);
    follower.assert_quiet_log(&[]);
}
