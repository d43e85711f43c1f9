//! What an ontology's new edition changes.

use std::cmp::Ordering;

use super::{
    table::OntologyTable,
    term::{OntologyTerm, Record},
};
use crate::MetadataError;

/// A term in two editions; it is missing in one, or differs.
pub(crate) struct Changed {
    pub(super) old: Option<Record>,
    pub(super) new: Option<Record>,
}

impl Changed {
    /// The IRI of the term.
    pub(crate) fn iri(&self) -> &str {
        self.new.as_ref().or(self.old.as_ref()).and_then(Record::iri).unwrap_or_default()
    }

    /// Whether the term was not there before.
    pub(crate) fn is_new(&self) -> bool {
        self.old.is_none()
    }

    /// The term as it was, of the ontology with this name.
    pub(crate) fn old_term(&self, ontology: &str) -> Option<OntologyTerm> {
        OntologyTerm::read(self.old.as_ref()?, ontology)
    }

    /// The term as it is, of the ontology with this name.
    pub(crate) fn new_term(&self, ontology: &str) -> Option<OntologyTerm> {
        OntologyTerm::read(self.new.as_ref()?, ontology)
    }

    /// Whether records that use it, or descend from it, are to be read again.
    pub(crate) fn matters_to_records(&self) -> bool {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => new.differs_in_use(old),
            _ => true,
        }
    }
}

/// Runs through two editions side by side, which are both sorted, and gives what differs; `None` stands for an edition
/// without any term.
pub(crate) fn changes<'a>(
    old: Option<&'a OntologyTable>,
    new: Option<&'a OntologyTable>,
) -> impl Iterator<Item = Result<Changed, MetadataError>> + 'a {
    let mut old = old.into_iter().flat_map(OntologyTable::records).peekable();
    let mut new = new.into_iter().flat_map(OntologyTable::records).peekable();
    std::iter::from_fn(move || {
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return None,
                (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
                (_, Some(Err(_))) | (None, Some(_)) => Ordering::Greater,
                (Some(Ok(old)), Some(Ok(new))) => old.iri().cmp(&new.iri()),
            };
            let left = if order.is_le() { old.next().transpose() } else { Ok(None) };
            let right = if order.is_ge() { new.next().transpose() } else { Ok(None) };
            match (left, right) {
                (Err(error), _) | (_, Err(error)) => return Some(Err(error)),
                (Ok(old), Ok(new)) if old == new => {}
                (Ok(old), Ok(new)) => return Some(Ok(Changed { old, new })),
            }
        }
    })
}

/// How many terms an edition changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differences {
    /// Terms that were not there.
    pub added: u64,
    /// Terms that are described otherwise.
    pub changed: u64,
    /// Terms that are no longer there.
    pub removed: u64,
}

impl OntologyTable {
    /// Counts what this edition changes of the one before.
    ///
    /// # Errors
    /// When an edition cannot be read.
    pub fn compare(&self, before: Option<&Self>) -> Result<Differences, MetadataError> {
        let mut count = Differences::default();
        for change in changes(before, Some(self)) {
            let change = change?;
            let kind = match (&change.old, &change.new) {
                (None, _) => &mut count.added,
                (_, None) => &mut count.removed,
                _ => &mut count.changed,
            };
            *kind += 1;
        }
        Ok(count)
    }
}
