//! The real collections: every crate reads, nothing leaks, and the materialised hierarchy answers as the closure does.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use dataset_model::{Severity, TermIri};
use metadata_store::{
    ExtraValue, GraphChange, MetadataStore, Ontology, QueryOptions, ReadCrate, ResultFormat, read_crate,
};
use serde_json::Value;
use support::{ontology, shared};

const BROADER: &str = "https://heliograph.org/ns#";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every crate of the collections, read, with the page it would have here.
fn corpus() -> Option<Vec<(String, String, ReadCrate)>> {
    let mut paths = Vec::new();
    files(&shared()?.join("gide-crates"), &mut paths);
    paths.sort();
    let ontology = ontology();
    let start = Instant::now();
    let mut crates = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let collection = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let page =
            format!("https://node.example/datasets/{collection}.{}", name.replace("-ro-crate-metadata.json", ""));
        let read = read_crate(&bytes, &page, &ontology).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        crates.push((name, page, read));
    }
    eprintln!("read {} crates in {:?}", crates.len(), start.elapsed());
    Some(crates)
}

#[test]
fn every_crate_reads_and_keeps_what_it_must() {
    let Some(crates) = corpus() else { return };
    assert!(crates.len() >= 1252, "{}", crates.len());
    let (mut repairs, mut findings): (BTreeMap<String, usize>, BTreeMap<(Severity, String), usize>) =
        Default::default();
    let mut pages = BTreeSet::new();
    let mut digests = 0;
    for (name, page, read) in &crates {
        let summary = &read.summary;
        assert!(!summary.title.is_empty(), "{name}");
        assert!(summary.iri.starts_with("https://"), "{name}: {}", summary.iri);
        assert!(pages.insert(page), "two graphs named {page}");
        assert!(!summary.authors.is_empty() && summary.publisher.is_some() && summary.licence.is_some(), "{name}");
        summary.repairs.iter().for_each(|repair| *repairs.entry(repair.rule.clone()).or_default() += 1);
        for finding in &summary.findings {
            *findings.entry((finding.severity, finding.rule.clone())).or_default() += 1;
        }
        digests += usize::from(read.graph.digest().is_some());
    }
    eprintln!("repairs: {repairs:#?}\nfindings: {findings:#?}");
    assert_eq!(digests, crates.len());
    assert_eq!(crates.iter().map(|(_, _, read)| &read.summary.iri).collect::<BTreeSet<_>>().len(), crates.len());
}

#[test]
fn no_e_mail_address_is_left_in_any_graph() {
    let Some(crates) = corpus() else { return };
    let store = MetadataStore::in_memory(Arc::new(Ontology::default())).unwrap();
    let pages: Vec<String> = crates.iter().map(|(_, page, _)| page.clone()).collect();
    let changes = crates.into_iter().map(|(_, page, read)| change(page, read, &[], &[])).collect();
    store.apply(changes, &BTreeMap::new()).unwrap();
    for page in pages {
        let text = String::from_utf8(store.triples(&page, ResultFormat::NTriples).unwrap()).unwrap();
        assert!(!text.is_empty(), "{page}");
        assert!(!text.contains("schema.org/email") && !text.contains("mailto:"), "{page}");
        for (at, _) in text.match_indices('@') {
            let after: String =
                text[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect();
            let before = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            assert!(!(before && after.trim_end_matches('.').contains('.')), "{page}: …@{after}");
        }
    }
}

fn change(graph: String, read: ReadCrate, organisms: &[TermIri], methods: &[TermIri]) -> GraphChange {
    let fact = |name: &str, term: &TermIri| (format!("{BROADER}{name}"), ExtraValue::Iri(term.to_string()));
    let mut extra: Vec<_> = organisms.iter().map(|term| fact("organismOrBroader", term)).collect();
    extra.extend(methods.iter().map(|term| fact("methodOrBroader", term)));
    GraphChange { graph, content: Some(read.graph), extra, root: read.summary.iri, provenance: None }
}

/// The corpus on disk, with ancestors beside each record, as a node keeps it.
fn filled(folder: &Path, crates: Vec<(String, String, ReadCrate)>) -> MetadataStore {
    let ontology = ontology();
    let store = MetadataStore::open(folder, ontology.clone()).unwrap();
    let closure = |terms: &[dataset_model::Term]| {
        let all: BTreeSet<TermIri> = terms.iter().flat_map(|term| ontology.ancestors_or_self(&term.iri)).collect();
        all.into_iter().collect::<Vec<_>>()
    };
    let mut changes: Vec<GraphChange> = crates
        .into_iter()
        .map(|(_, page, read)| {
            let (organisms, methods) = (closure(&read.summary.organisms), closure(&read.summary.methods));
            change(page, read, &organisms, &methods)
        })
        .collect();
    let start = Instant::now();
    let (count, mut done) = (changes.len(), 0);
    while !changes.is_empty() {
        let batch: Vec<GraphChange> = changes.drain(..changes.len().min(256)).collect();
        done += batch.len() as u64;
        store.apply(batch, &BTreeMap::from([("europe".parse().unwrap(), done)])).unwrap();
    }
    eprintln!("applied {count} graphs in {:?}", start.elapsed());
    assert_eq!(store.applied().unwrap().values().sum::<u64>(), count as u64);
    store
}

fn studies(store: &MetadataStore, query: &str) -> BTreeSet<String> {
    let start = Instant::now();
    let found = store.query(query, &QueryOptions::default()).unwrap().column("d").into_iter().collect();
    eprintln!("{:?} for {query}", start.elapsed());
    found
}

#[test]
fn materialised_ancestors_answer_as_the_hierarchy_does() {
    let Some(crates) = corpus() else { return };
    let by_iri: HashMap<String, String> = crates
        .iter()
        .map(|(name, _, read)| (read.summary.iri.clone(), name.replace("-ro-crate-metadata.json", "")))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), crates);
    let obo = "http://purl.obolibrary.org/obo/";
    let materialised = studies(
        &store,
        &format!(
            "PREFIX hg: <{BROADER}> SELECT DISTINCT ?d {{ ?d hg:organismOrBroader <{obo}NCBITaxon_2> ; hg:methodOrBroader <{obo}FBbi_00000345> }}"
        ),
    );
    // The closure over the terms as a summary collects them: on the root, on its samples and in its protocols.
    let closure = studies(&store, &format!(
        "PREFIX s: <http://schema.org/> PREFIX dwciri: <http://rs.tdwg.org/dwc/iri/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
         SELECT DISTINCT ?d {{ ?d a s:Dataset ; s:about/s:taxonomicRange? ?taxon . ?taxon rdfs:subClassOf* <{obo}NCBITaxon_2> .
         ?d dwciri:measurementMethod/s:measurementTechnique? ?method . ?method rdfs:subClassOf* <{obo}FBbi_00000345> }}"
    ));
    assert!(!closure.is_empty());
    assert_eq!(materialised, closure);
    compare_with_task(&store, &by_iri, &materialised);
}

/// The published answer looks at the root's terms only, and uses the hierarchy before our corrections.
fn compare_with_task(store: &MetadataStore, names: &HashMap<String, String>, ours: &BTreeSet<String>) {
    let tasks: Value =
        serde_json::from_slice(&std::fs::read(shared().unwrap().join("search-tasks.json")).unwrap()).unwrap();
    let task = tasks["tasks"].as_array().unwrap().iter().find(|task| task["id"] == "T01").unwrap();
    let published: BTreeSet<String> = task["answers"]["expanded_deliverable_hierarchy"]["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    let obo = "http://purl.obolibrary.org/obo/";
    let on_root = studies(store, &format!(
        "PREFIX s: <http://schema.org/> PREFIX dwciri: <http://rs.tdwg.org/dwc/iri/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
         SELECT DISTINCT ?d {{ ?d s:about/rdfs:subClassOf* <{obo}NCBITaxon_2> ; dwciri:measurementMethod/rdfs:subClassOf* <{obo}FBbi_00000345> }}"
    ));
    let name =
        |iris: &BTreeSet<String>| iris.iter().filter_map(|iri| names.get(iri).cloned()).collect::<BTreeSet<String>>();
    let (ours, on_root) = (name(ours), name(&on_root));
    eprintln!("T01: published {}, root terms {}, all terms {}", published.len(), on_root.len(), ours.len());
    eprintln!("root terms beyond published: {:?}", on_root.difference(&published).collect::<Vec<_>>());
    eprintln!("all terms beyond root terms: {:?}", ours.difference(&on_root).collect::<Vec<_>>());
    assert!(published.is_subset(&on_root), "missing: {:?}", published.difference(&on_root).collect::<Vec<_>>());
    assert!(on_root.is_subset(&ours));
}
