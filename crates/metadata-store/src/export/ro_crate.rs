//! The RO-Crate as held, made to stand alone (RO-Crate 1.2, "Detached RO-Crate Package"): the root is the dataset's page, and
//! files are addresses that anyone can open. E-mail addresses are taken out.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{ExportRecord, METADATA_LICENCE};
use crate::{MetadataError, contacts::withhold_contacts, context::Vocabulary, iri};

const VERSION: &str = "https://w3id.org/ro/crate/1.2";

/// The crate as anyone may have it.
///
/// # Errors
/// When the crate is not here, or is none.
pub(super) fn document(record: &ExportRecord) -> Result<Value, MetadataError> {
    let bytes = record.crate_bytes.as_deref().ok_or_else(|| unusable("it has not arrived from its node yet"))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut document: Value = serde_json::from_slice(bytes).map_err(|error| unusable(&error.to_string()))?;
    withhold_contacts(&mut document);
    let graph =
        document.get_mut("@graph").and_then(Value::as_array_mut).ok_or_else(|| unusable("it has no '@graph'"))?;
    let descriptor = graph.iter_mut().filter_map(Value::as_object_mut).find(|entity| is_descriptor(entity));
    let root = descriptor.as_ref().and_then(|descriptor| root_of(descriptor)).unwrap_or_else(|| "./".to_owned());
    if let Some(descriptor) = descriptor {
        describe(descriptor, record);
    }
    let names = Names { record, root };
    graph.iter_mut().for_each(|entity| names.rewrite(entity));
    if record.deposited && !graph.iter().any(|entity| entity["@id"] == METADATA_LICENCE) {
        graph.push(json!({"@id": METADATA_LICENCE, "@type": "CreativeWork", "name": "CC0 1.0 Universal", "url": METADATA_LICENCE}));
    }
    let mut used = BTreeSet::new();
    document.get("@graph").into_iter().for_each(|graph| terms(graph, &mut used));
    let context = Vocabulary::written_out(&document["@context"], &used, &record.landing);
    let graph = document["@graph"].take();
    Ok(json!({"@context": context, "@graph": graph}))
}

fn unusable(why: &str) -> MetadataError {
    MetadataError::Crate { why: why.to_owned() }
}

fn is_descriptor(entity: &Map<String, Value>) -> bool {
    let id = entity.get("@id").and_then(Value::as_str).unwrap_or_default();
    id.ends_with("ro-crate-metadata.json") && entity.contains_key("about")
}

fn root_of(descriptor: &Map<String, Value>) -> Option<String> {
    let about = descriptor.get("about")?;
    let about = about.as_array().and_then(|list| list.first()).unwrap_or(about);
    about.get("@id").and_then(Value::as_str).map(str::to_owned)
}

/// Says which version of RO-Crate it is and, of deposits, under which licence the metadata are ("Metadata licence").
fn describe(descriptor: &mut Map<String, Value>, record: &ExportRecord) {
    let mut conforms: Vec<Value> = match descriptor.remove("conformsTo") {
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    conforms.retain(|value| {
        !value.get("@id").and_then(Value::as_str).is_some_and(|id| id.starts_with("https://w3id.org/ro/crate/1."))
    });
    conforms.insert(0, json!({"@id": VERSION}));
    let conforms = if conforms.len() == 1 { conforms.remove(0) } else { Value::Array(conforms) };
    descriptor.insert("conformsTo".into(), conforms);
    if record.deposited && !descriptor.contains_key("license") {
        descriptor.insert("license".into(), json!({"@id": METADATA_LICENCE}));
    }
}

/// The keys and types of all entities.
fn terms<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key);
                match (key.as_str(), value) {
                    ("@type", Value::String(name)) => drop(found.insert(name)),
                    ("@type", Value::Array(names)) => found.extend(names.iter().filter_map(Value::as_str)),
                    (_, value) => terms(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| terms(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// New names of entities.
struct Names<'a> {
    record: &'a ExportRecord,
    root: String,
}

impl Names<'_> {
    fn rewrite(&self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (key, value) in object.iter_mut() {
                    match value {
                        Value::String(id) if key == "@id" => *id = self.name(id),
                        value => self.rewrite(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.rewrite(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn name(&self, id: &str) -> String {
        let local = id.starts_with('#') || id.starts_with("_:") || id.ends_with("ro-crate-metadata.json");
        if local || iri::is_absolute(id) {
            return id.to_owned();
        }
        if id == self.root || matches!(id, "./" | "." | "") {
            return self.record.subject();
        }
        match &self.record.data {
            // A scheme makes an id absolute, whatever is wrong with the rest of it: it names nothing in the dataset.
            Some(data) if !id.contains("://") => format!("{data}{}", escaped_path(id.trim_start_matches("./"))),
            _ => id.to_owned(),
        }
    }
}

/// A path with all but its slashes escaped; one that is escaped already stays.
pub(super) fn escaped_path(path: &str) -> String {
    if path.contains('%') && iri::is_absolute(&format!("http://e/{path}")) {
        return path.to_owned();
    }
    path.split('/').map(iri::encode_all).collect::<Vec<_>>().join("/")
}
