//! What the node did to a deposit, as its published crate tells it.

use std::collections::BTreeMap;

use dataset_model::Timestamp;
use ome_zarr::DoorRepair;
use serde_json::{Value, json};

use crate::{
    composition::{add_to, id_of, root_id},
    door::original_of,
};

/// Adds an `UpdateAction` for each repaired file to a crate: what it was, what it is, and why (RO-Crate 1.2, "Provenance of
/// entities").
///
/// A document without `@graph` is left as it is.
pub(crate) fn record_repairs(document: &mut Value, repairs: &[DoorRepair], agent: &str, time: Timestamp) {
    let Some(graph) = document.get_mut("@graph").and_then(Value::as_array_mut) else { return };
    let mut by_file: BTreeMap<&str, Vec<&DoorRepair>> = BTreeMap::new();
    for repair in repairs {
        by_file.entry(&repair.path).or_default().push(repair);
    }
    let root_id = root_id(graph);
    for (path, repairs) in by_file {
        let action = format!("#repair-of-{path}");
        graph.retain(|entity| entity.get("@id").and_then(Value::as_str) != Some(&action));
        let root = graph.iter_mut().filter_map(Value::as_object_mut).find(|entity| id_of(entity) == root_id);
        if let Some(root) = root {
            add_to(root, "mentions", json!({"@id": action}));
        }
        graph.push(update_action(&action, path, &repairs, agent, time));
        graph.push(json!({
            "@id": original_of(path),
            "@type": "File",
            "name": format!("{path} as it was deposited"),
            "encodingFormat": "application/json",
        }));
    }
    metadata_store::withhold_contacts(document);
}

fn update_action(id: &str, path: &str, repairs: &[&DoorRepair], agent: &str, time: Timestamp) -> Value {
    let changes = repairs.iter().map(|repair| format!("{}: {} became {}.", repair.rule, repair.from, repair.to));
    let mut action = json!({
        "@id": id,
        "@type": "UpdateAction",
        "name": format!("Metadata in {path} repaired at deposit; the pixels are as deposited"),
        "description": changes.collect::<Vec<_>>().join(" "),
        "agent": {"@id": agent},
        "endTime": time.to_string(),
        "object": {"@id": original_of(path)},
    });
    if repairs.iter().any(|repair| repair.bytes.is_some()) {
        action["result"] = json!({"@id": path});
    }
    action
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repaired_file_has_an_action_that_says_what_it_was() {
        let mut document = json!({"@graph": [
            {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}},
            {"@id": "./"},
        ]});
        let repair = |path: &str, rule: &str, bytes| DoorRepair {
            rule: rule.into(),
            path: path.into(),
            bytes,
            from: "nothing".into(),
            to: "something".into(),
        };
        let repairs = [
            repair("i/zarr.json", "a", Some("{}".into())),
            repair("i/zarr.json", "b", Some("{}".into())),
            repair("i/.zmetadata", "c", None),
        ];
        record_repairs(&mut document, &repairs, "https://e.org", Timestamp::now());
        let once = document.clone();
        record_repairs(&mut document, &[], "https://e.org", Timestamp::now());
        assert_eq!(document, once);
        let entity = |id: &str| once["@graph"].as_array().unwrap().iter().find(|entity| entity["@id"] == id).unwrap();
        let action = entity("#repair-of-i/zarr.json");
        assert_eq!(action["@type"], "UpdateAction");
        assert!(action["description"].as_str().unwrap().contains("b: nothing became something."));
        assert_eq!(action["result"], json!({"@id": "i/zarr.json"}));
        assert_eq!(entity("original-metadata/i/zarr.json.original")["@type"], "File");
        assert_eq!(entity("#repair-of-i/.zmetadata").get("result"), None);
        assert_eq!(entity("./")["mentions"].as_array().unwrap().len(), 2);
    }
}
