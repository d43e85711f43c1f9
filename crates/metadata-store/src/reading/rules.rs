//! Every rule crates are judged by: its name, where it comes from, how serious a breach is, and what to do about it.

use dataset_model::{
    Finding,
    Severity::{self, Error, Note, Warning},
};

use Level::{Must, Ours, Should};

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A MUST of the GIDE search profile.
    Must,
    /// A SHOULD, or what the profile recommends.
    Should,
    /// A rule of this program.
    Ours,
}

/// One entry of the table of rules, as documentation shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrateRule {
    /// The name findings carry, such as `crate.license.missing`.
    pub id: &'static str,
    /// Where it comes from.
    pub level: Level,
    /// How serious a breach is.
    pub severity: Severity,
    /// What it asks for.
    pub sentence: &'static str,
    /// What to do about a breach.
    pub hint: &'static str,
}

/// The rules that crates are judged by.
#[must_use]
pub fn crate_rules() -> Vec<CrateRule> {
    Rule::ALL.iter().map(|rule| rule.entry()).collect()
}

/// Makes a rule of each line, so that there is no rule without a name, a level, a sentence and a hint.
macro_rules! rules {
    ($($name:ident $id:literal $level:ident $severity:ident $sentence:literal $hint:literal;)*) => {
        /// A rule that crates are judged by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Rule { $($name),* }

        impl Rule {
            const ALL: &[Self] = &[$(Self::$name),*];

            pub(super) fn entry(self) -> CrateRule {
                match self {
                    $(Self::$name => CrateRule { id: $id, level: $level, severity: $severity, sentence: $sentence, hint: $hint }),*
                }
            }
        }
    };
}

impl Rule {
    /// A breach, with the hint of the table.
    pub(super) fn at(self, place: impl Into<String>, message: impl Into<String>) -> Finding {
        self.hinted(place, message, self.entry().hint)
    }

    /// A breach, with a hint that knows more.
    pub(super) fn hinted(
        self,
        place: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Finding {
        let CrateRule { id, level, severity, sentence, .. } = self.entry();
        let finding = Finding::new(severity, id, place, message, hint);
        match level {
            Must | Should => finding.from_specification(format!("GIDE search profile (January 2026): {sentence}")),
            Ours => finding,
        }
    }
}

// One line a rule: name, id, level, severity, sentence, hint.
#[rustfmt::skip]
rules! {
    ContextMissing "crate.context.missing" Ours Warning "A crate says in '@context' what its words mean." "Add \"@context\": \"https://w3id.org/ro/crate/1.2/context\".";
    ContextUnknown "crate.context.unknown" Ours Warning "Contexts are those shipped with the program; none is ever fetched." "Write the terms it defines into '@context' as an object.";
    KeywordIgnored "crate.keyword.ignored" Ours Note "Entities hold no JSON-LD keywords but '@id' and '@type'." "RO-Crate is flattened JSON-LD: write each entity once in '@graph', and one '@context' at the top.";
    EntityNotObject "crate.entity.not-an-object" Ours Warning "'@graph' lists entities." "List only entities (JSON objects) in '@graph'.";
    EntityDuplicate "crate.entity.duplicate" Ours Warning "Each entity is described once." "Describe each entity once.";
    TermUndefined "crate.term.undefined" Ours Note "Every word is defined by a context." "Define it in '@context', or use a term of RO-Crate.";
    ReferenceDangling "crate.reference.dangling" Ours Warning "What the crate refers to within itself, it describes." "Add the entity to '@graph', or remove the reference.";
    ReportCut "crate.report.cut" Ours Note "500 repairs and 500 findings of a crate are listed, 100 of each rule." "Correct those listed and check again.";

    DescriptorMissing "crate.descriptor.missing" Must Error "MUST contain a self-describing RO-Crate Metadata Descriptor, with an @id of ro-crate-metadata.json." "Add {\"@id\": \"ro-crate-metadata.json\", \"@type\": \"CreativeWork\", \"conformsTo\": {\"@id\": \"https://w3id.org/ro/crate/1.2\"}, \"about\": {\"@id\": \"./\"}}.";
    DescriptorSeveral "crate.descriptor.several" Must Error "MUST include exactly one self-describing RO-Crate Metadata Descriptor." "Keep one 'ro-crate-metadata.json' entity.";
    DescriptorVersion "crate.descriptor.version" Should Warning "depends on RO-Crate 1.2 or greater, which the descriptor names in 'conformsTo'." "Add \"conformsTo\": {\"@id\": \"https://w3id.org/ro/crate/1.2\"} to 'ro-crate-metadata.json'.";
    RootSeveral "crate.root.several" Must Error "MUST include exactly one root dataset entity, linked from the descriptor via 'about'." "Let 'about' of 'ro-crate-metadata.json' name one dataset.";
    RootType "crate.root.type" Must Error "the root dataset entity MUST be of type Dataset." "Add \"@type\": \"Dataset\".";

    NameMissing "crate.name.missing" Must Error "Dataset: 'name' REQUIRED." "Give the root dataset a 'name' that tells it from others.";
    NameSeveral "crate.name.several" Must Error "Dataset: exactly 1 'name'." "Give exactly one.";
    DescriptionMissing "crate.description.missing" Must Error "Dataset: 'description' REQUIRED." "Say in 'description' what was imaged, how, and why it matters.";
    DescriptionSeveral "crate.description.several" Must Error "Dataset: exactly 1 'description'." "Give exactly one.";
    DescriptionSameAsName "crate.description.same-as-name" Should Note "Dataset: 'description' SHOULD provide an overview of the dataset." "Say more about the dataset in 'description'.";
    DateMissing "crate.date.missing" Must Error "Dataset: 'datePublished' REQUIRED." "Write the day as YYYY-MM-DD, such as 2026-11-21.";
    DateUnreadable "crate.date.unreadable" Must Error "Dataset: 'datePublished' MUST be in ISO 8601 date format." "Write the day as YYYY-MM-DD, such as 2026-11-21.";
    DateSeveral "crate.datepublished.several" Must Error "Dataset: 'datePublished' MUST be a single value." "Give exactly one.";
    DateImprecise "crate.date.imprecise" Should Warning "Dataset: 'datePublished' SHOULD be specified to the day." "Write the day as YYYY-MM-DD, such as 2026-11-21.";
    LicenseMissing "crate.license.missing" Must Error "Dataset: 'license' REQUIRED." "Add \"license\": {\"@id\": \"https://creativecommons.org/licenses/by/4.0/\"} or another licence.";
    LicenseSeveral "crate.license.several" Must Error "Dataset: exactly 1 'license'." "Give exactly one.";
    LicenseUnknown "crate.license.unknown" Should Warning "Dataset: 'license' SHOULD be a URL to a licence description." "Use the address or SPDX id of a Creative Commons licence if you can.";
    AuthorMissing "crate.author.missing" Must Error "Dataset: 1 or more 'author' REQUIRED." "Add the people who made the dataset as 'author', each with a name and, if possible, an ORCID as '@id'.";
    AuthorType "crate.author.type" Must Error "Dataset: 'author' MUST be Persons or Organisations." "Describe each author as an entity of type Person or Organization.";
    PublisherMissing "crate.publisher.missing" Must Error "Dataset: 'publisher' REQUIRED." "Name the organisation that provides the data as 'publisher'.";
    PublisherSeveral "crate.publisher.several" Must Error "Dataset: 'publisher' MUST be a single Organisation." "Give exactly one.";
    PublisherType "crate.publisher.type" Must Error "Dataset: 'publisher' MUST be an Organisation." "Describe the publisher as an entity of type Organization.";
    TaxonMissing "crate.taxon.missing" Must Error "MUST include one or more Taxon objects, linked to the root dataset via 'about'." "Add an entity of type Taxon, such as http://purl.obolibrary.org/obo/NCBITaxon_9606, to 'about' of the root dataset.";
    TaxonNotOnRoot "crate.taxon.not-on-root" Must Error "Taxon: one that a BioSample in 'about' links to MUST be linked from the root dataset's 'about' as well." "List every such term under 'about' of the root as well.";
    MethodMissing "crate.method.missing" Must Error "MUST include one or more imaging methods of type DefinedTerm, linked to the root dataset via 'measurementMethod'." "Add an entity of type DefinedTerm, best from FBbi, to 'measurementMethod' of the root dataset.";
    MethodNotOnRoot "crate.method.not-on-root" Must Error "DefinedTerm: one that a LabProtocol in 'measurementMethod' links to MUST be linked from the root dataset's 'measurementMethod' as well." "List every such term under 'measurementMethod' of the root as well.";
    TermNotOnRoot "crate.term.not-on-root" Must Error "DefinedTerm: one that a BioSample in 'about' links to MUST be linked from the root dataset's 'about' as well." "List every such term under 'about' of the root as well.";
    ThumbnailMissing "crate.thumbnail.missing" Should Warning "Dataset: 'thumbnailUrl' recommended." "Give the address of a small picture as 'thumbnailUrl'; for images stored here one is made.";
    ThumbnailUrl "crate.thumbnail.not-a-url" Must Error "Dataset: 'thumbnailUrl' MUST be a list of URLs." "Give the address of a picture, with https:// in front.";
    IdentifierMissing "crate.identifier.missing" Should Warning "Dataset: 'identifier' recommended." "Give the accession number or DOI as 'identifier'.";
    IdentifierSeveral "crate.identifier.several" Should Note "Dataset: 1 'identifier'." "Put further identifiers under 'sameAs' or 'seeAlso'.";
    SizeUnreadable "crate.size.unreadable" Ours Warning "A size has a number and a unit that can be read." "Give 'value' as a whole number and 'unitCode' as obo:UO_0000233 (bytes) or obo:UO_0000189 (files).";
    SizeConflict "crate.size.conflict" Ours Warning "Each size is declared once." "Declare each size once.";
    SizeUnbelievable "crate.size.unbelievable" Ours Warning "A dataset has files, files have bytes, and none is larger than 500 TB." "Check the number and its unit; the size is shown as declared, with this remark.";

    PersonNameMissing "person.name.missing" Must Error "Person: 'name' REQUIRED." "Give every Person a 'name'.";
    PersonNameSeveral "person.name.several" Must Error "Person: exactly 1 'name'." "Give exactly one; others are an 'alternateName'.";
    PersonAffiliation "person.affiliation.missing" Should Warning "Person: 'affiliation' recommended." "Link the organisation as 'affiliation'.";
    PersonId "person.id.not-orcid" Should Note "Person: @id SHOULD be an ORCID iD." "Use the person's ORCID as '@id', such as https://orcid.org/0000-0002-1825-0097.";
    PersonOrcid "person.orcid.invalid" Ours Warning "An ORCID is one." "Use the whole ORCID, such as https://orcid.org/0000-0002-1825-0097, or an id that starts with '#'.";
    OrganizationNameMissing "organization.name.missing" Must Error "Organisation: 'name' REQUIRED." "Give every Organization a 'name'.";
    OrganizationNameSeveral "organization.name.several" Must Error "Organisation: exactly 1 'name'." "Give exactly one; others are an 'alternateName'.";
    OrganizationId "organization.id.local" Should Note "Organisation: @id SHOULD be a ROR id or a URI." "Use the organisation's ROR as '@id', such as https://ror.org/02catss52.";
    TermNotAbsolute "term.not-absolute" Must Error "DefinedTerm: @id MUST be an absolute URI to documentation about the term." "Use the term's IRI as '@id'.";
    TermNameMissing "term.name.missing" Must Error "DefinedTerm: 'name' REQUIRED." "Give terms a 'name'.";
    TermNameSeveral "term.name.several" Must Error "DefinedTerm: exactly 1 'name'." "Give exactly one; others are an 'alternateName'.";
    TaxonNameMissing "taxon.name.missing" Must Error "Taxon: 'scientificName' REQUIRED." "Give taxa a 'scientificName'.";
    TaxonNameSeveral "taxon.name.several" Must Error "Taxon: exactly 1 'scientificName'." "Give exactly one; common names are a 'vernacularName'.";
    TaxonId "taxon.id.not-ncbi" Should Note "Taxon: @id SHOULD be an NCBI taxonomy ID." "Use the taxon's IRI as '@id', such as http://purl.obolibrary.org/obo/NCBITaxon_9606.";
    SampleNameMissing "crate.sample.name.missing" Must Error "BioSample: 'name' REQUIRED." "Add a 'name'.";
    SampleNameSeveral "crate.sample.name.several" Must Error "BioSample: exactly 1 'name'." "Give exactly one.";
    SampleDescriptionMissing "crate.sample.description.missing" Must Error "BioSample: 'description' REQUIRED." "Add a 'description'.";
    SampleDescriptionSeveral "crate.sample.description.several" Must Error "BioSample: exactly 1 'description'." "Give exactly one.";
    SampleTaxon "crate.sample.term.missing" Should Warning "BioSample: 'taxonomicRange' recommended." "Link the organism as 'taxonomicRange'.";
    ProtocolNameMissing "crate.protocol.name.missing" Must Error "LabProtocol: 'name' REQUIRED." "Add a 'name'.";
    ProtocolNameSeveral "crate.protocol.name.several" Must Error "LabProtocol: exactly 1 'name'." "Give exactly one.";
    ProtocolDescriptionMissing "crate.protocol.description.missing" Must Error "LabProtocol: 'description' REQUIRED." "Add a 'description'.";
    ProtocolDescriptionSeveral "crate.protocol.description.several" Must Error "LabProtocol: exactly 1 'description'." "Give exactly one.";
    ProtocolEquipment "crate.protocol.equipment.missing" Should Warning "LabProtocol: 'labEquipment' recommended." "Name the microscope as 'labEquipment'.";
    ProtocolTechnique "crate.protocol.term.missing" Should Warning "LabProtocol: 'measurementTechnique' recommended." "Link the ontology term that says it best as 'measurementTechnique'.";
    GrantNameMissing "grant.name.missing" Must Error "Grant: 'name' REQUIRED." "Give every Grant a 'name'.";
    GrantNameSeveral "grant.name.several" Must Error "Grant: exactly 1 'name'." "Give exactly one.";
    GrantIdentifier "grant.identifier.missing" Should Note "Grant: 'identifier' SHOULD be included if @id is only a local identifier." "Give the award number as 'identifier'.";
    ArticleNameMissing "article.name.missing" Must Error "ScholarlyArticle: 'name' REQUIRED." "Give the title of the article as 'name'.";
    ArticleNameSeveral "article.name.several" Must Error "ScholarlyArticle: exactly 1 'name'." "Give exactly one.";
    ArticleDateMissing "article.date.missing" Should Warning "ScholarlyArticle: 'datePublished' recommended." "Give the date of the article as 'datePublished'.";
    ArticleDateSeveral "article.date.several" Should Warning "ScholarlyArticle: 1 'datePublished'." "Give exactly one.";
    ArticleDateUnreadable "article.date.unreadable" Must Error "ScholarlyArticle: 'datePublished' MUST be in ISO 8601 date format." "Write YYYY, YYYY-MM or YYYY-MM-DD.";
    QuantityValueMissing "quantity.value.missing" Must Error "QuantitativeValue: 'value' REQUIRED." "Give the number as 'value'.";
    QuantityValueSeveral "quantity.value.several" Must Error "QuantitativeValue: exactly 1 'value'." "Give exactly one.";
    QuantityUnitCodeMissing "quantity.unitcode.missing" Must Error "QuantitativeValue: 'unitCode' REQUIRED." "Give the unit's term, such as http://purl.obolibrary.org/obo/UO_0000233 for bytes, as 'unitCode'.";
    QuantityUnitCodeSeveral "quantity.unitcode.several" Must Error "QuantitativeValue: exactly 1 'unitCode'." "Give exactly one.";
    QuantityUnitTextMissing "quantity.unittext.missing" Must Error "QuantitativeValue: 'unitText' REQUIRED." "Give the unit's name, such as \"bytes\", as 'unitText'.";
    QuantityUnitTextSeveral "quantity.unittext.several" Must Error "QuantitativeValue: exactly 1 'unitText'." "Give exactly one.";

    TermDeprecated "term.deprecated" Ours Warning "Terms are in use in their ontology." "Use the term that replaces it.";
    TermUnknown "term.unknown" Ours Warning "Terms are in the ontologies loaded here." "Check the id; it may be newer than the ontologies here. Searches find it by itself, not by its group.";
    TermOntology "term.ontology.unknown" Ours Note "Terms are of ontologies loaded here." "Check the id; searches find it by itself, not by its group.";
    TermLabelConflict "term.label.conflict" Ours Warning "A term is called what its ontology calls it." "Use the id of what is meant.";
    MethodNotImaging "term.method.not-imaging" Ours Note "An imaging method of FBbi is a way of imaging." "Name the microscopy or other imaging technique as well.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_every_must_forbids_publishing() {
        let mut ids: Vec<&str> = crate_rules().iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Rule::ALL.len());
        for rule in crate_rules() {
            assert_eq!(rule.level == Must, rule.severity == Error, "{}", rule.id);
        }
    }
}
