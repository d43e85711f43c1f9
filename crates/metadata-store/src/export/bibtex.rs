use super::{ExportRecord, identifiers::web};

/// A `@misc` entry, which every BibTeX style knows.
pub(super) fn entry(record: &ExportRecord) -> String {
    let summary = &record.summary;
    let authors: Vec<String> = summary.authors.iter().map(|author| format!("{{{}}}", escaped(&author.name))).collect();
    let version = if record.deposited { record.version.get().to_string() } else { String::new() };
    let doi = record.doi().filter(|doi| !doi.contains(['{', '}', '\\', '%', '#']) && !doi.contains(char::is_control));
    let fields = [
        ("author", authors.join(" and ")),
        ("title", format!("{{{}}}", escaped(record.title()))),
        ("year", summary.year().map(|year| year.to_string()).unwrap_or_default()),
        ("publisher", escaped(record.publisher())),
        ("version", version),
        ("doi", doi.unwrap_or_default()),
        ("url", web(&record.iri).unwrap_or_else(|| record.landing.clone())),
    ];
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = fields.map(|(name, value)| format!("  {name:<9} = {{{value}}}")).collect();
    format!("@misc{{{},\n{}\n}}\n", record.id, lines.join(",\n"))
}

/// Text as TeX prints it, with nothing left that TeX would run.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '{' | '}' | '%' | '&' | '#' | '_' | '$' => out.extend(['\\', c]),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
