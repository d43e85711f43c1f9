use std::ops::Range;

use bytes::Bytes;
use dataset_model::FilePath;

use super::records::{self, End};

/// A file that goes into an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipFile {
    /// Its name in the archive.
    pub path: FilePath,
    /// Its length in bytes.
    pub size: u64,
    /// The CRC-32 (ISO-HDLC, as in ZIP and PNG) of its bytes.
    pub crc32: u32,
}

/// A part of an archive that is not written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Literal(Bytes),
    /// Bytes of a file.
    File {
        /// Which of [`VirtualZip::files`].
        index: usize,
        /// Which of its bytes (end exclusive).
        range: Range<u64>,
    },
}

/// The bytes of an `.ozx`, known from the names, lengths and checksums of its files alone: any range can be served without
/// making the archive.
///
/// All entries are stored, with ZIP64 sizes and a fixed time; `zarr.json` files come first, breadth-first (RFC-9), the rest
/// in order of path. The bytes are a function of files and version, and so is every offset.
///
/// ```
/// use ome_zarr::zip::{Piece, VirtualZip, ZipFile};
///
/// let file = ZipFile { path: "zarr.json".parse()?, size: 2, crc32: 0xE64A_0AB3 };
/// let zip = VirtualZip::new(vec![file], "0.5");
/// assert!(matches!(zip.pieces(0..zip.size()).nth(1), Some(Piece::File { index: 0, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VirtualZip {
    files: Vec<ZipFile>,
    /// Where each file's header begins, and at last where the list of entries does.
    locals: Vec<u64>,
    /// Where each file's place in the list begins, and at last where the list ends.
    centrals: Vec<u64>,
    tail: Bytes,
}

/// About as much of the list of entries is made at a time, in bytes.
const LIST_PIECE: usize = 64 * 1024;

impl VirtualZip {
    /// Lays out an archive of these files; `version` is the OME-Zarr version its comment names.
    pub fn new(mut files: Vec<ZipFile>, version: &str) -> Self {
        files.sort_by(|a, b| order(&a.path).cmp(&order(&b.path)));
        let name = |file: &ZipFile| file.path.as_str().len();
        let locals = starts(0, files.iter().map(|file| records::local_length(name(file)) + file.size));
        let start = locals.last().copied().unwrap_or(0);
        let centrals = starts(start, files.iter().map(|file| records::central_length(name(file))));
        let length = centrals.last().copied().unwrap_or(start) - start;
        let end = End { entries: files.len() as u64, length, start };
        let tail = records::write_end(end, comment(version).as_bytes()).into();
        Self { files, locals, centrals, tail }
    }

    /// The files in the order they have in the archive.
    pub fn files(&self) -> &[ZipFile] {
        &self.files
    }

    /// The length of the archive in bytes.
    pub fn size(&self) -> u64 {
        self.list_end() + self.tail.len() as u64
    }

    /// What the bytes of a range (end exclusive) are, in order; what lies past the end is left out.
    pub fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = Piece> + '_ {
        let end = range.end.min(self.size());
        let mut at = range.start;
        std::iter::from_fn(move || {
            let (piece, length) = (at < end).then(|| self.piece(at, end))?;
            at += length;
            Some(piece)
        })
    }

    /// Where the list of entries begins.
    pub(crate) fn list_start(&self) -> u64 {
        self.locals.last().copied().unwrap_or(0)
    }

    /// Sets a checksum that was not known when the archive was laid out; no offset depends on it.
    pub(crate) fn set_crc32(&mut self, index: usize, crc32: u32) {
        if let Some(file) = self.files.get_mut(index) {
            file.crc32 = crc32;
        }
    }

    fn list_end(&self) -> u64 {
        self.centrals.last().copied().unwrap_or(0)
    }

    /// The piece that begins at `at` and ends before `end`, with its length.
    fn piece(&self, at: u64, end: u64) -> (Piece, u64) {
        if at >= self.list_end() {
            return literal(&self.tail, at - self.list_end(), end - at);
        }
        if at >= self.list_start() {
            return self.part_of_list(at, end);
        }
        let (index, file, start) = self.file_at(&self.locals, at);
        let header = records::write_local(file.path.as_str(), file.size, file.crc32);
        let within = at - start;
        match within.checked_sub(header.len() as u64) {
            None => literal(&header.into(), within, end - at),
            Some(from) => {
                let range = from..file.size.min(from + (end - at));
                let length = range.end - range.start;
                (Piece::File { index, range }, length)
            }
        }
    }

    fn part_of_list(&self, at: u64, end: u64) -> (Piece, u64) {
        let (first, _, start) = self.file_at(&self.centrals, at);
        let mut bytes = Vec::new();
        for (file, offset) in self.files.iter().zip(&self.locals).skip(first) {
            bytes.extend(records::write_central(file.path.as_str(), file.size, file.crc32, *offset));
            if bytes.len() > LIST_PIECE || start + bytes.len() as u64 >= end {
                break;
            }
        }
        literal(&bytes.into(), at - start, end - at)
    }

    /// The last file that begins at or before `at`.
    fn file_at(&self, starts: &[u64], at: u64) -> (usize, &ZipFile, u64) {
        let index = starts.partition_point(|start| *start <= at).saturating_sub(1);
        let index = index.min(self.files.len().saturating_sub(1));
        (index, &self.files[index], starts[index])
    }
}

/// At most `length` bytes from `from` on.
fn literal(bytes: &Bytes, from: u64, length: u64) -> (Piece, u64) {
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len() - from);
    (Piece::Literal(bytes.slice(from..from + length)), length as u64)
}

/// Metadata first, breadth-first (RFC-9), then everything else by path.
fn order(path: &FilePath) -> (bool, usize, &FilePath) {
    if path.name() == "zarr.json" { (false, path.names().count(), path) } else { (true, 0, path) }
}

fn starts(first: u64, lengths: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut at = first;
    let ends = lengths.map(|length| {
        at += length;
        at
    });
    std::iter::once(first).chain(ends).collect()
}

/// What an archive says of itself (RFC-9, "OME-Zarr Zip Comment Structure").
fn comment(version: &str) -> String {
    serde_json::json!({"ome": {"version": version, "zipFile": {"centralDirectory": {"jsonFirst": true}}}}).to_string()
}
