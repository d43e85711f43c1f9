//! New versions: what is stored again, what stays, and the digests that bind record, manifest and bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dataset_model::{Manifest, ManifestFile};
use e2e_tests::{Dataset, Node, Published, Store, Words, content_digest, sha256};
use reqwest::Method;
use serde_json::{Value, json};

/// The folder of a dataset's OCFL object, found by the id in its inventory.
fn ocfl_object(node: &Node, id: &str) -> PathBuf {
    let root = node.data_dir().join("archive/ocfl");
    let wanted = format!("\"urn:heliograph:{id}\"");
    let holds = |path: &Path| fs::read_to_string(path.join("inventory.json")).is_ok_and(|text| text.contains(&wanted));
    folders_below(&root).into_iter().find(|path| holds(path)).unwrap_or_else(|| panic!("no OCFL object of {id}"))
}

fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            all.push(entry.path());
            all.extend(folders_below(&entry.path()));
        }
    }
    all
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for folder in folders_below(folder).into_iter().chain([folder.to_owned()]) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        all.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    all.sort();
    all
}

async fn manifest(node: &Node, id: &str, version: &str) -> Manifest {
    let answer = node.anybody().get(&format!("/api/v1/datasets/{id}/versions/{version}/manifest")).await.expect(200);
    let files: Vec<ManifestFile> = serde_json::from_slice(&answer.body).unwrap();
    Manifest::new(files).unwrap()
}

/// Every file of a version, read and checked against its manifest.
async fn read_all(node: &Node, id: &str, version: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for file in manifest(node, id, version).await.files() {
        let answer = node.anybody().get(&format!("/data/{id}/{version}/{}", file.path)).await.expect(200);
        assert_eq!(answer.body.len() as u64, file.size, "{}", file.path);
        assert_eq!(sha256(&answer.body), file.sha256.to_string(), "{}", file.path);
        all.push((file.path.to_string(), answer.body.to_vec()));
    }
    all
}

const CHANGED: &str = "image.ome.zarr/0/c/1/1";

async fn two_versions(node: &Node) -> (Published, Published, Vec<(String, Vec<u8>)>) {
    let client = node.depositor();
    let first = client.deposit(&Dataset::small("First title")).await;
    let before = read_all(node, &first.id, "v1").await;
    let words = Words::titled("Second title");
    let second =
        client.new_version(&first.id, &words.crate_json(), &[(CHANGED, &[9; 64]), ("extra/notes.txt", b"new")]).await;
    (first, second, before)
}

#[tokio::test]
async fn a_second_version_stores_only_what_changed() {
    let node = Node::start("europe").await;
    let (first, second, before) = two_versions(&node).await;
    assert_eq!(second.id, first.id);
    assert_eq!(second.receipt["version"], 2);
    let object = ocfl_object(&node, &first.id);
    let content = object.join("v2/content");
    let stored: Vec<String> =
        files_below(&content).iter().map(|path| path.strip_prefix(&content).unwrap().display().to_string()).collect();
    assert_eq!(stored.len(), 3, "the crate, a chunk and a new file: {stored:?}");
    for name in ["ro-crate-metadata.json", CHANGED, "extra/notes.txt"] {
        assert!(stored.iter().any(|path| path == name), "{name} is not among {stored:?}");
    }
    assert_eq!(files_below(&object.join("v1/content")).len(), distinct(&before), "v1 holds each content once");
    node.assert_quiet_log(&[]);
}

fn distinct(files: &[(String, Vec<u8>)]) -> usize {
    files.iter().map(|(_, bytes)| bytes).collect::<std::collections::HashSet<_>>().len()
}

#[tokio::test]
async fn the_first_version_reads_as_before_and_latest_moves() {
    let node = Node::start("europe").await;
    let (first, _, before) = two_versions(&node).await;
    let id = &first.id;
    assert_eq!(read_all(&node, id, "v1").await, before);
    let newer = read_all(&node, id, "v2").await;
    assert_eq!(read_all(&node, id, "latest").await, newer);
    assert_eq!(newer.len(), before.len() + 1);
    let changed = |files: &[(String, Vec<u8>)]| files.iter().find(|(path, _)| path == CHANGED).unwrap().1.clone();
    assert_eq!(changed(&newer), [9; 64]);
    assert_ne!(changed(&before), changed(&newer));

    let anybody = node.anybody();
    let numbered = anybody.get(&format!("/data/{id}/v1/{CHANGED}")).await;
    let latest = anybody.get(&format!("/data/{id}/latest/{CHANGED}")).await;
    assert!(numbered.header("cache-control").contains("immutable"), "{numbered:?}");
    assert!(!latest.header("cache-control").contains("immutable"), "{latest:?}");
    anybody.get(&format!("/data/{id}/v3/{CHANGED}")).await.problem(404);
    anybody.get(&format!("/data/{id}/v1/extra/notes.txt")).await.problem(404);

    let record = anybody.get(&format!("/api/v1/datasets/{id}")).await.ok();
    assert_eq!(record["summary"]["title"], "Second title");
    assert_eq!(record["version"], 2);
    let old = anybody.get(&format!("/api/v1/datasets/{id}/versions/1")).await.ok();
    assert_eq!(old["summary"]["title"], "First title");
    assert_eq!(anybody.get(&format!("/api/v1/datasets/{id}/versions/v1")).await.ok(), old);
    anybody.get(&format!("/api/v1/datasets/{id}/versions/3")).await.problem(404);
    let found = anybody.search("q=title").await;
    assert_eq!(found["total"], 1, "a dataset is one record, whatever the number of its versions: {found:#}");
    assert_eq!(found["hits"][0]["title"], "Second title");
    assert!(anybody.found("q=First").await.is_empty());
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_digests_in_the_record_match_the_bytes() {
    let node = Node::start("europe").await;
    let (first, ..) = two_versions(&node).await;
    let id = &first.id;
    let record = node.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok();
    let versions = record["versions"].as_array().unwrap();
    assert_eq!(versions.iter().map(|version| version["version"].clone()).collect::<Vec<_>>(), [json!(2), json!(1)]);
    let object = ocfl_object(&node, id);
    for version in versions {
        let number = format!("v{}", version["version"]);
        let bytes =
            node.anybody().get(&format!("/api/v1/datasets/{id}/versions/{number}/crate")).await.expect(200).body;
        assert_eq!(version["crate"], sha256(&bytes), "{number}");
        let in_data = node.anybody().get(&format!("/data/{id}/{number}/ro-crate-metadata.json")).await.expect(200).body;
        assert_eq!(bytes, in_data, "{number}");
        let inventory = fs::read(object.join(&number).join("inventory.json")).unwrap();
        assert_eq!(version["inventory"], sha256(inventory), "{number}");
        let root = manifest(&node, id, &number).await.content_root();
        assert_eq!(version["content_root"], root.to_string(), "{number}");
    }
    let latest = fs::read(object.join("inventory.json")).unwrap();
    assert_eq!(latest, fs::read(object.join("v2/inventory.json")).unwrap());
    let total: u64 = manifest(&node, id, "v2").await.total_bytes();
    assert_eq!(record["bytes"], total);
    assert_eq!(record["files"], manifest(&node, id, "v2").await.files().len());
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_version_draft_begins_with_the_files_of_the_version_before() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let dataset = Dataset::small("Inherited");
    let first = client.deposit(&dataset).await;
    let draft = client.post(&format!("/api/v1/datasets/{}/versions", first.id), &Value::Null).await.expect(201).json();
    assert_eq!(draft["version"], 2);
    assert_eq!(draft["dataset"], first.id);
    assert_ne!(draft["id"], first.id);
    assert_eq!(draft["files"], dataset.files.len());
    assert_eq!(draft["has_crate"], true);
    let id = draft["id"].as_str().unwrap();
    client.delete(&format!("/api/v1/deposits/{id}/files/image.ome.zarr/0/c/0/0")).await.expect(204);
    let second = client.publish(id).await;
    assert_eq!(second.id, first.id);
    let anybody = node.anybody();
    anybody.get(&format!("/data/{}/v2/image.ome.zarr/0/c/0/0", first.id)).await.problem(404);
    anybody.get(&format!("/data/{}/v1/image.ome.zarr/0/c/0/0", first.id)).await.expect(200);
    let record = anybody.get(&format!("/api/v1/datasets/{}", first.id)).await.ok();
    assert_eq!(record["summary"]["title"], "Inherited");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn of_two_drafts_of_the_same_next_version_one_wins() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let first = client.deposit(&Dataset::small("Race")).await;
    let path = format!("/api/v1/datasets/{}/versions", first.id);
    let mut drafts = Vec::new();
    for note in ["one", "two"] {
        let draft = client.post(&path, &Words::titled(&format!("Race {note}")).crate_json()).await.expect(201).json();
        let id = draft["id"].as_str().unwrap().to_owned();
        client.put_file(&id, "note.txt", note.as_bytes()).await.expect(201);
        drafts.push(id);
    }
    let publish = |id: &String| {
        let (client, path) = (client.clone(), format!("/api/v1/deposits/{id}/publish"));
        async move { client.post(&path, &Value::Null).await }
    };
    let answers = futures::future::join_all(drafts.iter().map(publish)).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{answers:#?}");
    let loser = answers.into_iter().find(|answer| answer.status == 409).unwrap();
    loser.problem(409);
    let versions = node.anybody().get(&format!("/api/v1/datasets/{}", first.id)).await.ok()["versions"].clone();
    assert_eq!(versions.as_array().map(Vec::len), Some(2));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_same_bytes_under_two_names_are_stored_once() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let stores = [Store::v05("a.ome.zarr", 5), Store::v05("b.ome.zarr", 5)];
    let dataset = Dataset::new(&Words::titled("Doubles"), &stores);
    let published = client.deposit(&dataset).await;
    let stored = files_below(&ocfl_object(&node, &published.id).join("v1/content")).len();
    let all = read_all(&node, &published.id, "v1").await;
    assert_eq!(stored, distinct(&all));
    assert!(stored < all.len());
    let request =
        client.request(Method::PUT, "/api/v1/deposits/nobody/files/x").header("content-digest", content_digest(b"x"));
    client.send(request.body("x")).await.problem(404);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_version_drafted_before_the_withdrawal_does_not_bring_the_dataset_back() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let first = client.deposit(&Dataset::small("Never again")).await;
    let draft = client.post(&format!("/api/v1/datasets/{}/versions", first.id), &Value::Null).await.expect(201).json();
    let draft = draft["id"].as_str().unwrap();
    client.put_file(draft, "new.txt", b"new").await.expect(201);
    client.withdraw(&first.id, "retracted").await;
    client.post(&format!("/api/v1/deposits/{draft}/publish"), &Value::Null).await.problem(410);
    node.anybody().get(&format!("/api/v1/datasets/{}", first.id)).await.problem(410);
    assert_eq!(node.anybody().search("q=never").await["total"], 0);
    client.delete(&format!("/api/v1/deposits/{draft}")).await.expect(204);
    node.assert_quiet_log(&[]);
}
