//! Search and RDF are projections: deleted, they give the same answers again.

use std::fs;

use e2e_tests::{Dataset, Node, Words, run};
use serde_json::{Value, json};

const QUERIES: [&str; 5] = [
    "size=50&sort=title",
    "q=cells&size=50",
    "organism=Eukaryota&size=50&sort=title",
    "method=fluorescence+microscopy&size=50&sort=title",
    "year_from=2000&size=1",
];
const SPARQL: &str = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g";

/// Three datasets, one of them in two versions, one withdrawn, and an imported record.
async fn filled() -> Node {
    let node = Node::start("europe").await;
    let depositor = node.depositor();
    let human = Dataset::small("Human cells in a dish");
    let first = depositor.deposit(&human).await;
    depositor.new_version(&first.id, &Words::titled("Human cells, better described").crate_json(), &[]).await;
    let withdrawn = depositor.deposit(&Dataset::small("Cells nobody should see")).await;
    depositor.withdraw(&withdrawn.id, "test-record").await;
    depositor.deposit(&Dataset::small("More cells")).await;
    node
}

async fn answers(node: &Node) -> Value {
    let anybody = node.anybody();
    let mut answers = Vec::new();
    for query in QUERIES {
        answers.push(anybody.search(query).await);
    }
    let table = anybody.get_with_query("/sparql", &[("query", SPARQL)]).await.expect(200);
    answers.push(json!(table.text()));
    json!(answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_answers_as_before() {
    let mut node = filled().await;
    let before = answers(&node).await;
    assert_eq!(before[0]["total"], 2, "{before}");
    node.stop().await;
    for folder in ["rdf", "search"] {
        fs::remove_dir_all(node.data_dir().join(folder)).expect("the projection is there");
    }
    let config = node.config_file();
    let report =
        run(["rebuild".as_ref(), "--config".as_ref(), config.as_os_str(), "--json".as_ref()]).await.ok().json();
    assert_eq!(report["records"], 2, "{report}");
    node.launch().await;
    assert_eq!(answers(&node).await, before);
    node.assert_quiet_log(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_projections_are_gone_heals_by_itself() {
    let mut node = filled().await;
    let before = answers(&node).await;
    node.stop().await;
    for folder in ["rdf", "search"] {
        fs::remove_dir_all(node.data_dir().join(folder)).expect("the projection is there");
    }
    node.launch().await;
    e2e_tests::eventually("the projections are made again", || async {
        let now = answers(&node).await;
        if now == before { Ok(()) } else { Err(now.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_is_not_rebuilt() {
    let node = filled().await;
    let config = node.config_file();
    let output = run(["rebuild".as_ref(), "--config".as_ref(), config.as_os_str()]).await;
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stderr.contains("stop the running node"), "{output:?}");
    assert_eq!(node.anybody().search("size=0").await["total"], 2);
}
