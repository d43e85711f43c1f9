//! Conditional requests (RFC 9110 §13) against one strong entity tag.

use axum::http::{HeaderMap, header};

/// What the preconditions of a request ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answer as usual.
    Proceed,
    /// The client has it already: 304.
    NotModified,
    /// The client wants another one: 412.
    Failed,
}

/// Weighs `If-Match` and `If-None-Match`.
pub(crate) fn weigh(headers: &HeaderMap, etag: &str) -> Verdict {
    if let Some(wanted) = text(headers, &header::IF_MATCH) {
        // If-Match compares strongly (RFC 9110 §13.1.1).
        if !matches(wanted, |tag| tag == etag) {
            return Verdict::Failed;
        }
    }
    if let Some(held) = text(headers, &header::IF_NONE_MATCH)
        && matches(held, |tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
    {
        return Verdict::NotModified;
    }
    Verdict::Proceed
}

/// Whether a `Range` applies: without `If-Range`, or when it names this very entity (RFC 9110 §13.1.5).
pub(crate) fn range_applies(headers: &HeaderMap, etag: &str) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == etag.as_bytes())
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn matches(list: &str, same: impl Fn(&str) -> bool) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || same(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::HeaderName::from_static(name), header::HeaderValue::from_static(value))])
    }

    #[test]
    fn a_known_tag_means_not_modified() {
        for value in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*"] {
            assert_eq!(weigh(&headers("if-none-match", value), "\"a\""), Verdict::NotModified, "{value}");
        }
        assert_eq!(weigh(&headers("if-none-match", "\"b\""), "\"a\""), Verdict::Proceed);
    }

    #[test]
    fn another_tag_fails_a_match() {
        assert_eq!(weigh(&headers("if-match", "\"b\""), "\"a\""), Verdict::Failed);
        assert_eq!(weigh(&headers("if-match", "W/\"a\""), "\"a\""), Verdict::Failed);
        assert_eq!(weigh(&headers("if-match", "\"a\""), "\"a\""), Verdict::Proceed);
    }

    #[test]
    fn a_range_of_something_else_does_not_apply() {
        assert!(range_applies(&HeaderMap::new(), "\"a\""));
        assert!(range_applies(&headers("if-range", "\"a\""), "\"a\""));
        assert!(!range_applies(&headers("if-range", "\"b\""), "\"a\""));
        assert!(!range_applies(&headers("if-range", "Sat, 21 Nov 2026 10:00:00 GMT"), "\"a\""));
    }
}
