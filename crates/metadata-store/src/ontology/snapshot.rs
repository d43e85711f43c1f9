//! All ontologies at one moment, read as one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use dataset_model::TermIri;

use super::{
    names::{Found, Role},
    table::OntologyTable,
    term::OntologyTerm,
};
use crate::iri;

/// Terms that are kept in memory after they were looked up.
const MAX_KEPT: usize = 20_000;

/// What the ontologies say, together. Where several describe a term, superclasses and synonyms of all of them count, and
/// its label is that of the ontology it belongs to.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    tables: Vec<Arc<OntologyTable>>,
    kept: Mutex<HashMap<TermIri, Option<Arc<OntologyTerm>>>>,
}

impl Snapshot {
    pub(super) fn of(mut tables: Vec<Arc<OntologyTable>>) -> Self {
        tables.sort_by(|a, b| a.info().name.cmp(&b.info().name));
        Self { tables, kept: Mutex::default() }
    }

    /// The same with one ontology replaced or added, and the one that was replaced.
    pub(super) fn with(&self, table: Arc<OntologyTable>) -> (Self, Option<Arc<OntologyTable>>) {
        let mut tables = self.tables.clone();
        let at = tables.iter().position(|known| known.info().name == table.info().name);
        let before = at.map(|at| tables.swap_remove(at));
        tables.push(table);
        (Self::of(tables), before)
    }

    pub(super) fn tables(&self) -> &[Arc<OntologyTable>] {
        &self.tables
    }

    pub(super) fn contains(&self, iri: &TermIri) -> bool {
        self.tables.iter().any(|table| table.knows(iri))
    }

    pub(super) fn term(&self, iri: &TermIri) -> Option<Arc<OntologyTerm>> {
        if let Some(known) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(iri) {
            return known.clone();
        }
        let found = self.read(iri).map(Arc::new);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(iri.clone(), found.clone());
        found
    }

    fn read(&self, iri: &TermIri) -> Option<OntologyTerm> {
        let home = iri.as_str().strip_prefix(iri::OBO).and_then(|local| local.split_once('_'));
        let home = home.map(|(prefix, _)| prefix.to_lowercase()).unwrap_or_default();
        let (at_home, elsewhere): (Vec<_>, Vec<_>) = self.tables.iter().partition(|table| table.info().name == home);
        let mut terms = at_home.into_iter().chain(elsewhere).filter_map(|table| table.term(iri));
        let mut term = terms.next()?;
        terms.for_each(|other| term.merge(other));
        Some(term)
    }

    pub(super) fn ancestors_or_self(&self, term: &TermIri) -> Vec<TermIri> {
        let mut found = BTreeSet::new();
        let mut open = vec![term.clone()];
        while let Some(next) = open.pop() {
            if let Some(known) = self.term(&next).filter(|_| !found.contains(&next)) {
                open.extend(known.parents.iter().cloned());
            }
            found.insert(next);
        }
        found.into_iter().collect()
    }

    pub(super) fn resolve(&self, text: &str) -> Vec<TermIri> {
        if let Some(iri) = iri::term(text) {
            // A merged id is a stub without a name of its own.
            let merged = self.term(&iri).filter(|term| term.deprecated && term.label.is_empty());
            return vec![merged.and_then(|term| term.replaced_by.clone()).unwrap_or(iri)];
        }
        let mut found: Vec<(Role, TermIri)> = Vec::new();
        for table in &self.tables {
            found.extend(table.names.exact(text).iter().filter_map(|found| table.iri_of(found)));
        }
        let best = found.iter().map(|(role, _)| *role).min();
        let mut terms: Vec<TermIri> =
            found.into_iter().filter(|(role, _)| Some(*role) == best).map(|(_, iri)| iri).collect();
        terms.sort();
        terms.dedup();
        terms
    }
}

impl OntologyTable {
    fn iri_of(&self, found: &Found) -> Option<(Role, TermIri)> {
        self.term_at(found.place).map(|term| (found.role, term.iri))
    }
}
