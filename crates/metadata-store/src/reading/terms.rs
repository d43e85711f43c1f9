//! Terms of a crate against the ontologies: names, obsolete terms, names that belong to another term.

use dataset_model::{Term, TermConflict, TermIri};

use super::{
    entity::{Entities, Entity},
    journal::{Journal, clip},
    rules::Rule,
};
use crate::Ontology;

/// The term an entity stands for, with the name to show: the ontology's where the crate agrees with it or gives none, else
/// the crate's own, so that a wrong id does not also lose the name.
pub(super) fn term_of(entity: &Entity, ontology: &Ontology) -> Option<Term> {
    let iri: TermIri = entity.id.parse().ok()?;
    let written = names(entity);
    let known = ontology.label(&iri);
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
    let label = ontology.label(&iri)?;
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

/// Writes the ontology's label into terms and taxa that lack the name they must have.
pub(super) fn name_unnamed(entities: &mut Entities, ontology: &Ontology, journal: &mut Journal) {
    let key = |entity: &Entity| if entity.is("Taxon") { "scientificName" } else { "name" };
    let is_term = |entity: &&Entity| entity.is("DefinedTerm") || entity.is("Taxon");
    let unnamed = entities.iter().filter(is_term).filter(|entity| entity.values(key(entity)).is_empty());
    let labels: Vec<(String, &str, String)> = unnamed
        .filter_map(|entity| {
            let iri = entity.id.parse().ok()?;
            // A name that contradicts the id is not to be hidden by one that follows from it.
            let contradicted = !names(entity).is_empty() && !agrees(entity, &iri, ontology);
            let label = ontology.label(&iri).filter(|_| !contradicted)?;
            Some((entity.id.clone(), key(entity), label))
        })
        .collect();
    for (id, key, label) in labels {
        journal.repair("term.label-missing", &id, &label);
        if let Some(entity) = entities.get_mut(&id) {
            entity.properties.insert(key.to_owned(), vec![label.into()]);
        }
    }
}

/// Terms whose names in the crate are none that their ontology gives them.
pub(super) fn conflicts(entities: &Entities, ontology: &Ontology) -> Vec<TermConflict> {
    entities
        .iter()
        .filter(|entity| entity.is("Taxon") || entity.is("DefinedTerm"))
        .filter_map(|e| conflict(e, ontology))
        .collect()
}

fn conflict(entity: &Entity, ontology: &Ontology) -> Option<TermConflict> {
    let iri: TermIri = entity.id.parse().ok()?;
    let written = names(entity).into_iter().next()?;
    let label = ontology.label(&iri).filter(|_| !agrees(entity, &iri, ontology))?;
    Some(TermConflict { iri, written, label })
}

/// Reports what is odd about the terms an entity of type Taxon or DefinedTerm stands for.
pub(super) fn check(entities: &Entities, entity: &Entity, ontology: &Ontology, journal: &mut Journal) {
    let place = entity.place("@id");
    let Some(iri) = entity.id.parse::<TermIri>().ok().filter(|_| !entities.is_local(&entity.id)) else {
        let name = entity.label().unwrap_or_default();
        let message = format!("The term '{}' has no id outside this crate.", clip(&name));
        let hint = format!("Use the term's IRI as '@id'{}.", suggestion(&name, ontology));
        // A taxon is named in another section of the profile, which asks for less.
        if entity.is("DefinedTerm") {
            journal.find(Rule::TermNotAbsolute.hinted(place, message, hint));
        }
        return;
    };
    let curie = iri.curie();
    if ontology.is_deprecated(&iri) {
        let label = |term: &TermIri| ontology.label(term).unwrap_or_default();
        let instead = ontology.replaced_by(&iri);
        let hint = instead.map(|term| format!("Use {} ('{}'); it is searched as well.", term.curie(), label(&term)));
        let message = format!("The term '{curie}' is obsolete.");
        journal.find(Rule::TermDeprecated.hinted(
            place,
            message,
            hint.unwrap_or_else(|| "Nothing replaces it: use another term.".into()),
        ));
    } else if !ontology.contains(&iri) {
        let message = format!("The term '{curie}' is not in the ontologies loaded here.");
        let loaded = ontology.is_method(&iri) || ontology.is_taxon(&iri);
        let rule = if loaded { Rule::TermUnknown } else { Rule::TermOntology };
        journal.find(rule.at(place, message));
    }
    if let Some(TermConflict { written, label, .. }) = conflict(entity, ontology) {
        let written = clip(&written);
        let message =
            format!("'{curie}' is called '{label}' in its ontology, and '{written}' here; one of the two is wrong.");
        let hint = format!("If '{written}' is meant, use its id{}.", suggestion(&written, ontology));
        journal.find(Rule::TermLabelConflict.hinted(entity.place("name"), message, hint));
    }
}

fn suggestion(name: &str, ontology: &Ontology) -> String {
    match ontology.resolve(name).as_slice() {
        [only] if ontology.contains(only) => format!(", {}", only.curie()),
        _ => String::new(),
    }
}
