//! The SPARQL 1.1 Protocol's query operation as the W3C's own cases ask for it, within limits, and federated queries.

use std::path::Path;

use e2e_tests::{Answer, Dataset, Federation, Node, Setup, eventually, python};
use reqwest::Method;
use serde_json::Value;

const NAME: &str = "http://schema.org/name";
const QUERY: &str = "application/sparql-query";
const FORM: &str = "application/x-www-form-urlencoded";

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn send(node: &Node, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let request = node.anybody().request(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    node.anybody().send(request.body(body.into())).await
}

async fn direct(node: &Node, parameters: &str, query: &str) -> Answer {
    send(node, Method::POST, &format!("/sparql{parameters}"), &[("content-type", QUERY)], query).await
}

fn truth(answer: Answer) -> bool {
    answer.expect(200).json()["boolean"].as_bool().expect("yes or no")
}

/// A node with datasets of these titles, and the names of their graphs.
async fn shelf(titles: &[&str]) -> (Node, Vec<String>) {
    let node = Node::start("europe").await;
    let mut graphs = Vec::new();
    for title in titles {
        graphs.push(node.depositor().deposit(&Dataset::small(title)).await.iri);
    }
    node.caught_up().await;
    for (graph, title) in graphs.iter().zip(titles) {
        let query = format!("ASK {{ GRAPH <{graph}> {{ ?s <{NAME}> '{title}' }} }}");
        eventually("RDF holds it", || async {
            if truth(direct(&node, "", &query).await) { Ok(()) } else { Err(title.to_string()) }
        })
        .await;
    }
    (node, graphs)
}

#[tokio::test]
async fn the_dataset_of_a_query_is_what_the_protocol_says() {
    let (node, graphs) = shelf(&["One", "Two", "Three"]).await;
    let graph = |name: &str, at: usize| format!("{name}={}", escape(&graphs[at]));
    let both = format!("ASK {{ ?a <{NAME}> 'One' . ?b <{NAME}> 'Two' }}");
    let defaults = format!("?{}&{}", graph("default-graph-uri", 0), graph("default-graph-uri", 1));
    let get = format!("/sparql{defaults}&query={}", escape(&both));
    assert!(truth(node.anybody().get(&get).await), "several default graphs, GET");
    assert!(truth(direct(&node, &defaults, &both).await), "several default graphs, POST");
    let one = format!("?{}", graph("default-graph-uri", 0));
    assert!(!truth(direct(&node, &one, &both).await), "other graphs are out of sight");
    let form = format!("query={}", escape(&both));
    let answer = send(&node, Method::POST, &format!("/sparql{defaults}"), &[("content-type", FORM)], form).await;
    assert!(truth(answer), "graphs in the URL of a form");
    let form = format!("query={}&{}&{}", escape(&both), graph("default-graph-uri", 0), graph("default-graph-uri", 1));
    assert!(truth(send(&node, Method::POST, "/sparql", &[("content-type", FORM)], form).await), "graphs in the form");

    let named = format!("ASK {{ GRAPH ?g {{ ?a <{NAME}> 'One' }} GRAPH ?h {{ ?b <{NAME}> 'Two' }} }}");
    let names = format!("?{}&{}", graph("named-graph-uri", 0), graph("named-graph-uri", 1));
    assert!(truth(direct(&node, &names, &named).await), "named graphs");
    assert!(!truth(direct(&node, &format!("?{}", graph("named-graph-uri", 0)), &named).await));
    assert!(!truth(direct(&node, &names, &both).await), "the default graph is empty then");
    let full = format!("ASK {{ ?c <{NAME}> 'Three' GRAPH ?g {{ ?a <{NAME}> 'One' }} }}");
    let parameters = format!("{names}&{}", graph("default-graph-uri", 2));
    assert!(truth(direct(&node, &parameters, &full).await), "both");
    let from = format!("ASK FROM <{}> {{ ?c <{NAME}> 'Three' }}", graphs[2]);
    assert!(truth(direct(&node, "", &from).await), "FROM");
    assert!(!truth(direct(&node, &names, &from).await), "the protocol's dataset replaces the query's");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_is_no_query_is_refused_for_what_it_is() {
    let (node, _) = shelf(&["One"]).await;
    let ask = escape("ASK {}");
    assert!(truth(node.anybody().get(&format!("/sparql?query={ask}")).await));
    send(&node, Method::PUT, &format!("/sparql?query={ask}"), &[], "").await.problem(405);
    let two = format!("/sparql?query={ask}&query={}", escape("SELECT * {}"));
    node.anybody().get(&two).await.problem(400);
    send(&node, Method::POST, &format!("/sparql?query={ask}"), &[("content-type", QUERY)], "ASK {}").await.problem(400);
    for media_type in ["text/plain", "application/json", "application/sparql-results+json"] {
        send(&node, Method::POST, "/sparql", &[("content-type", media_type)], "ASK {}").await.problem(415);
    }
    send(&node, Method::POST, "/sparql", &[], "ASK {}").await.problem(415);
    send(&node, Method::POST, "/sparql", &[("content-type", FORM)], "").await.problem(400);
    send(&node, Method::POST, "/sparql", &[("content-type", QUERY)], "").await.problem(400);
    let latin: &[u8] = b"SELECT (\"\xe9\" AS ?e) {}";
    send(&node, Method::POST, "/sparql", &[("content-type", QUERY)], latin).await.problem(400);
    node.anybody().get("/sparql?query=ASK%20%7B%3Fs%20%3Fp%20%22%E9%22%7D").await.problem(400);
    let problem = direct(&node, "", "ASK { ?s ?p }").await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("1:"), "where it is: {problem}");
    direct(&node, "?default-graph-uri=not%20an%20iri", "ASK {}").await.problem(400);

    for update in ["INSERT DATA { <urn:a> <urn:b> <urn:c> }", "CLEAR ALL", "LOAD <http://127.0.0.1:1/x>"] {
        direct(&node, "", update).await.problem(403);
        node.anybody().get(&format!("/sparql?update={}", escape(update))).await.problem(403);
        let form = format!("update={}", escape(update));
        send(&node, Method::POST, "/sparql", &[("content-type", FORM)], form).await.problem(403);
        let typed = [("content-type", "application/sparql-update")];
        send(&node, Method::POST, "/sparql", &typed, update).await.problem(403);
    }
    let accept = |media_type| [("content-type", QUERY), ("accept", media_type)];
    for (query, media_type) in
        [("SELECT * {}", "text/turtle"), ("CONSTRUCT {} {}", "text/csv"), ("ASK {}", "image/png")]
    {
        send(&node, Method::POST, "/sparql", &accept(media_type), query).await.problem(406);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_endpoint_describes_itself_and_answers_browsers_and_other_sites() {
    let (node, _) = shelf(&["One"]).await;
    let description = node.anybody().get("/sparql").await.expect(200);
    assert!(description.header("content-type").starts_with("text/turtle"));
    assert!(description.text().contains(&format!("{}/sparql", node.url())), "{description:?}");
    for media_type in ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"] {
        let answer = node.anybody().get_with("/sparql", &[("accept", media_type)]).await.expect(200);
        assert!(answer.header("content-type").starts_with(media_type));
        assert!(answer.text().contains("sparql-service-description#"), "{answer:?}");
    }
    node.anybody().get_with("/sparql", &[("accept", "image/png")]).await.problem(406);
    let browser = node.anybody().get_with("/sparql", &[("accept", "text/html,*/*;q=0.8")]).await.expect(303);
    let page = node.anybody().get(browser.header("location")).await.expect(200).text();
    assert!(page.contains("All imaging methods"), "{page}");

    let ask = format!("/sparql?query={}", escape("ASK {}"));
    let head = send(&node, Method::HEAD, &ask, &[], "").await.expect(200);
    assert!(head.header("content-type").starts_with("application/sparql-results+json") && head.text().is_empty());
    let preflight = [
        ("origin", "https://viewer.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let options = send(&node, Method::OPTIONS, "/sparql", &preflight, "").await.expect(200);
    assert_eq!(options.header("access-control-allow-origin"), "*");
    let answer = node.anybody().get_with(&ask, &[("origin", "https://viewer.example")]).await.expect(200);
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary").contains("ccept")), ("*", true));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_query_has_its_time_and_memory_and_the_node_lives_on() {
    let limits = "[limits]\nsparql_seconds = 3\nsparql_rows = 100\nsparql_memory_bytes = 200_000_000\n";
    let node = Node::start_with(Setup::new("europe").await.extra(limits)).await;
    let detail = |problem: Value| problem["detail"].as_str().unwrap().to_owned();
    let numbers: String = (0..300).map(|number| format!("{number} ")).collect();
    let product = |count: usize| -> String { (0..count).map(|at| format!("VALUES ?v{at} {{ {numbers} }} ")).collect() };

    let sorted = format!("SELECT * {{ {} }} ORDER BY ?v0", product(5));
    assert!(detail(direct(&node, "", &sorted).await.problem(422)).contains("memory"));
    let counted = format!("SELECT (COUNT(*) AS ?n) {{ {} }}", product(6));
    assert!(detail(direct(&node, "", &counted).await.problem(422)).contains("3 s"));
    let doubled: String = (0..40).map(|at| format!("BIND(CONCAT(?c{at}, ?c{at}) AS ?c{}) ", at + 1)).collect();
    let bomb = format!("SELECT (STRLEN(?c40) AS ?n) {{ BIND('0123456789' AS ?c0) {doubled} }}");
    assert!(detail(direct(&node, "", &bomb).await.problem(422)).contains("memory"));
    let rows = format!("SELECT * {{ {} }}", product(1));
    assert!(detail(direct(&node, "", &rows).await.problem(422)).contains("100 rows"));
    let deep = format!("ASK {}{}", "{".repeat(500), "}".repeat(500));
    direct(&node, "", &deep).await.problem(422);
    send(&node, Method::POST, "/sparql", &[("content-type", QUERY)], format!("ASK {{}} #{}", "x".repeat(1 << 20)))
        .await
        .problem(413);

    assert!(truth(direct(&node, "", "ASK {}").await));
    let published = node.depositor().deposit(&Dataset::small("Afterwards")).await;
    let query = format!("ASK {{ GRAPH <{}> {{ ?s <{NAME}> 'Afterwards' }} }}", published.iri);
    eventually("a deposit is seen by the next query", || async {
        if truth(direct(&node, "", &query).await) { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_federated_query_asks_followed_nodes_and_nobody_else() {
    let mut federation = Federation::start(&["europe", "japan"]).await;
    federation.node("japan").depositor().deposit(&Dataset::small("Far away")).await;
    let (europe, japan) = (federation.node("europe"), federation.node("japan"));
    let there = format!("{}/sparql", japan.url());
    let query = format!(
        "SELECT ?name {{ SERVICE <{there}> {{ GRAPH ?g {{ ?s <{NAME}> ?name FILTER(?name = 'Far away') }} }} }}"
    );
    let found = eventually("the other node answers", || async {
        let rows = direct(europe, "", &query).await.expect(200).json()["results"]["bindings"].clone();
        if rows[0]["name"]["value"] == "Far away" { Ok(()) } else { Err(rows.to_string()) }
    });
    found.await;
    for stranger in
        ["http://127.0.0.1:1/sparql", "https://query.wikidata.org/sparql", &format!("{}/query", japan.url())]
    {
        let problem =
            direct(europe, "", &format!("SELECT * {{ SERVICE <{stranger}> {{ ?s ?p ?o }} }}")).await.problem(422);
        let detail = problem["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(stranger) && detail.contains(&there), "{detail}");
    }
    let silent = "SELECT * { SERVICE SILENT <http://127.0.0.1:1/sparql> { ?s ?p ?o } }";
    direct(europe, "", silent).await.expect(200);
    federation.node_mut("japan").stop().await;
    let problem = direct(federation.node("europe"), "", &query).await.problem(422);
    assert!(problem["detail"].as_str().unwrap().contains(&there), "{problem}");
}

#[tokio::test]
async fn sparqlwrapper_and_rdflib_ask_the_endpoint() {
    let (node, graphs) = shelf(&["Cells for Python"]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/sparql_ask.py");
    let endpoint = format!("{}/sparql", node.url());
    let arguments = [script.as_os_str(), endpoint.as_ref(), "Cells for Python".as_ref()];
    let output = tokio::process::Command::new(python()).args(arguments).output().await.expect("running Python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let report: Value = serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a report");
    for way in ["get", "form", "direct", "rdflib"] {
        assert_eq!(report[way].as_array().map(Vec::len), Some(1), "{way}: {report}");
    }
    for way in ["xml", "csv", "tsv", "rdfxml"] {
        assert_eq!(report[way], 1, "{way}: {report}");
    }
    assert_eq!((&report["turtle"], &report["no_graph"]), (&Value::Bool(true), &Value::from(0)), "{report}");
    assert_eq!(report["graphs"], serde_json::json!(graphs));
    assert!(report["triples"].as_u64().is_some_and(|triples| triples > 10), "{report}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_the_store_keeps_for_itself_is_in_no_graph() {
    let (node, _) = shelf(&["One"]).await;
    for query in [
        "SELECT * { ?s ?p ?o FILTER(CONTAINS(STR(?s), 'urn:heliograph') || CONTAINS(STR(?p), 'urn:heliograph')) }",
        "SELECT ?g { GRAPH ?g { ?s ?p ?o } FILTER(CONTAINS(STR(?g), 'urn:heliograph')) }",
    ] {
        let rows = direct(&node, "", query).await.expect(200).json()["results"]["bindings"].clone();
        assert_eq!(rows.as_array().map(Vec::len), Some(0), "{query}: {rows}");
    }
    node.assert_quiet_log(&[]);
}
