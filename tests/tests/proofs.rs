//! Proofs of files: one file, its version's entry and the signed checkpoint hold together, with the public key alone.

use dataset_model::{Digest, ManifestFile, canonical_json, leaf_hash, root_from_path};
use e2e_tests::{Client, Dataset, Federation, Node, Words, eventually, sha256};
use serde_json::Value;

fn digest(value: &Value) -> Digest {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no digest: {value}"))
}

fn digests(value: &Value) -> Vec<Digest> {
    value.as_array().unwrap_or_else(|| panic!("no hashes: {value}")).iter().map(digest).collect()
}

/// Checks what a proof says, upwards; gives the size of the signed log.
fn check_entry(proof: &Value) -> u64 {
    let entry = canonical_json(&proof["entry"]).expect("JSON");
    let (index, size) = (proof["index"].as_u64().expect("an index"), proof["size"].as_u64().expect("a size"));
    let root = root_from_path(leaf_hash(&entry), index, size, &digests(&proof["proof"]));
    assert_eq!(root, Some(digest(&proof["root"])), "{proof:#}");
    let note = proof["checkpoint"].as_str().expect("a note");
    assert_eq!(note.lines().nth(1), Some(size.to_string().as_str()), "the proof is for what is signed: {proof:#}");
    size
}

fn check_file(proof: &Value) -> ManifestFile {
    let told = &proof["file"];
    let file: ManifestFile = serde_json::from_value(told.clone()).expect("a file");
    let leaf = leaf_hash(format!("{}\0{}\0{}", file.path, file.size, file.sha256).as_bytes());
    let place = ["index", "files"].map(|key| told[key].as_u64().expect("a number"));
    let root = root_from_path(leaf, place[0], place[1], &digests(&told["proof"]));
    assert_eq!(root, Some(digest(&proof["entry"]["content_root"])), "{proof:#}");
    file
}

async fn proof(client: &Client, id: &str, version: &str, path: &str) -> Value {
    let at = format!("/api/v1/datasets/{id}/versions/{version}/proof");
    client.get_with_query(&at, &[("path", path)]).await.expect(200).json()
}

#[tokio::test]
async fn every_file_of_every_version_is_proved_up_to_the_signed_checkpoint() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.deposit(&Dataset::small("Proved")).await.id;
    client.new_version(&id, &Words::titled("Proved again").crate_json(), &[("ä b#1.txt", b"odd")]).await;
    for version in ["v1", "v2"] {
        let at = format!("/api/v1/datasets/{id}/versions/{version}/manifest");
        let manifest: Vec<ManifestFile> = serde_json::from_value(client.get(&at).await.ok()).expect("files");
        for (index, file) in manifest.iter().enumerate() {
            let proof = proof(&node.anybody(), &id, version, file.path.as_str()).await;
            check_entry(&proof);
            assert_eq!(check_file(&proof), *file);
            assert_eq!((&proof["file"]["index"], &proof["file"]["files"]), (&index.into(), &manifest.len().into()));
            let bytes =
                client.get(&format!("/data/{id}/{version}/{}", e2e_tests::escape_path(file.path.as_str()))).await;
            assert_eq!(sha256(&bytes.expect(200).body), file.sha256.to_string());
        }
    }
    let whole = client.get(&format!("/api/v1/datasets/{id}/versions/latest/proof")).await.ok();
    assert_eq!(whole["checkpoint"], client.get("/log/checkpoint").await.text());
    assert!(whole.get("file").is_none(), "{whole}");

    let at = format!("/api/v1/datasets/{id}/versions/v1/proof");
    client.get_with_query(&at, &[("path", "ä b#1.txt")]).await.problem(404);
    client.get_with_query(&at, &[("path", "../x")]).await.problem(422);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_proof_is_for_what_was_signed_while_the_log_grows() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.deposit(&Dataset::small("First")).await.id;
    let growing = async {
        for at in 0..12 {
            client.deposit(&Dataset::small(&format!("Other {at}"))).await;
        }
    };
    let asking = async {
        let mut sizes = Vec::new();
        while sizes.last().is_none_or(|size| *size < 13) {
            sizes.push(check_entry(&proof(&node.anybody(), &id, "v1", "image.ome.zarr/zarr.json").await));
        }
        sizes
    };
    let ((), sizes) = tokio::join!(growing, asking);
    assert!(sizes.is_sorted(), "{sizes:?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_peers_record_is_proved_against_the_peers_log() {
    let federation = Federation::start(&["europe", "japan"]).await;
    let (europe, japan) = (federation.node("europe"), federation.node("japan"));
    let id = europe.depositor().deposit(&Dataset::small("Far away")).await.id;
    federation.all_find("q=away", &[&id]).await;
    let at = format!("/api/v1/datasets/{id}/versions/1/proof");
    let told = eventually("the peer's checkpoint is held", || async {
        let answer = japan.anybody().get(&at).await;
        if answer.status == 200 { Ok(answer.json()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    check_entry(&told);
    let there = europe.anybody().get(&at).await.ok();
    // Cosignatures come one by one; what is signed is the same.
    let signed =
        |proof: &Value| proof["checkpoint"].as_str().and_then(|note| note.split("\n\n").next().map(str::to_owned));
    assert_eq!(signed(&told), signed(&there));
    for member in ["index", "size", "root", "proof", "entry"] {
        assert_eq!(told[member], there[member], "{member}");
    }
    let refused = japan.anybody().get_with_query(&at, &[("path", "image.ome.zarr/zarr.json")]).await.problem(404);
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains(&europe.url())), "{refused}");
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}
