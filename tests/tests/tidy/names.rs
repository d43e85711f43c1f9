//! What a crate says of itself, and what it must not leave behind.

use crate::{
    assert_none,
    sources::{self, code, has_word},
};

#[test]
fn every_crate_says_what_it_owns_and_must_not_know() {
    let mut faults = Vec::new();
    let roots =
        sources::tracked().into_iter().filter(|path| path.starts_with("crates/") && path.ends_with("/src/lib.rs"));
    for path in roots.filter(|path| path.split('/').count() == 4) {
        let text = sources::read(&path).unwrap_or_default();
        let opening: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let opening = opening.join("\n").to_lowercase();
        for phrase in ["owns", "must not know"] {
            if !opening.contains(phrase) {
                faults.push(format!("{path}: its opening comment does not say what the crate '{phrase}'"));
            }
        }
    }
    assert_none(&faults, "Open lib.rs with `//!`: **Owns** …, **Must not know** …, and a runnable example.");
}

#[test]
fn no_folder_is_a_drawer_for_everything() {
    let drawers = ["utils", "util", "common", "helpers", "misc"];
    let is_drawer = |path: &String| {
        let mut parts = path.trim_end_matches(".rs").split('/');
        path.ends_with(".rs") && parts.any(|part| drawers.contains(&part))
    };
    let faults: Vec<String> = sources::tracked().into_iter().filter(is_drawer).collect();
    assert_none(&faults, "Name the module after what it is about.");
}

#[test]
fn nothing_panics_on_purpose() {
    let mut faults = Vec::new();
    let excuses = ["#[expect(clippy::unwrap_used", "#[expect(clippy::expect_used", "#[expect(clippy::panic"];
    for source in sources::of_crates() {
        let mut before = "";
        for (at, line) in &source.lines {
            let code = code(line);
            let call = [".unwrap()", ".expect(", ".unwrap_err()"].into_iter().find(|call| code.contains(call));
            let panic = ["panic!", "unreachable!"].into_iter().find(|word| has_word(code, word));
            let excused = excuses.iter().any(|excuse| before.trim().starts_with(excuse));
            if let Some(found) = call.or(panic).filter(|_| !excused) {
                faults.push(format!("{}:{at}: {found}", source.path));
            }
            before = line;
        }
    }
    assert_none(&faults, "Return an error that says what to do, or choose a form that cannot fail.");
}

#[test]
fn nothing_is_left_for_later_or_silenced() {
    let mut faults = Vec::new();
    for path in
        sources::tracked().into_iter().filter(|path| path.ends_with(".rs") && !path.starts_with("tests/tests/tidy/"))
    {
        for (at, line) in sources::read(&path).unwrap_or_default().lines().enumerate() {
            let code = code(line);
            let left = ["todo!", "unimplemented!", "dbg!"].into_iter().find(|word| has_word(code, word));
            let silenced = ["#[allow(", "#![allow("].into_iter().find(|attribute| code.contains(attribute));
            if let Some(found) = left.or(silenced) {
                faults.push(format!("{path}:{}: {found}", at + 1));
            }
        }
    }
    assert_none(&faults, "Finish it; instead of `allow`, use `#[expect(lint, reason = \"…\")]` on the smallest item.");
}
