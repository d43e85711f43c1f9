//! Declared sizes: readable, one of each, and possible.

use dataset_model::{Declared, Summary};

use super::super::{
    entity::{Entities, Entity},
    journal::Journal,
    rules::Rule,
    size::{SizeUnit, size},
};

/// Above it a size is more likely a mistake than a dataset: half of what all of the field's archives hold together.
const LARGEST: u64 = 500_000_000_000_000;

pub(super) fn check(entities: &Entities, root: &Entity, summary: &Summary, journal: &mut Journal) {
    let mut seen: Vec<(SizeUnit, u64)> = Vec::new();
    for entity in entities.linked(root, "size") {
        match size(entity) {
            None => journal.find(
                Rule::SizeUnreadable.at(entity.place("value"), "A size has no number or no unit that can be read."),
            ),
            Some((unit, value)) if seen.iter().any(|(of, other)| *of == unit && *other != value) => {
                let message = "Two different sizes are declared in the same unit; the first is used.";
                journal.find(Rule::SizeConflict.at(entity.place("value"), message));
            }
            Some(size) => seen.push(size),
        }
    }
    if let Some(message) = unbelievable(summary.declared) {
        journal.find(Rule::SizeUnbelievable.at(root.place("size"), message));
    }
}

/// What is hard to believe about a declared size.
fn unbelievable(declared: Declared) -> Option<String> {
    match (declared.bytes, declared.files) {
        (Some(0), Some(0)) => Some("The dataset is declared to have no files and no bytes.".into()),
        (Some(0), _) => Some("The dataset is declared to have no bytes.".into()),
        (_, Some(0)) => Some("The dataset is declared to have no files.".into()),
        (Some(bytes), _) if bytes > LARGEST => {
            Some(format!("The dataset is declared to have {} TB.", bytes / 1_000_000_000_000))
        }
        (Some(bytes), Some(files)) if bytes < files => {
            Some(format!("The dataset is declared to have {bytes} bytes in {files} files."))
        }
        _ => None,
    }
}
