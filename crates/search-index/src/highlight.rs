use std::collections::HashSet;
use std::ops::Range;

use dataset_model::{Term, TermIri};
use tantivy::tokenizer::{TextAnalyzer, Token};

use crate::analysis::{Form, Side, analyzer, picking_analyzer, tokens};
use crate::picking::Picking;
use crate::schema::one_spelling;
use crate::text_query::{Asked, Named, Sequence, TextQuery};
use crate::{Fragment, Highlight, Query, SearchDocument, Vocabulary};

/// At most this many pieces of a description.
const MAX_FRAGMENTS: usize = 3;
/// Length of a piece of a description, in bytes.
const FRAGMENT_BYTES: usize = 240;
/// How much of a piece comes before its first mark, in bytes.
const LEAD_BYTES: usize = 60;
/// At most this many names say why a record matched.
const MAX_VIA: usize = 8;

/// Finds the words of a query in the texts of its hits.
pub(crate) struct Highlighter<'a> {
    stemmed: TextAnalyzer,
    plain: TextAnalyzer,
    text: &'a TextQuery,
    vocabulary: &'a dyn Vocabulary,
    wanted: Vec<Sequence>,
    beginnings: Vec<String>,
}

impl<'a> Highlighter<'a> {
    pub(crate) fn new(text: &'a TextQuery, vocabulary: &'a dyn Vocabulary) -> Self {
        let mut wanted: Vec<Sequence> = text.wanted().flat_map(Asked::sequences).cloned().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let words = wanted.iter().flatten().map(|(_, word)| word.as_str());
        Self {
            stemmed: picking_analyzer(Picking::like(words)),
            plain: analyzer(Form::Plain, Side::Record),
            text,
            vocabulary,
            wanted,
            beginnings: text.beginnings().map(str::to_owned).collect(),
        }
    }

    /// The places in title, description and keywords where the words are.
    pub(crate) fn highlights(&mut self, document: &SearchDocument) -> Vec<Highlight> {
        if self.wanted.is_empty() && self.beginnings.is_empty() {
            return Vec::new();
        }
        let title = self.whole(&document.title).into_iter().collect();
        let description = pieces(&document.description, &self.marks(&document.description));
        let keywords = document.keywords.iter().filter_map(|keyword| self.whole(keyword)).collect();
        [("title", title), ("description", description), ("keywords", keywords)]
            .into_iter()
            .filter(|(_, fragments): &(_, Vec<Fragment>)| !fragments.is_empty())
            .map(|(field, fragments)| Highlight { field: field.to_owned(), fragments })
            .collect()
    }

    /// See [`Hit::matched_via`](crate::Hit::matched_via).
    pub(crate) fn matched_via(&mut self, query: &Query, document: &SearchDocument) -> Vec<String> {
        let mut names = Vec::new();
        names.extend(through(&query.organism, &document.organisms, self.vocabulary));
        names.extend(through(&query.method, &document.methods, self.vocabulary));
        let entities = entities_meant(&query.entity, document);
        names.extend(through(&entities, &document.about, self.vocabulary));
        let mut words = Vec::new();
        for asked in self.text.wanted() {
            match asked
                .named
                .as_ref()
                .map(|named| terms_through(named, document, self.vocabulary))
                .filter(|found| !found.is_empty())
            {
                Some(found) => names.extend(found),
                None => words.extend(asked.sequences().cloned()),
            }
        }
        let known = document.organism_names.iter().chain(&document.method_names).chain(&document.about_names);
        for name in known {
            if names.len() < MAX_VIA && !self.places(name, &words).is_empty() {
                names.push(name.clone());
            }
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names.truncate(MAX_VIA);
        names
    }

    fn whole(&mut self, text: &str) -> Option<Fragment> {
        let marks = self.marks(text);
        (!marks.is_empty()).then(|| Fragment { text: text.to_owned(), marks })
    }

    /// Where the words are, in order and apart.
    fn marks(&mut self, text: &str) -> Vec<Range<usize>> {
        let wanted = std::mem::take(&mut self.wanted);
        let marks = self.places(text, &wanted);
        self.wanted = wanted;
        marks
    }

    fn places(&mut self, text: &str, wanted: &[Sequence]) -> Vec<Range<usize>> {
        let mut marks = Vec::new();
        if !wanted.is_empty() {
            let words = tokens(&mut self.stemmed, text);
            marks.extend(wanted.iter().flat_map(|sequence| occurrences(&words, sequence)));
        }
        if !self.beginnings.is_empty() {
            let plain = tokens(&mut self.plain, text);
            let begins = plain.iter().filter(|token| self.beginnings.iter().any(|start| token.text.starts_with(start)));
            marks.extend(begins.map(|token| token.offset_from..token.offset_to));
        }
        merged(marks)
    }
}

/// Through which of its terms a record is one of those asked for. Where nobody knows which of them that is, all are named.
fn through(wanted: &[TermIri], terms: &[Term], vocabulary: &dyn Vocabulary) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let found: Vec<&Term> = terms.iter().filter(|term| vocabulary.is_any_of(&term.iri, wanted)).collect();
    let found = if found.is_empty() { terms.iter().collect() } else { found };
    found.into_iter().map(|term| term.label.clone()).collect()
}

/// The entities a filter means, by IRI or label.
fn entities_meant(wanted: &[String], document: &SearchDocument) -> Vec<TermIri> {
    let iris = wanted.iter().filter_map(|text| text.parse().ok());
    let named =
        document.about.iter().filter(|term| wanted.iter().any(|name| one_spelling(name) == one_spelling(&term.label)));
    iris.chain(named.map(|term| term.iri.clone())).collect()
}

/// The terms of a record through which it is what the words name; what only repeats the words says nothing.
fn terms_through(named: &Named, document: &SearchDocument, vocabulary: &dyn Vocabulary) -> Vec<String> {
    let wanted = &named.concept.terms;
    let kinds = [
        (&document.organisms, &document.organism_closure),
        (&document.methods, &document.method_closure),
        (&document.about, &document.about_closure),
    ];
    let hit = |(terms, closure): &(&Vec<Term>, &Vec<TermIri>)| {
        wanted.iter().any(|term| closure.contains(term) || terms.iter().any(|own| own.iri == *term))
    };
    kinds.into_iter().filter(hit).flat_map(|(terms, _)| through(wanted, terms, vocabulary)).collect()
}

fn occurrences(words: &[Token], sequence: &Sequence) -> Vec<Range<usize>> {
    let Some((first_position, first)) = sequence.first() else { return Vec::new() };
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.text == *first) {
        let following = words.get(at..).unwrap_or_default();
        let ends: Option<Vec<usize>> = sequence
            .iter()
            .map(|(position, text)| end_of(following, word.position + position - first_position, text))
            .collect();
        let end = ends.and_then(|ends| ends.into_iter().max());
        found.extend(end.map(|end| word.offset_from..end));
    }
    found
}

/// Where the word at a position ends, if it is this word.
fn end_of(words: &[Token], position: usize, text: &str) -> Option<usize> {
    let here = words.iter().take_while(|word| word.position <= position);
    here.filter(|word| word.position == position).find(|word| word.text == text).map(|word| word.offset_to)
}

fn merged(mut marks: Vec<Range<usize>>) -> Vec<Range<usize>> {
    marks.sort_unstable_by_key(|mark| (mark.start, mark.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for mark in marks {
        match apart.last_mut() {
            Some(last) if mark.start <= last.end => last.end = last.end.max(mark.end),
            _ => apart.push(mark),
        }
    }
    apart
}

/// Pieces of a long text around its marks.
fn pieces(text: &str, marks: &[Range<usize>]) -> Vec<Fragment> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for mark in marks {
        if pieces.len() == MAX_FRAGMENTS {
            break;
        }
        if mark.start < done {
            continue;
        }
        let from = word_start(text, mark.start.saturating_sub(LEAD_BYTES).max(done), mark.start);
        let to = word_end(text, mark.end.max(from.saturating_add(FRAGMENT_BYTES)), mark.end);
        let inside = marks.iter().filter(|mark| mark.start >= from && mark.end <= to);
        let marks = inside.map(|mark| mark.start - from..mark.end - from).collect();
        pieces.extend(text.get(from..to).map(|text| Fragment { text: text.to_owned(), marks }));
        done = to;
    }
    pieces
}

/// The first word that starts between two places, or the second place.
fn word_start(text: &str, from: usize, latest: usize) -> usize {
    let from = text.ceil_char_boundary(from);
    if from == 0 {
        return 0;
    }
    let between = text.get(from..latest).unwrap_or_default();
    between.find(char::is_whitespace).map_or(latest.min(text.ceil_char_boundary(from)), |space| from + space + 1)
}

/// The last word end between two places, or the later place.
fn word_end(text: &str, to: usize, earliest: usize) -> usize {
    let to = text.floor_char_boundary(to);
    if to == text.len() {
        return to;
    }
    let between = text.get(earliest..to).unwrap_or_default();
    between.rfind(char::is_whitespace).map_or(to.max(earliest), |space| earliest + space)
}
