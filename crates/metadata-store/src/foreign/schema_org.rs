use serde_json::Value;

use super::description::{Creator, Description, date, is_web};
use crate::{CrateError, iri, reading::limits};

/// Members of a document that are looked through for a dataset.
const MOST: usize = 10_000;

/// Finds the dataset in the JSON-LD of a page.
pub(super) fn read(texts: &[String], page: &str) -> Result<Vec<u8>, CrateError> {
    let mut found: Option<Value> = None;
    for text in texts {
        limits::check(text.as_bytes())?;
        let Ok(document) = serde_json::from_str::<Value>(text) else { continue };
        if is_ro_crate(&document) {
            return Ok(text.clone().into_bytes());
        }
        let nodes = nodes(document);
        let datasets = nodes.into_iter().filter(|node| is_a(node, "Dataset"));
        for dataset in datasets {
            let is_own = addresses(&dataset).any(|address| address.trim_end_matches('/') == page.trim_end_matches('/'));
            if is_own || found.is_none() {
                found = Some(dataset);
            }
            if is_own {
                break;
            }
        }
    }
    let dataset = found.ok_or_else(|| CrateError::Foreign("the page describes no Dataset in JSON-LD".into()))?;
    describe(&dataset, page).into_crate(page)
}

fn is_ro_crate(document: &Value) -> bool {
    let graph = document["@graph"].as_array().into_iter().flatten();
    graph.take(MOST).any(|entity| {
        entity["@id"].as_str().is_some_and(|id| id.ends_with("ro-crate-metadata.json")) && entity.get("about").is_some()
    })
}

/// The nodes at the top of a document.
fn nodes(document: Value) -> Vec<Value> {
    match document {
        Value::Array(many) => many.into_iter().take(MOST).flat_map(nodes).collect(),
        Value::Object(mut object) => match object.remove("@graph") {
            Some(Value::Array(many)) => many.into_iter().take(MOST).collect(),
            Some(one) => vec![one],
            None => {
                let main = object.get("mainEntity").cloned();
                [Value::Object(object)].into_iter().chain(main).collect()
            }
        },
        _ => Vec::new(),
    }
}

fn is_a(node: &Value, kind: &str) -> bool {
    values(&node["@type"])
        .any(|value| value.as_str().is_some_and(|name| name.rsplit(['/', ':', '#']).next() == Some(kind)))
}

fn describe(dataset: &Value, page: &str) -> Description {
    let text = |key: &str| values(get(dataset, key)).find_map(plain).unwrap_or_default();
    let creators = if get(dataset, "creator").is_null() { "author" } else { "creator" };
    let mut identifiers: Vec<String> =
        addresses(dataset).filter(|address| is_web(address)).map(str::to_owned).collect();
    identifiers.extend(values(get(dataset, "identifier")).filter_map(identifier));
    if !identifiers.iter().any(|text| is_web(text)) {
        identifiers.push(page.to_owned());
    }
    let date = ["datePublished", "dateCreated", "dateModified"].into_iter().find_map(|key| date(&text(key)));
    let licence = values(get(dataset, "license")).find_map(|value| address(value).or_else(|| plain(value)));
    let named = ["keywords", "about", "measurementTechnique", "measurementMethod"];
    let terms = named.into_iter().flat_map(|key| values(get(dataset, key)).flat_map(subjects));
    Description {
        title: text("name"),
        description: text("description"),
        creators: values(get(dataset, creators)).filter_map(creator).collect(),
        publisher: values(get(dataset, "publisher")).find_map(|value| Some((plain(value)?, address(value)))),
        date,
        licence,
        subjects: terms.collect(),
        identifiers,
        related: values(get(dataset, "citation")).filter_map(address).collect(),
    }
}

/// A property, with the prefix of schema.org or without.
fn get<'a>(node: &'a Value, key: &str) -> &'a Value {
    let spellings = [
        key.to_owned(),
        format!("schema:{key}"),
        format!("http://schema.org/{key}"),
        format!("https://schema.org/{key}"),
    ];
    spellings.iter().map(|name| &node[name.as_str()]).find(|value| !value.is_null()).unwrap_or(&Value::Null)
}

fn values(value: &Value) -> impl Iterator<Item = &Value> {
    let one = if value.is_array() || value.is_null() { None } else { Some(value) };
    value.as_array().into_iter().flatten().take(MOST).chain(one)
}

/// What a value is called.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Object(_) => {
            let inner = [&value["@value"], get(value, "name"), &value["@id"]];
            inner.into_iter().find_map(|inner| values(inner).find_map(|text| Some(text.as_str()?.to_owned())))?
        }
        _ => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The address of what a value stands for.
fn address(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| addresses(value).next())?;
    Some(text.to_owned()).filter(|text| is_web(text))
}

fn addresses(node: &Value) -> impl Iterator<Item = &str> {
    [&node["@id"], get(node, "url"), get(node, "sameAs")]
        .into_iter()
        .flat_map(values)
        .filter_map(|value| value.as_str().or_else(|| value["@id"].as_str()).filter(|text| is_web(text)))
}

/// An identifier, with the DOI's scheme where it is one.
fn identifier(value: &Value) -> Option<String> {
    let inner = [get(value, "value"), get(value, "url"), &value["@id"]];
    let text = value.as_str().or_else(|| inner.into_iter().find_map(Value::as_str))?.trim();
    Some(if text.starts_with("10.") && text.contains('/') {
        format!("https://doi.org/{text}")
    } else {
        text.to_owned()
    })
    .filter(|text| !text.is_empty())
}

fn creator(value: &Value) -> Option<Creator> {
    let person = plain(value).filter(|name| !is_web(name));
    let parts = || {
        let part = |key: &str| values(get(value, key)).find_map(plain);
        let name: Vec<String> = [part("givenName"), part("familyName")].into_iter().flatten().collect();
        Some(name.join(" ")).filter(|name| !name.is_empty())
    };
    let ids = addresses(value).map(str::to_owned).chain(values(get(value, "identifier")).filter_map(identifier));
    let affiliation = values(get(value, "affiliation"))
        .find_map(|place| Some((plain(place)?, address(place).filter(|id| id.starts_with("https://ror.org/")))));
    Some(Creator {
        name: person.or_else(parts)?,
        orcid: ids.into_iter().find_map(|id| iri::orcid(&id)),
        is_organisation: is_a(value, "Organization"),
        affiliation,
    })
}

/// Key words stand in a list, or in one text with commas; terms come with their address.
fn subjects(value: &Value) -> Vec<(Option<String>, String)> {
    match value {
        Value::String(text) if is_web(text) => vec![(Some(text.clone()), text.clone())],
        Value::String(text) => {
            let words = text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty());
            words.map(|word| (None, word.to_owned())).collect()
        }
        _ => plain(value).map(|label| (address(value), label)).into_iter().collect(),
    }
}
