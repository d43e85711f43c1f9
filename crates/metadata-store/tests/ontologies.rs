//! Real ontologies in every syntax, their graphs, and the hierarchy as SPARQL sees it.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dataset_model::TermIri;
use metadata_store::{GraphChange, MetadataStore, Ontology, OntologyTable, OntologyTerm, QueryOptions};
use proptest::prelude::*;
use support::shared;

const OBO: &str = "http://purl.obolibrary.org/obo/";

fn load(file: &str) -> Option<OntologyTable> {
    let path = shared()?.join("ontologies").join(file);
    let folder = tempfile::tempdir().unwrap();
    let table = OntologyTable::read(std::fs::File::open(&path).unwrap(), None, Some(folder.path()));
    Some(table.unwrap_or_else(|error| panic!("{file}: {error}")))
}

fn terms(table: &OntologyTable) -> BTreeMap<TermIri, OntologyTerm> {
    table.terms().map(|term| term.unwrap()).map(|term| (term.iri.clone(), term)).collect()
}

#[test]
fn the_shared_ontologies_are_read_and_counted() {
    for (file, name, format, count) in [
        ("fbbi-2026-01-30-classes.obo", "fbbi", "OBO", 647),
        ("fbbi-2026-01-30-classes.ttl", "fbbi", "Turtle", 647),
        ("fbbi-edit.ofn", "fbbi", "OWL functional syntax", 647),
        ("pato.obo", "pato", "OBO", 2785),
        ("uberon-efo-slim.obo", "uberon-subsets-efo-slim", "OBO", 613),
        ("ncbitaxon-gide-subset.ttl", "ncbitaxon", "Turtle", 853),
    ] {
        let Some(table) = load(file) else { return };
        let info = table.info();
        assert_eq!((info.name.as_str(), info.format.as_str()), (name, format), "{file}");
        assert!(info.terms.abs_diff(count) <= 2, "{file}: {} terms", info.terms);
    }
    let Some(release) = load("fbbi-release-2020-11-06.owl") else { return };
    assert_eq!((release.info().name.as_str(), release.info().format.as_str()), ("fbbi", "RDF/XML"));
    assert!(release.info().terms > 600, "{} terms", release.info().terms);
}

#[test]
fn an_ontology_is_the_same_as_obo_and_as_turtle() {
    let (Some(obo), Some(turtle)) = (load("fbbi-2026-01-30-classes.obo"), load("fbbi-2026-01-30-classes.ttl")) else {
        return;
    };
    assert_eq!(terms(&obo), terms(&turtle));
    assert_eq!(obo.info().digest, turtle.info().digest);
}

/// The flattened files call every synonym exact, and keep the first named part of an intersection only.
#[test]
fn functional_syntax_says_what_the_flattened_file_says_and_more() {
    let (Some(edit), Some(flat)) = (load("fbbi-edit.ofn"), load("fbbi-2026-01-30-classes.obo")) else { return };
    let (edit, flat) = (terms(&edit), terms(&flat));
    let mut more = 0;
    for (iri, term) in &flat {
        let full = edit.get(iri).unwrap_or_else(|| panic!("{iri} is missing"));
        assert_eq!((&full.label, full.deprecated), (&term.label, term.deprecated), "{iri}");
        let names = |term: &OntologyTerm| term.names().map(str::to_owned).collect::<BTreeSet<_>>();
        assert!(names(full).is_superset(&names(term)), "{iri}: {:?} and {:?}", names(full), names(term));
        let parents = |term: &OntologyTerm| term.parents.iter().cloned().collect::<BTreeSet<_>>();
        assert!(parents(full).is_superset(&parents(term)), "{iri}: {:?} and {:?}", full.parents, term.parents);
        more += usize::from(parents(full) != parents(term));
    }
    assert!(more <= 11, "{more} terms have a second named part in their definition");
}

#[test]
fn a_release_in_rdf_xml_has_the_terms_of_the_later_one() {
    let (Some(old), Some(new)) = (load("fbbi-release-2020-11-06.owl"), load("fbbi-edit.ofn")) else { return };
    let differences = new.compare(Some(&old)).unwrap();
    eprintln!("{differences:?}");
    let (old, new) = (terms(&old), terms(&new));
    let confocal: TermIri = format!("{OBO}FBbi_00000251").parse().unwrap();
    assert_eq!(old[&confocal].label, new[&confocal].label);
    let above = |term: &OntologyTerm| term.parents.iter().map(TermIri::curie).collect::<Vec<_>>();
    assert_eq!(above(&old[&confocal]), ["FBbi:00000246", "FBbi:00000345"], "what restrictions say is no parent");
    assert_eq!(above(&new[&confocal]), ["FBbi:00000345"]);
    let same =
        old.values().filter(|term| new.get(&term.iri).is_some_and(|other| other.parents == term.parents)).count();
    assert!(same > 400, "{same} of {} terms stand where they stood", old.len());
}

fn table(obo: &str) -> Arc<OntologyTable> {
    Arc::new(OntologyTable::read(obo.as_bytes(), Some("mine"), None).unwrap())
}

fn graph_of(store: &MetadataStore, name: &str) -> BTreeSet<String> {
    let query = format!(
        "SELECT (CONCAT(STR(?s), ' ', STR(?p), ' ', STR(?o)) AS ?t) {{ GRAPH <https://heliograph.org/ontology/{name}> {{ ?s ?p ?o }} }}"
    );
    store.query(&query, &QueryOptions::default()).unwrap().column("t").into_iter().collect()
}

#[test]
fn a_graph_follows_its_ontology_in_steps_as_in_one() {
    let first =
        table("[Term]\nid: MI:1\nname: one\nis_a: MI:2\n\n[Term]\nid: MI:2\nname: two\nsynonym: \"zwei\" RELATED []\n");
    let second =
        table("[Term]\nid: MI:1\nname: one\ndef: \"The first.\" []\n\n[Term]\nid: MI:3\nname: three\nalt_id: MI:4\n");
    let store = MetadataStore::in_memory(Arc::new(Ontology::default())).unwrap();
    assert!(store.follow_ontology(&first, None).unwrap());
    assert!(graph_of(&store, "mine").iter().any(|triple| triple.ends_with("#hasRelatedSynonym zwei")));
    assert!(store.follow_ontology(&second, Some(&first)).unwrap());
    let fresh = MetadataStore::in_memory(Arc::new(Ontology::of(vec![second.clone()]))).unwrap();
    assert_eq!(graph_of(&store, "mine"), graph_of(&fresh, "mine"));
    assert!(store.follow_ontology(&second, None).unwrap(), "it holds that edition already");
    assert!(!store.follow_ontology(&first, None).unwrap(), "nobody said what was there before");
    let fresh = MetadataStore::in_memory(Arc::new(Ontology::of(vec![first]))).unwrap();
    assert_eq!(graph_of(&store, "mine"), graph_of(&fresh, "mine"));
}

#[test]
fn the_records_an_edition_touches_are_those_that_name_a_changed_term() {
    let (first, second) = (
        table(
            "[Term]\nid: MI:1\nname: one\nis_a: MI:2\n\n[Term]\nid: MI:2\nname: two\n\n[Term]\nid: MI:3\nname: three\n\n[Term]\nid: MI:5\nname: five\n",
        ),
        table(
            "[Term]\nid: MI:1\nname: one\nis_a: MI:2\n\n[Term]\nid: MI:2\nname: zwei\n\n[Term]\nid: MI:3\nname: three\n\n[Term]\nid: MI:4\nname: four\n\n\
               [Term]\nid: MI:5\nname: five\ndef: \"Five.\" []\n",
        ),
    );
    let ontology = Arc::new(Ontology::of(vec![first.clone()]));
    let store = MetadataStore::in_memory(ontology.clone()).unwrap();
    let record = |number: u8| {
        let mut document = support::complete();
        let term: TermIri = format!("{OBO}MI_{number}").parse().unwrap();
        document["@graph"][1]["about"] = serde_json::json!([{ "@id": term.as_str() }]);
        let page = format!("https://node.example/datasets/{number}");
        let read = metadata_store::read_crate(document.to_string().as_bytes(), &page, &ontology).unwrap();
        let above = ontology.ancestors_or_self(&term).into_iter();
        let extra = above
            .map(|term| ("http://x/organismOrBroader".to_owned(), metadata_store::ExtraValue::Iri(term.to_string())));
        GraphChange {
            graph: page,
            content: Some(read.graph),
            extra: extra.collect(),
            root: String::new(),
            provenance: None,
        }
    };
    store.apply((1..=5).map(record).collect(), &BTreeMap::new()).unwrap();
    let touched: Vec<String> = store.graphs_touched(Some(&first), &second).unwrap().into_iter().collect();
    let pages = [1, 2, 4].map(|number| format!("https://node.example/datasets/{number}"));
    assert_eq!(
        touched, pages,
        "below the renamed term, the term itself, and one that is new; a definition touches nobody"
    );
}

/// Parents of each of so many terms, whether it is obsolete, and what replaces it: any graph, cycles included.
fn hierarchies() -> impl Strategy<Value = Vec<(Vec<usize>, bool, Option<usize>)>> {
    (1_usize..14).prop_flat_map(|count| {
        let one =
            (prop::collection::vec(0..count, 0..4), prop::bool::weighted(0.2), prop::option::weighted(0.6, 0..count));
        prop::collection::vec(one, count)
    })
}

fn obo_of(hierarchy: &[(Vec<usize>, bool, Option<usize>)]) -> String {
    let mut text = String::new();
    for (at, (parents, obsolete, instead)) in hierarchy.iter().enumerate() {
        text.push_str(&format!("[Term]\nid: MI:{at}\nname: term {at}\n"));
        parents.iter().for_each(|parent| text.push_str(&format!("is_a: MI:{parent}\n")));
        if *obsolete {
            text.push_str("is_obsolete: true\n");
            instead.iter().for_each(|instead| text.push_str(&format!("replaced_by: MI:{instead}\n")));
        }
        text.push('\n');
    }
    text
}

/// Every pair of a term and one above it, itself included, as SPARQL finds them.
fn pairs(store: &MetadataStore) -> BTreeSet<(String, String)> {
    let query = "SELECT ?t ?a { ?t a <http://www.w3.org/2002/07/owl#Class> . ?t <http://www.w3.org/2000/01/rdf-schema#subClassOf>* ?a }";
    let answer = store.query(query, &QueryOptions::default()).unwrap();
    answer.column("t").into_iter().zip(answer.column("a")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn ancestors_are_what_sparql_finds_in_any_hierarchy(first in hierarchies(), second in hierarchies(), other in hierarchies()) {
        let other = Arc::new(OntologyTable::read(obo_of(&other).as_bytes(), Some("other"), None).unwrap());
        let (first, second) = (table(&obo_of(&first)), table(&obo_of(&second)));
        let ontology = Ontology::of(vec![first.clone(), other]);
        let store = MetadataStore::in_memory(Arc::new(Ontology::of(ontology.tables()))).unwrap();
        for edition in [first.clone(), second] {
            store.follow_ontology(&edition, Some(&first)).unwrap();
            ontology.replace(edition);
            let mut expected = BTreeSet::new();
            for table in ontology.tables() {
                for term in terms(&table).into_keys() {
                    expected.extend(ontology.ancestors_or_self(&term).into_iter().map(|above| (term.to_string(), above.to_string())));
                }
            }
            prop_assert_eq!(pairs(&store), expected);
        }
    }
}

/// The superclasses that are ours are written down with their reasons, and no others are ours.
#[test]
fn every_superclass_that_the_taxon_subset_adds_is_accounted_for() {
    let Some(theirs) = load("ncbitaxon-gide-subset.ttl") else { return };
    let text = include_str!("../ontologies/ncbitaxon-subset.obo");
    let written: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("! ours: ")?.split_once(" ("))
        .inspect(|(_, reason)| assert!(reason.contains("): "), "{reason}"))
        .map(|(edge, _)| edge.to_owned())
        .collect();
    let edges = |terms: &BTreeMap<TermIri, OntologyTerm>| -> BTreeSet<String> {
        let edges = |term: &OntologyTerm| {
            term.parents
                .iter()
                .map(|parent| format!("{} is_a {}", term.iri.curie(), parent.curie()))
                .collect::<Vec<_>>()
        };
        terms.values().flat_map(edges).collect()
    };
    let ours = Ontology::bundled_tables().into_iter().find(|table| table.info().name == "ncbitaxon").unwrap();
    let added: BTreeSet<String> = edges(&terms(&ours)).difference(&edges(&terms(&theirs))).cloned().collect();
    assert_eq!(added, written);
}

#[test]
fn many_new_terms_are_added_beside_those_that_changed() {
    let small = table("[Term]\nid: MI:1\nname: one\n\n[Term]\nid: MI:2\nname: two\n");
    let stanza = |at: usize| format!("[Term]\nid: MI:{at}\nname: term {at}\nis_a: MI:{}\n\n", at / 2);
    let large = table(&(2..25_000).map(stanza).collect::<String>());
    let folder = tempfile::tempdir().unwrap();
    let store = MetadataStore::open(folder.path(), Arc::new(Ontology::of(vec![small.clone()]))).unwrap();
    assert!(store.follow_ontology(&large, Some(&small)).unwrap());
    let ask = |query: &str| store.query(query, &QueryOptions::default()).unwrap().column("x");
    let graph = "GRAPH <https://heliograph.org/ontology/mine>";
    assert_eq!(ask(&format!("SELECT (COUNT(*) AS ?x) {{ {graph} {{ ?s a ?c }} }}")), ["24998"]);
    assert_eq!(
        ask(&format!("SELECT ?x {{ {graph} {{ <{OBO}MI_2> <http://www.w3.org/2000/01/rdf-schema#label> ?x }} }}")),
        ["term 2"]
    );
    assert!(ask(&format!("SELECT ?x {{ {graph} {{ <{OBO}MI_1> a ?x }} }}")).is_empty());
    assert!(store.follow_ontology(&small, Some(&large)).unwrap());
    assert_eq!(ask(&format!("SELECT (COUNT(*) AS ?x) {{ {graph} {{ ?s a ?c }} }}")), ["2"]);
}
