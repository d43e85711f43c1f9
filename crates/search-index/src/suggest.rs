//! "Did you mean": words of the index that look like those typed. Only what the reader may see is counted, and nothing is
//! suggested that finds nothing with the filters at hand, so no suggestion tells of a hidden record.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tantivy::postings::Postings;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{SegmentReader, TERMINATED, Term};

use crate::filters::{Filters, Verdict};
use crate::search::Search;
use crate::text_query::{Looked, TextQuery};
use crate::{SearchError, Sort, Suggestion};

/// Texts that find as many records are spelt well enough.
const ENOUGH: u64 = 3;
/// Shorter words look like too many others.
const MIN_CHARS: usize = 4;
/// From this length on, two letters may differ.
const TWO_LETTERS_FROM: usize = 8;
/// As many words of a text are looked at.
const MAX_WORDS: usize = 8;
/// As many words like one are looked at in each segment.
const MAX_CANDIDATES: usize = 200;
/// As many suggestions are made.
const MAX_SUGGESTIONS: usize = 3;
/// Records with a word are counted up to here.
const MANY: u64 = 1_000;

/// Other spellings of a text that found `total` records.
pub(crate) fn suggestions(
    search: &Search<'_>,
    filters: &Filters,
    text: &TextQuery,
    total: u64,
) -> Result<Vec<Suggestion>, SearchError> {
    if !search.query.suggest || total >= ENOUGH {
        return Ok(Vec::new());
    }
    let speller =
        Speller { search, visible: Filters::of_visibility(&search.query.visible, search.fields, search.searcher)? };
    let mut better: Vec<Vec<String>> = Vec::new();
    let mut looked_at = 0;
    for asked in &text.asked {
        let word = asked.plain_clause().and_then(misspellable).filter(|_| looked_at < MAX_WORDS);
        looked_at += usize::from(word.is_some());
        better.push(word.map(|word| speller.like(word)).transpose()?.unwrap_or_default());
    }
    let mut found: Vec<Suggestion> = Vec::new();
    for rank in 0..MAX_SUGGESTIONS {
        if !better.iter().any(|words| words.len() > rank) {
            break;
        }
        let candidate = rewritten(text, &better, rank);
        let read = TextQuery::read(&candidate, text.within, search.vocabulary)?;
        let found_by_it = search.pass(&read, filters, Sort::Newest, false)?.total;
        if found_by_it > total && found.iter().all(|other| other.text != candidate) {
            found.push(Suggestion { text: candidate, total: found_by_it });
        }
    }
    found.sort_by_key(|suggestion| Reverse(suggestion.total));
    Ok(found)
}

/// The text with each word in its next best spelling.
fn rewritten(text: &TextQuery, better: &[Vec<String>], rank: usize) -> String {
    let mut written: Vec<String> = Vec::new();
    for (asked, better) in text.asked.iter().zip(better) {
        written.extend(asked.or.then(|| "OR".to_owned()));
        match better.get(rank).or(better.first()) {
            Some(word) => written.push(word.clone()),
            None => written.extend(asked.parts.iter().map(|part| part.clause.written())),
        }
    }
    written.join(" ")
}

/// The word, if it is one that could be spelt wrong.
fn misspellable(looked: &Looked) -> Option<&str> {
    let clause = &looked.clause;
    let [(_, word)] = looked.plain.as_slice() else { return None };
    let plain = !clause.quoted && !clause.excluded && !clause.beginning;
    (plain && word.chars().count() >= MIN_CHARS && word.chars().all(char::is_alphabetic)).then_some(word)
}

struct Speller<'a> {
    search: &'a Search<'a>,
    visible: Filters,
}

impl Speller<'_> {
    /// Words in more records than this one that differ by a letter, or else by two; those of most records first.
    fn like(&self, word: &str) -> Result<Vec<String>, SearchError> {
        let most = if word.chars().count() < TWO_LETTERS_FROM { 1 } else { 2 };
        for distance in 1..=most {
            let mut counts = BTreeMap::new();
            for reader in self.search.searcher.segment_readers() {
                self.count(reader, word, distance, &mut counts)?;
            }
            let own = counts.remove(word).unwrap_or(0);
            let mut words: Vec<(String, u64)> = counts.into_iter().filter(|(_, records)| *records > own).collect();
            if !words.is_empty() {
                words.sort_by_key(|(word, records)| (Reverse(*records), word.clone()));
                return Ok(words.into_iter().take(MAX_SUGGESTIONS).map(|(word, _)| word).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Counts the visible records of one segment that have a word like it.
    fn count(
        &self,
        reader: &SegmentReader,
        word: &str,
        distance: u8,
        counts: &mut BTreeMap<String, u64>,
    ) -> Result<(), SearchError> {
        let field = self.search.fields.words;
        let hidden = self.visible.run(reader)?;
        let inverted = reader.inverted_index(field).map_err(SearchError::read)?;
        let automaton = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true);
        let automaton = automaton.automaton().map_err(SearchError::read)?;
        let mut like = inverted.terms().search(automaton).into_stream().map_err(SearchError::read)?;
        let mut looked_at = 0;
        while looked_at < MAX_CANDIDATES && like.advance() {
            let Ok(found) = std::str::from_utf8(like.key()) else { continue };
            if !found.chars().all(char::is_alphabetic) {
                continue;
            }
            looked_at += 1;
            let postings = inverted.read_postings_from_terminfo(like.value(), IndexRecordOption::Basic);
            let records =
                visible_records(postings.map_err(SearchError::read)?, |doc| hidden.verdict(doc) != Verdict::Hidden);
            if records > 0 {
                *counts.entry(found.to_owned()).or_default() += records;
            }
        }
        Ok(())
    }
}

/// How many of the records may be seen, up to [`MANY`].
fn visible_records(mut postings: impl Postings, is_visible: impl Fn(u32) -> bool) -> u64 {
    let mut records = 0;
    let mut doc = postings.doc();
    while doc != TERMINATED && records < MANY {
        records += u64::from(is_visible(doc));
        doc = postings.advance();
    }
    records
}
