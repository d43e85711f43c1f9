//! Records of sources that speak no RO-Crate, made into crates in catalogue form: Dublin Core, `DataCite`, JPCOAR and
//! schema.org. What a record does not say is not made up: what is missing is found when the crate is read.
//!
//! The same record always gives the same bytes, so that an unchanged record is known by its digest.

mod anchor;
mod datacite;
mod description;
mod dublin_core;
mod element;
mod jpcoar;
mod schema_org;

pub use anchor::anchored;

use crate::CrateError;
use element::Element;

/// A form in which sources give records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignForm {
    /// The fifteen elements of Dublin Core, as `oai_dc` wraps them.
    DublinCore,
    /// The `DataCite` schema 3 or 4, in `oai_datacite`'s wrapping or without.
    DataCite,
    /// The JPCOAR schema, 1.0 or 2.0.
    Jpcoar,
}

impl ForeignForm {
    /// The forms that are read, by their names in OAI-PMH, the one that says most first.
    pub const BY_PREFIX: [(&str, Self); 9] = [
        ("oai_datacite", Self::DataCite),
        ("datacite", Self::DataCite),
        ("oai_datacite4", Self::DataCite),
        ("datacite4", Self::DataCite),
        ("datacite3", Self::DataCite),
        ("jpcoar_2.0", Self::Jpcoar),
        ("jpcoar_1.0", Self::Jpcoar),
        ("jpcoar", Self::Jpcoar),
        ("oai_dc", Self::DublinCore),
    ];

    /// The form of a prefix.
    pub fn of_prefix(prefix: &str) -> Option<Self> {
        Self::BY_PREFIX.iter().find(|(known, _)| *known == prefix).map(|(_, form)| *form)
    }
}

/// A crate made of a record in XML. `identifier` names the record where it gives no address itself.
///
/// # Errors
/// When the text is no XML of that form, or exceeds the limits of a crate.
pub fn crate_from_xml(form: ForeignForm, text: &str, identifier: &str) -> Result<Vec<u8>, CrateError> {
    let root = Element::read(text).map_err(CrateError::Foreign)?;
    let description = match form {
        ForeignForm::DublinCore => dublin_core::read(&root),
        ForeignForm::DataCite => datacite::read(&root),
        ForeignForm::Jpcoar => jpcoar::read(&root),
    };
    description.map_err(CrateError::Foreign)?.into_crate(identifier)
}

/// A crate made of the JSON-LD in a page: the RO-Crate it is, or the schema.org `Dataset` it describes. Of several datasets,
/// the one that is the page's own counts, else the first.
///
/// # Errors
/// When none of the texts is JSON with a dataset, or they exceed the limits of a crate.
pub fn crate_from_json_ld(texts: &[String], page: &str) -> Result<Vec<u8>, CrateError> {
    schema_org::read(texts, page)
}

#[cfg(test)]
mod tests;
