//! The GIDE search profile (January 2026): what a record must and should say, by the table in `rules`.

mod closure;
mod dataset;
mod described;
mod sizes;

use dataset_model::Summary;

use super::{entity::Entities, journal::Journal, terms};
use crate::Ontology;

/// Reports what the profile asks for and the crate does not say.
pub(super) fn check(entities: &Entities, root: &str, summary: &Summary, ontology: &Ontology, journal: &mut Journal) {
    let Some(root) = entities.get(root) else {
        return;
    };
    dataset::check(entities, root, summary, ontology, journal);
    closure::check(entities, root, summary, journal);
    for entity in entities.iter() {
        described::check(entities, entity, journal);
    }
    described::check_ids(entities, journal);
    sizes::check(entities, root, summary, journal);
    for entity in entities.iter().filter(|entity| entity.is("Taxon") || entity.is("DefinedTerm")) {
        terms::check(entities, entity, ontology, journal);
    }
}
