//! Scrubbing: a flipped bit is found, named, and healed from another copy.

use std::{fs, path::PathBuf};

use e2e_tests::{Answer, Dataset, Node, Setup, check_ocfl, eventually, files_below, run};
use serde_json::Value;

const CHUNK: &str = "image.ome.zarr/0/c/0/0";
const OTHER: &str = "image.ome.zarr/0/c/1/1";

/// Two nodes that mirror each other.
async fn pair() -> (Node, Node) {
    let (mut europe, mut japan) = (Setup::new("europe").await, Setup::new("japan").await);
    europe.peers = vec![japan.as_peer().more("mirror = \"all\"")];
    japan.peers = vec![europe.as_peer().more("mirror = \"all\"")];
    (Node::start_with(europe).await, Node::start_with(japan).await)
}

async fn copied(node: &Node, id: &str) {
    eventually("the copy is complete", || async {
        let answer = node.anybody().get(&format!("/api/v1/datasets/{id}")).await;
        if answer.status == 200 && answer.json()["copy"].is_object() { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
}

/// Where a file of a dataset is on a node's disk.
fn on_disk(node: &Node, store: &str, path: &str) -> PathBuf {
    let root = node.data_dir().join(store).join("ocfl");
    let found = files_below(&root).into_keys().find(|name| name.ends_with(&format!("/content/{path}")));
    root.join(found.unwrap_or_else(|| panic!("no '{path}' below {}", root.display())))
}

fn flip_a_bit(node: &Node, store: &str, path: &str) {
    let file = on_disk(node, store, path);
    let mut bytes = fs::read(&file).expect("reading");
    bytes[3] ^= 4;
    fs::write(&file, bytes).expect("writing");
}

async fn chunk(node: &Node, id: &str, path: &str) -> Answer {
    node.anybody().get(&format!("/data/{id}/v1/{path}")).await
}

async fn scrub(node: &Node) -> Value {
    node.admin().post("/api/v1/scrub", &Value::Null).await.expect(200).json()
}

#[tokio::test]
async fn a_flipped_bit_heals_in_the_origin_and_in_the_mirror() {
    let (europe, japan) = pair().await;
    let dataset = Dataset::small("Rotting");
    let id = europe.depositor().deposit(&dataset).await.id;
    copied(&japan, &id).await;
    for (node, store, copy) in [(&europe, "archive", false), (&japan, "mirror", true)] {
        // Opened before, so that it is remembered.
        for path in [CHUNK, OTHER, CHUNK] {
            chunk(node, &id, path).await.expect(200);
        }
        flip_a_bit(node, store, CHUNK);
        fs::remove_file(on_disk(node, store, OTHER)).expect("removing");
        assert_ne!(chunk(node, &id, CHUNK).await.body, dataset.files[CHUNK], "the damage is real");
        let report = scrub(node).await;
        assert_eq!((&report["healed"], report["damaged"].as_array().map(Vec::len)), (&2.into(), Some(2)), "{report:#}");
        let named: Vec<&Value> = report["damaged"].as_array().expect("a list").iter().map(|one| &one["path"]).collect();
        assert_eq!(named, [CHUNK, OTHER], "{report:#}");
        let first = &report["damaged"][0];
        assert_eq!(
            (&first["id"], &first["node"], &first["copy"]),
            (&id.clone().into(), &"europe".into(), &copy.into())
        );
        for path in [CHUNK, OTHER] {
            assert_eq!(chunk(node, &id, path).await.expect(200).body, dataset.files[path], "'{}' '{path}'", node.id());
            assert_eq!(fs::read(on_disk(node, store, path)).expect("reading"), dataset.files[path]);
        }
        let again = scrub(node).await;
        assert_eq!(again["damaged"].as_array().map(Vec::len), Some(0), "{again:#}");
        assert!(again["files"].as_u64() >= Some(dataset.files.len() as u64), "{again}");
        assert_eq!(check_ocfl(&node.data_dir().join(store).join("ocfl")).await, 1);
    }
    europe.depositor().post("/api/v1/scrub", &Value::Null).await.problem(403);
    [&europe, &japan].iter().for_each(|node| node.assert_quiet_log(&[]));
}

#[tokio::test]
async fn what_nobody_can_heal_is_named_until_somebody_can() {
    let mut europe = Node::start("europe").await;
    let dataset = Dataset::small("Alone");
    let id = europe.depositor().deposit(&dataset).await.id;
    let right = on_disk(&europe, "archive", CHUNK);
    flip_a_bit(&europe, "archive", CHUNK);
    let output = run(["scrub", "--json", "--node", &europe.url(), "--token", &europe.admin_token]).await;
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(output.json()["damaged"][0]["path"], CHUNK);
    let state = europe.anybody().get("/api/v1/scrub").await.ok();
    assert_eq!(
        (&state["damaged"][0]["path"], &state["damaged"][0]["id"]),
        (&CHUNK.into(), &id.clone().into()),
        "{state:#}"
    );
    assert!(state["damaged"][0]["not_healed"].is_string(), "{state:#}");
    let ready = europe.anybody().get("/health/ready").await.expect(200).json();
    assert!(ready["attention"][0].as_str().is_some_and(|text| text.contains("1 stored file")), "{ready}");
    let metrics = europe.anybody().get("/metrics").await.text();
    assert!(metrics.contains("heliograph_damaged_files 1"), "{metrics}");
    // It is remembered, and forgotten once the bytes are right again.
    europe.restart().await;
    fs::write(&right, &dataset.files[CHUNK]).expect("writing");
    let healed = scrub(&europe).await;
    assert_eq!(healed["damaged"].as_array().map(Vec::len), Some(0), "{healed:#}");
    assert_eq!(europe.anybody().get("/api/v1/scrub").await.ok()["damaged"].as_array().map(Vec::len), Some(0));
    europe.assert_quiet_log(&["a stored file is damaged and could not be healed"]);
}
