//! The index against a naive one that keeps records in a map and looks at all of them.

mod naive;
mod strategies;

use std::collections::{BTreeMap, BTreeSet};

use dataset_model::{Access, DatasetKey};
use proptest::prelude::*;
use search_index::{FacetSelection, Facets, Hit, IndexChange, Query, SearchDocument, SearchIndex, Sort};

use naive::{Model, naive_order};

fn built(batches: &[Vec<IndexChange>]) -> (SearchIndex, Model) {
    let index = SearchIndex::in_memory().unwrap();
    let mut model = Model::default();
    for batch in batches {
        index.apply(batch.clone(), &BTreeMap::new()).unwrap();
        model.apply(batch);
    }
    (index, model)
}

/// All pages of an answer; `between` runs after each page.
fn walk(index: &SearchIndex, query: &Query, mut between: impl FnMut()) -> Vec<Hit> {
    let mut query = Query { cursor: None, ..query.clone() };
    let mut hits = Vec::new();
    loop {
        let page = index.search(&query).unwrap();
        assert!(page.hits.len() <= query.size);
        hits.extend(page.hits);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor.to_string().parse().unwrap()),
            None => return hits,
        }
        between();
    }
}

fn keys(hits: &[Hit]) -> Vec<DatasetKey> {
    hits.iter().map(|hit| hit.document.key.clone()).collect()
}

/// Asks for one facet, for all but it and for none: nothing else is counted, and what is counted is the same.
fn assert_some_facets_are_those_of_all(index: &SearchIndex, query: &Query, all: &Facets) {
    let whole = serde_json::to_value(all).unwrap();
    let names: Vec<&str> = FacetSelection::names().collect();
    let one = names[query.text.len() % names.len()];
    let but_one = names.iter().copied().filter(|name| *name != one).collect();
    for chosen in [vec![], vec![one], but_one] {
        let facets = chosen.iter().fold(FacetSelection::NONE, |facets, name| facets.with(name).unwrap());
        let some = index.search(&Query { facets, ..query.clone() }).unwrap().facets;
        let some = serde_json::to_value(&some).unwrap();
        assert_eq!(some.as_object().map(|facets| facets.len()), Some(names.len()));
        for name in &names {
            let expected = if chosen.contains(name) { whole[name].clone() } else { serde_json::json!([]) };
            assert_eq!(some[name], expected, "{name} of {query:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn totals_hits_and_facets_are_those_of_the_naive_index(
        batches in strategies::batches(),
        queries in prop::collection::vec(strategies::query(), 1..6),
    ) {
        let (index, model) = built(&batches);
        prop_assert_eq!(index.count(), model.records.len() as u64);
        prop_assert_eq!(index.counts_by_node().unwrap(), model.counts_by_node());
        for query in queries {
            let expected = model.matching(&query);
            let results = index.search(&Query { facets: FacetSelection::ALL, ..query.clone() }).unwrap();
            prop_assert_eq!(results.total, expected.len() as u64, "{:?}", query);
            prop_assert_eq!(&results.facets, &model.facets(&query), "{:?}", query);
            assert_some_facets_are_those_of_all(&index, &query, &results.facets);

            let hits = walk(&index, &query, || {});
            for hit in &hits {
                prop_assert_eq!(&hit.document, &model.records[&hit.document.key]);
            }
            let ranked = query.sort == Sort::Relevance && naive::has_words(&query.text);
            if ranked {
                let found: BTreeSet<_> = keys(&hits).into_iter().collect();
                prop_assert_eq!(found.len(), hits.len());
                prop_assert_eq!(found, expected.iter().map(|record| record.key.clone()).collect());
                let places: Vec<_> = hits.iter().map(|hit| (-hit.score, hit.document.key.clone())).collect();
                prop_assert!(places.is_sorted(), "{:?}", places);
            } else {
                prop_assert_eq!(keys(&hits), naive_order(query.sort, expected));
            }
        }
    }

    #[test]
    fn years_add_up_to_the_total(batches in strategies::batches(), query in strategies::query()) {
        let (index, model) = built(&batches);
        let query = Query { year_from: None, year_to: None, facets: FacetSelection::ALL, ..query };
        let results = index.search(&query).unwrap();
        let undated = model.matching(&query).iter().filter(|record| record.year.is_none()).count() as u64;
        let dated: u64 = results.facets.year.iter().map(|year| year.count).sum();
        prop_assert_eq!(dated + undated, results.total);
    }

    #[test]
    fn paging_past_concurrent_writes_shows_each_unchanged_record_once(
        batches in strategies::batches(),
        query in strategies::query(),
        size in 1_usize..4,
        noise in prop::collection::vec(strategies::batch(), 1..8),
    ) {
        let (index, model) = built(&batches);
        let query = Query { size, ..query };
        let touched: BTreeSet<DatasetKey> = noise.iter().flatten().map(|change| match change {
            IndexChange::Put(record) => record.key.clone(),
            IndexChange::Remove(key) => key.clone(),
        }).collect();
        let expected: Vec<DatasetKey> = keys(&walk(&index, &query, || {}))
            .into_iter().filter(|key| !touched.contains(key)).collect();
        let mut writes = noise.iter();
        let seen = keys(&walk(&index, &query, || {
            if let Some(batch) = writes.next() {
                index.apply(batch.clone(), &BTreeMap::new()).unwrap();
            }
        }));
        let unchanged: Vec<DatasetKey> = seen.into_iter().filter(|key| !touched.contains(key)).collect();
        prop_assert_eq!(unchanged, expected, "of {:?}", model.records.keys());
    }

    #[test]
    fn the_score_of_a_record_does_not_depend_on_its_company(
        records in strategies::wordy("r", 1..6),
        company in strategies::wordy("company", 0..30),
        text in strategies::wanted_words(),
    ) {
        let (alone, _) = built(std::slice::from_ref(&records));
        let (together, _) = built(&[[company, records].concat()]);
        let query = Query { text, size: 200, ..Query::default() };
        let expected = alone.search(&query).unwrap().hits;
        let mut found = together.search(&query).unwrap().hits;
        found.retain(|hit| hit.document.key.id.as_str().starts_with('r'));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn ranked_pages_past_concurrent_writes_keep_their_order(
        records in strategies::wordy("r", 4..20),
        noise in prop::collection::vec(strategies::wordy("company", 0..12), 1..6),
        text in strategies::wanted_words(),
    ) {
        let (index, _) = built(std::slice::from_ref(&records));
        let query = Query { text, size: 2, ..Query::default() };
        let expected = keys(&walk(&index, &query, || {}));
        let mut writes = noise.iter();
        let mut seen = keys(&walk(&index, &query, || {
            if let Some(batch) = writes.next() {
                index.apply(batch.clone(), &BTreeMap::new()).unwrap();
            }
        }));
        seen.retain(|key| key.id.as_str().starts_with('r'));
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn how_records_came_in_makes_no_difference(records in strategies::batch(), query in strategies::query()) {
        let (at_once, _) = built(std::slice::from_ref(&records));
        let (one_by_one, _) = built(&records.iter().map(|change| vec![change.clone()]).collect::<Vec<_>>());
        let query = Query { facets: FacetSelection::ALL, ..query };
        prop_assert_eq!(at_once.search(&query).unwrap(), one_by_one.search(&query).unwrap());
    }
}

#[test]
fn records_one_may_not_see_change_no_part_of_an_answer() {
    let open = |id: &str, title: &str| strategies::titled("a", id, title, Access::Open);
    let shown = vec![open("x", "alpha beta"), open("y", "alpha"), open("z", "beta alpha alpha")];
    let hidden = |n: u32| strategies::titled("a", &format!("h{n}"), "alpha beta secret", Access::Restricted);
    let put = |records: &[SearchDocument]| -> Vec<IndexChange> {
        records.iter().map(|record| IndexChange::Put(Box::new(record.clone()))).collect()
    };
    let (without, _) = built(&[put(&shown)]);
    let (with, _) = built(&[put(&(0..50).map(hidden).collect::<Vec<_>>()), put(&shown)]);
    for text in ["alpha", "alpha beta", "secret", "sec", "", "-alpha"] {
        let query = Query { text: text.to_owned(), facets: FacetSelection::ALL, size: 2, ..Query::default() };
        assert_eq!(without.search(&query).unwrap(), with.search(&query).unwrap(), "{text}");
    }
    let nobody = Query { visible: Vec::new(), facets: FacetSelection::ALL, ..Query::default() };
    let results = with.search(&nobody).unwrap();
    assert_eq!((results.total, results.facets), (0, search_index::Facets::default()));
}

#[test]
fn a_score_is_the_same_sum_in_whatever_order_the_words_are_looked_up() {
    let words = ["alpha", "beta", "gamma"];
    let record = |n: usize| {
        let title: Vec<&str> = (0..3 + n % 5).map(|at| words[(at * (n + 1)) % 3]).collect();
        let mut record = strategies::titled("a", &format!("r{n}"), &title.join(" "), Access::Open);
        record.description = (0..40 + n).map(|at| words[(at * at + n) % 3]).collect::<Vec<_>>().join(" ");
        record.keywords = vec![words.join(" "), words[n % 3].to_owned()];
        IndexChange::Put(Box::new(record))
    };
    let scores = |frequent: [usize; 3]| {
        let filler = words.iter().zip(frequent).flat_map(|(word, count)| {
            (0..count).map(move |n| strategies::titled("b", &format!("{word}{n}"), word, Access::Open))
        });
        let filler = filler.map(|record| IndexChange::Put(Box::new(record)));
        let (index, _) = built(&[(0..60).map(record).chain(filler).collect()]);
        let hits = index.search(&Query { text: words.join(" "), size: 200, ..Query::default() }).unwrap().hits;
        hits.into_iter().map(|hit| (hit.document.key, hit.score)).collect::<BTreeMap<_, _>>()
    };
    // The engine looks words up by how many records follow that have them, and adds scores in that order; it looks ahead
    // 4,096 records, so it takes more to make a difference.
    let expected = scores([0, 0, 0]);
    assert_eq!(expected.len(), 60);
    for frequent in [[100, 5_000, 9_000], [9_000, 100, 5_000], [5_000, 9_000, 100]] {
        assert_eq!(scores(frequent), expected);
    }
}
