//! Everything a node tells anybody, looked through for e-mail addresses.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Value, json};

use crate::Node;

/// Looks at all that a node says of all its records, on every route, and at its log file; gives what should not be there, with
/// where it was. `words` are not said either, in whatever case.
///
/// # Panics
/// When a route that should answer does not.
pub async fn told_by(node: &Node, words: &[&str]) -> Vec<String> {
    let mut leaks = Leaks::new(words);
    let ids = search(node, &mut leaks).await;
    let mut digests = Vec::new();
    for id in &ids {
        digests.extend(record(node, id, &mut leaks).await);
    }
    for id in ids.iter().step_by(1 + ids.len() / 50) {
        exports(node, id, &mut leaks).await;
    }
    crates(node, &digests, &mut leaks).await;
    for path in [
        "/",
        "/search?q=",
        "/sitemap.xml",
        "/federation",
        "/federation/v1/node",
        "/log/checkpoint",
        "/metrics",
        "/api/gide/search",
        "/oai?verb=ListRecords&metadataPrefix=oai_dc",
        "/oai?verb=ListRecords&metadataPrefix=oai_datacite",
    ] {
        leaks.look(path, &node.anybody().get(path).await.text());
    }
    let size: usize = node
        .anybody()
        .get("/log/checkpoint")
        .await
        .text()
        .lines()
        .nth(1)
        .and_then(|line| line.parse().ok())
        .expect("a size");
    for path in bundles(size) {
        leaks.look(&path, &String::from_utf8_lossy(&node.anybody().get(&path).await.expect(200).body));
    }
    for query in [
        "SELECT DISTINCT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } FILTER(CONTAINS(STR(?o), '@') || CONTAINS(STR(?s), '@')) }",
        "SELECT DISTINCT ?o { ?s <http://schema.org/email> ?o }",
        "SELECT DISTINCT ?o { ?s ?p ?o FILTER(CONTAINS(LCASE(STR(?o)), 'mailto')) }",
    ] {
        let answer = node.anybody().get_with_query("/sparql", &[("query", query)]).await.expect(200);
        leaks.look(query, &answer.text());
    }
    leaks.look("the log file", &node.log());
    leaks.found
}

struct Leaks {
    address: Regex,
    words: Vec<String>,
    found: Vec<String>,
}

impl Leaks {
    fn new(words: &[&str]) -> Self {
        let address = Regex::new(r"[\w.+%-]+(@|%40|&#64;|\\u0040)[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}").expect("a pattern");
        Self { address, words: words.iter().map(|word| word.to_lowercase()).collect(), found: Vec::new() }
    }

    fn look(&mut self, place: &str, text: &str) {
        let lower = text.to_lowercase();
        let words = self.words.iter().filter(|word| lower.contains(*word)).cloned();
        let addresses = self.address.find_iter(text).map(|found| found.as_str().to_owned());
        let told: BTreeSet<String> = addresses.chain(words).collect();
        self.found.extend(told.into_iter().map(|what| format!("{place}: {what}")));
    }
}

/// The search's answers; gives the ids of all records.
async fn search(node: &Node, leaks: &mut Leaks) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/search?q=&size=200{cursor}");
        let answer = node.anybody().get(&path).await.ok();
        leaks.look(&path, &answer.to_string());
        let hits = answer["hits"].as_array().expect("hits");
        ids.extend(hits.iter().filter_map(|hit| hit["id"].as_str()).map(str::to_owned));
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// All forms of one record; gives the digests of its crates.
async fn record(node: &Node, id: &str, leaks: &mut Leaks) -> Vec<String> {
    let client = node.anybody();
    let record = client.get(&format!("/api/v1/datasets/{id}")).await.ok();
    leaks.look(&format!("the record of {id}"), &record.to_string());
    for path in [format!("/api/v1/datasets/{id}/versions/v1"), format!("/api/v1/datasets/{id}/versions/v1/crate")] {
        leaks.look(&path, &client.get(&path).await.text());
    }
    for form in ["text/html", "application/ld+json", "text/turtle", "application/n-triples"] {
        let page = client.get_with(&format!("/datasets/{id}"), &[("accept", form)]).await;
        leaks.look(&format!("/datasets/{id} as {form}"), &page.text());
        leaks.look(&format!("links of /datasets/{id} as {form}"), page.header("link"));
    }
    let study = client.get(&format!("/api/gide/study/{id}")).await;
    leaks.look(&format!("/api/gide/study/{id}"), &study.text());
    let versions = record["versions"].as_array().into_iter().flatten();
    versions.filter_map(|version| version["crate"].as_str()).map(str::to_owned).collect()
}

/// A record in all forms it is exported in; those that there are not are not asked for in vain often.
async fn exports(node: &Node, id: &str, leaks: &mut Leaks) {
    for format in [
        "ro-crate",
        "schema-org",
        "croissant",
        "datacite-json",
        "datacite-xml",
        "dcat",
        "dcat-jsonld",
        "oai-dc",
        "jpcoar",
        "bibtex",
        "csl-json",
        "citation",
        "linkset-json",
        "linkset",
    ] {
        let path = format!("/api/v1/datasets/{id}/export/{format}");
        leaks.look(&path, &node.anybody().get(&path).await.text());
    }
}

/// The crates as peers get them.
async fn crates(node: &Node, digests: &[String], leaks: &mut Leaks) {
    for some in digests.chunks(500) {
        let answer =
            node.anybody().post("/federation/v1/crates", &json!({"digests": Value::from(some.to_vec())})).await;
        let text = zstd::decode_all(answer.expect(200).body.as_ref()).expect("a stream");
        leaks.look("/federation/v1/crates", &String::from_utf8_lossy(&text));
    }
}

/// The addresses of all bundles of entries of a log (C2SP tlog-tiles).
fn bundles(size: usize) -> Vec<String> {
    let width = |at: usize| (size - at * 256).min(256);
    let path = |at: usize| format!("/log/tile/entries/{at:03}");
    let of = |at: usize| if width(at) == 256 { path(at) } else { format!("{}.p/{}", path(at), width(at)) };
    (0..size.div_ceil(256)).map(of).collect()
}
