//! Bytes made to hurt: reading ends, within limits, without a panic.

mod support;

use metadata_store::CrateError;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{BASE, complete, read, read_value, wrap};

#[test]
fn nesting_and_size_are_limited_before_anything_is_parsed() {
    let deep = format!("{{\"@graph\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(deep.as_bytes()), Err(CrateError::TooDeep { .. })));
    let open = "[".repeat(1_000_000);
    assert!(matches!(read(open.as_bytes()), Err(CrateError::TooDeep { .. })));
    let large = vec![b' '; 17 * 1024 * 1024];
    assert!(matches!(read(&large), Err(CrateError::TooLarge { .. })));
    let many = format!("{{\"@graph\":[{}{{}}]}}", "{},".repeat(200_001));
    assert!(matches!(read(many.as_bytes()), Err(CrateError::TooManyEntities { .. })));
}

#[test]
fn brackets_in_texts_are_not_nesting() {
    let mut document = complete();
    document["@graph"][1]["description"] = json!("[{\"\\".repeat(1000));
    assert_eq!(read_value(&document).summary.title, "Mitosis in mouse cells");
}

#[test]
fn references_in_circles_end() {
    let document = wrap(json!([
        {"@id": "./", "@type": ["Dataset", "BioSample", "Taxon", "LabProtocol", "DefinedTerm"], "name": "x", "about": {"@id": "./"},
         "author": {"@id": "./"}, "publisher": {"@id": "./"}, "license": {"@id": "./"}, "size": {"@id": "./"},
         "affiliation": {"@id": "./"}, "measurementMethod": {"@id": "./"}, "taxonomicRange": {"@id": "./"}, "identifier": {"@id": "./"}}
    ]));
    let read = read_value(&document);
    assert_eq!((read.summary.title.as_str(), read.summary.iri.as_str()), ("x", BASE));
}

#[test]
fn wrong_types_in_every_place_are_survived() {
    let values = [
        json!(null),
        json!(1.5e300),
        json!(true),
        json!([[[]]]),
        json!({}),
        json!({"@id": 5}),
        json!({"@value": {}}),
        json!({"@list": 3}),
        json!({"@id": ""}),
        json!({"@id": "_:"}),
        json!({"@type": 7}),
        json!({"@value": "x", "@language": "no such!"}),
    ];
    let template = complete();
    let keys: Vec<String> = template["@graph"][1].as_object().unwrap().keys().cloned().collect();
    for value in &values {
        for key in &keys {
            let mut document = template.clone();
            document["@graph"][1][key] = value.clone();
            // A root that lost its id is another matter; everything else still reads.
            assert!(read(document.to_string().as_bytes()).is_ok() || key == "@id" || key == "@type", "{key}: {value}");
        }
        for context in [value.clone(), json!([value]), json!({"name": value, "@vocab": value})] {
            let mut document = template.clone();
            document["@context"] = context;
            assert!(read(document.to_string().as_bytes()).is_ok());
        }
    }
}

#[test]
fn control_characters_and_surrogates_are_survived() {
    let mut document = complete();
    document["@graph"][1]["name"] = json!("a\u{0}b\u{1f}c\u{fffe}\u{10ffff}");
    document["@graph"][1]["about"] =
        json!([{"@id": "http://x\u{0}y/\u{fffe}"}, {"@id": "\u{10ffff}"}, {"@id": "#\u{7f}%%"}]);
    let summary = read_value(&document).summary;
    assert!(summary.title.starts_with("abc"));
    assert!(read(br#"{"@graph":[{"@id":"\ud800"}]}"#).is_err());
}

#[test]
fn a_report_about_very_many_faults_stays_short() {
    let people: Vec<Value> =
        (0..5000).map(|at| json!({"@id": format!("https://orcid.org/bad{at}"), "@type": "Person"})).collect();
    let mut document = complete();
    document["@graph"].as_array_mut().unwrap().extend(people);
    let summary = read_value(&document).summary;
    assert!(summary.findings.len() <= 501 && summary.repairs.len() <= 500);
    assert!(summary.findings.iter().any(|finding| finding.rule == "crate.report.cut"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "./",
            "#a",
            "obo:NCBITaxon_009606",
            "FBbi:1",
            "_:x",
            "https://orcid.org/",
            "a@b.cd",
            "2025-1-1"
        ])
        .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "@id",
        "@type",
        "@value",
        "@list",
        "@set",
        "@language",
        "@reverse",
        "@graph",
        "@context",
        "@container",
        "@vocab",
        "name",
        "about",
        "author",
        "license",
        "datePublished",
        "size",
        "value",
        "measurementMethod",
        "publisher",
        "email",
        "x:y",
        "http://schema.org/name",
        "",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

/// Ids as hostile or careless writers make them, all of them different once blanks and control characters are gone.
fn any_ids() -> impl Strategy<Value = Vec<String>> {
    let odd = "[a-z0-9#/ %<>{}|^`:?@\\[\\]\\\\\"~é細\u{1}\u{7f}\u{fffe}\u{e000}._-]{1,10}";
    let scheme = prop::sample::select(vec![
        "",
        "",
        "#",
        "_:",
        "https://x.example/",
        "urn:x:",
        "http://",
        "x:",
        "https://orcid.org/",
    ]);
    prop::collection::vec((scheme, odd), 1..12).prop_map(|ids| {
        let mut seen = std::collections::BTreeSet::new();
        let ids = ids.into_iter().map(|(scheme, rest)| format!("{scheme}{rest}"));
        let read = |id: &String| {
            id.chars().filter(|c| !c.is_control()).collect::<String>().trim().trim_start_matches("./").to_owned()
        };
        ids.filter(|id| !matches!(read(id).as_str(), "" | ".") && seen.insert(read(id)))
            .filter(|id| !read(id).ends_with("ro-crate-metadata.json"))
            .collect()
    })
}

/// Which subject in a crate's RDF has which name.
fn named_subjects(ids: &[String], base: &str) -> Vec<(String, String)> {
    let mut entities = vec![json!({"@id": "./", "@type": "Dataset", "name": "root"})];
    entities.extend(
        ids.iter().enumerate().map(|(at, id)| json!({"@id": id, "@type": "Thing", "name": format!("entity {at}")})),
    );
    let read =
        metadata_store::read_crate(wrap(json!(entities)).to_string().as_bytes(), base, &support::ontology()).unwrap();
    let store =
        metadata_store::MetadataStore::in_memory(std::sync::Arc::new(metadata_store::Ontology::default())).unwrap();
    let (extra, root) = (Vec::new(), read.summary.iri);
    let change =
        metadata_store::GraphChange { graph: base.into(), content: Some(read.graph), extra, root, provenance: None };
    store.apply(vec![change], &Default::default()).unwrap();
    let answer = store.query("SELECT ?s ?name { ?s <http://schema.org/name> ?name }", &Default::default()).unwrap();
    answer.column("name").into_iter().zip(answer.column("s")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_entity_is_dropped_or_merged_because_of_its_id(ids in any_ids()) {
        let named = named_subjects(&ids, BASE);
        for at in 0..ids.len() {
            prop_assert_eq!(named.iter().filter(|(name, _)| *name == format!("entity {at}")).count(), 1, "{:?} in {:?}", ids, named);
        }
        let subjects: std::collections::BTreeSet<&String> = named.iter().map(|(_, subject)| subject).collect();
        prop_assert_eq!(subjects.len(), ids.len() + 1, "{:?} became {:?}", ids, named);
    }

    #[test]
    fn what_is_local_to_two_crates_is_the_same_in_neither(ids in any_ids()) {
        let local: Vec<String> = ids.into_iter().filter(|id| !id.contains(':')).collect();
        let (one, two) = (named_subjects(&local, BASE), named_subjects(&local, "https://node.example/datasets/d2"));
        for (_, subject) in &one {
            prop_assert!(two.iter().all(|(_, other)| other != subject), "{} is in both", subject);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_json_put_anywhere_never_panics(context in any_json(), entity in any_json(), value in any_json(), key in "[a-zA-Z@:]{0,12}") {
        let mut document = complete();
        document["@context"] = json!([document["@context"], context]);
        document["@graph"].as_array_mut().unwrap().push(entity);
        document["@graph"][1][key] = value;
        if let Ok(read) = read(document.to_string().as_bytes()) {
            prop_assert!(!read.summary.title.is_empty());
            read.graph.digest();
        }
    }

    #[test]
    fn an_address_put_anywhere_is_in_nothing_that_is_given_away(
        context in any_json(), entity in any_json(), value in any_json(), key in "[a-zA-Z@:]{0,12}", around in "[a-z0-9é細 ,;:!?()-]{0,6}", at in "(@|＠|%40|&#64;|<b>@</b>| \\[at\\] )",
    ) {
        let mut document = complete();
        document["@context"] = json!([document["@context"], context]);
        document["@graph"].as_array_mut().unwrap().push(entity);
        document["@graph"][1][key] = value;
        document["@graph"][1]["description"] = json!(format!("{around} zq.secret{at}example.org {around}"));
        let text = document.to_string();
        let public = metadata_store::public_crate(text.as_bytes()).unwrap();
        let given = String::from_utf8(public.changed.clone().unwrap()).unwrap();
        prop_assert!(!given.contains("zq.secret") && !given.contains("a@b.cd"), "{}", given);
        let again = metadata_store::public_crate(given.as_bytes()).unwrap();
        prop_assert_eq!(again.changed, None);
        let graphs = [text, given].map(|text| read(text.as_bytes()).ok().and_then(|read| read.graph.digest()));
        prop_assert_eq!(graphs[0], graphs[1], "what is read does not depend on who read it");
    }

    #[test]
    fn any_change_of_bytes_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), cut in any::<prop::sample::Index>()) {
        let mut bytes = complete().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        drop(read(&bytes));
        bytes.truncate(cut.index(bytes.len()));
        drop(read(&bytes));
    }

    #[test]
    fn reading_the_same_bytes_gives_the_same(name in "\\PC{0,40}", about in "\\PC{0,20}") {
        let mut document = complete();
        document["@graph"][1]["name"] = json!(name);
        document["@graph"][1]["about"] = json!([{"@id": about}]);
        let (one, two) = (read_value(&document), read_value(&document));
        prop_assert_eq!(&one.summary, &two.summary);
        prop_assert_eq!(one.graph.digest(), two.graph.digest());
    }

    #[test]
    fn any_text_resolves_and_completes_without_panic(text in "\\PC{0,20}", limit in 0_usize..20) {
        let ontology = support::ontology();
        ontology.resolve(&text);
        prop_assert!(ontology.complete(&text, limit).len() <= limit);
    }
}
