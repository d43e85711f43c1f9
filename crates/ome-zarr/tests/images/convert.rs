//! Conversions from outside: what is written equals what was read, by the eyes of the array library alone.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use dataset_model::{Findings, Severity};
use ome_zarr::{
    Compression, Conversion, ConvertOptions, FolderSource, OmeZarrError, Progress, Sharding, Unwatched, convert,
    describe, find_images,
    sample::{self, Kind},
    validate,
};
use zarrs::{array::Array, filesystem::FilesystemStore};

fn sample(folder: &Path, kind: Kind) -> std::path::PathBuf {
    sample::write(folder, kind, 4).unwrap()
}

fn run(from: &Path, out: &Path, options: &ConvertOptions) -> Result<Conversion, OmeZarrError> {
    convert(Arc::new(FolderSource::new(from).unwrap()), "", out, options, &Unwatched)
}

/// The encoded values of an array, by the array library.
fn pixels(image: &Path, array: &str) -> (Vec<u64>, Vec<u8>) {
    let store = Arc::new(FilesystemStore::new(image).unwrap());
    let array = Array::open(store, &format!("/{array}")).unwrap();
    let bytes: zarrs::array::ArrayBytes<'_> = array.retrieve_array_subset(&array.subset_all()).unwrap();
    (array.shape().to_vec(), bytes.into_fixed().unwrap().into_owned())
}

/// No warning, let alone an error.
fn assert_valid(image: &Path) {
    let report = validate(&FolderSource::new(image).unwrap()).unwrap();
    let serious: Vec<_> = report.findings.iter().filter(|finding| finding.severity > Severity::Note).collect();
    assert!(serious.is_empty() && !report.findings.has_errors(), "{serious:#?}");
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    crate::support::load(folder).0
}

fn sharded() -> ConvertOptions {
    ConvertOptions { sharding: Some(Sharding::Auto), ..ConvertOptions::default() }
}

#[test]
fn version_0_4_becomes_0_5_without_touching_a_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (sample(folder.path(), Kind::Stack), folder.path().join("new.ome.zarr"));
    let conversion = run(&from, &out, &ConvertOptions::default()).unwrap();
    assert!(conversion.metadata_only);
    assert_valid(&out);
    let (old, new) = (files(&from), files(&out));
    let is_chunk = |path: &&String| !path.contains("zarr.json") && !path.contains("/.z") && !path.starts_with(".z");
    let chunks: Vec<&String> = old.keys().filter(is_chunk).collect();
    assert!(chunks.len() > 10);
    assert!(chunks.iter().all(|path| new.get(*path) == old.get(*path)));
    assert_eq!(new.keys().filter(is_chunk).count(), chunks.len());
    for level in ["0", "1", "2"] {
        assert_eq!(pixels(&from, level), pixels(&out, level));
    }
    let (before, after) = (described(&from), described(&out));
    assert_eq!((after.version.as_str(), &after.axes, &after.channels), ("0.5", &before.axes, &before.channels));
    let sizes = |record: &ome_zarr::ImageRecord| -> Vec<(String, Vec<u64>, Vec<u64>, Vec<f64>)> {
        let levels = record.levels.iter().cloned();
        levels.map(|level| (level.path, level.shape, level.chunk_shape, level.scale)).collect()
    };
    assert_eq!(sizes(&after), sizes(&before));
}

fn described(image: &Path) -> ome_zarr::ImageRecord {
    describe(&FolderSource::new(image).unwrap(), "").unwrap()
}

#[test]
fn chunks_are_packed_into_shards_and_every_level_keeps_its_pixels() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, name) in [(Kind::Stack, "stack"), (Kind::Cells, "cells"), (Kind::Labelled, "labelled")] {
        let (from, out) = (sample(folder.path(), kind), folder.path().join(format!("{name}-new.ome.zarr")));
        let conversion = run(&from, &out, &sharded()).unwrap();
        assert!(!conversion.metadata_only);
        assert_valid(&out);
        for image in find_images(&FolderSource::new(&out).unwrap()).unwrap() {
            let record = describe(&FolderSource::new(&out).unwrap(), &image.path).unwrap();
            for level in &record.levels {
                assert!(level.shard_shape.is_some());
                let array = format!("{}/{}", image.path, level.path);
                let array = array.trim_start_matches('/');
                assert_eq!(pixels(&from, array), pixels(&out, array), "{name} {array}");
            }
        }
    }
}

#[test]
fn chunks_and_codecs_are_those_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let from = sample(folder.path(), Kind::Cells);
    for (number, (chunk, sharding, compression)) in [
        (vec![100, 130], Sharding::Shape(vec![300, 390]), Compression::Zstd(1)),
        (vec![2, 1, 101, 77], Sharding::None, Compression::Blosc(3)),
        (vec![512, 512], Sharding::Auto, Compression::None),
    ]
    .into_iter()
    .enumerate()
    {
        let out = folder.path().join(format!("{number}.ome.zarr"));
        let options = ConvertOptions {
            chunk: Some(chunk.clone()),
            sharding: Some(sharding.clone()),
            compression: Some(compression),
            levels: Some(4),
            ..ConvertOptions::default()
        };
        run(&from, &out, &options).unwrap();
        assert_valid(&out);
        let record = described(&out);
        assert_eq!(record.levels.len(), 4);
        assert!(record.levels[0].chunk_shape.ends_with(&chunk[chunk.len() - 2..]));
        assert_eq!(record.levels[0].shard_shape.is_some(), sharding != Sharding::None);
        assert_eq!(pixels(&from, "0"), pixels(&out, "0"));
        assert_eq!(means(&pixels(&from, "0")), pixels(&out, "1"));
        assert_eq!(means(&pixels(&out, "1")), pixels(&out, "2"));
    }
}

/// Means of 2 x 2 pixels of a stack of 16-bit planes, in the plainest way.
fn means((shape, bytes): &(Vec<u64>, Vec<u8>)) -> (Vec<u64>, Vec<u8>) {
    let [planes, height, width] = shape[..] else { panic!("{shape:?}") };
    let pixels: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pixel| u16::from_ne_bytes(*pixel)).collect();
    let half = [planes, height.div_ceil(2), width.div_ceil(2)];
    let mut out = Vec::new();
    for plane in 0..planes {
        for y in 0..half[1] {
            for x in 0..half[2] {
                let at = |y: u64, x: u64| {
                    (y < height && x < width).then(|| pixels[((plane * height + y) * width + x) as usize])
                };
                let corners = [at(2 * y, 2 * x), at(2 * y, 2 * x + 1), at(2 * y + 1, 2 * x), at(2 * y + 1, 2 * x + 1)];
                let values: Vec<f64> = corners.iter().flatten().map(|value| f64::from(*value)).collect();
                let mean = (values.iter().sum::<f64>() / values.len() as f64).round_ties_even();
                out.extend((mean as u16).to_ne_bytes());
            }
        }
    }
    (half.to_vec(), out)
}

/// Stops the work after so many reports.
struct StopAfter(AtomicU64, AtomicBool);

impl Progress for StopAfter {
    fn advance(&self, _done: u64, _total: u64) {
        if self.0.fetch_sub(1, Ordering::Relaxed) <= 1 {
            self.1.store(true, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
}

#[test]
fn a_stopped_conversion_leaves_nothing_in_place_and_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let from = sample(folder.path(), Kind::Cells);
    let options = ConvertOptions {
        chunk: Some(vec![128, 128]),
        sharding: Some(Sharding::Shape(vec![256, 256])),
        levels: Some(5),
        // Small enough that bands are single chunks.
        memory: 32 << 20,
        ..ConvertOptions::default()
    };
    let whole = folder.path().join("whole.ome.zarr");
    run(&from, &whole, &options).unwrap();
    let expected = files(&whole);
    let out = folder.path().join("stopped.ome.zarr");
    let mut stops = 0;
    let mut allowed = 3;
    loop {
        let progress = StopAfter(AtomicU64::new(allowed), AtomicBool::new(false));
        let source = Arc::new(FolderSource::new(&from).unwrap());
        match convert(source, "", &out, &options, &progress) {
            Ok(_) => break,
            Err(OmeZarrError::Cancelled) => assert!(!out.exists()),
            Err(error) => panic!("{error:?}"),
        }
        stops += 1;
        // What was complete is reported again at once, so each run has to come further.
        allowed += 7;
        // Another task's leftovers are not mixed in.
        if stops == 2 {
            let other = ConvertOptions { levels: Some(1), ..options.clone() };
            let progress = StopAfter(AtomicU64::new(1), AtomicBool::new(false));
            let source = Arc::new(FolderSource::new(&from).unwrap());
            assert!(matches!(convert(source, "", &out, &other, &progress), Err(OmeZarrError::Cancelled)));
        }
    }
    assert!(stops > 3, "stopped {stops} times");
    let found = files(&out);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found == expected);
    assert!(!folder.path().join("stopped.ome.zarr.partial").exists());
}

#[test]
fn what_exists_is_not_written_over_and_what_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let from = sample(folder.path(), Kind::Stack);
    let error = run(&from, &from, &sharded()).unwrap_err();
    assert!(matches!(error, OmeZarrError::Write { .. }), "{error:?}");
    let nothing = folder.path().join("empty");
    std::fs::create_dir(&nothing).unwrap();
    assert!(run(&nothing, &folder.path().join("out"), &sharded()).is_err());
    assert!(!folder.path().join("out").exists());
    let tiny = ConvertOptions { memory: 1 << 20, ..sharded() };
    let error = run(&from, &folder.path().join("out"), &tiny).unwrap_err();
    assert!(matches!(error, OmeZarrError::Options(_)), "{error:?}");
}

#[test]
fn archives_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let from = sample(folder.path(), Kind::Labelled);
    let archive = folder.path().join("labelled.ozx");
    run(&from, &archive, &ConvertOptions::default()).unwrap();
    let checked = ome_zarr::zip::ZipSource::open(&archive).unwrap();
    assert!(!validate(&checked).unwrap().findings.has_errors());
    let out = folder.path().join("again.ome.zarr");
    let source = Arc::new(FolderSource::new(folder.path()).unwrap());
    convert(source, "labelled.ozx", &out, &ConvertOptions::default(), &Unwatched).unwrap();
    assert_valid(&out);
    for level in ["0", "labels/nuclei/1"] {
        assert_eq!(pixels(&from, level), pixels(&out, level));
    }
}
