//! Functions and their lengths, told from code that rustfmt has formatted.

use crate::sources::{Source, code, indentation};

/// A function with a body.
pub(crate) struct Function {
    /// Its name.
    pub name: String,
    /// The line it starts on, from 1.
    pub line: usize,
    /// How many lines it has, from `fn` to the closing brace.
    pub length: usize,
    /// Whether it says why it is long.
    pub excused: bool,
}

/// A comment with this, and a reason after it, in or right above a function, or in the first lines of a file, permits
/// its length.
pub(crate) const EXCUSE: &str = "// tidy: long because ";

/// All functions of a file.
pub(crate) fn functions(source: &Source) -> Vec<Function> {
    (0..source.lines.len()).filter_map(|at| function(source, at)).collect()
}

fn function(source: &Source, at: usize) -> Option<Function> {
    let (line, first) = source.lines.get(at)?;
    let name = name(first)?;
    let body = &source.lines[at..];
    let length = length(body)?;
    let start = at.saturating_sub(1);
    let excused = source.lines[start..at + length].iter().any(|(_, line)| line.trim().starts_with(EXCUSE));
    Some(Function { name, line: *line, length, excused })
}

/// The name of the function a line declares.
fn name(line: &str) -> Option<String> {
    let mut words = code(line).trim_start();
    loop {
        if let Some(rest) = words.strip_prefix("fn ") {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            return (!name.is_empty()).then_some(name);
        }
        let modifiers = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe ", "extern \"C\" "];
        words = modifiers.iter().find_map(|modifier| words.strip_prefix(modifier))?;
    }
}

/// How many lines a function has; nothing when it has no body.
fn length(lines: &[(usize, String)]) -> Option<usize> {
    let (_, first) = lines.first()?;
    let opens = lines.iter().position(|(_, line)| code(line).trim_end().ends_with(['{', '}', ';']))?;
    let opening = code(&lines[opens].1).trim_end();
    if opening.ends_with(';') {
        return None;
    }
    if opening.ends_with('}') {
        return Some(opens + 1);
    }
    // rustfmt puts the closing brace right below the `f` of `fn`, and nothing else of the function there.
    let closing = format!("{}}}", indentation(first));
    let body = lines.iter().skip(opens).position(|(_, line)| *line == closing)?;
    Some(opens + body + 1)
}

#[test]
fn lengths_are_counted_from_signature_to_closing_brace() {
    let text = "impl A {\n    pub(crate) async fn a(\n        b: B,\n    ) -> C {\n        if d {\n        }\n    }\n\n    fn e() {}\n}\n\
                trait T {\n    fn f(&self);\n}\nfn g() {\n    // tidy: long because of this\n}\nlet h = |fn_like: u8| 1;\n";
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned())).collect();
    let source = Source { path: String::new(), owner: String::new(), lines };
    let found: Vec<_> = functions(&source).into_iter().map(|f| (f.name, f.line, f.length, f.excused)).collect();
    let expected = [("a", 2, 6, false), ("e", 9, 1, false), ("g", 14, 3, true)];
    assert_eq!(found, expected.map(|(name, line, length, excused)| (name.to_owned(), line, length, excused)));
}
