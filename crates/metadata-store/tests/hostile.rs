//! Bytes made to hurt: reading ends, within limits, without a panic.

mod support;

use metadata_store::CrateError;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{complete, read, read_value, wrap};

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
    assert!(!read_value(&document).summary.title.is_empty());
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
