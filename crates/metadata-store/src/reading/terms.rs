//! Terms of a crate against the ontologies: names, obsolete terms, names that belong to another term.

use dataset_model::{Finding, Term, TermIri};

use super::{
    entity::{Entities, Entity},
    journal::{Journal, clip},
};
use crate::Ontology;

/// The term an entity stands for, with the name to show: the ontology's where the crate agrees with it or gives none, else
/// the crate's own, so that a wrong id does not also lose the name.
pub(super) fn term_of(entity: &Entity, ontology: &Ontology) -> Option<Term> {
    let iri: TermIri = entity.id.parse().ok()?;
    let written = names(entity);
    let known = ontology.label(&iri).map(str::to_owned);
    let label = match (written.first(), known) {
        (None, known) => known.unwrap_or_else(|| iri.curie()),
        (Some(_), Some(known)) if agrees(entity, &iri, ontology) => known,
        (Some(written), _) => written.clone(),
    };
    Some(Term { iri, label })
}

/// The term behind an id that no entity describes.
pub(super) fn bare_term(id: &str, ontology: &Ontology) -> Option<Term> {
    let iri: TermIri = id.parse().ok()?;
    let label = ontology.label(&iri)?.to_owned();
    Some(Term { iri, label })
}

fn names(entity: &Entity) -> Vec<String> {
    ["name", "scientificName", "vernacularName"].iter().flat_map(|key| entity.texts(key)).collect()
}

fn agrees(entity: &Entity, iri: &TermIri, ontology: &Ontology) -> bool {
    let first = entity.text("scientificName").or_else(|| entity.text("name"));
    let mut names = first.into_iter().chain(entity.texts("name"));
    names.any(|name| ontology.is_name_of(&name, iri))
}

/// Writes the ontology's label into terms that have no name.
pub(super) fn name_unnamed(entities: &mut Entities, ontology: &Ontology, journal: &mut Journal) {
    let is_term = |entity: &&Entity| entity.is("DefinedTerm") || entity.is("Taxon");
    let unnamed = entities.iter().filter(is_term).filter(|entity| names(entity).is_empty());
    let labels: Vec<(String, bool, String)> = unnamed
        .filter_map(|entity| {
            let label = ontology.label(&entity.id.parse().ok()?)?;
            Some((entity.id.clone(), entity.is("Taxon"), label.to_owned()))
        })
        .collect();
    for (id, is_taxon, label) in labels {
        journal.repair("term.label-missing", &id, &label);
        let key = if is_taxon { "scientificName" } else { "name" };
        if let Some(entity) = entities.get_mut(&id) {
            entity.properties.insert(key.to_owned(), vec![label.into()]);
        }
    }
}

/// Reports what is odd about the terms an entity of type Taxon or DefinedTerm stands for.
pub(super) fn check(entities: &Entities, entity: &Entity, ontology: &Ontology, journal: &mut Journal) {
    let Ok(iri) = entity.id.parse::<TermIri>() else {
        return;
    };
    if let Some(finding) = odd_id(entities, entity, &iri, ontology) {
        journal.find(finding);
    }
    if names(entity).is_empty() {
        journal.find(Finding::warning(
            "term.name.missing",
            entity.place("name"),
            format!("The term '{}' has no name.", iri.curie()),
            "Give terms a 'name' and taxa a 'scientificName'.",
        ));
    } else if let Some(label) = ontology.label(&iri).filter(|_| !agrees(entity, &iri, ontology)) {
        let name = names(entity).swap_remove(0);
        journal.find(Finding::warning(
            "term.label.conflict",
            entity.place("name"),
            format!(
                "'{}' is called '{label}' in its ontology, and '{}' here; one of the two is wrong.",
                iri.curie(),
                clip(&name)
            ),
            format!("If '{}' is meant, use its id{}.", clip(&name), suggestion(&name, ontology)),
        ));
    }
}

fn odd_id(entities: &Entities, entity: &Entity, iri: &TermIri, ontology: &Ontology) -> Option<Finding> {
    let place = entity.place("@id");
    if ontology.is_deprecated(iri) {
        let instead = ontology.replaced_by(iri).map_or_else(String::new, |term| format!(": {}", term.curie()));
        let hint = format!("Use the term that replaces it{instead}.");
        return Some(Finding::warning(
            "term.deprecated",
            place,
            format!("The term '{}' is obsolete.", iri.curie()),
            hint,
        ));
    }
    if ontology.contains(iri) {
        return None;
    }
    let message = format!("The term '{}' is not in the ontologies loaded here.", iri.curie());
    if ontology.is_method(iri) {
        return Some(Finding::warning(
            "term.unknown",
            place,
            message,
            "Check the id; it may be newer than the FBbi shipped here.",
        ));
    }
    if ontology.is_taxon(iri) {
        return Some(Finding::note(
            "term.unknown",
            place,
            message,
            "Check the number; searches find it by itself, not by its group.",
        ));
    }
    entities.is_local(&entity.id).then(|| {
        Finding::warning(
            "term.not-absolute",
            place,
            format!("The term '{}' has no id outside this crate.", clip(&entity.label().unwrap_or_default())),
            format!("Use the term's IRI as '@id'{}.", suggestion(&entity.label().unwrap_or_default(), ontology)),
        )
    })
}

fn suggestion(name: &str, ontology: &Ontology) -> String {
    match ontology.resolve(name).as_slice() {
        [only] if ontology.contains(only) => format!(", {}", only.curie()),
        _ => String::new(),
    }
}
