//! Version names and numbers (section 3.4).

use std::collections::BTreeMap;

use super::faults::Faults;

/// The number in a version's name; nothing when it is no version's name.
pub(super) fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('v').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|number| *number > 0)
}

/// Checks that names are one unbroken sequence from 1, all padded alike; gives them by number.
pub(super) fn check_sequence<'a>(
    names: impl Iterator<Item = &'a str>,
    at: &str,
    faults: &mut Faults,
) -> BTreeMap<u32, &'a str> {
    let mut by_number = BTreeMap::new();
    for name in names {
        match number(name) {
            None => faults.add("E046", at, format!("'{name}' is no name of a version")),
            Some(number) => {
                by_number.insert(number, name);
            }
        }
    }
    match by_number.first_key_value() {
        None => faults.add("E008", at, "there must be at least one version"),
        Some((1, _)) => {}
        Some((first, _)) => faults.add("E009", at, format!("the first version is {first}, not 1")),
    }
    for (before, (after, name)) in by_number.keys().zip(by_number.iter().skip(1)) {
        if *after != before + 1 {
            faults.add("E010", at, format!("before '{name}' a version is missing"));
        }
    }
    check_padding(&by_number, at, faults);
    by_number
}

fn check_padding(by_number: &BTreeMap<u32, &str>, at: &str, faults: &mut Faults) {
    let is_padded = |name: &str| name.starts_with("v0");
    let Some(first) = by_number.values().next() else { return };
    if is_padded(first) {
        faults.add("W001", at, "version names should not be padded with zeros");
    }
    for name in by_number.values() {
        if is_padded(name) != is_padded(first) {
            let code = if is_padded(first) { "E011" } else { "E012" };
            faults.add(code, at, format!("'{name}' is not padded as '{first}' is"));
        } else if is_padded(name) && name.len() != first.len() {
            faults.add("E012", at, format!("'{name}' is not as long as '{first}'"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(names: &[&str]) -> Vec<&'static str> {
        let mut faults = Faults::default();
        check_sequence(names.iter().copied(), "", &mut faults);
        faults.into_vec().iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn versions_count_from_one_without_gaps_in_one_manner() {
        assert_eq!(codes(&["v1", "v2", "v10"]), ["E010"]);
        assert_eq!(codes(&["v2"]), ["E009"]);
        assert_eq!(codes(&[]), ["E008"]);
        assert_eq!(codes(&["v0", "v1", "1"]), ["E046", "E046"]);
        assert_eq!(codes(&["v01", "v2"]), ["W001", "E011"]);
        assert_eq!(codes(&["v1", "v02"]), ["E012"]);
        assert_eq!(codes(&["v01", "v002"]), ["W001", "E012"]);
    }
}
