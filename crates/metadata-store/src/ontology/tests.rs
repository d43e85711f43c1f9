use proptest::prelude::*;

use super::*;

fn term(curie: &str) -> TermIri {
    iri::term(curie).unwrap()
}

fn ontology(obo: &str) -> Ontology {
    let mut ontology = Ontology::default();
    ontology.load_obo("x", obo).unwrap();
    ontology
}

fn typed(ontology: &Ontology, typed: &str) -> Vec<String> {
    ontology.complete(typed, 10).into_iter().map(|term| term.label).collect()
}

#[test]
fn strains_have_the_ancestors_that_searches_rely_on() {
    let ontology = Ontology::bundled();
    for (child, ancestor) in [
        ("NCBITaxon:511693", "NCBITaxon:2"),
        ("NCBITaxon:1143", "NCBITaxon:2"),
        ("NCBITaxon:5702", "NCBITaxon:2759"),
        ("NCBITaxon:9606", "NCBITaxon:33208"),
        ("FBbi:00000246", "FBbi:00000345"),
    ] {
        assert!(ontology.ancestors_or_self(&term(child)).contains(&term(ancestor)), "{child} under {ancestor}");
    }
    assert!(!ontology.ancestors_or_self(&term("NCBITaxon:629395")).contains(&term("NCBITaxon:2")));
}

#[test]
fn every_spelling_of_a_term_resolves_to_it() {
    let ontology = Ontology::bundled();
    for text in [
        "NCBITaxon:9606",
        "obo:NCBITaxon_9606",
        "ncbitaxon_09606",
        "http://purl.obolibrary.org/obo/NCBITaxon_9606",
        "Homo sapiens",
        "HUMAN",
        " human ",
    ] {
        assert_eq!(ontology.resolve(text), [term("NCBITaxon:9606")], "{text}");
    }
    assert!(ontology.resolve("no such organism").is_empty());
    assert!(ontology.resolve("").is_empty());
}

#[test]
fn a_label_comes_before_an_exact_synonym_and_that_before_any_other() {
    let ontology = ontology(
        "[Term]\nid: MI:1\nname: SIM\n\n[Term]\nid: MI:2\nname: b\nsynonym: \"SIM\" EXACT []\nsynonym: \"box\" EXACT []\n\n\
         [Term]\nid: MI:3\nname: c\nsynonym: \"Box\" BROAD []\nsynonym: \"far\" RELATED []\n",
    );
    assert_eq!(ontology.resolve("sim"), [term("MI:1")]);
    assert_eq!(ontology.resolve("box"), [term("MI:2")]);
    assert_eq!(ontology.resolve("FAR"), [term("MI:3")]);
}

#[test]
fn completion_prefers_whole_names_then_beginnings() {
    let ontology = Ontology::bundled();
    let labels = typed(&ontology, "confocal microscopy");
    assert_eq!(labels.first().map(String::as_str), Some("confocal microscopy"));
    assert!(labels.iter().any(|label| label == "spinning disk confocal microscopy"), "{labels:?}");
    assert_eq!(ontology.complete("mouse", 1)[0].label, "Mus musculus");
    assert!(ontology.complete("e", 5).len() <= 5);
}

#[test]
fn completion_forgives_slips_plurals_and_knows_ids() {
    let ontology = Ontology::bundled();
    for (text, label) in [
        ("drosphila melanogaster", "Drosophila melanogaster"),
        ("Drosophila melangoaster", "Drosophila melanogaster"),
        ("confcal", "confocal microscopy"),
        ("antibodies", "antibody"),
        ("arabidopsis thalania", "Arabidopsis thaliana"),
        ("NCBITaxon:9606", "Homo sapiens"),
        ("9606", "Homo sapiens"),
        ("fbbi:00000246", "fluorescence microscopy"),
    ] {
        assert!(typed(&ontology, text).contains(&label.to_owned()), "{text}: {:?}", typed(&ontology, text));
    }
    assert!(typed(&ontology, "NCBITaxon:960").contains(&"Homo sapiens".to_owned()));
    assert!(typed(&ontology, "").is_empty());
}

#[test]
fn terms_in_use_come_before_others_of_the_same_fit() {
    let ontology = Ontology::bundled();
    let counts = [("NCBITaxon:7955", 3), ("NCBITaxon:4932", 9)].map(|(id, count)| (term(id), count));
    let first = ontology.shortlist(counts.into());
    let ask =
        |typed| ontology.completions(&Completion { typed, ontology: Some("ncbitaxon"), limit: 3, first: Some(&first) });
    let found = ask("s");
    assert_eq!((found[0].term.label.as_str(), found[0].count), ("Saccharomyces cerevisiae", 9));
    let found = ask("zebrafihs");
    assert_eq!(
        (found[0].term.label.as_str(), found[0].matched.as_str(), found[0].count),
        ("Danio rerio", "zebrafish", 3)
    );
}

#[test]
fn obsolete_and_merged_terms_stand_below_their_successor() {
    let ontology = ontology(
        "[Term]\nid: MI:1\nname: old\nis_obsolete: true\nreplaced_by: MI:2\n\n[Term]\nid: MI:2\nname: new\nalt_id: MI:3\nis_a: MI:4\n\n\
         [Term]\nid: MI:4\nname: top\n",
    );
    for old in ["MI:1", "MI:3"] {
        assert!(ontology.is_deprecated(&term(old)), "{old}");
        assert_eq!(ontology.replaced_by(&term(old)), Some(term("MI:2")));
        assert!(ontology.ancestors_or_self(&term(old)).contains(&term("MI:4")), "{old}");
    }
    assert_eq!(ontology.resolve("MI:3"), [term("MI:2")]);
    assert_eq!(ontology.resolve("MI:1"), [term("MI:1")]);
    assert!(ontology.complete("ol", 10).is_empty());
    assert_eq!(ontology.len(), 3, "a merged id is no term");
}

#[test]
fn two_ontologies_that_describe_a_term_are_read_as_one() {
    let mut ontology = ontology("ontology: mi\n\n[Term]\nid: MI:1\nname: cell\nis_a: MI:2\n");
    ontology
        .load_obo("y", "ontology: aa\n\n[Term]\nid: MI:1\nname: Zelle\nsynonym: \"cellula\" EXACT []\nis_a: AA:3\n")
        .unwrap();
    assert_eq!(ontology.label(&term("MI:1")).as_deref(), Some("cell"), "its own ontology names it");
    assert_eq!(ontology.synonyms(&term("MI:1")), ["Zelle", "cellula"]);
    let above: Vec<String> = ontology.parents(&term("MI:1")).iter().map(TermIri::curie).collect();
    assert_eq!(above, ["AA:3", "MI:2"]);
}

#[test]
fn a_new_edition_takes_the_place_of_the_old_one() {
    let mut ontology = ontology("ontology: mi\n\n[Term]\nid: MI:1\nname: old name\n");
    ontology.load_obo("z", "ontology: mi\n\n[Term]\nid: MI:2\nname: new\n").unwrap();
    assert!(!ontology.contains(&term("MI:1")) && ontology.contains(&term("MI:2")));
    assert!(ontology.resolve("old name").is_empty());
    assert_eq!(ontology.tables().len(), 1);
}

#[test]
fn a_table_on_disk_gives_what_one_in_memory_gives() {
    for table in Ontology::bundled_tables() {
        let folder = tempfile::tempdir().unwrap();
        let text = BUNDLED.iter().find(|text| text.contains(&format!("ontology: {}\n", table.info().name))).unwrap();
        OntologyTable::read(text.as_bytes(), None, Some(folder.path())).unwrap();
        let opened = OntologyTable::open(folder.path()).unwrap();
        assert_eq!(opened.info(), table.info());
        let terms = |table: &OntologyTable| table.terms().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(terms(&opened), terms(&table));
        assert_eq!(changes(Some(&opened), Some(&table)).count(), 0);
        for known in terms(&table) {
            assert_eq!(opened.term(&known.iri), Some(known.clone()));
        }
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 4, "nothing temporary is left");
    }
}

#[test]
fn a_damaged_index_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    OntologyTable::read(BUNDLED[0].as_bytes(), None, Some(folder.path())).unwrap();
    for name in [table::IRIS, table::NAMES] {
        let path = folder.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x55;
        std::fs::write(&path, damaged).unwrap();
        assert!(OntologyTable::open(folder.path()).is_err(), "{name}");
        std::fs::write(&path, whole).unwrap();
    }
    assert!(OntologyTable::open(folder.path()).is_ok());
}

/// Parents of each of so many terms: any graph, cycles and several parents included.
fn hierarchies() -> impl Strategy<Value = Vec<(Vec<usize>, bool, Option<usize>)>> {
    (1_usize..20).prop_flat_map(|count| {
        let one =
            (prop::collection::vec(0..count, 0..4), prop::bool::weighted(0.2), prop::option::weighted(0.5, 0..count));
        prop::collection::vec(one, count)
    })
}

pub(crate) fn obo_of(hierarchy: &[(Vec<usize>, bool, Option<usize>)]) -> String {
    let mut text = String::new();
    for (at, (parents, obsolete, instead)) in hierarchy.iter().enumerate() {
        text.push_str(&format!("[Term]\nid: MI:{at}\nname: term {at}\n"));
        parents.iter().for_each(|parent| text.push_str(&format!("is_a: MI:{parent}\n")));
        if *obsolete {
            text.push_str("is_obsolete: true\n");
            instead.iter().for_each(|instead| text.push_str(&format!("replaced_by: MI:{instead}\n")));
        }
        text.push('\n');
    }
    text
}

proptest! {
    #[test]
    fn what_changed_is_what_differs(old in hierarchies(), new in hierarchies()) {
        let (before, after) = (ontology(&obo_of(&old)), ontology(&obo_of(&new)));
        let (old, new) = (before.tables(), after.tables());
        let found: Vec<String> = changes(old.first().map(AsRef::as_ref), new.first().map(AsRef::as_ref)).map(|change| change.unwrap().iri().to_owned()).collect();
        let all = (0..20).map(|at| term(&format!("MI:{at}")));
        let mut differing: Vec<String> = all.filter(|term| before.term(term) != after.term(term)).map(|term| term.to_string()).collect();
        differing.sort();
        // An obsolete term that is replaced stands below its successor alone, whatever else is said: that may differ too.
        prop_assert!(differing.iter().all(|term| found.contains(term)), "{differing:?} in {found:?}");
    }

    #[test]
    fn a_term_whose_ancestors_change_has_a_changed_term_above_it_before_and_after(old in hierarchies(), new in hierarchies()) {
        let (before, after) = (ontology(&obo_of(&old)), ontology(&obo_of(&new)));
        let (old, new) = (before.tables(), after.tables());
        let changed: Vec<TermIri> = changes(old.first().map(AsRef::as_ref), new.first().map(AsRef::as_ref))
            .map(|change| change.unwrap().iri().parse().unwrap())
            .collect();
        for at in 0..20 {
            let term = term(&format!("MI:{at}"));
            let (was, is) = (before.ancestors_or_self(&term), after.ancestors_or_self(&term));
            if was != is {
                prop_assert!(was.iter().any(|above| changed.contains(above)), "{term} before");
                prop_assert!(is.iter().any(|above| changed.contains(above)), "{term} after");
            }
        }
    }
}
