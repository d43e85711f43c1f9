//! E-mail addresses stay with those they were given to: no route and no log tells one, whoever wrote it where.

use std::{fs, path::Path};

use e2e_tests::{Dataset, Federation, Node, Words, run, sha256, told_by};
use serde_json::{Value, json};

/// Part of every address here, so that none gets through in pieces.
const SECRET: &str = "zqsecret";

fn address(at: usize) -> String {
    format!("{SECRET}.{at}@lab-{at}.example.org")
}

/// A study of another archive with addresses wherever people put them, and where only somebody who means it does.
fn study(at: usize) -> Value {
    let mail = address(at);
    let mut crate_json = Words::titled(&format!("Study {at}")).crate_json();
    let iri = format!("https://archive.example/studies/S{at}");
    crate_json["@graph"][0]["about"]["@id"] = json!(iri);
    let root = &mut crate_json["@graph"][1];
    root["@id"] = json!(iri);
    root["identifier"] = json!(format!("S{at}"));
    root["keywords"] = json!(["cells", format!("contact {mail}")]);
    root["description"] =
        json!(format!("Ask {mail}, <b>{}</b> or {SECRET}{at} [at] example.org.", mail.replace('@', "<i>@</i>")));
    root["author"] = json!([{"@id": "#author"}, {"@id": format!("mailto:{mail}")}, {"@id": format!("#{mail}")}]);
    root["contactPoint"] =
        json!({"@type": "ContactPoint", "email": format!("{SECRET} at example"), "telephone": SECRET});
    let graph = crate_json["@graph"].as_array_mut().unwrap();
    graph[2]["email"] = json!([mail, format!("mailto:{mail}"), format!("{SECRET}@malformed")]);
    graph[2]["schema:email"] = json!({"@id": format!("mailto:{mail}")});
    graph[2]["url"] = json!(format!("https://example.org/people?mail={SECRET}%40example.org"));
    graph.push(json!({"@id": format!("mailto:{mail}"), "@type": "Person", "name": "Second Author", "email": mail}));
    graph.push(json!({"@id": format!("#{mail}"), "@type": "Person", "name": "Third Author"}));
    graph.push(json!({"@id": "#more", "@type": "Thing", mail.as_str(): 1, "sameAs": format!("mailto:{SECRET}")}));
    crate_json
}

fn listing(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for at in 0..12 {
        // Half of them as Python writes JSON.
        let text = study(at).to_string();
        let text = if at % 2 == 0 { text } else { text.replace('@', "\\u0040").replace("\\u0040id", "@id") };
        let text = text
            .replace("\\u0040type", "@type")
            .replace("\\u0040graph", "@graph")
            .replace("\\u0040context", "@context");
        fs::write(folder.join(format!("{at}.json")), text).unwrap();
    }
}

async fn import(node: &Node, folder: &Path) -> Value {
    let (folder, url) = (folder.to_string_lossy(), node.url());
    let report = run(["import", &folder, "--as", "archive", "--node", &url, "--token", &node.admin_token, "--json"]);
    let report = report.await.ok().json();
    node.caught_up().await;
    report
}

#[tokio::test]
async fn no_route_of_any_node_tells_an_address_of_an_imported_record() {
    let federation = Federation::start(&["europe", "japan"]).await;
    let (europe, japan) = (federation.node("europe"), federation.node("japan"));
    let folder = europe.scratch().join("listing");
    listing(&folder);
    let report = import(europe, &folder).await;
    assert_eq!((&report["stored"], &report["rejected"]), (&json!(12), &json!([])), "{report:#}");
    assert_eq!(report["repairs"]["email.removed"], 12);
    let ids: Vec<String> = (0..12).map(|at| format!("archive.S{at}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    federation.all_find("q=", &ids).await;
    japan.caught_up().await;
    for node in [europe, japan] {
        assert_eq!(told_by(node, &[SECRET]).await, Vec::<String>::new(), "by {}", node.id());
        assert_eq!(node.anybody().search(&format!("q={SECRET}")).await["total"], 0);
        let record = node.anybody().get("/api/v1/datasets/archive.S1").await.ok();
        let names: Vec<&Value> = record["summary"]["authors"].as_array().unwrap().iter().map(|a| &a["name"]).collect();
        assert_eq!(names, ["Zita Tester", "Second Author", "Third Author"], "who wrote it is told");
        let bytes = node.anybody().get("/api/v1/datasets/archive.S1/versions/1/crate").await.expect(200).body;
        assert_eq!(record["versions"][0]["crate"], sha256(&bytes), "the log's digest covers what is given");
        let original = sha256(fs::read(folder.join("1.json")).unwrap());
        assert_eq!(record["provenance"]["source"]["original"], original);
    }
    let again = import(europe, &folder).await;
    assert_eq!((&again["unchanged"], &again["stored"]), (&json!(12), &json!(0)));
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

#[tokio::test]
async fn a_deposit_is_published_without_the_addresses_in_it() {
    let node = Node::start("europe").await;
    let mut dataset = Dataset::small("With addresses");
    let mut crate_json = study(3);
    let about = json!("./");
    crate_json["@graph"][0]["about"]["@id"] = about.clone();
    crate_json["@graph"][1]["@id"] = about;
    // Tags within an address are a reader's business; a depositor's words are published as they are.
    crate_json["@graph"][1]["description"] = json!(format!("Ask {}.", address(3)));
    dataset.crate_json = crate_json;
    let published = node.depositor().deposit(&dataset).await;
    assert_eq!(told_by(&node, &[SECRET]).await, Vec::<String>::new());
    let record = node.anybody().get(&format!("/api/v1/datasets/{}", published.id)).await.ok();
    assert_eq!(record["summary"]["authors"].as_array().unwrap().len(), 3);
    let file =
        node.anybody().get(&format!("/data/{}/v1/ro-crate-metadata.json", published.id)).await.expect(200).text();
    assert!(!file.contains(SECRET) && file.contains("Second Author"), "{file}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_file_called_after_an_address_is_not_published() {
    let node = Node::start("europe").await;
    let mut dataset = Dataset::small("A name");
    dataset.files.insert(format!("from {}/notes.txt", address(1)), b"x".to_vec());
    dataset.files.insert("at 40x@1.5.txt".into(), b"x".to_vec());
    let client = node.depositor();
    let draft = client.draft(&dataset).await;
    let problem = client.post(&format!("/api/v1/deposits/{draft}/publish"), &Value::Null).await.problem(422);
    let errors: Vec<&Value> =
        problem["findings"].as_array().unwrap().iter().filter(|f| f["severity"] == "error").collect();
    assert_eq!(errors.len(), 1, "{problem:#}");
    assert_eq!(errors[0]["rule"], "deposit.file-name.address");
    node.assert_quiet_log(&[]);
}
