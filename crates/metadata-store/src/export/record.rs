use dataset_model::{Access, DatasetId, Digest, Summary, Timestamp, VersionNumber};

use super::{DataAccess, ExportFormat, ro_crate::escaped_path};
use crate::iri;

/// What the forms are made of: a record as pages show it, with the addresses under which it is served.
#[derive(Debug, Clone)]
pub struct ExportRecord {
    /// Its id.
    pub id: DatasetId,
    /// Its name in the world: its page at its node, or the publisher's page of a catalogue record.
    pub iri: String,
    /// Its page at the node that announced it.
    pub page: String,
    /// Its page at the node that answers, absolute.
    pub landing: String,
    /// Where its forms are at the node that answers, up to the name of one.
    pub exports: String,
    /// What follows that name: nothing, or a query that says whose record it is.
    pub exports_query: String,
    /// Whether a node of the federation archives the bytes; else they are with the publisher.
    pub deposited: bool,
    /// The version.
    pub version: VersionNumber,
    /// Who may read it here.
    pub access: Access,
    /// When this version was announced.
    pub modified: Timestamp,
    /// What its crate says.
    pub summary: Summary,
    /// Its images.
    pub images: Vec<ExportImage>,
    /// Number of files, where measured.
    pub files: Option<u64>,
    /// Bytes of all files, where measured.
    pub bytes: Option<u64>,
    /// Where the paths of its files start, with a slash at its end; for deposits.
    pub data: Option<String>,
    /// Its RO-Crate as held; only [`ExportFormat::RoCrate`] is made of it.
    pub crate_bytes: Option<Vec<u8>>,
    /// The repository that answers.
    pub catalogue: Catalogue,
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Its title.
    pub name: String,
    /// Its address, without trailing slash.
    pub url: String,
}

/// An OME-Zarr image.
#[derive(Debug, Clone, Default)]
pub struct ExportImage {
    /// Its folder in the dataset.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Axes, sizes and type in a line.
    pub description: String,
    /// The address any Zarr library opens, escaped.
    pub url: String,
    /// The file that says what it is, `zarr.json` or `.zattrs`.
    pub metadata_file: &'static str,
    /// Size and SHA-256 of that file, where they are known here.
    pub metadata: Option<(u64, Digest)>,
    /// The address of the whole image as one file, where there is one.
    pub archive: Option<String>,
    /// Bytes of all its files.
    pub bytes: Option<u64>,
    /// Names of its channels.
    pub channels: Vec<String>,
}

impl ExportImage {
    /// How an OME-Zarr image is named among media types.
    pub const MEDIA_TYPE: &'static str = "application/vnd.ome.zarr";

    /// The image in a folder of a dataset whose paths start at `data`, in this version of OME-Zarr.
    pub fn at(data: &str, path: &str, version: &str) -> Self {
        let escaped = escaped_path(path);
        // An archive of one file is made of OME-Zarr 0.5 only (RFC-9).
        let stem = escaped.strip_suffix(".ome.zarr").unwrap_or(&escaped);
        Self {
            path: path.to_owned(),
            url: format!("{data}{escaped}"),
            metadata_file: if version == "0.4" { ".zattrs" } else { "zarr.json" },
            archive: (version == "0.5").then(|| format!("{data}{stem}.ozx")),
            ..Self::default()
        }
    }

    /// The address of the file that says what it is.
    pub fn metadata_url(&self) -> String {
        format!("{}/{}", self.url, self.metadata_file)
    }
}

impl ExportRecord {
    /// The address of one form.
    pub fn export_url(&self, format: ExportFormat) -> String {
        format!("{}{}{}", self.exports, format.name(), self.exports_query)
    }

    /// The title; a record without one is called by its id.
    pub(super) fn title(&self) -> &str {
        if self.summary.title.trim().is_empty() { self.id.as_str() } else { &self.summary.title }
    }

    /// The name of whoever published the dataset first; the repository's where nobody is named.
    pub(super) fn publisher(&self) -> &str {
        let named = self.summary.publisher.as_ref().map(|publisher| publisher.name.trim());
        named.filter(|name| !name.is_empty()).unwrap_or(&self.catalogue.name)
    }

    /// The publisher's address or ROR.
    pub(super) fn publisher_iri(&self) -> Option<String> {
        match &self.summary.publisher {
            Some(publisher) => publisher.iri.as_deref().and_then(super::identifiers::web),
            None => Some(self.catalogue.url.clone()),
        }
    }

    /// The name of the dataset as RDF can hold it.
    pub(super) fn subject(&self) -> String {
        if iri::is_absolute(&self.iri) { self.iri.clone() } else { self.landing.clone() }
    }

    /// The day, month or year of publication; that of the announcement where none is given.
    pub(super) fn issued(&self) -> String {
        self.summary.date_published.clone().unwrap_or_else(|| self.modified.date())
    }

    /// The year of publication, four digits.
    pub(super) fn year(&self) -> String {
        let year = self.issued().chars().take(4).collect::<String>();
        if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) {
            year
        } else {
            self.modified.date()[..4].to_owned()
        }
    }

    /// Who may read the data, as far as the record tells.
    pub(super) fn data_access(&self) -> DataAccess {
        DataAccess::of(self.access, self.deposited, self.summary.licence.as_ref())
    }

    /// Key words; where none are given, the names of organisms and methods.
    pub(super) fn keywords(&self) -> Vec<String> {
        if !self.summary.keywords.is_empty() {
            return self.summary.keywords.clone();
        }
        let terms = self.summary.organisms.iter().chain(&self.summary.methods).chain(&self.summary.about);
        let mut words: Vec<String> = terms.map(|term| term.label.clone()).filter(|label| !label.is_empty()).collect();
        words.dedup();
        words
    }

    /// Sizes in words: measured where they are, else as declared.
    pub(super) fn sizes(&self) -> Vec<String> {
        let declared = self.summary.declared;
        let bytes = self.bytes.or(declared.bytes.filter(|_| !self.deposited));
        let files = self.files.or(declared.files.filter(|_| !self.deposited));
        let bytes = bytes.map(|bytes| format!("{bytes} bytes"));
        bytes.into_iter().chain(files.map(|files| format!("{files} files"))).collect()
    }
}
