//! Writing, replacing, removing, reopening.

use std::collections::BTreeMap;

use crate::support::{found, key, put, record, text};
use search_index::{IndexChange, Query, SearchError, SearchIndex};

#[test]
fn a_record_is_replaced_and_removed_by_key() {
    let index = SearchIndex::in_memory().unwrap();
    let none = BTreeMap::new();
    index.apply(vec![put(record("a", "first")), put(record("a", "second")), put(record("b", "first"))], &none).unwrap();
    assert_eq!(found(&index, &text("first")), ["b"]);
    assert_eq!(index.document(&key("a")).unwrap(), Some(record("a", "second")));
    assert_eq!(index.count(), 2);

    index.apply(vec![IndexChange::Remove(key("a")), IndexChange::Remove(key("never"))], &none).unwrap();
    assert_eq!(index.document(&key("a")).unwrap(), None);
    assert!(found(&index, &text("second")).is_empty());

    index.apply(vec![IndexChange::Remove(key("b")), put(record("b", "again")), put(record("c", "x"))], &none).unwrap();
    index.apply(vec![put(record("c", "x")), IndexChange::Remove(key("c"))], &none).unwrap();
    assert_eq!(found(&index, &Query::default()), ["b"]);
    assert_eq!(index.counts_by_node().unwrap(), BTreeMap::from([("europe".parse().unwrap(), 1)]));
}

#[test]
fn a_reopened_index_knows_its_records_and_where_it_stood() {
    let dir = tempfile::tempdir().unwrap();
    let applied = BTreeMap::from([("europe".parse().unwrap(), 7), ("japan".parse().unwrap(), 3)]);
    {
        let index = SearchIndex::open(dir.path()).unwrap();
        assert!(index.applied().unwrap().is_empty());
        index.apply(vec![put(record("a", "kept"))], &BTreeMap::new()).unwrap();
        index.apply(Vec::new(), &applied).unwrap();
    }
    let index = SearchIndex::open(dir.path()).unwrap();
    assert_eq!(index.applied().unwrap(), applied);
    assert_eq!(found(&index, &text("kept")), ["a"]);
}

#[test]
fn two_writers_of_one_folder_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = SearchIndex::open(dir.path()).unwrap();
    assert!(matches!(SearchIndex::open(dir.path()), Err(SearchError::Busy { .. })));
}

#[test]
fn an_index_of_another_version_is_deleted_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("schema-0/part")).unwrap();
    std::fs::write(dir.path().join("schema-notes.txt"), "mine").unwrap();
    std::fs::create_dir(dir.path().join("holiday")).unwrap();
    drop(SearchIndex::open(dir.path()).unwrap());
    assert!(!dir.path().join("schema-0").exists());
    assert!(dir.path().join("schema-notes.txt").exists() && dir.path().join("holiday").exists());
}

#[test]
fn an_index_with_other_fields_is_started_afresh() {
    let dir = tempfile::tempdir().unwrap();
    {
        let index = SearchIndex::open(dir.path()).unwrap();
        index.apply(vec![put(record("a", "old"))], &BTreeMap::from([("europe".parse().unwrap(), 1)])).unwrap();
    }
    let folder = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let meta = std::fs::read_to_string(folder.join("meta.json")).unwrap();
    std::fs::write(folder.join("meta.json"), meta.replace("\"title_order\"", "\"title_ordre\"")).unwrap();
    let index = SearchIndex::open(dir.path()).unwrap();
    assert_eq!((index.count(), index.applied().unwrap().len()), (0, 0));
}

#[test]
fn a_damaged_index_is_an_error_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    drop(SearchIndex::open(dir.path()).unwrap());
    let folder = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("meta.json"), "{").unwrap();
    let error = SearchIndex::open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("rebuild"), "{error}");
}
