//! A withdrawal erases the bytes, at home and at every mirror, also at one that was away; the proof stays.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use e2e_tests::{Dataset, Node, PATIENCE, Setup, Store, Words, check_ocfl, eventually, files_below};

/// The files of all datasets at a node: own ones and copies.
fn stored(node: &Node) -> Vec<String> {
    let folders = [
        "archive/ocfl",
        "archive/manifests",
        "archive/drafts",
        "mirror/ocfl",
        "mirror/manifests",
        "mirror/drafts",
        "arriving",
        "cache",
    ];
    let of = |folder: &str| {
        let names = files_below(&node.data_dir().join(folder)).into_keys();
        names.filter(|name| is_content(Path::new(name))).map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    folders.iter().flat_map(|folder| of(folder)).collect()
}

/// What a storage root has of itself is no dataset's.
fn is_content(path: &Path) -> bool {
    !path.starts_with("extensions") && !matches!(path.to_str(), Some("0=ocfl_1.1" | "ocfl_layout.json" | "README"))
}

async fn nothing_is_stored(node: &Node) {
    eventually(&format!("nothing is left at '{}'", node.id()), || async {
        let left = stored(node);
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

async fn copied(node: &Node, id: &str, version: u64) {
    eventually("the copy is complete", || async {
        let answer = node.anybody().get(&format!("/api/v1/datasets/{id}/versions/{version}")).await;
        if answer.status == 200 && answer.json()["copy"].is_object() { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
}

async fn mirror(id: &str, of: &Node) -> Node {
    let mut setup = Setup::new(id).await;
    setup.peers = vec![of.setup.as_peer().more("mirror = \"all\"")];
    Node::start_with(setup).await
}

#[tokio::test]
async fn a_withdrawal_leaves_no_byte_anywhere_also_where_nobody_heard_of_it_at_the_time() {
    let europe = Node::start("europe").await;
    let client = europe.depositor();
    // The same bytes in another dataset, which stays.
    let dataset = Dataset::new(&Words::titled("Taken back"), &[Store::v05("image.ome.zarr", 1)]);
    let id = client.deposit(&dataset).await.id;
    client.new_version(&id, &Words::titled("Taken back later").crate_json(), &[("note.txt", b"new")]).await;
    europe.anybody().get(&format!("/render/{id}/v1/image.ome.zarr/thumbnail?size=64")).await.expect(200);
    let here = mirror("japan", &europe).await;
    let mut away = mirror("korea", &europe).await;
    for node in [&here, &away] {
        copied(node, &id, 1).await;
        copied(node, &id, 2).await;
    }
    away.stop().await;
    let path = format!("/data/{id}/v1/image.ome.zarr/0/c/0/0");
    let read = [europe.anybody().get(&path).await, here.anybody().get(&path).await];
    assert!(read.iter().all(|answer| answer.status == 200), "{read:?}");

    let tombstone = client.withdraw(&id, "personal-data").await;
    assert_eq!(tombstone["reason"], "personal-data");
    assert_eq!(stored(&europe), Vec::<String>::new(), "all of it is gone when the answer comes");
    europe.anybody().get(&path).await.problem(410);
    nothing_is_stored(&here).await;
    here.anybody().get(&path).await.problem(410);

    // Time passes; then the one that was away comes back.
    let kept = client.deposit(&dataset).await.id;
    away.launch().await;
    for node in [&here, &away] {
        copied(node, &kept, 1).await;
        node.anybody().get(&path).await.problem(410);
    }
    eventually("both mirrors end identical", || async {
        let trees = [&here, &away].map(|node| content(&node.data_dir().join("mirror/ocfl")));
        if trees[0] == trees[1] { Ok(()) } else { Err(format!("{trees:?}")) }
    })
    .await;
    for root in [
        europe.data_dir().join("archive/ocfl"),
        here.data_dir().join("mirror/ocfl"),
        away.data_dir().join("mirror/ocfl"),
    ] {
        assert_eq!(check_ocfl(&root).await, 1, "{}", root.display());
    }
    // The proof stays.
    let log = europe.anybody().get("/log/tile/entries/000.p/4").await.expect(200).text();
    assert!(log.contains("\"op\":\"withdraw\"") && log.contains(&id), "{log}");
    [&europe, &here, &away].iter().for_each(|node| node.assert_quiet_log(&[]));
}

/// Content by path; inventories say when a copy was made, so they differ.
fn content(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = files_below(root).into_iter().map(|(name, bytes)| (PathBuf::from(name), bytes));
    files.filter(|(name, _)| !name.to_string_lossy().contains("inventory.json")).collect()
}

#[tokio::test]
async fn an_erasure_that_is_cut_off_goes_on_at_the_next_start() {
    let mut node = Node::start("europe").await;
    let stores: Vec<Store> = (0..30).map(|at| Store::v05(&format!("image-{at}.ome.zarr"), at)).collect();
    let dataset = Dataset::new(&Words::titled("Many files"), &stores);
    let root = node.data_dir().join("archive/ocfl");
    let mut cut_off = 0;
    for _ in 0..6 {
        let id = node.depositor().deposit(&dataset).await.id;
        // The object's own inventory goes first.
        let inventory = files_below(&root).into_keys().find(|name| name.ends_with(&format!("{id}/inventory.json")));
        let inventory = root.join(inventory.expect("an object"));
        let client = node.depositor();
        let asked = tokio::spawn(async move { client.try_send(withdrawal(&client, &id)).await });
        let deadline = Instant::now() + PATIENCE;
        while inventory.exists() {
            assert!(Instant::now() < deadline, "erasing does not begin");
            tokio::task::yield_now().await;
        }
        node.kill();
        drop(asked.await);
        cut_off += usize::from(!stored(&node).is_empty());
        node.launch().await;
        nothing_is_stored(&node).await;
    }
    eprintln!("{cut_off} of 6 erasures were cut off half way");
    check_ocfl(&node.data_dir().join("archive/ocfl")).await;
    node.assert_quiet_log(&[]);
}

fn withdrawal(client: &e2e_tests::Client, id: &str) -> reqwest::RequestBuilder {
    client.request(reqwest::Method::POST, &format!("/api/v1/datasets/{id}/withdraw"))
}
