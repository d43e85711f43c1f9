//! Work that takes long, over HTTP: conversions, validations and publications as jobs, with progress, cancellation and a
//! server that dies in between.

use std::os::unix::fs::PermissionsExt;

use e2e_tests::{Client, Dataset, Node, Setup, Store, Words, eventually, run};
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

/// A grey-value TIFF (revision 6.0): pages of 16-bit pixels in one strip each, little-endian, not compressed.
fn tiff(side: u32, pages: u32) -> Vec<u8> {
    let strip = side * side * 2;
    let mut bytes = b"II*\0".to_vec();
    bytes.extend((8 + strip).to_le_bytes());
    for page in 0..pages {
        let pixels = bytes.len() as u32;
        bytes.extend(
            (0..side * side).flat_map(|at| (((at * 7) ^ (at >> 5)) as u16).wrapping_add(page as u16).to_le_bytes()),
        );
        // Width, height, bits, no compression, black is zero, strip, samples, rows in the strip, its length.
        let tags: [(u16, u16, u32); 9] = [
            (256, 4, side),
            (257, 4, side),
            (258, 3, 16),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, pixels),
            (277, 3, 1),
            (278, 4, side),
            (279, 4, strip),
        ];
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, kind, value) in tags {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        let next = if page + 1 < pages { bytes.len() as u32 + 4 + strip } else { 0 };
        bytes.extend(next.to_le_bytes());
    }
    bytes
}

/// A dataset that is one microscope file.
fn microscope(title: &str, side: u32, pages: u32) -> Dataset {
    let mut dataset = Dataset::new(&Words::titled(title), &[]);
    dataset.files.insert("cells.tif".into(), tiff(side, pages));
    dataset
}

async fn convert(client: &Client, draft: &str) -> Value {
    let answer = client.post(&format!("/api/v1/deposits/{draft}/convert"), &Value::Null).await.expect(202);
    let job = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{}", job["id"].as_str().unwrap()));
    job
}

fn address(job: &Value) -> String {
    format!("/api/v1/jobs/{}", job["id"].as_str().unwrap_or_else(|| panic!("no job: {job}")))
}

/// The events of a job up to the one after which `enough` says so, or to the end of the stream.
async fn events(client: &Client, job: &Value, enough: impl Fn(&str, &Value) -> bool) -> Vec<(String, Value)> {
    let request = client.request(Method::GET, &address(job)).header("accept", "text/event-stream");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut stream, mut text, mut events) = (response.bytes_stream(), String::new(), Vec::new());
    while let Some(Ok(piece)) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&piece));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                let data: Value = serde_json::from_str(data).expect("JSON");
                let done = enough(name, &data);
                events.push((name.to_owned(), data));
                if done {
                    return events;
                }
            }
            text = rest.to_owned();
        }
    }
    events
}

async fn ended(client: &Client, job: &Value) -> Value {
    eventually("the job ends", || async {
        let job = client.get(&address(job)).await.expect(200).json();
        let state = job["state"].as_str().unwrap_or_default().to_owned();
        if matches!(state.as_str(), "done" | "failed" | "cancelled") { Ok(job) } else { Err(job.to_string()) }
    })
    .await
}

async fn paths(client: &Client, draft: &str) -> Vec<String> {
    let listing = client.get(&format!("/api/v1/deposits/{draft}/files")).await.expect(200).json();
    let files = listing["files"].as_array().expect("files");
    files.iter().map(|file| file["path"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microscope_file_is_converted_while_its_depositor_watches() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let draft = client.draft(&microscope("Watched", 512, 2)).await;
    let job = convert(&client, &draft).await;
    assert_eq!((job["kind"].as_str(), job["deposit"].as_str()), (Some("convert"), Some(draft.as_str())));
    let events = events(&client, &job, |_, _| false).await;
    let (name, last) = events.last().expect("an event");
    assert_eq!((name.as_str(), last["state"].as_str()), ("end", Some("done")), "{last}");
    assert!(events.iter().rev().skip(1).all(|(name, _)| name == "progress"));
    assert_eq!(last["result"]["images"][0]["image"], "cells.ome.zarr");
    let paths = paths(&client, &draft).await;
    assert!(paths.contains(&"cells.tif".into()) && paths.contains(&"cells.ome.zarr/zarr.json".into()), "{paths:?}");
    let listed = client.get(&format!("/api/v1/deposits/{draft}/jobs")).await.expect(200).json();
    assert_eq!(listed["jobs"][0]["state"], "done");
    assert_eq!(client.get(&address(&job)).await.expect(200).json()["state"], "done");
    node.anybody().get(&address(&job)).await.problem(401);
    let stranger = Client::new(&node.url(), Some(&node.new_token(&["deposit"]).await));
    stranger.get(&address(&job)).await.problem(404);
    stranger.delete(&address(&job)).await.problem(404);
    node.admin().get(&address(&job)).await.expect(200);
    client.delete(&address(&job)).await.problem(409);
    node.assert_quiet_log(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microscope_file_is_published_as_an_image_in_one_call() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let draft = client.draft(&microscope("One call", 300, 1)).await;
    let report = client.post(&format!("/api/v1/deposits/{draft}/validate"), &Value::Null).await.expect(200).json();
    assert_eq!(report["valid"], true, "{report}");
    let rules: Vec<&str> = report["findings"].as_array().unwrap().iter().filter_map(|f| f["rule"].as_str()).collect();
    assert!(rules.contains(&"import.pending") && !rules.contains(&"ome-zarr.none"), "{rules:?}");
    let published = client.publish(&draft).await;
    let record = client.get(&format!("/api/v1/datasets/{}", published.id)).await.expect(200).json();
    assert_eq!(record["images"][0]["path"], "cells.ome.zarr");
    let original = client.get(&format!("/data/{}/v1/cells.tif", published.id)).await.expect(200);
    assert_eq!(original.body, tiff(300, 1), "the original is kept as it was received");
    let document = client.get(&format!("/api/v1/datasets/{}/versions/v1/crate", published.id)).await.expect(200).json();
    let graph = document["@graph"].as_array().unwrap();
    let action = graph.iter().find(|entity| entity["@type"] == "CreateAction").expect("how the image was made");
    assert_eq!(action["object"], json!([{"@id": "cells.tif"}]));
    assert_eq!(action["result"], json!({"@id": "cells.ome.zarr/"}));
    let tool = &action["instrument"][0]["@id"];
    assert!(graph.iter().any(|entity| entity["@id"] == *tool && entity["name"] == "Heliograph"), "{action}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_would_rather_not_wait_gets_a_job() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let draft = client.draft(&Dataset::small("Asynchronous")).await;
    let post = |what: &str| {
        let request = client.request(Method::POST, &format!("/api/v1/deposits/{draft}/{what}"));
        client.send(request.header("prefer", "respond-async"))
    };
    let answer = post("validate").await.expect(202);
    assert_eq!(answer.header("preference-applied"), "respond-async");
    assert_eq!(ended(&client, &answer.json()).await["result"]["valid"], true);
    let job = ended(&client, &post("publish").await.expect(202).json()).await;
    assert_eq!((job["state"].as_str(), job["result"]["state"].as_str()), (Some("done"), Some("published")), "{job}");
    let id = job["result"]["id"].as_str().unwrap();
    client.get(&format!("/api/v1/datasets/{id}")).await.expect(200);
    assert_eq!(client.found("q=Asynchronous").await, [id], "search shows it when the job is done");
    client.get(&format!("/api/v1/deposits/{draft}/jobs")).await.expect(200);
    let empty = client.draft(&Dataset::new(&Words::titled("Nothing"), &[])).await;
    let request = client.request(Method::POST, &format!("/api/v1/deposits/{empty}/publish"));
    let job = ended(&client, &client.send(request.header("prefer", "respond-async")).await.expect(202).json()).await;
    assert_eq!((job["state"].as_str(), job["problem"]["kind"].as_str()), (Some("failed"), Some("invalid")), "{job}");
    assert!(job["problem"]["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_ended_and_uploads_wait_for_it() {
    let setup = Setup::new("europe").await.extra("[jobs]\nrunning_jobs = 1\n");
    let node = Node::start_with(setup).await;
    let client = node.depositor();
    let large = client.draft(&microscope("Large", 2048, 16)).await;
    let small = client.draft(&microscope("Small", 64, 1)).await;
    let running = convert(&client, &large).await;
    let waiting = convert(&client, &small).await;
    let seen = events(&client, &running, |name, job| name == "end" || job["progress"]["done"].as_u64() > Some(0)).await;
    if seen.last().is_some_and(|(name, _)| name == "progress") {
        let refused = client.put_file(&large, "late.txt", b"x").await.problem(409);
        assert!(refused["detail"].as_str().unwrap().contains(running["id"].as_str().unwrap()), "{refused}");
        client.delete(&address(&running)).await.expect(202);
        let state = ended(&client, &running).await["state"].clone();
        assert!(state == "cancelled" || state == "done", "{state}");
    }
    assert_eq!(ended(&client, &waiting).await["state"], "done", "the next one gets its turn");
    client.put_file(&large, "late.txt", b"x").await.expect(201);
    assert!(!node.data_dir().join("jobs").join(running["id"].as_str().unwrap()).exists());
    client.post(&format!("/api/v1/deposits/{small}/convert"), &json!({"paths": ["other.tif"]})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_the_death_of_the_server() {
    let mut node = Node::start("europe").await;
    let dataset = microscope("Killed", 2048, 16);
    let draft = node.depositor().draft(&dataset).await;
    let request = node.depositor().request(Method::POST, &format!("/api/v1/deposits/{draft}/publish"));
    let job = node.depositor().send(request.header("prefer", "respond-async")).await.expect(202).json();
    for at_least in [1, 30_000_000] {
        let far = |name: &str, job: &Value| name == "end" || job["progress"]["done"].as_u64() >= Some(at_least);
        events(&node.depositor(), &job, far).await;
        node.kill();
        node.launch().await;
    }
    let ended = ended(&node.depositor(), &job).await;
    assert_eq!(ended["state"], "done", "{ended}");
    let id = ended["result"]["id"].as_str().unwrap();
    let client = node.anybody();
    let original = client.get(&format!("/data/{id}/v1/cells.tif")).await.expect(200);
    assert_eq!(original.body, dataset.files["cells.tif"]);
    let record = client.get(&format!("/api/v1/datasets/{id}")).await.expect(200).json();
    assert_eq!(record["images"][0]["path"], "cells.ome.zarr");
    assert_eq!(record["versions"].as_array().map(Vec::len), Some(1));
    client.get(&format!("/render/{id}/v1/cells.ome.zarr/thumbnail?size=64")).await.expect(200);
    let left = std::fs::read_dir(node.data_dir().join("jobs")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no work folder stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_of_others_is_converted_by_a_program_that_is_shut_in() {
    let tool = tempfile::tempdir().expect("a folder");
    let program = tool.path().join("bioformats2raw");
    Store::v04("raw.zarr", 3).write_to(tool.path());
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'Version = 0.9.1'; exit; }\ntest -s \"$1\" || exit 4\n\
                  cp -r \"$(dirname \"$0\")/raw.zarr\" \"$2\"\n";
    std::fs::write(&program, script).expect("writing a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("making it one");
    let setup = Setup::new("europe").await.extra(&format!("[import]\nbioformats2raw = {program:?}\n"));
    let node = Node::start_with(setup).await;
    let mut dataset = Dataset::new(&Words::titled("Leica"), &[]);
    // What a LIF file begins with.
    dataset.files.insert("cells.lif".into(), b"\x70\0\0\0\x2a\0\0\0\x2a".to_vec());
    let published = node.depositor().deposit(&dataset).await;
    let client = node.anybody();
    let record = client.get(&format!("/api/v1/datasets/{}", published.id)).await.expect(200).json();
    assert_eq!(record["images"][0]["path"], "cells.ome.zarr");
    let root = client.get(&format!("/data/{}/v1/cells.ome.zarr/zarr.json", published.id)).await.expect(200).json();
    assert_eq!(root["attributes"]["ome"]["version"], "0.5");
    let document = client.get(&format!("/api/v1/datasets/{}/versions/v1/crate", published.id)).await.expect(200).json();
    let graph = document["@graph"].as_array().unwrap();
    let action = graph.iter().find(|entity| entity["@type"] == "CreateAction").expect("how the image was made");
    assert_eq!(action["instrument"][0]["@id"], "#bioformats2raw-0.9.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deposit_command_publishes_a_microscope_file() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("deposit");
    microscope("By command", 256, 1).write_to(&folder);
    let (file, document) = (folder.join("cells.tif"), folder.join("ro-crate-metadata.json"));
    let arguments = ["deposit", file.to_str().unwrap(), "--crate", document.to_str().unwrap(), "--publish", "--json"];
    let url = node.url();
    let arguments = arguments.into_iter().chain(["--node", &url, "--token", &node.deposit_token]);
    let receipt = run(arguments.clone()).await.ok().json();
    assert_eq!(receipt["state"], "published", "{receipt}");
    let again = run(arguments).await.ok().json();
    assert_eq!((again["id"].clone(), again["unchanged"].clone()), (receipt["id"].clone(), json!(true)), "{again}");
}
