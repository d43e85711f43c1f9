use std::{fs, path::Path};

use dataset_model::{Finding, Findings, Severity};
use ome_zarr::{
    FileSource, find_images, validate,
    zip::{ArchiveLimits, LocalFile, ZipSource, check_archive},
};

use super::{rule, unpacked};
use crate::support::corpus;

/// What is said of an archive: the rule it is refused for, or the warnings it is accepted with.
type Verdict = Result<Vec<String>, String>;

fn warnings(findings: &[Finding]) -> Verdict {
    let error = findings.iter().find(|finding| finding.severity == Severity::Error);
    match error {
        Some(error) => Err(error.rule.clone()),
        None => {
            let warnings = findings.iter().filter(|finding| finding.severity == Severity::Warning);
            Ok(warnings.map(|finding| finding.rule.clone()).collect())
        }
    }
}

fn streamed(path: &Path) -> Verdict {
    let name = path.file_name().unwrap().to_str();
    match unpacked(&fs::read(path).unwrap(), name) {
        Ok((unpacked, _)) => warnings(&unpacked.findings),
        Err(error) => Err(rule(&error)),
    }
}

fn in_place(path: &Path) -> Verdict {
    let name = path.file_name().unwrap().to_str();
    let bytes = Box::new(LocalFile::open(path).unwrap());
    warnings(&check_archive(bytes, name, &ArchiveLimits::default()).unwrap().findings)
}

#[test]
fn the_synthetic_archives_behave_as_their_names_say() {
    let Some(folder) = corpus("zip/synthetic") else { return };
    let expected: &[(&str, Result<&[&str], &str>)] = &[
        ("attack_ratio_10MB_zeros.ozx", Err("archive.ratio")),
        ("attack_zip_slip.ozx", Err("archive.name")),
        ("bad_comment_not_json.ozx", Err("ozx.comment")),
        ("bad_embedded_ozx.ozx", Err("archive.embedded")),
        ("bad_nested_root.ozx", Err("ozx.nested-root")),
        ("bad_v04_no_zarr_json.zip", Err("ozx.root")),
        ("ok_minimal_no_comment_no_order.ozx", Ok(&[])),
        ("ok_stored_jsonfirst_comment.ozx", Ok(&[])),
        ("warn_deflated.ozx", Ok(&["ozx.compression"])),
    ];
    let count = fs::read_dir(&folder).unwrap().count();
    assert_eq!(count, expected.len(), "an archive was added: say what it must give");
    for (name, verdict) in expected {
        let verdict = match verdict {
            Ok(warnings) => Ok(warnings.iter().map(ToString::to_string).collect()),
            Err(rule) => Err((*rule).to_owned()),
        };
        assert_eq!(streamed(&folder.join(name)), verdict, "{name}, streamed");
        assert_eq!(in_place(&folder.join(name)), verdict, "{name}, in place");
    }
}

#[test]
fn general_zips_are_read_or_refused_for_their_own_reason() {
    let Some(folder) = corpus("zip/neuroglancer-kvstore-zip") else { return };
    // Read to the end in both ways, and found to hold no image: these are sound ZIPs.
    let sound = [
        "cygwin-info-zip",
        "deflate",
        "directories",
        "empty",
        "linux-info-zip",
        "unicode",
        "unix-epoch",
        "windows-7-zip",
        "windows-compressed-folder",
        "zip64",
    ];
    for name in sound {
        let path = folder.join("from-yauzl/success").join(format!("{name}.zip"));
        assert_eq!(in_place(&path), Err("archive.no-zarr".to_owned()), "{name}, in place");
        assert_eq!(streamed(&path), Err("archive.no-zarr".to_owned()), "{name}, streamed");
    }
    // The first has a backslash in the list alone.
    for (name, listed, streams) in [
        ("sloppy-filenames", "archive.name", "archive.disagrees"),
        ("unicode-path-extra-field", "archive.name", "archive.name"),
    ] {
        let path = folder.join("from-yauzl/success").join(format!("{name}.zip"));
        assert_eq!((in_place(&path), streamed(&path)), (Err(listed.to_owned()), Err(streams.to_owned())), "{name}");
    }
    for name in ["files.zip", "zip64_larger_than_65557.zip"] {
        let path = folder.join(name);
        assert_eq!(in_place(&path), Err("archive.no-zarr".to_owned()), "{name}");
        assert_eq!(streamed(&path), Err("archive.no-zarr".to_owned()), "{name}");
    }
}

#[test]
fn damaged_zips_are_refused_for_their_own_reason() {
    let Some(folder) = corpus("zip/neuroglancer-kvstore-zip/from-yauzl/failure") else { return };
    let expected = [
        ("End of central directory record signature not found", "archive.truncated", "archive."),
        ("compressed uncompressed size mismatch", "archive.", "archive."),
        ("expected zip64 extended", "archive.format", "archive."),
        ("extra field length exceeds", "archive.format", "archive."),
        ("file data overflows", "archive.overlap", "archive."),
        ("invalid central directory", "archive.format", "archive.format"),
        ("invalid local file header", "archive.format", "archive.format"),
        ("invalid zip64 end of central", "archive.format", "archive.format"),
        ("multi-volume", "archive.split", "archive.split"),
        ("strong encryption", "archive.encrypted", "archive.encrypted"),
        ("unsupported compression method", "archive.method", "archive."),
        ("zip64 extended information extra field", "archive.format", "archive."),
    ];
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (_, in_place_rule, streamed_rule) = expected
            .iter()
            .find(|(start, ..)| name.starts_with(start))
            .unwrap_or_else(|| panic!("{name}: say what it must give"));
        let (in_place, streamed) = (in_place(&path).unwrap_err(), streamed(&path).unwrap_err());
        assert!(in_place.starts_with(in_place_rule), "{name}, in place: {in_place}");
        assert!(streamed.starts_with(streamed_rule), "{name}, streamed: {streamed}");
        assert_ne!(streamed, "archive.no-zarr", "{name}");
    }
}

#[test]
fn a_real_archive_is_one_image_read_in_place() {
    let Some(path) = corpus("derived/omezarr/v0.5_ngff-zarr_golgi_ZYX_uint16.ozx") else { return };
    assert_eq!(in_place(&path), Ok(Vec::new()));
    assert_eq!(streamed(&path), Ok(Vec::new()));
    let source = ZipSource::open(&path).unwrap();
    assert_eq!(source.nested_root(), None);
    assert!(!validate(&source).unwrap().findings.has_errors());
    let images = find_images(&source).unwrap();
    assert_eq!(images.len(), 1);
    let size = source.size("zarr.json").unwrap().unwrap();
    assert_eq!(source.read("zarr.json", 1..9).unwrap(), source.read("zarr.json", 0..size).unwrap().slice(1..9));
}

#[test]
fn a_compressed_archive_reads_as_the_stored_one() {
    let Some(folder) = corpus("zip/synthetic") else { return };
    let deflated = ZipSource::open(folder.join("warn_deflated.ozx")).unwrap();
    let stored = ZipSource::open(folder.join("ok_stored_jsonfirst_comment.ozx")).unwrap();
    assert_eq!(deflated.list("").unwrap(), stored.list("").unwrap());
    for path in stored.list("").unwrap() {
        let size = stored.size(&path).unwrap().unwrap();
        assert_eq!(deflated.read(&path, 3..size).unwrap(), stored.read(&path, 3..size).unwrap(), "{path}");
    }
}
