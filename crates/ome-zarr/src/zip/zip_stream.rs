//! A ZIP read from front to back: entries first, then the list that must say the same of them.

use std::{collections::HashMap, io::Read};

use super::{
    central::local_agrees,
    fault::ArchiveFault,
    member,
    records::{self, End, Header, Method},
    stream::{Member, Stream},
    unpack::Files,
};
use crate::error::OmeZarrError;

/// The entries met, by where they begin.
type Met = HashMap<u64, Header>;

pub(crate) fn read<'a, R: Read>(reader: R, mut files: Files<'a>) -> Result<Files<'a>, OmeZarrError> {
    let mut stream = Stream::new(reader);
    let mut met = Met::new();
    let mut signature = next_signature(&mut stream)?;
    if !matches!(signature, records::LOCAL | records::END | records::END64) {
        return Err(ArchiveFault::format("it is no ZIP, or has other bytes before it").into());
    }
    while signature == records::LOCAL {
        let offset = stream.position() - 4;
        let header = entry(&mut stream, &mut files)?;
        met.insert(offset, header);
        signature = next_signature(&mut stream)?;
    }
    let start = stream.position() - 4;
    while signature == records::CENTRAL {
        let header = listed(&mut stream, &mut met)?;
        note(&mut files, &header);
        if stream.position() - start > files.limits.directory_bytes {
            let reason = format!("its list of entries is longer than {} bytes", files.limits.directory_bytes);
            return Err(ArchiveFault::too_large(None, reason).into());
        }
        signature = next_signature(&mut stream)?;
    }
    if !matches!(signature, records::END | records::END64) {
        return Err(ArchiveFault::format("there are bytes in it that belong to no entry").into());
    }
    if let Some(lost) = met.values().next() {
        let reason = "it is missing in the list at the end of the archive";
        let hint = "Make the archive again: it holds files that were deleted or replaced.";
        return Err(ArchiveFault::new("archive.disagrees", Some(&lost.name), reason, hint).into());
    }
    let length = stream.position() - 4 - start;
    let entries = files.listed;
    finish(&mut stream, &mut files, signature, End { entries, length, start })?;
    Ok(files)
}

fn next_signature<R: Read>(stream: &mut Stream<R>) -> Result<u32, OmeZarrError> {
    let bytes = stream.exact(4)?;
    Ok(bytes.try_into().map_or(0, u32::from_le_bytes))
}

/// Reads the rest of a header whose signature was read: `fixed` bytes, and the tail they announce.
fn header_bytes<R: Read>(
    stream: &mut Stream<R>,
    signature: u32,
    fixed: usize,
    tail: impl Fn(&[u8]) -> usize,
) -> Result<Vec<u8>, OmeZarrError> {
    let mut bytes = signature.to_le_bytes().to_vec();
    bytes.extend(stream.exact(fixed - 4)?);
    let tail = stream.exact(tail(&bytes))?;
    bytes.extend(tail);
    Ok(bytes)
}

/// Reads one entry and gives what the list must say of it.
fn entry<R: Read>(stream: &mut Stream<R>, files: &mut Files<'_>) -> Result<Header, OmeZarrError> {
    let bytes = header_bytes(stream, records::LOCAL, records::LOCAL_BYTES, records::tail_of_local)?;
    let local = records::local(&bytes)?;
    let path = files.admit(&local.name)?;
    let known = !local.streamed || local.packed > 0;
    let (limits, before, data_at) = (files.limits, files.bytes, stream.position());
    let member = match (local.method, known) {
        (Method::Stored, true) => Member::stored(stream, &local.name, local.packed, limits, before),
        (Method::Stored, false) if local.is_folder() => Member::stored(stream, &local.name, 0, limits, before),
        (Method::Stored, false) => return Err(endless(&local.name).into()),
        (Method::Deflated, true) => Member::deflated(stream, &local.name, Some(local.packed), limits, before),
        (Method::Deflated, false) => Member::deflated(stream, &local.name, None, limits, before),
    };
    let (size, crc32) = files.take(path.as_ref(), member)?;
    member::check_folder(&local.name, size)?;
    let packed = stream.position() - data_at;
    let seen = Header { streamed: false, size, crc32, packed, ..local.clone() };
    if local.streamed {
        descriptor(stream, &seen)?;
    }
    local_agrees(&local, &seen).map_err(|_| ArchiveFault::checksum(&local.name))?;
    if path.is_some() && seen.method == Method::Deflated {
        files.contents.compressed += 1;
    }
    Ok(seen)
}

fn endless(name: &str) -> ArchiveFault {
    let reason = "it is stored without its length before it, so that its end cannot be told";
    let hint = "Make the archive as a file (not into a pipe), or with compression.";
    ArchiveFault::new("archive.unknown-length", Some(name), reason, hint)
}

/// Reads what follows the bytes of an entry whose length was not known before (§4.3.9): checksum and lengths.
fn descriptor<R: Read>(stream: &mut Stream<R>, seen: &Header) -> Result<(), OmeZarrError> {
    let first = next_signature(stream)?;
    // The signature is optional.
    let crc32 = if first == records::DESCRIPTOR { next_signature(stream)? } else { first };
    // Lengths have 32 or 64 bits, and writers do not agree on when: the reading that fits is taken.
    let mut bytes = stream.exact(8)?;
    let mut at = records::Fields(&bytes);
    let narrow = at.u32().zip(at.u32()).map(|(packed, size)| (packed.into(), size.into()));
    if crc32 == seen.crc32 && narrow == Some((seen.packed, seen.size)) {
        return Ok(());
    }
    bytes.extend(stream.exact(8)?);
    let mut at = records::Fields(&bytes);
    if crc32 == seen.crc32 && at.u64().zip(at.u64()) == Some((seen.packed, seen.size)) {
        return Ok(());
    }
    Err(ArchiveFault::checksum(&seen.name).into())
}

/// Reads a header of the list and compares it with the entry it is about, which is then done with.
fn listed<R: Read>(stream: &mut Stream<R>, met: &mut Met) -> Result<Header, OmeZarrError> {
    let bytes = header_bytes(stream, records::CENTRAL, records::CENTRAL_BYTES, records::tail_of_central)?;
    let header = records::central(&bytes)?;
    let Some(seen) = met.remove(&header.offset) else {
        let reason = "the list at the end of the archive names it twice, or where there is no entry";
        let hint = "Make the archive again with a common tool.";
        return Err(ArchiveFault::new("archive.disagrees", Some(&header.name), reason, hint).into());
    };
    local_agrees(&seen, &header)?;
    member::check_kind(&header.name, header.mode)?;
    Ok(header)
}

/// Remembers the order of the list.
fn note(files: &mut Files<'_>, header: &Header) {
    files.listed += 1;
    let path = header.name.strip_suffix('/').unwrap_or(&header.name).parse();
    if let Ok(path) = path
        && !header.is_folder()
        && !member::is_clutter(&path)
    {
        files.contents.note(&path);
    }
}

/// Reads the records after the list, and makes sure that nothing follows.
fn finish<R: Read>(
    stream: &mut Stream<R>,
    files: &mut Files<'_>,
    mut signature: u32,
    found: End,
) -> Result<(), OmeZarrError> {
    let differ = || ArchiveFault::format("its end record and its list of entries say different things");
    if signature == records::END64 {
        let end64_at = stream.position() - 4;
        let bytes = header_bytes(stream, signature, records::END64_BYTES, |_| 0)?;
        let locator_bytes = stream.exact(records::LOCATOR64_BYTES)?;
        let located = records::locator64(&locator_bytes) == Some(end64_at);
        if !located || records::end64(&bytes)? != found {
            return Err(differ().into());
        }
        files.contents.zip64 = true;
        signature = next_signature(stream)?;
    }
    if signature != records::END {
        return Err(ArchiveFault::format("there are bytes in it that belong to no entry").into());
    }
    let bytes = header_bytes(stream, signature, records::END_BYTES, |_| 0)?;
    let (short, comment) = records::end(&bytes)?;
    let agrees = if files.contents.zip64 { found.agrees_with(&short) } else { found == short };
    if !agrees {
        return Err(differ().into());
    }
    files.contents.comment = stream.exact(comment)?;
    if !stream.is_at_end()? {
        return Err(after_the_end().into());
    }
    Ok(())
}

pub(crate) fn after_the_end() -> ArchiveFault {
    let hint = "Make the archive again; it may have been joined with another file.";
    ArchiveFault::new("archive.trailing", None, "there are bytes after its end", hint)
}
