//! Crates and documents.

use crate::support::{catalogued, crate_of, node, withdrawn};
use bytes::Bytes;
use dataset_model::Digest;
use ledger::{Append, Ledger, LedgerError};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

fn open() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    (folder, ledger)
}

fn announce(entries: Vec<Vec<u8>>, crates: &[&str]) -> Append {
    Append { entries, crates: crates.iter().map(|text| crate_of(text)).collect(), ..Append::default() }
}

fn take_back(entries: Vec<Vec<u8>>, crates: &[&str]) -> Append {
    Append { entries, dropped_crates: crates.iter().map(Digest::of).collect(), ..Append::default() }
}

#[test]
fn a_crate_comes_back_as_it_was_given_whatever_its_size() {
    let (folder, ledger) = open();
    // The last ones neither compress nor fit into one piece, or into one page of the engine.
    let noise = |length: usize| (0..length).map(|_| rand::random::<u8>()).collect::<Vec<u8>>();
    let crates: Vec<Bytes> =
        [Vec::new(), vec![b' '; 1_000_000], noise(4095), noise(4096), noise(500_000)].map(Bytes::from).into();
    let with_digests = crates.iter().map(|bytes| (Digest::of(bytes), bytes.clone())).collect();
    ledger.append(&node("europe"), Append { crates: with_digests, ..Append::default() }).unwrap();
    drop(ledger);
    let ledger = Ledger::open(folder.path()).unwrap();
    for bytes in crates {
        assert_eq!(ledger.crate_bytes(&Digest::of(&bytes)).unwrap().unwrap(), bytes);
    }
    assert_eq!(ledger.crate_bytes(&Digest::of("another")).unwrap(), None);
}

#[test]
fn the_engine_never_moves_a_value_into_a_file_that_it_does_not_sync() {
    let (folder, ledger) = open();
    let big = (0..3_000_000).map(|_| rand::random::<u8>()).collect::<Vec<u8>>();
    let documents = ledger.collection::<String>("drafts");
    for round in 0..60_u32 {
        let entry = catalogued("a", round.checked_sub(1).map(u64::from), &format!("{}{round}", "x".repeat(100)));
        let start = usize::try_from(round).unwrap() * 50_000;
        let bytes = Bytes::copy_from_slice(&big[start..start + 50_000]);
        let append = Append {
            entries: vec![entry],
            crates: vec![(Digest::of(&bytes), bytes)],
            changes: vec![documents.put(&format!("{round:04}"), &"y".repeat(30_000)).unwrap()],
            ..Append::default()
        };
        ledger.append(&node("europe"), append).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0, "after append {round}");
    }
}

#[test]
fn a_crate_with_other_bytes_than_promised_keeps_the_append_out() {
    let (_folder, ledger) = open();
    let lie = Append {
        entries: vec![catalogued("a", None, "truth")],
        crates: vec![(Digest::of("truth"), Bytes::from_static(b"lie"))],
        ..Append::default()
    };
    let error = ledger.append(&node("europe"), lie).unwrap_err();
    assert!(matches!(error, LedgerError::WrongDigest { .. }), "{error}");
    assert_eq!(ledger.size(&node("europe")).unwrap(), 0);
}

#[test]
fn a_crate_goes_with_the_last_dataset_that_needs_it() {
    let (_folder, ledger) = open();
    let (europe, japan) = (node("europe"), node("japan"));
    let shared = Digest::of("shared");
    let both = vec![catalogued("a", None, "shared"), catalogued("b", None, "shared")];
    ledger.append(&europe, announce(both, &["shared"])).unwrap();
    ledger.append(&japan, announce(vec![catalogued("a", None, "shared")], &[])).unwrap();

    ledger.append(&europe, take_back(vec![withdrawn("a", Some(0))], &["shared"])).unwrap();
    assert!(ledger.has_crate(&shared).unwrap(), "europe/b and japan/a need it");
    ledger.append(&japan, take_back(vec![withdrawn("a", Some(0))], &["shared"])).unwrap();
    assert!(ledger.has_crate(&shared).unwrap(), "europe/b needs it");
    ledger.append(&europe, take_back(vec![withdrawn("b", Some(1))], &["shared"])).unwrap();
    assert!(!ledger.has_crate(&shared).unwrap());
    assert_eq!(ledger.crate_bytes(&shared).unwrap(), None);
}

#[test]
fn a_crate_announced_again_in_the_same_append_stays() {
    let (_folder, ledger) = open();
    let europe = node("europe");
    let again = vec![catalogued("a", None, "same"), withdrawn("a", Some(0)), catalogued("a", Some(1), "same")];
    let append = Append { dropped_crates: vec![Digest::of("same")], ..announce(again, &["same"]) };
    ledger.append(&europe, append).unwrap();
    assert!(ledger.has_crate(&Digest::of("same")).unwrap());
}

#[test]
fn a_crate_announced_and_taken_back_in_one_append_leaves_nothing() {
    let (_folder, ledger) = open();
    let europe = node("europe");
    let brief = vec![catalogued("a", None, "brief"), withdrawn("a", Some(0))];
    let append = Append { dropped_crates: vec![Digest::of("brief")], ..announce(brief, &["brief"]) };
    ledger.append(&europe, append).unwrap();
    assert!(!ledger.has_crate(&Digest::of("brief")).unwrap());
    // Nobody remembers a need of it: another dataset may hold it and drop it.
    ledger.append(&europe, announce(vec![catalogued("b", None, "brief")], &["brief"])).unwrap();
    ledger.append(&europe, take_back(vec![withdrawn("b", Some(2))], &["brief"])).unwrap();
    assert!(!ledger.has_crate(&Digest::of("brief")).unwrap());
}

#[test]
fn a_revised_dataset_may_drop_the_crate_it_no_longer_shows() {
    let (_folder, ledger) = open();
    let europe = node("europe");
    ledger.append(&europe, announce(vec![catalogued("a", None, "old")], &["old"])).unwrap();
    let revise =
        Append { dropped_crates: vec![Digest::of("old")], ..announce(vec![catalogued("a", Some(0), "new")], &["new"]) };
    ledger.append(&europe, revise).unwrap();
    assert!(!ledger.has_crate(&Digest::of("old")).unwrap());
    assert!(ledger.has_crate(&Digest::of("new")).unwrap());
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Draft {
    title: String,
    files: u64,
}

#[test]
fn documents_are_typed_and_kept_in_order() {
    let (folder, ledger) = open();
    let drafts = ledger.collection::<Draft>("drafts");
    let draft = |title: &str| Draft { title: title.into(), files: 1 };
    let puts = ["b/2", "a", "b/1", "b", "c"].map(|key| drafts.put(key, &draft(key)).unwrap());
    ledger.write(puts.into()).unwrap();
    drop((ledger, drafts));
    let ledger = Ledger::open(folder.path()).unwrap();
    let drafts = ledger.collection::<Draft>("drafts");
    let keys = |prefix: &str| drafts.iter_prefix(prefix).map(|row| row.unwrap().0).collect::<Vec<_>>();
    assert_eq!(keys(""), ["a", "b", "b/1", "b/2", "c"]);
    assert_eq!(keys("b/"), ["b/1", "b/2"]);
    assert_eq!(drafts.get("b").unwrap(), Some(draft("b")));
    assert_eq!(ledger.collection::<Draft>("draft").iter_prefix("").count(), 0, "another collection");

    ledger.write(drafts.remove_prefix("b").unwrap()).unwrap();
    assert_eq!(keys(""), ["a", "c"]);
    ledger.write(vec![drafts.remove("a"), drafts.remove("never there")]).unwrap();
    assert_eq!(keys(""), ["c"]);
}

#[test]
fn of_two_changes_to_one_document_the_later_counts() {
    let (_folder, ledger) = open();
    let texts = ledger.collection::<String>("texts");
    let long = "long".repeat(5000);
    ledger.write(vec![texts.put("a", &long).unwrap(), texts.put("a", &"short".into()).unwrap()]).unwrap();
    assert_eq!(texts.get("a").unwrap().as_deref(), Some("short"));
    ledger.write(vec![texts.remove("a"), texts.put("a", &long).unwrap()]).unwrap();
    assert_eq!(texts.get("a").unwrap(), Some(long));
}

#[test]
fn a_document_of_another_shape_is_named_in_the_error() {
    let (_folder, ledger) = open();
    ledger.write(vec![ledger.collection::<String>("drafts").put("mine", &"text".into()).unwrap()]).unwrap();
    let error = ledger.collection::<Draft>("drafts").get("mine").unwrap_err().to_string();
    assert!(error.contains("'mine' of 'drafts'"), "{error}");
}

#[test]
fn a_reader_of_a_long_document_never_sees_half_of_two_versions() {
    let (_folder, ledger) = open();
    let texts = ledger.collection::<String>("texts");
    let version = |round: u32| char::from_u32(97 + round % 26).unwrap().to_string().repeat(20_000);
    ledger.write(vec![texts.put("a", &version(0)).unwrap()]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..100 {
                ledger.write(vec![texts.put("a", &version(round)).unwrap()]).unwrap();
            }
        });
        while !writer.is_finished() {
            let text = texts.get("a").unwrap().unwrap();
            assert!(text.len() == 20_000 && text.bytes().all(|byte| byte == text.as_bytes()[0]));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn documents_behave_like_a_map(
        changes in prop::collection::vec((0..6_u8, prop::option::of((0..3_usize, any::<char>()))), 1..40)
    ) {
        let (_folder, ledger) = open();
        let texts = ledger.collection::<String>("texts");
        let mut model = std::collections::BTreeMap::new();
        for (key, change) in changes {
            let key = format!("key-{key}");
            let change = match change {
                Some((size, letter)) => {
                    let text = letter.to_string().repeat([1, 4000, 20_000][size]);
                    let change = texts.put(&key, &text).unwrap();
                    model.insert(key, text);
                    change
                }
                None => {
                    model.remove(&key);
                    texts.remove(&key)
                }
            };
            ledger.write(vec![change]).unwrap();
        }
        let held: Result<Vec<_>, _> = texts.iter_prefix("").collect();
        prop_assert_eq!(held.unwrap(), model.into_iter().collect::<Vec<_>>());
    }
}
