//! What the `DataCite` schema asks for, before it is written as JSON or XML.

use super::{
    ExportFormat, ExportImage, ExportRecord,
    identifiers::{affiliation_ror, web},
};
use crate::iri;

/// The schema's word for what nobody knows.
const UNKNOWN: &str = "(:unav)";

/// A record in the terms of the `DataCite` schema 4.
pub(super) struct DataCite<'a> {
    pub(super) doi: Option<String>,
    /// The address of the landing page.
    pub(super) url: String,
    pub(super) creators: Vec<Creator<'a>>,
    pub(super) title: &'a str,
    pub(super) publisher: &'a str,
    /// The publisher's ROR.
    pub(super) publisher_ror: Option<String>,
    pub(super) year: String,
    pub(super) subjects: Vec<Subject<'a>>,
    /// Dates with their types.
    pub(super) dates: Vec<(String, &'static str)>,
    /// Identifiers of the same thing, with their types.
    pub(super) alternates: Vec<(String, &'static str)>,
    pub(super) related: Vec<RelatedIdentifier>,
    pub(super) sizes: Vec<String>,
    pub(super) formats: Vec<&'static str>,
    pub(super) version: Option<String>,
    pub(super) rights: Vec<Rights>,
    pub(super) description: &'a str,
}

pub(super) struct Creator<'a> {
    pub(super) name: &'a str,
    pub(super) personal: bool,
    pub(super) orcid: Option<String>,
    pub(super) affiliations: &'a [String],
    /// That of the only affiliation.
    pub(super) affiliation_ror: Option<String>,
}

pub(super) struct Subject<'a> {
    pub(super) text: &'a str,
    /// Name and address of the scheme, and the term in it.
    pub(super) term: Option<(&'static str, &'static str, String)>,
}

pub(super) struct RelatedIdentifier {
    pub(super) identifier: String,
    pub(super) kind: &'static str,
    pub(super) relation: &'static str,
    /// The scheme of related metadata.
    pub(super) scheme: Option<&'static str>,
}

#[derive(Default)]
pub(super) struct Rights {
    pub(super) text: String,
    pub(super) uri: Option<String>,
    pub(super) spdx: Option<String>,
}

impl<'a> DataCite<'a> {
    pub(super) fn of(record: &'a ExportRecord) -> Self {
        let summary = &record.summary;
        let doi = record.doi();
        let accession = record.accessions().into_iter();
        let named = |text: &str| (text.to_owned(), if web(text).is_some() { "URL" } else { "Accession" });
        let own = doi.as_ref().map(|_| (record.iri.clone(), "URL"));
        Self {
            url: web(&record.iri).unwrap_or_else(|| record.landing.clone()),
            creators: creators(record),
            title: record.title(),
            publisher: record.publisher(),
            publisher_ror: record.publisher_iri().filter(|iri| iri.starts_with("https://ror.org/")),
            year: record.year(),
            subjects: subjects(record),
            dates: vec![(record.issued(), "Issued"), (record.modified.to_string(), "Updated")],
            alternates: own.into_iter().chain(accession.map(named)).collect(),
            related: related(record),
            sizes: record.sizes(),
            formats: if record.images.is_empty() { Vec::new() } else { vec![ExportImage::MEDIA_TYPE] },
            version: record.deposited.then(|| record.version.get().to_string()),
            rights: rights(record),
            description: &summary.description,
            doi,
        }
    }
}

/// The authors; where none are named, the publisher.
fn creators(record: &ExportRecord) -> Vec<Creator<'_>> {
    let authors = record.summary.authors.iter().filter(|author| !author.name.trim().is_empty());
    let mut creators: Vec<Creator<'_>> = authors
        .map(|author| Creator {
            name: &author.name,
            personal: true,
            orcid: author.orcid.as_deref().and_then(iri::orcid),
            affiliations: &author.affiliations,
            affiliation_ror: affiliation_ror(author),
        })
        .collect();
    if creators.is_empty() {
        let name = record.summary.publisher.as_ref().map_or(UNKNOWN, |_| record.publisher());
        creators.push(Creator { name, personal: false, orcid: None, affiliations: &[], affiliation_ror: None });
    }
    creators
}

fn subjects(record: &ExportRecord) -> Vec<Subject<'_>> {
    let summary = &record.summary;
    let terms = summary.organisms.iter().chain(&summary.methods).chain(&summary.about);
    let terms = terms.filter(|term| !term.label.is_empty()).map(|term| Subject {
        text: &term.label,
        term: scheme(term.iri.as_str()).map(|(name, address)| (name, address, term.iri.to_string())),
    });
    let words = summary.keywords.iter().filter(|word| !word.is_empty()).map(|text| Subject { text, term: None });
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for subject in terms.chain(words) {
        if !subjects.iter().any(|known| known.text == subject.text) {
            subjects.push(subject);
        }
    }
    subjects
}

/// Name and address of the ontology a term is from.
fn scheme(term: &str) -> Option<(&'static str, &'static str)> {
    if iri::obo_local(term, "NCBITaxon").is_some() {
        return Some(("NCBI Taxonomy", "http://purl.obolibrary.org/obo/ncbitaxon.owl"));
    }
    if iri::obo_local(term, "FBbi").is_some() {
        return Some(("Biological Imaging Methods Ontology", "http://purl.obolibrary.org/obo/fbbi.owl"));
    }
    term.starts_with(iri::OBO).then_some(("OBO Foundry", iri::OBO))
}

fn related(record: &ExportRecord) -> Vec<RelatedIdentifier> {
    let named = record.related().into_iter().map(|related| RelatedIdentifier {
        kind: if related.doi.is_some() { "DOI" } else { "URL" },
        identifier: related.doi.unwrap_or(related.url),
        relation: "References",
        scheme: None,
    });
    let metadata = [(ExportFormat::RoCrate, "RO-Crate"), (ExportFormat::SchemaOrg, "schema.org")];
    let metadata = metadata.map(|(format, scheme)| RelatedIdentifier {
        identifier: record.export_url(format),
        kind: "URL",
        relation: "HasMetadata",
        scheme: Some(scheme),
    });
    named.chain(metadata).collect()
}

/// The licence, and who may read the data.
fn rights(record: &ExportRecord) -> Vec<Rights> {
    let licence = record.summary.licence.as_ref().map(|licence| Rights {
        text: licence.label().to_owned(),
        uri: web(&licence.url),
        spdx: licence.spdx.clone(),
    });
    let access = record.data_access().coar();
    let access = access.map(|(iri, label)| Rights { text: label.to_owned(), uri: Some(iri.to_owned()), spdx: None });
    licence.into_iter().chain(access).collect()
}
