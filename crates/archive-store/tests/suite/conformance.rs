//! What an archive promises, on every kind of store.

use std::ops::Range;

use crate::support::*;
use archive_store::{Archive, ArchiveError, Blob, Expect, Location};
use bytes::Bytes;
use dataset_model::Digest;
use futures::{StreamExt, TryStreamExt, stream};

const FIRST: Files = &[("ro-crate-metadata.json", "{}"), ("a.ome.zarr/0/c/0", "pixels"), ("copy/c0", "pixels")];
const SECOND: Files = &[("ro-crate-metadata.json", "{\"v\":2}"), ("a.ome.zarr/0/c/0", "pixels")];

#[tokio::test]
async fn versions_are_read_back_as_they_were_committed() {
    for place in Place::both() {
        let archive = place.archive().await;
        let one = publish(&archive, "d", 1, FIRST).await;
        let two = publish(&archive, "d", 2, SECOND).await;
        assert_eq!(read_all(&archive, "d", 1).await, map(FIRST));
        assert_eq!(read_all(&archive, "d", 2).await, map(SECOND));
        assert_eq!(archive.versions(&id("d")).await.unwrap(), [v(1), v(2)]);
        for (version, committed) in [(1, one), (2, two)] {
            assert_eq!(*archive.manifest(&id("d"), v(version)).await.unwrap(), committed.manifest);
            let inventory = archive.inventory(&id("d"), v(version)).await.unwrap();
            assert_eq!(Digest::of(&inventory), committed.inventory);
        }
        assert_sound(&archive, "d").await;
        assert!(place.hidden().is_empty(), "{:?}", place.hidden());
    }
}

#[tokio::test]
async fn everything_stands_where_ocfl_says_and_equal_bytes_once() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, FIRST).await;
        publish(&archive, "d", 2, SECOND).await;
        let digest = Digest::of("urn:heliograph:d").to_string();
        let object = format!("ocfl/{}/{}/{}/urn%3aheliograph%3ad", &digest[..3], &digest[3..6], &digest[6..9]);
        let mut expected: Vec<String> = [
            "0=ocfl_object_1.1",
            "inventory.json",
            "inventory.json.sha256",
            "v1/content/a.ome.zarr/0/c/0",
            "v1/content/ro-crate-metadata.json",
            "v1/inventory.json",
            "v1/inventory.json.sha256",
            "v2/content/ro-crate-metadata.json",
            "v2/inventory.json",
            "v2/inventory.json.sha256",
        ]
        .map(|name| format!("{object}/{name}"))
        .to_vec();
        expected.extend(["manifests/d/v1.ndjson", "manifests/d/v2.ndjson"].map(str::to_owned));
        expected.extend(["ocfl/0=ocfl_1.1", "ocfl/ocfl_layout.json"].map(str::to_owned));
        expected.push("ocfl/extensions/0003-hash-and-id-n-tuple-storage-layout/config.json".to_owned());
        expected.sort();
        assert_eq!(place.keys().await, expected);
    }
}

#[tokio::test]
async fn the_same_commit_gives_the_same_inventory_everywhere() {
    let reversed: Vec<_> = FIRST.iter().rev().copied().collect();
    let mut inventories = Vec::new();
    for (place, files) in Place::both().iter().zip([FIRST, &reversed]) {
        inventories.push(publish(&place.archive().await, "d", 1, files).await);
    }
    assert_eq!(inventories[0], inventories[1]);
}

#[tokio::test]
async fn any_legal_path_can_be_stored() {
    let long = format!("{}/{}", "#".repeat(200), "深".repeat(80));
    let deep = vec!["abcdefghi"; 100].join("/");
    let files: Files = &[
        ("plain", "1"),
        ("a b/c (1).tif", "2"),
        ("plate#1/[A]{2}%20.tif", "3"),
        ("細胞/é~^|<>*?:\"`.tif", "4"),
        ("%_x", "5"),
        ("ends.with#1", "6"),
        (".hidden/..dots..", "7"),
        ("v1/content/inventory.json", "8"),
        ("0=ocfl_object_1.1", "9"),
        (&long, "10"),
        (&deep, "11"),
    ];
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, files).await;
        assert_eq!(read_all(&archive, "d", 1).await, map(files));
        assert_sound(&archive, "d").await;
        assert!(place.hidden().is_empty());
    }
}

#[tokio::test]
async fn a_version_may_hold_no_files_and_empty_files() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, &[]).await;
        publish(&archive, "d", 2, &[("empty", "")]).await;
        assert!(read_all(&archive, "d", 1).await.is_empty());
        assert_eq!(text(&archive, "d", 2, "empty").await.unwrap(), "");
        assert_sound(&archive, "d").await;
    }
}

#[tokio::test]
async fn bytes_of_any_earlier_version_need_not_be_sent_again() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, &[("x", "old"), ("y", "both")]).await;
        publish(&archive, "d", 2, &[("y", "both")]).await;
        archive.commit(commit_of("d", 3, &[("back", "old")])).await.unwrap();
        assert_eq!(text(&archive, "d", 3, "back").await.unwrap(), "old");
        assert_sound(&archive, "d").await;
    }
}

#[tokio::test]
async fn a_commit_that_cannot_be_changes_nothing() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, FIRST).await;
        publish(&archive, "d", 2, SECOND).await;
        upload(&archive, &id("draft"), &[("x", "here")]).await.unwrap();
        let before = place.keys().await;
        let missing = archive.commit(commit_of("d", 3, &[("x", "here"), ("y", "never sent")])).await;
        assert!(matches!(missing, Err(ArchiveError::MissingBlob { path, .. }) if path.as_str() == "y"));
        let mut wrong = commit_of("d", 3, &[("x", "here")]);
        wrong.files[0].size = 5;
        assert!(matches!(archive.commit(wrong).await, Err(ArchiveError::SizeDiffers { listed: 5, stored: 4, .. })));
        for version in [1, 4] {
            let skipped = archive.commit(commit_of("d", version, &[("x", "here")])).await;
            assert!(matches!(skipped, Err(ArchiveError::NotNext { .. })), "{skipped:?}");
        }
        let twice = archive.commit(commit_of("d", 3, &[("x", "here"), ("x", "here")])).await;
        assert!(matches!(twice, Err(ArchiveError::Files(_))));
        assert_eq!(place.keys().await, before);
        assert_sound(&archive, "d").await;
    }
}

#[tokio::test]
async fn what_is_absent_is_not_found() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, FIRST).await;
        let absent = |error: ArchiveError| matches!(error, ArchiveError::NotFound { .. });
        assert!(absent(text(&archive, "d", 1, "nothing").await.unwrap_err()));
        assert!(absent(text(&archive, "d", 1, "a.ome.zarr").await.unwrap_err()));
        assert!(absent(text(&archive, "d", 2, "copy/c0").await.unwrap_err()));
        assert!(absent(archive.manifest(&id("other"), v(1)).await.unwrap_err()));
        assert!(absent(archive.inventory(&id("d"), v(2)).await.unwrap_err()));
        assert!(absent(archive.verify(&id("other")).await.unwrap_err()));
        assert!(absent(archive.roll_back(&id("d"), Some(v(7))).await.unwrap_err()));
        assert!(absent(archive.open_draft_file(&id("draft"), Digest::of("x"), 1).await.unwrap_err()));
        assert!(archive.versions(&id("other")).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_leaves_nothing() {
    let large = "x".repeat(9 * 1024 * 1024);
    for place in Place::both() {
        let archive = place.archive().await;
        let before = place.keys().await;
        for text in ["short", large.as_str()] {
            let length = text.len() as u64;
            let put = async |expect| archive.put_draft_file(&id("draft"), body(text), expect).await.unwrap_err();
            let other = Some(Digest::of("other"));
            assert!(matches!(put(Expect { sha256: other, ..ANY }).await, ArchiveError::WrongDigest { .. }));
            for size in [length - 1, length + 1] {
                let wrong = put(Expect { size: Some(size), ..ANY }).await;
                assert!(matches!(wrong, ArchiveError::WrongSize { expected, .. } if expected == size));
            }
            let limited = Expect { max_bytes: length - 1, ..ANY };
            assert!(matches!(put(limited).await, ArchiveError::TooLarge { .. }));
            assert!(matches!(put(Expect { size: Some(length), ..limited }).await, ArchiveError::TooLarge { .. }));
            let pieces = [Ok(Bytes::from(text.to_owned())), Err("the line broke")];
            let broken = archive.put_draft_file(&id("draft"), stream::iter(pieces), ANY).await;
            assert!(matches!(broken, Err(ArchiveError::Body(_))));
        }
        assert_eq!(place.keys().await, before);
        assert!(place.hidden().iter().all(|path| path.is_dir()), "{:?}", place.hidden());
    }
}

#[tokio::test]
async fn folders_that_all_datasets_share_stay_when_their_last_file_goes() {
    let place = Place::local();
    let archive = place.archive().await;
    publish(&archive, "d", 1, FIRST).await;
    archive.roll_back(&id("d"), None).await.unwrap();
    archive.delete_draft(&id("d")).await.unwrap();
    // Without them, the first file of another dataset could be on its way into a folder that is being removed.
    for folder in ["drafts", "manifests"] {
        assert!(place.path().unwrap().join(folder).is_dir(), "{folder}");
    }
}

#[tokio::test]
async fn a_large_body_in_odd_pieces_is_stored_under_its_digest() {
    let bytes: Vec<u8> =
        (0..20 * 1024 * 1024 + 17_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let pieces: Vec<Bytes> = bytes.chunks(1_000_003).map(Bytes::copy_from_slice).collect();
    for place in Place::both() {
        let archive = place.archive().await;
        let body = stream::iter(pieces.clone().into_iter().map(Ok::<_, std::io::Error>));
        let expect = Expect { sha256: Some(Digest::of(&bytes)), size: Some(bytes.len() as u64), max_bytes: 1 << 30 };
        let blob = archive.put_draft_file(&id("draft"), body, expect).await.unwrap();
        assert_eq!((blob.sha256, blob.size), (Digest::of(&bytes), bytes.len() as u64));
        let drafts: Vec<_> = place.keys().await.into_iter().filter(|key| key.starts_with("drafts")).collect();
        assert_eq!(drafts, [format!("drafts/draft/{}", blob.sha256)]);
        let blob = archive.open_draft_file(&id("draft"), blob.sha256, blob.size).await.unwrap();
        assert!(blob.bytes(0..blob.size()).await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn drafts_are_listed_and_removed_and_leave_what_was_committed() {
    for place in Place::both() {
        let archive = place.archive().await;
        assert!(archive.list_drafts().await.unwrap().is_empty());
        upload(&archive, &id("draft"), FIRST).await.unwrap();
        upload(&archive, &id("draft"), FIRST).await.unwrap();
        upload(&archive, &id("draft.2"), SECOND).await.unwrap();
        archive.commit(commit_of("d", 1, FIRST)).await.unwrap();
        let mut drafts = archive.list_drafts().await.unwrap();
        drafts.sort();
        assert_eq!(drafts, [id("draft"), id("draft.2")]);
        archive.delete_draft(&id("draft")).await.unwrap();
        archive.delete_draft(&id("draft")).await.unwrap();
        assert_eq!(archive.list_drafts().await.unwrap(), [id("draft.2")]);
        let gone = archive.open_draft_file(&id("draft"), Digest::of("{}"), 2).await;
        assert!(matches!(gone, Err(ArchiveError::NotFound { .. })));
        assert_eq!(read_all(&archive, "d", 1).await, map(FIRST));
    }
}

#[tokio::test]
async fn ranges_give_exactly_their_bytes_and_no_others() {
    let text: String = (0..70_000).map(|at| format!("{at:08},")).collect();
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, &[("long", &text)]).await;
        let blob = archive.open_file(&id("d"), v(1), &path("long")).await.unwrap();
        let size = blob.size();
        for range in [0..0, 0..1, 5..100, 262_140..262_150, 1..size, size - 1..size, size..size, 0..size] {
            let expected = &text.as_bytes()[range.start as usize..range.end as usize];
            assert_eq!(blob.bytes(range.clone()).await.unwrap(), expected, "{range:?}");
            assert_eq!(streamed(&blob, range.clone()).await, expected, "{range:?}");
            assert_eq!(blob.bytes_blocking(range).is_some(), place.folder.is_some());
        }
        #[expect(clippy::reversed_empty_ranges, reason = "a hostile range")]
        for range in [0..size + 1, size + 1..size + 2, 5..4, u64::MAX - 1..u64::MAX] {
            assert!(matches!(blob.bytes(range.clone()).await, Err(ArchiveError::Range { .. })), "{range:?}");
            assert!(blob.read(range).try_next().await.is_err());
        }
    }
}

async fn streamed(blob: &Blob, range: Range<u64>) -> Vec<u8> {
    let pieces: Vec<Bytes> = blob.read(range).try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn a_lost_list_of_files_is_made_again_and_a_false_one_is_not_believed() {
    for place in Place::both() {
        let expected = publish(&place.archive().await, "d", 1, FIRST).await.manifest;
        for damage in ["", "{\"path\":\"x\",\"size\":1,\"sha256\":", "not json"] {
            place.store_put("manifests/d/v1.ndjson", damage).await;
            assert_eq!(*place.archive().await.manifest(&id("d"), v(1)).await.unwrap(), expected);
        }
        let keys = place.keys().await;
        place.store_delete("manifests/d/v1.ndjson").await;
        assert_eq!(read_all(&place.archive().await, "d", 1).await, map(FIRST));
        assert_eq!(place.keys().await, keys);
    }
}

#[tokio::test]
async fn erasing_leaves_nothing_of_a_dataset_and_all_of_others() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "kept", 1, FIRST).await;
        let before = place.keys().await;
        publish(&archive, "d", 1, FIRST).await;
        publish(&archive, "d", 2, SECOND).await;
        assert_eq!(text(&archive, "d", 2, "a.ome.zarr/0/c/0").await.unwrap(), "pixels");
        archive.erase(&id("d")).await.unwrap();
        archive.erase(&id("d")).await.unwrap();
        assert_eq!(place.keys().await, before);
        assert!(place.hidden().is_empty(), "{:?}", place.hidden());
        assert!(matches!(text(&archive, "d", 2, "copy/c0").await, Err(ArchiveError::NotFound { .. })));
        assert_eq!(read_all(&archive, "kept", 1).await, map(FIRST));
    }
}

#[tokio::test]
async fn rolling_back_restores_what_was_and_the_number_can_be_used_again() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, FIRST).await;
        let before = place.keys().await;
        publish(&archive, "d", 2, &[("x", "taken back")]).await;
        publish(&archive, "d", 3, &[("x", "this too")]).await;
        assert_eq!(text(&archive, "d", 3, "x").await.unwrap(), "this too");
        for _ in 0..2 {
            archive.roll_back(&id("d"), Some(v(1))).await.unwrap();
            assert_eq!(place.keys().await, before);
            assert_sound(&archive, "d").await;
        }
        publish(&archive, "d", 2, &[("x", "another")]).await;
        assert_eq!(text(&archive, "d", 2, "x").await.unwrap(), "another");
        assert!(matches!(text(&archive, "d", 3, "x").await, Err(ArchiveError::NotFound { .. })));
        assert!(place.hidden().is_empty(), "{:?}", place.hidden());
    }
}

#[tokio::test]
async fn datasets_are_listed_with_and_without_derived_names() {
    for place in Place::both() {
        let archive = place.archive().await;
        for dataset in ["a", "b.2", "C-3"] {
            publish(&archive, dataset, 1, FIRST).await;
        }
        for lost in [vec![], vec!["manifests/a/v1.ndjson", "manifests/C-3/v1.ndjson"]] {
            for key in lost {
                place.store_delete(key).await;
            }
            let mut listed: Vec<_> = archive.list_datasets().await.unwrap().try_collect().await.unwrap();
            listed.sort();
            assert_eq!(listed, [id("C-3"), id("a"), id("b.2")]);
        }
        place.store_put("ocfl/aaa/bbb/ccc/nobody/0=ocfl_object_1.1", "ocfl_object_1.1\n").await;
        let listed: Vec<_> = archive.list_datasets().await.unwrap().collect().await;
        assert_eq!(listed.iter().filter(|dataset| dataset.is_ok()).count(), 3);
        assert!(listed.iter().any(|dataset| matches!(dataset, Err(ArchiveError::Damaged { .. }))));
    }
}

#[tokio::test]
async fn damage_is_found_by_verification_and_by_reading() {
    for place in Place::both() {
        let archive = place.archive().await;
        publish(&archive, "d", 1, FIRST).await;
        let keys = place.keys().await;
        let content = keys.iter().find(|key| key.ends_with("content/ro-crate-metadata.json")).unwrap();
        place.store_put(content, "[]").await;
        assert_eq!(codes(&archive.verify(&id("d")).await.unwrap()), ["E092"]);
        place.store_put(content, "{").await;
        let damaged = text(&place.archive().await, "d", 1, "ro-crate-metadata.json").await;
        assert!(matches!(damaged, Err(ArchiveError::Damaged { .. })), "{damaged:?}");
        place.store_delete(content).await;
        assert_eq!(codes(&archive.verify(&id("d")).await.unwrap()), ["E092"]);
        place.store_put(content, "{}").await;
        place.store_put(&content.replace("ro-crate-metadata.json", "stray"), "x").await;
        assert_eq!(codes(&archive.verify(&id("d")).await.unwrap()), ["E023"]);
    }
}

#[tokio::test]
async fn many_readers_and_writers_of_one_dataset_do_not_disturb_each_other() {
    for place in Place::both() {
        let archive = place.archive().await;
        upload(&archive, &id("draft"), &[("x", "one")]).await.unwrap();
        let attempts = (0..8).map(|_| archive.commit(commit_of("d", 1, &[("x", "one")])));
        for committed in futures::future::join_all(attempts).await {
            assert_eq!(committed.unwrap().manifest.files().len(), 1);
        }
        let reads = (0..50).map(|_| text(&archive, "d", 1, "x"));
        assert!(futures::future::join_all(reads).await.iter().all(|read| read.as_ref().unwrap() == "one"));
        assert_sound(&archive, "d").await;
    }
}

#[tokio::test]
async fn a_local_archive_is_the_same_after_opening_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Local(folder.path().join("made/when/absent"));
    publish(&Archive::open(&location).await.unwrap(), "d", 1, FIRST).await;
    let archive = Archive::open(&location).await.unwrap();
    assert_eq!(read_all(&archive, "d", 1).await, map(FIRST));
    assert_sound(&archive, "d").await;
    let unlike = folder.path().join("made/when/absent/ocfl/ocfl_layout.json");
    std::fs::write(unlike, "{\"extension\": \"0002-flat-direct-storage-layout\"}").unwrap();
    assert!(matches!(Archive::open(&location).await, Err(ArchiveError::Damaged { .. })));
}
