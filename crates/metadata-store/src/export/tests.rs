use dataset_model::{Access, Agent, Digest, Licence, Person, Summary, Term};
use proptest::prelude::*;
use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};

use super::*;

pub(crate) fn record() -> ExportRecord {
    let page = "https://europe.example.org/datasets/europe-1";
    ExportRecord {
        id: "europe-1".parse().unwrap(),
        iri: page.into(),
        page: page.into(),
        landing: page.into(),
        exports: "https://europe.example.org/api/v1/datasets/europe-1/versions/v2/export/".into(),
        exports_query: String::new(),
        deposited: true,
        version: 2.try_into().unwrap(),
        access: Access::Open,
        modified: "2026-11-21T10:00:00Z".parse().unwrap(),
        summary: summary(page),
        images: vec![image()],
        files: Some(3),
        bytes: Some(1500),
        data: Some("https://europe.example.org/data/europe-1/v2/".into()),
        crate_bytes: None,
        catalogue: Catalogue { name: "Heliograph Europe".into(), url: "https://europe.example.org".into() },
    }
}

fn summary(page: &str) -> Summary {
    let term = |iri: &str, label: &str| Term { iri: iri.parse().unwrap(), label: label.into() };
    Summary {
        iri: page.into(),
        title: "Cells, dividing.".into(),
        description: "What cells do & how.".into(),
        date_published: Some("2026-02-03".into()),
        licence: Some(Licence::read("CC-BY-4.0")),
        publisher: Some(Agent { iri: Some("https://ror.org/03mstc592".into()), name: "Example".into() }),
        authors: vec![
            Person {
                name: "Ada <Lovelace>".into(),
                orcid: Some("https://orcid.org/0000-0002-1825-0097".into()),
                affiliations: vec!["Analytical Engine".into()],
                affiliation_rors: vec!["https://ror.org/03mstc592".into()],
            },
            Person { name: "Babbage, Charles".into(), ..Person::default() },
        ],
        organisms: vec![term("http://purl.obolibrary.org/obo/NCBITaxon_9606", "Homo sapiens")],
        methods: vec![term("http://purl.obolibrary.org/obo/FBbi_00000246", "fluorescence microscopy")],
        keywords: vec!["a \"quoted\" & odd".into()],
        identifiers: vec!["S-1".into(), "10.1234/article".into(), "10.5281/zenodo.1".into()],
        see_also: vec!["https://doi.org/10.1234/article".into(), "data:text/html,x".into()],
        ..Summary::default()
    }
}

fn image() -> ExportImage {
    ExportImage {
        name: "cells".into(),
        description: "OME-Zarr 0.5".into(),
        metadata: Some((300, Digest::of("zarr.json"))),
        bytes: Some(1200),
        channels: vec!["DAPI".into()],
        ..ExportImage::at("https://europe.example.org/data/europe-1/v2/", "a b.ome.zarr", "0.5")
    }
}

fn text(record: &ExportRecord, format: ExportFormat) -> String {
    String::from_utf8(record.write(format).unwrap()).unwrap()
}

fn value(record: &ExportRecord, format: ExportFormat) -> Value {
    serde_json::from_str(&text(record, format)).unwrap()
}

/// Reads a document to its end; gives the texts of its elements.
fn elements(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let (mut found, mut open): (Vec<(String, String)>, Vec<usize>) = Default::default();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
            Event::Start(start) => {
                start.attributes().for_each(|attribute| drop(attribute.unwrap()));
                open.push(found.len());
                found.push((start.name().as_ref().to_owned(), String::new()));
            }
            Event::End(_) => drop(open.pop().unwrap()),
            Event::Text(part) => {
                if let Some(at) = open.last() {
                    found[*at].1.push_str(&part);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{xml}");
    found
}

#[test]
fn names_titles_and_types_tell_formats_apart() {
    for format in ExportFormat::ALL {
        assert_eq!(ExportFormat::named(format.name()), Some(format));
        let alike = ExportFormat::ALL.iter().filter(|other| {
            other.title() == format.title()
                || (other.media_types() == format.media_types() && other.profile() == format.profile())
        });
        assert_eq!(alike.count(), 1, "{format:?}");
    }
    assert_eq!(ExportFormat::SchemaOrg.content_type(), "application/ld+json; profile=\"https://schema.org\"");
}

#[test]
fn the_dois_of_articles_are_not_the_datasets() {
    let record = record();
    assert_eq!(record.doi().as_deref(), Some("10.5281/zenodo.1"));
    assert_eq!(record.cite_as(), "https://doi.org/10.5281/zenodo.1");
    assert_eq!(record.related().len(), 1, "addresses of other schemes are left out");
    let mut without = record.clone();
    without.summary.identifiers = vec!["10.1234/article".into()];
    assert_eq!((without.doi(), without.cite_as()), (None, without.iri.clone()));
}

#[test]
fn schema_org_has_what_search_engines_ask_for() {
    let document = value(&record(), ExportFormat::SchemaOrg);
    assert_eq!(document["@context"]["@vocab"], "http://schema.org/", "nothing has to be fetched to read it");
    assert_eq!(document["license"], "https://creativecommons.org/licenses/by/4.0/");
    assert_eq!(document["creator"][0]["@id"], "https://orcid.org/0000-0002-1825-0097");
    assert_eq!(document["sdLicense"], METADATA_LICENCE);
    let anothers = ExportRecord { deposited: false, ..record() };
    for form in [ExportFormat::SchemaOrg, ExportFormat::Croissant] {
        assert!(value(&anothers, form).get("sdLicense").is_none(), "nobody gives away what a publisher wrote");
    }
    assert_eq!(document["isAccessibleForFree"], true);
    assert_eq!(document["conditionsOfAccess"], "http://purl.org/coar/access_right/c_abf2");
    assert_eq!(document["distribution"][0]["contentUrl"], image().metadata_url());
    assert_eq!(document["about"][0]["name"], "Homo sapiens");
    assert_eq!(document["citation"], json!(["https://doi.org/10.1234/article"]));
    for field in ["name", "description", "identifier", "keywords", "url", "version", "dct:conformsTo", "datePublished"]
    {
        assert!(!document[field].is_null(), "{field} is missing: {document:#}");
    }
}

#[test]
fn a_catalogue_record_promises_nothing_about_bytes_elsewhere() {
    let mut record = record();
    (record.deposited, record.images, record.data) = (false, vec![], None);
    record.iri = "https://publisher.example.org/S-1".into();
    let document = value(&record, ExportFormat::SchemaOrg);
    assert_eq!((&document["version"], &document["distribution"]), (&Value::Null, &Value::Null));
    assert_eq!(document["isAccessibleForFree"], true, "the licence says so");
    record.summary.licence = None;
    let document = value(&record, ExportFormat::SchemaOrg);
    assert_eq!((&document["isAccessibleForFree"], &document["conditionsOfAccess"]), (&Value::Null, &Value::Null));
    let distribution = &value(&record, ExportFormat::DcatJsonLd)["@graph"][0]["dcat:distribution"];
    assert_eq!(distribution[0]["dcat:accessURL"]["@id"], record.iri);
}

#[test]
fn datacite_names_the_dataset_by_its_doi_or_else_by_its_address() {
    let xml = elements(&text(&record(), ExportFormat::DataCiteXml));
    let has = |name: &str, text: &str| xml.iter().any(|(of, held)| of == name && held == text);
    assert!(has("identifier", "10.5281/zenodo.1") && has("publicationYear", "2026") && has("rights", "CC-BY-4.0"));
    let mut without = record();
    without.summary.identifiers.clear();
    assert!(text(&without, ExportFormat::DataCiteXml).contains("identifierType=\"URL\">https://europe.example.org/"));
    let json = value(&without, ExportFormat::DataCiteJson);
    assert_eq!((&json["doi"], &json["types"]["resourceTypeGeneral"]), (&Value::Null, &json!("Dataset")));
    without.summary = Summary::default();
    let json = value(&without, ExportFormat::DataCiteJson);
    assert_eq!(json["creators"][0]["name"], "(:unav)", "the schema wants a creator");
    assert_eq!(json["publisher"]["name"], "Heliograph Europe");
    assert_eq!(json["titles"][0]["title"], "europe-1");
}

#[test]
fn an_affiliation_has_its_ror_where_there_is_no_doubt_whose_it_is() {
    let forms = [ExportFormat::SchemaOrg, ExportFormat::DataCiteJson, ExportFormat::DataCiteXml, ExportFormat::Jpcoar];
    let mut record = record();
    record.summary.publisher = None;
    assert!(forms.iter().all(|format| text(&record, *format).contains("https://ror.org/03mstc592")));
    record.summary.authors[0].affiliations.push("Another".into());
    assert!(forms.iter().all(|format| !text(&record, *format).contains("https://ror.org/03mstc592")));
}

#[test]
fn dcat_is_the_same_in_turtle_and_has_theme_version_and_media_type() {
    let turtle = text(&record(), ExportFormat::DcatTurtle);
    for part in [
        "dcat:theme <http://purl.obolibrary.org/obo/NCBITaxon_9606>",
        "dcat:version \"2\"",
        "dcat:mediaType \"application/vnd.ome.zarr\"",
        "foaf:name \"Example\"",
        "<http://publications.europa.eu/resource/authority/access-right/PUBLIC>",
        "\"2026-02-03T00:00:00Z\"^^xsd:dateTime",
    ] {
        assert!(turtle.contains(part), "{part} is missing: {turtle}");
    }
}

#[test]
fn citations_have_authors_year_title_version_publisher_and_address() {
    let record = record();
    let cited = "Ada <Lovelace>, Babbage, Charles (2026). Cells, dividing (Version 2) [Data set]. Example. \
                 https://doi.org/10.5281/zenodo.1";
    assert_eq!(record.citation(), cited);
    let csl = value(&record, ExportFormat::CslJson);
    assert_eq!(csl["issued"]["date-parts"], json!([[2026, 2, 3]]));
    assert_eq!(csl["author"], json!([{"literal": "Ada <Lovelace>"}, {"family": "Babbage", "given": "Charles"}]));
    let mut bare = record.clone();
    (bare.summary.authors, bare.summary.date_published, bare.summary.publisher) = (vec![], None, None);
    assert!(bare.citation().starts_with("Heliograph Europe (n.d.). "), "{}", bare.citation());
    assert!(!bare.bibtex().contains("year") && !bare.bibtex().contains("author"), "{}", bare.bibtex());
}

#[test]
fn titles_cannot_run_tex() {
    let mut record = record();
    record.summary.title = "50% of \\input{x} & $y_1$}".into();
    let bibtex = record.bibtex();
    assert!(bibtex.contains("{50\\% of \\textbackslash{}input\\{x\\} \\& \\$y\\_1\\$\\}}"), "{bibtex}");
    assert!(bibtex.contains("doi       = {10.5281/zenodo.1}"), "{bibtex}");
}

#[test]
fn links_in_headers_are_bounded_and_the_link_set_has_all_and_the_way_back() {
    let mut record = record();
    record.images = vec![image(); 3000];
    let header: usize = record.header_links().iter().map(|link| link.header().len() + 2).sum();
    assert!(header <= 4096, "{header}");
    for relation in ["cite-as", "linkset", "describedby", "license", "author", "type", "item"] {
        assert!(record.header_links().iter().any(|link| link.relation == relation), "{relation}");
    }
    let set = value(&record, ExportFormat::LinkSetJson);
    assert_eq!(set["linkset"][0]["item"].as_array().unwrap().len(), 3000);
    assert_eq!(set["linkset"][0]["anchor"], record.landing);
    let contexts = set["linkset"].as_array().unwrap();
    let back =
        |relation: &str| contexts.iter().filter(|context| context[relation][0]["href"] == record.landing).count();
    assert_eq!((back("collection"), back("describes")), (3000, 11));
    assert_eq!(text(&record, ExportFormat::LinkSet).lines().count(), record.links().len() + 3011);
}

#[test]
fn hostile_addresses_cannot_break_a_header() {
    let mut record = record();
    record.summary.identifiers.clear();
    record.iri = "https://e.org/>; rel=\"stylesheet\", <https://evil.org/\r\nSet-Cookie: x".into();
    let cite_as = record.links()[0].header();
    assert_eq!((cite_as.matches('<').count(), cite_as.matches('>').count()), (1, 1), "{cite_as}");
    assert!(!cite_as.contains(['\r', '\n']) && cite_as.contains("cite-as"), "{cite_as}");
    record.iri = "urn:x".into();
    assert!(record.links().iter().all(|link| link.relation != "cite-as"));
}

fn with_crate(document: &Value) -> ExportRecord {
    ExportRecord { crate_bytes: Some(document.to_string().into_bytes()), ..record() }
}

#[test]
fn the_crate_stands_alone_without_e_mail_addresses() {
    let held = json!({"@context": ["https://w3id.org/ro/crate/1.1/context", {"x": "http://e.org/x"}], "@graph": [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}},
        {"@id": "./", "@type": "Dataset", "author": {"@id": "mailto:a@b.example.org"}, "hasPart": [{"@id": "a b.ome.zarr/"}],
         "description": "Ask a@b.example.org.", "about": {"@id": "#sample"}},
        {"@id": "mailto:a@b.example.org", "@type": "Person", "name": "A", "schema:email": "a@b.example.org"},
        {"@id": "a b.ome.zarr/", "@type": "Dataset"}, {"@id": "#sample", "@type": "BioSample"},
        {"@id": "https://orcid.org/NA (x)", "@type": "Person"},
    ]});
    let document = value(&with_crate(&held), ExportFormat::RoCrate);
    let graph = document["@graph"].as_array().unwrap();
    assert_eq!(document["@context"][0], "https://w3id.org/ro/crate/1.2/context");
    assert_eq!(graph[0]["conformsTo"]["@id"], "https://w3id.org/ro/crate/1.2");
    assert_eq!(graph[0]["about"]["@id"], record().iri);
    assert_eq!(graph[0]["license"]["@id"], METADATA_LICENCE);
    assert_eq!(graph[1]["@id"], record().iri);
    assert_eq!(graph[1]["hasPart"][0]["@id"], "https://europe.example.org/data/europe-1/v2/a%20b.ome.zarr/");
    assert_eq!(graph[1]["author"]["@id"], graph[2]["@id"], "who had an address for a name is still the author");
    assert_eq!((&graph[4]["@id"], &graph[5]["@id"]), (&json!("#sample"), &json!("https://orcid.org/NA (x)")));
    assert!(!document.to_string().contains("b.example.org"), "{document:#}");
}

#[test]
fn without_a_crate_the_crate_alone_is_refused() {
    let record = record();
    assert!(record.write(ExportFormat::RoCrate).unwrap_err().to_string().contains("has not arrived"));
    let broken = ExportRecord { crate_bytes: Some(b"{".to_vec()), ..record };
    assert!(broken.write(ExportFormat::RoCrate).is_err());
    assert!(broken.write(ExportFormat::SchemaOrg).is_ok());
}

/// Text with everything in it that some form gives a meaning to.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        any::<String>(),
        "[\\x00-\\x1f\"'<>&{}\\\\%$#_~^@,;]{0,20}",
        Just("]]></description><x/>".to_owned()),
        Just("https://e.org/<\"'{|}^`\\ \u{0}>".to_owned()),
        Just("https://doi.org/10.1234/<{x}%zz>".to_owned()),
    ]
}

fn odd_summary() -> impl Strategy<Value = Summary> {
    let people = prop::collection::vec((odd(), prop::option::of(odd()), prop::collection::vec(odd(), 0..2)), 0..3);
    let texts = || prop::collection::vec(odd(), 0..4);
    (
        odd(),
        odd(),
        prop::option::of(odd()),
        (prop::option::of(odd()), odd()),
        people,
        texts(),
        texts(),
        texts(),
        prop::option::of(odd()),
    )
        .prop_map(|(iri, title, date, (agent, licence), people, keywords, identifiers, see_also, thumbnail)| {
            let term = |label: &String| Term {
                iri: "http://purl.obolibrary.org/obo/FBbi_00000246".parse().unwrap(),
                label: label.clone(),
            };
            Summary {
                methods: keywords.iter().map(term).collect(),
                description: title.clone(),
                date_published: date,
                licence: Some(Licence { url: licence, spdx: agent.clone() }),
                publisher: Some(Agent { iri: agent.clone(), name: title.clone() }),
                authors: people
                    .into_iter()
                    .map(|(name, orcid, affiliations)| Person { name, orcid, affiliations, ..Person::default() })
                    .collect(),
                iri,
                title,
                keywords,
                identifiers,
                see_also,
                thumbnail,
                ..Summary::default()
            }
        })
}

proptest! {
    #[test]
    fn whatever_a_record_says_every_form_is_well_formed(summary in odd_summary(), name in odd(), deposited in any::<bool>()) {
        let mut record = record();
        record.iri.clone_from(&summary.iri);
        (record.summary, record.deposited) = (summary, deposited);
        record.images[0].name.clone_from(&name);
        record.images[0].channels = vec![name];
        for format in ExportFormat::ALL.into_iter().filter(|format| *format != ExportFormat::RoCrate) {
            let text = text(&record, format);
            match format {
                ExportFormat::DataCiteXml | ExportFormat::DublinCore | ExportFormat::Jpcoar => drop(elements(&text)),
                ExportFormat::BibTex => {
                    let escaped = text.replace("\\{", "").replace("\\}", "");
                    prop_assert_eq!(escaped.matches('{').count(), escaped.matches('}').count(), "{}", text);
                    prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
                }
                ExportFormat::DcatTurtle => {
                    let triples = oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::Turtle).for_slice(&text);
                    for triple in triples {
                        prop_assert!(triple.is_ok(), "{:?}: {}", triple, text);
                    }
                }
                ExportFormat::LinkSet => prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n')),
                ExportFormat::Citation => prop_assert!(!text.contains('\n')),
                _ => prop_assert!(serde_json::from_str::<Value>(&text).is_ok()),
            }
        }
        for link in record.header_links() {
            let header = link.header();
            prop_assert!(header.is_ascii() && !header.chars().any(char::is_control), "{}", header);
        }
    }

    #[test]
    fn whatever_a_crate_says_its_export_holds_no_e_mail_address(texts in prop::collection::vec(odd(), 1..6)) {
        let entity = |text: &String| json!({"@id": text, "name": text, "x": [{"@id": text}, format!("to a.b@lab.example.org {text}")], "email": text});
        let held = json!({"@graph": texts.iter().map(entity).collect::<Vec<_>>()});
        let document = value(&with_crate(&held), ExportFormat::RoCrate);
        prop_assert!(!document.to_string().contains("lab.example.org"));
        prop_assert!(!document.to_string().contains("\"email\""));
    }
}
