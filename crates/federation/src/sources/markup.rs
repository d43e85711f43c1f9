//! As much of HTML as is needed to find links in pages of strangers: tags with their attributes, in one pass.

use std::collections::HashMap;

/// A tag that opens, or the text of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A tag's name and attributes, names in lower case.
    Tag(String, HashMap<String, String>),
    /// A script: its `type`, and its text.
    Script(String, String),
}

/// The tags and scripts of a page, in order. What is no HTML gives few or none.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (name, attributes, after) = tag(rest);
        rest = after;
        if name == "script" || name == "style" {
            let end = find_ignoring_case(rest, &format!("</{name}"));
            let (script, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after;
            if name == "script" {
                let kind = attributes.get("type").cloned().unwrap_or_default();
                pieces.push(Piece::Script(kind.trim().to_lowercase(), script.to_owned()));
            }
            continue;
        }
        pieces.push(Piece::Tag(name, attributes));
    }
    pieces
}

/// Reads a tag from behind its `<`; gives what follows its `>`.
fn tag(text: &str) -> (String, HashMap<String, String>, &str) {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
    let name = text[..end].to_ascii_lowercase();
    let mut attributes = HashMap::new();
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (name, attributes, "");
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (name, attributes, after);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len()).max(1);
        // The first character may be one of several bytes.
        let end = (end..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let key = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            attributes.entry(key).or_default();
            continue;
        };
        let (value, after) = value(after.trim_start());
        attributes.entry(key).or_insert_with(|| decoded(value));
        rest = after;
    }
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len()))
}

/// Text with its character references replaced, as far as they are known.
fn decoded(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// Where an ASCII text stands in another, whatever the case.
pub(super) fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn links(text: &str) -> Vec<String> {
        let href = |piece: Piece| match piece {
            Piece::Tag(_, mut attributes) => attributes.remove("href"),
            Piece::Script(..) => None,
        };
        pieces(text).into_iter().filter_map(href).collect()
    }

    #[test]
    fn links_are_found_however_they_are_written() {
        let text = "<A HREF=\"a&amp;b.json\">x</a><a class=x href='c d'><!-- <a href=no> --><a href=e>f<br/><a\nhref = \"g\"/>\
                    <script type='Application/LD+JSON'>{\"a\": \"<a href=no>\"}</SCRIPT ><a é href=h>";
        assert_eq!(links(text), ["a&b.json", "c d", "e", "g", "h"]);
        let script = Piece::Script("application/ld+json".into(), "{\"a\": \"<a href=no>\"}".into());
        assert!(pieces(text).contains(&script));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[<>a-z='\" /!é-]{0,200}") {
            pieces(&text);
        }
    }
}
