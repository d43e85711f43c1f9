//! Depositing over HTTP: the whole journey, and what is refused without a trace.

use std::collections::BTreeMap;

use e2e_tests::{Client, Dataset, Node, Setup, Store, Words, content_digest, eventually, raw_request, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

/// Everything a client can see of a draft.
async fn state(client: &Client, draft: &str) -> (Value, Value) {
    let view = client.get(&format!("/api/v1/deposits/{draft}")).await.ok();
    let files = client.get(&format!("/api/v1/deposits/{draft}/files")).await.ok();
    (view, files)
}

fn listed(files: &Value) -> BTreeMap<String, (u64, String)> {
    let row = |file: &Value| {
        let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
        (text("path"), (file["size"].as_u64().unwrap_or_default(), text("sha256")))
    };
    files.as_array().into_iter().flatten().map(row).collect()
}

fn rules(problem: &Value) -> Vec<String> {
    let findings = problem["findings"].as_array().unwrap_or_else(|| panic!("no findings: {problem}"));
    for finding in findings {
        for member in ["rule", "severity", "message", "hint"] {
            assert!(finding[member].as_str().is_some_and(|text| !text.is_empty()), "no '{member}': {finding}");
        }
        assert!(finding["path"].is_string(), "{finding}");
    }
    findings.iter().map(|finding| finding["rule"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn send_all_at_once(client: &Client, draft: &str, dataset: &Dataset) {
    let mut uploads = JoinSet::new();
    for (path, bytes) in dataset.files.clone() {
        let (client, draft) = (client.clone(), draft.to_owned());
        uploads.spawn(async move { client.put_file(&draft, &path, &bytes).await.expect(201) });
    }
    for answer in uploads.join_all().await {
        assert!(answer.json()["sha256"].is_string(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_dataset_goes_from_draft_to_citable_record_over_http() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let words = Words::titled("Mitotic spindles in a dish").organism("10090", "Mus musculus");
    let dataset = Dataset::new(&words, &[Store::v05("spindles.ome.zarr", 3), Store::v04("old.ome.zarr", 4)]);

    let answer = client.post("/api/v1/deposits", &dataset.crate_json).await.expect(201);
    let draft = answer.json();
    let id = draft["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/api/v1/deposits/{id}"));
    assert_eq!(draft["state"], "draft");
    assert!(id.starts_with("europe"), "{id}");
    send_all_at_once(&client, &id, &dataset).await;

    let (view, files) = state(&client, &id).await;
    let expected: BTreeMap<_, _> =
        dataset.files.iter().map(|(path, bytes)| (path.clone(), (bytes.len() as u64, sha256(bytes)))).collect();
    assert_eq!(listed(&files["files"]), expected);
    assert_eq!(view["files"], dataset.files.len());
    let nothing_yet = node.anybody().found("q=spindles").await;
    assert!(nothing_yet.is_empty(), "a draft is in the search: {nothing_yet:?}");
    node.anybody().get(&format!("/api/v1/datasets/{id}")).await.problem(404);

    let report = client.post(&format!("/api/v1/deposits/{id}/validate"), &Value::Null).await.ok();
    assert_eq!(report["valid"], true, "{report:#}");
    assert_eq!(report["images"].as_array().map(Vec::len), Some(2), "{report:#}");
    let published = client.publish(&id).await;
    assert_eq!(published.id, id);
    assert_eq!(published.receipt["state"], "published");

    let anybody = node.anybody();
    let record = anybody.get(&format!("/api/v1/datasets/{id}")).await.ok();
    assert_eq!(record["summary"]["title"], "Mitotic spindles in a dish");
    assert_eq!(record["version"], 1);
    assert_eq!(record["iri"], published.iri);
    assert_eq!(record["images"].as_array().map(Vec::len), Some(2), "{record:#}");
    assert_eq!(anybody.found("q=spindles").await, std::slice::from_ref(&id));
    for (path, bytes) in &dataset.files {
        let answer = anybody.get(&format!("/data/{id}/v1/{path}")).await.expect(200);
        assert_eq!(answer.body, bytes, "{path}");
    }
    let names = ["spindles.ome.zarr", "old.ome.zarr"];
    for (name, image) in names.iter().map(|name| (name, image_at(&record, name))) {
        assert_eq!(image["url"], format!("{}/data/{id}/v1/{name}", node.url()));
    }
    node.assert_quiet_log(&[]);
}

fn image_at<'a>(record: &'a Value, path: &str) -> &'a Value {
    let images = record["images"].as_array().into_iter().flatten();
    images.into_iter().find(|image| image["path"] == path).unwrap_or_else(|| panic!("no image '{path}': {record:#}"))
}

#[tokio::test]
async fn sending_a_file_again_is_fine_and_another_body_takes_its_place() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("Again")).await;
    let before = state(&client, &id).await;
    let path = "image.ome.zarr/0/c/0/0";
    let (_, files) = &before;
    let held = listed(&files["files"])[path].clone();
    let bytes = Store::v05("image.ome.zarr", 1).files["0/c/0/0"].clone();
    assert_eq!(held.1, sha256(&bytes));
    client.put_file(&id, path, &bytes).await.expect(201);
    assert_eq!(state(&client, &id).await, before);

    client.put_file(&id, path, b"another body").await.expect(201);
    let (_, files) = state(&client, &id).await;
    assert_eq!(listed(&files["files"])[path], (12, sha256("another body")));
    client.delete(&format!("/api/v1/deposits/{id}/files/{path}")).await.expect(204);
    let (_, files) = state(&client, &id).await;
    assert!(!listed(&files["files"]).contains_key(path));
    client.delete(&format!("/api/v1/deposits/{id}/files/{path}")).await.problem(404);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_body_with_another_digest_than_promised_changes_nothing() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("Digests")).await;
    let before = state(&client, &id).await;
    let path = format!("/api/v1/deposits/{id}/files/image.ome.zarr/0/c/0/0");
    let promised = [content_digest(b"other bytes"), "sha-256=:AAAA:".into(), "md5=:AAAA:".into(), "nonsense".into()];
    for digest in promised {
        let request = client.request(Method::PUT, &path).header("content-digest", &digest).body("these bytes");
        client.send(request).await.problem(422);
        assert_eq!(state(&client, &id).await, before, "{digest}");
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("Broken off")).await;
    let before = state(&client, &id).await;
    for path in ["image.ome.zarr/0/c/0/0", "image.ome.zarr/0/c/9/9"] {
        let head = format!(
            "PUT /api/v1/deposits/{id}/files/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 1000000\r\n\r\n",
            node.deposit_token
        );
        let mut stream = TcpStream::connect(client.base.trim_start_matches("http://")).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&[7; 5000]).await.unwrap();
        stream.shutdown().await.unwrap();
        drop(stream);
    }
    // Publication waits for no upload: it is possible as soon as the broken ones have ended.
    eventually("the broken uploads end", || async {
        let answer = client.post(&format!("/api/v1/deposits/{id}/validate"), &Value::Null).await;
        if answer.status == 200 && state(&client, &id).await == before { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    client.publish(&id).await;
    let answer = node.anybody().get(&format!("/data/{id}/v1/image.ome.zarr/0/c/0/0")).await.expect(200);
    assert_eq!(answer.body, Store::v05("image.ome.zarr", 1).files["0/c/0/0"]);
    node.anybody().get(&format!("/data/{id}/v1/image.ome.zarr/0/c/9/9")).await.problem(404);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_path_that_leads_out_of_the_draft_is_refused() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("Paths")).await;
    let before = state(&client, &id).await;
    let token = format!("Bearer {}", node.deposit_token);
    let paths = [
        "../x",
        "a/../../x",
        "%2e%2e%2fx",
        "%2e%2e/x",
        "..%2fx",
        "a/%2e%2e/x",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "a//b",
        "./x",
        "a/.",
        "a%5Cb",
        "..%5C..%5Cx",
        "a%00b",
        "%00",
        "a%0ab",
        "%ff%fe",
        "%c0%ae%c0%ae/x",
    ];
    for path in paths {
        let target = format!("/api/v1/deposits/{id}/files/{path}");
        let answer = raw_request(&node.url(), "PUT", &target, &[("authorization", &token)], b"intruder").await;
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        let status = answer.status;
        answer.problem(status);
        assert_eq!(state(&client, &id).await, before, "{path}");
    }
    let too_long = "n".repeat(300);
    client.put_file(&id, &too_long, b"x").await.problem(422);
    assert_eq!(state(&client, &id).await, before);
    assert!(!node.scratch().join("x").exists() && !node.data_dir().join("x").exists());
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_file_cannot_be_a_folder_of_another_in_a_published_version() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("File and folder")).await;
    client.put_file(&id, "notes", b"a file").await.expect(201);
    let answer = client.put_file(&id, "notes/today.txt", b"below it").await;
    if answer.status == 201 {
        let before = state(&client, &id).await;
        client.post(&format!("/api/v1/deposits/{id}/publish"), &Value::Null).await.problem(422);
        assert_eq!(state(&client, &id).await, before);
    } else {
        answer.problem(422);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_deposit_short_of_a_must_cannot_be_published_and_says_why() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let missing = [
        ("license", "crate.license.missing"),
        ("author", "crate.author.missing"),
        ("about", "crate.taxon.missing"),
        ("measurementMethod", "crate.method.missing"),
        ("description", "crate.description.missing"),
        ("datePublished", "crate.date.missing"),
    ];
    for (member, rule) in missing {
        let mut dataset = Dataset::small("Short of something");
        dataset.root().as_object_mut().unwrap().remove(member);
        let id = client.draft(&dataset).await;
        let before = state(&client, &id).await;
        let report = client.post(&format!("/api/v1/deposits/{id}/validate"), &Value::Null).await.ok();
        assert_eq!(report["valid"], false, "{report:#}");
        let problem = client.post(&format!("/api/v1/deposits/{id}/publish"), &Value::Null).await.problem(422);
        let rules = rules(&problem);
        assert!(rules.iter().any(|found| found == rule), "{member}: {rules:?}");
        assert_eq!(state(&client, &id).await, before, "{member}");
        node.anybody().get(&format!("/api/v1/datasets/{id}")).await.problem(404);

        let repaired = Dataset::small("Short of something");
        let request = client.request(Method::PATCH, &format!("/api/v1/deposits/{id}")).json(&repaired.crate_json);
        client.send(request).await.expect(200);
        client.publish(&id).await;
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn images_that_are_no_ome_zarr_cannot_be_published() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let mut no_axes = Store::v05("image.ome.zarr", 1);
    let text = String::from_utf8(no_axes.files["zarr.json"].clone()).unwrap();
    let mut group: Value = serde_json::from_str(&text).unwrap();
    group["attributes"]["ome"]["multiscales"][0].as_object_mut().unwrap().remove("axes");
    no_axes.put("zarr.json", group.to_string());
    let mut no_json = Store::v05("image.ome.zarr", 1);
    no_json.put("zarr.json", "{\"zarr_format\": 3,");
    let mut plain = Store { name: "image.ome.zarr".into(), files: BTreeMap::new() };
    plain.put("readme.txt", "no image");
    let mut no_levels = Store::v05("image.ome.zarr", 1);
    no_levels.files.retain(|path, _| path == "zarr.json");
    for (what, store) in [("no axes", no_axes), ("no JSON", no_json), ("no image", plain), ("no levels", no_levels)] {
        let id = client.draft(&Dataset::new(&Words::titled("No image"), &[store])).await;
        let before = state(&client, &id).await;
        let problem = client.post(&format!("/api/v1/deposits/{id}/publish"), &Value::Null).await.problem(422);
        let rules = rules(&problem);
        assert!(rules.iter().any(|rule| rule.starts_with("ome-zarr.")), "{what}: {rules:?}");
        assert_eq!(state(&client, &id).await, before, "{what}");
    }
    assert_eq!(node.anybody().search("q=").await["total"], 0);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_is_no_crate_makes_no_draft() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let deep = format!("{{\"@graph\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let bodies = [
        "{",
        "[]",
        "\"text\"",
        "{\"@graph\": 5}",
        "{\"@graph\": [], \"@context\": []}",
        "{\"other\": 1}",
        "\u{0}",
        &deep,
    ];
    for body in bodies {
        let request = client.request(Method::POST, "/api/v1/deposits").header("content-type", "application/json");
        client.send(request.body(body.to_owned())).await.problem(422);
    }
    let request = client.request(Method::POST, "/api/v1/deposits").body(vec![0xff_u8, 0xfe, 0x00]);
    client.send(request).await.problem(422);
    assert_eq!(client.get("/api/v1/deposits").await.ok()["deposits"], json!([]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn limits_are_enforced_and_leave_the_draft_as_it_was() {
    let limits = "[limits]\nfile_bytes = 5000\ncrate_bytes = 20000\ndeposit_files = 12\n";
    let node = Node::start_with(Setup::new("europe").await.extra(limits)).await;
    let client = node.depositor();
    let dataset = Dataset::small("Limits");
    let id = client.draft(&dataset).await;
    let before = state(&client, &id).await;
    client.put_file(&id, "large.bin", &[0; 5001]).await.problem(413);
    assert_eq!(state(&client, &id).await, before);

    let mut long = Words::titled("Long");
    long.description = "x".repeat(30_000);
    client.post("/api/v1/deposits", &long.crate_json()).await.problem(413);
    let request = client.request(Method::PATCH, &format!("/api/v1/deposits/{id}")).json(&long.crate_json());
    client.send(request).await.problem(413);
    assert_eq!(state(&client, &id).await, before);

    let most = 12 - dataset.files.len();
    for number in 0..most {
        client.put_file(&id, &format!("more/{number}"), b"x").await.expect(201);
    }
    let full = state(&client, &id).await;
    client.put_file(&id, "one-too-many", b"x").await.problem(413);
    assert_eq!(state(&client, &id).await, full);
    client.put_file(&id, "more/0", b"in the place of another").await.expect(201);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn drafts_need_a_token_with_the_scope_and_belong_to_its_holder() {
    let node = Node::start("europe").await;
    let dataset = Dataset::small("Whose");
    node.anybody().post("/api/v1/deposits", &dataset.crate_json).await.problem(401);
    Client::new(&node.url(), Some("hg_guessed")).post("/api/v1/deposits", &dataset.crate_json).await.problem(401);
    let harvester = Client::new(&node.url(), Some(&node.new_token(&["harvest"]).await));
    harvester.post("/api/v1/deposits", &dataset.crate_json).await.problem(403);
    harvester.post("/api/v1/tokens", &json!({"scopes": ["admin"]})).await.problem(403);
    node.depositor().post("/api/v1/tokens", &json!({"scopes": ["admin"]})).await.problem(403);

    let id = node.depositor().draft(&dataset).await;
    let before = state(&node.depositor(), &id).await;
    let stranger = Client::new(&node.url(), Some(&node.new_token(&["deposit"]).await));
    let draft = format!("/api/v1/deposits/{id}");
    stranger.get(&draft).await.problem(404);
    stranger.get(&format!("{draft}/files")).await.problem(404);
    stranger.put_file(&id, "mine", b"x").await.problem(404);
    stranger.delete(&format!("{draft}/files/image.ome.zarr/zarr.json")).await.problem(404);
    stranger.post(&format!("{draft}/publish"), &Value::Null).await.problem(404);
    stranger.delete(&draft).await.problem(404);
    node.anybody().get(&draft).await.problem(401);
    node.anybody().put_file(&id, "mine", b"x").await.problem(401);
    assert_eq!(stranger.get("/api/v1/deposits").await.ok()["deposits"], json!([]));
    assert_eq!(state(&node.depositor(), &id).await, before);

    let published = node.depositor().publish(&id).await;
    stranger.post(&format!("/api/v1/datasets/{}/withdraw", published.id), &Value::Null).await.problem(403);
    stranger.post(&format!("/api/v1/datasets/{}/versions", published.id), &Value::Null).await.problem(403);
    node.anybody().get(&format!("/api/v1/datasets/{}", published.id)).await.ok();
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn an_idempotency_key_finds_the_same_draft_and_tells_when_it_is_published() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let dataset = Dataset::small("Once");
    let create = |client: &Client| {
        client
            .request(Method::POST, "/api/v1/deposits")
            .header("idempotency-key", "my-deposit-1")
            .json(&dataset.crate_json)
    };
    let first = client.send(create(&client)).await.expect(201).json();
    let again = client.send(create(&client)).await.expect(201).json();
    assert_eq!(first["id"], again["id"]);
    let stranger = Client::new(&node.url(), Some(&node.new_token(&["deposit"]).await));
    let theirs = stranger.send(create(&stranger)).await.expect(201).json();
    assert_ne!(first["id"], theirs["id"], "a key is its holder's own");

    let id = first["id"].as_str().unwrap();
    send_all_at_once(&client, id, &dataset).await;
    let published = client.publish(id).await;
    let after = client.send(create(&client)).await.expect(201).json();
    assert_eq!(after["state"], "published");
    assert_eq!(after["dataset"], published.id);
    let without_key = client.post("/api/v1/deposits", &dataset.crate_json).await.expect(201).json();
    assert_ne!(without_key["id"], first["id"]);
    for bad in ["", "a/b", &"k".repeat(300)] {
        client.send(client.request(Method::POST, "/api/v1/deposits").header("idempotency-key", bad)).await.problem(422);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn publishing_twice_publishes_once_even_at_the_same_time() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("Twice")).await;
    let path = format!("/api/v1/deposits/{id}/publish");
    let answers = futures::future::join_all((0..6).map(|_| client.post(&path, &Value::Null))).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(done, 1, "{answers:#?}");
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        let status = answer.status;
        assert!([404, 409].contains(&status), "{answer:?}");
        answer.problem(status);
    }
    let late = client.post(&path, &Value::Null).await;
    assert!([404, 409].contains(&late.status), "{late:?}");
    let log_size = node.anybody().get("/federation/v1/node").await.ok()["log_size"].clone();
    assert_eq!(log_size, 1);
    client.put_file(&id, "late.txt", b"x").await.problem(404);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_deleted_draft_is_gone() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let id = client.draft(&Dataset::small("Deleted")).await;
    client.delete(&format!("/api/v1/deposits/{id}")).await.expect(204);
    client.get(&format!("/api/v1/deposits/{id}")).await.problem(404);
    client.post(&format!("/api/v1/deposits/{id}/publish"), &Value::Null).await.problem(404);
    assert_eq!(client.get("/api/v1/deposits").await.ok()["deposits"], json!([]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_from_then_on() {
    let node = Node::start("europe").await;
    let admin = node.admin();
    let made = admin.post("/api/v1/tokens", &json!({"label": "guest", "scopes": ["deposit"]})).await.expect(201).json();
    let guest = Client::new(&node.url(), made["token"].as_str());
    let draft = guest.draft(&Dataset::small("Guest")).await;
    let listed = admin.get("/api/v1/tokens").await.ok();
    let text = listed.to_string();
    assert!(text.contains(made["id"].as_str().unwrap()) && text.contains("guest"), "{text}");
    assert!(!text.contains(made["token"].as_str().unwrap()), "a secret is listed");
    admin.delete(&format!("/api/v1/tokens/{}", made["id"].as_str().unwrap())).await.expect(204);
    guest.get(&format!("/api/v1/deposits/{draft}")).await.problem(401);
    guest.post(&format!("/api/v1/deposits/{draft}/publish"), &Value::Null).await.problem(401);
    admin.delete("/api/v1/tokens/000000000000").await.problem(404);
    guest.get("/api/v1/tokens").await.problem(401);
    admin.post("/api/v1/tokens", &json!({"scopes": []})).await.problem(422);
    let unknown = admin.post("/api/v1/tokens", &json!({"scopes": ["root"]})).await;
    let status = unknown.status;
    assert!([400, 422].contains(&status), "{unknown:?}");
    unknown.problem(status);
    node.assert_quiet_log(&[]);
}
