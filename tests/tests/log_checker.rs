//! A checker in another language, written from docs/FEDERATION.md alone, audits a node with nothing but its key.

use std::path::Path;

use e2e_tests::{COMPLETE, Dataset, Liar, Lie, Node, Words, python};
use serde_json::Value;

/// What the checker found, and whether it was content.
async fn check(url: &str, key: &str, flags: &[&str]) -> (bool, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/log_check.py");
    let mut command = tokio::process::Command::new(python());
    let output = command.arg(script).args([url, key]).args(flags).output().await.expect("running Python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let last = serde_json::from_str(out.lines().last().unwrap_or_default());
    (output.status.success(), last.unwrap_or_else(|_| panic!("no last line of JSON: {out}{err}")))
}

/// More records than one tile holds, by one import.
async fn catalogue(node: &Node, count: usize) {
    let line = |at: usize| Words::titled(&format!("Record {at}")).listed(at, &format!("https://archive.example/{at}"));
    let lines: String = (0..count).map(line).collect();
    node.admin().import("archive", lines + COMPLETE).await.expect(200);
}

/// Deposits with two versions, a withdrawal, and more records than one tile holds.
async fn history(node: &Node) {
    let client = node.depositor();
    let first = client.deposit(&Dataset::small("First")).await.id;
    let gone = client.deposit(&Dataset::small("Gone")).await.id;
    catalogue(node, 300).await;
    client.new_version(&first, &Words::titled("First, again").crate_json(), &[("note.txt", b"new")]).await;
    node.admin().withdraw(&gone, "retracted").await;
}

#[tokio::test]
async fn a_nodes_whole_catalogue_holds_against_its_key() {
    let node = Node::start("europe").await;
    let (content, empty) = check(&node.url(), &node.setup.keys.public, &[]).await;
    assert!(content && empty["entries"] == 0, "{empty}");
    history(&node).await;
    let (content, found) = check(&node.url(), &node.setup.keys.public, &["--bytes"]).await;
    assert!(content, "{found}");
    let counts = ["entries", "datasets", "withdrawn", "versions"].map(|key| found[key].as_u64());
    assert_eq!(counts, [Some(304), Some(301), Some(1), Some(2)], "{found}");
    assert!(found["files"].as_u64() > Some(10), "{found}");

    let other = Node::start("europe").await;
    let (content, found) = check(&node.url(), &other.setup.keys.public, &[]).await;
    assert!(!content && found["where"] == "checkpoint", "another key: {found}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn one_file_of_one_version_is_checked_up_to_the_signed_checkpoint() {
    let node = Node::start("europe").await;
    let id = node.depositor().deposit(&Dataset::small("One file")).await.id;
    let arguments = ["--file", &id, "v1", "image.ome.zarr/0/c/0/1"];
    let (content, found) = check(&node.url(), &node.setup.keys.public, &arguments).await;
    assert!(content && found["size"] == 64, "{found}");
    let (_liar, url) = Liar::before(&node.url(), Lie::Files).await;
    let (content, found) = check(&url, &node.setup.keys.public, &arguments).await;
    assert!(!content && found["where"] == "image.ome.zarr/0/c/0/1", "{found}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn whatever_is_changed_on_the_way_is_named() {
    let node = Node::start("europe").await;
    history(&node).await;
    for lie in [Lie::Entries, Lie::Tiles, Lie::Checkpoint, Lie::Crates, Lie::Manifests, Lie::CutShort, Lie::ServerError]
    {
        let (_liar, url) = Liar::before(&node.url(), lie).await;
        let (content, found) = check(&url, &node.setup.keys.public, &[]).await;
        assert!(!content && found["error"].is_string(), "{lie:?}: {found}");
    }
    node.assert_quiet_log(&[]);
}
