//! The crate a version is published with: what the depositor wrote, and what only the node knows.

use dataset_model::{DatasetId, VersionNumber};
use ome_zarr::ImageRecord;
use serde_json::{Map, Value, json};

/// The metadata file of an attached RO-Crate (RO-Crate 1.2, "RO-Crate Metadata Document").
pub(crate) const CRATE_FILE: &str = "ro-crate-metadata.json";

/// How an OME-Zarr image is named in `encodingFormat`.
pub(crate) const OME_ZARR_FORMAT: &str = "application/vnd.ome.zarr";

/// What the node adds to a crate.
pub(crate) struct Additions<'a> {
    pub dataset: &'a DatasetId,
    pub version: VersionNumber,
    /// The dataset's page.
    pub iri: &'a str,
    pub public_url: &'a str,
    pub publisher: &'a str,
    pub images: &'a [ImageRecord],
}

/// Adds identifier, version, publisher (where missing), images and thumbnail to the root dataset, and takes e-mail
/// addresses out: a published crate cannot be taken back from everyone who harvested it.
///
/// A document without `@graph` is returned as it is.
pub(crate) fn compose(mut document: Value, additions: &Additions<'_>) -> Value {
    let Some(graph) = document.get_mut("@graph").and_then(Value::as_array_mut) else { return document };
    graph.iter_mut().for_each(remove_emails);
    let root_id = root_id(graph);
    let new_images: Vec<&ImageRecord> = additions.images.iter().filter(|image| !image.is_label).collect();
    let Some(root) = graph.iter_mut().filter_map(Value::as_object_mut).find(|entity| id_of(entity) == root_id) else {
        return document;
    };
    let needs_publisher = !root.contains_key("publisher");
    extend_root(root, additions, &new_images);
    for image in new_images {
        let id = format!("{}/", image.path);
        graph.retain(|entity| entity.get("@id").and_then(Value::as_str) != Some(&id));
        graph.push(image_entity(image, additions));
    }
    if needs_publisher {
        graph.push(json!({"@id": additions.public_url, "@type": "Organization", "name": additions.publisher}));
    }
    document
}

fn extend_root(root: &mut Map<String, Value>, additions: &Additions<'_>, images: &[&ImageRecord]) {
    add_to(root, "identifier", json!(additions.iri));
    root.insert("url".into(), json!(additions.iri));
    root.insert("version".into(), json!(additions.version.get().to_string()));
    for image in images {
        add_to(root, "hasPart", json!({"@id": format!("{}/", image.path)}));
    }
    if let Some(image) = images.first().filter(|_| !root.contains_key("thumbnailUrl")) {
        root.insert("thumbnailUrl".into(), json!(thumbnail(image, additions)));
    }
    if !root.contains_key("publisher") {
        root.insert("publisher".into(), json!({"@id": additions.public_url}));
    }
}

fn image_entity(image: &ImageRecord, additions: &Additions<'_>) -> Value {
    json!({
        "@id": format!("{}/", image.path),
        "@type": "Dataset",
        "name": if image.name.is_empty() { &image.path } else { &image.name },
        "description": describe(image),
        "encodingFormat": OME_ZARR_FORMAT,
        "thumbnailUrl": thumbnail(image, additions),
    })
}

/// `OME-Zarr 0.5, c 3 × y 512 × x 512, uint16`: axes in the order in which they are stored.
pub(crate) fn describe(image: &ImageRecord) -> String {
    let axes: Vec<String> =
        image.axes.iter().zip(&image.shape).map(|(axis, size)| format!("{} {size}", axis.name)).collect();
    format!("OME-Zarr {}, {}, {}", image.version, axes.join(" × "), image.data_type)
}

fn thumbnail(image: &ImageRecord, additions: &Additions<'_>) -> String {
    let Additions { public_url, dataset, version, .. } = additions;
    format!("{public_url}/render/{dataset}/{version}/{}/thumbnail?size=256", image.path.replace(' ', "%20"))
}

/// Appends to a property that may hold nothing, one value or several.
pub(crate) fn add_to(entity: &mut Map<String, Value>, property: &str, value: Value) {
    let mut values = match entity.remove(property) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(one) => vec![one],
    };
    if !values.contains(&value) {
        values.push(value);
    }
    let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
    entity.insert(property.to_owned(), value);
}

pub(crate) fn root_id(graph: &[Value]) -> String {
    let descriptor = graph.iter().find(|entity| {
        entity.get("@id").and_then(Value::as_str).is_some_and(|id| id.ends_with(CRATE_FILE))
            && entity.get("about").is_some()
    });
    let about = descriptor.and_then(|entity| entity.get("about"));
    let about = about.and_then(|about| about.as_array().and_then(|list| list.first()).or(Some(about)));
    about.and_then(|about| about.get("@id").unwrap_or(about).as_str()).unwrap_or("./").to_owned()
}

pub(crate) fn id_of(entity: &Map<String, Value>) -> &str {
    entity.get("@id").and_then(Value::as_str).unwrap_or_default()
}

fn remove_emails(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| {
                !matches!(
                    key.as_str(),
                    "email" | "schema:email" | "http://schema.org/email" | "https://schema.org/email"
                )
            });
            object.values_mut().for_each(remove_emails);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_emails),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(document: Value) -> Value {
        let dataset = "europe-1".parse().unwrap();
        let additions = Additions {
            dataset: &dataset,
            version: VersionNumber::FIRST,
            iri: "https://e.org/datasets/europe-1",
            public_url: "https://e.org",
            publisher: "Europe",
            images: &[],
        };
        compose(document, &additions)
    }

    #[test]
    fn the_node_adds_what_only_it_knows_and_keeps_the_rest() {
        let crate_json = json!({"@context": "x", "@graph": [
            {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}},
            {"@id": "./", "name": "Cells", "identifier": "mine"},
            {"@id": "#a", "email": "a@b.org", "name": "A"},
        ]});
        let composed = composed(crate_json);
        let graph = composed["@graph"].as_array().unwrap();
        assert_eq!(graph[1]["identifier"], json!(["mine", "https://e.org/datasets/europe-1"]));
        assert_eq!(graph[1]["version"], "1");
        assert_eq!(graph[1]["publisher"]["@id"], "https://e.org");
        assert_eq!(graph[2], json!({"@id": "#a", "name": "A"}));
        assert_eq!(graph[3]["name"], "Europe");
    }

    #[test]
    fn composing_twice_changes_nothing() {
        let crate_json = json!({"@graph": [
            {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}}, {"@id": "./", "publisher": {"@id": "#p"}},
        ]});
        let once = composed(crate_json);
        assert_eq!(composed(once.clone()), once);
    }
}
