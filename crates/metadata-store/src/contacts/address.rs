//! E-mail addresses in running text, also where their writers hid them a little.

/// What stands where an address was.
const REMOVED: &str = "[e-mail address removed]";
/// The longest part before the sign that is looked at, in characters (RFC 5321 §4.5.3.1.1 allows 64).
const MAX_LOCAL: usize = 128;
/// The longest part after it (RFC 5321 §4.5.3.1.2).
const MAX_DOMAIN: usize = 255;
/// Spellings of the sign in the middle.
const SIGNS: [&str; 6] = ["@", "＠", "﹫", "%40", "&#64;", "&commat;"];
/// Endings of file names that no country or registry has: `photo@2x.png` is a file.
const FILE_ENDINGS: [&str; 19] = [
    "png", "jpg", "jpeg", "gif", "tif", "tiff", "ome", "zarr", "ozx", "czi", "lif", "lsm", "ims", "json", "xml", "txt",
    "csv", "tsv", "pdf",
];

/// The text with every address replaced; nothing when there is none.
pub(crate) fn without_addresses(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut from = 0;
    for (at, sign) in signs(text) {
        let Some((start, end)) = address_around(text, at, sign).filter(|(_, end)| *end > from) else {
            continue;
        };
        // What begins within the address before belongs to it.
        if start >= from {
            kept.push_str(text.get(from..start)?);
            kept.push_str(REMOVED);
        }
        from = end;
    }
    (from > 0).then(|| kept + text.get(from..).unwrap_or_default())
}

/// Whether a text has anything that a sign begins with, or that may hide one; looked at before all else, as most texts have none.
pub(super) fn may_have_sign(text: &str) -> bool {
    // `＠` and `﹫` begin with this byte.
    const WIDE: u8 = 0xef;
    text.bytes().any(|byte| matches!(byte, b'@' | b'%' | b'&' | b'[' | b'(' | b'{' | WIDE))
}

/// Where the signs stand, with their lengths in bytes.
fn signs(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let possible = text.match_indices(['@', '＠', '﹫', '%', '&', '[', '(', '{']);
    possible.filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let plain =
            SIGNS.iter().find(|sign| rest.get(..sign.len()).is_some_and(|head| head.eq_ignore_ascii_case(sign)));
        plain.map(|sign| sign.len()).or_else(|| in_brackets(rest)).map(|length| (at, length))
    })
}

/// The length of `[at]`, `( AT )` or the like, blanks after it included.
fn in_brackets(text: &str) -> Option<usize> {
    let inside = text.strip_prefix(['[', '(', '{'])?.trim_start_matches(' ');
    let after = inside.get(..2).filter(|word| word.eq_ignore_ascii_case("at")).and_then(|_| inside.get(2..))?;
    let rest = after.trim_start_matches(' ').strip_prefix([']', ')', '}'])?.trim_start_matches(' ');
    Some(text.len() - rest.len())
}

/// Start and end of the address around a sign.
fn address_around(text: &str, at: usize, sign: usize) -> Option<(usize, usize)> {
    let before = text.get(..at)?;
    let before = if text.get(at..)?.starts_with(['[', '(', '{']) { before.trim_end_matches(' ') } else { before };
    let local = before.char_indices().rev().take(MAX_LOCAL).take_while(|(_, c)| is_local(*c));
    let start = local.last()?.0;
    let after = text.get(at + sign..)?;
    let length: usize = after.chars().take(MAX_DOMAIN).take_while(|c| is_domain(*c)).map(char::len_utf8).sum();
    let host = host(after.get(..length)?)?;
    Some((start, at + sign + host.len()))
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "._%+-'".contains(c) || is_invisible(c)
}

fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || "-._".contains(c) || is_invisible(c)
}

/// Characters that nobody sees, and that would make an address look like none.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}')
}

/// The longest beginning that is a host name: at least two names, the last one of letters.
fn host(mut text: &str) -> Option<&str> {
    loop {
        text = text.trim_end_matches(|c: char| "-._".contains(c) || is_invisible(c));
        let (rest, top) = text.rsplit_once('.')?;
        let top: String = top.chars().filter(|c| !is_invisible(*c)).collect();
        let letters = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
        let is_top = letters || top.starts_with("xn--");
        if is_top && !FILE_ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(&top)) {
            return Some(text);
        }
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_removed_wherever_they_stand() {
        let removed = without_addresses("write to Ann.Example@lab.example.org, or (b@c.example.de).").unwrap();
        assert_eq!(removed, "write to [e-mail address removed], or ([e-mail address removed]).");
    }

    #[test]
    fn addresses_that_are_hidden_a_little_are_found() {
        for text in [
            "ann＠example.org",
            "ann%40example.org",
            "ann&#64;example.org",
            "ann [at] example.org",
            "ann(at)example.org",
            "ann{ AT }example.org",
            "ann@exam\u{200b}ple.o\u{ad}rg",
            "ann@example.org.2",
            "ann@bücher.example",
            "ann@example.xn--p1ai",
            "mailto:ann@example.org?subject=x",
        ] {
            let removed = without_addresses(&format!("Ask {text} soon")).unwrap_or_else(|| panic!("{text}"));
            assert!(removed.starts_with("Ask ") && removed.ends_with(" soon"), "{removed}");
            assert!(!removed.contains("ann") && !removed.contains("ple"), "{removed}");
        }
    }

    #[test]
    fn what_is_no_address_stays() {
        for harmless in [
            "10 ms @ 40x",
            "@graph",
            "a@b",
            "user@localhost",
            "@@@.org",
            "HA@PPCDQ",
            "photo@2x.png",
            "40x@1.5.tif",
            "cells@day3.ome.zarr",
            "heat (at) 37.5",
            "100%40 of it",
            "R&D",
            "f(x)",
            "[at]",
        ] {
            assert_eq!(without_addresses(harmless), None, "{harmless}");
        }
    }

    #[test]
    fn long_texts_made_of_signs_take_no_time() {
        for part in ["a%40", "@", "a@", "[at]", "a.b@c.", "(("] {
            drop(without_addresses(&part.repeat(200_000)));
        }
    }
}
