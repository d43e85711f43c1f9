//! All links of a record in one document (RFC 9264), those of its files and forms back to its page included: level 2 of FAIR
//! Signposting.

use serde_json::{Map, Value, json};

use super::{ExportRecord, TypedLink, json::object};

/// As `application/linkset+json` (§4.2).
pub(super) fn json(record: &ExportRecord) -> Value {
    let mut of_page = Map::from_iter([("anchor".to_owned(), json!(record.landing))]);
    for link in record.links() {
        let targets = of_page.entry(link.relation).or_insert_with(|| json!([]));
        targets.as_array_mut().into_iter().for_each(|targets| targets.push(target(&link)));
    }
    let back = back(record).into_iter().map(|(anchor, link)| {
        let mut context = Map::from_iter([("anchor".to_owned(), json!(anchor))]);
        context.insert(link.relation.to_owned(), json!([target(&link)]));
        Value::Object(context)
    });
    let contexts: Vec<Value> = [Value::Object(of_page)].into_iter().chain(back).collect();
    json!({"linkset": contexts})
}

/// As `application/linkset` (§4.1).
pub(super) fn text(record: &ExportRecord) -> String {
    let of_page = record.links().into_iter().map(|link| (record.landing.clone(), link));
    let lines = of_page.chain(back(record)).map(|(anchor, link)| format!("{}; anchor=\"{anchor}\"", link.header()));
    lines.collect::<Vec<_>>().join(",\n") + "\n"
}

/// The links that lead back to the page, each with where it starts.
fn back(record: &ExportRecord) -> Vec<(String, TypedLink)> {
    let to_page =
        |relation| TypedLink { target: record.landing.clone(), relation, media_type: Some("text/html"), profile: None };
    let back = |link: TypedLink| match link.relation {
        "item" => Some((link.target, to_page("collection"))),
        "describedby" => Some((link.target, to_page("describes"))),
        _ => None,
    };
    record.links().into_iter().filter_map(back).collect()
}

fn target(link: &TypedLink) -> Value {
    object([("href", json!(link.target)), ("type", json!(link.media_type)), ("profile", json!(link.profile))])
}
