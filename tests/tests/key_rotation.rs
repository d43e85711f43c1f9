//! A log goes on under a new key, and partners follow it.

use std::{fs, path::Path};

use e2e_tests::{Dataset, KeyPair, Node, Output, Setup, eventually, python, run};
use serde_json::{Value, json};

async fn rotate(node: &mut Node) -> Value {
    node.stop().await;
    let config = node.config_file();
    let rotation = run(["keygen", "--rotate", "--json", "--config", config.to_str().unwrap()]).await.ok().json();
    node.launch().await;
    rotation
}

async fn pair() -> (Node, Node) {
    let japan = Node::start("japan").await;
    let mut setup = Setup::new("europe").await;
    setup.peers = vec![japan.setup.as_peer()];
    (japan, Node::start_with(setup).await)
}

async fn state_is(follower: &Node, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || async {
        follower.admin().post("/api/v1/harvest?peer=japan", &Value::Null).await;
        let state = follower.anybody().get("/api/v1/peers").await.ok()[0].clone();
        if wanted(&state) { Ok(state) } else { Err(state.to_string()) }
    })
    .await
}

async fn audited(node: &Node, key: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/log_check.py");
    let output = tokio::process::Command::new(python()).arg(script).args([&node.url(), key]).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Output { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[tokio::test]
async fn partners_follow_a_log_to_the_key_that_its_old_one_signed() {
    let (mut japan, mut europe) = pair().await;
    japan.depositor().deposit(&Dataset::small("Ibis one")).await;
    state_is(&europe, "one is held", |state| state["held"] == 1).await;
    let old = japan.setup.keys.public.clone();
    let rotation = rotate(&mut japan).await;
    assert_eq!((&rotation["from"], &rotation["size"]), (&json!(old), &json!(1)), "{rotation}");
    let new = rotation["to"].as_str().unwrap().to_owned();
    assert!(new.starts_with("heliograph/japan+") && new != old, "the log keeps its name: {new}");
    japan.depositor().deposit(&Dataset::small("Ibis two")).await;
    let followed = |state: &Value| state["held"] == 2 && state["error"].is_null();
    let state = state_is(&europe, "the new key is followed", followed).await;
    assert_eq!((&state["public_key"], &state["key_changed"]["size"]), (&json!(new), &json!(1)), "{state}");
    let page = europe.anybody().get("/federation").await.expect(200).text();
    assert!(page.contains("signed by the one before"), "{page}");
    let named = europe.anybody().get("/federation/v1/node").await.ok();
    assert_eq!(named["peers"][0]["public_key"], new, "others are told the new one: {named}");

    // Over a restart of either, and from a key that was pinned two changes ago.
    europe.stop().await;
    let second = rotate(&mut japan).await;
    let third = rotate(&mut japan).await;
    assert_eq!(second["to"], third["from"]);
    japan.depositor().deposit(&Dataset::small("Ibis three")).await;
    europe.launch().await;
    let state = state_is(&europe, "two changes at once", |state| state["held"] == 3 && state["error"].is_null()).await;
    assert_eq!(state["public_key"], third["to"]);
    europe.restart().await;
    let again = europe.anybody().get("/api/v1/peers").await.ok()[0].clone();
    assert_eq!((&again["public_key"], &again["held"]), (&third["to"], &json!(3)), "{again}");

    let chain = japan.anybody().get("/federation/v1/keys").await.ok();
    assert_eq!((&chain["public_key"], chain["changes"].as_array().unwrap().len()), (&third["to"], 3), "{chain}");
    audited(&japan, third["to"].as_str().unwrap()).await.ok();
    assert!(!audited(&japan, &old).await.status.success());
    europe.assert_quiet_log(&[]);
    japan.assert_quiet_log(&[]);
}

#[tokio::test]
async fn fetch_and_verify_go_along_the_keys_that_the_one_given_led_to_and_no_others() {
    let (mut japan, mut europe) = pair().await;
    let id = japan.depositor().deposit(&Dataset::small("Egret")).await.id;
    state_is(&europe, "one is held", |state| state["held"] == 1).await;
    let old = japan.setup.keys.public.clone();
    rotate(&mut japan).await;
    let new = rotate(&mut japan).await["to"].as_str().unwrap().to_owned();
    japan.depositor().deposit(&Dataset::small("Egret again")).await;
    state_is(&europe, "the new key is followed", |state| state["public_key"] == new && state["held"] == 2).await;

    let folder = tempfile::tempdir().unwrap();
    let fetch = async |from: &Node, key: &str, to: &str| {
        let to = folder.path().join(to);
        run(["fetch", &id, to.to_str().unwrap(), "--node", &from.url(), "--key", key, "--json"]).await
    };
    let verify = async |key: &str| run(["verify", "--node", &japan.url(), "--key", key, "--json"]).await;
    for fetched in [fetch(&japan, &old, "origin").await, fetch(&europe, &old, "follower").await] {
        let fetched = fetched.ok().json();
        assert_eq!(fetched["key"], new);
        assert!(fetched["trust"].as_str().unwrap().contains("signed by the one before"), "{fetched}");
    }
    let audit = verify(&old).await.ok().json();
    assert_eq!((&audit["valid"], &audit["key"]), (&json!(true), &json!(new)), "{audit}");

    let stranger = KeyPair::new("japan").await.public;
    let refused = fetch(&japan, &stranger, "stranger").await;
    assert!(!refused.status.success() && refused.stderr.contains("no change of key leads on"), "{refused:?}");
    assert!(!folder.path().join("stranger").exists(), "nothing was fetched");
    let audit = verify(&stranger).await;
    assert!(
        !audit.status.success() && audit.json()["trust"].as_str().unwrap().contains("no change of key"),
        "{audit:?}"
    );

    // A follower tells the keys, and has the proof, when the node itself is away; the bytes it does not have.
    japan.stop().await;
    let left = fetch(&europe, &old, "alone").await;
    assert!(!left.status.success() && !left.stderr.contains("no change of key"), "{left:?}");
    europe.stop().await;
}

#[tokio::test]
async fn a_key_that_the_old_one_did_not_sign_is_not_followed() {
    let (mut japan, europe) = pair().await;
    japan.depositor().deposit(&Dataset::small("Heron one")).await;
    state_is(&europe, "one is held", |state| state["held"] == 1).await;
    japan.stop().await;
    let other = KeyPair::new("japan").await;
    fs::write(japan.data_dir().join("keys/node.key"), &other.secret).unwrap();
    japan.launch().await;
    // The thief's log has a change of key as well, but none that the pinned key signed.
    rotate(&mut japan).await;
    japan.depositor().deposit(&Dataset::small("Heron two")).await;
    let state = state_is(&europe, "a fault", |state| state["peer_fault"] == true).await;
    assert!(state["error"].as_str().unwrap().contains("key"), "{state}");
    assert_eq!((&state["held"], &state["public_key"]), (&json!(1), &json!(japan.setup.keys.public)), "{state}");
    europe.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_change_that_was_interrupted_is_completed_and_an_old_key_is_refused() {
    let (mut japan, europe) = pair().await;
    japan.depositor().deposit(&Dataset::small("Crane")).await;
    state_is(&europe, "one is held", |state| state["held"] == 1).await;
    let keys = japan.data_dir().join("keys");
    let rotation = rotate(&mut japan).await;
    japan.stop().await;
    // As a crash would leave it that came after the ledger and before the folder.
    fs::rename(keys.join("node.key"), keys.join("next.key")).unwrap();
    fs::write(keys.join("node.key"), &japan.setup.keys.secret).unwrap();
    japan.launch().await;
    let described = japan.anybody().get("/federation/v1/node").await.ok();
    assert_eq!(described["public_key"], rotation["to"]);
    state_is(&europe, "the new key is followed", |state| state["public_key"] == rotation["to"]).await;

    japan.stop().await;
    fs::write(keys.join("node.key"), &other_secret().await).unwrap();
    let config = japan.config_file();
    let refused = run(["serve", "--config", config.to_str().unwrap()]).await;
    let said = refused.stdout + &refused.stderr;
    assert!(!refused.status.success() && said.contains("gone on under"), "{said}");
}

async fn other_secret() -> String {
    KeyPair::new("japan").await.secret
}
