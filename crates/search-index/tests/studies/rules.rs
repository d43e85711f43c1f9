//! The rules, each with the case it was made for.

use std::collections::BTreeMap;

use dataset_model::{Access, DatasetKey, StudyKey, StudyKeyKind};
use search_index::{IndexChange, MAX_STUDY_RECORDS, SearchDocument, SearchIndex, StudyRecord};

use StudyKeyKind::{Article, ArticleTitle, Description, Identifier, Mention, SameAs, Title};

fn key(id: &str) -> DatasetKey {
    DatasetKey { node: "europe".parse().unwrap(), id: id.parse().unwrap() }
}

fn record(id: &str, publisher: &str, keys: &[(StudyKeyKind, &str)]) -> SearchDocument {
    let mut record = SearchDocument::empty(key(id));
    record.publisher = Some(publisher.to_owned());
    record.study_keys = keys.iter().map(|(kind, value)| StudyKey::new(*kind, *value)).collect();
    record
}

fn index(records: &[SearchDocument]) -> SearchIndex {
    let index = SearchIndex::in_memory().unwrap();
    let changes = records.iter().map(|record| IndexChange::Put(Box::new(record.clone()))).collect();
    index.apply(changes, &BTreeMap::new()).unwrap();
    index
}

fn study(records: &[SearchDocument], id: &str) -> StudyRecord {
    index(records).study(&key(id), &[Access::Open]).unwrap().unwrap()
}

/// The records held to be one study with a record, and those related to it.
fn told(records: &[SearchDocument], id: &str) -> (Vec<String>, Vec<String>) {
    let found = study(records, id);
    let same = found.study.locations.iter().map(|location| location.key.id.to_string()).collect();
    let related = found.related.iter().map(|related| related.location.key.id.to_string()).collect();
    (same, related)
}

fn ids(same: &[&str], related: &[&str]) -> (Vec<String>, Vec<String>) {
    let owned = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    (owned(same), owned(related))
}

#[test]
fn two_archives_with_one_article_have_one_study() {
    let records = [record("a", "SSBD:database", &[(Article, "x")]), record("b", "SSBD:repository", &[(Article, "x")])];
    assert_eq!(told(&records, "b"), ids(&["a", "b"], &[]));
    let found = study(&records, "b").study;
    assert_eq!((found.id, found.evidence.len()), (key("a"), 1));
    assert_eq!((found.evidence[0].kind, found.evidence[0].records.len()), (Article, 2));
}

#[test]
fn several_studies_of_one_paper_in_one_archive_are_related_and_stay_several() {
    let records = [
        record("wave1", "BioImage Archive", &[(Article, "x"), (Description, "d"), (Title, "wave 1")]),
        record("wave2", "BioImage Archive", &[(Article, "x"), (Description, "d"), (Title, "wave 2")]),
        record("elsewhere", "IDR", &[(Article, "x")]),
    ];
    assert_eq!(told(&records, "wave1"), ids(&["wave1"], &["elsewhere", "wave2"]));
}

#[test]
fn one_title_is_one_study_but_not_across_different_articles() {
    let same = [record("a", "BIA", &[(Title, "t")]), record("b", "BIA", &[(Title, "t")])];
    assert_eq!(told(&same, "a"), ids(&["a", "b"], &[]));
    let records = [
        record("66", "database", &[(Title, "t"), (Article, "neuron")]),
        record("repos-66", "repository", &[(Title, "t"), (Article, "neuron")]),
        record("repos-156", "repository", &[(Title, "t"), (Article, "cell")]),
        record("unsure", "BIA", &[(Title, "t")]),
    ];
    assert_eq!(told(&records, "66"), ids(&["66", "repos-66"], &["repos-156", "unsure"]));
    assert_eq!(told(&records, "unsure").0, ["unsure"]);
}

#[test]
fn a_preprint_and_its_article_do_not_part_what_bears_the_articles_title() {
    let records = [
        record("a", "BIA", &[(Title, "t"), (Article, "preprint")]),
        record("b", "IDR", &[(Title, "t"), (Article, "journal"), (ArticleTitle, "t")]),
        record("c", "SSBD", &[(Title, "another"), (ArticleTitle, "t")]),
    ];
    assert_eq!(told(&records, "a"), ids(&["a", "b", "c"], &[]));
}

#[test]
fn a_study_that_names_another_is_related_to_it_and_one_that_claims_to_be_it_is_the_same() {
    let records = [
        record("idr", "IDR", &[(Identifier, "idr0012")]),
        record("annotation", "BIA", &[(Mention, "idr0012")]),
        record("copy", "SSBD", &[(SameAs, "idr0012")]),
    ];
    assert_eq!(told(&records, "idr"), ids(&["copy", "idr"], &["annotation"]));
    assert_eq!(told(&records, "annotation"), ids(&["annotation"], &["idr"]));
}

#[test]
fn weak_evidence_makes_no_chain_through_a_third_archive() {
    let records = [
        record("a1", "A", &[(Article, "x")]),
        record("b1", "B", &[(Article, "x"), (Description, "d")]),
        record("a2", "A", &[(Description, "d")]),
    ];
    assert_eq!(told(&records, "a1"), ids(&["a1", "b1"], &["a2"]));
}

#[test]
fn what_everybody_has_is_no_evidence() {
    let many: Vec<_> =
        (0..=MAX_STUDY_RECORDS).map(|n| record(&format!("r{n}"), &format!("P{n}"), &[(Title, "image data")])).collect();
    assert_eq!(told(&many, "r7"), ids(&["r7"], &[]));
    assert_eq!(told(&many[1..], "r7").0.len(), MAX_STUDY_RECORDS);
}

#[test]
fn a_study_that_would_grow_without_end_stops() {
    let chain: Vec<_> = (0..200)
        .map(|n| {
            let (own, next) = (format!("i{n}"), format!("i{}", n + 1));
            record(&format!("r{n}"), "P", &[(Identifier, &own), (Identifier, &next)])
        })
        .collect();
    let sizes: Vec<usize> = (0..200).map(|n| told(&chain, &format!("r{n}")).0.len()).step_by(20).collect();
    assert!(sizes.iter().all(|size| *size <= MAX_STUDY_RECORDS), "{sizes:?}");
}

#[test]
fn the_record_with_images_stands_for_the_study() {
    let mut with_images = record("z", "A", &[(Title, "t")]);
    with_images.images = 3;
    let found = study(&[record("a", "B", &[(Title, "t")]), with_images], "a");
    assert_eq!(found.study.id, key("z"));
}

/// Run it by name with `--ignored --nocapture`: it builds an index of a million records.
#[test]
#[ignore = "a measurement"]
fn a_million_records() {
    for count in [1_250_u32, 100_000, 1_000_000] {
        let index = SearchIndex::in_memory().unwrap();
        let made = |n: u32| {
            let study = n % (count - count / 5);
            let values = ["title", "description", "article", "iri", "accession"].map(|name| format!("{name} {n}"));
            let [title, description, _, iri, accession] = &values;
            let article = format!("article {study}");
            let keys = [
                (Title, title.as_str()),
                (Description, description),
                (Article, &article),
                (Identifier, iri),
                (Identifier, accession),
            ];
            IndexChange::Put(Box::new(record(&format!("r{n}"), &format!("P{}", n / (count - count / 5)), &keys)))
        };
        let numbers: Vec<u32> = (0..count).collect();
        for batch in numbers.chunks(100_000) {
            index.apply(batch.iter().map(|n| made(*n)).collect(), &BTreeMap::new()).unwrap();
        }
        let query = |collapse| search_index::Query { collapse, ..search_index::Query::default() };
        let time = |query: &search_index::Query| {
            let start = std::time::Instant::now();
            let answer = index.search(query).unwrap();
            (start.elapsed(), answer.studies)
        };
        let (first, studies) = time(&query(true));
        assert_eq!(studies, Some(u64::from(count - count / 5)));
        let warm = (0..9).map(|_| time(&query(true)).0).min().unwrap();
        let plain = (0..9).map(|_| time(&query(false)).0).min().unwrap();
        println!("{count} records: studies found in {first:?}; then {warm:?} an answer, {plain:?} without collapsing");
    }
}
