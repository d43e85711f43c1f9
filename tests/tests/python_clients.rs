//! Third-party clients read what a node serves: zarr-python over fsspec and aiohttp, ome-zarr, ocfl-py.

use std::path::{Path, PathBuf};

use e2e_tests::{Node, Words, python, run, shared_data};
use serde_json::Value;

/// Runs one of our scripts; gives the JSON of its last line.
async fn script(name: &str, arguments: &[&str]) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name);
    let output =
        tokio::process::Command::new(python()).arg(path).args(arguments).output().await.expect("running Python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} {arguments:?}: {out}{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a last line of JSON")
}

/// Deposits an image folder with the command line; gives the address of the image.
async fn deposit(node: &Node, image: &Path) -> String {
    let crate_file = node.scratch().join("crate.json");
    std::fs::write(&crate_file, Words::titled("An image for other programs").crate_json().to_string())
        .expect("writing");
    let url = node.url();
    let arguments = [
        "deposit".as_ref(),
        image.as_os_str(),
        "--crate".as_ref(),
        crate_file.as_os_str(),
        "--publish".as_ref(),
        "--json".as_ref(),
        "--node".as_ref(),
        url.as_ref(),
        "--token".as_ref(),
        node.deposit_token.as_ref(),
    ];
    let receipt = run(arguments).await.ok().json();
    let name = image.file_name().expect("a name").to_string_lossy().into_owned();
    format!("{url}/data/{}/v1/{name}", receipt["id"].as_str().expect("an id"))
}

/// The sample images of the demonstration: 0.4, 0.5 and sharded 0.5.
async fn samples(folder: &Path) -> Vec<PathBuf> {
    let port = e2e_tests::free_ports(3).to_string();
    let arguments = ["demo", "--once", "--base-port", &port, "--data-dir", folder.to_str().expect("UTF-8")];
    run(arguments).await.ok();
    let mut images = Vec::new();
    for sample in std::fs::read_dir(folder.join("samples")).expect("samples") {
        images.push(PathBuf::from(
            std::fs::read_to_string(sample.expect("a sample").path().join("done")).expect("its image"),
        ));
    }
    images.sort();
    images
}

#[tokio::test(flavor = "multi_thread")]
async fn zarr_python_and_ome_zarr_read_the_same_numbers_as_from_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start("europe").await;
    let (mut formats, mut sharded) = (Vec::new(), false);
    for image in samples(folder.path()).await {
        let url = deposit(&node, &image).await;
        let report = script("zarr_read.py", &[&url, image.to_str().expect("UTF-8")]).await;
        formats.push(report["format"].as_u64().expect("a format"));
        sharded |=
            report["levels"].as_array().is_some_and(|levels| levels.iter().any(|level| level["sharded"] == true));
    }
    assert!(
        formats.contains(&2) && formats.contains(&3) && sharded,
        "0.4, 0.5 and sharded 0.5 must be among the samples"
    );
    node.assert_quiet_log(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn real_images_are_read_alike() {
    let Some(corpus) = shared_data("ome-zarr/derived/omezarr") else { return };
    let node = Node::start("europe").await;
    let mut count = 0;
    for entry in std::fs::read_dir(&corpus).expect("the corpus") {
        let image = entry.expect("an image").path();
        // Plates have no multiscales at their root; they are read field by field elsewhere.
        let plate = image.to_string_lossy().contains("hcs");
        if plate || !(image.join("zarr.json").is_file() || image.join(".zattrs").is_file()) {
            continue;
        }
        let output = run(["validate".as_ref(), image.as_os_str()]).await;
        if !output.status.success() {
            eprintln!("not deposited, as it breaks a rule: {}", image.display());
            continue;
        }
        let url = deposit(&node, &image).await;
        script("zarr_read.py", &[&url, image.to_str().expect("UTF-8")]).await;
        count += 1;
    }
    assert!(count >= 3, "only {count} real images were read");
}

#[tokio::test(flavor = "multi_thread")]
async fn ocfl_py_finds_no_error_in_the_archive() {
    let mut node = Node::start("europe").await;
    let dataset = e2e_tests::Dataset::small("Cells in two versions");
    let first = node.depositor().deposit(&dataset).await;
    let (path, _) = dataset.files.iter().find(|(path, _)| path.contains("/c/")).expect("a chunk");
    node.depositor().new_version(&first.id, &dataset.crate_json, &[(path, &[7_u8; 64])]).await;
    node.depositor().deposit(&e2e_tests::Dataset::small("Other cells")).await;
    node.stop().await;
    let root = node.data_dir().join("archive/ocfl");
    let report = script("ocfl_check.py", &[root.to_str().expect("UTF-8")]).await;
    assert_eq!((report["objects"].as_u64(), report["good"].as_u64()), (Some(2), Some(2)), "{report}");
}
