/// One thing the text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// The words, as typed.
    pub(crate) text: String,
    /// They stood in quotes.
    pub(crate) quoted: bool,
    /// A minus stood before them: records with them are left out.
    pub(crate) excluded: bool,
    /// A star stood behind it: it is the beginning of a word.
    pub(crate) beginning: bool,
}

impl Clause {
    /// As it is typed.
    pub(crate) fn written(&self) -> String {
        let (minus, star) = (if self.excluded { "-" } else { "" }, if self.beginning { "*" } else { "" });
        let quote = if self.quoted { "\"" } else { "" };
        format!("{minus}{quote}{}{quote}{star}", self.text)
    }
}

/// Reads what a person typed: words, `"phrases"`, `-exclusions` and `beginnings*`. A quote without a partner is no quote; anything else
/// that looks like syntax is just words.
pub(crate) fn parse(text: &str) -> Vec<Clause> {
    let clean: String = text.chars().map(normal_char).collect();
    let mut rest = clean.trim_start();
    let mut clauses = Vec::new();
    while !rest.is_empty() {
        let (clause, after) = next_clause(rest);
        clauses.extend(clause.filter(|clause| clause.text.chars().any(char::is_alphanumeric)));
        rest = after.trim_start();
    }
    clauses
}

/// Control characters separate words; typographic quotes are quotes.
fn normal_char(c: char) -> char {
    match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{300c}' | '\u{300d}' => '"',
        c if c.is_control() => ' ',
        c => c,
    }
}

fn next_clause(text: &str) -> (Option<Clause>, &str) {
    let (excluded, body) = match text.strip_prefix('-') {
        Some(body) if body.starts_with(|c: char| c == '"' || c.is_alphanumeric()) => (true, body),
        _ => (false, text),
    };
    let clause = |text: &str, quoted: bool| {
        let beginning = !quoted && text.ends_with('*');
        let text = if beginning { text.trim_end_matches('*') } else { text }.to_owned();
        Some(Clause { text, quoted, excluded, beginning })
    };
    match body.strip_prefix('"') {
        Some(inner) => match inner.split_once('"') {
            Some((phrase, after)) => (clause(phrase, true), after),
            None => (None, inner),
        },
        None => {
            let end = body.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(body.len());
            let (word, after) = body.split_at(end);
            (clause(word, false), after)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<String> {
        parse(text).iter().map(Clause::written).collect()
    }

    #[test]
    fn words_phrases_and_exclusions_are_told_apart() {
        assert_eq!(read("mouse \"light sheet\" -human"), ["mouse", "\"light sheet\"", "-human"]);
        assert_eq!(read("S-BIAD595 -\"two words\""), ["S-BIAD595", "-\"two words\""]);
        assert_eq!(read("“細胞 分裂”"), ["\"細胞 分裂\""]);
        assert_eq!(read("mito* -pro* \"a*\" * 5*x"), ["mito*", "-pro*", "\"a*\"", "5*x"]);
    }

    #[test]
    fn broken_syntax_is_taken_as_words() {
        assert_eq!(read("\"light sheet"), ["light", "sheet"]);
        assert_eq!(read("mouse\" brain"), ["mouse", "brain"]);
        assert_eq!(read("title:(a AND [b TO *]) - -- + ~ ^2"), ["title:(a", "AND", "[b", "TO", "^2"]);
        assert_eq!(read("a\0b\u{7}\n"), ["a", "b"]);
        assert!(read("-\"\" \"\" !!! -").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_is_refused_and_no_word_is_lost(text in "[\"\\- a-c\\PC]{0,40}") {
            let kept: usize = parse(&text).iter().map(|c| c.text.chars().filter(|c| c.is_alphanumeric()).count()).sum();
            prop_assert_eq!(kept, text.chars().filter(|c| c.is_alphanumeric()).count());
        }
    }
}
