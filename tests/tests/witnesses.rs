//! Nodes as witnesses of each other's logs (C2SP tlog-witness, tlog-cosignature).

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::{Digest, MerkleTree};
use e2e_tests::{Answer, Client, Dataset, Federation, Node, PeerEntry, Setup, eventually, python};
use ed25519_dalek::{Signer, SigningKey, Verifier};
use serde_json::{Value, json};

async fn checkpoint(node: &Node) -> String {
    node.anybody().get("/log/checkpoint").await.expect(200).text()
}

/// Waits until a node's checkpoint has this size and is cosigned by these nodes.
async fn cosigned(node: &Node, size: u64, witnesses: &[&str]) -> String {
    eventually(&format!("{size} entries of '{}' cosigned by {witnesses:?}", node.id()), || async {
        let note = checkpoint(node).await;
        let has = |name: &&str| note.contains(&format!("\n\u{2014} heliograph/{name} "));
        let complete = note.lines().nth(1) == Some(&size.to_string()) && witnesses.iter().all(has);
        if complete { Ok(note) } else { Err(note) }
    })
    .await
}

async fn checked(node: &Node, witnesses: &[&Node]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/log_check.py");
    let mut command = tokio::process::Command::new(python());
    command.arg(script).args([&node.url(), &node.setup.keys.public]);
    for witness in witnesses {
        command.args(["--witness", &witness.setup.keys.public]);
    }
    let output = command.output().await.expect("running Python");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), text)
}

#[tokio::test]
async fn partners_cosign_what_a_node_publishes_and_everybody_can_check_it() {
    let federation = Federation::start(&["europe", "japan", "australia"]).await;
    let [europe, japan, australia] = ["europe", "japan", "australia"].map(|name| federation.node(name));
    for (size, title) in [(1, "Quoll one"), (2, "Quoll two")] {
        europe.depositor().deposit(&Dataset::small(title)).await;
        let note = cosigned(europe, size, &["japan", "australia"]).await;
        assert!(note.starts_with(&format!("heliograph/europe\n{size}\n")), "{note}");
    }
    let (content, found) = checked(europe, &[japan, australia]).await;
    assert!(content, "{found}");
    let stranger = Node::start("stranger").await;
    let (content, found) = checked(europe, &[&stranger]).await;
    assert!(!content && found.contains("has not cosigned"), "{found}");

    let described = europe.anybody().get("/federation/v1/node").await.ok();
    let witnesses = described["witnesses"].as_array().unwrap();
    assert_eq!(witnesses.iter().map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(), ["australia", "japan"]);
    let peers = europe.anybody().get("/api/v1/peers").await.ok();
    assert_eq!(peers[0]["cosigned"]["size"], 2, "{peers}");
    let page = europe.anybody().get("/federation").await.expect(200).text();
    assert!(page.contains("Cosigned by japan") && page.contains("Cosigned of our log"), "{page}");
    // What a node has seen is told once: until it changes there is nothing to read.
    let path = "/federation/v1/checkpoints";
    let seen = japan.anybody().get(path).await;
    assert_eq!(seen.clone().ok()["checkpoints"].as_array().unwrap().len(), 3, "every log: {seen:?}");
    let unchanged = japan.anybody().get_with(path, &[("if-none-match", seen.header("etag"))]).await.expect(304);
    assert!(unchanged.body.is_empty());
    // Who reads the log sees who else has cosigned it.
    eventually("japan sees that australia has cosigned", || async {
        let peers = japan.anybody().get("/api/v1/peers").await.ok();
        let europe = peers.as_array().unwrap().iter().find(|peer| peer["id"] == "europe").unwrap().clone();
        let witnesses = europe["witnesses"].to_string();
        if witnesses.contains("australia") { Ok(()) } else { Err(europe.to_string()) }
    })
    .await;
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

#[tokio::test]
async fn a_checkpoint_is_shown_once_as_many_as_required_have_cosigned_it() {
    let (mut europe, mut japan) = (Setup::new("europe").await, Setup::new("japan").await);
    (europe.peers, japan.peers) = (vec![japan.as_peer()], vec![europe.as_peer()]);
    europe.variables = vec![("HELIOGRAPH_FEDERATION_WITNESSES_REQUIRED".into(), "1".into())];
    // It looks by itself when it starts, and then never again: what it finds later, it was told of.
    japan.poll_seconds = 100_000;
    let (mut europe, mut japan) = (Node::start_with(europe).await, Node::start_with(japan).await);
    let first = europe.depositor().deposit(&Dataset::small("Dunnart one")).await.id;
    cosigned(&europe, 1, &["japan"]).await;
    japan.stop().await;
    let second = europe.depositor().deposit(&Dataset::small("Dunnart two")).await.id;
    assert_eq!(europe.anybody().found("q=dunnart").await.len(), 2, "at home it is there at once");
    assert!(checkpoint(&europe).await.starts_with("heliograph/europe\n1\n"));
    let proof = |id: &str| format!("/api/v1/datasets/{id}/versions/1/proof");
    let proven = europe.anybody().get(&proof(&first)).await.ok();
    assert_eq!(proven["size"], 1, "a proof is up to what is shown: {proven}");
    europe.anybody().get(&proof(&second)).await.problem(503);
    // What was shown is shown again, also by a node that starts alone.
    europe.restart().await;
    assert!(checkpoint(&europe).await.starts_with("heliograph/europe\n1\n"));
    japan.launch().await;
    cosigned(&europe, 2, &["japan"]).await;
    assert_eq!(europe.anybody().get(&proof(&second)).await.ok()["size"], 2);
    eventually("japan finds both", || async {
        let found = japan.anybody().found("q=dunnart").await;
        if found.len() == 2 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    europe.assert_quiet_log(&[]);
    japan.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_follower_may_wait_for_witnesses_it_knows() {
    let (mut japan, mut australia) = (Setup::new("japan").await, Setup::new("australia").await);
    (japan.peers, australia.peers) = (vec![australia.as_peer()], vec![japan.as_peer()]);
    let mut europe = Setup::new("europe").await;
    europe.peers = vec![PeerEntry { more: "witnesses_required = 1".into(), ..japan.as_peer() }, australia.as_peer()];
    let (japan, europe) = (Node::start_with(japan).await, Node::start_with(europe).await);
    japan.depositor().deposit(&Dataset::small("Potoroo")).await;
    let state = || async {
        europe.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await;
        let peers = europe.anybody().get("/api/v1/peers").await.ok();
        peers.as_array().unwrap().iter().find(|peer| peer["id"] == "japan").unwrap().clone()
    };
    let waiting = eventually("europe waits for a witness", || async {
        let state = state().await;
        let waits = state["error"].as_str().is_some_and(|error| error.contains("cosign"));
        if waits { Ok(state) } else { Err(state.to_string()) }
    })
    .await;
    assert_eq!((&waiting["held"], &waiting["peer_fault"]), (&json!(0), &json!(false)), "{waiting}");
    let _australia = Node::start_with(australia).await;
    eventually("a witness came, and the entry is taken", || async {
        let state = state().await;
        if state["held"] == 1 && state["error"].is_null() { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
    europe.assert_quiet_log(&[]);
}

/// A log without a node: a key and entries that the test chooses.
struct Log {
    key: SigningKey,
    leaves: Vec<Vec<u8>>,
}

impl Log {
    const NAME: &str = "heliograph/loner";

    fn new() -> Self {
        Self { key: SigningKey::from_bytes(&rand::random()), leaves: Vec::new() }
    }

    /// The key with its type of signature, as ids and texts of keys hold it.
    fn typed_key(&self) -> Vec<u8> {
        [&[1], &self.key.verifying_key().as_bytes()[..]].concat()
    }

    fn public_key(&self) -> String {
        let key = self.typed_key();
        let id: String = key_id(Self::NAME, &key).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}+{id}+{}", Self::NAME, STANDARD.encode(key))
    }

    fn root(&self) -> Digest {
        let mut tree = MerkleTree::default();
        self.leaves.iter().for_each(|leaf| tree.push(leaf));
        tree.root()
    }

    /// With one more entry.
    fn and(&self, leaf: &str) -> Self {
        Self { key: self.key.clone(), leaves: [self.leaves.clone(), vec![leaf.into()]].concat() }
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", Self::NAME, self.leaves.len(), STANDARD.encode(self.root().as_bytes()))
    }

    fn note(&self) -> String {
        let text = self.text();
        let signature =
            [&key_id(Self::NAME, &self.typed_key())[..], &self.key.sign(text.as_bytes()).to_bytes()].concat();
        format!("{text}\n\u{2014} {} {}\n", Self::NAME, STANDARD.encode(signature))
    }

    /// What proves that this log extends that of one entry less, where that has 1 or 2.
    fn last_leaf(&self) -> String {
        let leaf = [&[0], &self.leaves.last().unwrap()[..]].concat();
        STANDARD.encode(Digest::of(leaf).as_bytes())
    }
}

fn key_id(name: &str, key: &[u8]) -> [u8; 4] {
    let id = Digest::of([name.as_bytes(), b"\n", key].concat());
    id.as_bytes()[..4].try_into().unwrap()
}

async fn add(witness: &Client, old: u64, proof: &[String], note: &str) -> Answer {
    let hashes: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    let body = format!("old {old}\n{hashes}\n{note}");
    witness.send(witness.request(reqwest::Method::POST, "/witness/v1/add-checkpoint").body(body)).await
}

async fn witness_of(log: &Log) -> Node {
    let mut setup = Setup::new("europe").await;
    let (id, url, public_key, more) = ("loner".into(), "http://127.0.0.1:9".into(), log.public_key(), String::new());
    setup.peers = vec![PeerEntry { id, url, public_key, more }];
    Node::start_with(setup).await
}

fn assert_conflict(answer: &Answer, size: u64) {
    assert_eq!((answer.status, answer.header("content-type")), (409, "text/x.tlog.size"), "{answer:?}");
    assert_eq!(answer.text(), format!("{size}\n"));
}

/// Checks a cosignature as C2SP tlog-cosignature describes it.
fn assert_cosigned(answer: &Answer, log: &Log, witness: &Node) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let key = STANDARD.decode(witness.setup.keys.public.splitn(3, '+').nth(2).unwrap()).unwrap();
    let verifying = ed25519_dalek::VerifyingKey::from_bytes(key[1..].try_into().unwrap()).unwrap();
    let text = answer.text();
    let line = text.strip_prefix("\u{2014} heliograph/europe ").and_then(|rest| rest.strip_suffix('\n')).unwrap();
    let bytes = STANDARD.decode(line).unwrap();
    assert_eq!(bytes[..4], key_id("heliograph/europe", &[&[4], &key[1..]].concat()));
    let time = u64::from_be_bytes(bytes[4..12].try_into().unwrap());
    let message = format!("cosignature/v1\ntime {time}\n{}", log.text());
    verifying.verify(message.as_bytes(), &ed25519_dalek::Signature::from_slice(&bytes[12..]).unwrap()).unwrap();
}

#[tokio::test]
async fn the_witness_route_answers_as_its_specification_says() {
    let empty = Log::new();
    let (one, stranger) = (empty.and("a"), Log::new().and("a"));
    let (two, other_two) = (one.and("b"), one.and("c"));
    let three = two.and("d");
    let mut node = witness_of(&empty).await;
    let client = node.anybody();
    for malformed in ["", "old 0\nnote"] {
        let request = client.request(reqwest::Method::POST, "/witness/v1/add-checkpoint").body(malformed);
        client.send(request).await.problem(400);
    }
    add(&client, 0, &[], &one.note().replace("loner", "nobody")).await.problem(404);
    add(&client, 0, &[], &stranger.note()).await.problem(403);
    add(&client, 2, &[], &one.note()).await.problem(400);
    add(&client, 0, &[two.last_leaf()], &one.note()).await.problem(422);
    assert_cosigned(&add(&client, 0, &[], &one.note()).await, &one, &node);
    assert_conflict(&add(&client, 0, &[], &two.note()).await, 1);
    add(&client, 1, &[], &two.note()).await.problem(422);
    add(&client, 1, &[other_two.last_leaf()], &two.note()).await.problem(422);
    assert_cosigned(&add(&client, 1, &[two.last_leaf()], &two.note()).await, &two, &node);
    assert_cosigned(&add(&client, 2, &[], &two.note()).await, &two, &node);
    assert_conflict(&add(&client, 1, &[two.last_leaf()], &two.note()).await, 2);

    // What was cosigned is known after a crash.
    node.kill();
    node.launch().await;
    assert_conflict(&add(&client, 1, &[two.last_leaf()], &two.note()).await, 2);
    assert_conflict(&add(&client, 1, &[other_two.last_leaf()], &other_two.note()).await, 2);
    let forks = client.get("/federation/v1/forks").await.ok();
    let fork = &forks["forks"][0];
    assert_eq!((&fork["log"], &fork["size"]), (&json!(Log::NAME), &json!(2)), "{forks}");
    assert_eq!(fork["sides"][0]["note"], two.note());
    assert_eq!(fork["sides"][1]["note"], other_two.note());
    let refused = add(&client, 2, &[three.last_leaf()], &three.note()).await.problem(403);
    assert!(refused["detail"].as_str().unwrap().contains("another history"), "{refused}");
    node.assert_quiet_log(&["nothing more is taken"]);
}

#[tokio::test]
async fn of_two_histories_shown_at_the_same_time_one_is_cosigned() {
    let empty = Log::new();
    let one = empty.and("a");
    let node = witness_of(&empty).await;
    let client = node.anybody();
    assert_cosigned(&add(&client, 0, &[], &one.note()).await, &one, &node);
    let asked = (0..16).map(|at| {
        let (log, client) = (one.and(&format!("leaf {at}")), client.clone());
        async move { add(&client, 1, &[log.last_leaf()], &log.note()).await.status }
    });
    let answers = futures::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [200, 403, 409].contains(status)), "{answers:?}");
}
