//! What words are known to mean, other spellings, and records that are alike.

use std::collections::BTreeMap;

use dataset_model::{Access, StudyKey, StudyKeyKind, TermIri};
use search_index::{Concept, FacetSelection, Query, SearchDocument, SearchIndex, Sort, Vocabulary, Within};

use crate::support::{found, index_of, key, put, record, term, text};

/// Knows what light sheets and mice are.
struct Biologist;

impl Vocabulary for Biologist {
    fn concept(&self, words: &str) -> Option<Concept> {
        let named = |terms: &[&str], names: &[&str], only_together| Concept {
            terms: terms.iter().map(|id| term(id, "").iri).collect(),
            names: names.iter().map(ToString::to_string).collect(),
            only_together,
        };
        match words {
            "light sheet" | "spim" => {
                Some(named(&["FBbi_00000369"], &["SPIM", "light sheet", "selective plane"], true))
            }
            "mouse" => Some(named(&["NCBITaxon_10090"], &["Mus musculus"], false)),
            "confocal microscopy" => Some(named(&["FBbi_00000251"], &[], false)),
            _ => None,
        }
    }

    fn is_any_of(&self, term: &TermIri, others: &[TermIri]) -> bool {
        let strain = term.curie() == "NCBITaxon:10091" && others.iter().any(|other| other.curie() == "NCBITaxon:10090");
        strain || others.contains(term)
    }
}

fn knowing(index: &SearchIndex, text: &str) -> Vec<String> {
    let query = Query { text: text.to_owned(), ..Query::default() };
    let hits = index.search_knowing(&query, &Biologist).unwrap().hits;
    let mut ids: Vec<String> = hits.iter().map(|hit| hit.document.key.id.to_string()).collect();
    ids.sort();
    ids
}

fn shelf() -> SearchIndex {
    let mut filed = record("filed", "Embryos from all sides");
    filed.methods = vec![term("FBbi_00000369", "SPIM")];
    filed.method_closure = vec![term("FBbi_00000369", "").iri, term("FBbi_00000246", "").iri];
    let mut strain = record("strain", "Retina");
    strain.organisms = vec![term("NCBITaxon_10091", "Mus musculus castaneus")];
    strain.organism_closure = vec![term("NCBITaxon_10091", "").iri, term("NCBITaxon_10090", "").iri];
    index_of([
        filed,
        strain,
        record("written", "A selective plane through Mus musculus"),
        record("hyphened", "Light-sheet of a mouse"),
        record("apart", "Light on an epithelial sheet"),
        record("laser", "Confocal laser scanning microscopy"),
    ])
}

#[test]
fn a_name_finds_what_has_the_term_and_what_is_written_otherwise() {
    let index = shelf();
    for query in ["light sheet", "light-sheet", "SPIM"] {
        assert_eq!(knowing(&index, query), ["filed", "hyphened", "written"], "{query}");
    }
    assert_eq!(knowing(&index, "mouse"), ["hyphened", "strain", "written"]);
    assert_eq!(knowing(&index, "mouse light sheet"), ["hyphened", "written"]);
    assert_eq!(knowing(&index, "mouse -spim"), ["strain"]);
}

#[test]
fn quoted_words_mean_themselves() {
    assert_eq!(knowing(&shelf(), "\"light sheet\""), ["hyphened"]);
    assert_eq!(knowing(&shelf(), "\"mouse\""), ["hyphened"]);
}

#[test]
fn a_name_of_several_words_that_are_words_too_finds_them_apart() {
    assert_eq!(knowing(&shelf(), "confocal microscopy"), ["laser"]);
    assert_eq!(knowing(&shelf(), "light sheet epithelial"), Vec::<String>::new());
}

#[test]
fn a_hit_names_the_term_that_made_it_one() {
    let via = |words: &str| -> BTreeMap<String, Vec<String>> {
        let hits = shelf().search_knowing(&text(words), &Biologist).unwrap().hits;
        hits.into_iter().map(|hit| (hit.document.key.id.to_string(), hit.matched_via)).collect()
    };
    assert_eq!(via("mouse")["strain"], ["Mus musculus castaneus"]);
    assert_eq!(via("light sheet")["filed"], ["SPIM"]);
    assert!(via("light sheet")["written"].is_empty());
}

#[test]
fn of_several_organisms_the_one_that_matched_is_named() {
    let mut both = record("both", "Cells");
    both.organisms = vec![term("NCBITaxon_9606", "Homo sapiens"), term("NCBITaxon_10091", "Mus musculus castaneus")];
    both.organism_closure =
        ["NCBITaxon_9606", "NCBITaxon_10091", "NCBITaxon_10090"].map(|id| term(id, "").iri).to_vec();
    let index = index_of([both]);
    let asked = [text("mouse"), Query { organism: vec![term("NCBITaxon_10090", "").iri], ..Query::default() }];
    for query in asked {
        let hit = index.search_knowing(&query, &Biologist).unwrap().hits.remove(0);
        assert_eq!(hit.matched_via, ["Mus musculus castaneus"]);
    }
}

#[test]
fn words_are_looked_for_where_it_is_said() {
    let mut article = record("article", "Embryos");
    article.related = vec!["On light sheets".to_owned()];
    let mut described = record("described", "Embryos");
    described.description = "Sheets of light".to_owned();
    let index = index_of([article, described, record("titled", "Sheets")]);
    let within = |within| found(&index, &Query { within, sort: Sort::Title, ..text("sheets") });
    assert_eq!(within(Within::Title), ["titled"]);
    assert_eq!(within(Within::Record), ["described", "titled"]);
    assert_eq!(within(Within::Everywhere), ["article", "described", "titled"]);
    assert_eq!(found(&index, &Query { within: Within::Record, ..text("shee*") }).len(), 2);
    assert!(found(&index, &Query { within: Within::Title, ..text("shee") }).is_empty());
}

#[test]
fn a_star_asks_for_words_that_begin_so() {
    let index =
        index_of([record("a", "Mitochondria"), record("b", "Mitosis"), record("c", "Mites"), record("d", "Summit")]);
    let sorted = |query: &str| {
        let mut ids = found(&index, &text(query));
        ids.sort();
        ids
    };
    assert_eq!(sorted("mito*"), ["a", "b"]);
    assert_eq!(sorted("MIT* -mitoch*"), ["b", "c"]);
    let hit = index.search(&text("mitoch*")).unwrap().hits.remove(0);
    assert_eq!(hit.highlights[0].fragments[0].marks, vec![0..12]);
}

#[test]
fn or_means_either() {
    let index = index_of([
        record("a", "Mouse brain"),
        record("b", "Rat brain"),
        record("c", "Rat heart"),
        record("d", "Oregon"),
    ]);
    let sorted = |query: &str| {
        let mut ids = found(&index, &text(query));
        ids.sort();
        ids
    };
    assert_eq!(sorted("mouse OR rat brain"), ["a", "b"]);
    assert_eq!(sorted("mouse OR heart OR oregon"), ["a", "c", "d"]);
    assert_eq!(sorted("rat or brain"), ["b"], "in small letters it is a word that means nothing");
    assert_eq!(sorted("OR rat OR"), ["b", "c"]);
    assert_eq!(sorted("rat OR -brain"), ["c"]);
}

fn suggested(index: &SearchIndex, query: &Query) -> Vec<(String, u64)> {
    let results = index.search(&Query { suggest: true, ..query.clone() }).unwrap();
    results.suggestions.into_iter().map(|suggestion| (suggestion.text, suggestion.total)).collect()
}

#[test]
fn words_spelt_wrong_are_suggested_right() {
    let index = index_of([
        record("a", "Mitochondria in zebrafish"),
        record("b", "Zebrafish hearts"),
        record("c", "Zebrafish"),
        record("d", "Mitochondria"),
    ]);
    assert_eq!(suggested(&index, &text("mitochondira")), [("mitochondria".to_owned(), 2)]);
    assert_eq!(suggested(&index, &text("zebarfish \"hearts\"")), [("zebrafish \"hearts\"".to_owned(), 1)]);
    assert_eq!(suggested(&index, &text("mitocondria zebrfish")), [("mitochondria zebrafish".to_owned(), 1)]);
    assert!(suggested(&index, &text("zebrafish")).is_empty(), "enough is found");
    assert!(suggested(&index, &text("\"zebarfish\"")).is_empty(), "what is quoted is meant");
    assert!(suggested(&index, &Query { year_from: Some(2020), ..text("zebarfish") }).is_empty(), "with the filters");
    assert!(suggested(&index, &text("S-BIAD59 xyzzy")).is_empty());
}

#[test]
fn nothing_is_suggested_or_alike_that_one_may_not_see() {
    let mut hidden: Vec<SearchDocument> = (0..9).map(|n| record(&format!("h{n}"), "Secretome of zebrafish")).collect();
    hidden.iter_mut().for_each(|record| record.access = Access::Restricted);
    let open = [record("a", "Zebrafish hearts, tagged"), record("b", "Zebrafish hearts"), record("c", "Other")];
    let (alone, together) = (index_of(open.clone()), index_of(hidden.into_iter().chain(open)));
    for query in ["secretone", "zebrafisch", "heartz"] {
        assert_eq!(suggested(&together, &text(query)), suggested(&alone, &text(query)), "{query}");
    }
    assert!(suggested(&together, &text("secretone")).is_empty());
    let visible = [Access::Open];
    assert_eq!(together.similar(&key("a"), &visible, 9).unwrap(), alone.similar(&key("a"), &visible, 9).unwrap());
    assert!(together.similar(&key("h1"), &visible, 9).unwrap().is_empty());
}

#[test]
fn records_are_alike_by_rare_words_and_terms() {
    let mut one = record("one", "Kinetochore dynamics in fission yeast");
    one.organisms = vec![term("NCBITaxon_4896", "Schizosaccharomyces pombe")];
    one.organism_closure = vec![term("NCBITaxon_4896", "").iri];
    let mut by_term = record("by-term", "Something else entirely");
    (by_term.organisms, by_term.organism_closure) = (one.organisms.clone(), one.organism_closure.clone());
    let mut twin = by_term.clone();
    (twin.key, twin.title) = (key("twin"), one.title.clone());
    let others = (0..30).map(|n| record(&format!("o{n}"), &format!("Cells number {n} of a collection")));
    let index = index_of([one, by_term, twin, record("by-word", "Kinetochore assembly")].into_iter().chain(others));
    let alike = index.similar(&key("one"), &[Access::Open], 10).unwrap();
    let ids: Vec<&str> = alike.iter().map(|hit| hit.document.key.id.as_str()).collect();
    assert_eq!(ids.first(), Some(&"twin"));
    assert!(ids.contains(&"by-term") && ids.contains(&"by-word") && !ids.contains(&"one"), "{ids:?}");
    assert!(!ids.iter().any(|id| id.starts_with('o') && *id != "one"), "{ids:?}");
    assert_eq!(alike[0].matched_via, ["Schizosaccharomyces pombe"]);
    assert_eq!(alike[0].highlights[0].field, "title");
    assert_eq!(index.similar(&key("one"), &[Access::Open], 1).unwrap().len(), 1);
    assert!(index.similar(&key("nobody"), &[Access::Open], 9).unwrap().is_empty());
}

#[test]
fn the_same_study_is_nothing_like_it_and_another_is_shown_once() {
    let same = |record: SearchDocument, article: &str, publisher: &str| SearchDocument {
        study_keys: vec![StudyKey::new(StudyKeyKind::Article, article)],
        publisher: Some(publisher.to_owned()),
        ..record
    };
    let records = [
        same(record("one", "Kinetochore dynamics"), "x", "Archive"),
        same(record("its-twin", "Kinetochore dynamics"), "x", "Database"),
        same(record("other", "Kinetochore assembly"), "y", "Archive"),
        same(record("other-twin", "Kinetochore assembly"), "y", "Database"),
        record("third", "Kinetochore"),
    ];
    let index = index_of(records.into_iter().chain((0..30).map(|n| record(&format!("o{n}"), "Cells"))));
    let like = |id: &str, most| -> Vec<String> {
        let found = index.similar(&key(id), &[Access::Open], most).unwrap();
        found.iter().map(|hit| hit.document.key.id.to_string()).collect()
    };
    let alike = like("one", 10);
    assert!(!alike.contains(&"its-twin".to_owned()) && alike.len() == 2, "{alike:?}");
    assert_eq!(alike.iter().filter(|id| id.starts_with("other")).count(), 1, "{alike:?}");
    assert_eq!(like("third", 2).len(), 2, "two studies, not two records of one");
}

#[test]
fn a_name_without_a_term_is_counted_and_found_as_itself_and_with_the_terms_of_that_name() {
    let mut named = record("named", "A");
    named.entities = vec!["Wing disk".into(), "HEK293".into()];
    let mut spelled = record("spelled", "B");
    spelled.entities = vec!["wing  DISK".into()];
    let mut by_term = record("by-term", "C");
    by_term.about = vec![term("CLO_0001230", "HEK293")];
    let index = index_of([named, spelled, by_term]);
    let entity = |value: &str| Query { entity: vec![value.to_owned()], sort: Sort::Title, ..Query::default() };
    assert_eq!(found(&index, &entity("\"wing disk\"")), ["named", "spelled"]);
    assert_eq!(found(&index, &entity("\"hek293\"")), ["named"]);
    assert_eq!(found(&index, &entity("hek293")), ["named", "by-term"]);
    assert_eq!(found(&index, &entity("\"\"")), [""; 0]);
    let counted =
        index.search(&Query { facets: FacetSelection::ALL, size: 0, ..Query::default() }).unwrap().facets.entity;
    let counted: Vec<_> =
        counted.iter().map(|value| (value.value.as_str(), value.label.as_str(), value.count)).collect();
    assert_eq!(
        counted,
        [
            ("\"wing disk\"", "Wing disk", 2),
            ("\"hek293\"", "HEK293", 1),
            ("http://purl.obolibrary.org/obo/CLO_0001230", "HEK293", 1)
        ]
    );
}

#[test]
fn a_collection_of_japanese_texts_is_searched_by_words() {
    let index = index_of([
        record("tokyo", "東京都の細胞"),
        record("kyoto", "京都の細胞"),
        record("other", "脳のライトシート顕微鏡"),
    ]);
    assert_eq!(found(&index, &text("京都")), ["kyoto"]);
    assert_eq!(found(&index, &text("東京")), ["tokyo"]);
    assert_eq!(found(&index, &text("細胞")).len(), 2);
    assert_eq!(found(&index, &text("顕微鏡")), ["other"]);
    assert_eq!(found(&index, &text("微鏡")), ["other"], "a part of a word, where no word is found");
    let divided = index_of([record("division", "細胞分裂"), record("cell", "細胞")]);
    assert_eq!(found(&divided, &text("細胞")).len(), 2);
    assert_eq!(found(&divided, &text("分裂")), ["division"]);
    let first = index.search(&Query { size: 1, ..text("細胞") }).unwrap();
    assert!(first.next_cursor.is_some());
}

#[test]
fn changes_to_a_record_change_what_it_is_like() {
    let index = index_of([record("a", "Kinetochore"), record("b", "Kinetochore"), record("c", "Other words")]);
    assert_eq!(index.similar(&key("a"), &[Access::Open], 9).unwrap().len(), 1);
    index.apply(vec![put(record("b", "Something"))], &BTreeMap::new()).unwrap();
    assert!(index.similar(&key("a"), &[Access::Open], 9).unwrap().is_empty());
}
