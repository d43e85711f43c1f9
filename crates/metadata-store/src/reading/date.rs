//! Dates as crates write them.

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; times of day are left out. Nothing when it means no one day.
pub(super) fn read(text: &str) -> Option<String> {
    let text = text.trim();
    let day = text.split(['T', ' ']).next().unwrap_or(text);
    iso(day)
        .filter(|_| day.len() == text.len() || is_time(text.get(day.len()..)))
        .or_else(|| compact(text))
        .or_else(|| named(text))
}

/// Whether what follows a day is a time of day.
fn is_time(rest: Option<&str>) -> bool {
    rest.and_then(|rest| rest.get(1..3)).is_some_and(|hour| hour.bytes().all(|byte| byte.is_ascii_digit()))
}

fn iso(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let (year, rest) = parts.split_first()?;
    let year = (year.len() == 4).then(|| year.parse::<u16>().ok()).flatten()?;
    let number = |part: &&str| if part.len() <= 2 { part.parse::<u8>().ok() } else { None };
    match rest {
        [] => date(year, None, None),
        [month] => date(year, Some(number(month)?), None),
        [month, day] => date(year, Some(number(month)?), Some(number(day)?)),
        _ => None,
    }
}

/// `20250429`.
fn compact(text: &str) -> Option<String> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let small = |range| part(range).and_then(|number| u8::try_from(number).ok());
    if digits { date(part(0..4)?, Some(small(4..6)?), Some(small(6..8)?)) } else { None }
}

/// `29 April 2025` and `April 29, 2025`.
fn named(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [one, two, year] = words.as_slice() else {
        return None;
    };
    let (month, day) = if one.starts_with(|c: char| c.is_ascii_digit()) { (two, one) } else { (one, two) };
    let month = month.to_lowercase();
    let number = MONTHS.iter().position(|name| month.starts_with(name))?;
    let day = day.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
    date(year.parse().ok()?, u8::try_from(number + 1).ok(), Some(day))
}

fn date(year: u16, month: Option<u8>, day: Option<u8>) -> Option<String> {
    if !(1000..=9999).contains(&year) {
        return None;
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match (month, day) {
        (None, _) => Some(format!("{year}")),
        (Some(month @ 1..=12), None) => Some(format!("{year}-{month:02}")),
        (Some(month), Some(day)) => {
            let last = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                1..=12 => 31,
                _ => 0,
            };
            (1..=last).contains(&day).then(|| format!("{year}-{month:02}-{day:02}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_mean_one_day_are_read() {
        for text in [
            "2025-04-29",
            "2025-04-29T10:00:00Z",
            "2025-04-29 10:00",
            "2025/04/29",
            "2025.4.29",
            "20250429",
            "29 April 2025",
            "April 29, 2025",
            "29th Apr 2025",
        ] {
            assert_eq!(read(text).as_deref(), Some("2025-04-29"), "{text}");
        }
        assert_eq!(read("2025").as_deref(), Some("2025"));
        assert_eq!(read("2024-02-29").as_deref(), Some("2024-02-29"));
    }

    #[test]
    fn dates_that_mean_none_or_several_are_not() {
        for text in
            ["", "None", "03/04/2025", "2025-13-01", "2025-02-29", "soon", "2025-04-29 soon", "0000-00-00", "٢٠٢٥"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
