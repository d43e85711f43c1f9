//! Records for the tests.

use std::collections::BTreeMap;

use dataset_model::{DatasetKey, Term};
use search_index::{IndexChange, Query, SearchDocument, SearchIndex};

pub(crate) fn key(id: &str) -> DatasetKey {
    DatasetKey { node: "europe".parse().unwrap(), id: id.parse().unwrap() }
}

pub(crate) fn record(id: &str, title: &str) -> SearchDocument {
    let mut record = SearchDocument::empty(key(id));
    record.title = title.to_owned();
    record
}

pub(crate) fn term(id: &str, label: &str) -> Term {
    Term { iri: format!("http://purl.obolibrary.org/obo/{id}").parse().unwrap(), label: label.to_owned() }
}

pub(crate) fn put(record: SearchDocument) -> IndexChange {
    IndexChange::Put(Box::new(record))
}

pub(crate) fn index_of(records: impl IntoIterator<Item = SearchDocument>) -> SearchIndex {
    let index = SearchIndex::in_memory().unwrap();
    index.apply(records.into_iter().map(put).collect(), &BTreeMap::new()).unwrap();
    index
}

pub(crate) fn text(text: &str) -> Query {
    Query { text: text.to_owned(), ..Query::default() }
}

/// The ids found, in order.
pub(crate) fn found(index: &SearchIndex, query: &Query) -> Vec<String> {
    index.search(query).unwrap().hits.iter().map(|hit| hit.document.key.id.to_string()).collect()
}
