//! Authors and organisations.

use dataset_model::{Agent, Person};

use super::entity::{Entities, Entity, reference};
use crate::iri;

/// Authors in the order written; `creator` where there is no `author`.
pub(super) fn authors(entities: &Entities, root: &Entity) -> Vec<Person> {
    let key = if root.values("author").is_empty() { "creator" } else { "author" };
    let values = root.values(key).iter();
    let people = values.filter_map(|value| match reference(value) {
        Some(id) => Some(entities.get(id).map_or_else(|| unknown(id), |entity| person(entities, entity))),
        None => value.as_str().map(|name| Person { name: name.to_owned(), ..Person::default() }),
    });
    people.filter(|person| !person.name.is_empty()).collect()
}

/// An author whom no entity describes.
fn unknown(id: &str) -> Person {
    let orcid = iri::orcid(id);
    Person { name: orcid.clone().unwrap_or_default(), orcid, ..Person::default() }
}

fn person(entities: &Entities, entity: &Entity) -> Person {
    let parts = || {
        let name: Vec<String> = [entity.text("givenName"), entity.text("familyName")].into_iter().flatten().collect();
        name.join(" ")
    };
    let mut affiliations: Vec<String> = Vec::new();
    let mut affiliation_rors: Vec<String> = Vec::new();
    for value in entity.values("affiliation") {
        let name = match reference(value) {
            Some(id) => entities.get(id).and_then(Entity::label),
            None => value.as_str().map(str::to_owned),
        };
        let ror = reference(value).filter(|id| id.starts_with("https://ror.org/")).map(str::to_owned);
        affiliation_rors.extend(ror.filter(|ror| !affiliation_rors.contains(ror)));
        affiliations.extend(name.filter(|name| !affiliations.contains(name)));
    }
    let named = entity.text("name").unwrap_or_else(parts);
    let orcid = iri::orcid(&entity.id).or_else(|| entity.texts("identifier").find_map(|text| iri::orcid(&text)));
    let name = if named.is_empty() { orcid.clone().unwrap_or_default() } else { named };
    Person { name, orcid, affiliations, affiliation_rors }
}

/// The organisation that published the dataset.
pub(super) fn publisher(entities: &Entities, root: &Entity) -> Option<Agent> {
    let value = root.values("publisher").first()?;
    let Some(id) = reference(value) else {
        return value.as_str().map(|name| Agent { iri: None, name: name.to_owned() });
    };
    let name = entities.get(id).and_then(Entity::label);
    let outside = !entities.is_local(id);
    let name = name.or_else(|| outside.then(|| id.to_owned()))?;
    Some(Agent { iri: outside.then(|| id.to_owned()), name })
}
