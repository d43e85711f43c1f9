//! The store: graphs replaced and removed as a whole, queries within limits, nothing of its own shown.

mod support;

use std::{collections::BTreeMap, time::Duration};

use dataset_model::NodeId;
use metadata_store::{
    ExtraValue, GraphChange, MetadataError, MetadataStore, Provenance, QueryOptions, ReadOnlyStore, ResultFormat,
    has_merged_files_of,
};
use support::{BASE, complete, ontology, read_value};

fn change(graph: &str, title: Option<&str>) -> GraphChange {
    let content = title.map(|title| {
        let mut document = complete();
        document["@graph"][1]["name"] = title.into();
        read_value(&document).graph
    });
    let extra = vec![
        ("https://heliograph.org/ns#node".to_owned(), ExtraValue::Text("europe".into())),
        ("https://heliograph.org/ns#images".to_owned(), ExtraValue::Integer(2)),
        ("https://heliograph.org/ns#published".to_owned(), ExtraValue::DateTime("2026-01-01T00:00:00Z".into())),
    ];
    GraphChange { graph: graph.into(), content, extra, root: BASE.into(), provenance: None }
}

fn applied(entries: u64) -> BTreeMap<NodeId, u64> {
    BTreeMap::from([("europe".parse().unwrap(), entries)])
}

fn store() -> MetadataStore {
    let store = MetadataStore::in_memory(ontology()).unwrap();
    store
        .apply(
            vec![change("https://n.example/1", Some("One")), change("https://n.example/2", Some("Two"))],
            &applied(2),
        )
        .unwrap();
    store
}

fn titles(store: &MetadataStore) -> Vec<String> {
    let query =
        "SELECT DISTINCT ?name { ?d a <http://schema.org/Dataset>; <http://schema.org/name> ?name } ORDER BY ?name";
    store.query(query, &QueryOptions::default()).unwrap().column("name")
}

#[test]
fn graphs_are_replaced_and_removed_whole() {
    let store = store();
    assert_eq!(titles(&store), ["One", "Two"]);
    store
        .apply(vec![change("https://n.example/1", Some("Three")), change("https://n.example/2", None)], &applied(4))
        .unwrap();
    assert_eq!(titles(&store), ["Three"]);
    assert!(store.triples("https://n.example/2", ResultFormat::NTriples).unwrap().is_empty());
    assert_eq!(store.applied().unwrap(), applied(4));
}

#[test]
fn a_change_that_cannot_be_made_changes_nothing() {
    let store = store();
    let bad = GraphChange { graph: "no iri".into(), ..change("x:", Some("Bad")) };
    let result = store.apply(vec![change("https://n.example/1", Some("Four")), bad], &applied(9));
    assert!(matches!(result, Err(MetadataError::Iri(_))));
    assert_eq!(titles(&store), ["One", "Two"]);
    assert_eq!(store.applied().unwrap(), applied(2));
}

#[test]
fn a_snapshot_needs_none_of_the_files_of_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let (held, copied) = (folder.path().join("rdf"), folder.path().join("snapshot"));
    let store = MetadataStore::open(&held, ontology()).unwrap();
    store.apply(vec![change("https://n.example/1", Some("One"))], &applied(1)).unwrap();
    store.snapshot(&copied).unwrap();
    let snapshot = ReadOnlyStore::open(&copied).unwrap();
    store.apply(vec![change("https://n.example/1", Some("Two"))], &applied(2)).unwrap();
    assert_eq!(titles(&store), ["Two"]);
    // Compaction deletes files one by one; here they go at once.
    drop(store);
    std::fs::remove_dir_all(&held).unwrap();
    let query = "SELECT ?name { ?d a <http://schema.org/Dataset>; <http://schema.org/name> ?name }";
    assert_eq!(snapshot.query(query, &QueryOptions::default()).unwrap().column("name"), ["One"]);
}

#[test]
fn a_snapshot_that_reads_files_the_store_has_merged_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (held, copied, newer) = (folder.path().join("rdf"), folder.path().join("old"), folder.path().join("new"));
    let store = MetadataStore::open(&held, ontology()).unwrap();
    store.apply(vec![change("https://n.example/1", Some("One"))], &applied(1)).unwrap();
    store.snapshot(&copied).unwrap();
    assert!(!has_merged_files_of(&held, &copied));
    // Each commit of new graphs adds files; the engine merges four of a kind.
    let graph = |at: usize| change(&format!("https://n.example/{at}"), Some("Many"));
    for round in 1..9 {
        store.apply((round * 200..round * 200 + 200).map(graph).collect(), &applied(1)).unwrap();
    }
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !has_merged_files_of(&held, &copied) {
        assert!(std::time::Instant::now() < until, "nothing was merged");
        std::thread::yield_now();
    }
    store.snapshot(&newer).unwrap();
    let newer = ReadOnlyStore::open(&newer).unwrap();
    let query = "SELECT (COUNT(*) AS ?count) { ?dataset a <http://schema.org/Dataset> }";
    let answer = newer.query(query, &QueryOptions::default()).unwrap();
    assert_eq!(answer.column("count"), ["1601"]);
}

/// All that a store holds in some graphs, each sorted.
fn held(store: &MetadataStore, graphs: usize) -> Vec<String> {
    let names = (0..graphs).map(|at| format!("https://n.example/{at}"));
    let graph = |name: String| {
        let text = String::from_utf8(store.triples(&name, ResultFormat::NTriples).unwrap()).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    names.chain(["https://n.example/graphs/provenance".to_owned()]).map(graph).collect()
}

#[test]
fn many_new_graphs_at_once_are_the_same_as_a_few_at_a_time() {
    let told = |at: usize, title: Option<String>| {
        let page = format!("https://n.example/{at}");
        let said = title.iter().map(|title| ("https://n.example/said".to_owned(), ExtraValue::Text(title.clone())));
        let provenance = Provenance {
            graph: "https://n.example/graphs/provenance".into(),
            subjects: vec![(format!("{page}#record"), said.collect())],
        };
        GraphChange { provenance: Some(provenance), ..change(&page, title.as_deref()) }
    };
    // Two hundred new ones, then as many of which every third is gone, every fifth another, and a hundred and fifty are new.
    let first = |at| told(at, Some(format!("Title {at}")));
    let second = |at: usize| match at {
        at if at.is_multiple_of(3) => told(at, None),
        at if at.is_multiple_of(5) => told(at, Some(format!("Another {at}"))),
        at => told(at, Some(format!("Title {at}"))),
    };
    let (at_once, in_turn) =
        (MetadataStore::in_memory(ontology()).unwrap(), MetadataStore::in_memory(ontology()).unwrap());
    at_once.apply((0..200).map(first).collect(), &applied(200)).unwrap();
    // Few enough to be a transaction each.
    let few = |from: usize| from..from + 50;
    (0..200).step_by(50).for_each(|from| in_turn.apply(few(from).map(first).collect(), &applied(200)).unwrap());
    assert_eq!(held(&at_once, 999), held(&in_turn, 999));
    at_once.apply((0..350).map(second).collect(), &applied(550)).unwrap();
    (0..350).step_by(50).for_each(|from| in_turn.apply(few(from).map(second).collect(), &applied(550)).unwrap());
    assert_eq!(held(&at_once, 999), held(&in_turn, 999));
    assert!(held(&at_once, 350).iter().filter(|graph| !graph.is_empty()).count() > 200);

    let bad = GraphChange { extra: vec![("no iri".into(), ExtraValue::Integer(1))], ..told(999, Some("Bad".into())) };
    let with_bad = (400..600).map(first).chain([bad]).collect();
    assert!(matches!(at_once.apply(with_bad, &applied(900)), Err(MetadataError::Iri(_))));
    assert_eq!(held(&at_once, 999), held(&in_turn, 999), "nothing has changed");
}

#[test]
fn a_backlog_committed_at_once_is_the_same_as_one_committed_in_steps_and_nothing_without_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| MetadataStore::open(&folder.path().join(name), ontology()).unwrap();
    let graph = |at: usize| format!("https://n.example/{at}");
    let new = |from: usize| (from..from + 150).map(|at| change(&graph(at), Some(&format!("Title {at}"))));
    // New graphs; more of them, some of those before changed, one gone; few new ones.
    let steps = || {
        let changed = |at: usize| change(&graph(at), Some(&format!("Another {at}")));
        let second = new(150).chain((0..20).map(changed)).chain([change(&graph(50), None)]).collect();
        [new(0).collect::<Vec<_>>(), second, (400..410).map(changed).collect()]
    };
    let (at_once, in_steps) = (open("at-once"), open("in-steps"));
    let mut batch = at_once.begin();
    for changes in steps() {
        batch.add(changes).unwrap();
        assert!(batch.takes_more());
        assert_eq!(at_once.applied().unwrap(), BTreeMap::new(), "nothing is claimed before the commit");
    }
    batch.commit(&applied(3)).unwrap();
    for (changes, entries) in steps().into_iter().zip(1..) {
        in_steps.apply(changes, &applied(entries)).unwrap();
    }
    assert_eq!(held(&at_once, 420), held(&in_steps, 420));
    assert_eq!(at_once.applied().unwrap(), applied(3));

    let given_up = open("given-up");
    let mut batch = given_up.begin();
    batch.add(new(0).collect()).unwrap();
    drop(batch);
    assert!(held(&given_up, 150).iter().all(String::is_empty));
    given_up.apply(new(0).collect(), &applied(1)).unwrap();
    assert_eq!(held(&given_up, 150).iter().filter(|graph| !graph.is_empty()).count(), 150);
    let few: Vec<_> = new(0).take(3).collect();
    let mut batch = given_up.begin();
    batch.add(few).unwrap();
    assert!(!batch.takes_more(), "what is not loaded as files is committed at once");
}

#[test]
fn files_of_a_load_that_was_cut_off_are_gone_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = MetadataStore::open(folder.path(), ontology()).unwrap();
    // A process that dies drops nothing: what its loader would have deleted stays.
    std::fs::copy(folder.path().join("CURRENT"), folder.path().join("bulk-7.sst")).unwrap();
    drop(store);
    let again = MetadataStore::open(folder.path(), ontology()).unwrap();
    assert!(!folder.path().join("bulk-7.sst").exists());
    again.apply(vec![change("https://n.example/1", Some("One"))], &applied(1)).unwrap();
    assert_eq!(titles(&again), ["One"]);
}

#[test]
fn the_stores_own_notes_are_in_no_graph_and_in_no_union() {
    let store = store();
    for query in [
        "SELECT ?s { GRAPH ?g { ?s ?p ?o } FILTER(STRSTARTS(STR(?p), 'urn:heliograph')) }",
        "SELECT ?s FROM <urn:heliograph:state> { ?s ?p ?o }",
        "SELECT ?s FROM NAMED <urn:heliograph:state> { GRAPH ?g { ?s ?p ?o } }",
        "SELECT ?s FROM NAMED <https://n.example/1> { ?s ?p ?o }",
        "SELECT ?g { GRAPH ?g {} FILTER(STRSTARTS(STR(?g), 'urn:')) }",
        "SELECT ?s { ?s ?p ?o FILTER(CONTAINS(STR(?p), 'urn:heliograph') || CONTAINS(STR(?s), 'urn:heliograph')) }",
        "SELECT ?s { ?s <urn:heliograph:state:applied> ?o }",
        "SELECT ?s { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }",
    ] {
        assert!(store.query(query, &QueryOptions::default()).unwrap().is_empty(), "{query}");
    }
    let nothing = QueryOptions { union_default_graph: false, ..QueryOptions::default() };
    assert!(store.query("SELECT * { ?s ?p ?o }", &nothing).unwrap().is_empty());
}

#[test]
fn a_graph_that_all_share_holds_what_is_said_of_each_and_forgets_it_with_it() {
    let store = store();
    let shared = "https://n.example/graphs/provenance";
    let told = |page: &str, what: &[&str], title| {
        let facts =
            what.iter().map(|text| ("https://n.example/said".to_owned(), ExtraValue::Text((*text).into()))).collect();
        let subjects = vec![(page.to_owned(), facts)];
        GraphChange { provenance: Some(Provenance { graph: shared.into(), subjects }), ..change(page, title) }
    };
    let (one, two) = ("https://n.example/1", "https://n.example/2");
    store.apply(vec![told(one, &["a", "b"], Some("One")), told(two, &["c"], Some("Two"))], &applied(2)).unwrap();
    let said = || {
        let query = format!("SELECT ?what FROM <{shared}> {{ ?s <https://n.example/said> ?what }} ORDER BY ?what");
        store.query(&query, &QueryOptions::default()).unwrap().column("what")
    };
    assert_eq!(said(), ["a", "b", "c"]);
    store.apply(vec![told(one, &["d"], Some("One"))], &applied(3)).unwrap();
    assert_eq!(said(), ["c", "d"]);
    store.apply(vec![told(two, &[], None)], &applied(4)).unwrap();
    assert_eq!(said(), ["d"]);
}

#[test]
fn the_protocols_graphs_replace_those_of_the_query() {
    let store = store();
    let query =
        "SELECT ?name FROM <https://n.example/1> { ?d a <http://schema.org/Dataset>; <http://schema.org/name> ?name }";
    assert_eq!(store.query(query, &QueryOptions::default()).unwrap().column("name"), ["One"]);
    let options = QueryOptions { default_graphs: vec!["https://n.example/2".into()], ..QueryOptions::default() };
    assert_eq!(store.query(query, &options).unwrap().column("name"), ["Two"]);
    let options = QueryOptions { named_graphs: vec!["https://n.example/2".into()], ..QueryOptions::default() };
    let query = "SELECT ?name { GRAPH ?g { ?d a <http://schema.org/Dataset>; <http://schema.org/name> ?name } }";
    assert_eq!(store.query(query, &options).unwrap().column("name"), ["Two"]);
}

#[test]
fn nothing_but_reading_is_possible() {
    let store = store();
    for update in ["INSERT DATA { <x:a> <x:b> <x:c> }", "DROP ALL", "CLEAR DEFAULT", "LOAD <http://127.0.0.1:9/>"] {
        assert!(matches!(store.query(update, &QueryOptions::default()), Err(MetadataError::Update)), "{update}");
    }
    for text in ["", "SELECT", "SELECT * { ?s ?p"] {
        assert!(matches!(store.query(text, &QueryOptions::default()), Err(MetadataError::Malformed { .. })), "{text}");
    }
    let remote = "SELECT * { SERVICE <http://127.0.0.1:9/sparql> { ?s ?p ?o } }";
    let error = store.query(remote, &QueryOptions::default()).unwrap_err();
    assert!(error.to_string().contains("SERVICE"), "{error}");
    assert_eq!(titles(&store), ["One", "Two"]);
}

#[test]
fn queries_end_at_their_limits() {
    let store = store();
    let product = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }";
    let options = QueryOptions { deadline: Duration::from_millis(200), ..QueryOptions::default() };
    let error = store.query(product, &options).unwrap_err();
    assert!(matches!(error, MetadataError::TooSlow { .. }), "{error}");
    let options = QueryOptions { max_rows: 10, ..QueryOptions::default() };
    for query in ["SELECT * { ?s ?p ?o }", "CONSTRUCT WHERE { ?s ?p ?o }"] {
        assert!(matches!(store.query(query, &options), Err(MetadataError::TooManyRows { limit: 10 })), "{query}");
    }
    assert_eq!(store.query("SELECT * { ?s ?p ?o } LIMIT 10", &options).unwrap().len(), 10);
}

#[test]
fn hostile_queries_are_refused_or_answered_and_never_crash() {
    let store = store();
    let many = 20_000;
    for query in [
        format!("SELECT * {}{}", "{".repeat(many), "}".repeat(many)),
        format!("SELECT ({}1{} AS ?x) {{}}", "(".repeat(many), ")".repeat(many)),
        format!("SELECT ({}1 AS ?x) {{}}", "!".repeat(60_000)),
        format!("SELECT ({}1 AS ?x) {{}}", "- ".repeat(30_000)),
        format!("SELECT (1{} AS ?x) {{}}", "+1".repeat(30_000)),
        format!("SELECT (1{} AS ?x) {{}}", "||1".repeat(20_000)),
        format!("SELECT * {{ ?s {}<x:p> ?o }}", "^".repeat(60_000)),
        format!("SELECT * {{ ?s <x:p>{} ?o }}", "/<x:p>".repeat(8_000)),
        format!("SELECT * {{ {{}} {} }}", "UNION {}".repeat(7_000)),
        format!("SELECT * {{ {} }}", "OPTIONAL {?s ?p ?o}".repeat(3_000)),
        "SELECT * { ?s ?p \"\u{0}\" }".to_owned(),
        "x".repeat(100_000),
    ] {
        let options = QueryOptions { deadline: Duration::from_secs(2), max_rows: 100, ..QueryOptions::default() };
        drop(store.query(&query, &options));
    }
    assert_eq!(titles(&store), ["One", "Two"]);
}

#[test]
fn every_kind_of_answer_has_its_formats() {
    let store = store();
    for (query, count) in [
        ("SELECT ?s { ?s a <http://schema.org/Dataset> }", 4),
        ("ASK { ?s a <http://schema.org/Dataset> }", 4),
        ("CONSTRUCT { ?s <x:name> ?n } WHERE { ?s <http://schema.org/name> ?n }", 4),
    ] {
        let answer = store.query(query, &QueryOptions::default()).unwrap();
        assert_eq!(answer.formats().len(), count);
        for format in answer.formats() {
            let mut bytes = Vec::new();
            answer.write(*format, &mut bytes).unwrap();
            assert!(!bytes.is_empty(), "{query} as {}", format.media_type());
        }
    }
    let graph = store.query("DESCRIBE <x:nothing>", &QueryOptions::default()).unwrap();
    assert!(matches!(graph.write(ResultFormat::Csv, &mut Vec::new()), Err(MetadataError::Format { .. })));
    let turtle = String::from_utf8(store.triples("https://n.example/1", ResultFormat::Turtle).unwrap()).unwrap();
    assert!(turtle.contains("schema:name \"One\"") && turtle.contains("hg:images 2"), "{turtle}");
}

#[test]
fn reopening_finds_what_was_applied_and_another_edition_of_an_ontology_starts_it_afresh() {
    let folder = tempfile::tempdir().unwrap();
    let open = |ontology| MetadataStore::open(folder.path(), ontology).unwrap();
    let store = open(ontology());
    store.apply(vec![change("https://n.example/1", Some("One"))], &applied(1)).unwrap();
    drop(store);
    let store = open(ontology());
    assert_eq!(store.applied().unwrap(), applied(1));
    assert_eq!(titles(&store), ["One"]);
    drop(store);
    let mut other = metadata_store::Ontology::with_bundled();
    other.load_obo("mine", "ontology: mine\n\n[Term]\nid: MINE:1\nname: mine\n").unwrap();
    let store = open(std::sync::Arc::new(other));
    assert_eq!(store.applied().unwrap(), applied(1), "one more ontology changes nothing that was there");
    let named = "SELECT ?t { GRAPH <https://heliograph.org/ontology/mine> { ?t ?p 'mine' } }";
    assert_eq!(
        store.query(named, &QueryOptions::default()).unwrap().column("t"),
        ["http://purl.obolibrary.org/obo/MINE_1"]
    );
    drop(store);
    let mut other = metadata_store::Ontology::with_bundled();
    other.load_obo("fbbi", "ontology: fbbi\n\n[Term]\nid: FBbi:1\nname: another edition\n").unwrap();
    let store = open(std::sync::Arc::new(other));
    assert_eq!(store.applied().unwrap(), BTreeMap::new());
    assert!(
        store.query(named, &QueryOptions::default()).unwrap().column("t").is_empty(),
        "a graph nobody asks for is gone"
    );
}
