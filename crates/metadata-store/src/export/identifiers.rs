//! Which of a record's identifiers are its own, and which addresses can be written anywhere.

use dataset_model::Person;
use url::Url;

use super::ExportRecord;
use crate::iri;

/// Something related, by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Related {
    /// The address; of a DOI, that of the resolver.
    pub(super) url: String,
    /// The DOI's name, where it is one.
    pub(super) doi: Option<String>,
}

/// An address that a browser may follow and RDF, XML and headers can hold; nothing of any other scheme.
pub(super) fn web(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none();
    let text = iri::encode(url.as_str());
    (plain && iri::is_absolute(&text)).then_some(text)
}

/// The ROR of a person's only affiliation: of several, a record does not tell which one it is of.
pub(super) fn affiliation_ror(person: &Person) -> Option<String> {
    match (person.affiliations.as_slice(), person.affiliation_rors.as_slice()) {
        ([_], [ror]) => web(ror),
        _ => None,
    }
}

impl ExportRecord {
    /// The dataset's own DOI. Those of related articles stand among its identifiers too, so that readers of the article
    /// find it; they are known by standing among what it relates to.
    pub(super) fn doi(&self) -> Option<String> {
        let related: Vec<String> = self.summary.see_also.iter().filter_map(|text| iri::doi(text)).collect();
        let own = self.summary.identifiers.iter().filter_map(|text| iri::doi(text));
        iri::doi(&self.iri).or_else(|| own.into_iter().find(|doi| !related.contains(doi)))
    }

    /// The address to cite: the DOI's, else the dataset's own.
    pub(super) fn cite_as(&self) -> String {
        self.doi().and_then(|doi| web(&format!("https://doi.org/{doi}"))).unwrap_or_else(|| self.iri.clone())
    }

    /// Accession numbers and further addresses of the same dataset: no DOI, and not the one it is called by.
    pub(super) fn accessions(&self) -> Vec<&str> {
        let others = self.summary.identifiers.iter().map(String::as_str);
        others.filter(|text| iri::doi(text).is_none() && *text != self.iri && !text.trim().is_empty()).collect()
    }

    /// Articles and pages that the record names.
    pub(super) fn related(&self) -> Vec<Related> {
        let own =
            [self.doi().map(|doi| format!("https://doi.org/{doi}")), Some(self.iri.clone()), Some(self.page.clone())];
        let mut related: Vec<Related> = Vec::new();
        for text in &self.summary.see_also {
            let doi = iri::doi(text);
            let address = doi.as_ref().map_or_else(|| text.clone(), |doi| format!("https://doi.org/{doi}"));
            let Some(url) = web(&address).filter(|url| !own.iter().flatten().any(|own| own == url)) else { continue };
            if !related.iter().any(|known| known.url == url) {
                related.push(Related { url, doi });
            }
        }
        related
    }
}
