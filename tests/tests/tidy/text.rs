//! What no tracked text may hold: places that exist on one machine only.

use crate::{assert_none, sources};

/// Folders of somebody's machine, and hosts that package clients are configured with. Written in two parts, so that
/// this file does not find itself.
const PLACES: [[&str; 2]; 9] = [
    ["/wo", "rk/"],
    ["/tmp/", "t/"],
    ["/root", "/"],
    ["index.", "crates.io"],
    ["static.", "crates.io"],
    ["pypi", ".org"],
    ["pythonhosted", ".org"],
    ["deb.debian", ".org"],
    ["npmjs", ".org"],
];

/// Data that is kept as its publishers wrote it.
const KEPT_AS_IT_CAME: [&str; 4] = [".obo", ".jsonld", ".csv", ".snap"];

#[test]
fn no_text_names_a_place_on_one_machine() {
    let mut faults = Vec::new();
    for path in sources::tracked().into_iter().filter(|path| !KEPT_AS_IT_CAME.iter().any(|end| path.ends_with(end))) {
        let Some(text) = sources::read(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            let place = PLACES.iter().map(|halves| halves.concat()).find(|place| names(line, place));
            if let Some(place) = place {
                faults.push(format!("{path}:{}: {place}", at + 1));
            }
        }
    }
    assert_none(&faults, "Use a path from the checkout, a variable with a default, or leave it out.");
}

/// Whether a line holds the place; within a longer path or address it is another one.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place)
        .any(|(at, _)| !place.starts_with('/') || !line[..at].ends_with(|c: char| !" \t\"'`(=:<[,".contains(c)))
}

#[test]
fn a_folder_within_an_address_is_no_place() {
    let [start, end] = PLACES[0];
    let folder = format!("{start}{end}");
    assert!(names(&format!("cd {folder}main"), &folder));
    assert!(names(&format!("{folder}main"), &folder));
    assert!(!names(&format!("https://example.org{folder}1"), &folder));
}
