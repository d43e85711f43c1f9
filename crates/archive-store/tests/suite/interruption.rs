//! Power that goes at any moment: whatever was begun can be repeated or taken back, and what was there stays.

use crate::support::{breaking::Breaking, *};
use archive_store::{Archive, ArchiveError};
use futures::TryStreamExt;

const FIRST: Files = &[("a", "one"), ("b/c", "two"), ("d#1", "three")];
const SECOND: Files = &[("a", "one"), ("b/c", "new"), ("e", "newer"), ("f/g/h", "new")];
/// More changes than any operation here makes.
const ENOUGH: i64 = 200;

/// What is done with a store that breaks.
enum Step {
    Commit(u32, Files<'static>),
    RollBack(Option<u32>),
}

impl Step {
    async fn run(&self, archive: &Archive) -> Result<(), ArchiveError> {
        match self {
            Self::Commit(version, files) => archive.commit(commit_of("d", *version, files)).await.map(|_| ()),
            Self::RollBack(keep) => archive.roll_back(&id("d"), keep.map(v)).await,
        }
    }
}

/// Prepares a place, breaks a step after each number of changes, and hands over what is left; returns how often.
async fn break_everywhere(
    make: fn() -> Place,
    before: &[Files<'static>],
    step: Step,
    judge: impl AsyncFn(&Place, &Archive, i64),
) -> i64 {
    for changes in 0..ENOUGH {
        let place = make();
        let archive = place.archive().await;
        for (number, files) in (1..).zip(before) {
            publish(&archive, "d", number, files).await;
        }
        upload(&archive, &id("draft"), FIRST).await.unwrap();
        upload(&archive, &id("draft"), SECOND).await.unwrap();
        let store = std::sync::Arc::new(Breaking::after(place.store.clone(), changes));
        let breaking = Archive::over(store.clone(), place.path()).await.unwrap();
        let outcome = step.run(&breaking).await;
        assert_eq!(outcome.is_err(), store.broke(), "after {changes} changes: {outcome:?}");
        // What reads the archive now begins anew, as after a crash.
        judge(&place, &place.archive().await, changes).await;
        if outcome.is_ok() {
            return changes;
        }
    }
    panic!("the step never ends");
}

/// The keys of a place whose dataset has just these versions and whose draft is full.
async fn keys_of(make: fn() -> Place, versions: &[Files<'static>]) -> Vec<String> {
    let place = make();
    let archive = place.archive().await;
    for (number, files) in (1..).zip(versions) {
        publish(&archive, "d", number, files).await;
    }
    upload(&archive, &id("draft"), FIRST).await.unwrap();
    upload(&archive, &id("draft"), SECOND).await.unwrap();
    place.keys().await
}

#[tokio::test]
async fn a_broken_first_commit_can_be_repeated_or_taken_back() {
    for make in [Place::memory, Place::local] {
        let (empty, full) = (keys_of(make, &[]).await, keys_of(make, &[FIRST]).await);
        let breaks = break_everywhere(make, &[], Step::Commit(1, FIRST), async |place, archive, changes| {
            if changes % 2 == 0 {
                archive.roll_back(&id("d"), None).await.unwrap();
                assert_eq!(place.keys().await, empty);
                assert!(archive.list_datasets().await.unwrap().try_collect::<Vec<_>>().await.unwrap().is_empty());
            }
            archive.commit(commit_of("d", 1, FIRST)).await.unwrap();
            assert_eq!(place.keys().await, full, "after {changes} changes");
            assert_eq!(read_all(archive, "d", 1).await, map(FIRST));
            assert_sound(archive, "d").await;
            assert!(place.hidden().is_empty(), "{:?}", place.hidden());
        });
        assert!(breaks.await > 8);
    }
}

#[tokio::test]
async fn a_broken_later_commit_loses_no_version_and_leaves_no_orphan() {
    for make in [Place::memory, Place::local] {
        let (one, two) = (keys_of(make, &[FIRST]).await, keys_of(make, &[FIRST, SECOND]).await);
        let breaks = break_everywhere(make, &[FIRST], Step::Commit(2, SECOND), async |place, archive, changes| {
            assert_eq!(read_all(archive, "d", 1).await, map(FIRST), "readable before anything is repaired");
            if changes % 2 == 0 {
                archive.roll_back(&id("d"), Some(v(1))).await.unwrap();
                assert_eq!(place.keys().await, one, "after {changes} changes");
                assert_eq!(archive.versions(&id("d")).await.unwrap(), [v(1)]);
                assert_sound(archive, "d").await;
            }
            archive.commit(commit_of("d", 2, SECOND)).await.unwrap();
            assert_eq!(place.keys().await, two, "after {changes} changes");
            assert_eq!(read_all(archive, "d", 1).await, map(FIRST));
            assert_eq!(read_all(archive, "d", 2).await, map(SECOND));
            assert_sound(archive, "d").await;
            assert!(place.hidden().is_empty(), "{:?}", place.hidden());
        });
        assert!(breaks.await > 6);
    }
}

#[tokio::test]
async fn a_commit_repeated_with_other_files_leaves_nothing_of_the_first_attempt() {
    for make in [Place::memory, Place::local] {
        let expected = keys_of(make, &[FIRST, FIRST]).await;
        break_everywhere(make, &[FIRST], Step::Commit(2, SECOND), async |place, archive, changes| {
            archive.commit(commit_of("d", 2, FIRST)).await.unwrap();
            assert_eq!(place.keys().await, expected, "after {changes} changes");
            assert_eq!(read_all(archive, "d", 2).await, map(FIRST));
            assert_sound(archive, "d").await;
            assert!(place.hidden().is_empty(), "{:?}", place.hidden());
        })
        .await;
    }
}

#[tokio::test]
async fn a_broken_roll_back_keeps_what_it_was_to_keep_and_can_be_repeated() {
    for make in [Place::memory, Place::local] {
        let one = keys_of(make, &[FIRST]).await;
        let breaks =
            break_everywhere(make, &[FIRST, SECOND], Step::RollBack(Some(1)), async |place, archive, changes| {
                assert_eq!(read_all(archive, "d", 1).await, map(FIRST));
                archive.roll_back(&id("d"), Some(v(1))).await.unwrap();
                assert_eq!(place.keys().await, one, "after {changes} changes");
                assert_sound(archive, "d").await;
                assert!(place.hidden().is_empty(), "{:?}", place.hidden());
            });
        assert!(breaks.await > 5);
    }
}

#[tokio::test]
async fn a_broken_removal_is_still_listed_until_it_is_done() {
    for make in [Place::memory, Place::local] {
        let empty = keys_of(make, &[]).await;
        break_everywhere(make, &[FIRST, SECOND], Step::RollBack(None), async |place, archive, changes| {
            let left = place.keys().await.iter().any(|key| key.contains("/v1/") || key.contains("0=ocfl_object"));
            let listed: Vec<_> = archive.list_datasets().await.unwrap().try_collect().await.unwrap();
            assert_eq!(!listed.is_empty(), left, "after {changes} changes");
            archive.roll_back(&id("d"), None).await.unwrap();
            assert_eq!(place.keys().await, empty, "after {changes} changes");
            assert!(place.hidden().is_empty(), "{:?}", place.hidden());
        })
        .await;
    }
}

#[tokio::test]
async fn files_a_crash_left_half_written_go_with_the_next_commit() {
    let place = Place::local();
    let archive = place.archive().await;
    publish(&archive, "d", 1, FIRST).await;
    let root = place.path().unwrap();
    let keys = place.keys().await;
    let object = root.join(keys.iter().find_map(|key| key.strip_suffix("/0=ocfl_object_1.1")).unwrap());
    std::fs::create_dir_all(object.join("v2/content/x")).unwrap();
    for torn in ["inventory.json#1", "v2/inventory.json#1", "v2/content/x/y#2"] {
        std::fs::write(object.join(torn), "{").unwrap();
    }
    std::fs::write(root.join("ocfl/0=ocfl_1.1#1"), "").unwrap();
    let faults = archive.verify(&id("d")).await.unwrap();
    for code in ["E001", "E015", "E023"] {
        assert!(codes(&faults).contains(&code), "{faults:?}");
    }
    let archive = place.archive().await;
    publish(&archive, "d", 2, SECOND).await;
    assert!(place.hidden().is_empty(), "{:?}", place.hidden());
    assert_sound(&archive, "d").await;
}
