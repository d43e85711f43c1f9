//! The archive in a bucket, and images that are judged where they lie in one; beside moto, an S3-compatible server.

use std::collections::BTreeSet;

use e2e_tests::{BUCKET, Bucket, Dataset, Node, Setup, Store, Words, run_with, sha256};

/// More than one part of a multipart upload.
const LARGE: usize = 21 << 20;

async fn node_on(bucket: &Bucket) -> Node {
    let mut setup = Setup::new("europe").await;
    setup.variables = bucket.variables();
    let archive = format!("s3://{BUCKET}/europe");
    for (name, value) in [("ARCHIVE", archive.as_str()), ("S3_ENDPOINT", &bucket.endpoint), ("S3_ALLOW_HTTP", "true")] {
        setup.variables.push((format!("HELIOGRAPH_STORAGE_{name}"), value.to_owned()));
    }
    Node::start_with(setup).await
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[tokio::test]
async fn a_node_keeps_its_archive_in_a_bucket() {
    let bucket = Bucket::new().await;
    let mut node = node_on(&bucket).await;
    let large = noise(LARGE);
    let mut dataset = Dataset::small("In a bucket");
    dataset.files.insert("raw/large.bin".into(), large.clone());
    let published = node.depositor().deposit(&dataset).await;
    let base = format!("/data/{}", published.id);

    let whole = node.anybody().get(&format!("{base}/v1/raw/large.bin")).await.expect(200);
    assert!(whole.body == large, "a large file came back other than it was sent");
    assert_eq!(whole.header("etag"), format!("\"{}\"", sha256(&large)));
    for (range, wanted) in
        [("bytes=5-9", 5..10), ("bytes=-7", LARGE - 7..LARGE), ("bytes=20000000-", 20_000_000..LARGE)]
    {
        let part = node.anybody().get_with(&format!("{base}/v1/raw/large.bin"), &[("range", range)]).await.expect(206);
        assert!(part.body == large[wanted], "{range}");
    }
    let keys: BTreeSet<String> = bucket.keys("europe/ocfl/").await.into_iter().collect();
    assert!(keys.iter().any(|key| key.ends_with("/v1/content/raw/large.bin")), "{keys:#?}");

    node.kill();
    node.launch().await;
    let words = Words::titled("In a bucket, again");
    node.depositor().new_version(&published.id, &words.crate_json(), &[("raw/note.txt", b"new")]).await;
    assert_eq!(node.anybody().get(&format!("{base}/v2/raw/note.txt")).await.expect(200).body, "new");
    let again = node.anybody().get(&format!("{base}/v2/raw/large.bin")).await.expect(200);
    assert!(again.body == large, "the second version lost a file of the first");
    let newer: BTreeSet<String> = bucket.keys("europe/ocfl/").await.into_iter().collect();
    let added: Vec<&String> = newer.difference(&keys).filter(|key| key.contains("/v2/content/")).collect();
    assert_eq!(added.len(), 2, "the crate and the new file: {added:#?}");
    assert!(bucket.keys("europe/drafts/").await.is_empty(), "drafts are gone when they are published");

    node.admin().withdraw(&published.id, "retracted").await;
    node.anybody().get(&format!("{base}/v1/raw/large.bin")).await.problem(410);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn an_image_in_a_bucket_is_judged_as_in_a_folder() {
    let bucket = Bucket::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let good = Store::v05("good.ome.zarr", 3);
    let mut bad = Store::v05("bad.ome.zarr", 3);
    bad.files.insert("0/c/0/0".into(), vec![1, 2, 3]);
    for store in [&good, &bad] {
        store.write_to(folder.path());
        for (path, bytes) in &store.files {
            bucket.put(&format!("shelf/{}/{path}", store.name), bytes.clone()).await;
        }
    }
    for (store, valid) in [(&good, true), (&bad, false)] {
        let here = folder.path().join(&store.name);
        let there = format!("s3://{BUCKET}/shelf/{}", store.name);
        let mut findings = Vec::new();
        for place in [here.to_str().expect("a name in UTF-8"), &there] {
            let answer = run_with(bucket.variables(), ["validate", place, "--json"]).await.json();
            assert_eq!(answer["valid"], valid, "{place}: {answer:#}");
            findings.push(answer["findings"].to_string().replace(place, ""));
        }
        assert_eq!(findings[0], findings[1]);
    }
}
