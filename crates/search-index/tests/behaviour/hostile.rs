//! Input that means harm, or was simply never thought of.

use crate::support::{found, index_of, key, record, text};
use dataset_model::Access;
use proptest::prelude::*;
use search_index::{Cursor, FacetSelection, MAX_VALUES, Query, SearchError, SearchIndex, Sort};

fn index() -> SearchIndex {
    let mut odd = record("odd", "\u{0} \u{202e}\u{feff} e\u{301}\u{301}\u{301} 🧬 ﷽ \"");
    odd.description = "a".repeat(200_000);
    odd.keywords = vec![String::new(), " ".to_owned(), "\u{0}".to_owned()];
    odd.publisher = Some("p".repeat(100_000));
    odd.date = Some("99999-99-99".to_owned());
    odd.bytes = Some(u64::MAX);
    odd.year = Some(u16::MAX);
    index_of([odd, record("plain", "Plain cells")])
}

#[test]
fn text_beyond_bounds_is_refused_with_the_bound() {
    let index = index();
    assert!(matches!(index.search(&text(&"x ".repeat(50_000))), Err(SearchError::QueryTooLong { limit: 4_096, .. })));
    assert!(matches!(index.search(&text(&"x ".repeat(65))), Err(SearchError::TooManyTerms { terms: 65, limit: 64 })));
    assert!(matches!(index.search(&text(&"-\"a b\" ".repeat(33))), Err(SearchError::TooManyTerms { .. })));
    let large = Query { size: 201, ..Query::default() };
    assert!(matches!(index.search(&large), Err(SearchError::PageTooLarge { size: 201, limit: 200 })));
    let many = Query { publisher: vec![String::new(); MAX_VALUES + 1], ..Query::default() };
    assert!(matches!(index.search(&many), Err(SearchError::TooManyValues { filter: "publisher", .. })));
}

#[test]
fn nothing_typed_is_a_syntax_error() {
    let index = index();
    for query in ["\"plain", "plain\"", "(plain", "+plain", "\u{0}plain\u{7}", "plain - --", "\"\" plain", "plain ((("]
    {
        assert_eq!(found(&index, &text(query)), ["plain"], "{query:?}");
    }
    assert_eq!(index.search(&text("??? \"\" -")).unwrap().total, 2);
    assert!(found(&index, &text("title:plain")).is_empty());
}

#[test]
fn oversized_values_can_still_be_filtered_by_what_the_facet_shows() {
    let index = index();
    let facets = index.search(&Query { facets: FacetSelection::ALL, ..Query::default() }).unwrap().facets;
    let publisher = vec![facets.publisher[0].value.clone()];
    assert_eq!(found(&index, &Query { publisher, ..Query::default() }), ["odd"]);
    let years = Query { year_from: Some(u16::MAX), ..Query::default() };
    assert_eq!(found(&index, &years), ["odd"]);
    assert!(found(&index, &Query { year_from: Some(9), year_to: Some(3), ..Query::default() }).is_empty());
}

#[test]
fn asking_for_no_hits_gives_counts() {
    let results = index().search(&Query { size: 0, facets: FacetSelection::ALL, ..Query::default() }).unwrap();
    assert_eq!((results.total, results.hits.len(), results.next_cursor), (2, 0, None));
    assert_eq!(results.facets.access[0].count, 2);
}

#[test]
fn cursors_to_nowhere_end_or_continue_but_never_fail() {
    let index = index();
    for (letter, sort) in [("n", Sort::Newest), ("o", Sort::Oldest), ("l", Sort::Largest)] {
        for value in ["0", "ffffffffffffffff", "7"] {
            let cursor: Cursor = format!("{letter}~w~{value}~zzz~0").parse().unwrap();
            index.search(&Query { cursor: Some(cursor), sort, ..Query::default() }).unwrap();
        }
    }
    let cursor: Cursor = "r~p~ffffffffffffffff~zzz~0".parse().unwrap();
    assert_eq!(index.search(&Query { cursor: Some(cursor), ..text("plain") }).unwrap().total, 1);
    for bad in ["", "~", "r~w~0~a", "r~w~0~a~b~c", "t~w~6~a~b", "t~w~ff~a~b", "r~w~-1~a~b", "x~w~0~a~b", "r~w~0~A~b"] {
        assert!(matches!(bad.parse::<Cursor>(), Err(SearchError::BadCursor)), "{bad}");
    }
}

#[test]
fn restricted_records_need_to_be_asked_for() {
    let mut secret = record("secret", "Plain cells");
    secret.access = Access::Restricted;
    let index = index_of([secret, record("open", "Plain cells")]);
    assert_eq!(found(&index, &text("plain")), ["open"]);
    assert!(found(&index, &Query { access: vec![Access::Restricted], ..Query::default() }).is_empty());
    assert!(index.document(&key("secret")).unwrap().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_an_answer(typed in "[\"\\-a-c:~^*()\\[\\]\\PC\\x00-\\x1f]{0,60}") {
        thread_local!(static INDEX: SearchIndex = index());
        INDEX.with(|index| match index.search(&Query { facets: FacetSelection::ALL, ..text(&typed) }) {
            Ok(results) => assert!(results.hits.len() as u64 <= results.total),
            Err(error) => assert!(matches!(error, SearchError::TooManyTerms { .. }), "{error}"),
        });
    }

    #[test]
    fn any_record_that_goes_in_comes_out_and_is_found_by_its_words(title in "\\PC{0,40}", description in "\\PC{0,80}") {
        let mut any = record("any", &title);
        any.description = description;
        let index = index_of([any.clone()]);
        assert_eq!(index.document(&key("any")).unwrap(), Some(any.clone()));
        for word in any.title.split_whitespace().filter(|word| !word.contains(['"', '“', '”', '„', '«', '»', '「', '」'])) {
            let word = word.trim_start_matches('-');
            let hits = index.search(&text(word)).unwrap().hits;
            assert_eq!(hits.len(), 1, "{word:?} of {:?}", any.title);
            let fragments = hits[0].highlights.iter().flat_map(|highlight| &highlight.fragments);
            for fragment in fragments {
                let marks = fragment.marks.iter().filter(|mark| fragment.text.get((*mark).clone()).is_none());
                assert_eq!(marks.count(), 0);
            }
        }
    }
}
