//! Finding the root dataset (RO-Crate 1.2, "Finding the Root Data Entity").

use super::{entity::Entity, journal::Journal, rules::Rule};

/// The id of the root dataset.
pub(super) fn find(entities: &[Entity], base: &str, journal: &mut Journal) -> Option<String> {
    let named = entities.iter().filter(|entity| is_descriptor(entity)).find_map(|descriptor| {
        let about = descriptor.references("about").find(|id| entities.iter().any(|entity| entity.id == *id));
        about.map(str::to_owned)
    });
    if named.is_some() {
        return named;
    }
    let datasets: Vec<&Entity> = entities.iter().filter(|entity| entity.is("Dataset")).collect();
    let guessed = match datasets.as_slice() {
        [only] => Some(*only),
        several => several.iter().find(|entity| entity.id == base).copied(),
    }?;
    let message =
        "No 'ro-crate-metadata.json' entity says which dataset the crate is about; the only candidate was taken.";
    journal.find(Rule::DescriptorMissing.at(guessed.place(""), message));
    Some(guessed.id.clone())
}

/// Whether the entity is the crate's description of itself; some publishers put an accession before the name.
pub(super) fn is_descriptor(entity: &Entity) -> bool {
    names_a_descriptor(&entity.id)
}

pub(super) fn names_a_descriptor(id: &str) -> bool {
    id.ends_with("ro-crate-metadata.json") || id.ends_with("ro-crate-metadata.jsonld")
}
