//! What breaks a MUST: a deposit with it cannot be published, a record from elsewhere is kept and flagged.

use dataset_model::{Finding, Summary};

use super::super::{
    date,
    entity::{Entities, Entity},
    journal::{Journal, clip},
};

pub(super) fn check(entities: &Entities, root: &Entity, summary: &Summary, journal: &mut Journal) {
    if !root.is("Dataset") {
        journal.find(Finding::error(
            "crate.root.type",
            root.place("@type"),
            "The root entity is not of type Dataset.",
            "Add \"@type\": \"Dataset\".",
        ));
    }
    required_texts(root, journal);
    date_published(root, journal);
    required_links(root, summary, journal);
    terms_on_root(entities, root, summary, journal);
}

fn required_texts(root: &Entity, journal: &mut Journal) {
    let missing = |key: &str| root.text(key).is_none();
    if missing("name") {
        journal.find(Finding::error(
            "crate.name.missing",
            root.place("name"),
            "The dataset has no title.",
            "Give the root dataset a 'name' that tells it from others.",
        ));
    }
    if missing("description") {
        journal.find(Finding::error(
            "crate.description.missing",
            root.place("description"),
            "The dataset has no description.",
            "Say in 'description' what was imaged, how, and why it matters.",
        ));
    }
    for key in ["name", "description", "datePublished", "license", "publisher"] {
        let count = root.values(key).len();
        if count > 1 {
            journal.find(Finding::warning(
                &format!("crate.{}.several", key.to_lowercase()),
                root.place(key),
                format!("'{key}' has {count} values; the first is used."),
                "Give exactly one.",
            ));
        }
    }
}

fn date_published(root: &Entity, journal: &mut Journal) {
    let place = root.place("datePublished");
    let hint = "Write the day as YYYY-MM-DD, such as 2026-11-21.";
    match root.text("datePublished") {
        None => journal.find(Finding::error("crate.date.missing", place, "There is no publication date.", hint)),
        Some(text) if date::read(&text).as_ref() != Some(&text) => {
            let message = format!("'{}' is not a date.", clip(&text));
            journal.find(Finding::error("crate.date.unreadable", place, message, hint));
        }
        Some(text) if text.len() < 10 => {
            let message = format!("'{text}' does not name a day.");
            journal.find(Finding::warning("crate.date.imprecise", place, message, hint));
        }
        Some(_) => {}
    }
}

fn required_links(root: &Entity, summary: &Summary, journal: &mut Journal) {
    match &summary.licence {
        None => journal.find(Finding::error(
            "crate.license.missing",
            root.place("license"),
            "Nobody can tell whether the data may be reused: there is no licence.",
            "Add \"license\": {\"@id\": \"https://creativecommons.org/licenses/by/4.0/\"} or another licence.",
        )),
        Some(licence) if licence.spdx.is_none() => journal.find(Finding::warning(
            "crate.license.unknown",
            root.place("license"),
            format!("The licence '{}' is not one that programs recognise.", clip(&licence.url)),
            "Use the address or SPDX id of a Creative Commons licence if you can.",
        )),
        Some(_) => {}
    }
    if summary.authors.is_empty() {
        journal.find(Finding::error(
            "crate.author.missing",
            root.place("author"),
            "Nobody is named as author.",
            "Add the people who made the dataset as 'author', each with a name and, if possible, an ORCID as '@id'.",
        ));
    }
    if summary.publisher.is_none() {
        journal.find(Finding::warning(
            "crate.publisher.missing",
            root.place("publisher"),
            "There is no publisher.",
            "Name the organisation that provides the data as 'publisher'.",
        ));
    }
}

/// At least one Taxon in `about` and one DefinedTerm in `measurementMethod`, on the root itself.
fn terms_on_root(entities: &Entities, root: &Entity, summary: &Summary, journal: &mut Journal) {
    let direct: Vec<&str> = root.references("about").collect();
    let on_root = summary.organisms.iter().filter(|term| direct.contains(&term.iri.as_str())).count();
    if on_root == 0 {
        journal.find(Finding::error(
            "crate.taxon.missing",
            root.place("about"),
            "'about' names no organism.",
            "Add an entity of type Taxon, such as http://purl.obolibrary.org/obo/NCBITaxon_9606, to 'about' of the root dataset.",
        ));
    } else if let Some(term) = summary.organisms.iter().find(|term| !direct.contains(&term.iri.as_str())) {
        journal.find(only_below("crate.taxon.not-on-root", root.place("about"), &term.label, "a sample", "about"));
    }
    let methods: Vec<&str> = root.references("measurementMethod").collect();
    let is_direct = |iri: &str| methods.contains(&iri);
    if !summary.methods.iter().any(|term| is_direct(term.iri.as_str())) {
        let below = if summary.methods.is_empty() { "" } else { " (one stands in a protocol only)" };
        journal.find(Finding::error(
            "crate.method.missing",
            root.place("measurementMethod"),
            format!("'measurementMethod' names no imaging method{below}."),
            "Add an entity of type DefinedTerm, best from FBbi, to 'measurementMethod' of the root dataset.",
        ));
    } else if let Some(term) = summary.methods.iter().find(|term| !is_direct(term.iri.as_str())) {
        journal.find(only_below(
            "crate.method.not-on-root",
            root.place("measurementMethod"),
            &term.label,
            "a protocol",
            "measurementMethod",
        ));
    }
    dangling(entities, root, journal);
}

fn only_below(rule: &str, place: String, label: &str, what: &str, key: &str) -> Finding {
    let message = format!("'{}' stands in {what} and not on the root dataset.", clip(label));
    Finding::warning(rule, place, message, format!("List every such term under '{key}' of the root as well."))
}

/// References to entities of this crate that it does not hold.
fn dangling(entities: &Entities, root: &Entity, journal: &mut Journal) {
    for key in ["about", "author", "measurementMethod", "publisher", "size", "funder"] {
        for id in root.references(key).filter(|id| entities.is_local(id) && entities.get(id).is_none()) {
            let name = id.rsplit('#').next().unwrap_or(id);
            journal.find(Finding::warning(
                "crate.reference.dangling",
                root.place(key),
                format!("'{key}' refers to '#{}', which the crate does not describe.", clip(name)),
                "Add the entity to '@graph', or remove the reference.",
            ));
        }
    }
}
