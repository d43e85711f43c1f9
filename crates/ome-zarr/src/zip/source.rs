use std::{
    collections::BTreeMap,
    io::Read,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use flate2::read::DeflateDecoder;
use rayon::prelude::*;

use super::{
    central::{self, Central, Entry},
    fault::ArchiveFault,
    limits::ArchiveLimits,
    range::{LocalFile, RangeRead, SourceFile, length_within},
    records::Method,
};
use crate::{
    error::OmeZarrError,
    source::{FileSource, SourceError},
};

/// The largest compressed entry read, in bytes unpacked: it is held in memory as a whole.
const MAX_DEFLATED: u64 = 256 << 20;
/// The entry unpacked last is kept up to this length, in bytes.
const MAX_KEPT: usize = 64 << 20;

/// The files of a ZIP, read in place: nothing is unpacked to disk.
///
/// The list at the archive's end is read once. Stored entries are read by range; compressed ones are unpacked as a whole,
/// up to 256 MiB each. An entry's own header is compared with the list when the entry is first read.
pub struct ZipSource {
    bytes: Box<dyn RangeRead>,
    central: Central,
    /// Where each entry's bytes begin, once its header was checked.
    starts: Vec<OnceLock<u64>>,
    by_path: BTreeMap<String, usize>,
    unpacked: Mutex<Option<(usize, Bytes)>>,
}

impl ZipSource {
    /// Opens a local file.
    ///
    /// # Errors
    /// [`OmeZarrError::Archive`] when it is not a ZIP, or one that is refused; otherwise when it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OmeZarrError> {
        Self::over(Box::new(LocalFile::open(path)?), &ArchiveLimits::default())
    }

    /// Opens a file of another source, such as a blob of a draft or a file behind a URL.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn within(source: Arc<dyn FileSource>, path: &str) -> Result<Self, OmeZarrError> {
        Self::over(Box::new(SourceFile::new(source, path)?), &ArchiveLimits::default())
    }

    /// Opens whatever can be read by range.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn over(bytes: Box<dyn RangeRead>, limits: &ArchiveLimits) -> Result<Self, OmeZarrError> {
        let central = Central::read(&*bytes, limits)?;
        let by_path = central.entries.iter().enumerate().map(|(at, entry)| (entry.path.to_string(), at)).collect();
        let starts = central.entries.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { bytes, central, starts, by_path, unpacked: Mutex::new(None) })
    }

    /// The only folder at the top, when the archive holds one folder and no file beside it.
    pub fn nested_root(&self) -> Option<&str> {
        let first = self.by_path.keys().next()?.split_once('/')?.0;
        let inside = |path: &String| path.split_once('/').is_some_and(|(top, _)| top == first);
        self.by_path.keys().all(inside).then_some(first)
    }

    pub(crate) fn central(&self) -> &Central {
        &self.central
    }

    /// Compares every entry's own header with the list: one short read an entry.
    pub(crate) fn check_headers(&self) -> Result<(), SourceError> {
        // Many at once: over a network each read waits.
        (0..self.central.entries.len()).into_par_iter().try_for_each(|at| self.start(at).map(drop))
    }

    fn entry(&self, path: &str) -> Result<(usize, &Entry), SourceError> {
        let at = self.by_path.get(path).copied();
        let found = at.and_then(|at| Some((at, self.central.entries.get(at)?)));
        found.ok_or_else(|| SourceError::new(path, "there is no such file in the archive"))
    }

    fn start(&self, at: usize) -> Result<u64, SourceError> {
        let (Some(known), Some(entry)) = (self.starts.get(at), self.central.entries.get(at)) else {
            return Err(SourceError::new("", "there is no such entry"));
        };
        if let Some(start) = known.get() {
            return Ok(*start);
        }
        let start = central::data_start(&*self.bytes, entry)?;
        Ok(*known.get_or_init(|| start))
    }

    /// A compressed entry as a whole.
    fn unpack(&self, at: usize, entry: &Entry) -> Result<Bytes, SourceError> {
        let kept = || self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = kept().as_ref().filter(|(last, _)| *last == at) {
            return Ok(bytes.clone());
        }
        // Not under the lock: others unpack other entries meanwhile.
        let bytes = self.inflate(at, entry)?;
        *kept() = (bytes.len() <= MAX_KEPT).then(|| (at, bytes.clone()));
        Ok(bytes)
    }

    fn inflate(&self, at: usize, entry: &Entry) -> Result<Bytes, SourceError> {
        let header = &entry.header;
        let failed = |fault: ArchiveFault| SourceError::new(entry.path.as_str(), fault);
        if header.size > MAX_DEFLATED {
            let reason = format!("compressed files of more than {MAX_DEFLATED} bytes are not read in place");
            return Err(failed(ArchiveFault::too_large(Some(&header.name), reason)));
        }
        let start = self.start(at)?;
        let packed = self.bytes.read(start..start + header.packed)?;
        let mut decoder = DeflateDecoder::new(&packed[..]);
        // Grows with what is really there: the size listed may be a lie.
        let mut bytes = Vec::new();
        let read = decoder.by_ref().take(header.size + 1).read_to_end(&mut bytes);
        let whole = read.is_ok() && bytes.len() as u64 == header.size && decoder.total_in() == header.packed;
        if whole && crc32fast::hash(&bytes) == header.crc32 {
            return Ok(bytes.into());
        }
        Err(failed(ArchiveFault::checksum(&header.name)))
    }
}

impl FileSource for ZipSource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        Ok(self.entry(path).ok().map(|(_, entry)| entry.header.size))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let (at, entry) = self.entry(path)?;
        let header = &entry.header;
        length_within(&range, header.size, path)?;
        if header.method == Method::Deflated {
            let bytes = self.unpack(at, entry)?;
            let index = |at| usize::try_from(at).map_err(|error| SourceError::new(path, error));
            return Ok(bytes.slice(index(range.start)?..index(range.end)?));
        }
        let start = self.start(at)?;
        let bytes = self.bytes.read(start + range.start..start + range.end)?;
        if range == (0..header.size) && crc32fast::hash(&bytes) != header.crc32 {
            return Err(SourceError::new(path, ArchiveFault::checksum(&header.name)));
        }
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        if folder.is_empty() {
            return Ok(self.by_path.keys().cloned().collect());
        }
        let prefix = format!("{folder}/");
        let below = self.by_path.range(prefix.clone()..).map(|(path, _)| path);
        Ok(below.take_while(|path| path.starts_with(&prefix)).cloned().collect())
    }
}
