use dataset_model::Finding;
use serde_json::Value;

use super::{
    ArchiveKind, ArchiveLimits, ZipSource,
    contents::{Contents, MAX_DOCUMENT_BYTES},
    fault::ArchiveFault,
    range::RangeRead,
    records::Method,
};
use crate::{
    error::OmeZarrError,
    source::{FileSource, SourceError},
};

/// What was found about an archive.
pub struct Checked {
    /// What is wrong, or worth knowing, about the archive itself; its images are judged by
    /// [`validate`](crate::validate) on `source`.
    pub findings: Vec<Finding>,
    /// Its files, when it can be read at all.
    pub source: Option<ZipSource>,
}

/// Judges a ZIP as a container: its records, names and limits, and the rules of RFC-9 where it is an OME-Zarr zip file.
/// `name` is its file name, where it has one.
///
/// # Errors
/// Only if the bytes cannot be read; what is wrong with them is a finding.
pub fn check_archive(
    bytes: Box<dyn RangeRead>,
    name: Option<&str>,
    limits: &ArchiveLimits,
) -> Result<Checked, OmeZarrError> {
    let source = match ZipSource::over(bytes, limits) {
        Ok(source) => source,
        Err(OmeZarrError::Archive(fault)) => return Ok(Checked { findings: vec![fault.finding()], source: None }),
        Err(other) => return Err(other),
    };
    if let Err(error) = source.check_headers() {
        let fault = fault_of(error)?;
        return Ok(Checked { findings: vec![fault.finding()], source: None });
    }
    let findings = contents(&source, name).judge();
    Ok(Checked { findings, source: Some(source) })
}

fn contents(source: &ZipSource, name: Option<&str>) -> Contents {
    let central = source.central();
    let deflated = central.entries.iter().filter(|entry| entry.header.method == Method::Deflated);
    let kind = name.and_then(ArchiveKind::of_name).or(Some(ArchiveKind::Zip).filter(|_| name.is_some()));
    let mut contents = Contents::new(kind);
    contents.compressed = deflated.count() as u64;
    contents.comment = central.comment.clone();
    contents.zip64 = central.zip64;
    contents.skipped = central.skipped;
    contents.clash = central.clash.clone();
    for path in central.entries.iter().map(|entry| &entry.path) {
        contents.note(path);
        if Contents::wants(path)
            && let Some(document) = document(source, path.as_str())
        {
            contents.note_document(path, &document);
        }
    }
    contents
}

fn document(source: &ZipSource, path: &str) -> Option<Value> {
    let size = source.size(path).ok()?.filter(|size| *size <= MAX_DOCUMENT_BYTES)?;
    serde_json::from_slice(&source.read(path, 0..size).ok()?).ok()
}

/// The fault behind a failed read; other failures stay what they are.
fn fault_of(error: SourceError) -> Result<ArchiveFault, OmeZarrError> {
    let SourceError { path, source } = error;
    match source.downcast::<ArchiveFault>() {
        Ok(fault) => Ok(*fault),
        Err(source) => Err(SourceError { path, source }.into()),
    }
}
