//! What is known of one term, and how it is written down: as the sorted facts that files state about it.

use dataset_model::TermIri;
use serde::Serialize;

/// A kind of fact. The order is that in which facts stand in a record; numbers are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It is a class.
    Class = 1,
    Label = 2,
    Exact = 3,
    Narrow = 4,
    Broad = 5,
    Related = 6,
    Parent = 7,
    Deprecated = 8,
    ReplacedBy = 9,
    Definition = 10,
}

const KINDS: [Kind; 10] = [
    Kind::Class,
    Kind::Label,
    Kind::Exact,
    Kind::Narrow,
    Kind::Broad,
    Kind::Related,
    Kind::Parent,
    Kind::Deprecated,
    Kind::ReplacedBy,
    Kind::Definition,
];

impl Kind {
    pub(super) fn of(byte: u8) -> Option<Self> {
        KINDS.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A term as an ontology describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OntologyTerm {
    /// The term.
    pub iri: TermIri,
    /// Its label; empty where it has none.
    pub label: String,
    /// Its other names.
    pub synonyms: Vec<Synonym>,
    /// What it means.
    pub definition: Option<String>,
    /// Its direct superclasses. An obsolete or merged term has the one that replaces it, so that what was filed under it
    /// is found there.
    pub parents: Vec<TermIri>,
    /// Whether it is obsolete, or was merged into another.
    pub deprecated: bool,
    /// The term to use instead.
    pub replaced_by: Option<TermIri>,
    /// The ontology it is described in, such as `fbbi`.
    pub ontology: String,
}

/// Another name of a term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Synonym {
    /// How its meaning relates to the term's.
    pub scope: SynonymScope,
    /// The name.
    pub name: String,
}

/// How the meaning of a synonym relates to that of its term, as OBO has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are those of OBO")]
pub enum SynonymScope {
    Exact,
    Narrow,
    Broad,
    Related,
}

impl OntologyTerm {
    /// The label and the synonyms.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let label = Some(self.label.as_str()).filter(|label| !label.is_empty());
        label.into_iter().chain(self.synonyms.iter().map(|synonym| synonym.name.as_str()))
    }

    /// Reads a record: the term's IRI and its facts in order.
    pub(super) fn read(record: &Record, ontology: &str) -> Option<Self> {
        let mut term = Self {
            iri: record.iri()?.parse().ok()?,
            label: String::new(),
            synonyms: Vec::new(),
            definition: None,
            parents: Vec::new(),
            deprecated: false,
            replaced_by: None,
            ontology: ontology.to_owned(),
        };
        for (kind, value) in record.facts() {
            let synonym = |scope| Synonym { scope, name: value.to_owned() };
            match kind {
                Kind::Class => {}
                Kind::Label if term.label.is_empty() => value.clone_into(&mut term.label),
                Kind::Label | Kind::Exact => term.synonyms.push(synonym(SynonymScope::Exact)),
                Kind::Narrow => term.synonyms.push(synonym(SynonymScope::Narrow)),
                Kind::Broad => term.synonyms.push(synonym(SynonymScope::Broad)),
                Kind::Related => term.synonyms.push(synonym(SynonymScope::Related)),
                Kind::Parent => term.parents.extend(value.parse::<TermIri>().ok().filter(|parent| *parent != term.iri)),
                Kind::Deprecated => term.deprecated = true,
                Kind::ReplacedBy => term.replaced_by = term.replaced_by.or_else(|| value.parse().ok()),
                Kind::Definition => term.definition = term.definition.or_else(|| Some(value.to_owned())),
            }
        }
        term.settle();
        Some(term)
    }

    /// Lets a term that is not to be used any more stand below the one to use instead.
    fn settle(&mut self) {
        match &self.replaced_by {
            Some(instead) if self.deprecated && *instead != self.iri => self.parents = vec![instead.clone()],
            _ => {}
        }
        let label = &self.label;
        self.synonyms.retain(|synonym| synonym.name != *label);
        self.synonyms.sort();
        self.synonyms.dedup();
    }

    /// Adds what another ontology says about the same term.
    pub(super) fn merge(&mut self, other: Self) {
        if self.label.is_empty() {
            self.label = other.label;
        } else if !other.label.is_empty() {
            self.synonyms.push(Synonym { scope: SynonymScope::Exact, name: other.label });
        }
        self.synonyms.extend(other.synonyms);
        self.parents.extend(other.parents);
        self.parents.sort();
        self.parents.dedup();
        self.definition = self.definition.take().or(other.definition);
        let label = &self.label;
        self.synonyms.retain(|synonym| synonym.name != *label);
        self.synonyms.sort();
        self.synonyms.dedup();
    }
}

/// A term as bytes: length of its IRI, the IRI, then for each fact its kind, the length of its value, and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record(Vec<u8>);

impl Record {
    pub(super) fn new(iri: &str) -> Self {
        let mut record = Self(Vec::with_capacity(128));
        record.write(iri);
        record
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn add(&mut self, kind: Kind, value: &str) {
        self.0.push(kind as u8);
        self.write(value);
    }

    fn write(&mut self, text: &str) {
        // Facts longer than this are refused before they come here.
        let length = u32::try_from(text.len()).unwrap_or(0);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(text.as_bytes().get(..length as usize).unwrap_or_default());
    }

    pub(super) fn iri(&self) -> Option<&str> {
        read_text(&self.0).map(|(iri, _)| iri)
    }

    /// The facts in order; nothing after the first that is damaged.
    pub(super) fn facts(&self) -> impl Iterator<Item = (Kind, &str)> {
        let mut rest = read_text(&self.0).map_or(&[][..], |(_, rest)| rest);
        std::iter::from_fn(move || {
            let (kind, after) = rest.split_first()?;
            let (value, after) = read_text(after)?;
            rest = after;
            Some((Kind::of(*kind)?, value))
        })
    }

    /// Whether it is a term, not something that merely has a label; or an id that was merged into a term.
    pub(super) fn is_term(&self) -> bool {
        self.is_class() || self.facts().any(|(kind, _)| kind == Kind::ReplacedBy)
    }

    pub(super) fn is_class(&self) -> bool {
        self.facts().any(|(kind, _)| matches!(kind, Kind::Class | Kind::Parent))
    }

    /// Whether records that use the term, or descend from it, would be read otherwise: all but the definition is the same.
    pub(super) fn differs_in_use(&self, other: &Self) -> bool {
        let used = |record: &Self| {
            record
                .facts()
                .filter(|(kind, _)| *kind != Kind::Definition)
                .map(|(kind, value)| (kind, value.to_owned()))
                .collect::<Vec<_>>()
        };
        self.0 != other.0 && used(self) != used(other)
    }
}

fn read_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let (text, rest) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}
