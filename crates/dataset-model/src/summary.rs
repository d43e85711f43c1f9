use serde::{Deserialize, Serialize};

use crate::{Finding, Licence, Repair, Term, TermIri};

/// What a crate says about its dataset, after normalisation: what pages show and search indexes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The absolute IRI of the crate's root dataset.
    pub iri: String,
    /// Title.
    pub title: String,
    /// Description, plain text.
    pub description: String,
    /// Publication day as the crate gives it, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub date_published: Option<String>,
    /// The licence.
    pub licence: Option<Licence>,
    /// Who published it first.
    pub publisher: Option<Agent>,
    /// Authors in order.
    pub authors: Vec<Person>,
    /// Organisms (NCBI Taxonomy).
    pub organisms: Vec<Term>,
    /// Imaging methods (FBbi, EDAM).
    pub methods: Vec<Term>,
    /// Other terms and biological entities the dataset is about.
    pub about: Vec<Term>,
    /// Biological entities the dataset is about that have a name and no term: samples, cell lines, tissues.
    pub entities: Vec<String>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// A picture of it, where the crate names one.
    pub thumbnail: Option<String>,
    /// Accession numbers, DOIs and other identifiers.
    pub identifiers: Vec<String>,
    /// Related pages and articles.
    pub see_also: Vec<String>,
    /// Names and descriptions of samples, protocols and the like, for full text.
    pub text: Vec<String>,
    /// Titles of articles and grants, names of cell lines: what the dataset is connected with, for full text.
    pub related_text: Vec<String>,
    /// What the crate declares about size; measured values of our own datasets come from the manifest.
    pub declared: Declared,
    /// Terms that the crate calls otherwise than their ontology does. Both names are searched.
    pub conflicts: Vec<TermConflict>,
    /// Whether the crate breaks a MUST of the profile.
    pub incomplete: bool,
    /// What is wrong with the crate.
    pub findings: Vec<Finding>,
    /// How our reading differs from what is written.
    pub repairs: Vec<Repair>,
}

impl Summary {
    /// The year of publication, where the date starts with one.
    pub fn year(&self) -> Option<u16> {
        self.date_published.as_deref()?.get(..4)?.parse().ok()
    }
}

/// A term whose name in a crate is none that its ontology gives it: one of the two is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermConflict {
    /// The term.
    pub iri: TermIri,
    /// What the crate calls it.
    pub written: String,
    /// What its ontology calls it.
    pub label: String,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Agent {
    /// IRI (ROR, home page), where there is one.
    pub iri: Option<String>,
    /// Name.
    pub name: String,
}

/// A person; e-mail addresses are never kept here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    /// Name.
    pub name: String,
    /// ORCID IRI.
    pub orcid: Option<String>,
    /// Names of affiliations.
    pub affiliations: Vec<String>,
    /// ROR IRIs of affiliations, where they have them.
    #[serde(default)]
    pub affiliation_rors: Vec<String>,
}

/// Sizes a crate declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Declared {
    /// Bytes.
    pub bytes: Option<u64>,
    /// Number of files.
    pub files: Option<u64>,
}
