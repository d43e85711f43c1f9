//! The example queries of the page, asked over the real collections.

use std::collections::BTreeSet;

use e2e_tests::{Node, eventually, run, shared_data};
use serde_json::Value;

async fn rows(node: &Node, query: &str) -> Vec<Value> {
    let accept = [("accept", "application/sparql-results+json")];
    let request =
        node.anybody().request(reqwest::Method::POST, "/sparql").header("content-type", "application/sparql-query");
    let answer = node.anybody().send(request.header(accept[0].0, accept[0].1).body(query.to_owned())).await;
    answer.expect(200).json()["results"]["bindings"].as_array().expect("rows").clone()
}

/// The examples as the page offers them, by their titles.
async fn examples(node: &Node) -> Vec<(String, String)> {
    let page = node.anybody().get("/query").await.expect(200).text();
    let items = page.split("<li><details><summary>").skip(1);
    let example = |item: &str| {
        let (title, rest) = item.split_once("</summary>").expect("a title");
        let link = rest.split_once("/query?query=").expect("a link").1.split_once('"').expect("its end").0;
        let pairs = format!("query={}", link.replace("&#38;", "&"));
        let url = reqwest::Url::parse(&format!("http://x/?{pairs}")).expect("an address");
        (title.to_owned(), url.query_pairs().next().expect("a query").1.into_owned())
    };
    items.map(example).collect()
}

fn values(rows: &[Value], name: &str) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row[name]["value"].as_str()).map(str::to_owned).collect()
}

fn row<'a>(rows: &'a [Value], name: &str, value: &str) -> &'a Value {
    rows.iter().find(|row| row[name]["value"] == value).unwrap_or_else(|| panic!("no {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_answers_and_agrees_with_the_search() {
    let Some(crates) = shared_data("gide-crates") else { return };
    let node = Node::start("europe").await;
    let folder = crates.to_string_lossy().into_owned();
    run(["import", &folder, "--as", "gide", "--node", &node.url(), "--token", &node.admin_token, "--json"]).await.ok();
    node.caught_up().await;
    let count = "SELECT (COUNT(DISTINCT ?d) AS ?n) { ?d <https://heliograph.org/ns#node> ?node }";
    eventually("RDF holds all", || async {
        let found = rows(&node, count).await[0]["n"]["value"].clone();
        if found == "1252" { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
    let examples = examples(&node).await;
    assert_eq!(examples.len(), 9);
    for (title, query) in &examples {
        let rows = rows(&node, query).await;
        assert!(!rows.is_empty(), "{title}");
        println!("{:>5} rows: {title}", rows.len());
        match title.split_once(' ').map_or("", |(_, rest)| rest) {
            "× light microscopy, whatever the exact terms" => {
                let found = node.anybody().search("organism=Bacteria&method=FBbi:00000345&size=200").await;
                let hits = found["hits"].as_array().unwrap().iter().map(|hit| hit["iri"].as_str().unwrap().to_owned());
                assert_eq!(values(&rows, "dataset"), hits.collect());
            }
            rest if rest.starts_with("imaging methods, broader") => {
                for method in ["FBbi_00000246", "FBbi_00000345", "FBbi_00000256"] {
                    let found = node.anybody().search(&format!("method={}&size=0", method.replace('_', ":"))).await;
                    let iri = format!("http://purl.obolibrary.org/obo/{method}");
                    assert_eq!(row(&rows, "method", &iri)["datasets"]["value"], found["total"].to_string(), "{method}");
                }
            }
            "since 2020, with imaging methods" => {
                assert!(values(&rows, "date").iter().all(|date| date.as_str() >= "2020"));
                assert_eq!(values(&rows, "dataset").len(), rows.len(), "a dataset is one row");
            }
            _ => {}
        }
    }
    node.assert_quiet_log(&[]);
}
