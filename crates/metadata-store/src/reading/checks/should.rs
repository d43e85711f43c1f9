//! What breaks a SHOULD, and what is only worth knowing.

use dataset_model::{Finding, Summary};

use super::super::{
    entity::{Entities, Entity},
    ids::NOT_AN_ORCID,
    journal::Journal,
    root::is_descriptor,
    summary::size,
};
use crate::Ontology;

pub(super) fn check(entities: &Entities, root: &Entity, summary: &Summary, ontology: &Ontology, journal: &mut Journal) {
    recommended(root, summary, journal);
    for entity in entities.iter() {
        match () {
            () if is_descriptor(entity) => descriptor(entity, journal),
            () if entity.is("Person") => person(entity, journal),
            () if entity.is("BioSample") => described(entity, "crate.sample", "taxonomicRange", journal),
            () if entity.is("LabProtocol") => described(entity, "crate.protocol", "measurementTechnique", journal),
            () => {}
        }
    }
    sizes(entities, root, journal);
    for method in
        summary.methods.iter().filter(|term| !ontology.is_imaging_method(&term.iri) && ontology.is_method(&term.iri))
    {
        journal.find(Finding::note(
            "term.method.not-imaging",
            root.place("measurementMethod"),
            format!(
                "'{}' is in FBbi, but is not a way of imaging.",
                ontology.label(&method.iri).unwrap_or(&method.label)
            ),
            "Name the microscopy or other imaging technique as well.",
        ));
    }
}

fn recommended(root: &Entity, summary: &Summary, journal: &mut Journal) {
    if root.values("identifier").is_empty() {
        journal.find(Finding::warning(
            "crate.identifier.missing",
            root.place("identifier"),
            "The dataset has no identifier.",
            "Give the accession number or DOI as 'identifier'.",
        ));
    }
    if summary.thumbnail.is_none() {
        journal.find(Finding::warning(
            "crate.thumbnail.missing",
            root.place("thumbnailUrl"),
            "There is no example picture.",
            "Give the address of a small picture as 'thumbnailUrl'; for images stored here one is made.",
        ));
    }
    if summary.title == summary.description && !summary.title.is_empty() {
        journal.find(Finding::note(
            "crate.description.same-as-name",
            root.place("description"),
            "The description only repeats the title.",
            "Say more about the dataset in 'description'.",
        ));
    }
}

fn descriptor(entity: &Entity, journal: &mut Journal) {
    if !entity.references("conformsTo").any(|id| id.contains("w3id.org/ro/crate/")) {
        journal.find(Finding::warning(
            "crate.descriptor.version",
            entity.place("conformsTo"),
            "The metadata descriptor does not say which RO-Crate version it follows.",
            "Add \"conformsTo\": {\"@id\": \"https://w3id.org/ro/crate/1.2\"} to 'ro-crate-metadata.json'.",
        ));
    }
}

fn person(entity: &Entity, journal: &mut Journal) {
    if entity.label().is_none() && entity.text("familyName").is_none() {
        journal.find(Finding::warning(
            "person.name.missing",
            entity.place("name"),
            "A person has no name.",
            "Give every Person a 'name'.",
        ));
    }
    // An ORCID that is none was demoted to a local id; saying so helps its owner.
    if entity.id.contains(&format!("#{NOT_AN_ORCID}")) {
        journal.find(Finding::warning(
            "person.orcid.invalid",
            entity.place("@id"),
            format!("The id of '{}' is not an ORCID.", entity.label().unwrap_or_default()),
            "Use the whole ORCID, such as https://orcid.org/0000-0002-1825-0097, or an id that starts with '#'.",
        ));
    }
}

/// Samples and protocols have a name, a description, and a term.
fn described(entity: &Entity, rule: &str, link: &str, journal: &mut Journal) {
    for key in ["name", "description"] {
        if entity.text(key).is_none() {
            journal.find(Finding::warning(
                &format!("{rule}.{key}.missing"),
                entity.place(key),
                format!("'{}' has no {key}.", entity.label().unwrap_or_else(|| "An entity".into())),
                format!("Add a '{key}'."),
            ));
        }
    }
    if entity.values(link).is_empty() {
        journal.find(Finding::warning(
            &format!("{rule}.term.missing"),
            entity.place(link),
            format!("'{}' names no term under '{link}'.", entity.label().unwrap_or_default()),
            format!("Link the ontology term that says it best as '{link}'."),
        ));
    }
}

fn sizes(entities: &Entities, root: &Entity, journal: &mut Journal) {
    let mut seen: Vec<_> = Vec::new();
    for entity in entities.linked(root, "size") {
        match size(entity) {
            None => journal.find(Finding::warning(
                "crate.size.unreadable",
                entity.place("value"),
                "A size has no number or no unit that can be read.",
                "Give 'value' as a whole number and 'unitCode' as obo:UO_0000233 (bytes) or obo:UO_0000189 (files).",
            )),
            Some(size) if seen.iter().any(|(unit, value)| *unit == size.0 && *value != size.1) => {
                journal.find(Finding::warning(
                    "crate.size.conflict",
                    entity.place("value"),
                    "Two different sizes are declared in the same unit; the first is used.",
                    "Declare each size once.",
                ));
            }
            Some(size) => seen.push(size),
        }
    }
}
