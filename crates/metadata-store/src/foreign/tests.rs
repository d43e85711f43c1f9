use std::sync::{Arc, LazyLock};

use dataset_model::Summary;
use proptest::prelude::*;

use super::{ForeignForm, anchored, crate_from_json_ld, crate_from_xml};
use crate::{Ontology, read_crate};

static ONTOLOGY: LazyLock<Arc<Ontology>> = LazyLock::new(Ontology::bundled);

fn summary(bytes: &[u8]) -> Summary {
    read_crate(bytes, "https://node.example/sources/x/", &ONTOLOGY).unwrap().summary
}

/// A record of the same dataset in each form.
const RECORDS: [(ForeignForm, &str); 3] = [
    (
        ForeignForm::DublinCore,
        "<oai_dc:dc xmlns:oai_dc='a' xmlns:dc='b'><dc:title>Cells &amp; dishes</dc:title><dc:creator>Tester, Zita</dc:creator>\
         <dc:subject>cells</dc:subject><dc:subject>http://purl.obolibrary.org/obo/NCBITaxon_9606</dc:subject>\
         <dc:subject>http://purl.obolibrary.org/obo/FBbi_00000251</dc:subject><dc:description>What it is.</dc:description>\
         <dc:publisher>The archive</dc:publisher><dc:date>2026-01-02</dc:date><dc:identifier>S1</dc:identifier>\
         <dc:identifier>10.1234/x</dc:identifier><dc:identifier>https://a.example/S1</dc:identifier>\
         <dc:rights>info:eu-repo/semantics/openAccess</dc:rights><dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights></oai_dc:dc>",
    ),
    (
        ForeignForm::DataCite,
        "<oai_datacite><payload><resource xmlns='x'><identifier identifierType='DOI'>10.1234/x</identifier>\
         <creators><creator><creatorName nameType='Personal'>Tester, Zita</creatorName><nameIdentifier nameIdentifierScheme='ORCID'>0000-0002-1825-0097</nameIdentifier>\
         <affiliation affiliationIdentifier='https://ror.org/03mstc592'>Lab</affiliation></creator></creators>\
         <titles><title titleType='Subtitle'>no</title><title>Cells &amp; dishes</title></titles><publisher>The archive</publisher>\
         <publicationYear>2026</publicationYear><subjects><subject>cells</subject>\
         <subject valueURI='http://purl.obolibrary.org/obo/NCBITaxon_9606'>Homo sapiens</subject>\
         <subject valueURI='http://purl.obolibrary.org/obo/FBbi_00000251'>confocal microscopy</subject></subjects>\
         <dates><date dateType='Updated'>2026-05-05</date><date dateType='Issued'>2026-01-02</date></dates>\
         <alternateIdentifiers><alternateIdentifier alternateIdentifierType='Accession'>S1</alternateIdentifier>\
         <alternateIdentifier alternateIdentifierType='URL'>https://a.example/S1</alternateIdentifier></alternateIdentifiers>\
         <rightsList><rights rightsURI='info:eu-repo/semantics/openAccess'/><rights rightsURI='https://creativecommons.org/licenses/by/4.0/'>CC BY</rights></rightsList>\
         <descriptions><description descriptionType='Methods'>no</description><description descriptionType='Abstract'>What it is.</description></descriptions>\
         </resource></payload></oai_datacite>",
    ),
    (
        ForeignForm::Jpcoar,
        "<jpcoar:jpcoar xmlns:jpcoar='a' xmlns:dc='b' xmlns:datacite='c' xmlns:rdf='d'><dc:title xml:lang='ja'>細胞</dc:title>\
         <dc:title xml:lang='en'>Cells &amp; dishes</dc:title><jpcoar:creator><jpcoar:nameIdentifier nameIdentifierScheme='ORCID'>0000-0002-1825-0097</jpcoar:nameIdentifier>\
         <jpcoar:creatorName>Tester, Zita</jpcoar:creatorName></jpcoar:creator>\
         <dc:rights rdf:resource='https://creativecommons.org/licenses/by/4.0/'>CC BY</dc:rights><jpcoar:subject subjectScheme='Other'>cells</jpcoar:subject>\
         <jpcoar:subject subjectURI='http://purl.obolibrary.org/obo/NCBITaxon_9606'>Homo sapiens</jpcoar:subject>\
         <jpcoar:subject subjectURI='http://purl.obolibrary.org/obo/FBbi_00000251'>confocal microscopy</jpcoar:subject>\
         <datacite:description descriptionType='Abstract'>What it is.</datacite:description><dc:publisher>The archive</dc:publisher>\
         <datacite:date dateType='Issued'>2026-01-02</datacite:date><jpcoar:identifier identifierType='DOI'>https://doi.org/10.1234/x</jpcoar:identifier>\
         <jpcoar:identifier identifierType='URI'>https://a.example/S1</jpcoar:identifier></jpcoar:jpcoar>",
    ),
];

#[test]
fn one_dataset_is_the_same_in_every_form() {
    for (form, text) in RECORDS {
        let bytes = crate_from_xml(form, text, "oai:a:1").unwrap();
        assert_eq!(bytes, crate_from_xml(form, text, "oai:a:1").unwrap(), "the same bytes each time");
        let read = summary(&bytes);
        assert_eq!((read.iri.as_str(), read.title.as_str()), ("https://a.example/S1", "Cells & dishes"), "{form:?}");
        assert_eq!(read.description, "What it is.", "{form:?}");
        assert_eq!(read.date_published.as_deref(), Some("2026-01-02"), "{form:?}");
        assert_eq!(read.authors[0].name, "Tester, Zita", "{form:?}");
        assert_eq!(read.licence.as_ref().and_then(|licence| licence.spdx.as_deref()), Some("CC-BY-4.0"), "{form:?}");
        assert_eq!(read.publisher.as_ref().map(|publisher| publisher.name.as_str()), Some("The archive"), "{form:?}");
        assert_eq!(read.organisms[0].label, "Homo sapiens", "{form:?}: {:?}", read.findings);
        assert_eq!(read.methods[0].iri.as_str(), "http://purl.obolibrary.org/obo/FBbi_00000251", "{form:?}");
        assert_eq!(read.keywords, ["cells"], "{form:?}");
        if form != ForeignForm::DublinCore {
            assert!(read.authors[0].orcid.is_some(), "{form:?}");
        }
    }
}

#[test]
fn little_becomes_little_and_nothing_is_made_up() {
    let read = summary(&crate_from_xml(ForeignForm::DublinCore, "<dc><title>Cells</title></dc>", "oai:a:1").unwrap());
    assert_eq!((read.iri.as_str(), read.title.as_str(), read.date_published), ("oai:a:1", "Cells", None));
    assert!(read.incomplete && read.authors.is_empty() && read.licence.is_none());
    for (form, text) in [
        (ForeignForm::DublinCore, "<record/>"),
        (ForeignForm::DataCite, "<dc/>"),
        (ForeignForm::Jpcoar, "not XML"),
        (ForeignForm::DublinCore, "<dc><title>&bomb;</title></dc>"),
    ] {
        assert!(crate_from_xml(form, text, "oai:a:1").is_err(), "{text}");
    }
    assert!(crate_from_xml(ForeignForm::DublinCore, "<dc><title>Cells</title></dc>", "no address").is_err());
}

#[test]
fn a_pages_own_dataset_is_found_among_others() {
    let page = "https://a.example/d/2";
    let other = r#"{"@context": "https://schema.org", "@type": "WebSite", "name": "no"}"#;
    let graph = r#"{"@graph": [{"@type": "schema:Dataset", "@id": "https://a.example/d/1", "name": "First"},
        {"@type": ["Thing", "http://schema.org/Dataset"], "url": "https://a.example/d/2/", "name": "Second", "keywords": "a, b",
         "author": [{"givenName": "Zita", "familyName": "Tester"}, "Max"], "license": {"@id": "https://creativecommons.org/publicdomain/zero/1.0/"}}]}"#;
    let texts = [other.to_owned(), "no JSON".to_owned(), graph.to_owned()];
    let read = summary(&crate_from_json_ld(&texts, page).unwrap());
    assert_eq!((read.title.as_str(), read.iri.as_str()), ("Second", "https://a.example/d/2/"));
    assert_eq!(read.authors.iter().map(|author| author.name.as_str()).collect::<Vec<_>>(), ["Zita Tester", "Max"]);
    assert_eq!(read.keywords, ["a", "b"]);
    assert!(crate_from_json_ld(&[other.to_owned()], page).is_err());
    let bare = summary(&crate_from_json_ld(&[r#"{"@type": "Dataset", "name": "x"}"#.to_owned()], page).unwrap());
    assert_eq!(bare.iri, page, "known by its page");
}

#[test]
fn a_crate_without_a_name_is_known_by_where_it_was_found() {
    let text = r##"{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}},
        {"@id": "./", "@type": "Dataset", "name": "Cells", "hasPart": {"@id": "a b.zarr"}, "author": {"@id": "#me"}},
        {"@id": "#me", "@type": "Person", "name": "Zita"}, {"@id": "a b.zarr", "@type": "File"}]}"##;
    let changed = anchored(text.as_bytes(), "https://a.example/d/1").unwrap().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&changed).unwrap();
    assert_eq!(document["@graph"][1]["@id"], "https://a.example/d/1");
    assert_eq!(document["@graph"][1]["hasPart"]["@id"], "https://a.example/d/a%20b.zarr");
    assert_eq!(document["@graph"][3]["@id"], "https://a.example/d/a%20b.zarr");
    assert_eq!(document["@graph"][1]["author"]["@id"], "#me");
    assert_eq!(anchored(&changed, "https://b.example/").unwrap(), None, "what has a name keeps it");
    assert!(anchored(b"{}", "https://a.example/").is_err() && anchored(b"[", "https://a.example/").is_err());
}

proptest! {
    #[test]
    fn no_record_breaks_the_readers(text in "(<dc>|</dc>|<resource>|</resource>|<jpcoar>|<title>|</title>|<creators>|<creator/>|&amp;|&#x41;|é|[<>/a ]){0,40}") {
        for form in [ForeignForm::DublinCore, ForeignForm::DataCite, ForeignForm::Jpcoar] {
            if let Ok(bytes) = crate_from_xml(form, &text, "oai:a:1") {
                prop_assert!(read_crate(&bytes, "https://node.example/", &ONTOLOGY).is_ok());
            }
        }
    }
}
