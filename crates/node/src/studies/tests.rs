//! Studies told in the real collections.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataset_model::{Access, DatasetKey};
use metadata_store::{Ontology, read_crate};
use search_index::{IndexChange, Query, SearchDocument, SearchIndex, Study};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn corpus() -> Option<SearchIndex> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("HELIOGRAPH_SHARED").map_or(beside, PathBuf::from).join("data/gide-crates");
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}", folder.display());
        return None;
    }
    let (mut paths, ontology) = (Vec::new(), Ontology::bundled());
    files(&folder, &mut paths);
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().replace("-ro-crate-metadata.json", "");
        let key = DatasetKey { node: "europe".parse().unwrap(), id: name.parse().unwrap() };
        let page = format!("https://node.example/datasets/{name}");
        let read = read_crate(&std::fs::read(&path).unwrap(), &page, &ontology).unwrap();
        let mut record = SearchDocument::empty(key);
        (record.title, record.iri) = (read.summary.title, read.summary.iri);
        record.publisher = read.summary.publisher.map(|publisher| publisher.name);
        record.study_keys = read.study_keys;
        IndexChange::Put(Box::new(record))
    };
    let index = SearchIndex::in_memory().unwrap();
    index.apply(paths.into_iter().map(read).collect(), &BTreeMap::new()).unwrap();
    Some(index)
}

fn studies(index: &SearchIndex) -> (u64, u64, Vec<Study>) {
    let mut query = Query { collapse: true, size: 200, ..Query::default() };
    let mut found = Vec::new();
    loop {
        let page = index.search(&query).unwrap();
        found.extend(page.hits.into_iter().filter_map(|hit| hit.study));
        let Some(cursor) = page.next_cursor else { return (page.total, page.studies.unwrap(), found) };
        query.cursor = Some(cursor);
    }
}

/// The number by which the two collections of one project name a study.
fn number(study: &str) -> Option<u32> {
    match study.strip_prefix("ssbd-repos-") {
        Some(number) => number.parse().ok(),
        None => study.split('-').next()?.parse().ok(),
    }
}

fn ids(study: &Study) -> BTreeSet<String> {
    study.locations.iter().map(|location| location.key.id.to_string()).collect()
}

#[test]
fn the_twins_of_two_collections_are_one_study_and_different_studies_stay_apart() {
    let Some(index) = corpus() else { return };
    let (records, count, studies) = studies(&index);
    print_table(records, count, &studies);
    assert_eq!(records, 1252);
    let twins = studies.iter().filter(|study| {
        let numbers: BTreeSet<_> = ids(study).iter().filter_map(|id| number(id)).collect();
        assert!(numbers.len() <= 1, "two numbers in one study: {:?}", ids(study));
        numbers.len() == 1
    });
    assert_eq!(twins.count(), 168);
    for wanted in [
        &["S-BIAD1288", "idr0163"][..],
        &["idr0128", "idr0130"],
        &["S-BIAD1711", "S-BIAD1712"],
        &["S-BIAD2129", "S-BIAD2236"],
        &["S-BIAD2432", "S-BIAD2438"],
        &["S-BIAD2233", "S-BIAD2245", "S-BIAD2246", "S-BIAD2247", "S-BIAD2248"],
        &["454-Mizuta-PollenTubeGuidance", "S-BIAD1104", "ssbd-repos-000454"],
        &["66-Iwata-CellDynOSNMT", "ssbd-repos-000066"],
    ] {
        let wanted: BTreeSet<String> = wanted.iter().map(ToString::to_string).collect();
        assert!(studies.iter().any(|study| ids(study) == wanted), "{wanted:?}");
    }
    assert_eq!(count, 1252 - 168 - 9 - 1);
}

#[test]
fn what_only_cites_or_shares_a_text_is_related() {
    let Some(index) = corpus() else { return };
    let related = |id: &str| -> BTreeSet<String> {
        let key = DatasetKey { node: "europe".parse().unwrap(), id: id.parse().unwrap() };
        let found = index.study(&key, &[Access::Open]).unwrap().unwrap();
        assert_eq!(found.study.locations.len(), 1, "{id}");
        found.related.into_iter().map(|related| related.location.key.id.to_string()).collect()
    };
    assert!(related("S-BIAD852").contains("idr0091"), "a conversion names what it was made of");
    assert!(related("idr0091").contains("S-BIAD852"));
    assert!(related("S-BIAD44").contains("S-BSST567"), "raw and processed data under one description");
    assert_eq!(related("S-BIAD1396").len(), 5, "waves of one screen");
}

fn print_table(records: u64, count: u64, studies: &[Study]) {
    let (mut sizes, mut kinds): (BTreeMap<usize, usize>, BTreeMap<String, usize>) = Default::default();
    for study in studies {
        *sizes.entry(study.locations.len()).or_default() += 1;
        let evidence: Vec<_> = study.evidence.iter().map(|evidence| evidence.kind.as_str()).collect();
        *kinds.entry(evidence.join(" + ")).or_default() += 1;
    }
    println!("{records} records, {count} studies, {} of several records; sizes {sizes:?}", studies.len());
    kinds.iter().for_each(|(kinds, studies)| println!("{studies:>4} by {kinds}"));
}
