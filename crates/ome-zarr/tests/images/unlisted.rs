//! Sources that cannot list their files, as a plain web server: the tree is found from metadata alone.

use std::ops::Range;

use bytes::Bytes;
use dataset_model::{Findings, Severity};
use ome_zarr::{FileSource, SourceError, Unwatched, find_images, sample::Kind, validate, validate_pixels};
use serde_json::{Value, json};

use crate::support::MemorySource;

struct Web(MemorySource);

impl FileSource for Web {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        self.0.size(path)
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        self.0.read(path, range)
    }

    fn list(&self, _folder: &str) -> Result<Vec<String>, SourceError> {
        panic!("a web server was asked for a listing")
    }

    fn can_list(&self) -> bool {
        false
    }
}

fn labelled() -> MemorySource {
    let folder = tempfile::tempdir().unwrap();
    crate::support::load(&ome_zarr::sample::write(folder.path(), Kind::Labelled, 1).unwrap())
}

#[test]
fn images_and_labels_are_found_from_metadata_and_what_is_not_checked_is_said() {
    let web = Web(labelled());
    let found: Vec<String> = find_images(&web).unwrap().into_iter().map(|image| image.path).collect();
    assert_eq!(found, ["", "labels/nuclei"]);
    let findings = validate_pixels(&web, &Unwatched).unwrap().findings;
    assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.rule == "ome-zarr.unchecked.listing"));
}

#[test]
fn broken_metadata_and_pixels_are_found() {
    let mut files = labelled();
    files.0.remove("labels/nuclei/1/zarr.json");
    files.0.get_mut("0/c/0/0/0").unwrap().truncate(100);
    let findings = validate_pixels(&Web(files), &Unwatched).unwrap().findings;
    for rule in ["ome-zarr.array.missing", "ome-zarr.chunk.decode"] {
        assert!(findings.iter().any(|finding| finding.rule == rule), "{rule}: {findings:#?}");
    }
}

#[test]
fn plates_and_series_of_real_stores_are_found() {
    for store in [
        "derived/omezarr/v0.5_ome-zarr-py_hcs_ImageXpress.ome.zarr",
        "omezarr/v0.4/mitotic_plate_calibrated_bf2raw.ome.zarr",
        "omezarr/fiji-java-testdata/bioformats2raw_testing/bf2raw_dataset_v5.ome.zarr",
    ] {
        let Some(path) = crate::support::corpus(store) else { return };
        let files = crate::support::load(&path);
        let listed: Vec<_> = find_images(&files).unwrap();
        assert_eq!(find_images(&Web(files.clone())).unwrap(), listed, "{store}");
        let (whole, web) = (validate(&files).unwrap(), validate(&Web(files)).unwrap());
        assert_eq!(
            whole.findings.has_errors(),
            web.findings.has_errors(),
            "{store}: {:#?} {:#?}",
            whole.findings,
            web.findings
        );
    }
}

#[test]
fn metadata_that_point_in_circles_or_to_endless_numbers_end() {
    let group = |ome: Value| {
        serde_json::to_vec(&json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})).unwrap()
    };
    let mut files = MemorySource::default();
    let wells: Vec<Value> =
        (0..2000).map(|at| json!({"path": format!("A/{at}"), "rowIndex": 0, "columnIndex": at})).collect();
    files.0.insert("zarr.json".into(), group(json!({"version": "0.5", "bioformats2raw.layout": 3, "plate": {"wells": wells},
        "labels": ["a", "a/b/c/d/e/f", "../x"], "multiscales": [{"datasets": [{"path": "."}, {"path": "labels"}, {"path": "labels/a"}]}]})));
    assert!(validate(&Web(files)).unwrap().findings.has_errors());
}
