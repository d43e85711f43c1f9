//! Entities around the dataset: what each type must and should say.

use super::super::{
    date,
    entity::{Entities, Entity},
    ids::NOT_AN_ORCID,
    journal::{Journal, clip},
    rules::Rule,
};
use crate::iri;

/// A property that entities of a type must have, exactly once.
struct Once {
    kind: &'static str,
    key: &'static str,
    missing: Rule,
    several: Rule,
}

/// A property that entities of a type should have.
struct Recommended {
    kind: &'static str,
    key: &'static str,
    missing: Rule,
}

const fn once(kind: &'static str, key: &'static str, missing: Rule, several: Rule) -> Once {
    Once { kind, key, missing, several }
}

const ONCE: [Once; 14] = [
    once("Person", "name", Rule::PersonNameMissing, Rule::PersonNameSeveral),
    once("Organization", "name", Rule::OrganizationNameMissing, Rule::OrganizationNameSeveral),
    once("DefinedTerm", "name", Rule::TermNameMissing, Rule::TermNameSeveral),
    once("Taxon", "scientificName", Rule::TaxonNameMissing, Rule::TaxonNameSeveral),
    once("BioSample", "name", Rule::SampleNameMissing, Rule::SampleNameSeveral),
    once("BioSample", "description", Rule::SampleDescriptionMissing, Rule::SampleDescriptionSeveral),
    once("LabProtocol", "name", Rule::ProtocolNameMissing, Rule::ProtocolNameSeveral),
    once("LabProtocol", "description", Rule::ProtocolDescriptionMissing, Rule::ProtocolDescriptionSeveral),
    once("Grant", "name", Rule::GrantNameMissing, Rule::GrantNameSeveral),
    once("ScholarlyArticle", "name", Rule::ArticleNameMissing, Rule::ArticleNameSeveral),
    once("QuantitativeValue", "value", Rule::QuantityValueMissing, Rule::QuantityValueSeveral),
    once("QuantitativeValue", "unitCode", Rule::QuantityUnitCodeMissing, Rule::QuantityUnitCodeSeveral),
    once("QuantitativeValue", "unitText", Rule::QuantityUnitTextMissing, Rule::QuantityUnitTextSeveral),
    once("ScholarlyArticle", "datePublished", Rule::ArticleDateMissing, Rule::ArticleDateSeveral),
];

const RECOMMENDED: [Recommended; 4] = [
    Recommended { kind: "Person", key: "affiliation", missing: Rule::PersonAffiliation },
    Recommended { kind: "BioSample", key: "taxonomicRange", missing: Rule::SampleTaxon },
    Recommended { kind: "LabProtocol", key: "labEquipment", missing: Rule::ProtocolEquipment },
    Recommended { kind: "LabProtocol", key: "measurementTechnique", missing: Rule::ProtocolTechnique },
];

/// Reports what an entity leaves out, by its types.
pub(super) fn check(entities: &Entities, entity: &Entity, journal: &mut Journal) {
    let name = || clip(&entity.label().unwrap_or_else(|| entity.id.clone()));
    for Once { kind, key, missing, several } in ONCE.iter().filter(|rule| entity.is(rule.kind)) {
        match entity.values(key).len() {
            0 => journal.find(missing.at(entity.place(key), format!("The {kind} '{}' has no '{key}'.", name()))),
            1 => {}
            count => {
                let message = format!("The {kind} '{}' has {count} values of '{key}'; the first is used.", name());
                journal.find(several.at(entity.place(key), message));
            }
        }
    }
    for Recommended { kind, key, missing } in RECOMMENDED.iter().filter(|rule| entity.is(rule.kind)) {
        if entity.values(key).is_empty() {
            journal.find(missing.at(entity.place(key), format!("The {kind} '{}' has no '{key}'.", name())));
        }
    }
    ids(entities, entity, journal);
    if entity.is("ScholarlyArticle") {
        article_date(entity, journal);
    }
}

fn ids(entities: &Entities, entity: &Entity, journal: &mut Journal) {
    let name = || clip(&entity.label().unwrap_or_default());
    let place = || entity.place("@id");
    // An ORCID that is none was demoted to a local id; saying so helps its owner.
    if entity.is("Person") && has_no_orcid(entity) {
        journal.find(Rule::PersonOrcid.at(place(), format!("The id of '{}' is not an ORCID.", name())));
    }
    if entity.is("Taxon") && iri::obo_local(&entity.id, "NCBITaxon").is_none() {
        journal.find(Rule::TaxonId.at(place(), format!("The id of '{}' is none of the NCBI Taxonomy.", name())));
    }
    if entity.is("Grant") && entities.is_local(&entity.id) && entity.values("identifier").is_empty() {
        journal.find(
            Rule::GrantIdentifier.at(entity.place("identifier"), format!("The grant '{}' has no number.", name())),
        );
    }
}

fn has_no_orcid(entity: &Entity) -> bool {
    entity.id.contains(&format!("#{NOT_AN_ORCID}"))
}

/// Reports people and organisations that only this crate knows: once each, for a paper may have a hundred authors.
pub(super) fn check_ids(entities: &Entities, journal: &mut Journal) {
    let unnamed = |entity: &&Entity| entity.is("Person") && iri::orcid(&entity.id).is_none() && !has_no_orcid(entity);
    let local = |entity: &&Entity| entity.is("Organization") && entities.is_local(&entity.id);
    let people: Vec<&Entity> = entities.iter().filter(unnamed).collect();
    let organizations: Vec<&Entity> = entities.iter().filter(local).collect();
    for (found, rule, what) in [
        (people, Rule::PersonId, "People named without an ORCID iD"),
        (organizations, Rule::OrganizationId, "Organisations without an id outside this crate"),
    ] {
        if let Some(first) = found.first() {
            let name = clip(&first.label().unwrap_or_default());
            let message = format!("{what}: {}, '{name}' among them.", found.len());
            journal.find(rule.at(first.place("@id"), message));
        }
    }
}

fn article_date(entity: &Entity, journal: &mut Journal) {
    if let Some(text) = entity.text("datePublished").filter(|text| date::read(text).as_ref() != Some(text)) {
        let message = format!("'{}' is not a date.", clip(&text));
        journal.find(Rule::ArticleDateUnreadable.at(entity.place("datePublished"), message));
    }
}
