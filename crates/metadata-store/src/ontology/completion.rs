//! Completing what somebody types: which terms, in which order.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use dataset_model::TermIri;

use super::{
    Ontology,
    names::{self, Found, Names, Role},
    snapshot::Snapshot,
    sorting::Sorter,
    term::OntologyTerm,
};
use crate::iri;

/// Names that are looked at for one beginning, in the whole of an ontology.
const MAX_LOOKED_AT: usize = 2000;
/// Terms of an ontology that are read for one beginning: those with the best and shortest names.
const MAX_READ: usize = 60;
/// Names of terms in use that are looked at; these are few, and all of them are worth it.
const MAX_LOOKED_AT_IN_USE: usize = 5000;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Completion<'a> {
    /// What was typed.
    pub typed: &'a str,
    /// Only terms of the ontology with this name, or whose ids begin with it.
    pub ontology: Option<&'a str>,
    /// The most terms to give.
    pub limit: usize,
    /// Terms that are in use, and come first.
    pub first: Option<&'a Shortlist>,
}

/// A term found.
#[derive(Debug, Clone)]
pub struct TermMatch {
    /// The term.
    pub term: Arc<OntologyTerm>,
    /// The name, or the id, that what was typed stands for.
    pub matched: String,
    /// How many records use it, or a term below it.
    pub count: u64,
}

/// Terms in use with their counts, to be looked through before whole ontologies.
#[derive(Debug)]
pub struct Shortlist {
    names: Names,
    terms: Vec<Arc<OntologyTerm>>,
    counts: HashMap<TermIri, u64>,
}

/// How well a term fits; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Its id, or a whole name.
    Whole(Role),
    /// A name begins so, or has a word that does.
    Begun,
    /// So many slips away.
    Slips(u8),
}

struct Candidate {
    term: Arc<OntologyTerm>,
    fit: Fit,
    role: Role,
    matched: String,
}

impl Ontology {
    /// Terms for what somebody types, best first: by id or whole name; then by the beginning of a name or of a word in one;
    /// then with one or two slips of the finger. Among equals those come first that more records use.
    pub fn completions(&self, asked: &Completion<'_>) -> Vec<TermMatch> {
        let snapshot = self.snapshot();
        let mut search = Search { snapshot: &snapshot, asked, key: names::key(asked.typed), found: HashMap::new() };
        search.by_id();
        search.by_name();
        search.ranked()
    }

    /// A shortlist of the terms in use, from how many records use each, or a term below it.
    pub fn shortlist(&self, counts: HashMap<TermIri, u64>) -> Shortlist {
        let snapshot = self.snapshot();
        let terms: Vec<Arc<OntologyTerm>> = counts.keys().filter_map(|iri| snapshot.term(iri)).collect();
        let mut sorter = Sorter::new(None, "names");
        for (place, term) in (0..).zip(&terms).filter(|(_, term)| !term.deprecated) {
            for (key, role) in names::keys(term) {
                // In memory, nothing can fail.
                let _ = sorter.push(&[&names::entry(&key, role, place)]);
            }
        }
        let names = sorter.finish().map_err(Into::into).and_then(Names::of).unwrap_or_else(|error| {
            tracing::error!(%error, "the names of the terms in use cannot be indexed");
            Names::default()
        });
        Shortlist { names, terms, counts }
    }
}

impl Shortlist {
    /// How many records use a term, or a term below it.
    pub fn count(&self, term: &TermIri) -> u64 {
        self.counts.get(term).copied().unwrap_or(0)
    }
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    asked: &'a Completion<'a>,
    key: String,
    found: HashMap<TermIri, Candidate>,
}

impl Search<'_> {
    fn by_id(&mut self) {
        let typed = self.asked.typed.trim();
        let mut exact: Vec<TermIri> = iri::term(typed).into_iter().collect();
        let is_number = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
        let prefixes =
            self.snapshot.tables().iter().filter_map(|table| table.info().prefix.as_deref()).filter(|_| is_number);
        exact.extend(prefixes.filter_map(|prefix| iri::term(&format!("{prefix}:{typed}"))));
        for iri in exact {
            if let Some(term) = self.snapshot.term(&iri) {
                let matched = iri.curie();
                self.take(term, Fit::Whole(Role::Label), Role::Label, Some(matched));
            }
        }
        let Some(begun) = iri::begun_term(typed) else { return };
        for table in self.snapshot.tables() {
            for place in table.beginning(&begun, MAX_READ.max(self.asked.limit)) {
                if let Some(term) = table.term_at(place).and_then(|term| self.snapshot.term(&term.iri)) {
                    let matched = term.iri.curie();
                    self.take(term, Fit::Begun, Role::Label, Some(matched));
                }
            }
        }
    }

    fn by_name(&mut self) {
        let key = self.key.clone();
        self.names_with(&key, |names, key, limit| names.beginning(key, limit));
        if let Some(singular) = names::singular(&key) {
            self.names_with(&singular, |names, key, limit| {
                names.beginning(key, limit).into_iter().map(|found| Found { slips: 1, ..found }).collect()
            });
        }
        let letters = key.chars().count();
        for (slips, from) in [(1, 4), (2, 7)] {
            if letters >= from && self.found.len() < self.asked.limit {
                self.names_with(&key, |names, key, limit| names.similar(key, slips, limit));
            }
        }
    }

    fn names_with(&mut self, key: &str, look: impl Fn(&Names, &str, usize) -> Vec<Found>) {
        if let Some(first) = self.asked.first {
            for found in look(&first.names, key, MAX_LOOKED_AT_IN_USE) {
                let term = usize::try_from(found.place).ok().and_then(|at| first.terms.get(at));
                if let Some(term) = term.cloned() {
                    self.take_found(term, &found);
                }
            }
        }
        let tables = self.snapshot.tables();
        let asked_for = self
            .asked
            .ontology
            .and_then(|wanted| tables.iter().position(|table| table.info().name.eq_ignore_ascii_case(wanted)));
        for (_, table) in tables.iter().enumerate().filter(|(at, _)| asked_for.is_none_or(|wanted| wanted == *at)) {
            let mut found = look(&table.names, key, MAX_LOOKED_AT);
            found.sort_by_key(|found| (found.slips, !found.whole, found.role, found.length));
            let mut seen = HashSet::new();
            found.retain(|found| seen.insert(found.place));
            for found in found.into_iter().take(MAX_READ.max(self.asked.limit)) {
                if let Some(term) = table.term_at(found.place).and_then(|term| self.snapshot.term(&term.iri)) {
                    self.take_found(term, &found);
                }
            }
        }
    }

    fn take_found(&mut self, term: Arc<OntologyTerm>, found: &Found) {
        let is_name = found.role <= Role::Other;
        let fit = match found.slips {
            0 if found.whole && is_name => Fit::Whole(found.role),
            0 => Fit::Begun,
            slips => Fit::Slips(slips),
        };
        self.take(term, fit, found.role, None);
    }

    fn take(&mut self, term: Arc<OntologyTerm>, fit: Fit, role: Role, matched: Option<String>) {
        if let Some(ontology) = self.asked.ontology {
            let curie = term.iri.curie().to_lowercase();
            let wanted = ontology.to_lowercase();
            let of_prefix = curie.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with(':'));
            if !of_prefix && term.ontology != wanted {
                return;
            }
        }
        let better = |known: &Candidate| (fit, role) < (known.fit, known.role);
        if self.found.get(&term.iri).is_none_or(better) {
            let matched = matched.unwrap_or_default();
            self.found.insert(term.iri.clone(), Candidate { term, fit, role, matched });
        }
    }

    fn ranked(self) -> Vec<TermMatch> {
        let count = |term: &OntologyTerm| self.asked.first.map_or(0, |first| first.count(&term.iri));
        let mut found: Vec<(u64, Candidate)> =
            self.found.into_values().map(|found| (count(&found.term), found)).collect();
        found.sort_by_cached_key(|(count, found)| {
            let name = &found.term.label;
            (found.fit, Reverse(*count), found.role, name.len(), name.clone(), found.term.iri.clone())
        });
        found.truncate(self.asked.limit);
        let key = &self.key;
        let row = |(count, found): (u64, Candidate)| {
            let matched = if found.matched.is_empty() { matched(&found.term, key, found.role) } else { found.matched };
            TermMatch { term: found.term, matched, count }
        };
        found.into_iter().map(row).collect()
    }
}

/// The name of a term that what was typed stands for: the one that shares the longest beginning with it, its label first.
fn matched(term: &OntologyTerm, typed: &str, role: Role) -> String {
    let shared = |name: &str| {
        let key = names::key(name);
        let starts = std::iter::once(0).chain(key.match_indices(' ').map(|(at, _)| at + 1));
        let common = |start: usize| {
            key.get(start..).unwrap_or_default().bytes().zip(typed.bytes()).take_while(|(a, b)| a == b).count()
        };
        starts.map(common).max().unwrap_or(0)
    };
    let is_label = matches!(role, Role::Label | Role::WordOfLabel);
    let names = term.names().skip(usize::from(!is_label && !term.label.is_empty()));
    let best = names.map(|name| (shared(name), name)).reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map_or_else(|| term.label.clone(), |(_, name)| name.to_owned())
}
