//! How large a deposit is: counted by the node, never as its crate declares it.

use std::collections::HashSet;

use metadata_store::SizeUnit;
use serde_json::{Map, Value, json};

use crate::composition::{add_to, id_of};

const UNITS: [SizeUnit; 2] = [SizeUnit::Bytes, SizeUnit::Files];

/// What a version holds, its RO-Crate included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MeasuredSize {
    pub files: u64,
    pub bytes: u64,
}

impl MeasuredSize {
    fn of(self, unit: SizeUnit) -> u64 {
        match unit {
            SizeUnit::Bytes => self.bytes,
            SizeUnit::Files => self.files,
        }
    }
}

/// Puts what was counted in the place of what is declared about bytes and files; other quantities stay.
pub(crate) fn write_size(graph: &mut Vec<Value>, root_id: &str, size: MeasuredSize) {
    let sizes = graph.iter().filter_map(Value::as_object).filter(|entity| is_size(entity));
    let sizes: HashSet<String> = sizes.map(|entity| id_of(entity).to_owned()).collect();
    let root = graph.iter_mut().filter_map(Value::as_object_mut).find(|entity| id_of(entity) == root_id);
    let Some(root) = root else { return };
    let mut replaced = remove_declared(root, &sizes);
    replaced.extend(UNITS.map(|unit| entity_id(unit).to_owned()));
    for unit in UNITS {
        add_to(root, "size", json!({"@id": entity_id(unit)}));
    }
    graph.retain(|entity| entity.as_object().is_none_or(|entity| !replaced.contains(id_of(entity))));
    graph.extend(UNITS.map(|unit| {
        json!({
            "@id": entity_id(unit),
            "@type": "QuantitativeValue",
            "value": size.of(unit),
            "unitCode": format!("http://purl.obolibrary.org/obo/{}", unit.code()),
            "unitText": unit.text(),
        })
    }));
}

/// The crate as it is published, once it says how large the version is with it: `others` are the bytes of all other files. Its
/// own length depends on that number, and on nothing but how many digits it has.
pub(crate) fn to_bytes(document: &mut Value, others: u64) -> serde_json::Result<Vec<u8>> {
    let mut total = others;
    loop {
        set_bytes(document, total);
        let text = serde_json::to_vec_pretty(document)?;
        let now = others + text.len() as u64;
        if now == total {
            return Ok(text);
        }
        total = now;
    }
}

fn set_bytes(document: &mut Value, bytes: u64) {
    let graph = document.get_mut("@graph").and_then(Value::as_array_mut).into_iter().flatten();
    let mut entities = graph.filter_map(Value::as_object_mut);
    if let Some(entity) = entities.find(|entity| id_of(entity) == entity_id(SizeUnit::Bytes)) {
        entity.insert("value".to_owned(), json!(bytes));
    }
}

/// Whether an entity is a number of bytes or files.
fn is_size(entity: &Map<String, Value>) -> bool {
    let text = |key: &str| {
        let value = entity.get(key)?;
        value.as_str().or_else(|| value.get("@id")?.as_str())
    };
    let kinds = entity.get("@type").map(Value::to_string).unwrap_or_default();
    let is_quantity = kinds.contains("QuantitativeValue") || kinds.contains("QuantitiveValue");
    let unit = SizeUnit::read(text("unitCode").unwrap_or_default(), text("unitText").unwrap_or_default());
    is_quantity && unit.is_some()
}

/// Takes the sizes out of the root; gives the ids of those that were.
fn remove_declared(root: &mut Map<String, Value>, sizes: &HashSet<String>) -> HashSet<String> {
    let mut removed = HashSet::new();
    for key in ["size", "schema:size", "http://schema.org/size", "https://schema.org/size"] {
        let values = match root.remove(key) {
            None => continue,
            Some(Value::Array(values)) => values,
            Some(one) => vec![one],
        };
        for value in values {
            match value.get("@id").unwrap_or(&value).as_str().filter(|id| sizes.contains(*id)) {
                Some(id) => drop(removed.insert(id.to_owned())),
                None if value.as_object().is_some_and(is_size) => {}
                None => add_to(root, "size", value),
            }
        }
    }
    removed
}

fn entity_id(unit: SizeUnit) -> &'static str {
    match unit {
        SizeUnit::Bytes => "#measured-bytes",
        SizeUnit::Files => "#measured-files",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_about_bytes_and_files_is_replaced_and_the_rest_stays() {
        let mut graph = vec![
            json!({"@id": "./", "size": [{"@id": "#b"}, {"@id": "#frames"}, "1 TB",
                {"@type": "QuantitativeValue", "unitText": "files", "value": 9}]}),
            json!({"@id": "#b", "@type": ["QuantitiveValue"], "value": 1, "unitCode": {"@id": "obo:UO_0000233"}}),
            json!({"@id": "#frames", "@type": "QuantitativeValue", "value": 7, "unitText": "frames"}),
        ];
        let size = MeasuredSize { files: 3, bytes: 1000 };
        write_size(&mut graph, "./", size);
        let once = graph.clone();
        assert_eq!(
            once[0]["size"],
            json!([{"@id": "#frames"}, "1 TB", {"@id": "#measured-bytes"}, {"@id": "#measured-files"}])
        );
        let values: Vec<&Value> = once[1..].iter().map(|entity| &entity["value"]).collect();
        assert_eq!(values, [&json!(7), &json!(1000), &json!(3)]);
        write_size(&mut graph, "./", size);
        assert_eq!(graph, once);
    }

    #[test]
    fn the_crate_counts_itself() {
        for others in [0, 7, 900, 99_000, 999_750, 999_999_999_700] {
            let mut document = json!({"@graph": [{"@id": "./"}]});
            write_size(document["@graph"].as_array_mut().unwrap(), "./", MeasuredSize { files: 1, bytes: 0 });
            let text = to_bytes(&mut document, others).unwrap();
            let written: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(written["@graph"][1]["value"], json!(others + text.len() as u64));
        }
    }
}
