//! Making an ontology's table of what a file states, in any order, within bounded memory.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use dataset_model::{Digester, TermIri};
use fst::{Map, MapBuilder};

use super::{
    names::{self, Names},
    sorting::Sorter,
    table::{ABOUT, Heap, IRIS, LAYOUT, NAMES, OntologyInfo, OntologyTable, TERMS},
    term::{Kind, OntologyTerm, Record},
};
use crate::{MetadataError, iri};

/// The most terms one ontology may have.
const MAX_TERMS: u64 = 10_000_000;
/// The most facts that are taken from one file.
const MAX_FACTS: u64 = 400_000_000;
/// Bytes of one fact that are kept; what is longer is cut.
const MAX_FACT: usize = 16 << 10;
/// Prefixes that are counted, to name an ontology after the one most of its terms have.
const MAX_PREFIXES: usize = 1000;

/// Gathers facts.
pub(super) struct Builder {
    folder: Option<PathBuf>,
    facts: Sorter,
    count: u64,
    /// What the file calls itself, such as `http://purl.obolibrary.org/obo/fbbi.owl` or `fbbi`.
    pub(super) itself: Option<String>,
    pub(super) version: Option<String>,
    pub(super) licence: Option<String>,
}

impl Builder {
    /// In a folder, where files are written as soon as memory would grow; or in memory.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            facts: Sorter::new(folder, "facts"),
            count: 0,
            itself: None,
            version: None,
            licence: None,
        }
    }

    /// Takes a fact about a term; facts about things that have no proper IRI are left out.
    pub(super) fn say(&mut self, subject: &str, kind: Kind, value: &str) -> Result<(), MetadataError> {
        if subject.parse::<TermIri>().is_err() {
            return Ok(());
        }
        self.count += 1;
        if self.count > MAX_FACTS {
            return Err(MetadataError::ontology(format!("it states more than {MAX_FACTS} facts about terms")));
        }
        let value = value.get(..value.floor_char_boundary(MAX_FACT)).unwrap_or_default();
        self.facts.push(&[subject.as_bytes(), &[0, kind as u8], value.as_bytes()]).map_err(MetadataError::ontology_file)
    }

    /// Takes an id that was merged into a term.
    pub(super) fn say_merged(&mut self, id: &str, into: &str) -> Result<(), MetadataError> {
        self.say(id, Kind::Deprecated, "")?;
        self.say(id, Kind::ReplacedBy, into)
    }

    /// The table, under the name given, or the one the file gives itself, or that of most of its ids.
    pub(super) fn finish(self, name: Option<&str>, format: &str) -> Result<OntologyTable, MetadataError> {
        let mut pieces = Pieces::new(self.folder.as_deref()).map_err(MetadataError::ontology_file)?;
        let mut open: Option<Record> = None;
        for fact in self.facts.finish().map_err(MetadataError::ontology_file)? {
            let fact = fact.map_err(MetadataError::ontology_file)?;
            let Some((subject, kind, value)) = parts(&fact) else { continue };
            let is_next = open.as_ref().is_none_or(|record| record.iri() != Some(subject));
            if is_next && let Some(record) = open.replace(Record::new(subject)) {
                pieces.take(&record)?;
            }
            if let Some(record) = &mut open {
                record.add(kind, value);
            }
        }
        if let Some(record) = open {
            pieces.take(&record)?;
        }
        if pieces.terms == 0 {
            return Err(MetadataError::ontology("there is no term in it"));
        }
        let prefix = pieces.prefix();
        let given = name.map(str::to_lowercase).or_else(|| self.itself.as_deref().and_then(short_name));
        let Some(name) = given.or_else(|| prefix.as_deref().and_then(short_name)) else {
            return Err(MetadataError::ontology("it does not say its name: give it one"));
        };
        let info = OntologyInfo {
            name,
            iri: self.itself.filter(|iri| iri.contains(':')),
            version: self.version,
            licence: self.licence,
            terms: pieces.terms,
            merged: pieces.merged,
            synonyms: pieces.synonyms,
            prefix,
            format: format.to_owned(),
            digest: pieces.digest.clone().finish(),
            layout: LAYOUT,
        };
        pieces.finish(info)
    }
}

fn parts(fact: &[u8]) -> Option<(&str, Kind, &str)> {
    let at = fact.iter().position(|byte| *byte == 0)?;
    let (subject, rest) = fact.split_at_checked(at)?;
    let (kind, value) = rest.get(1..)?.split_first()?;
    Some((std::str::from_utf8(subject).ok()?, Kind::of(*kind)?, std::str::from_utf8(value).ok()?))
}

/// The files of a table while they grow.
struct Pieces {
    folder: Option<PathBuf>,
    heap: Growing,
    length: u64,
    iris: MapBuilder<Vec<u8>>,
    names: Sorter,
    digest: Digester,
    terms: u64,
    merged: u64,
    synonyms: u64,
    prefixes: HashMap<String, u64>,
}

enum Growing {
    Memory(Vec<u8>),
    File(BufWriter<File>),
}

impl Pieces {
    fn new(folder: Option<&Path>) -> io::Result<Self> {
        let heap = match folder {
            None => Growing::Memory(Vec::new()),
            Some(folder) => {
                let file =
                    File::options().read(true).write(true).create(true).truncate(true).open(folder.join(TERMS))?;
                Growing::File(BufWriter::with_capacity(256 << 10, file))
            }
        };
        Ok(Self {
            heap,
            folder: folder.map(Path::to_owned),
            length: 0,
            iris: MapBuilder::memory(),
            names: Sorter::new(folder, "names"),
            digest: Digester::default(),
            terms: 0,
            merged: 0,
            synonyms: 0,
            prefixes: HashMap::new(),
        })
    }

    fn take(&mut self, record: &Record) -> Result<(), MetadataError> {
        let Some(term) = OntologyTerm::read(record, "").filter(|_| record.is_term()) else { return Ok(()) };
        if record.is_class() {
            self.terms += 1;
            self.count_prefix(&term.iri);
        } else {
            self.merged += 1;
        }
        if self.terms + self.merged > MAX_TERMS {
            return Err(MetadataError::ontology(format!("it has more than {MAX_TERMS} terms")));
        }
        self.synonyms += term.synonyms.len() as u64;
        let place = self.length;
        self.append(record).map_err(MetadataError::ontology_file)?;
        self.iris.insert(term.iri.as_str(), place).map_err(MetadataError::ontology_file)?;
        for (key, role) in names::keys(&term).into_iter().filter(|_| !term.deprecated) {
            self.names.push(&[&names::entry(&key, role, place)]).map_err(MetadataError::ontology_file)?;
        }
        Ok(())
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        let bytes = framed(record)?;
        self.digest.update(&bytes);
        self.length += bytes.len() as u64;
        match &mut self.heap {
            Growing::Memory(heap) => heap.extend_from_slice(&bytes),
            Growing::File(file) => file.write_all(&bytes)?,
        }
        Ok(())
    }

    fn count_prefix(&mut self, iri: &TermIri) {
        let Some((prefix, _)) = iri.as_str().strip_prefix(iri::OBO).and_then(|local| local.split_once('_')) else {
            return;
        };
        let has_room = self.prefixes.len() < MAX_PREFIXES;
        match self.prefixes.get_mut(prefix) {
            Some(count) => *count += 1,
            None if has_room => drop(self.prefixes.insert(prefix.to_owned(), 1)),
            None => {}
        }
    }

    fn prefix(&self) -> Option<String> {
        self.prefixes.iter().max_by_key(|(prefix, count)| (**count, *prefix)).map(|(prefix, _)| prefix.clone())
    }

    fn finish(self, info: OntologyInfo) -> Result<OntologyTable, MetadataError> {
        let sorted = self.names.finish().map_err(MetadataError::ontology_file)?;
        let names = Names::of(sorted).map_err(MetadataError::ontology_file)?;
        let iris = self.iris.into_inner().and_then(Map::new).map_err(MetadataError::ontology_file)?;
        let heap = match self.heap {
            Growing::Memory(heap) => Heap::Memory(heap),
            Growing::File(file) => {
                let file = file.into_inner().map_err(|error| MetadataError::ontology_file(error.into_error()))?;
                file.sync_all().map_err(MetadataError::ontology_file)?;
                Heap::File(file)
            }
        };
        let table = OntologyTable { info, heap, iris, names };
        if let Some(folder) = &self.folder {
            table.write_indexes(folder).map_err(MetadataError::ontology_file)?;
        }
        Ok(table)
    }
}

impl OntologyTable {
    /// Writes the ontology down in an empty folder, for [`OntologyTable::open`].
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), MetadataError> {
        let heap = File::create(folder.join(TERMS)).map_err(MetadataError::ontology_file)?;
        let mut heap = BufWriter::new(heap);
        for record in self.records() {
            framed(&record?).and_then(|bytes| heap.write_all(&bytes)).map_err(MetadataError::ontology_file)?;
        }
        let heap = heap.into_inner().map_err(|error| MetadataError::ontology_file(error.into_error()))?;
        heap.sync_all().and_then(|()| self.write_indexes(folder)).map_err(MetadataError::ontology_file)
    }

    fn write_indexes(&self, folder: &Path) -> io::Result<()> {
        let about = serde_json::to_vec_pretty(&self.info)?;
        for (name, bytes) in [(IRIS, self.iris.as_fst().as_bytes()), (NAMES, self.names.bytes()), (ABOUT, &about)] {
            let mut file = File::create(folder.join(name))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        File::open(folder)?.sync_all()
    }
}

/// A record with its length before it.
fn framed(record: &Record) -> io::Result<Vec<u8>> {
    let length = u32::try_from(record.bytes().len()).map_err(io::Error::other)?;
    Ok([&length.to_le_bytes(), record.bytes()].concat())
}

/// A short name made of what an ontology calls itself: `http://purl.obolibrary.org/obo/fbbi.owl` is `fbbi`.
pub(super) fn short_name(itself: &str) -> Option<String> {
    let path = itself.strip_prefix(iri::OBO).unwrap_or(itself).trim_end_matches(['/', '#']);
    let path = if path.contains("://") { path.rsplit(['/', '#']).next().unwrap_or(path) } else { path };
    let path =
        [".owl", ".obo", ".ttl", ".ofn", ".rdf"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    let mut name = String::new();
    for character in path.chars().flat_map(char::to_lowercase).take(64) {
        if character.is_ascii_alphanumeric() {
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ontologies_have_short_names() {
        for (itself, name) in [
            ("http://purl.obolibrary.org/obo/fbbi.owl", Some("fbbi")),
            ("http://purl.obolibrary.org/obo/uberon/subsets/efo-slim.owl", Some("uberon-subsets-efo-slim")),
            ("uberon/subsets/efo-slim", Some("uberon-subsets-efo-slim")),
            ("NCBITaxon", Some("ncbitaxon")),
            ("http://edamontology.org/EDAM-bioimaging", Some("edam-bioimaging")),
            ("../../etc", Some("etc")),
            ("://", None),
        ] {
            assert_eq!(short_name(itself).as_deref(), name, "{itself}");
        }
    }
}
