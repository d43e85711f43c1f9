//! How numbers, sizes and days are written for people.

use dataset_model::Timestamp;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `1252` as `1,252`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 record`, `2 records`.
pub(crate) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `1234567` as `1.2 MB` (powers of ten, as disks and papers count).
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return count(bytes, "byte", "bytes");
    }
    let size = u128::from(bytes);
    let in_units = |scale: u128| (size + scale / 2) / scale;
    let (mut scale, mut units) = (1000, UNITS.into_iter());
    let mut unit = units.next().unwrap_or_default();
    while in_units(scale) >= 1000 {
        let Some(larger) = units.next() else { break };
        (scale, unit) = (scale * 1000, larger);
    }
    // Rounded once, from the bytes: 123,456,789 is 123 MB, not 124.
    let tenths = in_units(scale / 10);
    if tenths >= 1000 {
        format!("{} {unit}", in_units(scale))
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// `2026-11-21` as `21 November 2026`, `2026-11` as `November 2026`; anything else as it is.
pub(crate) fn day(text: &str) -> String {
    let month = |text: &str| text.parse::<usize>().ok().and_then(|number| MONTHS.get(number.checked_sub(1)?).copied());
    let mut parts = text.split('-');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(of), Some(day), None) if day.len() == 2 => match month(of) {
            Some(month) => format!("{} {month} {year}", day.trim_start_matches('0')),
            None => text.to_owned(),
        },
        (Some(year), Some(of), None, None) => month(of).map_or(text.to_owned(), |month| format!("{month} {year}")),
        _ => text.to_owned(),
    }
}

/// `21 November 2026, 10:00 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{}, {} UTC", day(&time.date()), text.get(11..16).unwrap_or_default())
}

/// The beginning of a text, cut between words, with an ellipsis where something is left out.
pub(crate) fn beginning(text: &str, length: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let head: String = text.chars().take(length).collect();
    let cut = head.rfind(char::is_whitespace).and_then(|at| head.get(..at)).filter(|cut| !cut.is_empty());
    format!("{}…", cut.unwrap_or(&head).trim_end_matches([',', ';', ':', '.', ' ']))
}

/// The first digits of a digest, enough to compare by eye.
pub(crate) fn short_digest(digest: &str) -> String {
    digest.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_rounded() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (1_234_567, "1.2 MB"),
            (999_499, "999 kB"),
            (999_960, "1.0 MB"),
            (123_456_789, "123 MB"),
            (5_000_000_000_000, "5.0 TB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (size, text) in cases {
            assert_eq!(bytes(size), text, "{size}");
        }
    }

    #[test]
    fn numbers_have_thousands_apart() {
        assert_eq!(
            (number(0), number(999), number(1252), number(1_000_000)),
            ("0".into(), "999".into(), "1,252".into(), "1,000,000".into())
        );
    }

    #[test]
    fn days_of_any_precision_are_readable() {
        assert_eq!(day("2026-11-21"), "21 November 2026");
        assert_eq!(day("2026-02-03"), "3 February 2026");
        assert_eq!(day("2026-11"), "November 2026");
        assert_eq!(day("2026"), "2026");
        for odd in ["", "2026-13-01", "soon", "1-2-3-4"] {
            assert_eq!(day(odd), odd);
        }
        assert_eq!(moment("2026-11-21T09:05:00Z".parse().unwrap()), "21 November 2026, 09:05 UTC");
    }

    #[test]
    fn long_texts_end_between_words() {
        assert_eq!(beginning("one two, three", 9), "one two…");
        assert_eq!(beginning("short", 9), "short");
        assert_eq!(beginning("äöüäöüäöü", 4), "äöüä…");
    }
}
