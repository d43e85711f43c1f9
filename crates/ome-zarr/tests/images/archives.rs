//! Archives: the corpus, hostile ones, and those that are not written anywhere.

mod corpus;
mod hostile;
mod packing;
mod zips;

use std::io::Read;

use ome_zarr::{
    OmeZarrError,
    zip::{ArchiveLimits, Unpacked, unpack},
};

/// Unpacks from memory, in reads of odd sizes; gives the files beside the outcome.
pub(crate) fn unpacked(bytes: &[u8], name: Option<&str>) -> Result<(Unpacked, Vec<(String, Vec<u8>)>), OmeZarrError> {
    unpacked_within(bytes, name, &ArchiveLimits::default())
}

pub(crate) fn unpacked_within(
    bytes: &[u8],
    name: Option<&str>,
    limits: &ArchiveLimits,
) -> Result<(Unpacked, Vec<(String, Vec<u8>)>), OmeZarrError> {
    let mut files = Vec::new();
    let unpacked = unpack(Trickle(bytes), name, limits, &mut |path, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        files.push((path.to_string(), bytes));
        Ok(())
    })?;
    Ok((unpacked, files))
}

/// The rule a refusal names; for contents the first error's.
pub(crate) fn rule(error: &OmeZarrError) -> String {
    match error {
        OmeZarrError::Archive(fault) => fault.rule.to_owned(),
        OmeZarrError::ArchiveContents(findings) => {
            let error = findings.iter().find(|finding| finding.severity == dataset_model::Severity::Error);
            error.map(|finding| finding.rule.clone()).unwrap_or_default()
        }
        other => format!("{other:?}"),
    }
}

/// Gives few bytes at a time, as a network does.
pub(crate) struct Trickle<'a>(pub(crate) &'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.0.len()).min(97);
        let (head, rest) = self.0.split_at(count);
        buffer[..count].copy_from_slice(head);
        self.0 = rest;
        Ok(count)
    }
}
