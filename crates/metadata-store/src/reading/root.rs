//! Finding the root dataset (RO-Crate 1.2, "Finding the Root Data Entity").

use dataset_model::Finding;

use super::{entity::Entity, journal::Journal};

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
    journal.find(Finding::error(
        "crate.descriptor.missing",
        guessed.place(""),
        "No 'ro-crate-metadata.json' entity says which dataset the crate is about; the only candidate was taken.",
        "Add {\"@id\": \"ro-crate-metadata.json\", \"@type\": \"CreativeWork\", \"conformsTo\": {\"@id\": \
         \"https://w3id.org/ro/crate/1.2\"}, \"about\": {\"@id\": \"./\"}}.",
    ));
    Some(guessed.id.clone())
}

/// Whether the entity is the crate's description of itself; some publishers put an accession before the name.
pub(super) fn is_descriptor(entity: &Entity) -> bool {
    entity.id.ends_with("ro-crate-metadata.json") || entity.id.ends_with("ro-crate-metadata.jsonld")
}
