use node::{RecordKind, RecordView};
use serde_json::{Map, Value, json};

use super::images::image_url;
use crate::{links, site::Identity};

/// As many images become downloads; the crate has all.
const DOWNLOADS: usize = 100;

/// The dataset as schema.org describes one. The context is in the document, so that nobody has to fetch it.
pub(crate) fn document(identity: &Identity, record: &RecordView) -> Value {
    let summary = &record.summary;
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            document.insert(name.to_owned(), value);
        }
    };
    put("@context", json!({"@vocab": "http://schema.org/"}));
    put("@type", json!("Dataset"));
    put("@id", json!(record.iri));
    put("name", json!(summary.title));
    put("description", json!(summary.description));
    put("url", json!(record.page));
    put("identifier", identifiers(record));
    put(
        "version",
        if record.kind == RecordKind::Deposit { json!(record.version.get().to_string()) } else { Value::Null },
    );
    put("datePublished", json!(summary.date_published));
    put("license", json!(summary.licence.as_ref().map(|licence| &licence.url)));
    put("creator", Value::Array(summary.authors.iter().map(person).collect()));
    put("publisher", publisher(record));
    put("keywords", json!(summary.keywords));
    put("about", Value::Array(summary.organisms.iter().map(|term| defined("Taxon", term)).collect()));
    put(
        "measurementTechnique",
        Value::Array(summary.methods.iter().map(|term| defined("DefinedTerm", term)).collect()),
    );
    put("citation", json!(summary.see_also.iter().filter_map(|text| links::identifier(text)).collect::<Vec<_>>()));
    put("thumbnailUrl", json!(summary.thumbnail.as_deref().and_then(links::web)));
    put("isAccessibleForFree", json!(true));
    put("distribution", distribution(record));
    put("includedInDataCatalog", json!({"@type": "DataCatalog", "name": identity.title, "url": identity.url}));
    Value::Object(document)
}

/// JSON that may stand in a script element: no text in it can end the element or begin a comment.
pub(crate) fn for_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn identifiers(record: &RecordView) -> Value {
    let mut identifiers = record.summary.identifiers.clone();
    if !identifiers.contains(&record.iri) {
        identifiers.insert(0, record.iri.clone());
    }
    json!(identifiers)
}

fn person(person: &dataset_model::Person) -> Value {
    let mut value = json!({"@type": "Person", "name": person.name});
    if let Some(orcid) = &person.orcid {
        value["@id"] = json!(orcid);
    }
    if !person.affiliations.is_empty() {
        let organisation = |name: &String| json!({"@type": "Organization", "name": name});
        value["affiliation"] = person.affiliations.iter().map(organisation).collect();
    }
    value
}

fn publisher(record: &RecordView) -> Value {
    let Some(publisher) = &record.summary.publisher else { return Value::Null };
    let mut value = json!({"@type": "Organization", "name": publisher.name});
    if let Some(iri) = &publisher.iri {
        value["@id"] = json!(iri);
    }
    value
}

fn defined(kind: &str, term: &dataset_model::Term) -> Value {
    json!({"@type": kind, "@id": term.iri, "name": term.label})
}

fn distribution(record: &RecordView) -> Value {
    let download = |image: &node::ImageView| json!({"@type": "DataDownload", "name": image.name, "contentUrl": image_url(image), "encodingFormat": "application/vnd.ome.zarr"});
    record.images.iter().take(DOWNLOADS).map(download).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::dataset::tests::{EVIL, record};

    #[test]
    fn the_block_reads_back_whole_and_cannot_end_its_element() {
        let document = document(&Identity::example(), &record());
        let text = for_script(&document);
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, document);
        assert_eq!(read["name"], EVIL);
    }

    #[test]
    fn the_document_is_a_schema_org_dataset() {
        let document = document(&Identity::example(), &record());
        assert_eq!(document["@type"], "Dataset");
        assert_eq!(document["@context"]["@vocab"], "http://schema.org/");
        assert_eq!(document["license"], "https://creativecommons.org/licenses/by/4.0/");
        assert_eq!(document["creator"][0]["@id"], "https://orcid.org/0000-0002-1825-0097");
        assert_eq!(
            document["distribution"][0]["contentUrl"],
            "https://europe.example.org/data/europe-1/v2/a%20b.ome.zarr"
        );
        assert_eq!(document["version"], "2");
    }
}
