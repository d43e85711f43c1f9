//! `heliograph fetch`: the bytes that were signed, from whoever has them, and no others.

use std::{collections::BTreeMap, fs};

use e2e_tests::{Dataset, Liar, Lie, Node, Output, Setup, Store, Words, eventually, files_below, run};

/// What the dataset has besides its crate, which the node writes.
fn deposited(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files
        .iter()
        .filter(|(path, _)| *path != "ro-crate-metadata.json")
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}

async fn fetch(arguments: &[&str]) -> Output {
    run([&["fetch", "--json"], arguments].concat()).await
}

fn two_images() -> Dataset {
    let words = Words::titled("Two images");
    Dataset::new(&words, &[Store::v05("a.ome.zarr", 1), Store::v05("b c.ome.zarr", 2)])
}

#[tokio::test]
async fn a_dataset_arrives_whole_and_a_second_run_fetches_only_what_is_not_right() {
    let node = Node::start("europe").await;
    let dataset = two_images();
    let published = node.depositor().deposit(&dataset).await;
    let dest = node.scratch().join("fetched");
    let to = dest.to_str().expect("a path");
    let report = fetch(&[&published.iri, to]).await.ok().json();
    let files = files_below(&dest);
    assert_eq!(deposited(&files), dataset.files);
    assert_eq!((&report["id"], &report["version"]), (&published.id.clone().into(), &1.into()));
    assert_eq!(report["files"], files.len());
    assert_eq!(report["bytes"], files.values().map(Vec::len).sum::<usize>());
    assert_eq!(report["sources"][node.url()], files.len(), "{report}");
    assert_eq!(report["key"], node.setup.keys.public);
    assert!(report["trust"].as_str().is_some_and(|trust| trust.contains("tells of itself")), "{report}");

    // One byte is other, one file is gone, one is too long.
    let names: Vec<&String> = files.keys().filter(|name| name.contains("/c/")).collect();
    fs::write(dest.join(names[0]), vec![0; files[names[0]].len()]).expect("writing");
    fs::remove_file(dest.join(names[1])).expect("removing");
    fs::write(dest.join(names[2]), vec![0; files[names[2]].len() + 1]).expect("writing");
    let again = fetch(&[&published.id, to, "--node", &node.url(), "--key", &node.setup.keys.public]).await.ok().json();
    assert_eq!((&again["reused"], &again["sources"][node.url()]), (&(files.len() - 3).into(), &3.into()), "{again}");
    assert_eq!(again["trust"], "the key given");
    assert_eq!(files_below(&dest), files);

    let image = node.scratch().join("image");
    let only = fetch(&[&published.iri, image.to_str().expect("a path"), "--image", "b c.ome.zarr"]).await.ok().json();
    assert!(
        files_below(&image).keys().all(|name| name.starts_with("b c.ome.zarr/"))
            && only["files"] == files_below(&image).len()
    );
    let none = fetch(&[&published.iri, to, "--image", "nothing"]).await;
    assert!(!none.status.success() && none.stderr.contains("a.ome.zarr"), "{none:?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn an_older_version_is_fetched_when_it_is_named() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.deposit(&Dataset::small("First words")).await.id;
    client.new_version(&id, &Words::titled("Other words").crate_json(), &[("note.txt", b"new")]).await;
    for (version, has_note) in [("v1", false), ("v2", true)] {
        let dest = node.scratch().join(version);
        let report =
            fetch(&[&id, dest.to_str().expect("a path"), "--node", &node.url(), "--version", version]).await.ok();
        assert_eq!(format!("v{}", report.json()["version"]), version);
        assert_eq!(dest.join("note.txt").exists(), has_note);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn who_lies_is_named_and_left_out_and_wrong_bytes_never_get_their_name() {
    let node = Node::start("europe").await;
    let dataset = Dataset::small("True");
    let published = node.depositor().deposit(&dataset).await;
    for lie in [Lie::Files, Lie::Manifests, Lie::ServerError] {
        let (_liar, url) = Liar::before(&node.url(), lie).await;
        let dest = node.scratch().join(format!("{lie:?}"));
        let report = fetch(&[&published.iri, dest.to_str().expect("a path"), "--from", &url]).await.ok().json();
        assert_eq!(deposited(&files_below(&dest)), dataset.files, "{lie:?}");
        assert!(report["left_out"][&url].is_string(), "{lie:?}: {report}");
        assert!(report["sources"].get(&url).is_none(), "{lie:?}: {report}");
    }
    // Nobody else to ask: nothing wrong is left behind.
    let (_liar, url) = Liar::before(&node.url(), Lie::Files).await;
    let (id, setup) = (published.id.clone(), Setup::new("europe").await);
    let mut node = node;
    node.stop().await;
    let dest = node.scratch().join("alone");
    let refused = fetch(&[&id, dest.to_str().expect("a path"), "--node", &url]).await;
    assert!(!refused.status.success(), "{refused:?}");
    assert!(!dest.exists() || files_below(&dest).is_empty(), "{:?}", files_below(&dest).keys());
    drop(setup);
}

#[tokio::test]
async fn another_key_is_believed_by_nobody() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&Dataset::small("Signed")).await;
    let stranger = Setup::new("europe").await.keys.public;
    let dest = node.scratch().join("nothing");
    let refused = fetch(&[&published.iri, dest.to_str().expect("a path"), "--key", &stranger]).await;
    assert!(!refused.status.success() && refused.json()["error"].is_string(), "{refused:?}");
    assert!(!dest.exists());
    node.admin().withdraw(&published.id, "retracted").await;
    let gone = fetch(&[&published.iri, dest.to_str().expect("a path")]).await;
    assert!(!gone.status.success() && gone.stderr.contains("withdrawn"), "{gone:?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_mirror_gives_what_the_origin_no_longer_can() {
    let mut europe = Node::start("europe").await;
    let mut setup = Setup::new("japan").await;
    setup.peers = vec![europe.setup.as_peer().more("mirror = \"all\"")];
    let japan = Node::start_with(setup).await;
    let dataset = two_images();
    let published = europe.depositor().deposit(&dataset).await;
    let page = format!("/api/v1/datasets/{}", published.id);
    eventually("the copy is complete and proved", || async {
        let answer = japan.anybody().get(&page).await;
        let proof = japan.anybody().get(&format!("{page}/versions/1/proof")).await;
        if answer.status == 200 && answer.json()["copy"].is_object() && proof.status == 200 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
    europe.stop().await;
    let dest = japan.scratch().join("fetched");
    let report = fetch(&[&published.iri, dest.to_str().expect("a path"), "--node", &japan.url()]).await.ok().json();
    assert_eq!(deposited(&files_below(&dest)), dataset.files);
    assert!(report["trust"].as_str().is_some_and(|trust| trust.contains("pinned for 'europe'")), "{report}");
    assert_eq!(report["sources"][japan.url()], report["files"]);
    // The address is at the origin, which is down; the mirror is named as another place to ask.
    let other = japan.scratch().join("other");
    fetch(&[&published.iri, other.to_str().expect("a path"), "--from", &japan.url()]).await.ok();
    assert_eq!(deposited(&files_below(&other)), dataset.files);
    japan.assert_quiet_log(&[]);
}
