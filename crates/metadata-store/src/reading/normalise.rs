//! From the JSON people write to flat entities with known keys, types and ids, each change recorded.

use std::collections::BTreeMap;

use dataset_model::Licence;
use serde_json::{Map, Value, json};

use super::{
    date,
    entity::Entity,
    ids::Ids,
    journal::{Journal, clip, place},
    limits::MAX_ENTITIES,
    rules::Rule,
    text,
};
use crate::{CrateError, context::Vocabulary, iri};

/// Keys whose texts are meant as links where they look like one.
const LINKS: [&str; 16] = [
    "about",
    "affiliation",
    "author",
    "citation",
    "conformsTo",
    "creator",
    "funder",
    "hasCellLine",
    "hasPart",
    "isPartOf",
    "measurementMethod",
    "measurementTechnique",
    "publisher",
    "seeAlso",
    "size",
    "taxonomicRange",
];
const DATES: [&str; 4] = ["dateCreated", "dateModified", "datePublished", "sdDatePublished"];

/// Reads the entities of `@graph`, one after the other.
pub(super) struct Normaliser<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) ids: Ids<'a>,
    pub(super) journal: &'a mut Journal,
    pub(super) entities: Vec<Entity>,
    /// Nested entities without an id, numbered.
    unnamed: usize,
}

impl<'a> Normaliser<'a> {
    pub(super) fn new(vocabulary: &'a Vocabulary, ids: Ids<'a>, journal: &'a mut Journal) -> Self {
        Self { vocabulary, ids, journal, entities: Vec::new(), unnamed: 0 }
    }

    /// Takes one element of `@graph`.
    pub(super) fn take(&mut self, at: usize, element: &Value) -> Result<(), CrateError> {
        match element {
            Value::Object(object) => self.entity(at, object).map(|_| ()),
            _ => {
                let message = "An element of '@graph' is no object and was left out.";
                self.journal.find(Rule::EntityNotObject.at(place(at, ""), message));
                Ok(())
            }
        }
    }

    /// Reads an entity and those nested in it; gives its id.
    fn entity(&mut self, at: usize, object: &Map<String, Value>) -> Result<String, CrateError> {
        if self.entities.len() >= MAX_ENTITIES {
            return Err(CrateError::TooManyEntities { limit: MAX_ENTITIES });
        }
        let id = match object.get("@id").and_then(Value::as_str) {
            Some(id) => self.ids.absolute(id, self.journal),
            None => {
                self.unnamed += 1;
                format!("_:unnamed-{}", self.unnamed)
            }
        };
        let types = self.types(object.get("@type").or_else(|| object.get("type")));
        let place = self.entities.len();
        self.entities.push(Entity { id: id.clone(), types, at, properties: BTreeMap::new() });
        let mut properties: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (key, value) in object {
            if let Some(short) = self.key(at, key) {
                let values = self.values(at, key, &short, value)?;
                properties.entry(short).or_default().extend(values);
            }
        }
        properties.retain(|_, values| !values.is_empty());
        if let Some(entity) = self.entities.get_mut(place) {
            entity.properties = properties;
        }
        Ok(id)
    }

    fn types(&mut self, value: Option<&Value>) -> Vec<String> {
        let names: Vec<&str> = match value {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut types: Vec<String> = names.into_iter().map(|name| self.kind(name)).collect();
        types.sort();
        types.dedup();
        types
    }

    fn kind(&mut self, name: &str) -> String {
        let short = self.vocabulary.short(name.trim());
        let (right, rule) = match short.as_str() {
            "QuantitiveValue" => ("QuantitativeValue", "type.quantitative-value"),
            "Organisation" => ("Organization", "type.organization"),
            _ => return short,
        };
        self.journal.repair(rule, name, right);
        right.to_owned()
    }

    /// The short key; nothing for keys that are not read.
    fn key(&mut self, at: usize, key: &str) -> Option<String> {
        if matches!(key, "@id" | "@type" | "type") {
            return None;
        }
        if key.starts_with('@') {
            let message = format!("'{}' inside an entity is not read.", clip(key));
            self.journal.find(Rule::KeywordIgnored.at(place(at, key), message));
            return None;
        }
        let short = self.vocabulary.short(key);
        if self.vocabulary.is_redefined(key) || (short != key && key.ends_with("rdf:seeAlso")) {
            let given = if short == "seeAlso" { "property.see-also" } else { "property.gide-term" };
            let from = self.vocabulary.expand(key).unwrap_or_else(|| key.to_owned());
            self.journal.repair(given, &from, &self.vocabulary.iri_of(&short).unwrap_or_else(|| short.clone()));
        }
        Some(short)
    }

    fn values(&mut self, at: usize, key: &str, short: &str, value: &Value) -> Result<Vec<Value>, CrateError> {
        Ok(match value {
            Value::Null => Vec::new(),
            Value::Bool(_) | Value::Number(_) => vec![value.clone()],
            Value::String(text) => self.text(short, text, self.vocabulary.is_link(key)).into_iter().collect(),
            Value::Array(values) => {
                let mut all = Vec::with_capacity(values.len());
                for value in values {
                    all.extend(self.values(at, key, short, value)?);
                }
                all
            }
            Value::Object(object) => self.object(at, key, short, object)?,
        })
    }

    fn object(
        &mut self,
        at: usize,
        key: &str,
        short: &str,
        object: &Map<String, Value>,
    ) -> Result<Vec<Value>, CrateError> {
        if let Some(list) = object.get("@list").or_else(|| object.get("@set")) {
            return self.values(at, key, short, list);
        }
        if let Some(value) = object.get("@value") {
            return Ok(self.value_object(short, value, object));
        }
        if self.vocabulary.is_language_map(key) {
            let one = |(language, text): (&String, &Value)| {
                let object = Map::from_iter([("@language".to_owned(), json!(language))]);
                self.value_object(short, text, &object)
            };
            return Ok(object.iter().flat_map(one).collect());
        }
        match object.get("@id").and_then(Value::as_str) {
            Some(id) if object.len() == 1 => Ok(vec![self.link(short, id)]),
            _ if object.is_empty() => Ok(Vec::new()),
            _ => Ok(vec![json!({"@id": self.entity(at, object)?})]),
        }
    }

    fn value_object(&mut self, short: &str, value: &Value, object: &Map<String, Value>) -> Vec<Value> {
        let Value::String(text) = value else {
            return if value.is_number() || value.is_boolean() { vec![value.clone()] } else { Vec::new() };
        };
        let is_iri = object.get("@type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("anyURI"));
        let cleaned = self.text(short, text, is_iri);
        match (object.get("@language").and_then(Value::as_str), cleaned) {
            (Some(language), Some(Value::String(text))) if is_language_tag(language) => {
                vec![json!({"@value": text, "@language": language})]
            }
            (_, cleaned) => cleaned.into_iter().collect(),
        }
    }

    /// A reference; licences have spellings of their own.
    fn link(&mut self, short: &str, id: &str) -> Value {
        if short == "license" {
            let licence = self.licence(id);
            if licence.starts_with("http") {
                return json!({"@id": licence});
            }
        }
        json!({"@id": self.ids.absolute(id, self.journal)})
    }

    fn licence(&mut self, written: &str) -> String {
        let url = Licence::read(written).url;
        if url != written {
            self.journal.repair("licence.spelling", written, &url);
        }
        url
    }

    /// A text without dirt; a reference where it is meant as one; nothing where it says nothing.
    fn text(&mut self, key: &str, written: &str, is_link: bool) -> Option<Value> {
        let clean = self.clean(written)?;
        if is_link {
            return Some(json!({"@id": self.ids.absolute(&clean, self.journal)}));
        }
        if key == "license" {
            let url = self.licence(&clean);
            let link = iri::encode(&url);
            return Some(if is_web(&link) && iri::is_absolute(&link) { json!({"@id": link}) } else { json!(url) });
        }
        if DATES.contains(&key) {
            let day = date::read(&clean).unwrap_or_else(|| clean.clone());
            if day != clean {
                self.journal.repair("date.spelling", &clean, &day);
            }
            return Some(json!(day));
        }
        if LINKS.contains(&key) && (iri::known(&clean).is_some() || is_web(&clean)) {
            let id = self.ids.absolute(&clean, self.journal);
            self.journal.repair("link.as-text", written, &id);
            return Some(json!({"@id": id}));
        }
        Some(json!(clean))
    }

    fn clean(&mut self, written: &str) -> Option<String> {
        let clean = text::clean(written);
        if clean != written && !clean.is_empty() {
            self.journal.repair("text.whitespace", written, &clean);
        }
        if text::is_placeholder(&clean) {
            self.journal.repair("text.placeholder", written, "");
            return None;
        }
        let plain = text::plain(&clean);
        if plain != clean {
            self.journal.repair("text.markup", &clean, &plain);
        }
        let plain = plain.into_owned();
        (!plain.is_empty()).then_some(plain)
    }
}

fn is_web(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace)
}

fn is_language_tag(tag: &str) -> bool {
    tag.len() <= 35
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        && tag.starts_with(|c: char| c.is_ascii_alphabetic())
}
