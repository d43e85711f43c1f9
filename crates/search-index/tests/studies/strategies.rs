//! Records over so few keys that they meet.

use dataset_model::{Access, DatasetKey, StudyKey, StudyKeyKind};
use proptest::{option, prelude::*, sample::select};
use search_index::{IndexChange, Query, SearchDocument, Sort};

pub(crate) const ALL_ACCESS: [Access; 3] = [Access::Open, Access::MetadataOnly, Access::Restricted];
const PUBLISHERS: [&str; 3] = ["IDR", "BioImage Archive", "SSBD:database"];
const WORDS: [&str; 3] = ["alpha", "beta", "gamma"];
const KINDS: [StudyKeyKind; 7] = [
    StudyKeyKind::Identifier,
    StudyKeyKind::SameAs,
    StudyKeyKind::Title,
    StudyKeyKind::Article,
    StudyKeyKind::ArticleTitle,
    StudyKeyKind::Description,
    StudyKeyKind::Mention,
];

fn study_key() -> impl Strategy<Value = StudyKey> {
    (select(&KINDS), 0_u32..6).prop_map(|(kind, number)| StudyKey::new(kind, format!("value {number}")))
}

fn key() -> impl Strategy<Value = DatasetKey> {
    (select(&["a", "a-b", "b"]), 0_u32..9)
        .prop_map(|(node, id)| DatasetKey { node: node.parse().unwrap(), id: format!("r{id}").parse().unwrap() })
}

fn record() -> impl Strategy<Value = SearchDocument> {
    let access = prop_oneof![4 => Just(Access::Open), 1 => select(&ALL_ACCESS)];
    let rest = (option::of(select(&PUBLISHERS)), access, 0_u32..2, option::of(2020_u16..2023));
    let words = prop::collection::vec(select(&WORDS), 0..4).prop_map(|words| words.join(" "));
    (key(), prop::collection::vec(study_key(), 0..4), words, rest).prop_map(
        |(key, mut study_keys, title, (publisher, access, images, year))| {
            study_keys.sort();
            study_keys.dedup();
            let mut record = SearchDocument::empty(key);
            record.publisher = publisher.map(str::to_owned);
            (record.study_keys, record.title, record.access) = (study_keys, title, access);
            (record.images, record.year) = (images, year);
            record
        },
    )
}

pub(crate) fn batches() -> impl Strategy<Value = Vec<Vec<IndexChange>>> {
    let change = prop_oneof![
        8 => record().prop_map(|record| IndexChange::Put(Box::new(record))),
        1 => key().prop_map(IndexChange::Remove),
    ];
    prop::collection::vec(prop::collection::vec(change, 0..12), 1..4)
}

pub(crate) fn query() -> impl Strategy<Value = Query> {
    let sort = select(&[Sort::Relevance, Sort::Newest, Sort::Oldest, Sort::Largest, Sort::Title]);
    let visible = proptest::sample::subsequence(ALL_ACCESS.to_vec(), 1..=3);
    let publisher = prop_oneof![2 => Just(None), 1 => select(&PUBLISHERS).prop_map(Some)];
    let text = prop_oneof![1 => Just(""), 1 => select(&WORDS)];
    (text, publisher, visible, sort, 1_usize..6).prop_map(|(text, publisher, visible, sort, size)| Query {
        text: text.to_owned(),
        publisher: publisher.map(str::to_owned).into_iter().collect(),
        visible,
        sort,
        size,
        ..Query::default()
    })
}
