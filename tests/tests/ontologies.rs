//! Ontologies loaded into a running node and a stopped one, terms as one types, and searches that follow the hierarchy exactly.

use std::collections::{BTreeMap, BTreeSet};

use e2e_tests::{Dataset, Node, Output, Words, run, shared_data};
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::Value;

const OBO: &str = "http://purl.obolibrary.org/obo/";

async fn load(node: &Node, file: &str, more: &[&str]) -> Output {
    let url = node.url();
    let fixed = ["ontology", "load", file, "--node", &url, "--token", &node.admin_token, "--json"];
    run(fixed.into_iter().chain(more.iter().copied())).await
}

async fn names(node: &Node) -> Vec<String> {
    let answer = node.anybody().get("/api/v1/ontologies").await.ok();
    let name = |ontology: &Value| ontology["name"].as_str().expect("a name").to_owned();
    answer["ontologies"].as_array().expect("a list").iter().map(name).collect()
}

/// A small taxonomy in which the mouse is moved out of the mammals.
const MOVED: &str = "ontology: ncbitaxon\n\n[Term]\nid: NCBITaxon:2\nname: Bacteria\n\n[Term]\nid: NCBITaxon:9606\nname: Homo sapiens\nis_a: NCBITaxon:40674\n\n\
    [Term]\nid: NCBITaxon:40674\nname: Mammalia\n\n[Term]\nid: NCBITaxon:10090\nname: Mus musculus\nsynonym: \"mouse of the house\" EXACT []\nis_a: NCBITaxon:2\n";

#[tokio::test]
async fn a_loaded_ontology_changes_what_searches_find_at_once_and_after_a_restart() {
    let mut node = Node::start("europe").await;
    assert_eq!(names(&node).await, ["fbbi", "ncbitaxon"]);
    let depositor = node.depositor();
    for (title, number, name) in [("Human cells", "9606", "Homo sapiens"), ("Mouse cells", "10090", "Mus musculus")] {
        let words = Words::titled(title).organism(number, name);
        depositor.deposit(&Dataset::new(&words, &[e2e_tests::Store::v05("image.ome.zarr", 7)])).await;
    }
    let mammals = |node: &Node| {
        let client = node.anybody();
        async move { client.search("organism=Mammalia").await["total"].as_u64() }
    };
    assert_eq!(mammals(&node).await, Some(2));
    let file = node.scratch().join("moved.obo");
    std::fs::write(&file, MOVED).expect("writing");
    let report = load(&node, &file.to_string_lossy(), &[]).await.ok().json();
    assert_eq!(
        (report["name"].as_str(), report["records_reexpanded"].as_u64()),
        (Some("ncbitaxon"), Some(2)),
        "{report}"
    );
    assert_eq!(mammals(&node).await, Some(1));
    let bacteria = node.anybody().search("organism=Bacteria").await;
    assert_eq!(bacteria["hits"][0]["title"], "Mouse cells");
    let found = node.anybody().get("/api/v1/terms?q=mouse+of+the+huose").await.ok();
    assert_eq!(found["terms"][0]["curie"], "NCBITaxon:10090", "{found}");
    assert_eq!((&found["terms"][0]["count"], &found["terms"][0]["matched"]), (&1.into(), &"mouse of the house".into()));
    node.restart().await;
    assert_eq!(mammals(&node).await, Some(1));
    let again = load(&node, &file.to_string_lossy(), &[]).await.ok().json();
    assert_eq!(again["changed"], 0, "{again}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn who_may_load_and_what_is_refused() {
    let node = Node::start("europe").await;
    let put = |client: e2e_tests::Client, name: &str, body: &'static str| {
        let request = client.request(Method::PUT, &format!("/api/v1/ontologies/{name}")).body(body);
        async move { client.send(request).await }
    };
    put(node.anybody(), "mine", MOVED).await.problem(401);
    put(node.depositor(), "mine", MOVED).await.problem(403);
    let problem = put(node.admin(), "mine", "[Term]\nid: X:1\nnonsense\n").await.problem(422);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("line 3")), "{problem}");
    put(node.admin(), "mine", "hello").await.problem(422);
    put(node.admin(), "%E2%98%83", MOVED).await.problem(422);
    assert_eq!(names(&node).await, ["fbbi", "ncbitaxon"]);
    let report = put(node.admin(), "mine", "[Term]\nid: X:1\nname: one\n").await.ok();
    assert_eq!((&report["added"], &report["format"]), (&1.into(), &"OBO".into()));
    assert_eq!(names(&node).await, ["fbbi", "mine", "ncbitaxon"]);
    let query = "SELECT ?l { GRAPH <https://heliograph.org/ontology/mine> { ?t <http://www.w3.org/2000/01/rdf-schema#label> ?l } }";
    let rows = node.anybody().get_with_query("/sparql", &[("query", query)]).await.ok();
    assert_eq!(rows["results"]["bindings"][0]["l"]["value"], "one");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_stopped_node_takes_ontologies_too() {
    let mut node = Node::start("europe").await;
    node.stop().await;
    let file = node.scratch().join("mine.ttl");
    std::fs::write(&file, "<http://x.org/A> a <http://www.w3.org/2002/07/owl#Class> ; <http://www.w3.org/2000/01/rdf-schema#label> \"thing\" .").expect("writing");
    let config = node.config_file();
    let (file, config) = (file.to_string_lossy().into_owned(), config.to_string_lossy().into_owned());
    let output = run(["ontology", "load", &file, "--name", "mine", "--config", &config, "--json"]).await.ok();
    assert_eq!(output.json()["terms"], 1);
    let output = run(["ontology", "list", "--config", &config, "--json"]).await.ok();
    assert_eq!(output.json()["ontologies"].as_array().map(Vec::len), Some(3));
    node.launch().await;
    assert_eq!(names(&node).await, ["fbbi", "mine", "ncbitaxon"]);
}

/// The records of the corpus: id, organisms and methods as recorded.
async fn records(node: &Node) -> Vec<(String, BTreeSet<String>, BTreeSet<String>)> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = node.anybody().search(&format!("size=200{cursor}")).await;
        for hit in answer["hits"].as_array().expect("hits") {
            let terms = |key: &str| hit[key].as_array().into_iter().flatten().map(|term| text(&term["iri"])).collect();
            found.push((text(&hit["id"]), terms("organisms"), terms("methods")));
        }
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What stands above each of some terms, itself included, as `rdfs:subClassOf*` finds it.
async fn above(node: &Node, terms: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let all: Vec<&String> = terms.iter().collect();
    for some in all.chunks(50) {
        let values: String = some.iter().map(|term| format!("<{term}> ")).collect();
        let query = format!(
            "SELECT ?t ?a {{ VALUES ?t {{ {values} }} ?t <http://www.w3.org/2000/01/rdf-schema#subClassOf>* ?a }}"
        );
        let answer = node.anybody().get_with_query("/sparql", &[("query", &query)]).await.ok();
        for row in answer["results"]["bindings"].as_array().expect("rows") {
            found.entry(text(&row["t"]["value"])).or_default().insert(text(&row["a"]["value"]));
        }
    }
    for term in terms {
        found.entry(term.clone()).or_default().insert(term.clone());
    }
    found
}

/// The records below each term: with it, or with one that it stands above.
fn below<'a>(
    records: impl Iterator<Item = (&'a String, &'a BTreeSet<String>)>,
    above: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (record, terms) in records {
        for broader in terms.iter().flat_map(|term| &above[term]) {
            found.entry(broader.clone()).or_default().insert(record.clone());
        }
    }
    found
}

/// The ids a search finds; at most the first 200, with the number of all.
async fn hits(node: &Node, pairs: &[(&str, &str)]) -> (u64, BTreeSet<String>) {
    let answer = node.anybody().get_with_query("/api/v1/search", pairs).await.ok();
    let ids = answer["hits"].as_array().into_iter().flatten().map(|hit| text(&hit["id"])).collect();
    (answer["total"].as_u64().unwrap_or(u64::MAX), ids)
}

fn agree(found: &(u64, BTreeSet<String>), expected: &BTreeSet<String>, what: &str) {
    assert_eq!(found.0, expected.len() as u64, "{what}");
    assert!(found.1.is_subset(expected), "{what}: {:?}", found.1.difference(expected).collect::<Vec<_>>());
    assert!(found.1.len() == expected.len() || found.1.len() == 200 || found.1.is_empty(), "{what}");
}

/// A taxon with every method.
struct Pairs<'a> {
    node: &'a Node,
    methods: &'a BTreeMap<String, BTreeSet<String>>,
}

impl Pairs<'_> {
    /// Checks all of them; gives how many have records. Those without are asked for together: none of them may find any.
    async fn check(&self, taxon: &str, of_taxon: &BTreeSet<String>) -> usize {
        let mut empty = Vec::new();
        let mut found = 0;
        for (method, of_method) in self.methods {
            let expected: BTreeSet<String> = of_taxon.intersection(of_method).cloned().collect();
            if expected.is_empty() {
                empty.push(("method", method.as_str()));
            } else {
                let pairs = [("organism", taxon), ("method", method), ("size", "200")];
                agree(&hits(self.node, &pairs).await, &expected, &format!("{taxon} and {method}"));
                found += 1;
            }
        }
        for some in empty.chunks(50) {
            let pairs = [&[("organism", taxon), ("size", "1")], some].concat();
            agree(&hits(self.node, &pairs).await, &BTreeSet::new(), &format!("{taxon} and none of {some:?}"));
        }
        found
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_every_pair_of_taxon_and_method_searches_find_what_sparql_finds() {
    let Some(corpus) = shared_data("gide-crates") else { return };
    let node = Node::start("europe").await;
    for part in ["europe", "japan"] {
        let folder = corpus.join(part).to_string_lossy().into_owned();
        run(["import", &folder, "--as", part, "--node", &node.url(), "--token", &node.admin_token]).await.ok();
    }
    node.caught_up().await;
    let records = records(&node).await;
    assert!(records.len() > 1000, "{} records", records.len());
    let used = |pick: fn(&(String, BTreeSet<String>, BTreeSet<String>)) -> &BTreeSet<String>| -> BTreeSet<String> {
        records.iter().flat_map(|record| pick(record).clone()).collect()
    };
    let (above_taxa, above_methods) =
        (above(&node, &used(|record| &record.1)).await, above(&node, &used(|record| &record.2)).await);
    let taxa = below(records.iter().map(|(id, taxa, _)| (id, taxa)), &above_taxa);
    let methods = below(records.iter().map(|(id, _, methods)| (id, methods)), &above_methods);
    let (bacteria, light) = (format!("{OBO}NCBITaxon_2"), format!("{OBO}FBbi_00000345"));
    assert!(taxa[&bacteria].intersection(&methods[&light]).count() >= 35, "the smoke test is a test");

    for (name, terms) in [("organism", &taxa), ("method", &methods)] {
        for (term, expected) in terms {
            agree(&hits(&node, &[(name, term), ("size", "200")]).await, expected, term);
        }
    }
    let pairs = Pairs { node: &node, methods: &methods };
    let counts = stream::iter(&taxa).map(|(taxon, records)| pairs.check(taxon, records)).buffer_unordered(4);
    let found: usize = counts.collect::<Vec<_>>().await.into_iter().sum();
    eprintln!("{} taxa and {} methods, {found} pairs with records", taxa.len(), methods.len());
    node.assert_quiet_log(&[]);
}
