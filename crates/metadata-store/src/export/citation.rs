use super::ExportRecord;

/// As many authors are named in a citation before "et al.".
const AUTHORS: usize = 20;

/// `Lovelace A, Babbage C (2026). Title (Version 2) [Data set]. Publisher. Address`.
pub(super) fn text(record: &ExportRecord) -> String {
    let summary = &record.summary;
    let named: Vec<&str> = summary.authors.iter().take(AUTHORS).map(|author| author.name.as_str()).collect();
    let mut authors = named.join(", ");
    if summary.authors.len() > AUTHORS {
        authors.push_str(" et al.");
    }
    if authors.is_empty() {
        authors = record.publisher().to_owned();
    }
    let year = summary.year().map_or("n.d.".to_owned(), |year| year.to_string());
    let version = if record.deposited { format!(" (Version {})", record.version.get()) } else { String::new() };
    let title = record.title().trim_end_matches('.');
    let line = format!("{authors} ({year}). {title}{version} [Data set]. {}. {}", record.publisher(), record.cite_as());
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
