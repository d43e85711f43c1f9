//! The files of the workspace, as git lists them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace's folder")
}

/// Every file git tracks, or would track if it were added, by its path from the root.
pub(crate) fn tracked() -> Vec<String> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let output = Command::new("git").args(arguments).current_dir(root()).output().expect("running git");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).expect("paths are UTF-8");
    // A file that was deleted and not committed is still listed.
    listing.split_terminator('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

/// The text of a tracked file; nothing when it is no text.
pub(crate) fn read(path: &str) -> Option<String> {
    std::fs::read(root().join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// A Rust source file of a crate, tests left out.
pub(crate) struct Source {
    /// Path from the root.
    pub path: String,
    /// The crate's folder name.
    pub owner: String,
    /// The lines that are no tests, with their numbers from 1.
    pub lines: Vec<(usize, String)>,
}

/// Every source file under `crates/*/src`.
pub(crate) fn of_crates() -> Vec<Source> {
    tracked().into_iter().filter_map(source).collect()
}

fn source(path: String) -> Option<Source> {
    let (owner, inner) = path.strip_prefix("crates/")?.split_once('/')?;
    let is_test = inner.ends_with("/tests.rs") || inner.contains("/tests/");
    if !inner.starts_with("src/") || !inner.ends_with(".rs") || is_test {
        return None;
    }
    let owner = owner.to_owned();
    let lines = without_tests(&read(&path)?);
    Some(Source { path, owner, lines })
}

/// The lines outside of items marked `#[cfg(test)]`. Formatted code closes an item where it was opened.
fn without_tests(text: &str) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((number, line)) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push((number, line.to_owned()));
            continue;
        }
        let closing = format!("{}}}", indentation(line));
        let mut within = false;
        for (_, line) in lines.by_ref() {
            within |= line.ends_with('{');
            let ends = if within { line == closing } else { line.ends_with([';', '}']) };
            if ends {
                break;
            }
        }
    }
    kept
}

/// The spaces a line starts with.
pub(crate) fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// A line without the comment at its end.
pub(crate) fn code(line: &str) -> &str {
    // `://` is an address within a string.
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Whether the code holds the identifier as a whole word.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(part_of_word) && !code[at + word.len()..].starts_with(part_of_word))
}

#[test]
fn tests_at_the_end_of_a_file_do_not_count() {
    let text =
        "fn a() {}\n#[cfg(test)]\nuse x;\nfn b() {}\n#[cfg(test)]\nmod tests {\n    fn c() {\n    }\n}\nfn d() {}\n";
    let kept: Vec<String> = without_tests(text).into_iter().map(|(number, line)| format!("{number} {line}")).collect();
    assert_eq!(kept, ["1 fn a() {}", "4 fn b() {}", "10 fn d() {}"]);
}

#[test]
fn words_are_found_whole_and_outside_of_comments() {
    assert!(has_word("use sled::Db;", "sled"));
    assert!(!has_word("let unsledded = 1;", "sled"));
    assert_eq!(code("let url = \"http://x\"; // sled"), "let url = \"http://x\"; ");
    assert_eq!(code("//! sled"), "");
}
