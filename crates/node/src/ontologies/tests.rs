use std::collections::BTreeSet;

use bytes::Bytes;
use dataset_model::TermIri;
use futures::stream;
use metadata_store::OntologyTable;

use super::*;
use crate::{Actor, ListingItem, NodeConfig, SearchRequest, TermRequest};

const FIRST: &str = "ontology: mi\n\n[Term]\nid: MI:1\nname: lens\nis_a: MI:2\n\n[Term]\nid: MI:2\nname: glass\n\n[Term]\nid: MI:3\nname: stone\n\n\
    [Term]\nid: MI:5\nname: rock\n";
/// The lens moves below stone, and glass is renamed.
const SECOND: &str = "ontology: mi\n\n[Term]\nid: MI:1\nname: lens\nis_a: MI:3\n\n[Term]\nid: MI:2\nname: glass pane\n\n[Term]\nid: MI:3\nname: stone\n\n\
    [Term]\nid: MI:4\nname: sand\nis_a: MI:2\n\n[Term]\nid: MI:5\nname: rock\ndef: \"Hard.\" []\n";

/// Records about the terms with these numbers.
async fn fill(node: &Arc<Node>, numbers: &[u8]) {
    let item = |number: &u8| {
        let text = format!(
            r##"{{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
            {{"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {{"@id": "https://x.org/{number}"}}}},
            {{"@id": "https://x.org/{number}", "@type": "Dataset", "name": "Record {number}", "about": {{"@id": "http://purl.obolibrary.org/obo/MI_{number}"}}}},
            {{"@id": "http://purl.obolibrary.org/obo/MI_{number}", "@type": "Taxon", "scientificName": "thing"}}]}}"##
        );
        Ok(ListingItem::Crate { path: format!("{number}.json"), bytes: Bytes::from(text), stamp: None })
    };
    let items: Vec<_> = numbers.iter().map(item).chain([Ok(ListingItem::End)]).collect();
    node.import(&Actor::Operator, &"idr".parse().unwrap(), stream::iter(items)).await.unwrap();
}

async fn load(node: &Arc<Node>, text: &'static str) -> Result<OntologyReport, NodeError> {
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes()))]);
    node.load_ontology(&Actor::Operator, None, body).await
}

/// The numbers of the records that search and SPARQL find below a term; they agree.
async fn below(node: &Arc<Node>, number: u8) -> Vec<String> {
    let iri = format!("http://purl.obolibrary.org/obo/MI_{number}");
    let request = SearchRequest { organism: vec![iri.clone()], size: 100, ..SearchRequest::default() };
    let answer = node.search(&Actor::Anonymous, request).await.unwrap();
    let found: BTreeSet<String> = answer.hits.iter().map(|hit| hit.document.title.clone()).collect();
    for path in [
        "<https://heliograph.org/terms#organismOrBroader>",
        "<http://schema.org/about>/<http://www.w3.org/2000/01/rdf-schema#subClassOf>*",
    ] {
        let path = path.replace("https://heliograph.org/terms#", crate::image_facts::VOCABULARY);
        let query = format!(
            "SELECT DISTINCT ?n {{ ?d {path} <{iri}> ; a <http://schema.org/Dataset> ; <http://schema.org/name> ?n }}"
        );
        let rows = node.metadata.query(&query, &metadata_store::QueryOptions::default()).unwrap().column("n");
        assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), found, "{query}");
    }
    found.into_iter().map(|title| title.replace("Record ", "")).collect()
}

fn settled(node: &Node) -> bool {
    node.list_ontologies().unwrap().iter().all(|ontology| ontology.settled)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_edition_reads_again_what_it_touches_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    let background = node.start();
    fill(&node, &[1, 2, 3, 4, 5]).await;
    let report = load(&node, FIRST).await.unwrap();
    assert_eq!(
        (report.terms, report.added, report.records_reexpanded),
        (4, 4, 4),
        "four of five records name a term of it"
    );
    assert_eq!(below(&node, 2).await, ["1", "2"]);
    let report = load(&node, SECOND).await.unwrap();
    assert_eq!((report.added, report.changed, report.removed), (1, 3, 0));
    assert_eq!(
        report.records_reexpanded, 3,
        "the lens, glass and sand; stone is as it was, and rock has a definition only"
    );
    assert_eq!(below(&node, 2).await, ["2", "4"]);
    assert_eq!(below(&node, 3).await, ["1", "3"]);
    let again = load(&node, SECOND).await.unwrap();
    assert_eq!((again.added, again.changed, again.removed, again.records_reexpanded), (0, 0, 0, 0));
    assert!(settled(&node));
    background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_commit_is_made_good_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    let background = node.start();
    fill(&node, &[1, 2, 3]).await;
    load(&node, FIRST).await.unwrap();
    background.stop().await;
    // What a load does up to its commit, and no further.
    let place = kept::folder(&node.config.data_dir);
    let growing = kept::begin(&place).unwrap();
    let table = OntologyTable::read(SECOND.as_bytes(), None, Some(&growing)).unwrap();
    kept::commit(&place, &node.ledger, &table, false, true).unwrap();
    std::fs::create_dir(place.join("left-by-a-crash")).unwrap();
    drop((node, table));

    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    assert!(!settled(&node));
    let lens: TermIri = "http://purl.obolibrary.org/obo/MI_1".parse().unwrap();
    assert_eq!(node.ontology.parents(&lens)[0].curie(), "MI:3", "the new edition counts");
    node.settle_all().unwrap();
    assert!(settled(&node));
    assert_eq!(below(&node, 2).await, ["2"]);
    assert_eq!(below(&node, 3).await, ["1", "3"]);
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 3, "one folder for each ontology, and none else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_or_breaks_off_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    load(&node, FIRST).await.unwrap();
    let before = node.list_ontologies().unwrap().iter().map(|ontology| ontology.digest).collect::<Vec<_>>();
    assert!(matches!(load(&node, "ontology: mi\n\n[Term]\nid: MI:9\nnonsense\n").await, Err(NodeError::Invalid(_))));
    let broken =
        stream::iter([Ok(Bytes::from_static(SECOND.as_bytes())), Err(std::io::Error::other("the line is dead"))]);
    assert!(matches!(node.load_ontology(&Actor::Operator, None, broken).await, Err(NodeError::Invalid(_))));
    let body = || stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(SECOND.as_bytes()))]);
    assert!(matches!(node.load_ontology(&Actor::Anonymous, None, body()).await, Err(NodeError::Unauthenticated)));
    assert_eq!(node.list_ontologies().unwrap().iter().map(|ontology| ontology.digest).collect::<Vec<_>>(), before);
    assert_eq!(std::fs::read_dir(kept::folder(&node.config.data_dir)).unwrap().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_projections_come_back_with_the_loaded_ontology() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    let background = node.start();
    fill(&node, &[1, 2]).await;
    load(&node, FIRST).await.unwrap();
    background.stop().await;
    drop(node);
    Node::rebuild(NodeConfig::in_folder(folder.path())).await.unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    assert_eq!(below(&node, 2).await, ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_are_completed_with_how_many_records_use_them_or_a_narrower_one() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(NodeConfig::in_folder(folder.path())).await.unwrap();
    let background = node.start();
    load(&node, FIRST).await.unwrap();
    fill(&node, &[1, 2, 3]).await;
    let typed = |typed: &str| TermRequest { typed: typed.into(), ontology: Some("mi".into()), limit: Some(5) };
    let found = node.terms(&Actor::Anonymous, typed("gla")).await.unwrap();
    assert_eq!((found[0].label.as_str(), found[0].count, found[0].matched.as_str()), ("glass", 2, "glass"));
    let found = node.terms(&Actor::Anonymous, typed("stnoe")).await.unwrap();
    assert_eq!((found[0].label.as_str(), found[0].count), ("stone", 1));
    let long = node.terms(&Actor::Anonymous, typed(&"x".repeat(600))).await;
    assert!(matches!(long, Err(NodeError::Invalid(_))));
    background.stop().await;
}
