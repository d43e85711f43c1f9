//! Changes one member of a JSON text and leaves every other byte as it is: numbers keep their digits, keys their order.
//! The texts were parsed before, so that this need not say what is wrong with one that is not JSON.

use std::ops::Range;

/// A member of an object, or an item of a list.
struct Member {
    /// From the key, or the item itself.
    start: usize,
    value: Range<usize>,
}

/// Puts a member in front of the others of the object at a place.
pub(super) fn insert(text: &[u8], place: &[&str], key: &str, value: &str) -> Option<Vec<u8>> {
    let object = find(text, place)?.value;
    let inside = object.start + 1;
    let is_empty = text.get(skip_space(text, inside))? == &b'}';
    let member = format!("\"{key}\": {value}{}", if is_empty { "" } else { ", " });
    (text.get(object.start)? == &b'{').then(|| [&text[..inside], member.as_bytes(), &text[inside..]].concat())
}

/// Puts another value at a place.
pub(super) fn replace(text: &[u8], place: &[&str], value: &str) -> Option<Vec<u8>> {
    let old = find(text, place)?.value;
    Some([text.get(..old.start)?, value.as_bytes(), text.get(old.end..)?].concat())
}

/// Takes a member out of its object, with the comma that parts it from its neighbour.
pub(super) fn remove(text: &[u8], place: &[&str]) -> Option<Vec<u8>> {
    let member = find(text, place)?;
    let behind = skip_space(text, member.value.end);
    let (mut start, mut end) = (member.start, member.value.end);
    if text.get(behind)? == &b',' {
        end = skip_space(text, behind + 1);
    } else {
        let before = text.get(..start)?.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
        if text.get(before)? == &b',' {
            start = before;
        }
    }
    Some([text.get(..start)?, text.get(end..)?].concat())
}

fn find(text: &[u8], place: &[&str]) -> Option<Member> {
    let start = skip_space(text, 0);
    let mut found = Member { start, value: start..skip_value(text, start)? };
    for part in place {
        found = member(text, found.value.start, part)?;
    }
    Some(found)
}

/// The last member of that name, which is the one that parsers take; or the item with that number.
fn member(text: &[u8], start: usize, name: &str) -> Option<Member> {
    let is_object = match text.get(start)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut at = skip_space(text, start + 1);
    let mut index = 0usize;
    let mut found = None;
    while !matches!(text.get(at)?, b'}' | b']') {
        let begin = at;
        let mut is_wanted = !is_object && name.parse() == Ok(index);
        if is_object {
            let end = skip_value(text, at)?;
            is_wanted = serde_json::from_slice::<String>(text.get(at..end)?).ok()? == name;
            at = skip_space(text, skip_space(text, end) + 1);
        }
        let end = skip_value(text, at)?;
        if is_wanted {
            found = Some(Member { start: begin, value: at..end });
        }
        at = skip_space(text, end);
        if text.get(at)? == &b',' {
            at = skip_space(text, at + 1);
        }
        index += 1;
    }
    found
}

fn skip_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len())
}

/// Where the value that begins here ends.
fn skip_value(text: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    loop {
        match text.get(at)? {
            b'"' => at = skip_text(text, at)?,
            b'{' | b'[' => (depth, at) = (depth + 1, at + 1),
            b'}' | b']' => (depth, at) = (depth.checked_sub(1)?, at + 1),
            b',' | b':' => at += 1,
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                let rest = text.get(at..)?;
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace();
                at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn skip_text(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TEXT: &str = r#"{ "a": [1.50, {"b\"": 1e5, "c": "x,}"}], "d": {}, "e": 0.15000000000000002 }"#;

    fn done(change: Option<Vec<u8>>) -> String {
        String::from_utf8(change.unwrap()).unwrap()
    }

    #[test]
    fn only_the_member_changes() {
        let text = TEXT.as_bytes();
        assert_eq!(done(insert(text, &["d"], "v", "1")), TEXT.replace("{}", r#"{"v": 1}"#));
        assert_eq!(done(insert(text, &["a", "1"], "v", "1")), TEXT.replace(r#"{"b"#, r#"{"v": 1, "b"#));
        assert_eq!(done(replace(text, &["a", "1", "b\""], "7")), TEXT.replace("1e5", "7"));
        assert_eq!(done(remove(text, &["a"])), r#"{ "d": {}, "e": 0.15000000000000002 }"#);
        assert_eq!(done(remove(text, &["a", "1", "c"])), TEXT.replace(r#", "c": "x,}""#, ""));
        assert_eq!(done(remove(b"{\"a\": 1}", &["a"])), "{}");
        for place in [&["x"][..], &["a", "2"], &["e", "f"]] {
            assert_eq!(remove(text, place), None);
        }
    }

    proptest! {
        #[test]
        fn a_removed_member_is_gone_and_the_rest_is_there(keys in proptest::collection::btree_set("[a-c\"\\\\]{1,2}", 1..5), at: prop::sample::Index, pretty: bool) {
            let keys: Vec<String> = keys.into_iter().collect();
            let object: serde_json::Map<String, Value> =
                keys.iter().map(|key| (key.clone(), json!([{"k": key}, 1, "],"]))).collect();
            let value = json!({"o": object});
            let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
            let gone = at.get(keys.as_slice());
            let mut expected = value;
            expected["o"].as_object_mut().unwrap().remove(gone);
            let left = remove(&text, &["o", gone]).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&left).unwrap(), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (insert(&text, &["a"], "k", "1"), remove(&text, &["a", "0"]), replace(&text, &["a"], "1"));
        }
    }
}
