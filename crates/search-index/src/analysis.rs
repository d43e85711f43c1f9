use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// How a field's words are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// English word stems: `cells` is `cell`.
    Stemmed,
    /// The words themselves: names and numbers have no stems.
    Plain,
}

impl Form {
    /// The name under which the engine knows the analyzer for records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stemmed => "heliograph-stemmed",
            Self::Plain => "heliograph-plain",
        }
    }
}

/// Which side of the comparison a text is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// A record. Runs of CJK give every character and every pair of neighbours.
    Record,
    /// What is searched for. Runs of CJK give pairs only (a lone character itself), which together are the run.
    Query,
}

/// The analyzer for one form on one side: words, lower case, without accents.
pub(crate) fn analyzer(form: Form, side: Side) -> TextAnalyzer {
    let folded = TextAnalyzer::builder(Words { side }).filter(LowerCaser).filter(AsciiFoldingFilter);
    match form {
        Form::Plain => folded.build(),
        Form::Stemmed => folded.filter(Stemmer::new(Language::English)).build(),
    }
}

/// All tokens of a text.
pub(crate) fn tokens(analyzer: &mut TextAnalyzer, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    analyzer.token_stream(text).process(&mut |token| tokens.push(token.clone()));
    tokens
}

/// The whole text in lower case and without accents, for sorting.
pub(crate) fn folded(text: &str) -> String {
    let mut analyzer = TextAnalyzer::builder(tantivy::tokenizer::RawTokenizer::default())
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    let mut stream = analyzer.token_stream(text);
    stream.next().map(|token| token.text.clone()).unwrap_or_default()
}

/// Splits text into words and CJK characters.
///
/// Accents written as combining marks belong to their word and are dropped, and so is the English possessive `'s`.
#[derive(Debug, Clone)]
struct Words {
    side: Side,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream { text, side: self.side, at: 0, position: 0, in_run: false, pair_end: None, token: Token::default() }
    }
}

struct WordStream<'a> {
    text: &'a str,
    side: Side,
    at: usize,
    position: usize,
    /// The character before `at` was CJK.
    in_run: bool,
    /// A pair that starts with the last token and is still to come.
    pair_end: Option<usize>,
    token: Token,
}

impl WordStream<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn emit(&mut self, from: usize, to: usize, position: usize) -> bool {
        let word = self.text.get(from..to).unwrap_or_default();
        self.token.reset();
        if word.is_ascii() {
            self.token.text.push_str(word);
        } else {
            self.token.text.extend(word.chars().filter(|c| !is_mark(*c)));
        }
        (self.token.offset_from, self.token.offset_to, self.token.position) = (from, to, position);
        true
    }

    fn next_position(&mut self) -> usize {
        self.position += 1;
        self.position - 1
    }

    /// Takes one CJK character; false where it makes no token of its own.
    fn take_cjk(&mut self, first: char) -> bool {
        let (from, end) = (self.at, self.at + first.len_utf8());
        self.at = end;
        let pair_end = self.rest().chars().next().filter(|c| is_cjk(*c)).map(|c| end + c.len_utf8());
        let (position, ends_run) = (self.next_position(), self.in_run && pair_end.is_none());
        self.in_run = true;
        match (self.side, pair_end) {
            (Side::Record, pair_end) => {
                self.pair_end = pair_end;
                self.emit(from, end, position)
            }
            (Side::Query, Some(pair_end)) => self.emit(from, pair_end, position),
            (Side::Query, None) => !ends_run && self.emit(from, end, position),
        }
    }

    fn take_word(&mut self) -> bool {
        let from = self.at;
        let length = self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
        self.at += length;
        let (to, position) = (self.at, self.next_position());
        self.at += possessive(self.rest());
        self.emit(from, to, position)
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        if let Some(end) = self.pair_end.take() {
            return self.emit(self.token.offset_from, end, self.token.position);
        }
        while let Some(next) = self.rest().chars().next() {
            if is_cjk(next) {
                if self.take_cjk(next) {
                    return true;
                }
                continue;
            }
            self.in_run = false;
            if next.is_alphanumeric() {
                return self.take_word();
            }
            self.at += next.len_utf8();
        }
        false
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// The length of an English possessive at the start of the text, else 0.
fn possessive(text: &str) -> usize {
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(mark @ ('\'' | '\u{2019}')), Some('s' | 'S'), after) if !after.is_some_and(is_word) => {
            mark.len_utf8() + 1
        }
        _ => 0,
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || (c.is_alphanumeric() && !is_cjk(c)) || is_mark(c)
}

/// Combining accents, as decomposed Unicode text has them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Letters of scripts that are written without spaces between words, and Hangul, whose words carry endings.
fn is_cjk(c: char) -> bool {
    c >= '\u{1100}'
        && c.is_alphanumeric()
        && matches!(c,
            '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3100}'..='\u{318f}'
            | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(form: Form, side: Side, text: &str) -> Vec<(usize, String)> {
        tokens(&mut analyzer(form, side), text).into_iter().map(|token| (token.position, token.text)).collect()
    }

    fn texts(form: Form, text: &str) -> Vec<String> {
        words(form, Side::Query, text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn words_are_folded_and_stemmed() {
        assert_eq!(texts(Form::Stemmed, "Naïve CELLS, imaging"), ["naiv", "cell", "imag"]);
        assert_eq!(texts(Form::Plain, "Nai\u{308}ve Cells"), ["naive", "cells"]);
        assert_eq!(texts(Form::Plain, "Alzheimer's FIB-SEM Ca²⁺"), ["alzheimer", "fib", "sem", "ca2"]);
    }

    #[test]
    fn cjk_runs_are_pairs_in_queries_and_characters_too_in_records() {
        let record = words(Form::Stemmed, Side::Record, "GFP蛍光顕微鏡x");
        assert!(record.contains(&(1, "蛍".to_owned())) && record.contains(&(1, "蛍光".to_owned())));
        assert_eq!(record.last(), Some(&(6, "x".to_owned())));
        let query = words(Form::Stemmed, Side::Query, "顕微鏡x");
        assert_eq!(query, [(0, "顕微".to_owned()), (1, "微鏡".to_owned()), (3, "x".to_owned())]);
        assert_eq!(words(Form::Stemmed, Side::Query, "蛍"), [(0, "蛍".to_owned())]);
    }

    proptest! {
        #[test]
        fn every_query_token_is_a_record_token_at_the_same_place(text in "\\PC{0,30}") {
            for form in [Form::Stemmed, Form::Plain] {
                let record = words(form, Side::Record, &text);
                for token in words(form, Side::Query, &text) {
                    prop_assert!(record.contains(&token), "{token:?} of {text:?} not in {record:?}");
                }
            }
        }
    }
}
