//! Appending and reading back.

use crate::support::{catalogued, check, dataset, node, nth, withdrawn};
use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use dataset_model::{Digest, NodeId};
use ledger::{Append, Ledger, LedgerError};
use proptest::prelude::*;

fn entries(entries: Vec<Vec<u8>>) -> Append {
    Append { entries, ..Append::default() }
}

#[test]
fn reopening_after_every_append_gives_the_same_log() {
    let folder = tempfile::tempdir().unwrap();
    let europe = node("europe");
    let mut held = Vec::new();
    for index in 0..40 {
        let ledger = Ledger::open(folder.path()).unwrap();
        check(&ledger, &europe, &held);
        held.push(nth(index, 7));
        assert_eq!(ledger.append(&europe, entries(vec![nth(index, 7)])).unwrap(), index..index + 1);
        check(&ledger, &europe, &held);
    }
}

#[test]
fn logs_of_different_nodes_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    // One name is the beginning of the other.
    let (short, long) = (node("eu"), node("eu-west"));
    ledger.append(&short, entries((0..5).map(|i| nth(i, 2)).collect())).unwrap();
    ledger.append(&long, entries((0..9).map(|i| nth(i, 3)).collect())).unwrap();
    check(&ledger, &short, &(0..5).map(|i| nth(i, 2)).collect::<Vec<_>>());
    check(&ledger, &long, &(0..9).map(|i| nth(i, 3)).collect::<Vec<_>>());
    assert_eq!(ledger.nodes().unwrap(), [short.clone(), long.clone()]);
    assert_eq!(ledger.nodes_holding(&dataset("set-2")).unwrap(), [long]);
    assert_eq!(ledger.nodes_holding(&dataset("set-1")).unwrap().len(), 2);
    assert_eq!(ledger.size(&node("japan")).unwrap(), 0);
}

#[test]
fn an_append_that_expects_another_size_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let europe = node("europe");
    ledger.append(&europe, entries(vec![nth(0, 9)])).unwrap();
    let late = Append { expected_size: Some(0), ..entries(vec![nth(1, 9)]) };
    let error = ledger.append(&europe, late).unwrap_err();
    assert!(matches!(error, LedgerError::Conflict { expected: 0, actual: 1 }), "{error}");
    check(&ledger, &europe, &[nth(0, 9)]);
    let timely = Append { expected_size: Some(1), ..entries(vec![nth(1, 9)]) };
    assert_eq!(ledger.append(&europe, timely).unwrap(), 1..2);
}

#[test]
fn one_bad_entry_keeps_the_whole_append_out() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let europe = node("europe");
    let documents = ledger.collection::<u64>("cursors");
    let append = Append {
        changes: vec![documents.put("europe", &2).unwrap()],
        crates: vec![crate::support::crate_of("crate 0")],
        ..entries(vec![nth(0, 9), b"{}".to_vec()])
    };
    let error = ledger.append(&europe, append).unwrap_err();
    assert!(matches!(error, LedgerError::BadEntry { index: 1, .. }), "{error}");
    check(&ledger, &europe, &[]);
    assert_eq!(documents.get("europe").unwrap(), None);
    assert!(!ledger.has_crate(&Digest::of("crate 0")).unwrap());
}

#[test]
fn entries_of_a_dataset_form_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let europe = node("europe");
    let first = vec![catalogued("a", None, "1"), catalogued("a", Some(0), "2")];
    ledger.append(&europe, entries(first)).unwrap();
    for wrong in [None, Some(0), Some(2)] {
        let error = ledger.append(&europe, entries(vec![withdrawn("a", wrong)])).unwrap_err();
        assert!(matches!(error, LedgerError::BrokenChain { index: 2, actual: Some(1), .. }), "{error}");
    }
    ledger.append(&europe, entries(vec![withdrawn("a", Some(1))])).unwrap();
    assert_eq!(ledger.head(&europe, &dataset("a")).unwrap(), Some(2));
}

#[test]
fn a_folder_has_one_ledger_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    assert!(matches!(Ledger::open(folder.path()), Err(LedgerError::InUse)));
    let clone = ledger.clone();
    drop(ledger);
    assert!(matches!(Ledger::open(folder.path()), Err(LedgerError::InUse)), "a clone still holds it");
    drop(clone);
    assert!(Ledger::open(folder.path()).is_ok());
}

#[test]
fn a_closed_ledger_can_be_opened_again_while_the_process_starts_children() {
    let folder = tempfile::tempdir().unwrap();
    let children = AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while children.load(Ordering::Relaxed) {
                    Command::new("true").status().unwrap();
                }
            });
        }
        let refused: Vec<_> = (0..200).filter_map(|_| Ledger::open(folder.path()).err()).collect();
        children.store(false, Ordering::Relaxed);
        assert!(refused.is_empty(), "{refused:?}");
    });
}

#[test]
fn a_bootstrap_of_twenty_thousand_entries_is_one_append() {
    let folder = tempfile::tempdir().unwrap();
    let europe = node("europe");
    let all: Vec<Vec<u8>> = (0..20_000).map(|index| nth(index, 15_000)).collect();
    let ledger = Ledger::open(folder.path()).unwrap();
    assert_eq!(ledger.append(&europe, entries(all.clone())).unwrap(), 0..20_000);
    drop(ledger);
    check(&Ledger::open(folder.path()).unwrap(), &europe, &all);
}

#[test]
fn appends_from_many_threads_are_in_one_order_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let europe = node("europe");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (ledger, europe) = (&ledger, &europe);
            scope.spawn(move || append_own(ledger, europe, thread));
        }
    });
    drop(ledger);
    let ledger = Ledger::open(folder.path()).unwrap();
    let held: Vec<Vec<u8>> = ledger.entries(&europe, 0..u64::MAX).unwrap().iter().map(|entry| entry.to_vec()).collect();
    assert_eq!(held.len(), 8 * 20);
    check(&ledger, &europe, &held);
}

/// Appends twenty entries about a dataset of one's own, each seen at once after it was acknowledged.
fn append_own(ledger: &Ledger, log: &NodeId, thread: u64) {
    let id = format!("set-{thread}");
    for round in 0..20 {
        let previous = ledger.head(log, &dataset(&id)).unwrap();
        let entry = catalogued(&id, previous, &format!("{thread} {round}"));
        let indexes = ledger.append(log, entries(vec![entry.clone()])).unwrap();
        assert!(ledger.size(log).unwrap() >= indexes.end);
        assert_eq!(ledger.entry(log, indexes.start).unwrap().unwrap(), entry);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<(bool, Step)>> {
    let step = prop_oneof![4 => (0..70_usize).prop_map(Step::Append), 1 => Just(Step::Reopen)];
    prop::collection::vec((any::<bool>(), step), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_batches_and_reopenings_give_the_log_that_was_appended(steps in steps(), datasets in 1..40_u64) {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Some(Ledger::open(folder.path()).unwrap());
        let mut logs = [(node("europe"), Vec::new()), (node("japan"), Vec::new())];
        for (which, step) in steps {
            match step {
                Step::Reopen => {
                    drop(ledger.take());
                    ledger = Some(Ledger::open(folder.path()).unwrap());
                }
                Step::Append(count) => {
                    let (log, held) = &mut logs[usize::from(which)];
                    let batch: Vec<_> = (held.len()..held.len() + count).map(|i| nth(i as u64, datasets)).collect();
                    let expected_size = Some(held.len() as u64);
                    held.extend(batch.clone());
                    ledger.as_ref().unwrap().append(log, Append { expected_size, ..entries(batch) }).unwrap();
                }
            }
            logs.iter().for_each(|(log, held)| check(ledger.as_ref().unwrap(), log, held));
        }
    }
}
