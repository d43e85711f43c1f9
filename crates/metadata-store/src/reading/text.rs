//! Literals as people meant them: without invisible characters, placeholders and markup.

use std::borrow::Cow;

/// Removes zero-width and control characters and blanks at the ends; a no-break space becomes a space.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let dirty = |c: char| is_invisible(c) || c == '\u{a0}' || (c.is_control() && !matches!(c, '\n' | '\t'));
    if !text.contains(dirty) && text.trim().len() == text.len() {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter(|c| !is_invisible(*c)).filter_map(|c| match c {
        '\u{a0}' => Some(' '),
        '\n' | '\t' => Some(c),
        _ if c.is_control() => None,
        _ => Some(c),
    });
    Cow::Owned(kept.collect::<String>().trim().to_owned())
}

/// Zero-width characters that carry no meaning; joiners do, in Indic scripts and emoji.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
}

/// Whether a text only says that there is none.
pub(super) fn is_placeholder(text: &str) -> bool {
    ["none", "n/a", "null", "nan", "-", "--", "n.a.", "tbd", "not available", "not applicable"]
        .iter()
        .any(|placeholder| placeholder.eq_ignore_ascii_case(text))
}

const ENTITIES: [(&str, &str); 7] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&apos;", "'"),
    ("&nbsp;", " "),
    // Last, so that `&amp;lt;` stays what its author wrote.
    ("&amp;", "&"),
];

const TAGS: [&str; 17] =
    ["em", "i", "b", "strong", "sub", "sup", "p", "br", "u", "span", "div", "a", "ul", "ol", "li", "font", "html"];

/// The text without HTML entities and common HTML tags.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Borrowed(text);
    }
    let decoded = ENTITIES.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
    let stripped = strip_tags(&decoded);
    if stripped == text { Cow::Borrowed(text) } else { Cow::Owned(stripped) }
}

fn strip_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        match after.split_once('>').filter(|(tag, _)| is_tag(tag)) {
            Some((tag, after)) => {
                if matches!(tag.trim_start_matches('/'), "p" | "br" | "br/" | "br /" | "li" | "div")
                    && !plain.ends_with(' ')
                {
                    plain.push(' ');
                }
                rest = after;
            }
            None => {
                plain.push('<');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

fn is_tag(inside: &str) -> bool {
    let name: String = inside.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
    inside.len() < 500 && TAGS.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_go_and_meaning_stays() {
        assert_eq!(clean(" a\u{200b}b\u{a0}c\n\u{feff}"), "ab c");
        assert_eq!(clean("二光子 顕微鏡"), "二光子 顕微鏡");
        assert_eq!(clean("bell\u{7}"), "bell");
        assert!(matches!(clean("as it was\nwritten"), Cow::Borrowed(_)));
    }

    #[test]
    fn markup_goes_and_mathematics_stays() {
        assert_eq!(plain("via giant &lt;em&gt;Dictyostelium&lt;/em&gt; cells"), "via giant Dictyostelium cells");
        assert_eq!(plain("<p>one</p><p>two</p>"), "one two");
        assert_eq!(plain("a < b and b > c"), "a < b and b > c");
        assert_eq!(plain("R&D"), "R&D");
    }
}
