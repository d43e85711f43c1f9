//! What people type, and what they find.

use crate::support::{found, index_of, record, term, text};
use search_index::{Fragment, Query, SearchDocument, Sort};

fn marked(fragment: &Fragment) -> Vec<&str> {
    fragment.marks.iter().map(|mark| &fragment.text[mark.clone()]).collect()
}

fn mouse() -> SearchDocument {
    let mut mouse = record("mouse-1", "Dividing cells of the cortex");
    mouse.description = "Fluorescent images of naïve neurons.\nTaken by light-sheet microscopy.".to_owned();
    mouse.authors = vec!["Müller, Åsa".to_owned()];
    mouse.orcids = vec!["https://orcid.org/0000-0002-1825-0097".to_owned()];
    mouse.identifiers = vec!["S-BIAD595".to_owned(), "https://doi.org/10.7554/eLife.26066".to_owned()];
    mouse.organisms = vec![term("NCBITaxon_10090", "Mus musculus")];
    mouse.organism_closure = vec![term("NCBITaxon_10090", "").iri, term("NCBITaxon_40674", "").iri];
    mouse.organism_names = vec!["Mus musculus".to_owned(), "house mouse".to_owned(), "Mammalia".to_owned()];
    mouse
}

#[test]
fn words_of_different_fields_together_make_a_match() {
    let index = index_of([mouse(), record("other", "Neurons")]);
    for query in ["neuron muller cell", "MÜLLER mammalia", "the cells of a mouse", "house mouse dividing"] {
        assert_eq!(found(&index, &text(query)), ["mouse-1"], "{query}");
    }
    assert!(found(&index, &text("neurons kidney")).is_empty());
}

#[test]
fn phrases_exclusions_and_hyphens_do_what_they_say() {
    let mut apart = record("apart", "Light from above on a sheet of cells");
    apart.keywords = vec!["light".to_owned(), "sheet".to_owned()];
    let index = index_of([mouse(), apart]);
    assert_eq!(found(&index, &text("\"light sheet\"")), ["mouse-1"]);
    assert_eq!(found(&index, &text("light-sheet")), ["mouse-1"]);
    assert_eq!(found(&index, &text("light sheet -mammalia")), ["apart"]);
    assert_eq!(found(&index, &text("-\"light sheet\"")), ["apart"]);
}

#[test]
fn identifiers_hit_exactly_and_first() {
    let mut longer = record("longer", "Another");
    longer.identifiers = vec!["S-BIAD5950".to_owned(), "10.7554/eLife.2606".to_owned()];
    let mut citing = record("citing", "Reuses S-BIAD595 S-BIAD595 S-BIAD595");
    citing.keywords = vec!["S-BIAD595".to_owned(); 3];
    let index = index_of([longer, citing, mouse()]);
    assert_eq!(found(&index, &text("S-BIAD595")), ["mouse-1", "citing"]);
    assert_eq!(found(&index, &text("s-biad5950")), ["longer"]);
    for id in [
        "10.7554/eLife.26066",
        "doi:10.7554/elife.26066",
        "https://doi.org/10.7554/eLife.26066",
        "0000-0002-1825-0097",
        "mouse-1",
        "NCBITaxon:40674",
        "NCBITaxon_10090",
        "http://purl.obolibrary.org/obo/NCBITaxon_10090",
    ] {
        assert_eq!(found(&index, &text(id)), ["mouse-1"], "{id}");
    }
    assert!(found(&index, &text("S-BIAD59")).is_empty());
}

#[test]
fn fields_weigh_as_people_expect() {
    let in_title = record("e-title", "zebrafish");
    let mut in_names = record("d-names", "x");
    in_names.organism_names = vec!["zebrafish".to_owned()];
    let mut in_keywords = record("c-keywords", "x");
    in_keywords.keywords = vec!["zebrafish".to_owned()];
    let mut in_description = record("b-description", "x");
    in_description.description = "zebrafish".to_owned();
    let mut in_text = record("a-text", "x");
    in_text.text = vec!["zebrafish".to_owned()];
    let index = index_of([in_text, in_description, in_keywords, in_names, in_title]);
    assert_eq!(found(&index, &text("zebrafish")), ["e-title", "d-names", "c-keywords", "b-description", "a-text"]);
}

#[test]
fn cjk_text_is_found_by_any_part_of_it() {
    let index = index_of([
        record("jp", "蛍光顕微鏡による細胞分裂の観察"),
        record("kr", "형광현미경 이미지"),
        record("en", "GFP"),
    ]);
    for query in ["顕微鏡", "蛍光 観察", "細", "\"細胞分裂\"", "細胞分裂の"] {
        assert_eq!(found(&index, &text(query)), ["jp"], "{query}");
    }
    assert_eq!(found(&index, &text("현미경")), ["kr"]);
    assert!(found(&index, &text("胞細")).is_empty());
    let hit = index.search(&text("顕微鏡")).unwrap().hits.remove(0);
    assert_eq!(marked(&hit.highlights[0].fragments[0]), ["顕微鏡"]);
}

#[test]
fn the_last_word_may_be_unfinished_where_nothing_else_matches() {
    let index = index_of([mouse(), record("a", "Kinesin motors"), record("b", "Kinetochores"), record("c", "Motor")]);
    assert_eq!(found(&index, &text("dividing neu")), ["mouse-1"]);
    assert_eq!(found(&index, &text("motor")).len(), 2, "whole words only, as long as there are some");
    let page = index.search(&Query { size: 1, ..text("kin") }).unwrap();
    assert_eq!((page.total, page.hits.len()), (2, 1));
    let next = index.search(&Query { size: 1, cursor: page.next_cursor, ..text("kin") }).unwrap();
    assert_eq!((next.total, next.hits.len(), next.next_cursor), (2, 1, None));
    assert_ne!(next.hits[0].document.key, page.hits[0].document.key);
    assert_eq!(marked(&next.hits[0].highlights[0].fragments[0]), ["Kinetochores"]);
    assert!(found(&index, &text("ki")).is_empty());
    assert!(found(&index, &text("kin motor dividing")).is_empty());
}

#[test]
fn highlights_mark_stems_phrases_and_accents_in_plain_text() {
    let index = index_of([mouse()]);
    let hit = index.search(&text("cell naive \"light sheet\"")).unwrap().hits.remove(0);
    let fields: Vec<&str> = hit.highlights.iter().map(|highlight| highlight.field.as_str()).collect();
    assert_eq!(fields, ["title", "description"]);
    assert_eq!(marked(&hit.highlights[0].fragments[0]), ["cells"]);
    assert_eq!(marked(&hit.highlights[1].fragments[0]), ["naïve", "light-sheet"]);
}

#[test]
fn long_descriptions_are_highlighted_in_pieces() {
    let mut long = record("long", "x");
    long.description = format!("{0} kinesin {0} kinesin {0}", "äöü 細胞 ".repeat(400));
    let hit = index_of([long]).search(&text("kinesin")).unwrap().hits.remove(0);
    let fragments = &hit.highlights[0].fragments;
    assert_eq!(fragments.len(), 2);
    for fragment in fragments {
        assert!(fragment.text.len() < 320, "{}", fragment.text.len());
        assert_eq!(marked(fragment), ["kinesin"]);
    }
}

#[test]
fn a_hit_says_through_which_names_it_matched() {
    let index = index_of([mouse()]);
    let via = |query: &Query| index.search(query).unwrap().hits.remove(0).matched_via;
    assert_eq!(via(&text("mammalia")), ["Mammalia"]);
    let mammals = Query { organism: vec![term("NCBITaxon_40674", "").iri], ..Query::default() };
    assert_eq!(via(&mammals), ["Mus musculus"]);
    assert!(via(&text("neurons")).is_empty());
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let index = index_of([record("a", "x"), record("b", "x")]);
    let page = index.search(&Query { size: 1, sort: Sort::Title, ..Query::default() }).unwrap();
    let other = Query { cursor: page.next_cursor, sort: Sort::Newest, ..Query::default() };
    assert!(index.search(&other).is_err());
}

#[test]
fn text_of_only_little_words_is_taken_seriously() {
    let index = index_of([record("hit", "To be or not to be"), record("miss", "Cells")]);
    assert_eq!(found(&index, &text("to be")), ["hit"]);
    assert_eq!(found(&index, &text("cells in the of")), ["miss"]);
}
