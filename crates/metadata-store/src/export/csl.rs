use serde_json::{Value, json};

use super::{ExportRecord, identifiers::web, json::object};

/// One item of the Citation Style Language's input.
pub(super) fn document(record: &ExportRecord) -> Value {
    let summary = &record.summary;
    object([
        ("type", json!("dataset")),
        ("id", json!(record.id.as_str())),
        ("title", json!(record.title())),
        ("author", summary.authors.iter().map(|author| name(&author.name)).collect()),
        ("issued", summary.date_published.as_deref().and_then(date).unwrap_or_default()),
        ("publisher", json!(record.publisher())),
        ("version", if record.deposited { json!(record.version.get().to_string()) } else { Value::Null }),
        ("DOI", json!(record.doi())),
        ("URL", json!(web(&record.cite_as()).unwrap_or_else(|| record.landing.clone()))),
        ("abstract", json!(summary.description)),
        ("keyword", json!(record.keywords().join(", "))),
        ("license", json!(summary.licence.as_ref().map(|licence| &licence.url))),
    ])
}

/// A name in parts where it is written with a comma; nobody can tell the parts of others.
fn name(text: &str) -> Value {
    match text.split_once(',').map(|(family, given)| (family.trim(), given.trim())) {
        Some((family, given)) if !family.is_empty() && !given.is_empty() && !given.contains(',') => {
            json!({"family": family, "given": given})
        }
        _ => json!({"literal": text}),
    }
}

fn date(text: &str) -> Option<Value> {
    let parts: Option<Vec<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
    Some(json!({"date-parts": [parts?]}))
}
