//! Finding terms by what people call them, as one types, and in spite of slips.

use std::sync::OnceLock;

use fst::{Automaton, IntoStreamer, Map, MapBuilder, Streamer};
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};

use super::{
    sorting::Sorted,
    term::{OntologyTerm, SynonymScope},
};

/// Bytes of a name that are looked at.
const MAX_KEY: usize = 160;
/// Words within a name that it can be found by, after the first.
const MAX_WORDS: usize = 5;
/// Terms kept for one key; what a whole name says comes before what a word within says.
const MAX_SAME: u16 = 1000;
/// Letters of a typed text that slips are looked for in.
const MAX_SLIPPED: usize = 40;

/// What a key of the index is of its term; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Label,
    Exact,
    Other,
    WordOfLabel,
    WordOfSynonym,
}

const ROLES: [Role; 5] = [Role::Label, Role::Exact, Role::Other, Role::WordOfLabel, Role::WordOfSynonym];

/// How many bits of an index value say the role.
const ROLE_BITS: u32 = 3;

/// Something found: where its term is, as given when the index was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: u64,
    pub(super) role: Role,
    /// Slips between what was typed and the beginning of the name.
    pub(super) slips: u8,
    /// Whether what was typed is the whole key, not its beginning.
    pub(super) whole: bool,
    /// Bytes of the key.
    pub(super) length: usize,
}

/// One spelling for names that differ in case, blanks, hyphens and other punctuation.
pub(super) fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            if key.len() + character.len_utf8() > MAX_KEY {
                break;
            }
            key.push(character);
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// One spelling for names that differ in case, blanks, hyphens and other punctuation, without any blanks.
pub(super) fn loose(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The keys a term is found by.
pub(super) fn keys(term: &OntologyTerm) -> Vec<(String, Role)> {
    let mut keys = Vec::new();
    let label = (term.label.as_str(), Role::Label, Role::WordOfLabel);
    let synonyms = term.synonyms.iter().map(|synonym| {
        let role = if synonym.scope == SynonymScope::Exact { Role::Exact } else { Role::Other };
        (synonym.name.as_str(), role, Role::WordOfSynonym)
    });
    for (name, whole, within) in std::iter::once(label).chain(synonyms) {
        let key = key(name);
        let words = key.match_indices(' ').map(|(at, _)| key.get(at + 1..).unwrap_or_default());
        let words: Vec<String> = words.filter(|word| word.len() > 2).take(MAX_WORDS).map(str::to_owned).collect();
        keys.extend(words.into_iter().map(|word| (word, within)));
        keys.push((key, whole));
    }
    keys.retain(|(key, _)| !key.is_empty());
    keys.sort();
    keys.dedup_by(|a, b| a.0 == b.0);
    keys
}

/// The bytes by which a key sorts in a [`Sorter`](super::sorting::Sorter).
pub(super) fn entry(key: &str, role: Role, place: u64) -> Vec<u8> {
    let mut entry = Vec::with_capacity(key.len() + 10);
    entry.extend_from_slice(key.as_bytes());
    entry.push(0);
    entry.push(role as u8);
    entry.extend_from_slice(&place.to_be_bytes());
    entry
}

/// Keys in order, each with the place of a term and its role. A key that several terms have is followed by a zero and a
/// number for all but the first.
#[derive(Debug, Default)]
pub(super) struct Names(Map<Vec<u8>>);

impl Names {
    /// An index of sorted [`entry`]s.
    pub(super) fn of(sorted: Sorted) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut builder = MapBuilder::memory();
        let (mut last, mut same): (Vec<u8>, u16) = (Vec::new(), 0);
        for entry in sorted {
            let entry = entry?;
            let Some((key, tail)) = entry.len().checked_sub(10).and_then(|at| entry.split_at_checked(at)) else {
                continue;
            };
            let (Some(role), Ok(place)) = (tail.get(1), tail.get(2..).unwrap_or_default().try_into()) else { continue };
            let value = u64::from_be_bytes(place) << ROLE_BITS | u64::from(*role);
            if last == key {
                same += 1;
                if same < MAX_SAME {
                    builder.insert([key, &[0], &same.to_be_bytes()].concat(), value)?;
                }
            } else {
                (last, same) = (key.to_vec(), 0);
                builder.insert(key, value)?;
            }
        }
        Ok(Self(Map::new(builder.into_inner()?)?))
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> fst::Result<Self> {
        let map = Map::new(bytes)?;
        map.as_fst().verify()?;
        Ok(Self(map))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_fst().as_bytes()
    }

    /// Terms with exactly this name.
    pub(super) fn exact(&self, name: &str) -> Vec<Found> {
        let key = key(name);
        let found = self.beginning(&key, usize::from(MAX_SAME));
        found.into_iter().take_while(|found| found.whole).filter(|found| found.role <= Role::Other).collect()
    }

    /// The first names, or parts of names, that begin with a key.
    pub(super) fn beginning(&self, key: &str, limit: usize) -> Vec<Found> {
        let mut found = Vec::new();
        if key.is_empty() {
            return found;
        }
        let mut stream = self.0.range().ge(key).into_stream();
        while let Some((name, value)) = stream.next() {
            let Some(rest) = name.strip_prefix(key.as_bytes()).filter(|_| found.len() < limit) else { break };
            found.push(read(value, 0, rest.first().is_none_or(|byte| *byte == 0), name.len()));
        }
        found
    }

    /// The first names, or parts of names, whose beginning differs from the key by at most so many slips: a letter wrong,
    /// missing or too many, or two letters swapped.
    pub(super) fn similar(&self, key: &str, slips: u8, limit: usize) -> Vec<Found> {
        let mut found = Vec::new();
        if key.is_empty() || key.chars().count() > MAX_SLIPPED {
            return found;
        }
        let (begun, whole) = (begun(key, slips), whole(key, slips));
        let automaton = Slipped(&begun);
        let mut stream = self.0.search(&automaton).into_stream();
        while let Some((name, value)) = stream.next().filter(|_| found.len() < limit) {
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            if let Distance::Exact(distance) = begun.eval(name) {
                found.push(read(value, distance, matches!(whole.eval(name), Distance::Exact(_)), name.len()));
            }
        }
        found
    }
}

fn read(value: u64, slips: u8, whole: bool, length: usize) -> Found {
    let role = ROLES.get((value & ((1 << ROLE_BITS) - 1)) as usize).copied().unwrap_or(Role::WordOfSynonym);
    Found { place: value >> ROLE_BITS, role, slips, whole, length }
}

/// The tables of the automata, which take a while to make.
fn builder(slips: u8) -> &'static LevenshteinAutomatonBuilder {
    static ONE: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    static TWO: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    match slips {
        0 | 1 => ONE.get_or_init(|| LevenshteinAutomatonBuilder::new(1, true)),
        _ => TWO.get_or_init(|| LevenshteinAutomatonBuilder::new(2, true)),
    }
}

fn begun(key: &str, slips: u8) -> DFA {
    builder(slips).build_prefix_dfa(key)
}

fn whole(key: &str, slips: u8) -> DFA {
    builder(slips).build_dfa(key)
}

/// An automaton of one crate as the other knows it.
struct Slipped<'a>(&'a DFA);

impl Automaton for Slipped<'_> {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

/// The singular that an English plural may come from.
pub(super) fn singular(key: &str) -> Option<String> {
    let stem = |ending: &str| key.strip_suffix(ending).filter(|stem| stem.len() > 2);
    if let Some(stem) = stem("ies") {
        return Some(format!("{stem}y"));
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if key.ends_with(ending) {
            return stem("es").map(str::to_owned);
        }
    }
    stem("s").filter(|stem| !stem.ends_with(['s', 'u', 'i'])).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{super::sorting::Sorter, *};

    fn index(names: &[&str]) -> Names {
        let mut sorter = Sorter::new(None, "names");
        for (place, name) in (0..).zip(names) {
            let term = OntologyTerm {
                iri: format!("urn:x:{place}").parse().unwrap(),
                label: (*name).to_owned(),
                synonyms: Vec::new(),
                definition: None,
                parents: Vec::new(),
                deprecated: false,
                replaced_by: None,
                ontology: String::new(),
            };
            for (key, role) in keys(&term) {
                sorter.push(&[&entry(&key, role, place)]).unwrap();
            }
        }
        Names::of(sorter.finish().unwrap()).unwrap()
    }

    fn places(found: Vec<Found>) -> Vec<u64> {
        let mut places: Vec<u64> = found.into_iter().map(|found| found.place).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    #[test]
    fn names_are_found_by_their_beginning_by_a_word_within_and_whole() {
        let names = index(&["Mus musculus", "Mus", "Musa", "light-sheet microscopy", "Light  sheet microscopy"]);
        assert_eq!(places(names.beginning("mus", 100)), [0, 1, 2]);
        assert_eq!(places(names.beginning("muscu", 100)), [0]);
        assert_eq!(places(names.beginning("sheet", 100)), [3, 4]);
        assert_eq!(places(names.exact("mus")), [1]);
        assert_eq!(places(names.exact("LIGHT sheet (microscopy)")), [3, 4]);
        assert!(names.exact("sheet microscopy").is_empty(), "a word is no name");
        assert!(names.exact("").is_empty() && names.beginning("", 10).is_empty());
    }

    #[test]
    fn slips_of_one_and_two_letters_are_forgiven() {
        let names = index(&["confocal microscopy", "Drosophila melanogaster", "Danio rerio"]);
        for (typed, slips, place) in [
            ("confcal", 1, 0),
            ("cnofocal", 1, 0),
            ("mircoscopy", 1, 0),
            ("drosphila melanogster", 2, 1),
            ("dainoo", 2, 2),
        ] {
            assert_eq!(places(names.similar(typed, slips, 100)), [place], "{typed}");
        }
        assert!(names.similar("confcal", 1, 100).iter().all(|found| found.slips == 1));
        assert!(names.similar("qqqqqq", 2, 100).is_empty());
        assert!(names.similar(&"long ".repeat(40), 2, 100).is_empty());
    }

    #[test]
    fn many_terms_may_have_one_name() {
        let names = index(&["cell"; 300]);
        assert_eq!(names.exact("Cell").len(), 300);
        assert!(names.beginning("cell", 5).len() <= 5);
    }

    #[test]
    fn plurals_lead_to_their_singular() {
        for (plural, singular_form) in
            [("antibodies", "antibody"), ("cells", "cell"), ("boxes", "box"), ("mitosis", "mitosis")]
        {
            let expected = Some(singular_form.to_owned()).filter(|form| form != plural);
            assert_eq!(singular(plural), expected, "{plural}");
        }
        assert_eq!(singular("mus"), None);
    }
}
