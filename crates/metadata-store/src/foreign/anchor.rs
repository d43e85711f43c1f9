use serde_json::Value;

use crate::{CrateError, iri, reading::limits};

/// A crate that is known by its address, with the names in it that are relative made absolute: the root becomes `iri`, files
/// are below it. Nothing where the crate's root has a name of its own, so that its bytes can stay as they are.
///
/// # Errors
/// When the bytes are no JSON within the limits of a crate, or describe no dataset.
pub fn anchored(bytes: &[u8], iri: &str) -> Result<Option<Vec<u8>>, CrateError> {
    limits::check(bytes)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut document: Value = serde_json::from_slice(bytes).map_err(|source| CrateError::NotJson(Box::new(source)))?;
    let graph = document.get("@graph").and_then(Value::as_array).ok_or(CrateError::NotJsonLd)?;
    let root = graph.iter().find_map(root_of).ok_or(CrateError::NoRoot)?.to_owned();
    if iri::is_absolute(&root) {
        return Ok(None);
    }
    let base = url::Url::parse(iri).map_err(|_| CrateError::Base(iri.to_owned()))?;
    rename(&mut document, &root, iri, &base);
    let text = serde_json::to_vec_pretty(&document).map_err(|error| CrateError::NotJson(Box::new(error)))?;
    Ok(Some(text))
}

fn root_of(entity: &Value) -> Option<&str> {
    let id = entity["@id"].as_str().filter(|id| id.ends_with("ro-crate-metadata.json"))?;
    let about = entity.get("about").filter(|_| !id.is_empty())?;
    let about = about.as_array().and_then(|many| many.first()).unwrap_or(about);
    about["@id"].as_str()
}

/// Depth is bounded: it was checked before the document was read.
fn rename(value: &mut Value, root: &str, iri: &str, base: &url::Url) {
    match value {
        Value::Array(many) => many.iter_mut().for_each(|value| rename(value, root, iri, base)),
        Value::Object(object) => {
            for (key, value) in object.iter_mut().filter(|(key, _)| *key != "@context") {
                match value {
                    Value::String(id) if key == "@id" && id == root => iri.clone_into(id),
                    Value::String(id) if key == "@id" => {
                        let stays = id.is_empty() || id.starts_with(['#', '_']) || id.contains(':');
                        if !stays && !id.ends_with("ro-crate-metadata.json") {
                            *id = base.join(id).map_or_else(|_| id.clone(), |url| url.to_string());
                        }
                    }
                    other => rename(other, root, iri, base),
                }
            }
        }
        _ => {}
    }
}
