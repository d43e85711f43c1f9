//! A dataset's record in the forms that other services read: one source, [`ExportRecord`], and one small file a form.
//!
//! Whatever a record says, each form is well-formed: XML holds no character it cannot, addresses that are none are left out,
//! and BibTeX runs nothing. docs/METADATA.md has the mapping, field by field.

mod access;
mod bibtex;
mod citation;
mod croissant;
mod csl;
mod datacite;
mod datacite_json;
mod datacite_xml;
mod dcat;
mod dublin_core;
mod feed;
mod format;
mod identifiers;
mod jpcoar;
mod json;
mod links;
mod linkset;
mod record;
mod ro_crate;
mod schema_org;
mod xml;

use serde_json::Value;

pub use access::DataAccess;
pub use feed::{FeedActivity, FeedMember, FeedPage, FeedRelation, FeedTime};
pub use format::ExportFormat;
pub use links::TypedLink;
pub use record::{Catalogue, ExportImage, ExportRecord};

use crate::{MetadataError, ResultFormat};

/// The licence of what is said about a deposit; that of the data is the record's own.
pub(crate) const METADATA_LICENCE: &str = "https://creativecommons.org/publicdomain/zero/1.0/";

impl ExportRecord {
    /// Under which licence this description is. That of a catalogue record is its publisher's, who has to say so.
    pub(crate) fn metadata_licence(&self) -> Option<&'static str> {
        self.deposited.then_some(METADATA_LICENCE)
    }

    /// The record in one form.
    ///
    /// # Errors
    /// When the RO-Crate is asked for and is not held or cannot be read; when an RDF syntax cannot be written.
    pub fn write(&self, format: ExportFormat) -> Result<Vec<u8>, MetadataError> {
        Ok(match format {
            ExportFormat::RoCrate => pretty(&ro_crate::document(self)?),
            ExportFormat::SchemaOrg => pretty(&schema_org::document(self)),
            ExportFormat::Croissant => pretty(&croissant::document(self)),
            ExportFormat::DataCiteJson => pretty(&datacite_json::document(&datacite::DataCite::of(self))),
            ExportFormat::DataCiteXml => datacite_xml::document(&datacite::DataCite::of(self)).into_bytes(),
            ExportFormat::DcatJsonLd => pretty(&dcat::document(self)),
            ExportFormat::DcatTurtle => dcat::write(&dcat::document(self), ResultFormat::Turtle)?,
            ExportFormat::DublinCore => dublin_core::document(self).into_bytes(),
            ExportFormat::Jpcoar => jpcoar::document(self).into_bytes(),
            ExportFormat::BibTex => bibtex::entry(self).into_bytes(),
            ExportFormat::CslJson => pretty(&csl::document(self)),
            ExportFormat::Citation => citation::text(self).into_bytes(),
            ExportFormat::LinkSetJson => pretty(&linkset::json(self)),
            ExportFormat::LinkSet => linkset::text(self).into_bytes(),
        })
    }

    /// The record as schema.org describes a dataset, its context within, for a page.
    pub fn schema_org(&self) -> Value {
        schema_org::document(self)
    }

    /// How to cite the dataset, in a line.
    pub fn citation(&self) -> String {
        citation::text(self)
    }

    /// How to cite the dataset, for TeX.
    pub fn bibtex(&self) -> String {
        bibtex::entry(self)
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut text = format!("{value:#}").into_bytes();
    text.push(b'\n');
    text
}

#[cfg(test)]
pub(crate) mod tests;
