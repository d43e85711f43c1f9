//! `heliograph deposit`: sends only what is missing, however often it is interrupted.

use std::{fs, path::PathBuf, process::Stdio};

use e2e_tests::{Dataset, Node, Output, Store, Words, eventually, heliograph, run};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

struct Folder {
    image: PathBuf,
    crate_file: PathBuf,
}

/// An image of many small files, and its crate.
fn folder(node: &Node, chunks: usize) -> Folder {
    let mut store = Store::v05("many.ome.zarr", 3);
    // A folder of its own below the image's arrays would break a rule; beside the metadata, files are only noted.
    for at in 0..chunks {
        store.put(&format!("notes/{at}.txt"), vec![u8::try_from(at % 251).unwrap_or_default(); 20_000 + at]);
    }
    let root = node.scratch().join("to-deposit");
    fs::create_dir_all(&root).expect("a folder");
    store.write_to(&root);
    let crate_file = root.join("crate.json");
    fs::write(&crate_file, Words::titled("Many small files").crate_json().to_string()).expect("writing");
    Folder { image: root.join("many.ome.zarr"), crate_file }
}

fn arguments(node: &Node, folder: &Folder, more: &[&str]) -> Vec<String> {
    let paths = [&folder.image, &folder.crate_file].map(|path| path.to_string_lossy().into_owned());
    let fixed = [
        "deposit",
        &paths[0],
        "--crate",
        &paths[1],
        "--publish",
        "--json",
        "--node",
        &node.url(),
        "--token",
        &node.deposit_token,
    ];
    fixed.iter().chain(more).map(ToString::to_string).collect()
}

async fn deposit(node: &Node, folder: &Folder, more: &[&str]) -> Output {
    run(arguments(node, folder, more)).await
}

/// The files of the only draft, by path; none when there is no draft.
async fn arrived(node: &Node) -> Vec<String> {
    let drafts = node.depositor().get("/api/v1/deposits").await.expect(200).json();
    let Some(id) = drafts["deposits"][0]["id"].as_str() else { return Vec::new() };
    let listing = node.depositor().get(&format!("/api/v1/deposits/{id}/files")).await;
    if listing.status != 200 {
        return Vec::new();
    }
    let listing = listing.json();
    listing["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["path"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_deposit_goes_on_where_it_stopped() {
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let node = Node::start("europe").await;
    let folder = folder(&node, 400);
    let mut before = 0;
    for _ in 0..3 {
        let mut process = tokio::process::Command::new(heliograph())
            .args(arguments(&node, &folder, &["--parallel", "2"]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting heliograph");
        let stop_at = before + random.random_range(10..80);
        eventually("some files arrive", || async {
            let count = arrived(&node).await.len();
            if count >= stop_at { Ok(()) } else { Err(format!("{count} of {stop_at}")) }
        })
        .await;
        process.kill().await.expect("killing the client");
        before = arrived(&node).await.len();
    }
    let receipt = deposit(&node, &folder, &[]).await.ok().json();
    assert_eq!((receipt["version"].as_u64(), receipt["state"].as_str()), (Some(1), Some("published")), "{receipt}");
    let drafts = node.depositor().get("/api/v1/deposits").await.expect(200).json();
    assert_eq!(drafts["deposits"].as_array().map(Vec::len), Some(0), "every run went on with the one draft: {drafts}");
    assert_eq!(node.anybody().search("size=0").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn running_it_again_changes_nothing_and_a_new_version_sends_what_changed() {
    let node = Node::start("europe").await;
    let folder = folder(&node, 10);
    let first = deposit(&node, &folder, &[]).await.ok().json();
    let again = deposit(&node, &folder, &[]).await.ok().json();
    assert_eq!((&first["id"], &again["unchanged"]), (&again["id"], &Value::Bool(true)));
    fs::write(folder.image.join("notes/3.txt"), b"changed").expect("writing");
    let id = first["id"].as_str().expect("an id");
    let second = deposit(&node, &folder, &["--new-version-of", id]).await.ok().json();
    assert_eq!((second["id"].as_str(), second["version"].as_u64()), (Some(id), Some(2)), "{second}");
    let changed = node.anybody().get(&format!("/data/{id}/v2/many.ome.zarr/notes/3.txt")).await.expect(200);
    assert_eq!(changed.text(), "changed");
    // Without naming it a new version, changed content is another dataset.
    let other = deposit(&node, &folder, &[]).await.ok().json();
    assert_ne!(other["id"].as_str(), Some(id), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_deposit_says_what_to_put_right() {
    let node = Node::start("europe").await;
    let mut dataset = Dataset::small("Without a licence");
    dataset.root().as_object_mut().expect("an object").remove("license");
    let root = node.scratch().join("to-deposit");
    fs::create_dir_all(&root).expect("a folder");
    Store::v05("cells.ome.zarr", 1).write_to(&root);
    let crate_file = root.join("crate.json");
    fs::write(&crate_file, dataset.crate_json.to_string()).expect("writing");
    let output = deposit(&node, &Folder { image: root.join("cells.ome.zarr"), crate_file }, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(format!("{output:?}").contains("crate.license.missing"), "{output:?}");
    assert_eq!(node.anybody().search("size=0").await["total"], 0);
}
