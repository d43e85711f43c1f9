use serde_json::{Value, json};

use super::{
    ExportImage, ExportRecord,
    identifiers::{affiliation_ror, web},
    json::{object, reference},
};

/// As many images become downloads; the crate has all.
const DOWNLOADS: usize = 100;
/// The longest description that Google's dataset search takes.
const DESCRIPTION: usize = 5000;

/// The dataset as schema.org describes one (Google's fields, Bioschemas Dataset 1.0). The context is in the document, so that
/// nobody has to fetch it.
pub(super) fn document(record: &ExportRecord) -> Value {
    let summary = &record.summary;
    let here = &record.catalogue;
    let terms = |kind: &'static str, terms: &[dataset_model::Term]| -> Value {
        terms.iter().map(|term| defined(kind, term)).collect()
    };
    object([
        ("@context", json!({"@vocab": "http://schema.org/", "dct": "http://purl.org/dc/terms/"})),
        ("@type", json!("Dataset")),
        ("@id", json!(record.subject())),
        ("dct:conformsTo", reference("https://bioschemas.org/profiles/Dataset/1.0-RELEASE")),
        ("name", json!(record.title())),
        ("description", json!(description(record))),
        ("url", json!(record.landing)),
        ("sameAs", json!(same_as(record))),
        ("identifier", json!(identifiers(record))),
        ("version", if record.deposited { json!(record.version.get().to_string()) } else { Value::Null }),
        ("datePublished", json!(record.issued())),
        ("dateModified", json!(record.modified.to_string())),
        (
            "license",
            json!(summary.licence.as_ref().map(|licence| web(&licence.url).unwrap_or_else(|| licence.url.clone()))),
        ),
        ("creator", summary.authors.iter().map(person).collect()),
        ("publisher", organisation(record.publisher(), record.publisher_iri())),
        ("provider", organisation(&here.name, Some(here.url.clone()))),
        ("keywords", json!(record.keywords())),
        (
            "about",
            terms("Taxon", &summary.organisms)
                .as_array()
                .cloned()
                .into_iter()
                .flatten()
                .chain(terms("DefinedTerm", &summary.about).as_array().cloned().into_iter().flatten())
                .collect(),
        ),
        ("measurementTechnique", terms("DefinedTerm", &summary.methods)),
        ("variableMeasured", variables(record)),
        ("citation", record.related().into_iter().map(|related| json!(related.url)).collect()),
        ("thumbnailUrl", json!(summary.thumbnail.as_deref().and_then(web))),
        ("isAccessibleForFree", json!(record.data_access().is_free())),
        ("conditionsOfAccess", json!(record.data_access().coar().map(|(iri, _)| iri))),
        ("size", json!(record.sizes().first())),
        ("encodingFormat", if record.images.is_empty() { Value::Null } else { json!(ExportImage::MEDIA_TYPE) }),
        ("distribution", record.images.iter().take(DOWNLOADS).flat_map(downloads).collect()),
        ("includedInDataCatalog", json!({"@type": "DataCatalog", "@id": here.url, "name": here.name, "url": here.url})),
        ("sdLicense", json!(record.metadata_licence())),
        ("sdPublisher", organisation(&here.name, Some(here.url.clone()))),
        ("sdDatePublished", json!(record.modified.to_string())),
    ])
}

fn description(record: &ExportRecord) -> String {
    let text = &record.summary.description;
    if text.trim().is_empty() {
        return record.title().to_owned();
    }
    match text.char_indices().nth(DESCRIPTION - 1) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.clone(),
    }
}

/// Other addresses of the very same dataset.
fn same_as(record: &ExportRecord) -> Vec<String> {
    let other = [Some(record.iri.clone()), Some(record.cite_as())].into_iter().flatten().filter_map(|text| web(&text));
    let mut other: Vec<String> = other.filter(|url| *url != record.landing).collect();
    other.dedup();
    other
}

fn identifiers(record: &ExportRecord) -> Vec<String> {
    let mut identifiers = vec![record.cite_as()];
    if record.iri != record.cite_as() {
        identifiers.push(record.iri.clone());
    }
    identifiers.extend(record.accessions().into_iter().map(str::to_owned));
    identifiers
}

fn person(person: &dataset_model::Person) -> Value {
    let ror = affiliation_ror(person);
    object([
        ("@type", json!("Person")),
        ("@id", json!(person.orcid.as_deref().and_then(web))),
        ("name", json!(person.name)),
        ("affiliation", person.affiliations.iter().map(|name| organisation(name, ror.clone())).collect()),
    ])
}

fn organisation(name: &str, iri: Option<String>) -> Value {
    object([("@type", json!("Organization")), ("@id", json!(iri)), ("name", json!(name))])
}

fn defined(kind: &str, term: &dataset_model::Term) -> Value {
    object([
        ("@type", json!(kind)),
        ("@id", json!(web(term.iri.as_str()))),
        ("name", json!(term.label)),
        ("url", json!(web(term.iri.as_str()))),
    ])
}

/// What the pixels are values of: the channels, by name.
fn variables(record: &ExportRecord) -> Value {
    let mut names: Vec<&str> = record.images.iter().flat_map(|image| &image.channels).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() && !record.images.is_empty() {
        names.push("image intensity");
    }
    names.into_iter().take(DOWNLOADS).map(|name| json!({"@type": "PropertyValue", "name": name})).collect()
}

/// What of an image can be fetched with one request: what describes it, and all of it where it comes as one file.
fn downloads(image: &ExportImage) -> Vec<Value> {
    let metadata = object([
        ("@type", json!("DataDownload")),
        ("@id", json!(image.url)),
        ("name", json!(image.name)),
        ("description", json!(image.description)),
        ("contentUrl", json!(image.metadata_url())),
        ("encodingFormat", json!("application/json")),
        ("contentSize", json!(image.metadata.map(|(size, _)| format!("{size} B")))),
        ("sha256", json!(image.metadata.map(|(_, digest)| digest.to_string()))),
        ("dct:conformsTo", reference("https://ngff.openmicroscopy.org/")),
    ]);
    let archive = image.archive.as_ref().map(|url| {
        json!({"@type": "DataDownload", "name": format!("{}, in one file", image.name), "contentUrl": url, "encodingFormat": "application/zip"})
    });
    [metadata].into_iter().chain(archive).collect()
}
