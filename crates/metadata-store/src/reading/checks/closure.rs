//! Organisms, methods and terms on the root dataset: at least one of each, and all that its samples and protocols name.

use std::collections::HashSet;

use dataset_model::Summary;

use super::super::{
    entity::{Entities, Entity},
    journal::{Journal, clip},
    rules::Rule,
};

pub(super) fn check(entities: &Entities, root: &Entity, summary: &Summary, journal: &mut Journal) {
    let about: HashSet<&str> = root.references("about").collect();
    if !summary.organisms.iter().any(|term| about.contains(term.iri.as_str())) {
        let below = if summary.organisms.is_empty() { "" } else { " (one stands in a sample only)" };
        let message = format!("'about' names no organism{below}.");
        journal.find(Rule::TaxonMissing.at(root.place("about"), message));
    }
    let methods: HashSet<&str> = root.references("measurementMethod").collect();
    if !summary.methods.iter().any(|term| methods.contains(term.iri.as_str())) {
        let below = if summary.methods.is_empty() { "" } else { " (one stands in a protocol only)" };
        let message = format!("'measurementMethod' names no imaging method{below}.");
        journal.find(Rule::MethodMissing.at(root.place("measurementMethod"), message));
    }
    for sample in entities.linked(root, "about").filter(|entity| entity.is("BioSample")) {
        below(entities, sample, &about, ("Taxon", Rule::TaxonNotOnRoot), (root, "about"), journal);
        below(entities, sample, &about, ("DefinedTerm", Rule::TermNotOnRoot), (root, "about"), journal);
    }
    for protocol in entities.linked(root, "measurementMethod").filter(|entity| entity.is("LabProtocol")) {
        let to = (root, "measurementMethod");
        below(entities, protocol, &methods, ("DefinedTerm", Rule::MethodNotOnRoot), to, journal);
    }
}

/// Reports the first entity of a type that one of the root's entities links to and the root does not.
fn below(
    entities: &Entities,
    from: &Entity,
    on_root: &HashSet<&str>,
    (kind, rule): (&str, Rule),
    (root, key): (&Entity, &str),
    journal: &mut Journal,
) {
    let ids = from.properties.keys().flat_map(|key| from.references(key));
    let missing = ids.filter(|id| !on_root.contains(id)).filter_map(|id| entities.get(id));
    if let Some(term) = missing.into_iter().find(|entity| entity.is(kind)) {
        let name = term.label().unwrap_or_else(|| term.id.clone());
        let place = from.label().unwrap_or_else(|| from.id.clone());
        let message = format!("'{}' stands in '{}' and not on the root dataset.", clip(&name), clip(&place));
        journal.find(rule.at(root.place(key), message));
    }
}
