//! The descriptor and the root dataset.

use dataset_model::Summary;

use super::super::{
    date,
    entity::{Entities, Entity, reference},
    journal::{Journal, clip},
    root::is_descriptor,
    rules::Rule,
};
use crate::Ontology;

pub(super) fn check(entities: &Entities, root: &Entity, summary: &Summary, ontology: &Ontology, journal: &mut Journal) {
    descriptors(entities, journal);
    if !root.is("Dataset") {
        journal.find(Rule::RootType.at(root.place("@type"), "The root entity is not of type Dataset."));
    }
    texts(root, summary, journal);
    date_published(root, journal);
    licence(root, summary, journal);
    people(entities, root, summary, journal);
    recommended(root, summary, journal);
    dangling(entities, root, journal);
    for method in summary.methods.iter().filter(|term| ontology.is_method(&term.iri)) {
        if !ontology.is_imaging_method(&method.iri) {
            let name = ontology.label(&method.iri).unwrap_or_else(|| method.label.clone());
            let message = format!("'{}' is in FBbi, but is not a way of imaging.", clip(&name));
            journal.find(Rule::MethodNotImaging.at(root.place("measurementMethod"), message));
        }
    }
}

fn descriptors(entities: &Entities, journal: &mut Journal) {
    let describes = |entity: &&Entity| is_descriptor(entity) && entity.references("about").next().is_some();
    let all: Vec<&Entity> = entities.iter().filter(describes).collect();
    if let [_, second, ..] = all.as_slice() {
        let message = format!("{} entities describe the crate itself.", all.len());
        journal.find(Rule::DescriptorSeveral.at(second.place("@id"), message));
    }
    for descriptor in all {
        if !descriptor.references("conformsTo").any(|id| id.contains("w3id.org/ro/crate/")) {
            let message = "The metadata descriptor does not say which RO-Crate version it follows.";
            journal.find(Rule::DescriptorVersion.at(descriptor.place("conformsTo"), message));
        }
        if descriptor.values("about").len() > 1 {
            let message = "The metadata descriptor is about more than one dataset; the first is used.";
            journal.find(Rule::RootSeveral.at(descriptor.place("about"), message));
        }
    }
}

fn texts(root: &Entity, summary: &Summary, journal: &mut Journal) {
    if root.text("name").is_none() {
        journal.find(Rule::NameMissing.at(root.place("name"), "The dataset has no title."));
    }
    if root.text("description").is_none() {
        journal.find(Rule::DescriptionMissing.at(root.place("description"), "The dataset has no description."));
    } else if summary.title == summary.description {
        let message = "The description only repeats the title.";
        journal.find(Rule::DescriptionSameAsName.at(root.place("description"), message));
    }
    for (key, rule) in [
        ("name", Rule::NameSeveral),
        ("description", Rule::DescriptionSeveral),
        ("datePublished", Rule::DateSeveral),
        ("license", Rule::LicenseSeveral),
        ("publisher", Rule::PublisherSeveral),
        ("identifier", Rule::IdentifierSeveral),
    ] {
        let count = root.values(key).len();
        if count > 1 {
            journal.find(rule.at(root.place(key), format!("'{key}' has {count} values; the first is used.")));
        }
    }
}

fn date_published(root: &Entity, journal: &mut Journal) {
    let place = root.place("datePublished");
    match root.text("datePublished") {
        None => journal.find(Rule::DateMissing.at(place, "There is no publication date.")),
        Some(text) if date::read(&text).as_ref() != Some(&text) => {
            journal.find(Rule::DateUnreadable.at(place, format!("'{}' is not a date.", clip(&text))));
        }
        Some(text) if text.len() < 10 => {
            journal.find(Rule::DateImprecise.at(place, format!("'{text}' does not name a day.")));
        }
        Some(_) => {}
    }
}

fn licence(root: &Entity, summary: &Summary, journal: &mut Journal) {
    let place = root.place("license");
    match &summary.licence {
        None => {
            let message = "Nobody can tell whether the data may be reused: there is no licence.";
            journal.find(Rule::LicenseMissing.at(place, message));
        }
        Some(licence) if licence.spdx.is_none() => {
            let message = format!("The licence '{}' is not one that programs recognise.", clip(&licence.url));
            journal.find(Rule::LicenseUnknown.at(place, message));
        }
        Some(_) => {}
    }
}

fn people(entities: &Entities, root: &Entity, summary: &Summary, journal: &mut Journal) {
    if summary.authors.is_empty() {
        journal.find(Rule::AuthorMissing.at(root.place("author"), "Nobody is named as author."));
    } else if let Some(other) = other_kind(entities, root, "author", &["Person", "Organization"]) {
        let message = format!("The author '{}' is not described as a person or an organisation.", clip(&other));
        journal.find(Rule::AuthorType.at(root.place("author"), message));
    }
    if summary.publisher.is_none() {
        journal.find(Rule::PublisherMissing.at(root.place("publisher"), "There is no publisher."));
    } else if let Some(other) = other_kind(entities, root, "publisher", &["Organization"]) {
        let message = format!("The publisher '{}' is not described as an organisation.", clip(&other));
        journal.find(Rule::PublisherType.at(root.place("publisher"), message));
    }
}

/// The first value under a key that is no entity of these types.
fn other_kind(entities: &Entities, root: &Entity, key: &str, kinds: &[&str]) -> Option<String> {
    let fits = |id: &str| entities.get(id).is_some_and(|entity| kinds.iter().any(|kind| entity.is(kind)));
    let other = root.values(key).iter().find(|value| !reference(value).is_some_and(fits))?;
    Some(reference(other).or_else(|| other.as_str()).unwrap_or_default().to_owned())
}

fn recommended(root: &Entity, summary: &Summary, journal: &mut Journal) {
    if root.values("identifier").is_empty() {
        journal.find(Rule::IdentifierMissing.at(root.place("identifier"), "The dataset has no identifier."));
    }
    if let Some(text) = root.values("thumbnailUrl").iter().find_map(|value| not_a_url(value)) {
        let message = format!("'{}' is no address of a picture.", clip(text));
        journal.find(Rule::ThumbnailUrl.at(root.place("thumbnailUrl"), message));
    } else if summary.thumbnail.is_none() {
        journal.find(Rule::ThumbnailMissing.at(root.place("thumbnailUrl"), "There is no example picture."));
    }
}

fn not_a_url(value: &serde_json::Value) -> Option<&str> {
    let text = value.as_str()?;
    (!(text.starts_with("https://") || text.starts_with("http://"))).then_some(text)
}

/// References to entities of this crate that it does not hold.
fn dangling(entities: &Entities, root: &Entity, journal: &mut Journal) {
    for key in ["about", "author", "measurementMethod", "publisher", "size", "funder"] {
        for id in root.references(key).filter(|id| entities.is_local(id) && entities.get(id).is_none()) {
            let name = id.rsplit('#').next().unwrap_or(id);
            let message = format!("'{key}' refers to '#{}', which the crate does not describe.", clip(name));
            journal.find(Rule::ReferenceDangling.at(root.place(key), message));
        }
    }
}
