//! Not a benchmark: it prints what a small collection costs, and fails only on wrong answers.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::support::{put, record, term, text};
use search_index::{FacetSelection, Query, SearchDocument, SearchIndex, Sort};

const RECORDS: u32 = 5_000;

/// Numbers that look random and are the same every time.
fn spread(n: u32, salt: u32) -> u32 {
    (n.wrapping_mul(2_654_435_761) ^ salt.wrapping_mul(40_503)).rotate_left(salt % 31).wrapping_mul(2_246_822_519) >> 8
}

fn synthetic(n: u32) -> SearchDocument {
    let word = |salt: u32| {
        let rank = spread(n, salt) % 1_000;
        format!("word{}", rank * rank / 400)
    };
    let mut made = record(&format!("r{n}"), &format!("{} {} cells", word(1), word(2)));
    made.description = (10..70).map(word).collect::<Vec<_>>().join(" ");
    made.keywords = vec![word(3), word(4)];
    let organism = spread(n, 5) % 300;
    made.organisms = vec![term(&format!("NCBITaxon_{organism}"), &format!("Species {organism}"))];
    made.organism_closure =
        [organism, 1_000 + organism % 20, 2_000].map(|id| term(&format!("NCBITaxon_{id}"), "").iri).to_vec();
    made.organism_names = vec![format!("Species {organism}"), format!("genus{}", organism % 20)];
    made.methods = vec![term(&format!("FBbi_{}", spread(n, 6) % 40), "method")];
    made.publisher = Some(format!("Publisher {}", spread(n, 7) % 5));
    made.licence = Some("CC-BY-4.0".to_owned());
    made.year = u16::try_from(2000 + spread(n, 8) % 27).ok();
    made.images = spread(n, 9) % 2;
    made
}

#[test]
fn a_small_collection_is_counted_right_and_its_cost_printed() {
    let dir = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(dir.path()).unwrap();
    let start = Instant::now();
    index.apply((0..RECORDS).map(synthetic).map(put).collect(), &BTreeMap::new()).unwrap();
    println!("{RECORDS} records applied in {:?}", start.elapsed());
    let mammals = vec![term("NCBITaxon_1007", "").iri];
    let questions = [
        ("everything", Query { sort: Sort::Newest, ..Query::default() }),
        ("a frequent word", text("cells")),
        ("a word", text("word100")),
        ("two words", text("word0 word4")),
        ("a word, with ancestors", Query { organism: mammals, ..text("word0") }),
    ];
    for (name, question) in questions {
        let question = Query { facets: FacetSelection::ALL, ..question };
        let mut times: Vec<_> = (0..9)
            .map(|_| {
                let start = Instant::now();
                let results = index.search(&question).unwrap();
                let years: u64 = results.facets.year.iter().map(|year| year.count).sum();
                assert_eq!(years, results.total);
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        let total = index.search(&question).unwrap().total;
        println!("{name}: {total} records, 20 hits and facets in {:?} (median of 9)", times[4]);
    }
    assert_eq!(index.search(&text("cells")).unwrap().total, u64::from(RECORDS));
}
