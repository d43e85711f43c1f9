//! The list of entries at the end of a ZIP, read and checked as a whole.

use std::collections::HashMap;

use dataset_model::FilePath;

use super::{
    fault::ArchiveFault,
    limits::ArchiveLimits,
    member,
    range::RangeRead,
    records::{self, End, Header, Method},
};
use crate::{error::OmeZarrError, source::SourceError};

/// The longest comment, with the end record before it.
const LONGEST_END: u64 = (u16::MAX as u64) + records::END_BYTES as u64;

/// A file of an archive, with the part of the archive it may take up.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: FilePath,
    pub(crate) header: Header,
    /// Where the next entry, or the list, begins.
    pub(crate) until: u64,
}

/// What the end of an archive says.
#[derive(Debug)]
pub(crate) struct Central {
    /// The files, in the order of the list; folders are left out.
    pub(crate) entries: Vec<Entry>,
    pub(crate) comment: Vec<u8>,
    /// Whether the archive has the ZIP64 records.
    pub(crate) zip64: bool,
    /// Files that are passed over.
    pub(crate) skipped: u64,
    /// A name that differs from another in capitals alone.
    pub(crate) clash: Option<String>,
}

/// Bytes an extra field of a local header seldom exceeds.
const LIKELY_EXTRA: u64 = 64;

/// Where the list is.
struct Located {
    end: End,
    comment: Vec<u8>,
    zip64: bool,
}

impl Central {
    pub(crate) fn read(bytes: &dyn RangeRead, limits: &ArchiveLimits) -> Result<Self, OmeZarrError> {
        let Located { end, comment, zip64 } = locate(bytes)?;
        limits.check_count(end.entries)?;
        if end.length > limits.directory_bytes {
            let reason = format!("its list of entries is longer than {} bytes", limits.directory_bytes);
            return Err(ArchiveFault::too_large(None, reason).into());
        }
        let list = bytes.read(end.start..end.start + end.length)?;
        let headers = headers(&list, end.entries)?;
        let mut central = Self { entries: Vec::new(), comment, zip64, skipped: 0, clash: None };
        central.admit(headers, end.start, limits)?;
        Ok(central)
    }

    /// Checks names, sizes and that no two entries share bytes.
    fn admit(&mut self, headers: Vec<Header>, list_at: u64, limits: &ArchiveLimits) -> Result<(), ArchiveFault> {
        let until = ends(&headers, list_at)?;
        let mut names = member::Names::default();
        let mut total = 0_u64;
        for header in headers {
            let path = names.admit(&header.name, limits)?;
            member::check_kind(&header.name, header.mode)?;
            member::check_folder(&header.name, header.size)?;
            if header.is_folder() || member::is_clutter(&path) {
                self.skipped += u64::from(!header.is_folder());
                continue;
            }
            if header.method == Method::Stored && header.packed != header.size {
                return Err(ArchiveFault::checksum(&header.name));
            }
            limits.check_entry(&header.name, header.size, header.packed)?;
            total = total.saturating_add(header.size);
            limits.check_total(total)?;
            let until = until.get(&header.offset).copied().unwrap_or(list_at);
            self.entries.push(Entry { path, header, until });
        }
        names.finish()?;
        self.clash = names.clash().map(str::to_owned);
        Ok(())
    }
}

/// Finds the end record: the last one whose comment ends with the file.
fn locate(bytes: &dyn RangeRead) -> Result<Located, OmeZarrError> {
    let size = bytes.size();
    let tail_at = size.saturating_sub(LONGEST_END);
    let tail = bytes.read(tail_at..size)?;
    let signature = records::END.to_le_bytes();
    let found = (0..=tail.len().saturating_sub(records::END_BYTES)).rev().find_map(|at| {
        let rest = tail.get(at..).filter(|rest| rest.starts_with(&signature))?;
        let comment = rest.get(records::END_BYTES..)?;
        let length = rest.get(20..22)?.try_into().ok().map(u16::from_le_bytes)?;
        (usize::from(length) == comment.len()).then(|| (at, rest, comment.to_vec()))
    });
    let none = || {
        let hint = "Check that it is a ZIP, and send it again if it was cut off on the way.";
        ArchiveFault::new("archive.truncated", None, "it has no end record: it is cut off, or no ZIP", hint)
    };
    let (at, rest, comment) = found.ok_or_else(none)?;
    let (short, _) = records::end(rest)?;
    let end_at = tail_at + at as u64;
    let (end, list_ends, zip64) = match end64(bytes, end_at)? {
        Some((end, at)) if end.agrees_with(&short) => (end, at, true),
        Some(_) => return Err(ArchiveFault::format("its two end records say different things").into()),
        None if short.needs_zip64() => {
            return Err(ArchiveFault::format("its ZIP64 end record is missing").into());
        }
        None => (short, end_at, false),
    };
    if end.start.checked_add(end.length) != Some(list_ends) {
        let reason = "its list of entries does not end where the end record begins";
        return Err(ArchiveFault::format(reason).into());
    }
    Ok(Located { end, comment, zip64 })
}

/// The ZIP64 end record, and where it stands, where there is a locator for it.
fn end64(bytes: &dyn RangeRead, end_at: u64) -> Result<Option<(End, u64)>, OmeZarrError> {
    let (locator_bytes, record_bytes) = (records::LOCATOR64_BYTES as u64, records::END64_BYTES as u64);
    let Some(locator_at) = end_at.checked_sub(locator_bytes) else { return Ok(None) };
    let Some(at) = records::locator64(&bytes.read(locator_at..end_at)?) else { return Ok(None) };
    if at.checked_add(record_bytes) != Some(locator_at) {
        return Err(ArchiveFault::format("its ZIP64 end record is not where it should be, or damaged").into());
    }
    Ok(Some((records::end64(&bytes.read(at..locator_at)?)?, at)))
}

fn headers(mut list: &[u8], count: u64) -> Result<Vec<Header>, ArchiveFault> {
    let damaged = || ArchiveFault::format("its list of entries is damaged, or has another length than the end says");
    let mut headers = Vec::new();
    for _ in 0..count {
        let fixed = list.get(..records::CENTRAL_BYTES).ok_or_else(damaged)?;
        let length = records::CENTRAL_BYTES + records::tail_of_central(fixed);
        let (header, rest) = list.split_at_checked(length).ok_or_else(damaged)?;
        headers.push(records::central(header)?);
        list = rest;
    }
    if list.is_empty() { Ok(headers) } else { Err(damaged()) }
}

/// Where each entry's room ends, by its offset.
fn ends(headers: &[Header], list_at: u64) -> Result<HashMap<u64, u64>, ArchiveFault> {
    let mut order: Vec<&Header> = headers.iter().collect();
    order.sort_by_key(|header| header.offset);
    let mut until = HashMap::with_capacity(order.len());
    for (at, header) in order.iter().enumerate() {
        let next = order.get(at + 1).map_or(list_at, |next| next.offset);
        let least = (records::LOCAL_BYTES + header.name.len()) as u64;
        let end = header.offset.checked_add(least).and_then(|end| end.checked_add(header.packed));
        if end.is_none_or(|end| end > next) {
            let reason = "its bytes overlap those of another entry, or reach past the end";
            let hint = "Make the archive again with a common tool.";
            return Err(ArchiveFault::new("archive.overlap", Some(&header.name), reason, hint));
        }
        until.insert(header.offset, next);
    }
    Ok(until)
}

/// Where an entry's bytes begin, after checking its local header against the list.
pub(crate) fn data_start(bytes: &dyn RangeRead, entry: &Entry) -> Result<u64, SourceError> {
    let header = &entry.header;
    let refused = |fault: ArchiveFault| SourceError::new(entry.path.as_str(), fault);
    let fixed_end = header.offset + records::LOCAL_BYTES as u64;
    // Most extra fields are short: one read then has all of the header.
    let guess = (fixed_end + header.name.len() as u64 + LIKELY_EXTRA).min(entry.until);
    let head = bytes.read(header.offset..guess)?;
    let start = fixed_end + records::tail_of_local(&head) as u64;
    if start.checked_add(header.packed).is_none_or(|end| end > entry.until) {
        return Err(refused(ArchiveFault::disagrees(&header.name, "length")));
    }
    let whole = if start > guess { bytes.read(header.offset..start)? } else { head };
    let local = records::local(&whole).map_err(refused)?;
    local_agrees(&local, header).map_err(refused)?;
    Ok(start)
}

/// Whether a local header says what the list says.
pub(crate) fn local_agrees(local: &Header, listed: &Header) -> Result<(), ArchiveFault> {
    let disagrees = |what| Err(ArchiveFault::disagrees(&listed.name, what));
    if local.name != listed.name {
        return disagrees("name");
    }
    if local.method != listed.method {
        return disagrees("method");
    }
    // Sizes that follow the bytes are 0 in the local header.
    let zero = |value: u64| local.streamed && value == 0;
    if !zero(local.size) && local.size != listed.size || !zero(local.packed) && local.packed != listed.packed {
        return disagrees("length");
    }
    if !zero(local.crc32.into()) && local.crc32 != listed.crc32 {
        return disagrees("checksum");
    }
    Ok(())
}
