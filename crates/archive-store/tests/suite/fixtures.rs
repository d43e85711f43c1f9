//! The official OCFL 1.1 fixtures: every good object accepted, every doubtful one with its warnings, every bad one
//! rejected with a code its name holds.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use archive_store::{Fault, validate_object};
use object_store::local::LocalFileSystem;

fn fixtures() -> Option<PathBuf> {
    let shared = std::env::var_os("HELIOGRAPH_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = [shared.join("data/ocfl/1.1"), shared.join("ocfl/1.1")].into_iter().find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: no OCFL fixtures below {}; set HELIOGRAPH_SHARED", shared.display());
    }
    found
}

/// The objects of a kind, each with its faults.
async fn validated(kind: &str) -> Vec<(String, Vec<Fault>)> {
    let Some(folder) = fixtures() else { return Vec::new() };
    let store = Arc::new(LocalFileSystem::new_with_prefix(folder.join(kind)).unwrap());
    let mut names: Vec<String> = std::fs::read_dir(folder.join(kind))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut validated = Vec::new();
    for name in names {
        let faults = validate_object(store.clone(), &name).await.unwrap();
        validated.push((name, faults));
    }
    assert!(!validated.is_empty());
    validated
}

/// The codes in a fixture's name, such as `E049_E050_bad_values`.
fn codes_in(name: &str) -> BTreeSet<&str> {
    name.split('_').take_while(|part| part.len() == 4 && part[1..].bytes().all(|byte| byte.is_ascii_digit())).collect()
}

fn codes_of(faults: &[Fault]) -> BTreeSet<&str> {
    faults.iter().map(|fault| fault.code).collect()
}

#[tokio::test]
async fn good_objects_have_no_faults() {
    for (name, faults) in validated("good-objects").await {
        assert!(faults.is_empty(), "{name}: {faults:#?}");
    }
}

#[tokio::test]
async fn doubtful_objects_are_valid_and_give_exactly_their_warnings() {
    for (name, faults) in validated("warn-objects").await {
        assert_eq!(codes_of(&faults), codes_in(&name), "{name}: {faults:#?}");
    }
}

#[tokio::test]
async fn bad_objects_are_rejected_with_a_code_their_name_holds() {
    for (name, faults) in validated("bad-objects").await {
        let expected = codes_in(&name);
        assert!(codes_of(&faults).intersection(&expected).next().is_some(), "{name}: {faults:#?}");
    }
}
