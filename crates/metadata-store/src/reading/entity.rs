//! A crate after normalisation: flat entities with absolute ids.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{
    journal::{Journal, clip, place},
    rules::Rule,
};

/// Values of one property that are compared when two descriptions are merged.
const MAX_COMPARED: usize = 200;

/// One node of the crate's graph.
#[derive(Debug, Default)]
pub(super) struct Entity {
    /// Absolute IRI, or `_:name`.
    pub(super) id: String,
    /// Short type names.
    pub(super) types: Vec<String>,
    /// Position in `@graph`.
    pub(super) at: usize,
    /// Short keys; values are literals, `{"@id"}` references or value objects.
    pub(super) properties: BTreeMap<String, Vec<Value>>,
}

impl Entity {
    pub(super) fn is(&self, kind: &str) -> bool {
        self.types.iter().any(|own| own == kind)
    }

    pub(super) fn values(&self, key: &str) -> &[Value] {
        self.properties.get(key).map_or(&[], Vec::as_slice)
    }

    /// The texts under a key; numbers are written out.
    pub(super) fn texts<'a>(&'a self, key: &str) -> impl Iterator<Item = String> + 'a {
        self.values(key).iter().filter_map(text_of)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.texts(key).next()
    }

    /// The ids referred to under a key.
    pub(super) fn references<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> + 'a {
        self.values(key).iter().filter_map(reference)
    }

    /// Where it stands in the file, for findings.
    pub(super) fn place(&self, key: &str) -> String {
        place(self.at, key)
    }

    /// The name people read.
    pub(super) fn label(&self) -> Option<String> {
        self.text("name").or_else(|| self.text("scientificName"))
    }
}

/// The id a value refers to.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("@id").and_then(Value::as_str)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(_) => text_of(value.get("@value")?),
        _ => None,
    }
}

/// All entities of a crate, found by id.
#[derive(Debug, Default)]
pub(super) struct Entities {
    list: Vec<Entity>,
    index: HashMap<String, usize>,
    /// The dataset's page, with a slash at its end.
    folder: String,
}

impl Entities {
    /// Indexes entities; those with one id become one, with the values of all.
    pub(super) fn of(entities: Vec<Entity>, folder: &str, journal: &mut Journal) -> Self {
        let mut all = Self { folder: folder.to_owned(), ..Self::default() };
        for entity in entities {
            match all.index.get(&entity.id).and_then(|at| all.list.get_mut(*at)) {
                Some(known) => merge(known, entity, journal),
                None => {
                    all.index.insert(entity.id.clone(), all.list.len());
                    all.list.push(entity);
                }
            }
        }
        all
    }

    /// Whether an id means something within this crate only.
    pub(super) fn is_local(&self, id: &str) -> bool {
        let page = self.folder.trim_end_matches('/');
        let below =
            |rest: &str| rest.trim_start_matches('/').starts_with('#') || (rest.starts_with('/') && rest.len() > 1);
        id.starts_with("_:") || id.strip_prefix(page).is_some_and(below)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Entity> {
        self.list.get(*self.index.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Entity> {
        self.list.get_mut(*self.index.get(id)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entity> {
        self.list.iter()
    }

    /// The entities an entity refers to under a key; references to nothing are left out.
    pub(super) fn linked<'a>(&'a self, from: &'a Entity, key: &str) -> impl Iterator<Item = &'a Entity> + 'a {
        from.references(key).filter_map(|id| self.get(id))
    }
}

fn merge(known: &mut Entity, other: Entity, journal: &mut Journal) {
    let message =
        format!("The entity '{}' is described more than once; the descriptions were merged.", clip(&known.id));
    journal.find(Rule::EntityDuplicate.at(other.place("@id"), message));
    known.types.extend(other.types);
    known.types.sort();
    known.types.dedup();
    for (key, values) in other.properties {
        let own = known.properties.entry(key).or_default();
        for value in values {
            // Beyond what people write, repeated values are not looked for: they do no harm in RDF.
            if own.len() > MAX_COMPARED || !own.contains(&value) {
                own.push(value);
            }
        }
    }
}
