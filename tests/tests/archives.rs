//! Archives as deposits, and images as archives: `PUT …/archive`, `heliograph deposit x.ozx`, `GET …/image.ozx`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use e2e_tests::{Answer, Client, Dataset, Node, Store, Words, content_digest, eventually, python, run, shared_data};
use futures::SinkExt;
use reqwest::Method;
use serde_json::Value;

async fn put_archive(client: &Client, draft: &str, query: &str, bytes: &[u8]) -> Answer {
    let request = client.request(Method::PUT, &format!("/api/v1/deposits/{draft}/archive{query}"));
    client.send(request.header("content-digest", content_digest(bytes)).body(Bytes::copy_from_slice(bytes))).await
}

async fn files(client: &Client, draft: &str) -> Value {
    client.get(&format!("/api/v1/deposits/{draft}/files")).await.expect(200).json()["files"].clone()
}

fn paths(files: &Value) -> Vec<&str> {
    files.as_array().into_iter().flatten().filter_map(|file| file["path"].as_str()).collect()
}

/// What the node keeps of its drafts on disk.
fn blobs(node: &Node) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![node.data_dir().join("archive/drafts")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// A draft with one file of its own.
async fn draft(client: &Client, title: &str) -> String {
    let dataset = Dataset::new(&Words::titled(title), &[]);
    let draft = client.draft(&dataset).await;
    client.put_file(&draft, "notes.txt", b"here before").await.expect(201);
    draft
}

/// The bytes of an image as the node serves it in one file.
async fn ozx(node: &Node, store: &Store) -> Bytes {
    let dataset = Dataset::new(&Words::titled("Source of an archive"), std::slice::from_ref(store));
    let published = node.depositor().deposit(&dataset).await;
    let name = store.name.trim_end_matches(".ome.zarr");
    node.anybody().get(&format!("/data/{}/v1/{name}.ozx", published.id)).await.expect(200).body
}

#[tokio::test]
async fn the_synthetic_archives_behave_as_their_names_say() {
    let Some(corpus) = shared_data("ome-zarr/zip/synthetic") else { return };
    let node = Node::start("europe").await;
    let client = node.depositor();
    let mut seen = 0;
    for entry in fs::read_dir(corpus).expect("the corpus") {
        let path = entry.expect("an archive").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let draft = draft(&client, &name).await;
        let before = (files(&client, &draft).await, blobs(&node));
        let answer = put_archive(&client, &draft, &format!("?name={name}"), &fs::read(&path).expect("reading")).await;
        if name.starts_with("ok_") || name.starts_with("warn_") {
            let receipt = answer.expect(201).json();
            let folder = format!("{}.ome.zarr", name.trim_end_matches(".ozx"));
            assert_eq!(
                (&receipt["folder"], &receipt["files"]),
                (&Value::from(folder.clone()), &Value::from(5)),
                "{receipt}"
            );
            let severity = |finding: &Value| finding["severity"] == "warning";
            let warned = receipt["findings"].as_array().expect("findings").iter().any(severity);
            assert_eq!(warned, name.starts_with("warn_"), "{receipt}");
            let after = files(&client, &draft).await;
            assert!(paths(&after).contains(&format!("{folder}/0/c/0/0").as_str()), "{after}");
            let report =
                client.post(&format!("/api/v1/deposits/{draft}/validate"), &Value::Null).await.expect(200).json();
            assert_eq!(report["valid"], true, "{name}: {report}");
        } else {
            let problem = answer.problem(422);
            assert!(!problem["findings"].as_array().expect("findings").is_empty(), "{problem}");
            assert_eq!((files(&client, &draft).await, blobs(&node)), before, "{name}: {problem}");
        }
        client.delete(&format!("/api/v1/deposits/{draft}")).await.expect(204);
        seen += 1;
    }
    assert!(seen >= 9, "the corpus has nine archives");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn refusals_name_the_entry_and_the_reason() {
    let Some(corpus) = shared_data("ome-zarr/zip/synthetic") else { return };
    let node = Node::start("europe").await;
    let client = node.depositor();
    let draft = draft(&client, "Refused").await;
    let slip = fs::read(corpus.join("attack_zip_slip.ozx")).expect("reading");
    let problem = put_archive(&client, &draft, "?name=x.ozx", &slip).await.problem(422);
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("../escape.txt") && detail.contains("leads out"), "{detail}");
    assert_eq!(problem["findings"][0]["rule"], "archive.name");
    let good = fs::read(corpus.join("ok_stored_jsonfirst_comment.ozx")).expect("reading");
    let request = client.request(Method::PUT, &format!("/api/v1/deposits/{draft}/archive?name=x.ozx"));
    let before = (files(&client, &draft).await, blobs(&node));
    let answer = client.send(request.header("content-digest", content_digest(b"other")).body(good.clone())).await;
    assert!(answer.problem(422)["detail"].as_str().is_some_and(|detail| detail.contains("digest")));
    let cut = put_archive(&client, &draft, "?name=x.ozx", &good[..good.len() - 30]).await.problem(422);
    assert_eq!(cut["findings"][0]["rule"], "archive.truncated");
    put_archive(&client, &draft, "?name=x.ozx&folder=../up", &good).await.problem(422);
    node.anybody()
        .send(node.anybody().request(Method::PUT, &format!("/api/v1/deposits/{draft}/archive")))
        .await
        .problem(401);
    assert_eq!((files(&client, &draft).await, blobs(&node)), before);
    let receipt = put_archive(&client, &draft, "?folder=plates/one.ome.zarr", &good).await.expect(201).json();
    assert_eq!(receipt["folder"], "plates/one.ome.zarr");
    assert!(paths(&files(&client, &draft).await).contains(&"plates/one.ome.zarr/zarr.json"));
}

#[tokio::test]
async fn a_long_archive_that_is_refused_early_is_still_answered() {
    let Some(corpus) = shared_data("ome-zarr/zip/synthetic") else { return };
    let node = Node::start("europe").await;
    let draft = draft(&node.depositor(), "Refused early").await;
    let mut bytes = fs::read(corpus.join("attack_zip_slip.ozx")).expect("reading");
    bytes.resize(20 << 20, 7);
    let problem = put_archive(&node.depositor(), &draft, "?name=x.ozx", &bytes).await.problem(422);
    assert_eq!(problem["findings"][0]["rule"], "archive.name");
}

#[tokio::test]
async fn an_image_is_served_as_one_archive_that_can_be_deposited_again() {
    let node = Node::start("europe").await;
    let (client, store) = (node.depositor(), Store::v05("cells.ome.zarr", 5));
    let bytes = ozx(&node, &store).await;
    let draft = client.draft(&Dataset::new(&Words::titled("Once more"), &[])).await;
    let receipt = put_archive(&client, &draft, "?name=cells.ozx", &bytes).await.expect(201).json();
    assert_eq!(receipt["findings"], Value::Array(Vec::new()), "nothing to remark: {receipt}");
    let published = client.publish(&draft).await;
    for (path, content) in store.paths() {
        let served = node.anybody().get(&format!("/data/{}/v1/{path}", published.id)).await.expect(200);
        assert_eq!(served.body, content, "{path}");
    }
    let again = node.anybody().get(&format!("/data/{}/v1/cells.ozx", published.id)).await.expect(200);
    assert_eq!(again.body, bytes, "the bytes are a function of the content");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn any_range_of_an_image_in_one_file_is_that_of_the_whole() {
    let node = Node::start("europe").await;
    let mut large = Store::v05("cells.ome.zarr", 5);
    large.put("notes/large.bin", (0..3_000_000_u32).map(|at| (at * at / 7) as u8).collect::<Vec<u8>>());
    let stores = [large, Store::v04("old.ome.zarr", 1)];
    let published = node.depositor().deposit(&Dataset::new(&Words::titled("Ranges"), &stores)).await;
    let (client, base) = (node.anybody(), format!("/data/{}/v1", published.id));
    let url = format!("{base}/cells.ozx");
    let whole = client.get(&url).await.expect(200);
    let size = whole.body.len();
    let etag = whole.header("etag").to_owned();
    assert_eq!(whole.header("content-length"), size.to_string());
    assert_eq!(whole.header("content-type"), "application/zip");
    assert!(whole.header("cache-control").contains("immutable") && etag.starts_with('"'));
    let head = client.send(client.request(Method::HEAD, &url)).await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (size.to_string().as_str(), 0));
    for range in [0..1, 0..31, 29..400, 1000..1001, size - 22..size, 100..2_500_000, size / 2..size] {
        let field = format!("bytes={}-{}", range.start, range.end - 1);
        let part = client.get_with(&url, &[("range", &field)]).await.expect(206);
        assert_eq!(part.header("content-range"), format!("bytes {}-{}/{size}", range.start, range.end - 1));
        assert_eq!(part.body, whole.body[range.clone()], "{range:?}");
    }
    let suffix = client.get_with(&url, &[("range", "bytes=-100")]).await.expect(206);
    assert_eq!(suffix.body, whole.body[size - 100..]);
    let several = client.get_with(&url, &[("range", "bytes=0-3,-4")]).await.expect(206);
    assert!(several.header("content-type").starts_with("multipart/byteranges"));
    client.get_with(&url, &[("range", &format!("bytes={size}-"))]).await.expect(416);
    client.get_with(&url, &[("if-none-match", &etag)]).await.expect(304);
    let stale = [("range", "bytes=0-3"), ("if-range", "\"other\"")];
    assert_eq!(client.get_with(&url, &stale).await.expect(200).body.len(), size);
    let fresh = [("range", "bytes=0-3"), ("if-range", etag.as_str())];
    assert_eq!(client.get_with(&url, &fresh).await.expect(206).body, "PK\u{3}\u{4}");
    assert_eq!(client.get(&format!("{base}/cells.ome.zarr.ozx")).await.expect(200).body, whole.body);
    let old = client.get(&format!("{base}/old.ozx")).await.problem(404);
    assert!(old["detail"].as_str().is_some_and(|detail| detail.contains("0.4")), "{old}");
    client.get(&format!("{base}/nothing.ozx")).await.problem(404);
    // A new version with another file beside the image has the same archive of it.
    let words = Words::titled("Ranges, once more").crate_json();
    node.depositor().new_version(&published.id, &words, &[("beside.txt", b"new")]).await;
    let second = client.get(&format!("/data/{}/v2/cells.ozx", published.id)).await.expect(200);
    assert_eq!((second.header("etag"), &second.body), (etag.as_str(), &whole.body));
    node.depositor().withdraw(&published.id, "spam").await;
    client.get(&url).await.problem(410);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn python_reads_an_image_in_one_file() {
    let node = Node::start("europe").await;
    let store = Store::v05("cells.ome.zarr", 9);
    let bytes = ozx(&node, &store).await;
    store.write_to(node.scratch());
    let archive = node.scratch().join("cells.ozx");
    fs::write(&archive, &bytes).expect("writing");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/ozx_read.py");
    let command = tokio::process::Command::new(python())
        .arg(script)
        .arg(&archive)
        .arg(node.scratch().join(&store.name))
        .output()
        .await;
    let output = command.expect("running Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["levels"], 2, "{report}");
}

/// An upload of which half was sent, and which goes on only when it is told to.
struct HalfSent {
    sending: tokio::task::JoinHandle<Result<Answer, String>>,
    _more: futures::channel::mpsc::Sender<Result<Bytes, std::io::Error>>,
}

async fn send_half(node: &Node, client: &Client, draft: &str, bytes: &Bytes) -> HalfSent {
    let (mut more, body) = futures::channel::mpsc::channel(1);
    let request = client.request(Method::PUT, &format!("/api/v1/deposits/{draft}/archive?name=cells.ozx"));
    let (request, client) = (request.body(reqwest::Body::wrap_stream(body)), client.clone());
    let sending = tokio::spawn(async move { client.try_send(request).await });
    let before = blobs(node).len();
    more.send(Ok(bytes.slice(..bytes.len() / 2))).await.expect("sending");
    eventually("some files of the archive are on disk", || async {
        let count = blobs(node).len();
        if count > before + 2 { Ok(()) } else { Err(format!("{count}, {before} before")) }
    })
    .await;
    HalfSent { sending, _more: more }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_cut_off_by_a_crash_or_a_lost_connection_leaves_no_trace() {
    let mut node = Node::start("europe").await;
    let client = node.depositor();
    let bytes = ozx(&node, &Store::v05("cells.ome.zarr", 3)).await;
    let draft = draft(&client, "Cut off").await;
    let before = (files(&client, &draft).await, blobs(&node));

    let half = send_half(&node, &client, &draft, &bytes).await;
    assert_eq!(files(&client, &draft).await, before.0, "what has not arrived as a whole does not show");
    let busy = client.put_file(&draft, "other.txt", b"meanwhile").await;
    assert_eq!(busy.problem(409)["status"], 409);
    node.kill();
    half.sending.await.expect("the task").expect_err("the node is gone");
    node.launch().await;
    assert_eq!((files(&client, &draft).await, blobs(&node)), before, "after a crash");

    let half = send_half(&node, &client, &draft, &bytes).await;
    half.sending.abort();
    drop(half);
    eventually("what a lost connection left is removed", || async {
        let now = blobs(&node);
        if now == before.1 { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    assert_eq!(files(&client, &draft).await, before.0, "after a lost connection");

    let receipt = eventually("the draft can be sent to again", || async {
        let answer = put_archive(&client, &draft, "?name=cells.ozx", &bytes).await;
        if answer.status == 201 { Ok(answer.json()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    assert!(receipt["files"].as_u64().is_some_and(|files| files > 5), "{receipt}");
    client.publish(&draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_deposits_archives_and_sends_nothing_twice() {
    let node = Node::start("europe").await;
    let store = Store::v05("cells.ome.zarr", 7);
    let bytes = ozx(&node, &store).await;
    let (archive, crate_file) = (node.scratch().join("named.ozx"), node.scratch().join("crate.json"));
    fs::write(&archive, &bytes).expect("writing");
    fs::write(&crate_file, Words::titled("From an archive").crate_json().to_string()).expect("writing");
    let url = node.url();
    let arguments = |archive: &Path, more: &[&str]| {
        let fixed = [
            "deposit",
            archive.to_str().expect("UTF-8"),
            "--crate",
            crate_file.to_str().expect("UTF-8"),
            "--json",
            "--node",
            &url,
            "--token",
            &node.deposit_token,
        ];
        fixed.iter().chain(more).map(ToString::to_string).collect::<Vec<_>>()
    };
    let drafted = run(arguments(&archive, &[])).await.ok().json();
    assert_eq!(
        (drafted["valid"].as_bool(), drafted["files"].as_u64()),
        (Some(true), Some(store.files.len() as u64)),
        "{drafted}"
    );
    let published = run(arguments(&archive, &["--publish"])).await.ok().json();
    assert_eq!(published["id"], drafted["id"], "it goes on with the same draft");
    let again = run(arguments(&archive, &["--publish"])).await.ok().json();
    assert_eq!((&again["id"], &again["unchanged"]), (&published["id"], &Value::Bool(true)), "{again}");
    let id = published["id"].as_str().expect("an id");
    node.anybody().get(&format!("/data/{id}/v1/named.ome.zarr/zarr.json")).await.expect(200);
    // What the node would refuse is refused before it is sent.
    let broken = node.scratch().join("broken.zip");
    fs::write(&broken, &bytes[..bytes.len() - 1]).expect("writing");
    let refused = run(arguments(&broken, &[])).await;
    assert!(!refused.status.success() && format!("{refused:?}").contains("ends in the middle"), "{refused:?}");
    // In place over the web, as the node serves it.
    let web = run(["validate", &format!("{url}/data/{id}/v1/named.ozx"), "--json"]).await.ok().json();
    assert_eq!(web["valid"], true, "{web}");
    let slipped = node.scratch().join("cut.ozx");
    fs::write(&slipped, &bytes[..bytes.len() - 1]).expect("writing");
    let cut = run(["validate", slipped.to_str().expect("UTF-8"), "--json"]).await.json();
    assert_eq!((&cut["valid"], &cut["findings"][0]["rule"]), (&Value::Bool(false), &Value::from("archive.truncated")));
    let checked = run(["validate", archive.to_str().expect("UTF-8"), "--json"]).await.ok().json();
    assert_eq!(checked["valid"], true, "{checked}");
}
