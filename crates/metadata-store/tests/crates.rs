//! Crates with the faults real collections have, written for these tests.

mod support;

use dataset_model::{Findings, Severity};
use metadata_store::{CrateError, read_crate};
use serde_json::{Value, json};
use support::{BASE, FBBI, TAXON, complete, ontology, read, read_value, rules, wrap};

#[test]
fn a_complete_crate_has_no_errors_and_needs_no_repairs() {
    let read = read_value(&complete());
    assert_eq!(read.summary.repairs, []);
    assert!(!read.summary.findings.has_errors(), "{:#?}", read.summary.findings);
    let summary = read.summary;
    assert_eq!(summary.iri, BASE);
    assert_eq!(summary.title, "Mitosis in mouse cells");
    assert_eq!(summary.date_published.as_deref(), Some("2026-03-01"));
    assert_eq!(summary.licence.unwrap().label(), "CC-BY-4.0");
    assert_eq!(summary.publisher.unwrap().name, "Example Institute");
    assert_eq!(summary.authors[0].orcid.as_deref(), Some("https://orcid.org/0000-0002-1825-0097"));
    assert_eq!(summary.authors[0].affiliations, ["Example Institute"]);
    assert_eq!(summary.organisms[0].label, "Mus musculus");
    assert_eq!(summary.methods[0].label, "fluorescence microscopy");
    assert_eq!(summary.about[0].label, "HeLa cell");
    assert_eq!(summary.identifiers, ["EX-1", "10.1234/abc"]);
    assert_eq!((summary.declared.bytes, summary.declared.files), (Some(1000), Some(3)));
    assert!(summary.text.contains(&"Inverted microscope".to_owned()));
}

#[test]
fn entities_with_a_name_alone_are_kept_by_their_names() {
    let mut document = complete();
    let root = &mut document["@graph"][1];
    let about = ["#line-in-words", "#sample-of-tissue", "#named-as-organism", "#says-nothing", "#local-term", "#gene"];
    root["about"].as_array_mut().unwrap().extend(about.map(|id| json!({"@id": id})));
    root["about"].as_array_mut().unwrap().push(json!("hippocampus "));
    document["@graph"].as_array_mut().unwrap().extend([
        json!({"@id": "#line-in-words", "@type": "BioSample", "name": "Mouse ~ MEF", "hasCellLine": ["MEF cell", "MEF cell"]}),
        json!({"@id": "#sample-of-tissue", "@type": "BioSample", "name": "Wing disk"}),
        json!({"@id": "#named-as-organism", "@type": "BioSample", "name": "mus musculus"}),
        json!({"@id": "#says-nothing", "@type": "BioSample", "name": "Biosample 2"}),
        json!({"@id": "#local-term", "@type": "DefinedTerm", "name": "stress granule"}),
        json!({"@id": "#gene", "@type": "Gene", "name": "actin"}),
    ]);
    let summary = read_value(&document).summary;
    assert_eq!(summary.entities, ["MEF cell", "Wing disk", "stress granule", "actin", "hippocampus"]);
    let terms: Vec<_> = summary.about.iter().map(|term| term.label.as_str()).collect();
    assert_eq!(terms, ["HeLa cell"], "what has a term is one, also where a sample names it");
}

#[test]
fn what_a_record_must_say_is_an_error_when_it_does_not() {
    for (key, rule) in [
        ("name", "crate.name.missing"),
        ("description", "crate.description.missing"),
        ("datePublished", "crate.date.missing"),
        ("license", "crate.license.missing"),
        ("author", "crate.author.missing"),
        ("about", "crate.taxon.missing"),
        ("measurementMethod", "crate.method.missing"),
    ] {
        let mut document = complete();
        document["@graph"][1].as_object_mut().unwrap().remove(key);
        let summary = read_value(&document).summary;
        let errors: Vec<&str> =
            summary.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.rule.as_str()).collect();
        assert_eq!(errors, [rule], "without {key}");
        let place = &summary.findings.iter().find(|finding| finding.rule == rule).unwrap().path;
        assert_eq!(*place, format!("ro-crate-metadata.json#/@graph/1/{key}"));
        assert!(!summary.title.is_empty());
    }
}

#[test]
fn an_empty_text_is_as_good_as_none() {
    for empty in [json!(""), json!("  \u{200b}"), json!([]), json!(null), json!("N/A"), json!(["None"])] {
        let mut document = complete();
        document["@graph"][1]["description"] = empty.clone();
        assert!(rules(&read_value(&document)).contains(&"crate.description.missing".to_owned()), "{empty}");
    }
}

#[test]
fn dirt_is_repaired_and_each_repair_is_recorded() {
    let document = wrap(json!([
        {"@id": "./", "@type": "Dataset", "name": " Cells\u{200b} ", "description": "N/A", "datePublished": "2025/04/29",
         "license": "http://creativecommons.org/licenses/by/4.0", "publisher": {"@id": "https://archive.example.org/repository"},
         "author": [{"@id": "https://orcid.org/NA"}], "about": [{"@id": "obo:NCBITaxon_09606"}],
         "measurementMethod": [{"@id": "FBbi:00000246"}], "size": {"@id": "#size"},
         "seeAlso": {"@id": "http://dx.doi.org/10.7554/eLife.26066"}},
        {"@id": "https://archive.example.org/repository", "@type": "Organisation", "name": "Archive"},
        {"@id": "https://orcid.org/NA", "@type": "Person", "name": "Ann Example", "email": "ann@example.org"},
        {"@id": "obo:NCBITaxon_09606", "@type": "Taxon"},
        {"@id": "FBbi:00000246", "@type": "DefinedTerm", "name": "fluorescence microscopy"},
        {"@id": "http://dx.doi.org/10.7554/eLife.26066", "@type": "ScholarlyArticle", "name": "A &lt;em&gt;fine&lt;/em&gt; paper"},
        {"@id": "#size", "@type": "QuantitiveValue", "value": "12", "unitCode": "http://purl.obolibrary.org/obo/UO_0000233"}
    ]));
    let read = read_value(&document);
    let repaired: Vec<&str> = read.summary.repairs.iter().map(|repair| repair.rule.as_str()).collect();
    for rule in [
        "text.whitespace",
        "text.placeholder",
        "date.spelling",
        "licence.spelling",
        "publisher.slash",
        "orcid.not-an-orcid",
        "term.leading-zeros",
        "term.fbbi-spelling",
        "doi.spelling",
        "type.organization",
        "email.removed",
        "term.label-missing",
        "text.markup",
        "type.quantitative-value",
    ] {
        assert!(repaired.contains(&rule), "{rule} in {repaired:?}");
    }
    let summary = &read.summary;
    assert_eq!(summary.title, "Cells");
    assert_eq!(summary.date_published.as_deref(), Some("2025-04-29"));
    assert_eq!(summary.publisher.as_ref().unwrap().iri.as_deref(), Some("https://archive.example.org/repository/"));
    assert_eq!(summary.authors[0].name, "Ann Example");
    assert_eq!(summary.authors[0].orcid, None);
    assert_eq!(summary.organisms[0].iri.as_str(), TAXON.replace("10090", "9606"));
    assert_eq!(summary.organisms[0].label, "Homo sapiens");
    assert_eq!(summary.methods[0].iri.as_str(), FBBI);
    assert_eq!(summary.identifiers, ["10.7554/elife.26066"]);
    assert_eq!(summary.declared.bytes, Some(12));
    assert!(summary.related_text.contains(&"A fine paper".to_owned()));
}

#[test]
fn see_also_means_the_same_under_either_prefix() {
    let article = "https://doi.org/10.1234/abc";
    let with = |meaning: &str| {
        let mut document = complete();
        document["@context"] = json!(["https://w3id.org/ro/crate/1.2/context", {"seeAlso": {"@id": meaning}}]);
        read_value(&document)
    };
    let (wrong, right) = (with("rdf:seeAlso"), with("rdfs:seeAlso"));
    assert_eq!(wrong.summary.repairs[0].rule, "property.see-also");
    assert_eq!(right.summary.repairs, []);
    assert_eq!(wrong.graph.digest(), right.graph.digest());
    assert_eq!(wrong.summary.see_also, [article]);
}

#[test]
fn e_mail_addresses_reach_neither_summary_nor_graph() {
    let mut document = complete();
    document["@graph"][1]["description"] = json!("Ask ann@example.org for more.");
    document["@graph"][2]["email"] = json!("mailto:ann@example.org");
    document["@graph"][2]["schema:email"] = json!({"@id": "mailto:ann@example.org"});
    document["@graph"][2]["contactPoint"] =
        json!({"@type": "ContactPoint", "email": "bob@example.org", "url": {"@id": "mailto:c@example.org"}});
    let read = read_value(&document);
    let all = format!("{}{:?}", serde_json::to_string(&read.summary).unwrap(), read.graph);
    assert!(!all.contains("example.org\"") || !all.contains('@'), "{all}");
    assert!(!all.contains("@example.org"), "{all}");
}

#[test]
fn a_wrong_name_for_a_term_is_reported_and_both_are_kept() {
    let mut document = complete();
    document["@graph"][5]["name"] = json!("and Zyla4.2 sCMOS camera (Andor)");
    let read = read_value(&document);
    let conflict = read.summary.findings.iter().find(|finding| finding.rule == "term.label.conflict").unwrap();
    assert_eq!(conflict.severity, Severity::Warning);
    assert!(conflict.message.contains("fluorescence microscopy") && conflict.message.contains("Zyla"));
    assert_eq!(read.summary.methods[0].iri.as_str(), FBBI);
    assert_eq!(read.summary.methods[0].label, "and Zyla4.2 sCMOS camera (Andor)");
}

#[test]
fn an_obsolete_term_points_to_its_replacement_and_both_are_kept() {
    let mut ontology = metadata_store::Ontology::with_bundled();
    let obo = "ontology: former\n\n[Term]\nid: FBbi:00990001\nname: old microscopy\nis_obsolete: true\nreplaced_by: FBbi:00000246\n\n\
               [Term]\nid: FBbi:00990002\nname: older microscopy\nis_obsolete: true\n";
    ontology.load_obo("former", obo).unwrap();
    let mut document = complete();
    let obsolete = json!([{"@id": "obo:FBbi_00990001"}, {"@id": "obo:FBbi_00990002"}]);
    document["@graph"][1]["measurementMethod"] = obsolete;
    let graph = document["@graph"].as_array_mut().unwrap();
    graph.push(json!({"@id": "obo:FBbi_00990001", "@type": "DefinedTerm", "name": "old microscopy"}));
    graph.push(json!({"@id": "obo:FBbi_00990002", "@type": "DefinedTerm", "name": "older microscopy"}));
    let summary = read_crate(document.to_string().as_bytes(), BASE, &ontology).unwrap().summary;
    let labels: Vec<&str> = summary.methods.iter().map(|term| term.label.as_str()).collect();
    assert_eq!(labels, ["old microscopy", "fluorescence microscopy", "older microscopy"]);
    let hints: Vec<&str> =
        summary.findings.iter().filter(|f| f.rule == "term.deprecated").map(|f| f.hint.as_str()).collect();
    assert!(hints[0].contains("FBbi:00000246") && hints[0].contains("fluorescence"), "{hints:?}");
    assert!(hints[1].contains("Nothing replaces it"), "{hints:?}");
}

#[test]
fn unknown_and_local_terms_are_kept_and_reported() {
    let mut document = complete();
    let graph = document["@graph"].as_array_mut().unwrap();
    graph[1]["measurementMethod"] =
        json!([{"@id": "obo:FBbi_00999999"}, {"@id": "#technique"}, {"@id": "obo:FBbi_00000000"}]);
    graph.push(json!({"@id": "obo:FBbi_00999999", "@type": "DefinedTerm", "name": "new method"}));
    graph.push(json!({"@id": "#technique", "@type": "DefinedTerm", "name": "two-photon microscopy"}));
    graph.push(json!({"@id": "obo:FBbi_00000000", "@type": "DefinedTerm", "name": "dummy term"}));
    let read = read_value(&document);
    assert_eq!(read.summary.methods.len(), 3);
    for rule in ["term.unknown", "term.not-absolute", "term.deprecated"] {
        assert!(rules(&read).contains(&rule.to_owned()), "{rule}");
    }
}

#[test]
fn terms_found_only_below_the_root_still_count_and_are_reported() {
    let mut document = complete();
    let root = document["@graph"][1].as_object_mut().unwrap();
    root.insert("about".into(), json!([{"@id": "#sample"}]));
    root.insert("measurementMethod".into(), json!([{"@id": "#protocol"}]));
    let read = read_value(&document);
    assert_eq!(read.summary.organisms[0].label, "Mus musculus");
    assert_eq!(read.summary.methods[0].label, "fluorescence microscopy");
    for rule in ["crate.taxon.missing", "crate.method.missing"] {
        assert!(rules(&read).contains(&rule.to_owned()), "{rule}");
    }
}

#[test]
fn two_descriptions_of_one_entity_are_merged() {
    let mut document = complete();
    document["@graph"].as_array_mut().unwrap().push(json!({"@id": "./", "@type": "Dataset", "keywords": ["more"]}));
    let read = read_value(&document);
    assert!(rules(&read).contains(&"crate.entity.duplicate".to_owned()));
    assert!(read.summary.keywords.contains(&"more".to_owned()));
    assert_eq!(read.summary.title, "Mitosis in mouse cells");
}

#[test]
fn sizes_that_contradict_each_other_are_reported() {
    let mut document = complete();
    let graph = document["@graph"].as_array_mut().unwrap();
    graph[1]["size"] = json!([{"@id": "#bytes"}, {"@id": "#other"}, {"@id": "#odd"}]);
    graph.push(json!({"@id": "#other", "@type": "QuantitativeValue", "value": 2, "unitText": "bytes"}));
    graph.push(json!({"@id": "#odd", "@type": "QuantitativeValue", "value": "much", "unitText": "bytes"}));
    let read = read_value(&document);
    assert_eq!(read.summary.declared.bytes, Some(1000));
    assert!(rules(&read).contains(&"crate.size.conflict".to_owned()));
    assert!(rules(&read).contains(&"crate.size.unreadable".to_owned()));
}

#[test]
fn prefixes_full_iris_nesting_and_schema_org_contexts_read_the_same() {
    let plain = wrap(json!([
        {"@id": "./", "@type": "Dataset", "name": "Cells", "author": {"@id": "#a"}, "publisher": {"@id": "https://p.example/"}},
        {"@id": "#a", "@type": "Person", "name": "Ann"}, {"@id": "https://p.example/", "@type": "Organization", "name": "P"}
    ]));
    let prefixed = json!({"@context": {"s": "https://schema.org/"}, "@graph": [
        {"@id": "ro-crate-metadata.json", "s:about": {"@id": "./"}},
        {"@id": "./", "@type": "s:Dataset", "http://schema.org/name": {"@value": "Cells"},
         "schema:author": {"@list": [{"@id": "#a", "@type": ["Person"], "name": "Ann"}]},
         "s:publisher": {"@id": "https://p.example/", "@type": "s:Organization", "s:name": "P"}}]});
    let vocab = json!({"@context": "https://schema.org/", "@graph": plain["@graph"]});
    let first = read_value(&plain).summary;
    for other in [prefixed, vocab] {
        let summary = read_value(&other).summary;
        assert_eq!(
            (summary.title, summary.authors, summary.publisher),
            (first.title.clone(), first.authors.clone(), first.publisher.clone())
        );
    }
}

#[test]
fn unknown_contexts_are_never_fetched_and_reading_goes_on() {
    let mut document = complete();
    document["@context"] = json!(["https://w3id.org/ro/crate/1.1/context", "http://127.0.0.1:9/evil.jsonld",
        {"@import": "http://127.0.0.1:9/import", "x": {"@id": "https://x.example/", "@context": "http://127.0.0.1:9/nested"}}]);
    document["@graph"][1]["x"] = json!({"@context": "http://127.0.0.1:9/deeper", "name": "inner"});
    let read = read_value(&document);
    assert_eq!(read.summary.title, "Mitosis in mouse cells");
    assert!(rules(&read).contains(&"crate.context.unknown".to_owned()));
}

#[test]
fn the_graph_digest_depends_on_meaning_only() {
    let document = complete();
    let mut shuffled = document.clone();
    shuffled["@graph"].as_array_mut().unwrap().reverse();
    let digest = read_value(&document).graph.digest();
    assert!(digest.is_some());
    assert_eq!(read_value(&shuffled).graph.digest(), digest);
    let mut changed = document;
    changed["@graph"][1]["name"] = json!("Another title");
    assert_ne!(read_value(&changed).graph.digest(), digest);
}

#[test]
fn graphs_made_to_cost_time_get_no_digest() {
    let nodes: Vec<Value> = (0..100)
        .map(|at| json!({"@id": format!("_:b{at}"), "knows": (0..100).map(|to| json!({"@id": format!("_:b{to}")})).collect::<Vec<_>>()}))
        .collect();
    let mut document = complete();
    document["@graph"].as_array_mut().unwrap().extend(nodes);
    assert_eq!(read_value(&document).graph.digest(), None);
}

#[test]
fn what_is_no_crate_says_why() {
    let error = |text: &str| read(text.as_bytes()).unwrap_err();
    assert!(matches!(error("not json"), CrateError::NotJson(_)));
    assert!(matches!(error("[]"), CrateError::NotJsonLd));
    assert!(matches!(error(r#"{"@graph": {}}"#), CrateError::NotJsonLd));
    assert!(matches!(error(r#"{"@graph": []}"#), CrateError::NoRoot));
    assert!(matches!(
        error(r#"{"@graph": [{"@id": "a", "@type": "Dataset"}, {"@id": "b", "@type": "Dataset"}]}"#),
        CrateError::NoRoot
    ));
    assert!(matches!(read_crate(b"{\"@graph\":[]}", "no base", &ontology()).unwrap_err(), CrateError::Base(_)));
}

#[test]
fn a_crate_without_a_descriptor_is_read_and_cannot_be_published() {
    let read = read(br#"{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [{"@id": "./", "@type": "Dataset", "name": "x"}]}"#).unwrap();
    assert!(rules(&read).contains(&"crate.descriptor.missing".to_owned()));
    assert!(read.summary.findings.has_errors());
}

#[test]
fn words_of_other_vocabularies_are_kept_as_they_are_meant() {
    let document = json!({"@context": ["https://w3id.org/ro/crate/1.2/context", {"ex": "https://example.org/ns#"}], "@graph": [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}},
        {"@id": "./", "@type": ["Dataset", "ex:Collection"], "name": "A", "ex:depth": 120, "ex:part": {"@id": "#p"}},
        {"@id": "#p", "@type": "ex:Part", "ex:size": 0.25, "nowhere:defined": 1},
    ]});
    let read = read_value(&document);
    let store = metadata_store::MetadataStore::in_memory(ontology()).unwrap();
    let change = metadata_store::GraphChange {
        graph: BASE.into(),
        content: Some(read.graph),
        extra: Vec::new(),
        root: read.summary.iri,
        provenance: None,
    };
    store.apply(vec![change], &std::collections::BTreeMap::new()).unwrap();
    let query = "PREFIX ex: <https://example.org/ns#> SELECT ?size {
        ?all a ex:Collection ; ex:depth ?depth ; ex:part ?part . ?part a ex:Part ; ex:size ?size . FILTER (?depth > 100) }";
    let answer = store.query(query, &metadata_store::QueryOptions::default()).unwrap();
    assert_eq!(answer.column("size").len(), 1);
}
