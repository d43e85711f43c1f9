use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, InvertedIndexRangeQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::TextAnalyzer;

use crate::analysis::{BOUNDARY, Form, Side, analyzer, tokens};
use crate::exact::normal_form;
use crate::query::MAX_QUERY_TERMS;
use crate::schema::{Fields, TextField};
use crate::scoring::Weighted;
use crate::syntax::{Clause, parse};
use crate::{Concept, SearchError, Vocabulary, Within};

/// What a whole identifier counts: more than any word could.
const EXACT_SCORE: f32 = 500.0;
/// What a term that the words name counts: about as much as its name would in a short list of names.
const TERM_SCORE: f32 = 24.0;
/// What another name of the same thing counts, against the name that was typed.
const OTHER_NAME: f32 = 0.5;
/// What a word found by its beginning counts.
const PREFIX_SCORE: f32 = 1.0;
/// Shorter last words are never taken as beginnings by themselves: they would match nearly anything.
const MIN_PREFIX_CHARS: usize = 3;
/// Shorter beginnings with a star are taken as words.
const MIN_STARRED_CHARS: usize = 2;
/// As many words next to each other can be the name of one thing.
const MAX_RUN: usize = 5;
/// As many other names and terms are looked for at most, over the whole text.
const MAX_ALTERNATIVES: usize = 64;

/// Words without which a question means the same. They are looked for only where nothing else is, or in quotes.
const STOP_WORDS: [&str; 28] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "into", "is", "it", "its", "of", "on", "or",
    "that", "the", "their", "these", "this", "to", "using", "was", "were", "with",
];

/// A word, or several at fixed distances from each other.
pub(crate) type Sequence = Vec<(usize, String)>;

/// One clause, analysed.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) clause: Clause,
    pub(crate) stemmed: Sequence,
    pub(crate) plain: Sequence,
    exact: String,
}

/// One thing that is wanted, or not: a clause, or several whose words together name something.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) parts: Vec<Looked>,
    pub(crate) named: Option<Named>,
    /// `OR` stood before it: it or the one before it is wanted.
    pub(crate) or: bool,
}

/// Something known, with the words that name it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// The words typed, side by side.
    own: Looked,
    names: Vec<Looked>,
    pub(crate) concept: Concept,
}

/// The text of a query, analysed.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextQuery {
    pub(crate) asked: Vec<Asked>,
    /// The last word stands for everything that begins with it, and CJK text may begin and end within words.
    pub(crate) loose: bool,
    /// Where it is looked for.
    pub(crate) within: Within,
}

impl TextQuery {
    /// Reads the text.
    ///
    /// # Errors
    /// When it has too many words.
    pub(crate) fn read(text: &str, within: Within, vocabulary: &dyn Vocabulary) -> Result<Self, SearchError> {
        let mut reader = Reader::new(vocabulary);
        let clauses: Vec<Looked> = parse(text)
            .into_iter()
            .map(|clause| reader.look(clause))
            .filter(|looked| !looked.plain.is_empty())
            .collect();
        let terms = clauses.iter().map(|clause| clause.plain.len()).sum();
        if terms > MAX_QUERY_TERMS {
            return Err(SearchError::TooManyTerms { terms, limit: MAX_QUERY_TERMS });
        }
        let mut asked = join_alternatives(reader.group(clauses));
        if asked.iter().any(|asked| !asked.excluded() && !asked.is_stop_word()) {
            asked.retain(|asked| asked.or || asked.excluded() || !asked.is_stop_word());
        }
        Ok(Self { asked, loose: false, within })
    }

    /// Words that are stems already, to be shown where they are.
    pub(crate) fn of_stems<'s>(stems: impl Iterator<Item = &'s str>) -> Self {
        let asked = stems.map(|stem| {
            let clause = Clause { text: stem.to_owned(), quoted: false, excluded: false, beginning: false };
            let looked =
                Looked { stemmed: vec![(0, stem.to_owned())], plain: Vec::new(), exact: String::new(), clause };
            Asked { parts: vec![looked], named: None, or: false }
        });
        Self { asked: asked.collect(), ..Self::default() }
    }

    /// Nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Whether there are words to rank by.
    pub(crate) fn ranks(&self) -> bool {
        self.wanted().next().is_some()
    }

    /// What must match.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(|asked| !asked.excluded())
    }

    /// The beginnings of words that are wanted.
    pub(crate) fn beginnings(&self) -> impl Iterator<Item = &str> {
        let last = self.loose.then(|| self.unfinished()).flatten();
        self.wanted().flat_map(|asked| &asked.parts).filter_map(Looked::starred).chain(last)
    }

    /// The same text with its last word taken as a beginning and CJK text found within words; none where it has neither.
    pub(crate) fn loosened(&self) -> Option<Self> {
        let looked = self.asked.iter().flat_map(Asked::all);
        if self.unfinished().is_none()
            && !looked.into_iter().any(|looked| looked.plain.iter().any(|(_, text)| text == BOUNDARY))
        {
            return None;
        }
        let mut loose = Self { loose: true, ..self.clone() };
        loose.asked.iter_mut().flat_map(Asked::all_mut).for_each(Looked::without_boundaries);
        Some(loose)
    }

    /// The last word, if it may be one that is not finished. Beginnings are looked up without regard to fields.
    fn unfinished(&self) -> Option<&str> {
        self.asked.last().and_then(Asked::as_prefix).filter(|_| self.within == Within::Everywhere)
    }

    /// The query for the engine.
    pub(crate) fn query(&self, fields: &Fields) -> Box<dyn Query> {
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let mut alternatives: Vec<Box<dyn Query>> = Vec::new();
        for (position, asked) in self.asked.iter().enumerate() {
            let last = position + 1 == self.asked.len();
            let prefix = self.unfinished().filter(|_| last && self.loose).map(|word| prefix_query(fields.words, word));
            alternatives.push(asked.query(&Place { fields, within: self.within }, prefix));
            if self.asked.get(position + 1).is_some_and(|next| next.or) {
                continue;
            }
            let occur = if asked.excluded() { Occur::MustNot } else { Occur::Must };
            parts.push((occur, Box::new(BooleanQuery::union(std::mem::take(&mut alternatives)))));
        }
        if !self.ranks() {
            parts.push((Occur::Must, Box::new(AllQuery)));
        }
        Box::new(BooleanQuery::new(parts))
    }
}

/// Takes out each `OR` between two things that are wanted, and marks the second. Any other is the little word.
fn join_alternatives(asked: Vec<Asked>) -> Vec<Asked> {
    let mut joined: Vec<Asked> = Vec::new();
    let mut rest = asked.into_iter().peekable();
    let wanted = |asked: Option<&Asked>| asked.is_some_and(|asked| !asked.excluded() && !asked.is_or());
    while let Some(next) = rest.next() {
        if next.is_or() && wanted(joined.last()) && wanted(rest.peek()) {
            joined.extend(rest.next().map(|second| Asked { or: true, ..second }));
        } else {
            joined.push(next);
        }
    }
    joined
}

/// Analyses clauses, and finds what their words name.
struct Reader<'a> {
    analyzers: [TextAnalyzer; 2],
    vocabulary: &'a dyn Vocabulary,
    /// Other names and terms that may still be added.
    room: usize,
}

impl<'a> Reader<'a> {
    fn new(vocabulary: &'a dyn Vocabulary) -> Self {
        let analyzers = [analyzer(Form::Stemmed, Side::Query), analyzer(Form::Plain, Side::Query)];
        Self { analyzers, vocabulary, room: MAX_ALTERNATIVES }
    }

    fn look(&mut self, clause: Clause) -> Looked {
        let [stemmed, plain] = &mut self.analyzers;
        let sequence = |analyzer: &mut TextAnalyzer| -> Sequence {
            tokens(analyzer, &clause.text).into_iter().map(|token| (token.position, token.text)).collect()
        };
        let (stemmed, plain) = (sequence(stemmed), sequence(plain));
        Looked { stemmed, plain, exact: normal_form(&clause.text), clause }
    }

    fn group(&mut self, clauses: Vec<Looked>) -> Vec<Asked> {
        let mut rest = clauses.into_iter().peekable();
        let mut waiting: Vec<Looked> = Vec::new();
        let mut asked = Vec::new();
        loop {
            // Words that may name something together with those that follow.
            while waiting.len() < MAX_RUN
                && let Some(next) =
                    rest.next_if(|next| next.may_name() && waiting.iter().all(|word| word.goes_on(next)))
            {
                waiting.push(next);
            }
            if waiting.is_empty() {
                match rest.next() {
                    Some(alone) => asked.push(Asked { parts: vec![alone], named: None, or: false }),
                    None => return asked,
                }
                continue;
            }
            let (length, named) = self.longest(&waiting);
            let parts = waiting.drain(..length).collect();
            asked.push(Asked { parts, named, or: false });
        }
    }

    /// How many of the words name something, and what; one where none does.
    fn longest(&mut self, words: &[Looked]) -> (usize, Option<Named>) {
        for length in (1..=words.len()).rev() {
            let run = words.get(..length).unwrap_or_default();
            let named = self.named(run);
            if named.is_some() {
                return (length, named);
            }
        }
        (1, None)
    }

    fn named(&mut self, run: &[Looked]) -> Option<Named> {
        if matches!(run, [only] if only.is_stop_word()) {
            return None;
        }
        let plain: Vec<&str> = run.iter().flat_map(|looked| &looked.plain).map(|(_, word)| word.as_str()).collect();
        let words = plain.iter().filter(|word| **word != BOUNDARY).copied().collect::<Vec<_>>().join(" ");
        let mut concept = self.vocabulary.concept(&words)?;
        concept.terms.truncate(self.room);
        self.room -= concept.terms.len();
        concept.names.truncate(self.room);
        self.room -= concept.names.len();
        let typed = run.iter().map(|looked| looked.clause.text.as_str()).collect::<Vec<_>>().join(" ");
        let mut phrase =
            |text: &str| self.look(Clause { text: text.to_owned(), quoted: true, excluded: false, beginning: false });
        let own = phrase(&typed);
        let names = concept.names.iter().map(|name| phrase(name)).filter(|name| !name.plain.is_empty()).collect();
        Some(Named { own, names, concept })
    }
}

impl Asked {
    pub(crate) fn excluded(&self) -> bool {
        self.parts.iter().any(|part| part.clause.excluded)
    }

    fn is_stop_word(&self) -> bool {
        matches!(self.parts.as_slice(), [only] if only.is_stop_word())
    }

    fn is_or(&self) -> bool {
        matches!(self.parts.as_slice(), [only] if only.is_or())
    }

    /// The one clause this is, where it is no name of anything.
    pub(crate) fn plain_clause(&self) -> Option<&Looked> {
        match self.parts.as_slice() {
            [only] if self.named.is_none() => Some(only),
            _ => None,
        }
    }

    fn as_prefix(&self) -> Option<&str> {
        self.plain_clause().and_then(Looked::as_prefix)
    }

    fn all(&self) -> impl Iterator<Item = &Looked> {
        let named = self.named.iter().flat_map(|named| named.names.iter().chain([&named.own]));
        self.parts.iter().chain(named)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Looked> {
        let named = self.named.iter_mut().flat_map(|named| named.names.iter_mut().chain([&mut named.own]));
        self.parts.iter_mut().chain(named)
    }

    fn apart_matches(&self) -> bool {
        self.named.as_ref().is_none_or(|named| !named.concept.only_together)
    }

    /// The sequences of stems that show where a record matches.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = &Sequence> {
        let apart = self.apart_matches();
        let parts = self.parts.iter().filter(move |_| apart);
        let named = self.named.iter().flat_map(|named| named.names.iter().chain([&named.own]));
        parts.chain(named).filter(|looked| looked.starred().is_none()).map(|looked| &looked.stemmed)
    }

    fn query(&self, place: &Place<'_>, prefix: Option<Box<dyn Query>>) -> Box<dyn Query> {
        let Some(named) = &self.named else {
            let mut parts: Vec<_> = self.parts.iter().map(|part| part.query(place, 1.0)).collect();
            parts.extend(prefix);
            return Box::new(BooleanQuery::union(parts));
        };
        let mut ways: Vec<Box<dyn Query>> = vec![named.own.query(place, 1.0)];
        ways.extend(named.names.iter().map(|name| name.query(place, OTHER_NAME)));
        let fields = place.fields;
        let terms = named.concept.terms.iter().filter(|_| place.within != Within::Title).flat_map(|term| {
            [fields.organism_closure, fields.method_closure, fields.entity_closure].map(|field| {
                let term = term_query(field, term.as_str(), IndexRecordOption::Basic);
                Box::new(ConstScoreQuery::new(term, TERM_SCORE)) as Box<dyn Query>
            })
        });
        ways.extend(terms);
        if self.parts.len() > 1 && self.apart_matches() {
            let all = self.parts.iter().map(|part| part.query(place, 1.0)).collect();
            ways.push(Box::new(BooleanQuery::intersection(all)));
        }
        Box::new(BooleanQuery::union(ways))
    }
}

/// Where words are looked up.
struct Place<'a> {
    fields: &'a Fields,
    within: Within,
}

impl Place<'_> {
    fn texts(&self) -> impl Iterator<Item = &TextField> {
        self.fields.texts.iter().filter(|text| text.part <= self.within)
    }

    /// Words that begin so; of single fields, the stems that do.
    fn beginning(&self, word: &str) -> Box<dyn Query> {
        if self.within == Within::Everywhere {
            return prefix_query(self.fields.words, word);
        }
        Box::new(BooleanQuery::union(self.texts().map(|text| prefix_query(text.field, word)).collect()))
    }
}

impl Looked {
    fn is_stop_word(&self) -> bool {
        !self.clause.quoted && matches!(self.plain.as_slice(), [(_, word)] if STOP_WORDS.contains(&word.as_str()))
    }

    fn is_or(&self) -> bool {
        self.clause.text == "OR" && !self.clause.quoted && !self.clause.excluded
    }

    /// Quoted text means itself, and so does the beginning of a word.
    fn may_name(&self) -> bool {
        !self.clause.quoted && !self.clause.beginning && !self.is_or()
    }

    /// Whether this word and one behind it can be one name. An exclusion is one word.
    fn goes_on(&self, next: &Self) -> bool {
        !self.clause.excluded && !next.clause.excluded
    }

    /// The word, where a star asks for what begins so.
    fn starred(&self) -> Option<&str> {
        match self.plain.as_slice() {
            [(_, word)] if self.clause.beginning => {
                Some(word.as_str()).filter(|word| word.chars().count() >= MIN_STARRED_CHARS)
            }
            _ => None,
        }
    }

    /// Accession numbers and the like are never completed unasked: what is close to one is another.
    fn as_prefix(&self) -> Option<&str> {
        match self.plain.as_slice() {
            [(_, word)] if self.may_name() && !self.clause.excluded => Some(word.as_str())
                .filter(|word| word.chars().count() >= MIN_PREFIX_CHARS && word.chars().all(char::is_alphabetic)),
            _ => None,
        }
    }

    fn without_boundaries(&mut self) {
        self.stemmed.retain(|(_, text)| text != BOUNDARY);
        self.plain.retain(|(_, text)| text != BOUNDARY);
    }

    /// The words in any field, or the whole as an identifier.
    fn query(&self, place: &Place<'_>, share: f32) -> Box<dyn Query> {
        if let Some(beginning) = self.starred() {
            return place.beginning(beginning);
        }
        let mut parts: Vec<Box<dyn Query>> = Vec::new();
        if place.within != Within::Title {
            let whole = term_query(place.fields.exact, &self.exact, IndexRecordOption::Basic);
            parts.push(Box::new(ConstScoreQuery::new(whole, EXACT_SCORE)));
        }
        for text in place.texts() {
            let sequence = match text.form {
                Form::Stemmed => &self.stemmed,
                Form::Plain => &self.plain,
            };
            let query = sequence_query(text.field, sequence);
            // The engine adds up the words of a phrase; here `light-sheet` counts as one word.
            let weight = share * text.weight / sequence.len() as f32;
            parts.push(Box::new(Weighted { query, weight }));
        }
        Box::new(BooleanQuery::union(parts))
    }
}

fn term_query(field: Field, text: &str, option: IndexRecordOption) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), option))
}

fn sequence_query(field: Field, sequence: &Sequence) -> Box<dyn Query> {
    match sequence.as_slice() {
        [(_, word)] => term_query(field, word, IndexRecordOption::WithFreqs),
        words => {
            let terms = words.iter().map(|(position, word)| (*position, Term::from_field_text(field, word)));
            Box::new(PhraseQuery::new_with_offset(terms.collect()))
        }
    }
}

fn prefix_query(field: Field, word: &str) -> Box<dyn Query> {
    let after = format!("{word}{}", char::MAX);
    let range = InvertedIndexRangeQuery::new(
        Bound::Included(Term::from_field_text(field, word)),
        Bound::Excluded(Term::from_field_text(field, &after)),
    );
    Box::new(ConstScoreQuery::new(Box::new(range), PREFIX_SCORE))
}
