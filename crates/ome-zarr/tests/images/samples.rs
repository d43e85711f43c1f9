//! Our own samples: valid, describable, drawable, and the same for the same seed.

use std::path::Path;

use dataset_model::{Findings, Severity};
use ome_zarr::{
    FolderSource, describe, find_images, find_stores,
    sample::{self, Kind},
    thumbnail, validate,
};

const KINDS: [Kind; 3] = [Kind::Cells, Kind::Stack, Kind::Labelled];

fn made(kind: Kind, seed: u64) -> (tempfile::TempDir, FolderSource) {
    let folder = tempfile::tempdir().unwrap();
    sample::write(folder.path(), kind, seed).unwrap();
    let source = FolderSource::new(folder.path()).unwrap();
    (folder, source)
}

fn size_of(folder: &Path) -> usize {
    crate::support::load(folder).0.values().map(Vec::len).sum()
}

#[test]
fn every_sample_is_valid_without_a_warning_and_of_a_demonstrable_size() {
    for kind in KINDS {
        let (folder, source) = made(kind, 3);
        let report = validate(&source).unwrap();
        let serious = report.findings.iter().filter(|finding| finding.severity > Severity::Note);
        assert_eq!(serious.count(), 0, "{kind:?}: {:#?}", report.findings);
        assert!(!report.findings.has_errors());
        let size = size_of(folder.path());
        assert!((200_000..5_000_000).contains(&size), "{kind:?} has {size} bytes");
    }
}

#[test]
fn samples_cover_both_versions_shards_and_labels() {
    let (_folder, source) = made(Kind::Cells, 1);
    let cells = describe(&source, "cells.ome.zarr").unwrap();
    assert_eq!((cells.version.as_str(), cells.shape.as_slice()), ("0.5", [3, 1024, 1024].as_slice()));
    assert_eq!(cells.levels.len(), 3);
    assert!(cells.levels.iter().all(|level| level.shard_shape.is_some()));
    assert_eq!(cells.levels[1].scale, [1.0, 0.65, 0.65]);
    assert_eq!(cells.physical_size, [None, Some(0.325), Some(0.325)]);

    let (_folder, source) = made(Kind::Stack, 1);
    let stack = describe(&source, "stack.ome.zarr").unwrap();
    assert_eq!((stack.version.as_str(), stack.data_type.as_str()), ("0.4", "uint8"));

    let (_folder, source) = made(Kind::Labelled, 1);
    let images = find_images(&source).unwrap();
    let labels: Vec<bool> = images.iter().map(|image| image.is_label).collect();
    assert_eq!(labels, [false, true]);
    assert_eq!(find_stores(&source).unwrap(), ["labelled.ome.zarr"]);
    assert_eq!(describe(&source, "labelled.ome.zarr").unwrap().label_names, ["nuclei"]);
    assert!(describe(&source, &images[1].path).unwrap().is_label);
}

#[test]
fn a_seed_always_gives_the_same_bytes_and_other_seeds_other_pictures() {
    for kind in KINDS {
        let [(one, first), (two, _), (_other, third)] = [made(kind, 5), made(kind, 5), made(kind, 6)];
        assert_eq!(crate::support::load(one.path()).0, crate::support::load(two.path()).0, "{kind:?}");
        let path = &find_images(&first).unwrap()[0].path;
        assert_ne!(thumbnail(&first, path, 64).unwrap(), thumbnail(&third, path, 64).unwrap(), "{kind:?}");
    }
}

#[test]
fn an_image_that_exists_is_not_written_over() {
    let (folder, _) = made(Kind::Stack, 1);
    assert!(sample::write(folder.path(), Kind::Stack, 2).is_err());
}

#[test]
fn thumbnails_have_the_side_that_was_asked_for_and_show_something() {
    for kind in KINDS {
        let (_folder, source) = made(kind, 2);
        for image in find_images(&source).unwrap() {
            for side in [16, 100, 512] {
                let png = thumbnail(&source, &image.path, side).unwrap();
                let picture = image::load_from_memory(&png).unwrap().to_rgb8();
                assert_eq!((picture.width(), picture.height()), (side, side));
                let bright = picture.pixels().filter(|pixel| pixel.0.iter().any(|part| *part > 100)).count();
                assert!(bright * 200 > (side * side) as usize, "{} at {side} is dark", image.path);
            }
        }
    }
}

#[test]
fn sizes_outside_the_offer_are_refused() {
    let (_folder, source) = made(Kind::Stack, 1);
    for side in [0, 15, 1025, u32::MAX] {
        assert!(thumbnail(&source, "stack.ome.zarr", side).is_err());
    }
}
