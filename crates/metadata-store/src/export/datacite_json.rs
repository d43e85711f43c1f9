use serde_json::{Value, json};

use super::{
    datacite::{Creator, DataCite, RelatedIdentifier, Rights, Subject},
    json::object,
};

/// The record as `DataCite`'s API has it.
pub(super) fn document(record: &DataCite<'_>) -> Value {
    let alternate =
        |(text, kind): &(String, &str)| json!({"alternateIdentifier": text, "alternateIdentifierType": kind});
    let ror = record.publisher_ror.as_ref();
    object([
        ("doi", json!(record.doi)),
        ("url", json!(record.url)),
        ("creators", record.creators.iter().map(creator).collect()),
        ("titles", json!([{"title": record.title}])),
        (
            "publisher",
            object([
                ("name", json!(record.publisher)),
                ("publisherIdentifier", json!(ror)),
                ("publisherIdentifierScheme", json!(ror.map(|_| "ROR"))),
                ("schemeUri", json!(ror.map(|_| "https://ror.org/"))),
            ]),
        ),
        ("publicationYear", json!(record.year)),
        ("types", json!({"resourceType": "Bioimage dataset", "resourceTypeGeneral": "Dataset"})),
        ("subjects", record.subjects.iter().map(subject).collect()),
        ("dates", record.dates.iter().map(|(date, kind)| json!({"date": date, "dateType": kind})).collect()),
        ("alternateIdentifiers", record.alternates.iter().map(alternate).collect()),
        ("relatedIdentifiers", record.related.iter().map(related).collect()),
        ("sizes", json!(record.sizes)),
        ("formats", json!(record.formats)),
        ("version", json!(record.version)),
        ("rightsList", record.rights.iter().map(rights).collect()),
        (
            "descriptions",
            if record.description.is_empty() {
                Value::Null
            } else {
                json!([{"description": record.description, "descriptionType": "Abstract"}])
            },
        ),
        ("schemaVersion", json!("http://datacite.org/schema/kernel-4")),
    ])
}

fn creator(creator: &Creator<'_>) -> Value {
    let orcid = |iri: &String| json!([{"nameIdentifier": iri, "nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}]);
    object([
        ("name", json!(creator.name)),
        ("nameType", json!(if creator.personal { "Personal" } else { "Organizational" })),
        ("nameIdentifiers", creator.orcid.as_ref().map_or(Value::Null, orcid)),
        (
            "affiliation",
            creator.affiliations.iter().map(|name| affiliation(name, creator.affiliation_ror.as_deref())).collect(),
        ),
    ])
}

fn affiliation(name: &str, ror: Option<&str>) -> Value {
    object([
        ("name", json!(name)),
        ("affiliationIdentifier", json!(ror)),
        ("affiliationIdentifierScheme", json!(ror.map(|_| "ROR"))),
        ("schemeUri", json!(ror.map(|_| "https://ror.org/"))),
    ])
}

fn subject(subject: &Subject<'_>) -> Value {
    let term = subject.term.as_ref();
    object([
        ("subject", json!(subject.text)),
        ("subjectScheme", json!(term.map(|(name, ..)| name))),
        ("schemeUri", json!(term.map(|(_, address, _)| address))),
        ("valueUri", json!(term.map(|(_, _, iri)| iri))),
    ])
}

fn related(related: &RelatedIdentifier) -> Value {
    object([
        ("relatedIdentifier", json!(related.identifier)),
        ("relatedIdentifierType", json!(related.kind)),
        ("relationType", json!(related.relation)),
        ("relatedMetadataScheme", json!(related.scheme)),
    ])
}

fn rights(rights: &Rights) -> Value {
    let spdx = rights.spdx.as_ref();
    object([
        ("rights", json!(rights.text)),
        ("rightsUri", json!(rights.uri)),
        ("rightsIdentifier", json!(spdx)),
        ("rightsIdentifierScheme", json!(spdx.map(|_| "SPDX"))),
        ("schemeUri", json!(spdx.map(|_| "https://spdx.org/licenses/"))),
    ])
}
