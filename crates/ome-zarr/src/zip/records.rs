//! ZIP records (APPNOTE 6.3.10 §4.3), read and written. All numbers are little-endian.

use super::fault::ArchiveFault;

pub(crate) const LOCAL: u32 = 0x0403_4b50;
pub(crate) const CENTRAL: u32 = 0x0201_4b50;
pub(crate) const END: u32 = 0x0605_4b50;
pub(crate) const END64: u32 = 0x0606_4b50;
pub(crate) const LOCATOR64: u32 = 0x0706_4b50;
pub(crate) const DESCRIPTOR: u32 = 0x0807_4b50;

/// Lengths of the fixed parts, signatures included.
pub(crate) const LOCAL_BYTES: usize = 30;
pub(crate) const CENTRAL_BYTES: usize = 46;
pub(crate) const END_BYTES: usize = 22;
pub(crate) const END64_BYTES: usize = 56;
pub(crate) const LOCATOR64_BYTES: usize = 20;

/// A size or offset that stands in the ZIP64 field instead.
const IN_ZIP64: u32 = u32::MAX;
const ZIP64_FIELD: u16 = 1;
/// What the short end record says where the ZIP64 one has the number.
const MOST_SHORT_ENTRIES: u64 = u16::MAX as u64;
const MOST_SHORT: u64 = u32::MAX as u64;
/// General purpose flags (§4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const STREAMED: u16 = 1 << 3;
const PATCHED: u16 = 1 << 5;
const UTF8: u16 = 1 << 11;

/// How an entry's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
}

/// What a local or a central header says about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) method: Method,
    /// Whether sizes and checksum follow the bytes, and may be 0 in the local header.
    pub(crate) streamed: bool,
    pub(crate) crc32: u32,
    /// Bytes as stored.
    pub(crate) packed: u64,
    /// Bytes unpacked.
    pub(crate) size: u64,
    /// Where the local header stands; 0 in a local header.
    pub(crate) offset: u64,
    /// The Unix mode where the archive was made on Unix; otherwise 0.
    pub(crate) mode: u32,
}

impl Header {
    pub(crate) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }
}

/// The lengths of name, extra field and comment that follow the fixed part of a header.
pub(crate) fn tail_of_local(fixed: &[u8]) -> usize {
    let mut at = Fields(fixed.get(26..).unwrap_or_default());
    usize::from(at.u16().unwrap_or(0)) + usize::from(at.u16().unwrap_or(0))
}

pub(crate) fn tail_of_central(fixed: &[u8]) -> usize {
    let mut at = Fields(fixed.get(28..).unwrap_or_default());
    usize::from(at.u16().unwrap_or(0)) + usize::from(at.u16().unwrap_or(0)) + usize::from(at.u16().unwrap_or(0))
}

/// Reads a local header with its name and extra field (§4.3.7).
pub(crate) fn local(bytes: &[u8]) -> Result<Header, ArchiveFault> {
    let mut at = Fields(bytes);
    let fixed = read_local(&mut at).ok_or_else(|| ArchiveFault::format("a header of an entry is cut off"))?;
    fixed.finish(at, 0, 0)
}

fn read_local(at: &mut Fields<'_>) -> Option<Fixed> {
    (at.u32()? == LOCAL).then_some(())?;
    at.u16()?;
    let (flags, method) = (at.u16()?, at.u16()?);
    at.u32()?;
    let (crc32, packed, size) = (at.u32()?, at.u32()?, at.u32()?);
    let (name, extra) = (at.u16()?, at.u16()?);
    Some(Fixed { flags, method, crc32, packed, size, name, extra, disk: 0, offset: 0 })
}

/// Reads a central header with its name, extra field and comment (§4.3.12).
pub(crate) fn central(bytes: &[u8]) -> Result<Header, ArchiveFault> {
    let cut = || ArchiveFault::format("the list of entries at its end is damaged");
    let mut at = Fields(bytes);
    let (made_by, fixed, attributes) = read_central(&mut at).ok_or_else(cut)?;
    // 3 is Unix, 19 is macOS (§4.4.2): the upper half of the attributes is the mode.
    let mode = if matches!(made_by >> 8, 3 | 19) { attributes >> 16 } else { 0 };
    if fixed.disk != 0 && fixed.disk != u16::MAX {
        return Err(split());
    }
    let offset = fixed.offset;
    fixed.finish(at, offset, mode)
}

fn read_central(at: &mut Fields<'_>) -> Option<(u16, Fixed, u32)> {
    (at.u32()? == CENTRAL).then_some(())?;
    let made_by = at.u16()?;
    at.u16()?;
    let (flags, method) = (at.u16()?, at.u16()?);
    at.u32()?;
    let (crc32, packed, size) = (at.u32()?, at.u32()?, at.u32()?);
    let (name, extra, _comment, disk) = (at.u16()?, at.u16()?, at.u16()?, at.u16()?);
    at.u16()?;
    let (attributes, offset) = (at.u32()?, at.u32()?);
    Some((made_by, Fixed { flags, method, crc32, packed, size, name, extra, disk, offset }, attributes))
}

pub(crate) fn split() -> ArchiveFault {
    let hint = "Put the parts together into one file first; OME-Zarr zip files are never split (RFC-9).";
    ArchiveFault::new("archive.split", None, "it is one part of a split archive", hint)
}

/// The fields both headers have.
struct Fixed {
    flags: u16,
    method: u16,
    crc32: u32,
    packed: u32,
    size: u32,
    name: u16,
    extra: u16,
    disk: u16,
    offset: u32,
}

impl Fixed {
    fn finish(self, mut at: Fields<'_>, offset: u32, mode: u32) -> Result<Header, ArchiveFault> {
        let cut = || ArchiveFault::format("a header of an entry is cut off");
        let name = at.take(usize::from(self.name)).ok_or_else(cut)?;
        let extra = at.take(usize::from(self.extra)).ok_or_else(cut)?;
        let name = String::from_utf8(name.to_vec()).map_err(|error| {
            let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
            ArchiveFault::new("archive.name", Some(&shown), "its name is not UTF-8", "Rename the file.")
        })?;
        let method = self.method(&name)?;
        let zip64 = Zip64::find(extra, &name)?;
        let mut zip64 = zip64.unwrap_or(Zip64(Fields(&[])));
        let size = zip64.or(self.size, &name)?;
        let packed = zip64.or(self.packed, &name)?;
        let offset = zip64.or(offset, &name)?;
        let streamed = self.flags & STREAMED != 0;
        Ok(Header { name, method, streamed, crc32: self.crc32, packed, size, offset, mode })
    }

    fn method(&self, name: &str) -> Result<Method, ArchiveFault> {
        if self.flags & ENCRYPTED != 0 {
            let hint = "Make the archive again without a password.";
            return Err(ArchiveFault::new("archive.encrypted", Some(name), "it is encrypted", hint));
        }
        match self.method {
            _ if self.flags & PATCHED != 0 => {}
            0 => return Ok(Method::Stored),
            8 => return Ok(Method::Deflated),
            _ => {}
        }
        let reason = format!("it is stored by ZIP method {}, which is not read here", self.method);
        let hint = "Make the archive again without compression ('zip -0'), or with deflate.";
        Err(ArchiveFault::new("archive.method", Some(name), reason, hint))
    }
}

/// The ZIP64 extra field (§4.5.3): the numbers that did not fit, in a fixed order.
struct Zip64<'a>(Fields<'a>);

impl<'a> Zip64<'a> {
    fn find(extra: &'a [u8], name: &str) -> Result<Option<Self>, ArchiveFault> {
        let mut at = Fields(extra);
        let mut found = None;
        // Padding of fewer bytes than a field's head is written by some tools for alignment.
        while at.0.len() >= 4 {
            let field = at.u16().zip(at.u16()).and_then(|(id, length)| Some((id, at.take(usize::from(length))?)));
            let (id, data) = field.ok_or_else(|| {
                let reason = "an extra field of it reaches past its end";
                ArchiveFault::new("archive.format", Some(name), reason, "Make the archive again with a common tool.")
            })?;
            if id == ZIP64_FIELD && found.replace(Self(Fields(data))).is_some() {
                return Err(Self::lacks(name, "is there twice"));
            }
        }
        Ok(found)
    }

    fn or(&mut self, short: u32, name: &str) -> Result<u64, ArchiveFault> {
        if short != IN_ZIP64 {
            return Ok(short.into());
        }
        self.0.u64().ok_or_else(|| Self::lacks(name, "lacks a number"))
    }

    fn lacks(name: &str, what: &str) -> ArchiveFault {
        let reason = format!("its ZIP64 field {what}");
        ArchiveFault::new("archive.format", Some(name), reason, "Make the archive again with a common tool.")
    }
}

/// What the end of an archive says about the list of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) entries: u64,
    /// Bytes of the list.
    pub(crate) length: u64,
    /// Where the list begins.
    pub(crate) start: u64,
}

impl End {
    /// Whether `short`, of the short end record, does not contradict this, of the ZIP64 one.
    pub(crate) fn agrees_with(&self, short: &Self) -> bool {
        let same = |short: u64, limit: u64, long: u64| short == limit || short == long;
        same(short.entries, MOST_SHORT_ENTRIES, self.entries)
            && same(short.length, MOST_SHORT, self.length)
            && same(short.start, MOST_SHORT, self.start)
    }

    /// Whether a number of the short record stands in the ZIP64 record instead.
    pub(crate) fn needs_zip64(&self) -> bool {
        self.length == MOST_SHORT || self.start == MOST_SHORT
    }
}

/// Reads the short end record and the length of the comment after it (§4.3.16).
pub(crate) fn end(bytes: &[u8]) -> Result<(End, usize), ArchiveFault> {
    let read = |mut at: Fields<'_>| {
        (at.u32()? == END).then_some(())?;
        let disks = (at.u16()?, at.u16()?);
        let (here, entries) = (at.u16()?, at.u16()?);
        let (length, start, comment) = (at.u32()?, at.u32()?, at.u16()?);
        let end = End { entries: entries.into(), length: length.into(), start: start.into() };
        Some((disks, here == entries, end, usize::from(comment)))
    };
    let (disks, whole, end, comment) =
        read(Fields(bytes)).ok_or_else(|| ArchiveFault::format("it has no end record"))?;
    let one_disk = disks == (0, 0) || disks == (u16::MAX, u16::MAX);
    if one_disk && whole { Ok((end, comment)) } else { Err(split()) }
}

/// Reads the ZIP64 end record's fixed part (§4.3.14).
pub(crate) fn end64(bytes: &[u8]) -> Result<End, ArchiveFault> {
    let read = |mut at: Fields<'_>| {
        (at.u32()? == END64).then_some(())?;
        // An extensible data sector is reserved to one vendor; a length without one follows from the fixed part.
        (at.u64()? == (END64_BYTES - 12) as u64).then_some(())?;
        at.u32()?;
        let disks = (at.u32()?, at.u32()?);
        let (here, entries) = (at.u64()?, at.u64()?);
        let (length, start) = (at.u64()?, at.u64()?);
        Some((disks == (0, 0) && here == entries, End { entries, length, start }))
    };
    let bad = || ArchiveFault::format("its ZIP64 end record is not where it should be, or damaged");
    let (whole, end) = read(Fields(bytes)).ok_or_else(bad)?;
    if whole { Ok(end) } else { Err(split()) }
}

/// Reads the locator: where the ZIP64 end record stands (§4.3.15).
pub(crate) fn locator64(bytes: &[u8]) -> Option<u64> {
    let mut at = Fields(bytes);
    (at.u32()? == LOCATOR64 && at.u32()? == 0).then_some(())?;
    let offset = at.u64()?;
    (at.u32()? <= 1).then_some(offset)
}

/// Little-endian numbers, one after the other.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}

/// Midnight of 1 January 1980, the first moment the format knows: the same content makes the same bytes.
const TIME_AND_DATE: u32 = 0x0021 << 16;
/// Version 4.5, the first with ZIP64.
const NEEDS: u16 = 45;
const MADE_BY_UNIX: u16 = 3 << 8 | NEEDS;
/// A regular file that everybody may read.
const MODE: u32 = 0o100_644;

/// Lengths of the headers written for a name of `name` bytes.
pub(crate) fn local_length(name: usize) -> u64 {
    (LOCAL_BYTES + name + 20) as u64
}

pub(crate) fn central_length(name: usize) -> u64 {
    (CENTRAL_BYTES + name + 28) as u64
}

/// A stored entry's local header, always with ZIP64 sizes, as RFC-9 recommends.
pub(crate) fn write_local(name: &str, size: u64, crc32: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(LOCAL_BYTES + name.len() + 20);
    put(&mut out, [&LOCAL.to_le_bytes()[..], &NEEDS.to_le_bytes()]);
    write_shared(&mut out, name, crc32, 20);
    put(&mut out, [name.as_bytes(), &ZIP64_FIELD.to_le_bytes(), &16_u16.to_le_bytes()]);
    put(&mut out, [&size.to_le_bytes()[..], &size.to_le_bytes()]);
    out
}

/// A stored entry's central header.
pub(crate) fn write_central(name: &str, size: u64, crc32: u32, offset: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(CENTRAL_BYTES + name.len() + 28);
    put(&mut out, [&CENTRAL.to_le_bytes()[..], &MADE_BY_UNIX.to_le_bytes(), &NEEDS.to_le_bytes()]);
    write_shared(&mut out, name, crc32, 28);
    // No comment, first disk, no internal attributes.
    put(&mut out, [&[0; 6][..], &(MODE << 16).to_le_bytes(), &IN_ZIP64.to_le_bytes()]);
    put(&mut out, [name.as_bytes(), &ZIP64_FIELD.to_le_bytes(), &24_u16.to_le_bytes()]);
    put(&mut out, [&size.to_le_bytes()[..], &size.to_le_bytes(), &offset.to_le_bytes()]);
    out
}

fn write_shared(out: &mut Vec<u8>, name: &str, crc32: u32, extra: u16) {
    let flags = if name.is_ascii() { 0 } else { UTF8 };
    // A `FilePath` has at most 1,024 bytes.
    let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    put(out, [&flags.to_le_bytes()[..], &0_u16.to_le_bytes(), &TIME_AND_DATE.to_le_bytes(), &crc32.to_le_bytes()]);
    put(out, [&IN_ZIP64.to_le_bytes()[..], &IN_ZIP64.to_le_bytes()]);
    put(out, [&name_length.to_le_bytes()[..], &extra.to_le_bytes()]);
}

/// The records after the list of entries, ZIP64 ones included, and the comment.
pub(crate) fn write_end(end: End, comment: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(END64_BYTES + LOCATOR64_BYTES + END_BYTES + comment.len());
    let count = end.entries.to_le_bytes();
    put(&mut out, [&END64.to_le_bytes()[..], &((END64_BYTES - 12) as u64).to_le_bytes()]);
    put(&mut out, [&MADE_BY_UNIX.to_le_bytes()[..], &NEEDS.to_le_bytes(), &[0; 8], &count, &count]);
    put(&mut out, [&end.length.to_le_bytes()[..], &end.start.to_le_bytes()]);
    let end64_at = end.start + end.length;
    put(&mut out, [&LOCATOR64.to_le_bytes()[..], &[0; 4], &end64_at.to_le_bytes(), &1_u32.to_le_bytes()]);
    let short = u16::try_from(end.entries).unwrap_or(u16::MAX).to_le_bytes();
    let comment_length = u16::try_from(comment.len()).unwrap_or(u16::MAX);
    put(&mut out, [&END.to_le_bytes()[..], &[0; 4], &short, &short]);
    put(&mut out, [&IN_ZIP64.to_le_bytes()[..], &IN_ZIP64.to_le_bytes(), &comment_length.to_le_bytes(), comment]);
    out
}

fn put<const N: usize>(out: &mut Vec<u8>, parts: [&[u8]; N]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
