//! Repairs at the door: what can be put right without touching pixels, and nothing else.

use dataset_model::Severity;
use ome_zarr::{DoorRepair, FileSource, RepairedSource, repairs, sample::Kind, validate};
use serde_json::{Value, json};

use crate::support::MemorySource;

fn labelled() -> MemorySource {
    let folder = tempfile::tempdir().unwrap();
    ome_zarr::sample::write(folder.path(), Kind::Labelled, 1).unwrap();
    crate::support::load(folder.path())
}

const IMAGE: &str = "labelled.ome.zarr/zarr.json";
const LABELS: &str = "labelled.ome.zarr/labels/zarr.json";
const ARRAY: &str = "labelled.ome.zarr/labels/nuclei/0/zarr.json";

fn change(source: &mut MemorySource, path: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&source.0[path]).unwrap();
    change(&mut value);
    source.0.insert(path.into(), serde_json::to_vec_pretty(&value).unwrap());
}

fn rules(repairs: &[DoorRepair]) -> Vec<(&str, &str)> {
    repairs.iter().map(|repair| (repair.rule.as_str(), repair.path.as_str())).collect()
}

#[test]
fn a_store_that_keeps_the_rules_is_left_alone() {
    assert_eq!(repairs(&labelled()).unwrap(), []);
}

#[test]
fn what_can_be_repaired_is_repaired_and_then_nothing_is_left_to_say() {
    let mut source = labelled();
    let said: Value = serde_json::from_slice(&source.0[ARRAY]).unwrap();
    change(&mut source, LABELS, |group| drop(group["attributes"]["ome"].as_object_mut().unwrap().remove("version")));
    change(&mut source, ARRAY, |array| {
        drop(array["codecs"][1]["configuration"].as_object_mut().unwrap().remove("checksum"))
    });
    change(&mut source, IMAGE, |group| {
        group["consolidated_metadata"] =
            json!({"kind": "inline", "must_understand": false, "metadata": {"labels/nuclei/0": said}});
    });
    let found = repairs(&source).unwrap();
    assert_eq!(
        rules(&found),
        [("ome-zarr.codec.zstd", ARRAY), ("ome-zarr.version.missing", LABELS), ("ome-zarr.consolidated.stale", IMAGE),]
    );
    let repaired = RepairedSource::new(&source, &found);
    let findings = validate(&repaired).unwrap().findings;
    let left: Vec<_> = findings.iter().filter(|finding| finding.severity > Severity::Note).collect();
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!(repairs(&repaired).unwrap(), []);
    let read = |path: &str| -> Value {
        let size = repaired.size(path).unwrap().unwrap();
        serde_json::from_slice(&repaired.read(path, 0..size).unwrap()).unwrap()
    };
    assert_eq!(read(LABELS)["attributes"]["ome"], json!({"version": "0.5", "labels": ["nuclei"]}));
    assert_eq!(read(ARRAY), said);
    assert_eq!(read(IMAGE).get("consolidated_metadata"), None);
}

#[test]
fn only_metadata_files_are_repaired_and_their_other_bytes_stay() {
    let mut source = labelled();
    let text =
        String::from_utf8(source.0[LABELS].clone()).unwrap().replace("\"version\": \"0.5\",", "\"odd\": 1.50e0,");
    source.0.insert(LABELS.into(), text.clone().into_bytes());
    let found = repairs(&source).unwrap();
    assert_eq!(rules(&found), [("ome-zarr.version.missing", LABELS)]);
    let repaired = String::from_utf8(found[0].bytes.clone().unwrap().to_vec()).unwrap();
    assert_eq!(repaired.replace("\"version\": \"0.5\", ", ""), text);
}

#[test]
fn consolidated_metadata_of_zarr_2_are_taken_out_when_they_are_stale() {
    let folder = tempfile::tempdir().unwrap();
    ome_zarr::sample::write(folder.path(), Kind::Stack, 1).unwrap();
    let mut source = crate::support::load(folder.path());
    let file = "stack.ome.zarr/.zmetadata";
    source.0.insert(file.into(), br#"{"zarr_consolidated_format": 1, "metadata": {}}"#.to_vec());
    let found = repairs(&source).unwrap();
    assert_eq!(rules(&found), [("ome-zarr.consolidated.stale", file)]);
    assert_eq!(found[0].bytes, None);
    let repaired = RepairedSource::new(&source, &found);
    assert!(!repaired.list("").unwrap().iter().any(|path| path == file));
    assert_eq!(repaired.size(file).unwrap(), None);
}

#[test]
fn a_labels_group_is_not_given_a_version_that_its_image_does_not_have() {
    let mut source = labelled();
    change(&mut source, LABELS, |group| drop(group["attributes"]["ome"].as_object_mut().unwrap().remove("version")));
    change(&mut source, IMAGE, |group| group["attributes"]["ome"]["version"] = json!("0.6"));
    assert_eq!(repairs(&source).unwrap(), []);
}
