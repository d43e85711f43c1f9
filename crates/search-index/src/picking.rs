//! Words of a text among which some are looked for: the others are passed over before they are stemmed.

use std::collections::BTreeSet;

use tantivy::tokenizer::{Token, TokenFilter, TokenStream, Tokenizer};

/// Empties the tokens that begin with none of these letters. English stemming keeps the first letter, so that none of them
/// could become one of the words looked for.
#[derive(Debug, Clone)]
pub(crate) struct Picking(BTreeSet<char>);

impl Picking {
    /// Passes over all that begins like none of the words.
    pub(crate) fn like<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        Self(words.filter_map(|word| word.chars().next()).collect())
    }
}

impl TokenFilter for Picking {
    type Tokenizer<T: Tokenizer> = PickingTokenizer<T>;

    fn transform<T: Tokenizer>(self, inner: T) -> PickingTokenizer<T> {
        PickingTokenizer { picking: self, inner }
    }
}

#[derive(Clone)]
pub(crate) struct PickingTokenizer<T> {
    picking: Picking,
    inner: T,
}

impl<T: Tokenizer> Tokenizer for PickingTokenizer<T> {
    type TokenStream<'a> = PickingStream<'a, T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        PickingStream { picking: &self.picking, tail: self.inner.token_stream(text) }
    }
}

pub(crate) struct PickingStream<'a, S> {
    picking: &'a Picking,
    tail: S,
}

impl<S: TokenStream> TokenStream for PickingStream<'_, S> {
    fn advance(&mut self) -> bool {
        if !self.tail.advance() {
            return false;
        }
        let text = &mut self.tail.token_mut().text;
        if text.chars().next().is_none_or(|first| !self.picking.0.contains(&first)) {
            text.clear();
        }
        true
    }

    fn token(&self) -> &Token {
        self.tail.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.tail.token_mut()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::analysis::{Form, Side, analyzer, tokens};

    fn keeps_its_first_letter(word: &str) {
        let (mut plain, mut stemmed) = (analyzer(Form::Plain, Side::Record), analyzer(Form::Stemmed, Side::Record));
        let first = |text: &str| text.chars().next();
        for (word, stem) in tokens(&mut plain, word).iter().zip(tokens(&mut stemmed, word)) {
            assert_eq!(first(&word.text), first(&stem.text), "{} {}", word.text, stem.text);
        }
    }

    #[test]
    fn irregular_stems_keep_their_first_letter() {
        ["skies", "dying", "lying", "tying", "idly", "yeast", "'tis", "ÉCOLE", "news", "s"]
            .into_iter()
            .for_each(keeps_its_first_letter);
    }

    proptest! {
        #[test]
        fn stems_keep_their_first_letter(word in "[a-zA-Z'’éß]{1,12}") {
            keeps_its_first_letter(&word);
        }
    }
}
