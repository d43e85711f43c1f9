//! From normalised entities to RDF, through a JSON-LD processor.

use std::collections::BTreeSet;

use oxjsonld::JsonLdParser;
use oxrdf::{GraphName, Triple};
use serde_json::{Map, Value, json};

use super::{
    entity::{Entities, Entity},
    journal::{Journal, clip},
    rules::Rule,
};
use crate::{CrateError, context::Vocabulary};

/// The triples of a crate. Contexts were read before, so the processor meets no address it could want to fetch.
pub(super) fn of(
    entities: &Entities,
    vocabulary: &Vocabulary,
    journal: &mut Journal,
) -> Result<Vec<Triple>, CrateError> {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for entity in entities.iter() {
        used.extend(entity.types.iter().map(String::as_str));
        used.extend(entity.properties.keys().map(String::as_str));
    }
    let (context, undefined) = vocabulary.compact(&used);
    for term in &undefined {
        let message = format!("No context says what '{}' means, so it is not in the RDF.", clip(term));
        journal.find(Rule::TermUndefined.at("ro-crate-metadata.json#/@context", message));
    }
    let undefined: BTreeSet<&str> = undefined.iter().map(String::as_str).collect();
    let graph = entities.iter().map(|entity| node(entity, &undefined, vocabulary)).collect();
    let mut document = Map::new();
    document.insert("@context".to_owned(), context);
    document.insert("@graph".to_owned(), Value::Array(graph));
    parse(&Value::Object(document).to_string())
}

/// An entity as expanded JSON-LD, without keys that mean nothing.
fn node(entity: &Entity, undefined: &BTreeSet<&str>, vocabulary: &Vocabulary) -> Value {
    // A context may not define a term with a colon as anything but what it already is.
    let written = |term: &str| {
        let iri = if term.contains(':') { vocabulary.iri_of(term) } else { None };
        iri.unwrap_or_else(|| term.to_owned())
    };
    let mut node = Map::new();
    node.insert("@id".to_owned(), json!(entity.id));
    let types = entity.types.iter().filter(|name| !undefined.contains(name.as_str()));
    let types: Vec<String> = types.map(|name| written(name)).collect();
    if !types.is_empty() {
        node.insert("@type".to_owned(), json!(types));
    }
    for (key, values) in entity.properties.iter().filter(|(key, _)| !undefined.contains(key.as_str())) {
        let all = node.entry(written(key)).or_insert_with(|| Value::Array(Vec::new()));
        all.as_array_mut().into_iter().for_each(|all| all.extend(values.iter().cloned()));
    }
    Value::Object(node)
}

fn parse(document: &str) -> Result<Vec<Triple>, CrateError> {
    let failed = |source: oxjsonld::JsonLdSyntaxError| CrateError::Triples(Box::new(source));
    let mut triples = Vec::new();
    for quad in JsonLdParser::new().for_slice(document) {
        let quad = quad.map_err(failed)?;
        if quad.graph_name == GraphName::DefaultGraph {
            triples.push(Triple::new(quad.subject, quad.predicate, quad.object));
        }
    }
    Ok(triples)
}
