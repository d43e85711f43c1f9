use std::ops::Range;

use tantivy::tokenizer::{TextAnalyzer, Token};

use crate::analysis::{Form, Side, analyzer, tokens};
use crate::text_query::{Sequence, TextQuery};
use crate::{Fragment, Highlight, Query, SearchDocument};

/// At most this many pieces of a description.
const MAX_FRAGMENTS: usize = 3;
/// Length of a piece of a description, in bytes.
const FRAGMENT_BYTES: usize = 240;
/// How much of a piece comes before its first mark, in bytes.
const LEAD_BYTES: usize = 60;
/// At most this many names say why a record matched.
const MAX_VIA: usize = 8;

/// Finds the words of a query in the texts of its hits.
pub(crate) struct Highlighter {
    stemmed: TextAnalyzer,
    plain: TextAnalyzer,
    wanted: Vec<Sequence>,
    prefix: Option<String>,
}

impl Highlighter {
    pub(crate) fn new(text: &TextQuery) -> Self {
        Self {
            stemmed: analyzer(Form::Stemmed, Side::Record),
            plain: analyzer(Form::Plain, Side::Record),
            wanted: text.wanted().map(|clause| clause.stemmed.clone()).collect(),
            prefix: text.prefix_word().map(str::to_owned),
        }
    }

    /// The places in title, description and keywords where the words are.
    pub(crate) fn highlights(&mut self, document: &SearchDocument) -> Vec<Highlight> {
        if self.wanted.is_empty() {
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
        let by_filter = |wanted: &[_], terms: &[dataset_model::Term]| -> Vec<String> {
            let exact = terms.iter().any(|term| wanted.contains(&term.iri));
            let through = terms.iter().filter(|term| !wanted.is_empty() && (!exact || wanted.contains(&term.iri)));
            through.map(|term| term.label.clone()).collect()
        };
        let mut names = by_filter(&query.organism, &document.organisms);
        names.extend(by_filter(&query.method, &document.methods));
        for name in document.organism_names.iter().chain(&document.method_names) {
            if names.len() < MAX_VIA && !names.contains(name) && !self.marks(name).is_empty() {
                names.push(name.clone());
            }
        }
        names.truncate(MAX_VIA);
        names
    }

    fn whole(&mut self, text: &str) -> Option<Fragment> {
        let marks = self.marks(text);
        (!marks.is_empty()).then(|| Fragment { text: text.to_owned(), marks })
    }

    /// Where the words are, in order and apart.
    fn marks(&mut self, text: &str) -> Vec<Range<usize>> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let words = tokens(&mut self.stemmed, text);
        let mut marks: Vec<Range<usize>> =
            self.wanted.iter().flat_map(|sequence| occurrences(&words, sequence)).collect();
        if let Some(prefix) = &self.prefix {
            let plain = tokens(&mut self.plain, text);
            let begins = plain.iter().filter(|token| token.text.starts_with(prefix.as_str()));
            marks.extend(begins.map(|token| token.offset_from..token.offset_to));
        }
        merged(marks)
    }
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
