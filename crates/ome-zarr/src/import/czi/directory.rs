//! The segments of a CZI file: its header, the directory of its subblocks, and where the pixels of one are
//! (ZISRAW file format 1.2.2).

use crate::{
    error::OmeZarrError,
    import::file::{FileRef, SourceFile},
};

/// The most bytes of a directory: a million subblocks and more.
const MAX_DIRECTORY: u64 = 256 << 20;
const SEGMENT_HEADER: u64 = 32;
/// The fixed part of an entry, and of each of its dimensions.
const ENTRY: usize = 32;
const DIMENSION: usize = 20;

/// What the header says: where the directory and the metadata are.
pub(super) struct Header {
    pub(super) directory: u64,
    pub(super) metadata: u64,
}

/// A rectangle of pixels somewhere in the file.
#[derive(Debug, Clone)]
pub(super) struct Subblock {
    pub(super) at: u64,
    pub(super) pixel_type: i32,
    pub(super) compression: i32,
    /// Left, top, width, height in the coordinates of the scan.
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Whether it is a smaller copy of others.
    pub(super) is_reduced: bool,
    /// t, c, z.
    pub(super) plane: [i32; 3],
    /// The tile's number: later tiles lie above earlier ones.
    pub(super) order: i32,
    /// Scene, view, and the like: what makes images of their own.
    pub(super) image: Vec<(char, i32)>,
}

fn damaged(path: &str, reason: impl Into<String>) -> OmeZarrError {
    OmeZarrError::decode(path, reason)
}

/// Reads the header.
pub(super) fn header(file: &SourceFile) -> Result<Header, OmeZarrError> {
    let bytes = file.read(0..SEGMENT_HEADER + 80)?;
    if !bytes.starts_with(b"ZISRAWFILE") {
        return Err(damaged(file.path(), "it is not a CZI file"));
    }
    let part = int(&bytes, 32 + 48);
    if part != 0 {
        return Err(super::refused(file.path(), "it is one of several files that make up an image"));
    }
    Ok(Header { directory: long(&bytes, 32 + 52), metadata: long(&bytes, 32 + 60) })
}

/// Reads the directory.
pub(super) fn subblocks(file: &SourceFile, at: u64) -> Result<Vec<Subblock>, OmeZarrError> {
    let file = file.part();
    let used = segment(file, at, b"ZISRAWDIRECTORY")?;
    let start = at.saturating_add(SEGMENT_HEADER);
    if !(128..=MAX_DIRECTORY).contains(&used) {
        return Err(damaged(file.path, format!("its directory is said to have {used} bytes")));
    }
    let bytes = file.read(start..start.saturating_add(used))?;
    let count = int(&bytes, 0);
    let mut rest = &bytes[128..];
    let mut found = Vec::new();
    for _ in 0..count.max(0) {
        let (subblock, length) = entry(rest).map_err(|reason| damaged(file.path, reason))?;
        found.push(subblock);
        rest = &rest[length..];
    }
    Ok(found)
}

/// The payload of a segment has so many bytes.
fn segment(file: FileRef<'_>, at: u64, id: &[u8]) -> Result<u64, OmeZarrError> {
    let bytes = file.read(at..at.saturating_add(SEGMENT_HEADER))?;
    if !bytes.starts_with(id) {
        return Err(damaged(file.path, format!("there is no {} at byte {at}", String::from_utf8_lossy(id))));
    }
    let (allocated, used) = (long(&bytes, 16), long(&bytes, 24));
    Ok(if used == 0 { allocated } else { used })
}

/// An entry of the directory, and its length.
fn entry(bytes: &[u8]) -> Result<(Subblock, usize), String> {
    let cut = "its directory ends too soon";
    let fixed = bytes.get(..ENTRY).ok_or(cut)?;
    if !fixed.starts_with(b"DV") {
        return Err("its directory has an entry of an unknown kind".to_owned());
    }
    let count = int(fixed, 28);
    if !(0..=64).contains(&count) {
        return Err(format!("an entry of its directory has {count} dimensions"));
    }
    let length = ENTRY + count as usize * DIMENSION;
    let dimensions = bytes.get(ENTRY..length).ok_or(cut)?;
    let mut subblock = Subblock {
        at: long(fixed, 6),
        pixel_type: int(fixed, 2),
        compression: int(fixed, 18),
        x: 0,
        y: 0,
        width: 0,
        height: 0,
        is_reduced: false,
        plane: [0; 3],
        order: 0,
        image: Vec::new(),
    };
    for dimension in dimensions.chunks_exact(DIMENSION) {
        let (start, size, stored) = (int(dimension, 4), int(dimension, 8), int(dimension, 16));
        let side = || u32::try_from(stored).map_err(|_| "a subblock has a negative size".to_owned());
        match dimension[0] {
            b'X' => {
                (subblock.x, subblock.width) = (i64::from(start), side()?);
                subblock.is_reduced |= stored != size;
            }
            b'Y' => {
                (subblock.y, subblock.height) = (i64::from(start), side()?);
                subblock.is_reduced |= stored != size;
            }
            b'T' => subblock.plane[0] = start,
            b'C' => subblock.plane[1] = start,
            b'Z' => subblock.plane[2] = start,
            b'M' => subblock.order = start,
            other => subblock.image.push((char::from(other), start)),
        }
    }
    subblock.image.sort_unstable();
    Ok((subblock, length))
}

/// Where the pixels of a subblock are, and how many bytes they have.
pub(super) fn data(file: &SourceFile, at: u64) -> Result<(u64, u64), OmeZarrError> {
    let file = file.part();
    let used = segment(file, at, b"ZISRAWSUBBLOCK")?;
    let start = at + SEGMENT_HEADER;
    let bytes = file.read(start..start + 48)?;
    let (metadata, data) = (u64::from(int(&bytes, 0) as u32), long(&bytes, 8));
    let dimensions = int(&bytes, 16 + 28);
    if !(0..=64).contains(&dimensions) || data > used {
        return Err(damaged(file.path, format!("the subblock at byte {at} contradicts itself")));
    }
    let header = (16 + ENTRY as u64 + dimensions as u64 * DIMENSION as u64).max(256);
    Ok((start + header + metadata, data))
}

/// The metadata: an XML document.
pub(super) fn metadata(file: &SourceFile, at: u64) -> Result<Option<String>, OmeZarrError> {
    if at == 0 {
        return Ok(None);
    }
    let part = file.part();
    segment(part, at, b"ZISRAWMETADATA")?;
    let start = at + SEGMENT_HEADER;
    let length = u64::from(int(&part.read(start..start + 4)?, 0) as u32);
    let bytes = part.read(start + 256..(start + 256).saturating_add(length))?;
    Ok(String::from_utf8(bytes.into()).ok())
}

fn int(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
