//! The syntaxes ontologies come in, told apart by their content.

mod functional;
mod obo;
mod rdf;

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    rc::Rc,
};

use super::{
    OntologyTable,
    build::{Builder, short_name},
};
use crate::MetadataError;

/// Bytes of the beginning that are looked at.
const HEAD: usize = 64 << 10;
/// The longest file, in bytes.
const MAX_BYTES: u64 = 64 << 30;
/// The longest statement, in bytes; parsers keep one in memory.
const MAX_STATEMENT: u64 = 1 << 20;
/// The longest value of an entity that an XML file declares.
const MAX_ENTITY: usize = 256;

/// A syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Obo,
    RdfXml,
    Turtle,
    Functional,
}

impl OntologyTable {
    /// Reads an ontology in OBO, RDF/XML, Turtle, N-Triples or OWL functional syntax while it streams in; which of them is
    /// told from its content. The table is made in `folder`, an existing, empty one, within bounded memory; without a
    /// folder, in memory. `name` is what it shall be called, where not after itself.
    ///
    /// # Errors
    /// When it is in none of these syntaxes, is broken, holds no term, or is larger than any ontology; the folder is then
    /// to be removed.
    pub fn read(reader: impl Read, name: Option<&str>, folder: Option<&Path>) -> Result<Self, MetadataError> {
        if let Some(name) = name.filter(|name| short_name(name) != Some(name.to_lowercase())) {
            return Err(MetadataError::ontology(format!(
                "'{name}' cannot name an ontology: use up to 64 letters, digits and single hyphens"
            )));
        }
        let mut reader = BufReader::with_capacity(HEAD, reader);
        let mut head = Vec::with_capacity(HEAD);
        reader.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(MetadataError::ontology_file)?;
        let format = recognise(&head)?;
        let progress = Rc::new(Progress::default());
        let is_xml = format == Format::RdfXml;
        let guard =
            Guard { inner: io::Cursor::new(head).chain(reader), progress: progress.clone(), is_xml, tail: Vec::new() };
        let input = Input { reader: BufReader::with_capacity(HEAD, guard), progress };
        let mut builder = Builder::new(folder);
        match format {
            Format::Obo => obo::read(input, &mut builder)?,
            Format::RdfXml => rdf::read(input, oxigraph::io::RdfFormat::RdfXml, &mut builder)?,
            Format::Turtle => rdf::read(input, oxigraph::io::RdfFormat::Turtle, &mut builder)?,
            Format::Functional => functional::read(input, &mut builder)?,
        }
        builder.finish(name, format.name())
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Obo => "OBO",
            Self::RdfXml => "RDF/XML",
            Self::Turtle => "Turtle",
            Self::Functional => "OWL functional syntax",
        }
    }
}

/// What a parser reads from; it says whenever a statement is behind it.
struct Input<R: Read> {
    reader: BufReader<Guard<R>>,
    progress: Rc<Progress>,
}

/// How far reading has come.
#[derive(Default)]
struct Progress {
    /// Bytes read since the last statement.
    since: Cell<u64>,
    total: Cell<u64>,
}

impl Progress {
    fn statement(&self) {
        self.since.set(0);
    }
}

/// Refuses what would make a parser's memory grow.
struct Guard<R> {
    inner: R,
    progress: Rc<Progress>,
    is_xml: bool,
    /// The last bytes of what was read before.
    tail: Vec<u8>,
}

const DOCTYPE: &[u8] = b"<!DOCTYPE";

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let (since, total) = (self.progress.since.get() + count as u64, self.progress.total.get() + count as u64);
        self.progress.since.set(since);
        self.progress.total.set(total);
        if since > MAX_STATEMENT + 4 * HEAD as u64 {
            return Err(io::Error::other(format!("a single statement has more than {MAX_STATEMENT} bytes")));
        }
        if total > MAX_BYTES {
            return Err(io::Error::other(format!("the file has more than {MAX_BYTES} bytes")));
        }
        let beyond_head = total - count as u64 >= HEAD as u64;
        if self.is_xml && beyond_head {
            self.tail.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if self.tail.windows(DOCTYPE.len()).any(|window| window.eq_ignore_ascii_case(DOCTYPE)) {
                return Err(io::Error::other("a document type is declared in the middle of the file"));
            }
            self.tail.drain(..self.tail.len().saturating_sub(DOCTYPE.len() - 1));
        }
        Ok(count)
    }
}

/// Tells the syntax from the beginning of a file.
fn recognise(head: &[u8]) -> Result<Format, MetadataError> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    let Some(first) = first else {
        return Err(MetadataError::ontology("it is empty"));
    };
    let starts = |start: &str| first.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    if first.starts_with("<?xml") || first.starts_with("<!") || first.starts_with("<rdf:") || first.starts_with("<owl")
    {
        return xml(text);
    }
    if first.starts_with("Prefix(") || first.starts_with("Ontology(") {
        return Ok(Format::Functional);
    }
    let is_tag = |line: &str| {
        line.split_once(':').is_some_and(|(tag, _)| {
            tag.bytes().all(|b| b.is_ascii_lowercase() || b"-_".contains(&b)) && !tag.is_empty()
        })
    };
    if first == "[Term]"
        || first == "[Typedef]"
        || (text.contains("\n[") || head.len() >= HEAD) && is_tag(first) && !first.contains(": <")
    {
        return Ok(Format::Obo);
    }
    let is_turtle = ["@prefix", "@base", "prefix ", "base ", "<", "_:"].iter().any(|start| starts(start));
    if is_turtle && !starts("prefix:") {
        return Ok(Format::Turtle);
    }
    let shown: String = first.chars().take(40).collect();
    Err(MetadataError::ontology(format!(
        "it begins with '{shown}', which is none of OBO, RDF/XML, Turtle, N-Triples and OWL functional syntax"
    )))
}

/// Looks at the prologue of an XML file: entities must not refer to each other, or be long, for they multiply.
fn xml(head: &str) -> Result<Format, MetadataError> {
    if head.contains("<Ontology") && !head.contains("<rdf:RDF") {
        return Err(MetadataError::ontology("it is OWL/XML: save it as RDF/XML, Turtle, OBO or OWL functional syntax"));
    }
    let Some(start) = head.find("<!DOCTYPE") else { return Ok(Format::RdfXml) };
    let declared = head.get(start..).unwrap_or_default();
    let Some(end) = declared.find("]>").or_else(|| declared.find('>').filter(|at| !declared[..*at].contains('[')))
    else {
        return Err(MetadataError::ontology("its document type has no end near its beginning"));
    };
    for entity in declared.get(..end).unwrap_or_default().split("<!ENTITY").skip(1) {
        if entity.contains('&') || entity.len() > MAX_ENTITY {
            return Err(MetadataError::ontology("it declares XML entities that are long, or made of others"));
        }
    }
    Ok(Format::RdfXml)
}

/// One line without its end, or nothing at the end of the file.
fn line<R: Read>(input: &mut Input<R>, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    input.progress.statement();
    Ok(input.reader.by_ref().take(2 * MAX_STATEMENT).read_until(b'\n', buffer)? > 0)
}

#[cfg(test)]
mod tests;
