use node::{RecordKind, RecordView};

use crate::views::search::hits::title_or;

/// As many authors are named in a citation before "et al.".
const AUTHORS: usize = 20;

/// How to cite a dataset.
#[derive(Debug, Clone)]
pub(crate) struct Citation {
    pub text: String,
    pub bibtex: String,
}

impl Citation {
    pub(crate) fn of(record: &RecordView) -> Self {
        Self { text: text(record), bibtex: bibtex(record) }
    }
}

/// `Lovelace A, Babbage C (2026). Title (Version 2) [Data set]. Publisher. IRI`.
fn text(record: &RecordView) -> String {
    let summary = &record.summary;
    let named: Vec<&str> = summary.authors.iter().take(AUTHORS).map(|author| author.name.as_str()).collect();
    let mut authors = named.join(", ");
    if summary.authors.len() > AUTHORS {
        authors.push_str(" et al.");
    }
    if authors.is_empty() {
        authors = publisher(record).to_owned();
    }
    let year = summary.year().map_or("n.d.".to_owned(), |year| year.to_string());
    let title = title_or(&summary.title, record.id.as_str());
    let version = match record.kind {
        RecordKind::Deposit => format!(" (Version {})", record.version.get()),
        RecordKind::Catalogue => String::new(),
    };
    format!(
        "{authors} ({year}). {}{version} [Data set]. {}. {}",
        title.trim_end_matches('.'),
        publisher(record),
        record.iri
    )
}

fn bibtex(record: &RecordView) -> String {
    let summary = &record.summary;
    let authors: Vec<String> = summary.authors.iter().map(|author| format!("{{{}}}", escaped(&author.name))).collect();
    let year = summary.year().map(|year| year.to_string()).unwrap_or_default();
    let version = if record.kind == RecordKind::Deposit { record.version.get().to_string() } else { String::new() };
    let doi = summary.identifiers.iter().find_map(|text| doi(text)).unwrap_or_default();
    let fields = [
        ("author", authors.join(" and ")),
        ("title", format!("{{{}}}", escaped(&title_or(&summary.title, record.id.as_str())))),
        ("year", year),
        ("publisher", escaped(publisher(record))),
        ("version", version),
        ("doi", doi.to_owned()),
        ("url", record.iri.clone()),
    ];
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = fields.map(|(name, value)| format!("  {name:<9} = {{{value}}}")).collect();
    format!("@misc{{{},\n{}\n}}", record.id, lines.join(",\n"))
}

fn publisher(record: &RecordView) -> &str {
    match &record.summary.publisher {
        Some(publisher) if !publisher.name.is_empty() => &publisher.name,
        _ => record.node.id.as_str(),
    }
}

/// The bare DOI in an identifier.
fn doi(text: &str) -> Option<&str> {
    let bare = text.strip_prefix("https://doi.org/").or_else(|| text.strip_prefix("doi:")).unwrap_or(text);
    (bare.starts_with("10.") && bare.contains('/') && !bare.contains(['{', '}'])).then_some(bare)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::dataset::tests::record;

    #[test]
    fn a_citation_has_authors_year_title_version_publisher_and_address() {
        let mut record = record();
        record.summary.title = "Cells, dividing.".into();
        assert_eq!(
            text(&record),
            "Ada <Lovelace> (2026). Cells, dividing (Version 2) [Data set]. Example. https://europe.example.org/datasets/europe-1"
        );
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let mut record = record();
        (record.summary.authors, record.summary.date_published, record.summary.publisher) = (vec![], None, None);
        assert!(text(&record).starts_with("europe (n.d.). "), "{}", text(&record));
        assert!(!bibtex(&record).contains("year") && !bibtex(&record).contains("author"), "{}", bibtex(&record));
    }

    #[test]
    fn titles_cannot_run_tex() {
        let mut record = record();
        record.summary.title = "50% of \\input{x} & $y_1$}".into();
        let bibtex = bibtex(&record);
        assert!(bibtex.contains("{50\\% of \\textbackslash{}input\\{x\\} \\& \\$y\\_1\\$\\}}"), "{bibtex}");
        assert!(bibtex.contains("doi       = {10.5281/zenodo.1}"), "{bibtex}");
    }
}
