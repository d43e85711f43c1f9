//! Byte ranges (RFC 9110 §14): single, suffix and multiple.

use std::ops::Range;

/// Ranges one request may ask for; more is a way to make a server work for nothing (RFC 9110 §17.15).
const MOST_RANGES: usize = 64;

/// What a `Range` header asks of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// No range, or one in units nobody knows: the whole.
    Whole,
    /// These parts, in the order asked for.
    Parts(Vec<Range<u64>>),
    /// Nothing that the file has.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `size` bytes.
pub(crate) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(list) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Wanted::Whole };
    let mut parts = Vec::new();
    for spec in list.split(',').map(str::trim) {
        match read(spec, size) {
            // A header that is not well formed is ignored (RFC 9110 §14.2).
            None => return Wanted::Whole,
            Some(range) if range.is_empty() => {}
            Some(range) => parts.push(range),
        }
    }
    if parts.is_empty() || parts.len() > MOST_RANGES { Wanted::Unsatisfiable } else { Wanted::Parts(parts) }
}

/// `Content-Range` of one part.
pub(crate) fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1))
}

/// One range, empty when the file does not reach it.
fn read(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let length: u64 = digits(last)?;
        return Some(size.saturating_sub(length)..size);
    }
    let first = digits(first)?;
    let end = if last.is_empty() { size } else { digits(last)?.checked_add(1)?.min(size) };
    if !last.is_empty() && digits(last)? < first {
        return None;
    }
    Some(first.min(size)..end.max(first.min(size)))
}

fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of one range are what is tested")]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_specification() {
        for (header, expected) in [
            ("bytes=0-499", vec![0..500]),
            ("bytes=500-", vec![500..1000]),
            ("bytes=-200", vec![800..1000]),
            ("bytes=-2000", vec![0..1000]),
            ("bytes=900-5000", vec![900..1000]),
            ("bytes=0-0,-1", vec![0..1, 999..1000]),
            ("bytes=0-0, 2000-3000", vec![0..1]),
        ] {
            assert_eq!(wanted(Some(header), 1000), Wanted::Parts(expected), "{header}");
        }
    }

    #[test]
    fn what_the_file_does_not_have_and_what_cannot_be_read() {
        for header in ["bytes=1000-", "bytes=2000-3000", "bytes=-0"] {
            assert_eq!(wanted(Some(header), 1000), Wanted::Unsatisfiable, "{header}");
        }
        for header in ["lines=1-2", "bytes=b-a", "bytes=5-2", "bytes=", "bytes=--1", "bytes=1-99999999999999999999999"]
        {
            assert_eq!(wanted(Some(header), 1000), Wanted::Whole, "{header}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
        let many = format!("bytes={}", vec!["0-0"; 100].join(","));
        assert_eq!(wanted(Some(&many), 1000), Wanted::Unsatisfiable);
    }
}
