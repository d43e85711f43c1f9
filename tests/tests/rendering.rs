//! Pictures of images over HTTP: what they show, how they are cached, and what is refused.

use std::path::{Path, PathBuf};

use e2e_tests::{Answer, Dataset, Node, Setup, Store, Words, python, run, shared_data};
use serde_json::Value;

const IMAGE: &str = "stack.ome.zarr";

fn dataset() -> Dataset {
    let stores = [Store::of_axes(IMAGE, "czyx", &[2, 5, 300, 300]).with_labels(300), Store::plate("plate.ome.zarr")];
    Dataset::new(&Words::titled("Things to look at"), &stores)
}

fn dimensions(png: &Answer) -> (u32, u32) {
    assert!(png.body.starts_with(b"\x89PNG"), "{png:?}");
    let number = |at: usize| u32::from_be_bytes(png.body[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[tokio::test]
async fn images_labels_and_plates_are_drawn_as_thumbnails_and_tiles() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&dataset()).await;
    let client = node.anybody();
    let render = format!("/render/{}/v1", published.id);
    for (what, size) in [
        (format!("{IMAGE}/thumbnail"), (256, 256)),
        (format!("{IMAGE}/thumbnail?size=50"), (64, 64)),
        (format!("{IMAGE}/thumbnail?labels=nuclei&size=128"), (128, 128)),
        (format!("{IMAGE}/labels/nuclei/thumbnail?size=128"), (128, 128)),
        ("plate.ome.zarr/thumbnail?size=64".into(), (63, 42)),
        ("plate.ome.zarr/A/1/1/thumbnail".into(), (32, 32)),
        (format!("{IMAGE}/tile?level=0&x=1&y=0&z=4&c=0:0-1000:FFFFFF"), (44, 256)),
        (format!("{IMAGE}/tile?size=512&t=0&labels=nuclei"), (300, 300)),
    ] {
        let answer = client.get(&format!("{render}/{what}")).await.expect(200);
        assert_eq!(answer.header("content-type"), "image/png", "{what}");
        assert_eq!(dimensions(&answer), size, "{what}");
    }
    let info = client.get(&format!("{render}/{IMAGE}/info")).await.ok();
    assert_eq!((&info["kind"], &info["z"], &info["t"]), (&"image".into(), &5.into(), &1.into()), "{info}");
    assert_eq!(info["levels"][0]["width"], 300, "{info}");
    assert_eq!(info["channels"][1]["color"], "00FF00", "{info}");
    assert_eq!(info["labels"][0], "nuclei", "{info}");
    let info = client.get(&format!("{render}/plate.ome.zarr/info")).await.ok();
    assert_eq!((&info["kind"], &info["wells"], &info["fields"]), (&"plate".into(), &2.into(), &4.into()), "{info}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn hostile_requests_are_refused_in_words() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&dataset()).await;
    let client = node.anybody();
    let render = format!("/render/{}/v1", published.id);
    let thumbnails = [
        "size=0",
        "size=-1",
        "size=1025",
        "size=99999999999999999999",
        "size=1e3",
        "size=",
        "size=64&size=64",
        "format=exe",
        "format=",
        "format=PNG%00",
        "colour=red",
        "labels=none",
        "labels=../nuclei",
        "labels=%00",
        "labels=nuclei%00",
        "c=7",
        "c=-1",
        "c=0:5-1",
        "c=0,0,0,0,0,0,0,0,0",
        "c=%FF%FE",
        "level=0",
        "%00=1",
    ];
    let tiles = [
        "level=1",
        "level=-1",
        "level=18446744073709551616",
        "x=2",
        "y=18446744073709551615",
        "x=-1",
        "z=5",
        "z=1e18",
        "z=1000000000000000000",
        "t=1",
        "size=0",
        "size=255",
        "size=1024",
        "size=4294967295",
        "format=tiff",
        "page=1",
        "c=2",
        "c=0:nan-1",
        "c=0:inf-inf",
        "labels=labels",
        "x=0&x=1",
    ];
    let thumbnails = thumbnails.map(|query| format!("{IMAGE}/thumbnail?{query}"));
    let tiles = tiles.map(|query| format!("{IMAGE}/tile?{query}"));
    let others = ["plate.ome.zarr/tile", "plate.ome.zarr/thumbnail?labels=x", "plate.ome.zarr/thumbnail?c=0"];
    let others = others.map(str::to_owned).into_iter().chain([format!("{IMAGE}/info?size=1")]);
    for what in thumbnails.into_iter().chain(tiles).chain(others) {
        client.get(&format!("{render}/{what}")).await.problem(422);
    }
    let long = format!("{IMAGE}/thumbnail?labels={}", "x".repeat(5000));
    client.get(&format!("{render}/{long}")).await.problem(422);
    for what in [
        "thumbnail",
        "nothing.ome.zarr/thumbnail",
        "nothing.ome.zarr/info",
        "stack.ome.zarr",
        "stack.ome.zarr/0/thumbnail",
        "stack.ome.zarr/picture",
        "..%2F..%2Fetc/thumbnail",
        "%00/thumbnail",
        "stack.ome.zarr%00/tile",
        "ro-crate-metadata.json/thumbnail",
        "stack.ome.zarr//thumbnail",
        "/thumbnail",
    ] {
        client.get(&format!("{render}/{what}")).await.problem(404);
    }
    for path in ["/render/nobody/v1/x/thumbnail", "/render/europe-1/v9/x/thumbnail", "/render/europe-1/first/x/tile"] {
        client.get(path).await.problem(404);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_picture_is_drawn_once_and_known_by_its_content() {
    let mut node = Node::start("europe").await;
    let dataset = dataset();
    let published = node.depositor().deposit(&dataset).await;
    let client = node.anybody();
    let path = format!("/render/{}/v1/{IMAGE}/thumbnail", published.id);
    let first = client.get(&path).await.expect(200);
    assert_eq!(first.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(varies(&first));
    let etag = first.header("etag").to_owned();
    client.get_with(&path, &[("if-none-match", &etag)]).await.expect(304);

    let webp = client.get_with(&path, &[("accept", "image/avif,image/webp,*/*;q=0.8")]).await.expect(200);
    assert!(webp.header("content-type") == "image/webp" && varies(&webp));
    assert!(webp.body.starts_with(b"RIFF") && webp.header("etag") != etag);
    let named = client.get_with(&format!("{path}?format=png"), &[("accept", "image/webp")]).await.expect(200);
    assert!(!varies(&named) && named.body == first.body);

    // Another version with the same image: the same picture, under the same name.
    let changed = publish_again(&node, &published.id, &dataset).await;
    let again = client.get(&format!("/render/{}/{changed}/{IMAGE}/thumbnail", published.id)).await.expect(200);
    assert_eq!((again.header("etag"), &again.body), (etag.as_str(), &first.body));
    let latest = client.get(&format!("/render/{}/latest/{IMAGE}/thumbnail", published.id)).await.expect(200);
    assert_eq!(latest.header("cache-control"), "public, max-age=60");

    // The pixels are gone; what was drawn is still there, also after a restart.
    remove_pixels(&node.data_dir().join("archive"));
    node.restart().await;
    assert_eq!(client.get(&path).await.expect(200).body, first.body);
    client.get_with(&format!("{path}?size=64"), &[("if-none-match", "\"other\"")]).await.problem(500);
}

/// Whether the answer would be another for another `Accept`.
fn varies(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|value| value == "Accept")
}

/// Publishes the dataset again with other words; gives the version.
async fn publish_again(node: &Node, id: &str, dataset: &Dataset) -> String {
    let mut words = dataset.clone();
    words.root()["description"] = "Other words about the same pixels.".into();
    let published = node.depositor().new_version(id, &words.crate_json, &[]).await;
    format!("v{}", published.receipt["version"])
}

/// Takes the chunks out of the archive.
fn remove_pixels(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            remove_pixels(&path);
        } else if path.to_string_lossy().contains("/c/") {
            std::fs::remove_file(&path).expect("removing a chunk");
        }
    }
}

#[tokio::test]
async fn many_who_want_the_same_get_it_and_the_cache_stays_within_its_bound() {
    let setup = Setup::new("europe").await.extra("[limits]\nrender_cache_bytes = 60000\n");
    let node = Node::start_with(setup).await;
    let published = node.depositor().deposit(&dataset()).await;
    let client = node.anybody();
    let tile = |c: usize| format!("/render/{}/v1/{IMAGE}/tile?c=0:0-{}", published.id, c + 1);
    let same: Vec<_> = (0..16).map(|_| tile(0)).collect();
    let answers = futures::future::join_all(same.iter().map(|path| client.get(path))).await;
    let first = answers[0].body.clone();
    assert!(answers.into_iter().all(|answer| answer.expect(200).body == first));
    for c in 0..50 {
        client.get(&tile(c)).await.expect(200);
    }
    let held = held(&node.data_dir().join("cache/pictures"));
    assert!(held <= 60_000, "{held} bytes are kept");
    assert!(held > 0, "nothing is kept");
    node.assert_quiet_log(&[]);
}

fn held(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |path: PathBuf| if path.is_dir() { held(&path) } else { path.metadata().map_or(0, |about| about.len()) };
    entries.map(|entry| size(entry.path())).sum()
}

#[tokio::test]
async fn nothing_is_drawn_of_a_withdrawn_dataset() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&dataset()).await;
    let client = node.anybody();
    let path = format!("/render/{}/v1/{IMAGE}/thumbnail", published.id);
    client.get(&path).await.expect(200);
    let pictures = node.data_dir().join("cache/pictures").join(&published.id);
    assert!(pictures.is_dir());
    node.depositor().withdraw(&published.id, "duplicate").await;
    client.get(&path).await.problem(410);
    assert!(!pictures.exists());
}

/// Deposits a folder with the command line; gives the dataset's id.
async fn deposit(node: &Node, image: &Path) -> String {
    let crate_file = node.scratch().join("crate.json");
    std::fs::write(&crate_file, Words::titled("A real image").crate_json().to_string()).expect("writing");
    let (url, file) = (node.url(), crate_file.to_string_lossy().into_owned());
    let arguments = [
        "deposit",
        &image.to_string_lossy(),
        "--crate",
        &file,
        "--publish",
        "--json",
        "--node",
        &url,
        "--token",
        &node.deposit_token,
    ]
    .map(str::to_owned);
    let receipt = run(arguments).await.ok().json();
    receipt["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_of_real_images_hold_the_numbers_that_zarr_python_reads() {
    let Some(corpus) = shared_data("ome-zarr") else { return };
    let node = Node::start("europe").await;
    for path in [
        "derived/omezarr/v0.5_ome-zarr-py_sharded_dna_conf_wf_CZYX_uint16.ome.zarr",
        "derived/omezarr/v0.5_ngff-zarr_sharded_golgi_ZYX_uint16.ome.zarr",
        "omezarr/v0.4/nuclei_PLK1_bioformats2raw/xy_8bit__nuclei_PLK1_control.ome.zarr",
    ] {
        let folder = corpus.join(path);
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let id = deposit(&node, &folder).await;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/render_check.py");
        let render = format!("{}/render/{id}/v1/{name}", node.url());
        let mut command = tokio::process::Command::new(python());
        let output = command.arg(script).arg(&render).arg(&folder).output().await.expect("running Python");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {out}{err}");
        let report: Value = serde_json::from_str(out.lines().last().unwrap_or_default()).expect("JSON");
        assert!(report["tiles"].as_u64() > Some(1), "{report}");
    }
    node.assert_quiet_log(&[]);
}
