use std::collections::VecDeque;

use icu_segmenter::{WordSegmenter, options::WordBreakInvariantOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, Stemmer, TextAnalyzer, TextAnalyzerBuilder, Token, TokenStream, Tokenizer,
};

use crate::picking::Picking;

/// Stands between two words of CJK text. No word has this letter: private use is not alphanumeric.
pub(crate) const BOUNDARY: &str = "\u{e000}";

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
    /// A record. Runs of CJK give every character, every pair of neighbours, and a [`BOUNDARY`] where words meet.
    Record,
    /// What is searched for. Runs of CJK give pairs only (a lone character itself), which together are the run, between
    /// two boundaries: 京都 is not found in 東京都, whose words are 東京 and 都.
    Query,
}

/// The analyzer for one form on one side: words, lower case, without accents.
pub(crate) fn analyzer(form: Form, side: Side) -> TextAnalyzer {
    match form {
        Form::Plain => words(side).build(),
        Form::Stemmed => words(side).filter(Stemmer::new(Language::English)).build(),
    }
}

fn words(side: Side) -> TextAnalyzerBuilder<impl Tokenizer> {
    TextAnalyzer::builder(Words { side }).filter(LowerCaser).filter(AsciiFoldingFilter)
}

/// The analyzer for stems on a record's side, for the words alone that begin like one of these.
pub(crate) fn picking_analyzer(picking: Picking) -> TextAnalyzer {
    words(Side::Record).filter(picking).filter(Stemmer::new(Language::English)).build()
}

/// All tokens of a text, but those that an analyzer passed over.
pub(crate) fn tokens(analyzer: &mut TextAnalyzer, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    analyzer.token_stream(text).process(&mut |token| {
        if !token.text.is_empty() {
            tokens.push(token.clone());
        }
    });
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
        WordStream {
            text,
            side: self.side,
            at: 0,
            position: 0,
            word_ends: Vec::new(),
            last_boundary: None,
            coming: VecDeque::new(),
            token: Token::default(),
        }
    }
}

struct WordStream<'a> {
    text: &'a str,
    side: Side,
    at: usize,
    position: usize,
    /// Where the words of the present run of CJK end, last first.
    word_ends: Vec<usize>,
    /// The position of the last boundary: two runs next to each other share one.
    last_boundary: Option<usize>,
    /// Tokens found and not yet given.
    coming: VecDeque<Found>,
    token: Token,
}

/// A token: where it is, and whether it is a boundary.
struct Found {
    from: usize,
    to: usize,
    position: usize,
    boundary: bool,
}

impl WordStream<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn emit(&mut self, found: &Found) {
        let word = self.text.get(found.from..found.to).unwrap_or_default();
        self.token.reset();
        if found.boundary {
            self.token.text.push_str(BOUNDARY);
        } else if word.is_ascii() {
            self.token.text.push_str(word);
        } else {
            self.token.text.extend(word.chars().filter(|c| !is_mark(*c)));
        }
        (self.token.offset_from, self.token.offset_to) = (found.from, found.to);
        self.token.position = found.position;
    }

    fn next_position(&mut self) -> usize {
        self.position += 1;
        self.position - 1
    }

    fn boundary(&mut self) {
        if self.last_boundary != Some(self.position) {
            self.last_boundary = Some(self.position);
            let (from, to, position) = (self.at, self.at, self.position);
            self.coming.push_back(Found { from, to, position, boundary: true });
        }
    }

    /// Takes the next word of a run of CJK; of a query the whole run.
    fn take_cjk(&mut self) {
        if self.word_ends.is_empty() {
            let length = self.rest().find(|c| !is_cjk(c)).unwrap_or(self.rest().len());
            let run = self.rest().get(..length).unwrap_or_default();
            let ends: Vec<usize> = match self.side {
                Side::Query => vec![length],
                Side::Record => words_of(run),
            };
            self.word_ends = ends.into_iter().rev().map(|end| self.at + end).collect();
        }
        self.boundary();
        let Some(end) = self.word_ends.pop() else { return };
        let word_start = self.at;
        while self.at < end {
            self.take_character(word_start, end);
        }
        if self.word_ends.is_empty() {
            self.boundary();
        }
    }

    fn take_character(&mut self, word_start: usize, word_end: usize) {
        let from = self.at;
        self.at += self.rest().chars().next().map_or(1, char::len_utf8);
        let (to, position) = (self.at, self.next_position());
        let pair_end = self.rest().chars().next().filter(|c| is_cjk(*c)).map(|c| to + c.len_utf8());
        let alone = from == word_start && to == word_end;
        if self.side == Side::Record || (pair_end.is_none() && alone) {
            self.coming.push_back(Found { from, to, position, boundary: false });
        }
        self.coming.extend(pair_end.map(|to| Found { from, to, position, boundary: false }));
    }

    fn take_word(&mut self) {
        let from = self.at;
        let length = self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
        self.at += length;
        let (to, position) = (self.at, self.next_position());
        self.at += possessive(self.rest());
        self.coming.push_back(Found { from, to, position, boundary: false });
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            if let Some(found) = self.coming.pop_front() {
                self.emit(&found);
                return true;
            }
            match self.rest().chars().next() {
                None => return false,
                Some(next) if is_cjk(next) => self.take_cjk(),
                Some(next) if next.is_alphanumeric() => self.take_word(),
                Some(next) => self.at += next.len_utf8(),
            }
        }
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

/// Where the words of a run end. Four ideographs that the dictionary has as one word are two words of two: 細胞分裂, cell
/// division, is found by 細胞 and by 分裂.
fn words_of(run: &str) -> Vec<usize> {
    let segmenter = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
    let mut ends = Vec::new();
    let mut start = 0;
    for end in segmenter.segment_str(run).filter(|end| *end > 0) {
        let word = run.get(start..end).unwrap_or_default();
        if word.chars().count() == 4 && word.chars().all(is_ideograph) {
            ends.push(start + word.chars().take(2).map(char::len_utf8).sum::<usize>());
        }
        ends.push(end);
        start = end;
    }
    ends
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3005}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
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

    fn at(position: usize, text: &str) -> (usize, String) {
        (position, text.to_owned())
    }

    #[test]
    fn cjk_runs_are_pairs_in_queries_and_characters_too_in_records() {
        let record = words(Form::Stemmed, Side::Record, "GFP蛍光顕微鏡x");
        assert!(record.contains(&at(1, "蛍")) && record.contains(&at(1, "蛍光")));
        assert_eq!(record.last(), Some(&at(6, "x")));
        let query = words(Form::Stemmed, Side::Query, "顕微鏡x");
        assert_eq!(query, [at(0, BOUNDARY), at(0, "顕微"), at(1, "微鏡"), at(3, BOUNDARY), at(3, "x")]);
        assert_eq!(words(Form::Stemmed, Side::Query, "蛍"), [at(0, BOUNDARY), at(0, "蛍"), at(1, BOUNDARY)]);
    }

    #[test]
    fn japanese_and_chinese_are_cut_where_their_words_meet() {
        let cut = |text: &str| -> String {
            let mut boundaries =
                words(Form::Plain, Side::Record, text).into_iter().filter(|(_, text)| text == BOUNDARY);
            let places: Vec<usize> = boundaries.by_ref().map(|(position, _)| position).collect();
            let mark =
                |(at, c): (usize, char)| if at > 0 && places.contains(&at) { format!("|{c}") } else { c.to_string() };
            text.chars().enumerate().map(mark).collect()
        };
        for (text, words) in [
            ("東京都", "東京|都"),
            ("蛍光顕微鏡による細胞分裂の観察", "蛍光|顕微鏡|による|細胞|分裂|の|観察"),
            ("マウスの脳をライトシート顕微鏡で撮影", "マウス|の|脳|を|ライトシート|顕微鏡|で|撮影"),
            ("荧光显微镜观察细胞分裂", "荧光|显微镜|观察|细胞|分裂"),
        ] {
            assert_eq!(cut(text), words);
        }
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
