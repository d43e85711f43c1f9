//! Mirrors: copies that are checked file by file, served when the origin is down, and only of what the policy wants.

use std::sync::atomic::Ordering;

use e2e_tests::{
    Client, Dataset, Liar, Lie, Node, PeerEntry, Setup, Store, Words, check_ocfl, escape_path, eventually, run,
};
use serde_json::{Value, json};

/// A node that follows one other.
async fn follower(id: &str, peer: PeerEntry) -> Node {
    let mut setup = Setup::new(id).await;
    setup.peers = vec![peer];
    Node::start_with(setup).await
}

/// Waits until a node holds a copy of a version; gives what it says about it.
async fn copied(node: &Node, id: &str, version: u64) -> Value {
    let at = format!("/api/v1/datasets/{id}/versions/{version}");
    eventually(&format!("'{}' holds a copy of {id} v{version}", node.id()), || async {
        let answer = node.anybody().get(&at).await;
        let state = mirror_state(node).await;
        if answer.status == 200 && answer.json()["copy"].is_object() {
            Ok(answer.json()["copy"].clone())
        } else {
            Err(format!("{answer:?} {state}"))
        }
    })
    .await
}

/// How a node's first peer is mirrored.
async fn mirror_state(node: &Node) -> Value {
    node.anybody().get("/api/v1/peers").await.ok()[0]["mirror"].clone()
}

async fn same_bytes(client: &Client, id: &str, dataset: &Dataset) {
    for (path, bytes) in &dataset.files {
        let answer = client.get(&format!("/data/{id}/v1/{}", escape_path(path))).await.expect(200);
        assert_eq!(answer.body, bytes, "{path}");
        assert_eq!(answer.header("heliograph-bytes"), "copy", "{answer:?}");
    }
}

#[tokio::test]
async fn a_mirror_serves_checked_copies_when_the_origin_is_down_and_says_so() {
    let mut europe_setup = Setup::new("europe").await;
    let mut setup = Setup::new("japan").await;
    setup.peers = vec![europe_setup.as_peer().more("mirror = \"all\"")];
    europe_setup.peers = vec![setup.as_peer()];
    let mut europe = Node::start_with(europe_setup).await;
    let japan = Node::start_with(setup).await;
    let words = Words::titled("Mirrored");
    let dataset = Dataset::new(&words, &[Store::v05("image.ome.zarr", 1), Store::v04("odd name#.ome.zarr", 2)]);
    let id = europe.depositor().deposit(&dataset).await.id;
    let copy = copied(&japan, &id, 1).await;
    assert_eq!(copy["files"], dataset.files.len() + 1);
    assert_eq!(copy["data"], format!("{}/data/{id}/v1/", japan.url()));
    let mirrors = eventually("the origin learns of its mirror", || async {
        let mirrors = europe.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok()["mirrors"].clone();
        if mirrors[0].is_object() { Ok(mirrors) } else { Err(mirrors.to_string()) }
    })
    .await;
    assert_eq!((&mirrors[0]["id"], &mirrors[0]["url"]), (&"japan".into(), &japan.url().into()));
    let listed = japan.anybody().get("/federation/v1/mirrored").await.ok();
    assert_eq!((&listed["copies"][0]["node"], &listed["copies"][0]["dataset"]), (&"europe".into(), &id.clone().into()));
    let own = europe.anybody().get(&format!("/data/{id}/v1/image.ome.zarr/0/c/0/0")).await.expect(200);
    assert_eq!(own.header("heliograph-bytes"), "");
    let manifest = europe.anybody().get(&format!("/api/v1/datasets/{id}/versions/1/manifest")).await.ok();

    europe.stop().await;
    same_bytes(&japan.anybody(), &id, &dataset).await;
    let path = format!("/data/{id}/latest/image.ome.zarr/0/c/0/0");
    let part = japan.anybody().get_with(&path, &[("range", "bytes=1-4")]).await.expect(206);
    assert_eq!(part.body, dataset.files["image.ome.zarr/0/c/0/0"][1..5]);
    let original = format!("<{}/data/{id}/v1/image.ome.zarr/0/c/0/0>; rel=\"original\"", europe.url());
    assert_eq!(part.header("link"), original);
    assert_eq!(japan.anybody().get(&format!("/api/v1/datasets/{id}/versions/1/manifest")).await.ok(), manifest);
    let proof = format!("/api/v1/datasets/{id}/versions/1/proof?path=image.ome.zarr/zarr.json");
    assert_eq!(japan.anybody().get(&proof).await.ok()["file"]["path"], "image.ome.zarr/zarr.json");
    let page =
        japan.anybody().get_with(&format!("/datasets/{id}"), &[("accept", "text/html")]).await.expect(200).text();
    assert!(page.contains("A copy is held here, verified on") && page.contains(&europe.url()), "{page}");
    japan.anybody().get(&format!("/data/{id}/v1/nothing")).await.problem(404);
    assert_eq!(check_ocfl(&japan.data_dir().join("mirror/ocfl")).await, 1);
    japan.assert_quiet_log(&[]);
}

#[tokio::test]
async fn only_what_the_policy_wants_is_copied() {
    let europe = Node::start("europe").await;
    let client = europe.depositor();
    let fish =
        client.deposit(&Dataset::new(&Words::titled("Zebrafish heart"), &[Store::v05("f.ome.zarr", 1)])).await.id;
    let fly = client.deposit(&Dataset::new(&Words::titled("Fly wing"), &[Store::v05("g.ome.zarr", 2)])).await.id;
    let by_query = follower("japan", europe.setup.as_peer().more("mirror = { query = \"q=zebrafish\" }")).await;
    copied(&by_query, &fish, 1).await;
    let none = follower("korea", europe.setup.as_peer()).await;
    let small = follower("chile", europe.setup.as_peer().more("mirror = { max_dataset_bytes = 10 }")).await;
    // Room for one, whichever comes first.
    let bytes = by_query.anybody().get(&format!("/api/v1/datasets/{fish}")).await.ok()["copy"]["bytes"].as_u64();
    let room = format!("mirror = {{ max_total_bytes = {} }}", bytes.expect("a size") + 100);
    let full = follower("ghana", europe.setup.as_peer().more(&room)).await;
    for (node, copies, too_large) in [(&small, 0, 2), (&full, 1, 1)] {
        eventually("the pass is over", || async {
            let state = mirror_state(node).await;
            if state["too_large"] == too_large && state["versions"] == copies { Ok(()) } else { Err(state.to_string()) }
        })
        .await;
    }
    for (node, id) in [(&by_query, &fly), (&none, &fish), (&small, &fish)] {
        eventually("the record is here", || async {
            let answer = node.anybody().get(&format!("/api/v1/datasets/{id}")).await;
            if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
        let refused = node.anybody().get(&format!("/data/{id}/v1/f.ome.zarr/zarr.json")).await.problem(404);
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains(&europe.url())), "{refused}");
    }
    [&by_query, &none, &small, &full].iter().for_each(|node| node.assert_quiet_log(&[]));
}

#[tokio::test]
async fn a_copy_goes_on_after_a_crash_and_holds_every_version() {
    let europe = Node::start("europe").await;
    let client = europe.depositor();
    let dataset = Dataset::small("Long way");
    let id = client.deposit(&dataset).await.id;
    client.new_version(&id, &Words::titled("Long way again").crate_json(), &[("note.txt", b"new")]).await;
    // Slow enough to be cut off half way.
    let mut japan =
        follower("japan", europe.setup.as_peer().more("mirror = \"all\"\nmirror_bytes_per_second = 4000")).await;
    let arrived = || walk(&japan.data_dir().join("mirror/drafts"));
    eventually("some files have arrived", || async {
        let count = arrived();
        if count > 1 { Ok(()) } else { Err(count.to_string()) }
    })
    .await;
    japan.kill();
    japan.setup.peers[0].more = "mirror = \"all\"".into();
    japan.launch().await;
    copied(&japan, &id, 1).await;
    copied(&japan, &id, 2).await;
    same_bytes(&japan.anybody(), &id, &dataset).await;
    assert_eq!(japan.anybody().get(&format!("/data/{id}/v2/note.txt")).await.expect(200).body, "new");
    japan.anybody().get(&format!("/data/{id}/v1/note.txt")).await.problem(404);
    assert_eq!(check_ocfl(&japan.data_dir().join("mirror/ocfl")).await, 1);
    assert_eq!(walk(&japan.data_dir().join("arriving")), 0);
    japan.assert_quiet_log(&[]);
}

fn walk(folder: &std::path::Path) -> usize {
    e2e_tests::files_below(folder).keys().filter(|name| !name.ends_with("README")).count()
}

#[tokio::test]
async fn wrong_bytes_are_never_served_and_the_error_is_seen_until_right_ones_come() {
    let europe = Node::start("europe").await;
    let dataset = Dataset::small("Lied about");
    let id = europe.depositor().deposit(&dataset).await.id;
    let (liar, url) = Liar::before(&europe.url(), Lie::Files).await;
    let mut peer = europe.setup.as_peer().more("mirror = \"all\"");
    peer.url = url;
    let japan = follower("japan", peer).await;
    let error = eventually("the error shows", || async {
        let state = mirror_state(&japan).await;
        state["error"].as_str().map(str::to_owned).ok_or_else(|| state.to_string())
    })
    .await;
    assert!(error.contains("other bytes than were signed") && error.contains(&id), "{error}");
    let ready = japan.anybody().get("/health/ready").await.expect(200).json();
    assert!(ready["attention"][0].as_str().is_some_and(|text| text.contains("europe")), "{ready}");
    japan.anybody().get(&format!("/data/{id}/v1/image.ome.zarr/zarr.json")).await.problem(404);
    liar.lying.store(false, Ordering::SeqCst);
    copied(&japan, &id, 1).await;
    same_bytes(&japan.anybody(), &id, &dataset).await;
    eventually("no error is left", || async {
        let state = mirror_state(&japan).await;
        if state["error"].is_null() && state["pending"] == 0 { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn a_mirror_draws_pictures_from_its_copy_when_the_origin_is_down() {
    let mut europe = Node::start("europe").await;
    let japan = follower("japan", europe.setup.as_peer().more("mirror = \"all\"")).await;
    let id = europe.depositor().deposit(&Dataset::small("Drawn")).await.id;
    copied(&japan, &id, 1).await;
    let picture = format!("/render/{id}/v1/image.ome.zarr/thumbnail?size=64");
    let info = format!("/render/{id}/v1/image.ome.zarr/info");
    let (at_home, told) = (europe.anybody().get(&picture).await.expect(200), europe.anybody().get(&info).await.ok());
    europe.stop().await;
    let drawn = japan.anybody().get(&picture).await.expect(200);
    assert_eq!((drawn.body, japan.anybody().get(&info).await.ok()), (at_home.body, told));
    japan.anybody().get(&format!("/render/{id}/v2/image.ome.zarr/thumbnail")).await.problem(404);

    europe.launch().await;
    europe.admin().withdraw(&id, "spam").await;
    eventually("the picture is gone with the copy", || async {
        let answer = japan.anybody().get(&picture).await;
        if answer.status == 410 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    japan.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_is_copied_of_a_peer_that_was_added_is_said_when_it_is_added_and_changed_later() {
    let europe = Node::start("europe").await;
    let newts = europe.depositor().deposit(&Dataset::small("Newts")).await.id;
    let others = europe.depositor().deposit(&Dataset::small("Others")).await.id;
    let mut japan = Node::start("japan").await;
    let peers = async |japan: &Node, arguments: &[&str]| {
        let (url, token) = (japan.url(), japan.admin_token.clone());
        run(["peers"].iter().chain(arguments).chain(&["--json", "--node", &url, "--token", &token])).await
    };
    let add = ["add", &europe.url(), "--key", &europe.setup.keys.public];
    for wrong in [["--mirror", "everything"], ["--max-total-bytes", "7"]] {
        let refused = peers(&japan, &[&add[..], &wrong].concat()).await;
        assert!(!refused.status.success(), "{refused:?}");
    }
    assert_eq!(japan.anybody().get("/api/v1/peers").await.ok(), json!([]), "nothing was added");
    peers(&japan, &[&add[..], &["--mirror", "q=newts", "--max-dataset-bytes", "1000000"]].concat()).await.ok();
    copied(&japan, &newts, 1).await;
    let told = peers(&japan, &[]).await.ok().json()["peers"][0].clone();
    assert_eq!(told["mirror_policy"], json!({"query": "q=newts", "max_dataset_bytes": 1_000_000}), "{told}");
    assert_eq!(told["mirror"]["versions"], 1, "{told}");

    japan.restart().await;
    peers(&japan, &["mirror", "europe", "all", "--bytes-per-second", "50000000"]).await.ok();
    copied(&japan, &others, 1).await;
    let state = japan.anybody().get("/api/v1/peers").await.ok()[0].clone();
    assert_eq!(
        (&state["mirror_policy"], &state["mirror_bytes_per_second"]),
        (&json!("all"), &json!(50_000_000)),
        "{state}"
    );

    peers(&japan, &["mirror", "europe", "none"]).await.ok();
    japan.restart().await;
    let later = europe.depositor().deposit(&Dataset::small("Later")).await.id;
    eventually("the record is there", || async {
        let answer = japan.anybody().get(&format!("/api/v1/datasets/{later}")).await;
        if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    let state = japan.anybody().get("/api/v1/peers").await.ok()[0].clone();
    assert_eq!(state["mirror_policy"], "none", "{state}");
    let listed = japan.anybody().get("/federation/v1/mirrored").await.ok()["copies"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "copies stay, and nothing is added: {listed}");
    let first = format!("europe/{}/v1", listed[0]["dataset"].as_str().unwrap_or_default());
    let rest = japan.anybody().get(&format!("/federation/v1/mirrored?after={first}")).await.ok();
    assert_eq!((&rest["copies"][0], &rest["copies"][1]), (&listed[1], &Value::Null));
    let past = japan.anybody().get("/federation/v1/mirrored?after=europe~").await.ok();
    assert_eq!(past["copies"], json!([]));

    let wrong = japan.admin().request(reqwest::Method::PATCH, "/api/v1/peers/europe");
    japan.admin().send(wrong.json(&json!({"mirror": {"query": "size=many"}}))).await.problem(422);
}
