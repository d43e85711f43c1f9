//! A record as the field's search service answers it: the dataset with its parts nested in it, every list a list.
//!
//! The shape is that of `BioImage-Archive/gide-search` (`schema_search_object.py`), whose portal reads it: `id` and `type`
//! without `@`, lists even where they are empty. E-mail addresses are `null` there as well: they are not re-published.

use serde_json::{Map, Value, json};

use super::{
    entity::{Entities, Entity, reference},
    terms,
};
use crate::Ontology;

/// What nests in what is this deep: dataset, author, affiliation.
struct Nesting<'a> {
    entities: &'a Entities,
    ontology: &'a Ontology,
}

/// The dataset with its parts.
pub(super) fn of(entities: &Entities, root: &str, ontology: &Ontology) -> Value {
    let nothing = Entity::default();
    let (nesting, dataset) = (Nesting { entities, ontology }, entities.get(root).unwrap_or(&nothing));
    let text = |key: &str| json!(dataset.text(key).unwrap_or_default());
    let link = |key: &str| json!(dataset.values(key).first().and_then(link_or_text).unwrap_or_default());
    let publisher = dataset.references("publisher").next().map(|id| nesting.organization(id));
    let no_one = || json!({"id": "", "type": ["Organization"], "name": dataset.text("publisher").unwrap_or_default()});
    json!({
        "id": root,
        "type": dataset.types,
        "name": text("name"),
        "author": nesting.each(dataset, "author", |id| nesting.person(id)),
        "description": text("description"),
        "datePublished": text("datePublished"),
        "license": link("license"),
        "publisher": publisher.unwrap_or_else(no_one),
        "about": nesting.each(dataset, "about", |id| nesting.subject(id)),
        "measurementMethod": nesting.each(dataset, "measurementMethod", |id| nesting.subject(id)),
        "thumbnailUrl": dataset.values("thumbnailUrl").iter().filter_map(link_or_text).collect::<Vec<_>>(),
        "identifier": dataset.text("identifier"),
        "keywords": dataset.texts("keywords").collect::<Vec<_>>(),
        "funder": nesting.each(dataset, "funder", |id| nesting.part(id, &["name", "identifier"])),
        "seeAlso": nesting.each(dataset, "seeAlso", |id| nesting.part(id, &["name", "datePublished"])),
        "size": dataset.references("size").filter_map(|id| nesting.size(id)).collect::<Vec<_>>(),
    })
}

impl Nesting<'_> {
    /// The entities under a key; authors may be names alone.
    fn each(&self, from: &Entity, key: &str, nest: impl Fn(&str) -> Value) -> Vec<Value> {
        let values = from.values(key).iter();
        let one = |value: &Value| match reference(value) {
            Some(id) => Some(nest(id)),
            None => value.as_str().map(|name| json!({"id": "", "type": [], "name": name})),
        };
        values.filter_map(one).collect()
    }

    /// An entity with some of its texts, `null` where it has none.
    fn part(&self, id: &str, keys: &[&str]) -> Value {
        let entity = self.entities.get(id);
        let types = entity.map(|entity| entity.types.clone()).unwrap_or_default();
        let mut part = Map::from_iter([("id".to_owned(), json!(self.short(id))), ("type".to_owned(), json!(types))]);
        for key in keys {
            part.insert((*key).to_owned(), json!(entity.and_then(|entity| entity.text(key))));
        }
        part.into()
    }

    fn person(&self, id: &str) -> Value {
        let mut person = self.part(id, &["name", "email"]);
        let entity = self.entities.get(id);
        set(&mut person, "name", json!(entity.and_then(Entity::label).unwrap_or_else(|| self.short(id))));
        set(&mut person, "email", Value::Null);
        let affiliations = entity.map(|entity| self.each(entity, "affiliation", |id| self.organization(id)));
        set(&mut person, "affiliation", json!(affiliations.unwrap_or_default()));
        person
    }

    fn organization(&self, id: &str) -> Value {
        let mut organization = self.part(id, &["name", "url", "address"]);
        let named = self.entities.get(id).and_then(Entity::label);
        set(&mut organization, "name", json!(named.unwrap_or_else(|| self.short(id))));
        organization
    }

    /// A sample, a protocol, or a term.
    fn subject(&self, id: &str) -> Value {
        let Some(entity) = self.entities.get(id) else { return self.bare_term(id) };
        if entity.is("BioSample") {
            let mut sample = self.part(id, &["name", "description"]);
            set(&mut sample, "taxonomicRange", json!(self.each(entity, "taxonomicRange", |id| self.term(id))));
            set(&mut sample, "hasCellLine", json!(self.each(entity, "hasCellLine", |id| self.term(id))));
            return sample;
        }
        if entity.is("LabProtocol") {
            let mut protocol = self.part(id, &["name", "description", "labEquipment"]);
            let techniques = self.each(entity, "measurementTechnique", |id| self.term(id));
            set(&mut protocol, "measurementTechnique", json!(techniques));
            return protocol;
        }
        self.term(id)
    }

    fn term(&self, id: &str) -> Value {
        let Some(entity) = self.entities.get(id) else { return self.bare_term(id) };
        if !entity.is("Taxon") {
            let mut term = self.part(id, &["name"]);
            set(&mut term, "name", json!(entity.label().unwrap_or_else(|| self.short(id))));
            return term;
        }
        let mut taxon = self.part(id, &["scientificName", "vernacularName"]);
        let name = entity.text("scientificName").or_else(|| entity.label()).unwrap_or_else(|| self.short(id));
        set(&mut taxon, "name", json!(entity.text("name").unwrap_or_else(|| name.clone())));
        set(&mut taxon, "scientificName", json!(name));
        taxon
    }

    /// A term that the crate names without describing it.
    fn bare_term(&self, id: &str) -> Value {
        let term = terms::bare_term(id, self.ontology);
        let name = term.as_ref().map_or_else(|| self.short(id), |term| term.label.clone());
        match term.filter(|term| self.ontology.is_taxon(&term.iri)) {
            Some(_) => {
                json!({"id": id, "type": ["Taxon"], "name": name, "scientificName": name, "vernacularName": null})
            }
            None => json!({"id": self.short(id), "type": ["DefinedTerm"], "name": name}),
        }
    }

    /// A size that is a number.
    fn size(&self, id: &str) -> Option<Value> {
        let entity = self.entities.get(id)?;
        let value: u64 = entity.text("value")?.parse().ok()?;
        let unit = entity.values("unitCode").first().and_then(link_or_text);
        let unit_text = entity.text("unitText");
        Some(
            json!({"id": self.short(id), "type": entity.types, "value": value, "unitText": unit_text, "unitCode": unit}),
        )
    }

    /// An id as it stood in the crate where it means something in it only.
    fn short(&self, id: &str) -> String {
        let local = self.entities.is_local(id).then(|| id.split_once('#')).flatten();
        local.map_or_else(|| id.to_owned(), |(_, name)| format!("#{name}"))
    }
}

fn set(part: &mut Value, key: &str, value: Value) {
    if let Some(part) = part.as_object_mut() {
        part.insert(key.to_owned(), value);
    }
}

fn link_or_text(value: &Value) -> Option<String> {
    reference(value).or_else(|| value.as_str()).map(str::to_owned)
}
