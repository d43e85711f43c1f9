//! One ontology: its terms on disk or in memory, sorted by IRI, with an index of their IRIs and one of their names.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::Path,
};

use dataset_model::{Digest, TermIri};
use fst::{IntoStreamer, Map, Streamer};
use serde::{Deserialize, Serialize};

use super::{
    names::Names,
    term::{OntologyTerm, Record},
};
use crate::MetadataError;

pub(super) const ABOUT: &str = "about.json";
pub(super) const TERMS: &str = "terms";
pub(super) const IRIS: &str = "iris.fst";
pub(super) const NAMES: &str = "names.fst";
/// The layout of the files; others are not read.
pub(super) const LAYOUT: u32 = 1;
/// The longest record; longer ones are damaged.
const MAX_RECORD: u32 = 64 << 20;

/// What an ontology says about itself, and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OntologyInfo {
    /// The name it goes by here, such as `fbbi`.
    pub name: String,
    /// Its own IRI.
    pub iri: Option<String>,
    /// The version it says it is.
    pub version: Option<String>,
    /// The licence it says it has.
    pub licence: Option<String>,
    /// Terms.
    pub terms: u64,
    /// Ids that were merged into a term.
    pub merged: u64,
    /// Synonyms.
    pub synonyms: u64,
    /// How most of its terms' ids begin, such as `FBbi`.
    pub prefix: Option<String>,
    /// The syntax it was read from.
    pub format: String,
    /// Digest of all that is known of its terms: the same for the same terms, whatever the syntax.
    pub digest: Digest,
    /// The layout of the files.
    pub(super) layout: u32,
}

/// An ontology, read and ready for use. Cheap to keep: of the terms themselves only two indexes are in memory, the rest is
/// read when it is asked for.
pub struct OntologyTable {
    pub(super) info: OntologyInfo,
    pub(super) heap: Heap,
    /// Where the record of each term begins.
    pub(super) iris: Map<Vec<u8>>,
    pub(super) names: Names,
}

/// Where records are.
pub(super) enum Heap {
    Memory(Vec<u8>),
    File(File),
}

impl std::fmt::Debug for OntologyTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OntologyTable").field("info", &self.info).finish_non_exhaustive()
    }
}

impl OntologyTable {
    /// Opens what [`OntologyTable::read`](super::OntologyTable::read) left in a folder.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn open(folder: &Path) -> Result<Self, MetadataError> {
        let file = |name: &str| std::fs::read(folder.join(name)).map_err(MetadataError::ontology_file);
        let info: OntologyInfo = serde_json::from_slice(&file(ABOUT)?).map_err(MetadataError::ontology_file)?;
        if info.layout != LAYOUT {
            return Err(MetadataError::ontology_file("it was kept by another version of this program; load it again"));
        }
        let iris = Map::new(file(IRIS)?).map_err(MetadataError::ontology_file)?;
        iris.as_fst().verify().map_err(MetadataError::ontology_file)?;
        let names = Names::from_bytes(file(NAMES)?).map_err(MetadataError::ontology_file)?;
        let heap = Heap::File(File::open(folder.join(TERMS)).map_err(MetadataError::ontology_file)?);
        Ok(Self { info, heap, iris, names })
    }

    /// What the ontology says about itself.
    pub fn info(&self) -> &OntologyInfo {
        &self.info
    }

    /// A term, or an id that was merged into one.
    pub fn term(&self, iri: &TermIri) -> Option<OntologyTerm> {
        self.term_at(self.iris.get(iri.as_str())?)
    }

    /// Whether there is such a term, or an id that was merged into one.
    pub(super) fn knows(&self, iri: &TermIri) -> bool {
        self.iris.contains_key(iri.as_str())
    }

    /// The term whose record begins there.
    pub(super) fn term_at(&self, place: u64) -> Option<OntologyTerm> {
        match self.heap.record(place) {
            Ok(record) => OntologyTerm::read(&record, &self.info.name),
            Err(error) => {
                tracing::error!(ontology = self.info.name, place, %error, "a term cannot be read; load the ontology again");
                None
            }
        }
    }

    /// The first terms whose IRIs begin so.
    pub(super) fn beginning(&self, iri: &str, limit: usize) -> Vec<u64> {
        let mut found = Vec::new();
        let mut stream = self.iris.range().ge(iri).into_stream();
        while let Some((key, place)) = stream.next() {
            if found.len() >= limit || !key.starts_with(iri.as_bytes()) {
                break;
            }
            found.push(place);
        }
        found
    }

    /// All records, sorted by IRI.
    pub(super) fn records(&self) -> Box<dyn Iterator<Item = Result<Record, MetadataError>> + '_> {
        let mut reader: Box<dyn Read> = match &self.heap {
            Heap::Memory(bytes) => Box::new(bytes.as_slice()),
            Heap::File(file) => Box::new(BufReader::with_capacity(256 << 10, FromStart { file, at: 0 })),
        };
        Box::new(std::iter::from_fn(move || next_record(&mut reader).transpose()))
    }

    /// All terms, sorted by IRI.
    ///
    /// # Errors
    /// Items are errors where the files cannot be read.
    pub fn terms(&self) -> impl Iterator<Item = Result<OntologyTerm, MetadataError>> + '_ {
        self.records().filter_map(|record| match record {
            Ok(record) => OntologyTerm::read(&record, &self.info.name).map(Ok),
            Err(error) => Some(Err(error)),
        })
    }
}

/// A file read from its beginning, whatever others do with it.
struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

fn next_record(reader: &mut impl Read) -> Result<Option<Record>, MetadataError> {
    let mut length = [0; 4];
    match reader.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read.map_err(MetadataError::ontology_file)?,
    }
    let mut bytes = vec![0; checked(u32::from_le_bytes(length)).map_err(MetadataError::ontology_file)?];
    reader.read_exact(&mut bytes).map_err(MetadataError::ontology_file)?;
    Ok(Some(Record::from_bytes(bytes)))
}

fn checked(length: u32) -> io::Result<usize> {
    if length > MAX_RECORD { Err(io::Error::other("the file of terms is damaged")) } else { Ok(length as usize) }
}

impl Heap {
    fn record(&self, place: u64) -> io::Result<Record> {
        let file = match self {
            Self::Memory(bytes) => return from_memory(bytes, place).ok_or_else(|| io::Error::other("no record there")),
            Self::File(file) => file,
        };
        // Most records fit into the first read.
        let mut start = [0; 512];
        let read = file.read_at(&mut start, place)?;
        let length = start.first_chunk::<4>().filter(|_| read >= 4).ok_or(io::ErrorKind::UnexpectedEof)?;
        let length = checked(u32::from_le_bytes(*length))?;
        if let Some(bytes) = start.get(4..4 + length).filter(|_| 4 + length <= read) {
            return Ok(Record::from_bytes(bytes.to_vec()));
        }
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, place + 4)?;
        Ok(Record::from_bytes(bytes))
    }
}

fn from_memory(bytes: &[u8], place: u64) -> Option<Record> {
    let (length, rest) = bytes.get(usize::try_from(place).ok()?..)?.split_first_chunk::<4>()?;
    rest.get(..u32::from_le_bytes(*length) as usize).map(|bytes| Record::from_bytes(bytes.to_vec()))
}
