//! The crate a version is published with: what the depositor wrote, and what only the node knows.

use std::collections::HashSet;

use dataset_model::{DatasetId, ManifestFile, VersionNumber};
use serde_json::{Map, Value, json};

use crate::{
    Conversion,
    image_facts::{self, ImageFacts},
    measured_size::{MeasuredSize, write_size},
};

/// The metadata file of an attached RO-Crate (RO-Crate 1.2, "RO-Crate Metadata Document").
pub(crate) const CRATE_FILE: &str = "ro-crate-metadata.json";

/// How an OME-Zarr image is named in `encodingFormat`.
pub(crate) const OME_ZARR_FORMAT: &str = "application/vnd.ome.zarr";

/// All facts of as many images go into the crate, which has a limit; of further ones, a line each.
const DESCRIBED_IN_FULL: usize = 1000;

/// An image, or a plate with all its fields, as the crate tells of it.
pub(crate) struct CrateImage {
    pub path: String,
    pub name: String,
    pub facts: ImageFacts,
}
/// Files an image was made of that a crate names one by one.
const MOST_SOURCES: usize = 100;

/// What the node adds to a crate.
pub(crate) struct Additions<'a> {
    pub dataset: &'a DatasetId,
    pub version: VersionNumber,
    /// The dataset's page.
    pub iri: &'a str,
    pub public_url: &'a str,
    pub publisher: &'a str,
    pub images: &'a [CrateImage],
    /// Images that the node made, with what it made them of.
    pub conversions: &'a [Conversion],
    pub size: MeasuredSize,
}

/// Adds identifier, version, publisher (where missing), images, thumbnail, size and how the node made images of other files to
/// the root dataset, and takes contact details out: a published crate cannot be taken back from everyone who harvested it.
///
/// A document without `@graph` is returned as it is.
pub(crate) fn compose(mut document: Value, additions: &Additions<'_>) -> Value {
    let Some(graph) = document.get_mut("@graph").and_then(Value::as_array_mut) else { return document };
    let root_id = root_id(graph);
    let Some(root) = graph.iter_mut().filter_map(Value::as_object_mut).find(|entity| id_of(entity) == root_id) else {
        return document;
    };
    let needs_publisher = !root.contains_key("publisher");
    extend_root(root, additions);
    let added: Vec<Value> =
        additions.images.iter().enumerate().flat_map(|(at, image)| image_entities(image, additions, at)).collect();
    let ids: HashSet<&str> = added.iter().filter_map(|entity| entity.get("@id")?.as_str()).collect();
    graph.retain(|entity| !entity.get("@id").and_then(Value::as_str).is_some_and(|id| ids.contains(id)));
    graph.extend(added);
    additions.conversions.iter().for_each(|conversion| add_conversion(graph, &root_id, conversion));
    write_size(graph, &root_id, additions.size);
    if needs_publisher {
        graph.push(json!({"@id": additions.public_url, "@type": "Organization", "name": additions.publisher}));
    }
    if !additions.images.is_empty() {
        extend_context(&mut document);
    }
    // Last, because names of images and channels come from files.
    metadata_store::withhold_contacts(&mut document);
    document
}

/// Says what the words are that images are described with.
fn extend_context(document: &mut Value) {
    let Some(document) = document.as_object_mut() else { return };
    let ours = image_facts::context();
    let mut parts = match document.remove("@context") {
        None | Some(Value::Null) => vec![json!("https://w3id.org/ro/crate/1.2/context")],
        Some(Value::Array(parts)) => parts,
        Some(one) => vec![one],
    };
    if !parts.contains(&ours) {
        parts.push(ours);
    }
    document.insert("@context".into(), Value::Array(parts));
}

fn extend_root(root: &mut Map<String, Value>, additions: &Additions<'_>) {
    let images = additions.images;
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

fn image_entities(image: &CrateImage, additions: &Additions<'_>, at: usize) -> Vec<Value> {
    let id = format!("{}/", image.path);
    let mut entity = Map::from_iter([
        ("@id".to_owned(), json!(id)),
        ("@type".to_owned(), json!("Dataset")),
        ("name".to_owned(), json!(if image.name.is_empty() { &image.path } else { &image.name })),
        ("description".to_owned(), json!(image.facts.line())),
        ("encodingFormat".to_owned(), json!(OME_ZARR_FORMAT)),
        ("thumbnailUrl".to_owned(), json!(thumbnail(image, additions))),
    ]);
    let channels = if at < DESCRIBED_IN_FULL { image.facts.write(&id, &mut entity) } else { Vec::new() };
    [vec![Value::Object(entity)], channels].concat()
}

/// How an image was made, as RO-Crate 1.2 describes software that changed files ("Provenance of entities").
fn add_conversion(graph: &mut Vec<Value>, root_id: &str, conversion: &Conversion) {
    let image = &conversion.image;
    let action = format!("#conversion-of-{image}");
    let software: Vec<Value> = conversion.software.iter().map(|name| json!({"@id": software_id(name)})).collect();
    let source_entities = source_entities(conversion);
    let sources: Vec<Value> = source_entities.iter().map(|entity| json!({"@id": entity["@id"]})).collect();
    let root = graph.iter_mut().filter_map(Value::as_object_mut).find(|entity| id_of(entity) == root_id);
    if let Some(root) = root {
        add_to(root, "mentions", json!({"@id": action}));
        let parts = sources.iter().filter(|source| source["@id"] != root_id);
        parts.for_each(|source| add_to(root, "hasPart", source.clone()));
    }
    for name in &conversion.software {
        add_entity(graph, software_entity(name));
    }
    source_entities.into_iter().for_each(|entity| add_entity(graph, entity));
    add_entity(
        graph,
        json!({
            "@id": action,
            "@type": "CreateAction",
            "name": format!("Conversion to the OME-Zarr image {image}"),
            "endTime": conversion.ended.to_string(),
            "instrument": software,
            "object": sources,
            "result": {"@id": format!("{image}/")},
        }),
    );
}

fn software_id(name: &str) -> String {
    format!("#{}", name.to_lowercase().replace(' ', "-"))
}

/// A program by its name and version, `Heliograph 0.1.0`.
fn software_entity(name: &str) -> Value {
    let (title, version) = name.rsplit_once(' ').unwrap_or((name, ""));
    json!({"@id": software_id(name), "@type": "SoftwareApplication", "name": title, "softwareVersion": version})
}

/// The files an image was made of; where those are many, the folder that holds them.
fn source_entities(conversion: &Conversion) -> Vec<Value> {
    let files = &conversion.sources;
    if files.len() <= MOST_SOURCES {
        return files.iter().map(source_entity).collect();
    }
    let mut folder = files.first().map(|file| file.path.as_str()).unwrap_or_default();
    while let Some((above, _)) = folder.rsplit_once('/') {
        folder = above;
        if files.iter().all(|file| file.path.as_str().strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))) {
            let description = format!("{} files of one image", files.len());
            return vec![json!({"@id": format!("{folder}/"), "@type": "Dataset", "description": description})];
        }
    }
    vec![json!({"@id": "./"})]
}

fn source_entity(file: &ManifestFile) -> Value {
    json!({
        "@id": file.path.as_str(),
        "@type": "File",
        "name": file.path.name(),
        "contentSize": file.size.to_string(),
        "sha256": file.sha256.to_string(),
    })
}

/// Adds an entity, unless the crate describes it already.
fn add_entity(graph: &mut Vec<Value>, entity: Value) {
    if !graph.iter().any(|known| known.get("@id") == entity.get("@id")) {
        graph.push(entity);
    }
}

fn thumbnail(image: &CrateImage, additions: &Additions<'_>) -> String {
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

#[cfg(test)]
mod tests {
    use dataset_model::{Digest, Timestamp};

    use super::*;

    fn conversion() -> Conversion {
        Conversion {
            image: "cells.ome.zarr".parse().unwrap(),
            sources: vec![ManifestFile { path: "cells.ome.tif".parse().unwrap(), size: 3, sha256: Digest::of("tif") }],
            software: vec!["bioformats2raw 0.9.1".into(), "Heliograph 0.1.0".into()],
            ended: Timestamp::now(),
            findings: Vec::new(),
        }
    }

    fn composed(document: Value) -> Value {
        with(document, &[], &[conversion()])
    }

    fn with_images(document: Value, images: &[CrateImage]) -> Value {
        with(document, images, &[])
    }

    fn with(document: Value, images: &[CrateImage], conversions: &[Conversion]) -> Value {
        let dataset = "europe-1".parse().unwrap();
        let additions = Additions {
            dataset: &dataset,
            version: VersionNumber::FIRST,
            iri: "https://e.org/datasets/europe-1",
            public_url: "https://e.org",
            publisher: "Europe",
            images,
            conversions,
            size: MeasuredSize { files: 2, bytes: 10 },
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
        assert_eq!(graph.last().unwrap()["name"], "Europe");
    }

    #[test]
    fn what_the_node_made_names_its_source_and_the_programs() {
        let crate_json = json!({"@graph": [
            {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}},
            {"@id": "./", "publisher": {"@id": "#p"}},
            {"@id": "cells.ome.tif", "@type": "File", "name": "As the depositor describes it"},
        ]});
        let composed = composed(crate_json);
        let entity =
            |id: &str| composed["@graph"].as_array().unwrap().iter().find(|entity| entity["@id"] == id).unwrap();
        let action = entity("#conversion-of-cells.ome.zarr");
        assert_eq!(action["@type"], "CreateAction");
        assert_eq!(action["object"], json!([{"@id": "cells.ome.tif"}]));
        assert_eq!(action["result"], json!({"@id": "cells.ome.zarr/"}));
        assert_eq!(action["instrument"], json!([{"@id": "#bioformats2raw-0.9.1"}, {"@id": "#heliograph-0.1.0"}]));
        assert_eq!(entity("#heliograph-0.1.0")["softwareVersion"], "0.1.0");
        assert_eq!(entity("cells.ome.tif")["name"], "As the depositor describes it");
        assert_eq!(entity("./")["mentions"], json!({"@id": "#conversion-of-cells.ome.zarr"}));
    }

    #[test]
    fn composing_twice_changes_nothing() {
        let crate_json = json!({"@graph": [
            {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}}, {"@id": "./", "publisher": {"@id": "#p"}},
        ]});
        let once = composed(crate_json);
        assert_eq!(composed(once.clone()), once);
    }

    #[test]
    fn an_image_described_before_is_described_anew_and_only_the_first_thousand_in_full() {
        let facts = ImageFacts { version: "0.5".into(), levels: 2, ..ImageFacts::default() };
        let image = |n: usize| CrateImage { path: format!("{n}.zarr"), name: String::new(), facts: facts.clone() };
        let images: Vec<CrateImage> = (0..1002).map(image).collect();
        let document = json!({"@context": "x", "@graph": [
            {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}}, {"@id": "./", "publisher": {"@id": "#p"}},
            {"@id": "0.zarr/", "name": "of the version before", "heliograph:levels": 9},
        ]});
        let once = with_images(document, &images);
        let graph = once["@graph"].as_array().unwrap();
        let described: Vec<&Value> = graph.iter().filter(|entity| entity["heliograph:levels"] == 2).collect();
        assert_eq!((graph.len(), described.len()), (1006, 1000));
        assert_eq!(once["@context"], json!(["x", {"heliograph": "https://heliograph.org/ns#"}]));
        assert_eq!(with_images(once.clone(), &images), once);
    }
}
