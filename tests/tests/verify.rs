//! `heliograph verify`: an audit from outside with a public key alone, and of a stopped node's own data.

use std::fs;

use e2e_tests::{Dataset, Liar, Lie, Node, Output, Setup, Words, files_below, run};
use serde_json::Value;

async fn audit(url: &str, arguments: &[&str]) -> Output {
    run([&["verify", "--json", "--node", url], arguments].concat()).await
}

async fn verify_own(node: &Node) -> Output {
    run(["verify", "--json", "--config", node.config_file().to_str().expect("a path")]).await
}

/// Two versions of one dataset, one that is withdrawn.
async fn history(node: &Node) -> String {
    let client = node.depositor();
    let id = client.deposit(&Dataset::small("First")).await.id;
    let gone = client.deposit(&Dataset::small("Gone")).await.id;
    client.new_version(&id, &Words::titled("First, again").crate_json(), &[("note.txt", b"new")]).await;
    client.withdraw(&gone, "spam").await;
    id
}

fn findings(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap_or_else(|| panic!("no findings: {report}"));
    findings.iter().map(|finding| format!("{}: {}", finding["where"], finding["what"])).collect()
}

#[tokio::test]
async fn an_honest_node_holds_and_a_changed_byte_is_named() {
    let node = Node::start("europe").await;
    let id = history(&node).await;
    let key = node.setup.keys.public.as_str();
    let report = audit(&node.url(), &["--key", key, "--bytes"]).await.ok().json();
    assert_eq!(findings(&report), Vec::<String>::new());
    let counts = ["entries", "datasets", "withdrawn", "versions", "crates"].map(|name| report[name].as_u64());
    assert_eq!(counts, [Some(4), Some(1), Some(1), Some(2), Some(2)], "{report}");
    assert_eq!(report["files_read"], report["files"], "{report}");
    let sampled = audit(&node.url(), &["--sample", "3"]).await.ok().json();
    assert_eq!(sampled["files_read"], 3, "{sampled}");
    assert!(sampled["trust"].as_str().is_some_and(|trust| trust.contains("tells of itself")), "{sampled}");

    for (lie, place) in [
        (Lie::Checkpoint, "checkpoint"),
        (Lie::Entries, "entr"),
        (Lie::Tiles, "/log/tile/0/"),
        (Lie::Crates, "crate"),
        (Lie::Manifests, &*id),
        (Lie::Files, "image.ome.zarr/"),
    ] {
        let (_liar, url) = Liar::before(&node.url(), lie).await;
        let output = audit(&url, &["--key", key, "--bytes"]).await;
        assert!(!output.status.success(), "{lie:?}: {output:?}");
        let found = findings(&output.json());
        assert!(found.iter().any(|finding| finding.contains(place)), "{lie:?}: {found:?}");
    }
    let stranger = Setup::new("europe").await.keys.public;
    let output = audit(&node.url(), &["--key", &stranger]).await;
    assert!(!output.status.success() && findings(&output.json())[0].contains("checkpoint"), "{output:?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_stopped_nodes_data_hold_until_a_bit_of_it_is_flipped() {
    let mut node = Node::start("europe").await;
    let id = history(&node).await;
    let running = verify_own(&node).await;
    assert!(!running.status.success() && running.stderr.contains("stop"), "{running:?}");
    node.stop().await;
    let report = verify_own(&node).await.ok().json();
    assert_eq!(findings(&report), Vec::<String>::new());
    assert_eq!(
        (&report["logs"]["europe"], &report["versions"], &report["crates"]),
        (&4.into(), &2.into(), &2.into()),
        "{report}"
    );

    let root = node.data_dir().join("archive/ocfl");
    let chunk = files_below(&root).into_keys().find(|name| name.ends_with("/0/c/0/0")).expect("a chunk");
    let right = fs::read(root.join(&chunk)).expect("reading");
    let mut wrong = right.clone();
    wrong[0] ^= 1;
    fs::write(root.join(&chunk), wrong).expect("writing");
    let output = verify_own(&node).await;
    let found = findings(&output.json());
    assert!(
        !output.status.success() && found.iter().any(|finding| finding.contains(&id) && finding.contains("0/c/0/0")),
        "{found:?}"
    );
    fs::write(root.join(&chunk), right).expect("writing");
    verify_own(&node).await.ok();
}
