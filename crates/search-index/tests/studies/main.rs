//! Which records are one study, against a naive reading of the rules; and one hit for each study, against the plain list.

mod oracle;
mod rules;
mod strategies;

use std::collections::{BTreeMap, BTreeSet};

use dataset_model::{Access, DatasetKey};
use proptest::prelude::*;
use search_index::{FacetSelection, Hit, IndexChange, Query, SearchDocument, SearchIndex, Sort};

type Records = BTreeMap<DatasetKey, SearchDocument>;

fn built(batches: &[Vec<IndexChange>]) -> (SearchIndex, Records) {
    let index = SearchIndex::in_memory().unwrap();
    let mut records = Records::new();
    for batch in batches {
        index.apply(batch.clone(), &BTreeMap::new()).unwrap();
        for change in batch {
            match change {
                IndexChange::Put(record) => drop(records.insert(record.key.clone(), (**record).clone())),
                IndexChange::Remove(key) => drop(records.remove(key)),
            }
        }
    }
    (index, records)
}

fn seen(records: &Records, visible: &[Access]) -> Vec<SearchDocument> {
    records.values().filter(|record| visible.contains(&record.access)).cloned().collect()
}

/// The studies of several records that the index tells of.
fn told(index: &SearchIndex, records: &[SearchDocument], visible: &[Access]) -> BTreeSet<BTreeSet<DatasetKey>> {
    let study = |record: &SearchDocument| -> BTreeSet<DatasetKey> {
        let found = index.study(&record.key, visible).unwrap().unwrap();
        found.study.locations.into_iter().map(|location| location.key).collect()
    };
    records.iter().map(study).filter(|study| study.len() > 1).collect()
}

fn walk(index: &SearchIndex, query: &Query) -> Vec<Hit> {
    let (mut query, mut hits) = (query.clone(), Vec::new());
    loop {
        let page = index.search(&query).unwrap();
        hits.extend(page.hits);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor.to_string().parse().unwrap()),
            None => return hits,
        }
    }
}

fn keys(hits: &[Hit]) -> Vec<DatasetKey> {
    hits.iter().map(|hit| hit.document.key.clone()).collect()
}

/// The place of a record among those of its study.
fn place(record: &SearchDocument) -> (bool, DatasetKey) {
    (record.images == 0, record.key.clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn studies_are_those_of_the_naive_rules(
        batches in strategies::batches(),
        visible in proptest::sample::subsequence(strategies::ALL_ACCESS.to_vec(), 1..=3),
    ) {
        let (index, records) = built(&batches);
        let seen = seen(&records, &visible);
        prop_assert_eq!(told(&index, &seen, &visible), oracle::studies(&seen));
    }

    #[test]
    fn it_does_not_matter_in_which_order_or_in_how_many_batches_records_come(
        batches in strategies::batches(),
        rotation in 0_usize..20,
    ) {
        let (one, records) = built(&batches);
        let mut changes: Vec<IndexChange> =
            records.values().map(|record| IndexChange::Put(Box::new(record.clone()))).collect();
        let middle = rotation.min(changes.len());
        changes.rotate_left(middle);
        let (other, _) = built(&[changes]);
        let all = strategies::ALL_ACCESS;
        for key in records.keys() {
            prop_assert_eq!(one.study(key, &all).unwrap(), other.study(key, &all).unwrap());
        }
    }

    #[test]
    fn a_collapsed_answer_is_the_plain_one_with_one_record_for_each_study(
        batches in strategies::batches(),
        query in strategies::query(),
    ) {
        let (index, records) = built(&batches);
        let studies = oracle::studies(&seen(&records, &query.visible));
        let plain = walk(&index, &query);
        let matching: BTreeSet<DatasetKey> = keys(&plain).into_iter().collect();
        let stands = |key: &DatasetKey| {
            let study = studies.iter().find(|study| study.contains(key));
            let best = study.and_then(|study| study.intersection(&matching).min_by_key(|key| place(&records[*key])));
            best.is_none_or(|best| best == key)
        };
        let expected: Vec<DatasetKey> = keys(&plain).into_iter().filter(stands).collect();
        let collapse = Query { collapse: true, facets: FacetSelection::ALL, ..query.clone() };
        prop_assert_eq!(keys(&walk(&index, &collapse)), expected.clone());

        let answer = index.search(&collapse).unwrap();
        prop_assert_eq!(answer.studies, Some(expected.len() as u64));
        prop_assert_eq!(answer.total, plain.len() as u64);
        prop_assert_eq!(&answer.facets, &index.search(&Query { facets: FacetSelection::ALL, ..query }).unwrap().facets);
        for hit in answer.hits {
            let study = studies.iter().find(|study| study.contains(&hit.document.key));
            let locations = hit.study.map(|study| study.locations.into_iter().map(|at| at.key).collect::<BTreeSet<_>>());
            prop_assert_eq!(locations.as_ref(), study);
        }
    }

    #[test]
    fn nobody_learns_of_a_record_they_may_not_see(batches in strategies::batches()) {
        let (index, records) = built(&batches);
        let open: Vec<IndexChange> = seen(&records, &[Access::Open])
            .into_iter()
            .map(|record| IndexChange::Put(Box::new(record)))
            .collect();
        let (without, _) = built(&[open]);
        for key in records.keys() {
            prop_assert_eq!(index.study(key, &[Access::Open]).unwrap(), without.study(key, &[Access::Open]).unwrap());
        }
        let query = Query { collapse: true, visible: vec![Access::Open], sort: Sort::Title, ..Query::default() };
        prop_assert_eq!(index.search(&query).unwrap().hits, without.search(&query).unwrap().hits);
    }
}
