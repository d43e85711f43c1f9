//! What the endpoint says about itself (SPARQL 1.1 Service Description).

use oxigraph::{
    io::RdfSerializer,
    model::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term, Triple, vocab::rdf},
};

use super::format::{ResultFormat, with_prefixes};
use crate::MetadataError;

const SD: &str = "http://www.w3.org/ns/sparql-service-description#";
const FORMATS: &str = "http://www.w3.org/ns/formats/";
const DCT: &str = "http://purl.org/dc/terms/";

/// The description of an endpoint that reads, with the union of all graphs as its default graph.
///
/// # Errors
/// When the address is no IRI, or the format holds no graphs.
pub fn describe_service(endpoint: &str, format: ResultFormat) -> Result<Vec<u8>, MetadataError> {
    let rdf = format.rdf().ok_or(MetadataError::Format { format: format.media_type() })?;
    let mut serializer = with_prefixes(RdfSerializer::from_format(rdf)).for_writer(Vec::new());
    for triple in triples(super::named(endpoint)?) {
        serializer.serialize_triple(triple.as_ref()).map_err(MetadataError::read)?;
    }
    serializer.finish().map_err(MetadataError::read)
}

fn triples(endpoint: NamedNode) -> Vec<Triple> {
    let sd = |name: &str| NamedNode::new_unchecked(format!("{SD}{name}"));
    let (service, dataset, graph) =
        (NamedOrBlankNode::from(endpoint.clone()), BlankNode::default(), BlankNode::default());
    let mut triples = Vec::new();
    let mut say = |subject: NamedOrBlankNode, predicate: NamedNode, object: Term| {
        triples.push(Triple::new(subject, predicate, object));
    };
    say(service.clone(), rdf::TYPE.into_owned(), sd("Service").into());
    say(service.clone(), sd("endpoint"), endpoint.into());
    say(service.clone(), sd("supportedLanguage"), sd("SPARQL11Query").into());
    for feature in ["UnionDefaultGraph", "BasicFederatedQuery"] {
        say(service.clone(), sd("feature"), sd(feature).into());
    }
    for format in FORMAT_NAMES {
        say(service.clone(), sd("resultFormat"), NamedNode::new_unchecked(format!("{FORMATS}{format}")).into());
    }
    say(service, sd("defaultDataset"), dataset.clone().into());
    say(dataset.clone().into(), rdf::TYPE.into_owned(), sd("Dataset").into());
    say(dataset.into(), sd("defaultGraph"), graph.clone().into());
    say(graph.clone().into(), rdf::TYPE.into_owned(), sd("Graph").into());
    let title = NamedNode::new_unchecked(format!("{DCT}title"));
    say(graph.into(), title, Literal::new_simple_literal("The union of all named graphs").into());
    triples
}

/// Names of formats at W3C, of [`ResultFormat::TABLES`] and [`ResultFormat::GRAPHS`].
const FORMAT_NAMES: [&str; 8] = [
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "RDF_XML",
    "JSON-LD",
];
