use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, InvertedIndexRangeQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::TextAnalyzer;

use crate::SearchError;
use crate::analysis::{Form, Side, analyzer, tokens};
use crate::exact::normal_form;
use crate::query::MAX_QUERY_TERMS;
use crate::schema::Fields;
use crate::scoring::Weighted;
use crate::syntax::{Clause, parse};

/// What a whole identifier counts: more than any word could.
const EXACT_SCORE: f32 = 500.0;
/// What a word found by its beginning counts.
const PREFIX_SCORE: f32 = 1.0;
/// Shorter beginnings would match nearly anything.
const MIN_PREFIX_CHARS: usize = 3;

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
    pub(crate) stemmed: Sequence,
    pub(crate) plain: Sequence,
    exact: String,
    quoted: bool,
    excluded: bool,
}

/// The text of a query, analysed.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextQuery {
    clauses: Vec<Looked>,
    /// The last word stands for everything that begins with it.
    pub(crate) prefix: bool,
}

impl TextQuery {
    /// Reads the text.
    ///
    /// # Errors
    /// When it has too many words.
    pub(crate) fn read(text: &str) -> Result<Self, SearchError> {
        let mut analyzers = [analyzer(Form::Stemmed, Side::Query), analyzer(Form::Plain, Side::Query)];
        let mut clauses: Vec<Looked> = parse(text)
            .into_iter()
            .map(|clause| look(&mut analyzers, clause))
            .filter(|c| !c.plain.is_empty())
            .collect();
        let terms = clauses.iter().map(|clause| clause.plain.len()).sum();
        if terms > MAX_QUERY_TERMS {
            return Err(SearchError::TooManyTerms { terms, limit: MAX_QUERY_TERMS });
        }
        if clauses.iter().any(|clause| !clause.excluded && !clause.is_stop_word()) {
            clauses.retain(|clause| clause.excluded || !clause.is_stop_word());
        }
        Ok(Self { clauses, prefix: false })
    }

    /// Nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether there are words to rank by.
    pub(crate) fn ranks(&self) -> bool {
        self.wanted().next().is_some()
    }

    /// The clauses that must match.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &Looked> {
        self.clauses.iter().filter(|clause| !clause.excluded)
    }

    /// The beginning of a word the last clause stands for.
    pub(crate) fn prefix_word(&self) -> Option<&str> {
        self.prefix.then(|| self.clauses.last().and_then(Looked::as_prefix)).flatten()
    }

    /// The same text with its last word taken as a beginning; none where it cannot be one.
    pub(crate) fn with_prefix(&self) -> Option<Self> {
        self.clauses.last()?.as_prefix()?;
        Some(Self { clauses: self.clauses.clone(), prefix: true })
    }

    /// The query for the engine.
    pub(crate) fn query(&self, fields: &Fields) -> Box<dyn Query> {
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (position, clause) in self.clauses.iter().enumerate() {
            let occur = if clause.excluded { Occur::MustNot } else { Occur::Must };
            let last = position + 1 == self.clauses.len();
            let prefix = self.prefix_word().filter(|_| last).map(|word| prefix_query(fields.words, word));
            parts.push((occur, clause.query(fields, prefix)));
        }
        if !self.ranks() {
            parts.push((Occur::Must, Box::new(AllQuery)));
        }
        Box::new(BooleanQuery::new(parts))
    }
}

fn look([stemmed, plain]: &mut [TextAnalyzer; 2], clause: Clause) -> Looked {
    let sequence = |analyzer: &mut TextAnalyzer| -> Sequence {
        tokens(analyzer, &clause.text).into_iter().map(|token| (token.position, token.text)).collect()
    };
    Looked {
        stemmed: sequence(stemmed),
        plain: sequence(plain),
        exact: normal_form(&clause.text),
        quoted: clause.quoted,
        excluded: clause.excluded,
    }
}

impl Looked {
    fn is_stop_word(&self) -> bool {
        !self.quoted && matches!(self.plain.as_slice(), [(_, word)] if STOP_WORDS.contains(&word.as_str()))
    }

    /// Accession numbers and the like are never completed: what is close to one is another.
    fn as_prefix(&self) -> Option<&str> {
        match self.plain.as_slice() {
            [(_, word)] if !self.quoted && !self.excluded => Some(word.as_str())
                .filter(|word| word.chars().count() >= MIN_PREFIX_CHARS && word.chars().all(char::is_alphabetic)),
            _ => None,
        }
    }

    /// The words in any field, or the whole as an identifier.
    fn query(&self, fields: &Fields, prefix: Option<Box<dyn Query>>) -> Box<dyn Query> {
        let whole = term_query(fields.exact, &self.exact, IndexRecordOption::Basic);
        let mut parts: Vec<Box<dyn Query>> = vec![Box::new(ConstScoreQuery::new(whole, EXACT_SCORE))];
        for text in &fields.texts {
            let sequence = match text.form {
                Form::Stemmed => &self.stemmed,
                Form::Plain => &self.plain,
            };
            let query = sequence_query(text.field, sequence);
            // The engine adds up the words of a phrase; here `light-sheet` counts as one word.
            let weight = text.weight / sequence.len() as f32;
            parts.push(Box::new(Weighted { query, weight }));
        }
        parts.extend(prefix);
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
