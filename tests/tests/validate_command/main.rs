//! `heliograph validate`: what a researcher, a script and the specification's own runner are told.

use std::{fs, path::Path};

use e2e_tests::{Dataset, Node, Store, Words, run, sha256, shared_data};
use serde_json::{Value, json};

mod file_server;

use file_server::FileServer;

fn rules(report: &Value) -> Vec<&str> {
    report["findings"].as_array().into_iter().flatten().filter_map(|finding| finding["rule"].as_str()).collect()
}

async fn validate(arguments: &[&str]) -> Value {
    run(["validate", "--json"].iter().chain(arguments)).await.json()
}

/// The official cases of one version, as files in the folders that the specification's runner keeps its cases in.
fn official(version: &str, root: &Path) -> Vec<(String, bool)> {
    let Some(suites) = shared_data(&format!("ome-zarr/spec/{version}/tests")) else { return Vec::new() };
    let mut cases = Vec::new();
    for suite in fs::read_dir(suites).expect("the suites") {
        let suite = suite.expect("a suite").path();
        let name = suite.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let strictness = if name.starts_with("strict_") { "strict" } else { "spec" };
        let tests: Value = serde_json::from_slice(&fs::read(&suite).expect("reading")).expect("JSON");
        for (at, test) in tests["tests"].as_array().into_iter().flatten().enumerate() {
            let valid = test["valid"] == true;
            let folder = root.join(version).join(strictness).join(if valid { "valid" } else { "invalid" });
            fs::create_dir_all(&folder).expect("a folder");
            let file = folder.join(format!("{}_{at}.json", name.trim_start_matches("strict_")));
            fs::write(&file, test["data"].to_string()).expect("writing");
            cases.push((file.to_string_lossy().into_owned(), valid));
        }
    }
    cases
}

#[tokio::test]
async fn the_official_suites_pass_through_the_command_line_with_no_case_left_out() {
    let root = tempfile::tempdir().expect("a folder");
    for (version, count) in [("0.4", 92), ("0.5", 86)] {
        let cases = official(version, root.path());
        if cases.is_empty() {
            return;
        }
        assert_eq!(cases.len(), count);
        let mut wrong = Vec::new();
        for (file, valid) in cases {
            let answer = run(["validate", "--conformance", &file]).await.ok();
            assert_eq!(answer.stdout.trim().lines().count(), 1, "{answer:?}");
            let answer = answer.json();
            assert!(answer["message"].is_string(), "{answer}");
            if answer["valid"] != valid {
                wrong.push(format!("{file}: {answer}"));
            }
        }
        assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[tokio::test]
async fn the_runner_is_told_about_hierarchies_and_that_drafts_are_not_judged() {
    let root = tempfile::tempdir().expect("a folder");
    let mut store = Store::v05("cells.ome.zarr", 1);
    store.write_to(root.path());
    let folder = root.path().join("cells.ome.zarr");
    let conformance = || run(["validate".into(), "--conformance".into(), folder.clone().into_os_string()]);
    assert_eq!(conformance().await.ok().json()["valid"], true);
    store.put("0/c/0/0", [1, 2, 3]);
    store.write_to(root.path());
    assert_eq!(conformance().await.ok().json()["valid"], false);
    // As the runner keeps its hierarchies: one group, no array.
    store.files.retain(|path, _| path == "zarr.json");
    fs::remove_dir_all(&folder).expect("removing");
    store.write_to(root.path());
    assert_eq!(conformance().await.ok().json()["valid"], true);
    let draft = String::from_utf8(store.files["zarr.json"].clone()).expect("text").replace("\"0.5\"", "\"0.6rc0\"");
    store.put("zarr.json", draft);
    store.write_to(root.path());
    let answer = conformance().await;
    assert_eq!((answer.status.code(), answer.json()["valid"].clone()), (Some(2), json!(false)));
}

#[tokio::test]
async fn an_image_on_a_plain_file_server_is_judged_over_http() {
    let root = tempfile::tempdir().expect("a folder");
    Store::v05("good.ome.zarr", 1).write_to(root.path());
    Store::v04("old.ome.zarr", 1).write_to(root.path());
    let mut bad = Store::v05("bad.ome.zarr", 1);
    bad.put("0/c/1/1", [0; 63]);
    bad.write_to(root.path());
    for flaky in [false, true] {
        let server = FileServer::start(root.path(), flaky).await;
        for good in ["good.ome.zarr", "old.ome.zarr", "old.ome.zarr/"] {
            let report = validate(&[&server.url(good)]).await;
            assert_eq!(report["valid"], true, "{report:#}");
            assert!(rules(&report).contains(&"ome-zarr.unchecked.listing"), "{report:#}");
        }
        let report = validate(&[&server.url("bad.ome.zarr")]).await;
        assert_eq!(rules(&report).iter().filter(|rule| rule.contains("chunk.size")).count(), 1, "{report:#}");
        let report = validate(&["--metadata-only", &server.url("bad.ome.zarr")]).await;
        assert_eq!(report["valid"], true, "{report:#}");
        let report = validate(&[&server.url("nothing-here")]).await;
        assert!(rules(&report).contains(&"ome-zarr.none"), "{report:#}");
    }
}

#[tokio::test]
async fn an_archive_is_judged_without_unpacking_it_here_and_over_http() {
    let Some(folder) = shared_data("ome-zarr/derived/omezarr") else { return };
    let name = "v0.5_ngff-zarr_golgi_ZYX_uint16.ozx";
    let server = FileServer::start(&folder, false).await;
    for place in [folder.join(name).to_string_lossy().into_owned(), server.url(name)] {
        let report = validate(&[&place]).await;
        assert_eq!(report["valid"], true, "{report:#}");
        assert!(!rules(&report).contains(&"ome-zarr.unchecked.listing"), "{report:#}");
    }
}

#[tokio::test]
async fn a_published_image_is_judged_through_its_nodes_own_address() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&Dataset::small("Cells seen from afar")).await;
    let address = format!("{}/data/{}/v1/image.ome.zarr", node.url(), published.id);
    let report = validate(&[&address]).await;
    assert_eq!(report["valid"], true, "{report:#}");
    assert!(!rules(&report).iter().any(|rule| rule.contains("chunk")), "{report:#}");
}

#[tokio::test]
async fn findings_carry_the_sentence_they_come_from_and_people_see_each_rule_once() {
    let root = tempfile::tempdir().expect("a folder");
    let mut store = Store::v05("cells.ome.zarr", 1);
    for level in ["0", "1"] {
        let array = String::from_utf8(store.files[&format!("{level}/zarr.json")].clone()).expect("text");
        store.put(&format!("{level}/zarr.json"), array.replace("[\"y\",\"x\"]", "[\"x\",\"y\"]"));
    }
    store.write_to(root.path());
    let folder = root.path().join("cells.ome.zarr").to_string_lossy().into_owned();
    let report = validate(&[&folder]).await;
    let findings = report["findings"].as_array().expect("findings");
    let named: Vec<&Value> =
        findings.iter().filter(|found| found["rule"] == "ome-zarr.array.dimension-names").collect();
    assert_eq!(named.len(), 2, "{report:#}");
    let sentence = named[0]["specification"].as_str().expect("a sentence");
    assert!(sentence.starts_with("OME-Zarr 0.5, \"axes\" metadata: “The \"dimension_names\""), "{sentence}");
    let shown = run(["validate", &folder]).await;
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(shown.stdout.matches("rule ome-zarr.array.dimension-names").count(), 1, "{}", shown.stdout);
    assert!(shown.stdout.contains(sentence), "{}", shown.stdout);
}

/// The files of a store of the corpus, below a folder of a dataset.
fn files_of(store: &Path, name: &str, into: &mut Dataset) {
    for entry in fs::read_dir(store).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            files_of(&path, &name, into);
        } else {
            into.files.insert(name, fs::read(&path).expect("reading"));
        }
    }
}

#[tokio::test]
async fn a_labels_group_without_a_version_is_repaired_at_the_door_and_the_crate_says_so() {
    let Some(mutants) = shared_data("ome-zarr/mutants/v0.5") else { return };
    let store = mutants.join("11_labels_group_version_missing(ome-zarr-py 0.18)");
    let mut dataset = Dataset::new(&Words::titled("As ome-zarr-py writes it"), &[]);
    files_of(&store, "cells.ome.zarr", &mut dataset);
    let (path, original) =
        ("cells.ome.zarr/labels/zarr.json", "original-metadata/cells.ome.zarr/labels/zarr.json.original");
    let deposited = dataset.files[path].clone();

    let listed = validate(&[&store.to_string_lossy()]).await;
    assert_eq!(listed["repairs"][0]["path"], "labels/zarr.json", "{listed:#}");

    let node = Node::start("europe").await;
    let client = node.depositor();
    let draft = client.draft(&dataset).await;
    let report = client.post(&format!("/api/v1/deposits/{draft}/validate"), &Value::Null).await.ok();
    assert_eq!(report["valid"], true, "{report:#}");
    assert_eq!(report["repairs"][0]["rule"], "ome-zarr.version.missing", "{report:#}");
    assert!(!rules(&report).contains(&"ome-zarr.version.missing"), "{report:#}");
    let published = client.publish(&draft).await;
    assert_eq!(published.receipt["repairs"], report["repairs"], "{:#}", published.receipt);

    let anybody = node.anybody();
    let data = format!("/data/{}/v1", published.id);
    let repaired = anybody.get(&format!("{data}/{path}")).await.ok();
    assert_eq!(repaired["attributes"]["ome"], json!({"version": "0.5", "labels": ["nuclei"]}));
    let kept = anybody.get(&format!("{data}/{original}")).await.expect(200);
    assert_eq!(sha256(&kept.body), sha256(&deposited));
    let document = anybody.get(&format!("{data}/ro-crate-metadata.json")).await.ok();
    let graph = document["@graph"].as_array().expect("a graph");
    let action = graph.iter().find(|entity| entity["@type"] == "UpdateAction").expect("an action");
    assert_eq!((&action["result"]["@id"], &action["object"]["@id"]), (&json!(path), &json!(original)), "{action:#}");
    assert!(action["description"].as_str().is_some_and(|text| text.contains("ome-zarr.version.missing")), "{action:#}");

    // A next version has the repaired file already: there is nothing left to repair.
    let next = client.new_version(&published.id, &dataset.crate_json, &[]).await;
    assert_eq!(next.receipt["repairs"], json!([]), "{:#}", next.receipt);
    let kept = anybody.get(&format!("/data/{}/v2/{original}", published.id)).await.expect(200);
    assert_eq!(sha256(&kept.body), sha256(&deposited));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_deposit_whose_pixels_cannot_be_decoded_is_refused() {
    let mut store = Store::v05("cells.ome.zarr", 1);
    store.put("1/c/0/0", [1, 2, 3]);
    let node = Node::start("europe").await;
    let client = node.depositor();
    let draft = client.draft(&Dataset::new(&Words::titled("Half an upload"), &[store])).await;
    let problem = client.post(&format!("/api/v1/deposits/{draft}/publish"), &Value::Null).await.problem(422);
    assert!(rules(&problem).contains(&"ome-zarr.chunk.size"), "{problem:#}");
    let good = Store::v05("cells.ome.zarr", 1);
    client.put_file(&draft, "cells.ome.zarr/1/c/0/0", &good.files["1/c/0/0"]).await.expect(201);
    client.publish(&draft).await;
}
