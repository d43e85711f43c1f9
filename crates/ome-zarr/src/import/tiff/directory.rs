//! The directories of a TIFF file (TIFF 6.0, section 2; `BigTIFF`): lists of fields, chained by offsets.

use bytes::Bytes;

use crate::{error::OmeZarrError, import::file::FileRef};

/// Read at once where directories are walked, so that fields and their values come together.
const READ_AHEAD: u64 = 16 * 1024;
/// No writer makes more fields than this in one directory.
const MAX_FIELDS: u64 = 4096;

/// What the first bytes of a TIFF file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Header {
    pub(super) big_endian: bool,
    big: bool,
    pub(super) first: u64,
}

impl Header {
    /// `None` if it is not a TIFF file.
    pub(in super::super) fn read(head: &[u8]) -> Option<Self> {
        let big_endian = match head.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let at = |start: usize, length: usize| head.get(start..start + length).map(|bytes| whole(bytes, big_endian));
        match at(2, 2)? {
            42 => Some(Self { big_endian, big: false, first: at(4, 4)? }),
            43 if at(4, 2)? == 8 => Some(Self { big_endian, big: true, first: at(8, 8)? }),
            _ => None,
        }
    }
}

/// A field: its type, how many values it has, and where in the file they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    kind: u16,
    pub(super) count: u64,
    at: u64,
}

impl Field {
    /// The size of one value, in bytes; 0 for types nobody knows.
    pub(super) fn value_size(self) -> u64 {
        match self.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => 0,
        }
    }

    /// Where one of its values is in the file.
    pub(super) fn place(self, index: u64) -> u64 {
        self.at.saturating_add(index * self.value_size())
    }

    fn is_whole(self) -> bool {
        matches!(self.kind, 1 | 3 | 4 | 13 | 16 | 18)
    }
}

/// A directory, its fields sorted as they stand in the file.
pub(super) struct Directory {
    fields: Vec<(u16, Field)>,
    pub(super) next: u64,
}

impl Directory {
    /// Where values are that do not stand in the directory itself.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> {
        let outside = |field: &Field| field.count.saturating_mul(field.value_size()) > 8;
        self.fields.iter().map(|(_, field)| *field).filter(outside).map(|field| field.at)
    }

    pub(super) fn field(&self, tag: u16) -> Option<Field> {
        self.fields.iter().find(|(known, _)| *known == tag).map(|(_, field)| *field)
    }
}

/// Reads directories and the values of their fields, a window of the file at a time.
pub(super) struct Reader<'a> {
    file: FileRef<'a>,
    header: Header,
    window: (u64, Bytes),
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: FileRef<'a>, header: Header) -> Self {
        Self { file, header, window: (0, Bytes::new()) }
    }

    /// The directory at an offset.
    pub(super) fn directory(&mut self, at: u64) -> Result<Directory, OmeZarrError> {
        let (counter, entry, pointer) = if self.header.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.whole_at(at, counter)?;
        if count == 0 || count > MAX_FIELDS {
            return Err(self.damaged(format!("the directory at byte {at} claims {count} fields")));
        }
        let start = at.saturating_add(counter);
        let bytes = self.bytes(start, count * entry + pointer)?;
        let fields = (0..count).map(|index| self.field(&bytes, start, index * entry)).collect();
        let next = whole(&bytes[(count * entry) as usize..], self.header.big_endian);
        Ok(Directory { fields, next })
    }

    fn field(&self, bytes: &[u8], start: u64, at: u64) -> (u16, Field) {
        let counter = if self.header.big { 8 } else { 4 };
        let part = |from: u64, length: u64| {
            whole(&bytes[(at + from) as usize..(at + from + length) as usize], self.header.big_endian)
        };
        let (kind, count) = (part(2, 2) as u16, part(4, counter));
        let mut field = Field { kind, count, at: start + at + 4 + counter };
        // Values that do not fit the field are elsewhere.
        if count.saturating_mul(field.value_size()) > counter {
            field.at = part(4 + counter, counter);
        }
        (part(0, 2) as u16, field)
    }

    /// The whole numbers of a field, from one index on.
    pub(super) fn wholes(&mut self, field: Field, from: u64, count: u64) -> Result<Vec<u64>, OmeZarrError> {
        let size = field.value_size();
        if !field.is_whole() || from.saturating_add(count) > field.count {
            return Err(self.damaged("a field of whole numbers has another type or fewer values than needed"));
        }
        let bytes = self.bytes(field.place(from), count * size)?;
        Ok(bytes.chunks_exact(size as usize).map(|value| whole(value, self.header.big_endian)).collect())
    }

    /// The one whole number of a field.
    pub(super) fn whole(&mut self, field: Field) -> Result<u64, OmeZarrError> {
        Ok(self.wholes(field, 0, 1)?[0])
    }

    /// An unsigned fraction; `None` if it is none, or not above 0.
    pub(super) fn fraction(&mut self, field: Field) -> Result<Option<f64>, OmeZarrError> {
        if field.kind != 5 || field.count == 0 {
            return Ok(None);
        }
        let bytes = self.bytes(field.at, 8)?;
        let big_endian = self.header.big_endian;
        let value = whole(&bytes[..4], big_endian) as f64 / whole(&bytes[4..], big_endian) as f64;
        Ok((value.is_finite() && value > 0.0).then_some(value))
    }

    /// The bytes of a field, at most so many.
    pub(super) fn raw(&mut self, field: Field, limit: u64) -> Result<Bytes, OmeZarrError> {
        let length = field.count.saturating_mul(field.value_size());
        if length > limit {
            return Err(OmeZarrError::too_large(
                self.file.path,
                format!("a field has {length} bytes; at most {limit} are read"),
            ));
        }
        self.bytes(field.at, length)
    }

    fn whole_at(&mut self, at: u64, length: u64) -> Result<u64, OmeZarrError> {
        Ok(whole(&self.bytes(at, length)?, self.header.big_endian))
    }

    fn bytes(&mut self, at: u64, length: u64) -> Result<Bytes, OmeZarrError> {
        let (start, window) = &self.window;
        let inside = at >= *start && at.saturating_add(length) <= *start + window.len() as u64;
        if !inside {
            let end = at.saturating_add(length);
            let ahead = at.saturating_add(READ_AHEAD).min(self.file.size).max(end);
            self.window = (at, self.file.read(at..ahead)?);
        }
        let from = (at - self.window.0) as usize;
        Ok(self.window.1.slice(from..from + length as usize))
    }

    fn damaged(&self, reason: impl Into<String>) -> OmeZarrError {
        OmeZarrError::decode(self.file.path, reason)
    }
}

/// An unsigned number of up to 8 bytes.
fn whole(bytes: &[u8], big_endian: bool) -> u64 {
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}
