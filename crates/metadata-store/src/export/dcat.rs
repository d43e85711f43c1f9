use std::collections::HashSet;

use oxigraph::io::RdfSerializer;
use oxjsonld::JsonLdParser;
use oxrdf::Triple;
use serde_json::{Value, json};

use super::{
    ExportFormat, ExportImage, ExportRecord,
    identifiers::web,
    json::{object, reference},
};
use crate::{MetadataError, ResultFormat, iri};

/// As many images become distributions; the crate has all.
const DISTRIBUTIONS: usize = 100;
/// "Science and technology" among the data themes of the EU: every dataset here has it, and so at least one theme.
const SCIENCE: &str = "http://publications.europa.eu/resource/authority/data-theme/TECH";

/// The dataset in DCAT-AP 3, with what the FAIR Data Point shapes ask for: theme, version, publisher by name, and one media
/// type a distribution.
pub(super) fn document(record: &ExportRecord) -> Value {
    let summary = &record.summary;
    let terms = summary.organisms.iter().chain(&summary.methods).chain(&summary.about);
    let themes: Vec<Value> = terms.filter_map(theme).chain([reference(SCIENCE)]).collect();
    let dataset = object([
        ("@id", json!(record.subject())),
        ("@type", json!(["dcat:Dataset", "dcat:Resource"])),
        ("dct:title", json!(record.title())),
        ("dct:description", json!(if summary.description.is_empty() { record.title() } else { &summary.description })),
        ("dct:identifier", json!(record.cite_as())),
        ("adms:identifier", accessions(record)),
        ("dct:issued", date(&record.issued())),
        ("dct:modified", date(&record.modified.to_string())),
        ("dct:publisher", agent(record, record.publisher(), record.publisher_iri())),
        (
            "dct:creator",
            summary
                .authors
                .iter()
                .map(|author| agent(record, &author.name, author.orcid.as_deref().and_then(web)))
                .collect(),
        ),
        ("dct:type", reference("http://purl.org/dc/dcmitype/Dataset")),
        ("dct:license", summary.licence.as_ref().and_then(|licence| web(&licence.url)).map_or(Value::Null, reference)),
        ("dct:accessRights", rights(record)),
        ("dct:isReferencedBy", record.related().into_iter().map(|related| reference(related.url)).collect()),
        ("dct:isPartOf", reference(&record.catalogue.url)),
        ("dcat:version", json!(record.version.get().to_string())),
        ("dcat:theme", Value::Array(themes)),
        ("dcat:keyword", json!(record.keywords())),
        ("dcat:landingPage", reference(&record.landing)),
        ("dcat:distribution", distributions(record)),
    ]);
    let catalogue = json!({
        "@id": record.catalogue.url, "@type": "dcat:Catalog", "dct:title": record.catalogue.name,
        "dcat:dataset": {"@id": record.subject()},
    });
    json!({"@context": context(), "@graph": [dataset, catalogue]})
}

/// A document of ours in an RDF syntax.
///
/// # Errors
/// When it cannot be written; what we put together can be.
pub(super) fn write(document: &Value, format: ResultFormat) -> Result<Vec<u8>, MetadataError> {
    let Some(syntax) = format.rdf() else { return Err(MetadataError::Format { format: format.media_type() }) };
    let prefixes = context();
    let serializer = RdfSerializer::from_format(syntax);
    let serializer = prefixes.as_object().into_iter().flatten().fold(serializer, |serializer, (name, iri)| {
        let plain = serializer.clone();
        serializer.with_prefix(name.as_str(), iri.as_str().unwrap_or_default()).unwrap_or(plain)
    });
    let mut writer = serializer.for_writer(Vec::new());
    for triple in triples(document)? {
        writer.serialize_triple(&triple).map_err(MetadataError::write)?;
    }
    writer.finish().map_err(MetadataError::write)
}

/// The triples of a document of ours, each once. What is said of one thing stands together, and the same document always
/// gives the same order.
///
/// # Errors
/// When it cannot be read; what we put together can be.
pub(super) fn triples(document: &Value) -> Result<Vec<Triple>, MetadataError> {
    let text = document.to_string();
    let triples = JsonLdParser::new().for_slice(&text).map(|quad| quad.map(Triple::from).map_err(MetadataError::read));
    let mut triples = triples.collect::<Result<Vec<Triple>, _>>()?;
    triples.sort_by_cached_key(|triple| triple.subject.to_string());
    let mut said = HashSet::new();
    triples.retain(|triple| said.insert(triple.clone()));
    Ok(triples)
}

/// The dataset alone, as a feed tells of it under the name `page`: that is the one name which a deletion can still tell. Where the
/// publisher has another name for it, that is its source.
pub(super) fn feed_document(record: &ExportRecord, page: &str) -> Value {
    let mut document = document(record);
    let Some(graph) = document.get_mut("@graph").and_then(Value::as_array_mut) else { return document };
    graph.truncate(1);
    if let Some(dataset) = graph.first_mut().filter(|_| record.subject() != page) {
        dataset["@id"] = json!(page);
        dataset["dct:source"] = reference(record.subject());
    }
    document
}

fn context() -> Value {
    json!({
        "adms": "http://www.w3.org/ns/adms#",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    })
}

/// An ontology term as a theme.
fn theme(term: &dataset_model::Term) -> Option<Value> {
    let iri = web(term.iri.as_str())?;
    Some(object([("@id", json!(iri)), ("@type", json!("skos:Concept")), ("skos:prefLabel", json!(term.label))]))
}

/// Nothing stays without a name: blank nodes would be named anew with every reading.
fn local(record: &ExportRecord, text: &str) -> String {
    format!("{}#{}", record.landing, iri::encode_all(text))
}

fn agent(record: &ExportRecord, name: &str, iri: Option<String>) -> Value {
    let iri = iri.unwrap_or_else(|| local(record, name));
    object([("@id", json!(iri)), ("@type", json!("foaf:Agent")), ("foaf:name", json!(name))])
}

fn accessions(record: &ExportRecord) -> Value {
    let notation = |text: &str| json!({"@id": local(record, text), "@type": "adms:Identifier", "skos:notation": text});
    record.accessions().into_iter().map(notation).collect()
}

fn rights(record: &ExportRecord) -> Value {
    let statement = |iri: &str| json!({"@id": iri, "@type": "dct:RightsStatement"});
    record.data_access().european().map_or(Value::Null, statement)
}

/// A date with its type: a moment for a day, as FAIR Data Points ask, else a month or year.
fn date(text: &str) -> Value {
    let (kind, text) = match text.len() {
        4 => ("xsd:gYear", text.to_owned()),
        7 => ("xsd:gYearMonth", text.to_owned()),
        10 => ("xsd:dateTime", format!("{text}T00:00:00Z")),
        _ => ("xsd:dateTime", text.to_owned()),
    };
    json!({"@type": kind, "@value": text})
}

/// The images; of a record without any, the page where its files are.
fn distributions(record: &ExportRecord) -> Value {
    let licence = record.summary.licence.as_ref().and_then(|licence| web(&licence.url)).map_or(Value::Null, reference);
    let distribution = |title: &str, at: String, download: Option<String>, media_type: &str, bytes: Option<u64>| {
        object([
            ("@id", json!(format!("{}#distribution", at.trim_end_matches('/')))),
            ("@type", json!(["dcat:Distribution", "dcat:Resource"])),
            ("dct:title", json!(title)),
            ("dct:publisher", agent(record, record.publisher(), record.publisher_iri())),
            ("dct:license", licence.clone()),
            ("dct:isPartOf", reference(record.subject())),
            ("dct:modified", date(&record.modified.to_string())),
            ("dcat:version", json!(record.version.get().to_string())),
            ("dcat:accessURL", reference(at)),
            ("dcat:downloadURL", download.map_or(Value::Null, reference)),
            ("dcat:mediaType", json!(media_type)),
            (
                "dcat:byteSize",
                bytes.map_or(
                    Value::Null,
                    |bytes| json!({"@type": "xsd:nonNegativeInteger", "@value": bytes.to_string()}),
                ),
            ),
        ])
    };
    if record.images.is_empty() {
        let page = web(&record.iri).unwrap_or_else(|| record.landing.clone());
        return json!([distribution(record.title(), page, None, "text/html", None)]);
    }
    let image = |image: &ExportImage| {
        let title = if image.name.is_empty() { &image.path } else { &image.name };
        distribution(title, image.url.clone(), Some(image.metadata_url()), ExportImage::MEDIA_TYPE, image.bytes)
    };
    let crate_url = record.export_url(ExportFormat::RoCrate);
    let described = distribution("RO-Crate", crate_url.clone(), Some(crate_url), "application/ld+json", None);
    record.images.iter().take(DISTRIBUTIONS).map(image).chain([described]).collect()
}
