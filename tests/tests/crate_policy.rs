//! What is asked of a depositor, and what is done with a record from elsewhere: the same fault, judged by who can mend it.

use std::fs;

use e2e_tests::{Client, Dataset, Node, Words, run};
use serde_json::{Value, json};

/// The crate of a deposit, and of a study of another archive, with the same fault.
struct Pair {
    deposit: Value,
    study: Value,
}

impl Pair {
    fn with(fault: impl Fn(&mut Vec<Value>)) -> Self {
        let mut deposit = Words::titled("Faulty").crate_json();
        deposit["@graph"][1]["about"] = json!([{"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"}]);
        fault(deposit["@graph"].as_array_mut().unwrap());
        let iri = "https://archive.example/studies/S1";
        let study = deposit.to_string().replace("\"./\"", &format!("\"{iri}\""));
        Self { deposit, study: serde_json::from_str(&study).unwrap() }
    }

    /// What a depositor is told when it is to be published: whether it is, and the findings.
    async fn published(&self, client: &Client, confirm: &str) -> (bool, Value) {
        let mut dataset = Dataset::small("Faulty");
        dataset.crate_json = self.deposit.clone();
        let draft = client.draft(&dataset).await;
        let answer = client.post(&format!("/api/v1/deposits/{draft}/publish{confirm}"), &Value::Null).await;
        (answer.status == 201, answer.json()["findings"].clone())
    }

    /// The record that is kept of the study, and the report of its import.
    async fn imported(&self, node: &Node) -> (Value, Value) {
        let folder = node.scratch().join("listing");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("s.json"), self.study.to_string()).unwrap();
        let (url, folder) = (node.url(), folder.to_string_lossy().into_owned());
        let report =
            run(["import", &folder, "--as", "archive", "--node", &url, "--token", &node.admin_token, "--json"]);
        let report = report.await.ok().json();
        let records = node.anybody().found("q=faulty&node=europe").await;
        let id = records.iter().find(|id| id.starts_with("archive.")).cloned().unwrap_or_default();
        (node.anybody().get(&format!("/api/v1/datasets/{id}")).await.json(), report)
    }
}

async fn page_of(node: &Node, record: &Value) -> String {
    let path = format!("/datasets/{}", record["id"].as_str().unwrap());
    node.anybody().get_with(&path, &[("accept", "text/html")]).await.expect(200).text()
}

fn severity(findings: &Value, rule: &str) -> String {
    let found = findings.as_array().into_iter().flatten().find(|finding| finding["rule"] == rule);
    found.map(|finding| finding["severity"].as_str().unwrap().to_owned()).unwrap_or_default()
}

fn repairs(record: &Value) -> Vec<&str> {
    let repairs = record["summary"]["repairs"].as_array().into_iter().flatten();
    repairs.filter_map(|repair| repair["rule"].as_str()).collect()
}

#[tokio::test]
async fn missing_musts_forbid_publishing_and_flag_a_record() {
    let node = Node::start("europe").await;
    let pair = Pair::with(|graph| {
        for key in ["description", "license", "author", "datePublished", "about", "measurementMethod"] {
            graph[1].as_object_mut().unwrap().remove(key);
        }
    });
    let (published, findings) = pair.published(&node.depositor(), "").await;
    assert!(!published);
    let (record, report) = pair.imported(&node).await;
    assert_eq!((&report["stored"], &report["incomplete"]), (&json!(1), &json!(1)), "{report:#}");
    for rule in
        ["description", "license", "author", "date", "taxon", "method"].map(|key| format!("crate.{key}.missing"))
    {
        assert_eq!(severity(&findings, &rule), "error", "{rule}");
        assert_eq!(severity(&record["summary"]["findings"], &rule), "error", "{rule}");
    }
    assert_eq!(record["summary"]["incomplete"], true);
    assert!(page_of(&node, &record).await.contains(">incomplete</a>"));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn spellings_are_repaired_for_both_and_told() {
    let node = Node::start("europe").await;
    let (taxon, method) =
        ("http://purl.obolibrary.org/obo/NCBITaxon_9606", "http://purl.obolibrary.org/obo/FBbi_00000251");
    let pair = Pair::with(|graph| {
        let text = json!(graph).to_string();
        let text = text.replace(taxon, "obo:NCBITaxon_09606").replace(method, "FBbi:00000251");
        *graph = serde_json::from_str(&text).unwrap();
        graph[1]["keywords"] = json!(["None", "cells"]);
    });
    let mut dataset = Dataset::small("Faulty");
    dataset.crate_json = pair.deposit.clone();
    let client = node.depositor();
    let draft = client.draft(&dataset).await;
    let report = client.post(&format!("/api/v1/deposits/{draft}/validate"), &Value::Null).await.ok();
    assert_eq!(report["valid"], true, "{report:#}");
    let told: Vec<&str> =
        report["crate_repairs"].as_array().unwrap().iter().map(|r| r["rule"].as_str().unwrap()).collect();
    let (record, _) = pair.imported(&node).await;
    for rule in ["term.leading-zeros", "term.fbbi-spelling", "text.placeholder"] {
        assert!(told.contains(&rule), "{rule} in {told:?}");
        assert!(repairs(&record).contains(&rule), "{rule} in {record:#}");
    }
    client.publish(&draft).await;
    let found = node.anybody().search(&format!("q=faulty&organism={taxon}&method={method}")).await;
    assert_eq!(found["total"], 2, "{found:#}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn identifiers_that_are_none_are_refused_in_a_deposit_and_demoted_in_a_record() {
    let node = Node::start("europe").await;
    let broken = "https://orcid.org/0000-0002-7054-0059 (Name)";
    let pair = Pair::with(|graph| {
        graph[1]["author"] =
            json!([{"@id": "https://orcid.org/NA"}, {"@id": broken}, {"@id": "https://example.org/a b"}]);
        for (id, name) in [("https://orcid.org/NA", "Nora"), (broken, "Ben"), ("https://example.org/a b", "Abe")] {
            graph.push(json!({"@id": id, "@type": "Person", "name": name}));
        }
    });
    let (published, findings) = pair.published(&node.depositor(), "").await;
    assert!(!published);
    assert_eq!(severity(&findings, "orcid.not-an-orcid"), "error");
    assert_eq!(severity(&findings, "iri.encoded"), "error");
    let (record, _) = pair.imported(&node).await;
    let names: Vec<&Value> =
        record["summary"]["authors"].as_array().unwrap().iter().map(|author| &author["name"]).collect();
    assert_eq!(names, ["Nora", "Ben", "Abe"], "nobody is dropped");
    assert!(repairs(&record).contains(&"orcid.not-an-orcid") && repairs(&record).contains(&"iri.encoded"));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_label_that_contradicts_its_term_must_be_confirmed_and_both_are_found() {
    let node = Node::start("europe").await;
    let method = "http://purl.obolibrary.org/obo/FBbi_00000251";
    let pair = Pair::with(|graph| {
        let term = graph.iter_mut().find(|entity| entity["@id"] == method).unwrap();
        term["name"] = json!("and Zyla camera");
    });
    let client = node.depositor();
    let (published, findings) = pair.published(&client, "").await;
    assert!(!published && severity(&findings, "term.label.conflict") == "error", "{findings:#}");
    assert!(findings.to_string().contains("confirm=term.label.conflict"));
    let (published, _) = pair.published(&client, "?confirm=crate.name.missing").await;
    assert!(!published, "only what can be confirmed is");
    let (published, findings) = pair.published(&client, "?confirm=term.label.conflict").await;
    assert!(published && severity(&findings, "term.label.conflict") == "warning", "{findings:#}");

    let (record, _) = pair.imported(&node).await;
    let conflict = &record["summary"]["conflicts"][0];
    assert_eq!((&conflict["written"], &conflict["label"]), (&json!("and Zyla camera"), &json!("confocal microscopy")));
    for query in ["q=zyla", "q=confocal", "q=faulty&method=FBbi:00000251"] {
        let hits = node.anybody().found(query).await;
        assert!(hits.iter().any(|id| id.starts_with("archive.")), "{query}: {hits:?}");
    }
    let page = page_of(&node, &record).await;
    assert!(page.contains("is called") && page.contains("and Zyla camera"), "the conflict is shown");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_command_line_confirms_what_is_meant() {
    let node = Node::start("europe").await;
    let pair = Pair::with(|graph| {
        let term =
            graph.iter_mut().find(|entity| entity["@id"] == "http://purl.obolibrary.org/obo/FBbi_00000251").unwrap();
        term["name"] = json!("a method of our own");
    });
    let (folder, crate_file) = (node.scratch().join("dataset"), node.scratch().join("crate.json"));
    Dataset::small("x").write_to(&folder);
    fs::write(&crate_file, pair.deposit.to_string()).unwrap();
    let image = folder.join("image.ome.zarr").to_string_lossy().into_owned();
    let (url, crate_file) = (node.url(), crate_file.to_string_lossy().into_owned());
    let deposit = |more: &'static [&'static str]| {
        let fixed = [
            "deposit",
            &image,
            "--crate",
            &crate_file,
            "--publish",
            "--json",
            "--node",
            &url,
            "--token",
            &node.deposit_token,
        ];
        run(fixed.iter().copied().chain(more.iter().copied()).map(str::to_owned).collect::<Vec<_>>())
    };
    assert!(!deposit(&[]).await.status.success());
    let receipt = deposit(&["--confirm", "term.label.conflict"]).await.ok().json();
    assert_eq!(receipt["state"], "published");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_command_line_judges_a_crate_without_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ro-crate-metadata.json").to_string_lossy().into_owned();
    let mut crate_json = Words::titled("Whole").crate_json();
    crate_json["@graph"][1]["publisher"] = json!({"@id": "https://ror.org/03mstc592"});
    crate_json["@graph"][1]["keywords"] = json!("None");
    fs::write(&file, crate_json.to_string()).unwrap();
    let outcome = run(["validate", "--json", &file]).await.ok().json();
    assert_eq!(
        (&outcome["valid"], &outcome["repairs"][0]["rule"]),
        (&json!(true), &json!("text.placeholder")),
        "{outcome:#}"
    );
    crate_json["@graph"][1].as_object_mut().unwrap().remove("license");
    fs::write(&file, crate_json.to_string()).unwrap();
    let output = run(["validate", "--json", &file]).await;
    assert!(!output.status.success());
    let finding = &output.json()["findings"][0];
    assert_eq!(finding["rule"], "crate.license.missing");
    assert!(finding["specification"].as_str().unwrap().contains("GIDE search profile"), "{finding}");
}

#[tokio::test]
async fn unknown_terms_are_taken_with_a_warning() {
    let node = Node::start("europe").await;
    let pair = Pair::with(|graph| {
        graph[1]["measurementMethod"] = json!([{"@id": "http://purl.obolibrary.org/obo/FBbi_00999999"}]);
        graph.push(json!({"@id": "http://purl.obolibrary.org/obo/FBbi_00999999", "@type": "DefinedTerm", "name": "brand new microscopy"}));
        graph[1]["about"].as_array_mut().unwrap().push(json!({"@id": "http://example.org/terms/1"}));
        graph.push(json!({"@id": "http://example.org/terms/1", "@type": "DefinedTerm", "name": "of no ontology here"}));
    });
    let (published, findings) = pair.published(&node.depositor(), "").await;
    assert!(published, "{findings:#}");
    assert_eq!(severity(&findings, "term.unknown"), "warning");
    assert_eq!(severity(&findings, "term.ontology.unknown"), "warning");
    let (record, _) = pair.imported(&node).await;
    assert_eq!(record["summary"]["methods"][0]["label"], "brand new microscopy");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn an_entity_described_twice_is_refused_in_a_deposit_and_merged_in_a_record() {
    let node = Node::start("europe").await;
    let pair =
        Pair::with(|graph| graph.push(json!({"@id": "#author", "@type": "Person", "affiliation": "Second Facility"})));
    let (published, findings) = pair.published(&node.depositor(), "").await;
    assert!(!published && severity(&findings, "crate.entity.duplicate") == "error");
    let (record, _) = pair.imported(&node).await;
    assert_eq!(severity(&record["summary"]["findings"], "crate.entity.duplicate"), "warning");
    let affiliations = record["summary"]["authors"][0]["affiliations"].as_array().unwrap();
    assert_eq!(affiliations.len(), 2, "{record:#}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_is_no_crate_is_refused_and_what_has_no_address_is_quarantined() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    for body in ["{", "{\"@graph\": []}", "[]"] {
        let request =
            client.request(reqwest::Method::POST, "/api/v1/deposits").header("content-type", "application/ld+json");
        client.send(request.body(body)).await.problem(422);
    }
    let folder = node.scratch().join("listing");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.json"), "{").unwrap();
    fs::write(folder.join("b.json"), "{\"@graph\": []}").unwrap();
    fs::write(folder.join("c.json"), Words::titled("Homeless").crate_json().to_string()).unwrap();
    let anonymous = Words::titled("Homeless").crate_json().to_string().replace("\"./\"", "\"_:root\"");
    fs::write(folder.join("d.json"), anonymous).unwrap();
    let (url, folder) = (node.url(), folder.to_string_lossy().into_owned());
    let report = run(["import", &folder, "--as", "archive", "--node", &url, "--token", &node.admin_token, "--json"]);
    let report = report.await.ok().json();
    assert_eq!((&report["seen"], &report["stored"]), (&json!(4), &json!(0)), "{report:#}");
    let why: Vec<&str> =
        report["rejected"].as_array().unwrap().iter().map(|row| row["why"].as_str().unwrap()).collect();
    assert_eq!(why.len(), 4, "each with its reason: {why:?}");
    assert!(why[2].contains("no absolute @id") && why[3].contains("no absolute @id"), "{why:?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_size_of_a_deposit_is_counted_wherever_it_is_told() {
    let node = Node::start("europe").await;
    let mut dataset = Dataset::small("Measured");
    dataset.root()["size"] = json!([{"@id": "#b"}, {"@id": "#f"}]);
    let graph = dataset.crate_json["@graph"].as_array_mut().unwrap();
    graph.push(json!({"@id": "#b", "@type": "QuantitativeValue", "value": 794_000_000_000_000_u64,
        "unitCode": "http://purl.obolibrary.org/obo/UO_0000233", "unitText": "bytes"}));
    graph.push(json!({"@id": "#f", "@type": "QuantitativeValue", "value": 1,
        "unitCode": "http://purl.obolibrary.org/obo/UO_0000189", "unitText": "file count"}));
    let client = node.depositor();
    let draft = client.draft(&dataset).await;
    let report = client.post(&format!("/api/v1/deposits/{draft}/validate"), &Value::Null).await.ok();
    assert_eq!(severity(&report["findings"], "crate.size.measured"), "note");
    assert_eq!(severity(&report["findings"], "crate.size.unbelievable"), "warning");
    let id = client.publish(&draft).await.id;
    let manifest = node.anybody().get(&format!("/api/v1/datasets/{id}/versions/1/manifest")).await.ok();
    let files = manifest.as_array().unwrap();
    let (count, bytes) = (files.len() as u64, files.iter().map(|file| file["size"].as_u64().unwrap()).sum::<u64>());
    let record = node.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok();
    assert_eq!((&record["bytes"], &record["files"]), (&json!(bytes), &json!(count)));
    assert_eq!(record["summary"]["declared"], json!({"bytes": bytes, "files": count}));
    assert_eq!(severity(&record["summary"]["findings"], "crate.size.unbelievable"), "", "what is counted is believed");
    assert_eq!(node.anybody().search("q=measured").await["hits"][0]["bytes"], bytes);
    let published = node.anybody().get(&format!("/api/v1/datasets/{id}/versions/1/crate")).await.ok();
    let graph = published["@graph"].as_array().unwrap();
    let values: Vec<u64> =
        graph.iter().filter(|e| e["@type"] == "QuantitativeValue").filter_map(|e| e["value"].as_u64()).collect();
    assert_eq!(values, [bytes, count]);
    let query = "PREFIX s: <http://schema.org/> SELECT ?v { ?d a s:Dataset ; s:size ?size . ?size s:unitText 'bytes' ; s:value ?v }";
    let answer = node.anybody().get_with_query("/sparql", &[("query", query)]).await.expect(200).text();
    assert!(answer.contains(&format!("\"{bytes}\"")) && !answer.contains("794000"), "{answer}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_declared_size_beyond_belief_is_flagged_and_shown() {
    let node = Node::start("europe").await;
    let pair = Pair::with(|graph| {
        graph[1]["size"] = json!([{"@id": "#b"}]);
        graph.push(
            json!({"@id": "#b", "@type": "QuantitativeValue", "value": 794_000_000_000_000_u64, "unitText": "bytes",
            "unitCode": "http://purl.obolibrary.org/obo/UO_0000233"}),
        );
    });
    let (record, report) = pair.imported(&node).await;
    assert_eq!(report["findings"]["crate.size.unbelievable"], 1);
    let page = page_of(&node, &record).await;
    assert!(page.contains("is declared to have 794 TB"), "{page}");
    assert!(page.contains("(hard to believe)"), "{page}");
    node.assert_quiet_log(&[]);
}
