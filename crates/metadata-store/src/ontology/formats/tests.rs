use proptest::prelude::*;

use super::{
    super::{Ontology, OntologyTerm, SynonymScope},
    *,
};

fn read(text: &str) -> Result<OntologyTable, MetadataError> {
    OntologyTable::read(text.as_bytes(), Some("x"), None)
}

fn terms(text: &str) -> Vec<OntologyTerm> {
    read(text).unwrap_or_else(|error| panic!("{error}: {text}")).terms().collect::<Result<_, _>>().unwrap()
}

const OBO: &str = "format-version: 1.2\ndata-version: 2026\nontology: Test\n\n[Term]\nid: X:1\nname: one\n\
    def: \"The \\\"first\\\" one.\" [X:a]\nsynonym: \"uno\" EXACT []\nsynonym: \"eins\" RELATED [x]\nsynonym: \"few\" BROAD []\n\
    is_a: X:2 {a=\"b\"} ! two\nintersection_of: X:3 ! three\nintersection_of: part_of X:4\nrelationship: part_of X:4\nalt_id: X:7\n\n\
    [Term]\nid: X:2\nname: two\n\n[Term]\nid: X:3\nname: three\n\n[Term]\nid: X:4\nname: four\nis_obsolete: true\nreplaced_by: X:2\n\n\
    [Typedef]\nid: part_of\nname: part of\n";

const TURTLE: &str = r#"# a comment
@prefix o: <http://purl.obolibrary.org/obo/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix i: <http://www.geneontology.org/formats/oboInOwl#> .
<http://purl.obolibrary.org/obo/test.owl> a owl:Ontology ; owl:versionInfo "2026" .
o:X_4 rdfs:label "four" ; a owl:Class ; owl:deprecated true ; o:IAO_0100001 o:X_2 .
o:X_1 a owl:Class ; rdfs:label "one"@en ; o:IAO_0000115 "The \"first\" one." ; i:hasExactSynonym "uno" ; i:hasRelatedSynonym "eins" ;
  i:hasBroadSynonym "few" ; i:hasAlternativeId "X:7" ; rdfs:subClassOf o:X_2, [ a owl:Restriction ; owl:onProperty o:part_of ; owl:someValuesFrom o:X_4 ] ;
  owl:equivalentClass [ owl:intersectionOf ( o:X_3 [ a owl:Restriction ; owl:onProperty o:part_of ; owl:someValuesFrom o:X_4 ] ) ] .
o:X_2 a owl:Class . o:X_2 rdfs:label "two" . o:X_3 a owl:Class ; rdfs:label "three" . o:part_of a owl:ObjectProperty ; rdfs:label "part of" .
"#;

const FUNCTIONAL: &str = r#"Prefix(:=<http://purl.obolibrary.org/obo/>)
Prefix(rdfs:=<http://www.w3.org/2000/01/rdf-schema#>)
Prefix(owl:=<http://www.w3.org/2002/07/owl#>) Prefix(xsd:=<http://www.w3.org/2001/XMLSchema#>)
Ontology(<http://purl.obolibrary.org/obo/test.owl> <http://purl.obolibrary.org/obo/2026/test.owl>
Declaration(Class(:X_1)) Declaration(Class(:X_2)) Declaration(Class(:X_3)) Declaration(Class(:X_4)) Declaration(ObjectProperty(:part_of))
# Class: :X_1 (one)
AnnotationAssertion(Annotation(rdfs:comment "a (bracket)") <http://purl.obolibrary.org/obo/IAO_0000115> :X_1 "The \"first\" one."^^xsd:string)
AnnotationAssertion(rdfs:label :X_1 "one"@en) AnnotationAssertion(rdfs:label :X_2 "two") AnnotationAssertion(rdfs:label :X_3 "three")
AnnotationAssertion(<http://www.geneontology.org/formats/oboInOwl#hasExactSynonym> :X_1 "uno")
AnnotationAssertion(<http://www.geneontology.org/formats/oboInOwl#hasRelatedSynonym> :X_1 "eins")
AnnotationAssertion(<http://www.geneontology.org/formats/oboInOwl#hasBroadSynonym> :X_1 "few")
AnnotationAssertion(<http://www.geneontology.org/formats/oboInOwl#hasAlternativeId> :X_1 "X:7")
AnnotationAssertion(rdfs:label :X_4 "four") AnnotationAssertion(owl:deprecated :X_4 "true"^^<http://www.w3.org/2001/XMLSchema#boolean>)
AnnotationAssertion(:IAO_0100001 :X_4 :X_2) AnnotationAssertion(rdfs:label :part_of "part of")
SubClassOf(:X_1 :X_2) SubClassOf(:X_1 ObjectSomeValuesFrom(:part_of :X_4))
EquivalentClasses(:X_1 ObjectIntersectionOf(:X_3 ObjectSomeValuesFrom(:part_of :X_4))))
"#;

const RDF_XML: &str = r#"<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [ <!ENTITY obo "http://purl.obolibrary.org/obo/" > ]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:obo="http://purl.obolibrary.org/obo/"
  xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:i="http://www.geneontology.org/formats/oboInOwl#">
<owl:Ontology rdf:about="&obo;test.owl"/>
<owl:Class rdf:about="&obo;X_1"><rdfs:subClassOf rdf:resource="&obo;X_2"/>
  <owl:equivalentClass><owl:Class><owl:intersectionOf rdf:parseType="Collection"><rdf:Description rdf:about="&obo;X_3"/>
    <owl:Restriction><owl:onProperty rdf:resource="&obo;part_of"/><owl:someValuesFrom rdf:resource="&obo;X_4"/></owl:Restriction>
  </owl:intersectionOf></owl:Class></owl:equivalentClass>
  <rdfs:label xml:lang="en">one</rdfs:label><obo:IAO_0000115>The "first" one.</obo:IAO_0000115><i:hasExactSynonym>uno</i:hasExactSynonym>
  <i:hasRelatedSynonym>eins</i:hasRelatedSynonym><i:hasBroadSynonym>few</i:hasBroadSynonym><i:hasAlternativeId>X:7</i:hasAlternativeId></owl:Class>
<owl:Class rdf:about="&obo;X_2"><rdfs:label>two</rdfs:label></owl:Class><owl:Class rdf:about="&obo;X_3"><rdfs:label>three</rdfs:label></owl:Class>
<owl:Class rdf:about="&obo;X_4"><rdfs:label>four</rdfs:label><owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
  <obo:IAO_0100001 rdf:resource="&obo;X_2"/></owl:Class>
<owl:ObjectProperty rdf:about="&obo;part_of"><rdfs:label>part of</rdfs:label></owl:ObjectProperty>
</rdf:RDF>"#;

#[test]
fn an_ontology_is_the_same_in_every_syntax() {
    let obo = terms(OBO);
    let one = &obo[0];
    let curies: Vec<String> = one.parents.iter().map(dataset_model::TermIri::curie).collect();
    assert_eq!((one.label.as_str(), curies), ("one", vec!["X:2".to_owned(), "X:3".to_owned()]));
    let synonyms: Vec<_> = one.synonyms.iter().map(|synonym| (synonym.scope, synonym.name.as_str())).collect();
    let expected = [(SynonymScope::Exact, "uno"), (SynonymScope::Broad, "few"), (SynonymScope::Related, "eins")];
    assert_eq!(synonyms, expected);
    assert_eq!(one.definition.as_deref(), Some("The \"first\" one."));
    assert_eq!(obo.len(), 5, "four terms and a merged id");
    let digest = read(OBO).unwrap().info().digest;
    for (text, format) in [(TURTLE, "Turtle"), (FUNCTIONAL, "OWL functional syntax"), (RDF_XML, "RDF/XML")] {
        assert_eq!(terms(text), obo, "{format}");
        let table = OntologyTable::read(text.as_bytes(), None, None).unwrap();
        assert_eq!((table.info().digest, table.info().format.as_str()), (digest, format));
        assert_eq!(table.info().name, "test");
    }
}

#[test]
fn an_ontology_in_the_order_of_n_triples_is_the_same() {
    use oxigraph::io::{RdfFormat, RdfParser, RdfSerializer};
    let quads: Vec<_> = RdfParser::from_format(RdfFormat::Turtle).for_slice(TURTLE).map(Result::unwrap).collect();
    let mut lines: Vec<String> = Vec::new();
    for quad in quads {
        let mut serializer = RdfSerializer::from_format(RdfFormat::NTriples).for_writer(Vec::new());
        serializer.serialize_quad(&quad).unwrap();
        lines.push(String::from_utf8(serializer.finish().unwrap()).unwrap());
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.len() % 7));
    assert_eq!(terms(&lines.concat()), terms(OBO));
}

#[test]
fn what_is_no_ontology_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "empty"),
        ("hello", "none of OBO"),
        ("{\"graphs\": []}", "none of OBO"),
        ("<rdf:RDF/>", "RDF"),
        ("<?xml version=\"1.0\"?>\n<Ontology xmlns=\"http://www.w3.org/2002/07/owl#\"/>", "OWL/XML"),
        ("Prefix: owl: <http://www.w3.org/2002/07/owl#>\nClass: A\n", "none of OBO"),
        ("ontology: x\n\n[Typedef]\nid: a\n", "no term"),
        ("[Term]\nid: X:1\n\nnonsense\n", "line 4"),
        ("[Term]\nname: a\n", "line 2"),
        ("[Term]\n\n[Term]\nid: X:1\n", "line 3"),
        ("[Term]\nid: X:1\nid: X:2\n", "line 3"),
        ("@prefix a: <http://a/> .\na:b a:c", "Turtle"),
        ("Ontology(<http://a/b>\nSubClassOf(<http://a/b> ", "line 2"),
        ("Ontology(<http://a/b>\nSubClassOf((", "line 2"),
    ] {
        let error = read(text).expect_err(text).to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
    }
}

#[test]
fn bombs_are_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n<rdf:RDF/>";
    let long = format!("<!DOCTYPE x [<!ENTITY a \"{}\">]>\n<rdf:RDF/>", "ha".repeat(500));
    let late =
        format!("<?xml version=\"1.0\"?><rdf:RDF>{}<!doctype x [<!ENTITY a \"x\">]></rdf:RDF>", " ".repeat(HEAD * 2));
    let deep = format!("Ontology(<http://a/b>\nSubClassOf({}", "a(".repeat(100_000));
    let wide = format!("Ontology(<http://a/b>\nEquivalentClasses({}))", "<http://a/c> ".repeat(5000));
    let name = format!("[Term]\nid: X:1\nname: {}", "x".repeat(8 << 20));
    let literal = format!("@prefix a: <http://a/> .\na:b a:c \"{}\" .", "x".repeat(32 << 20));
    for bomb in [laughs, &long, &late, &deep, &wide, &name, &literal] {
        let start: String = bomb.chars().take(60).collect();
        assert!(read(bomb).is_err(), "{start}");
    }
}

#[test]
fn names_in_other_languages_are_synonyms() {
    let text = "<http://a/x> a <http://www.w3.org/2002/07/owl#Class> ; <http://www.w3.org/2000/01/rdf-schema#label> \"細胞\"@ja, \"cell\"@en .";
    let found = &terms(text)[0];
    assert_eq!((found.label.as_str(), found.synonyms[0].name.as_str()), ("cell", "細胞"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", start in prop::sample::select(vec!["", "[Term]\nid: X:1\n", "@prefix a: <http://a/> .\n", "Ontology(<http://a/b>\n", "<?xml version=\"1.0\"?><rdf:RDF>"])) {
        let _ = read(&format!("{start}{text}"));
    }

    #[test]
    fn pieces_of_ontologies_are_read_or_refused(whole in prop::sample::select(vec![OBO, TURTLE, FUNCTIONAL, RDF_XML]), from in 0_usize..3000, to in 0_usize..3000) {
        let (from, to) = (from.min(whole.len()), to.min(whole.len()));
        let (from, to) = (whole.floor_char_boundary(from.min(to)), whole.floor_char_boundary(from.max(to)));
        let _ = read(&format!("{}{}", &whole[..from], &whole[to..]));
    }
}

#[test]
fn what_is_shipped_can_be_read() {
    let names: Vec<String> = Ontology::bundled_tables().iter().map(|table| table.info().name.clone()).collect();
    assert_eq!(names, ["fbbi", "ncbitaxon"]);
}
