use std::{fs, process::Command};

use dataset_model::{FilePath, Findings};
use ome_zarr::{
    FileSource, FolderSource, Unwatched, sample,
    zip::{ArchiveLimits, LocalFile, Piece, VirtualZip, ZipFile, ZipSource, check_archive, pack},
};
use proptest::prelude::*;

use super::unpacked;
use crate::support::MemorySource;

fn packed(source: &dyn FileSource, folder: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packed = pack(source, folder, &mut bytes, &Unwatched).unwrap();
    assert_eq!(packed.bytes, bytes.len() as u64);
    bytes
}

#[test]
fn a_packed_image_is_what_rfc_9_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    sample::write(folder.path(), sample::Kind::Cells, 1).unwrap();
    let source = FolderSource::new(folder.path()).unwrap();
    let name = "cells.ome.zarr";
    let bytes = packed(&source, name);
    assert_eq!(bytes, packed(&source, name), "the bytes are a function of the content");
    let file = folder.path().join("x.ozx");
    fs::write(&file, &bytes).unwrap();
    let local = Box::new(LocalFile::open(&file).unwrap());
    let checked = check_archive(local, Some("x.ozx"), &ArchiveLimits::default()).unwrap();
    assert_eq!(checked.findings, [], "nothing to remark");
    let zip = checked.source.unwrap();
    assert!(!ome_zarr::validate(&zip).unwrap().findings.has_errors());
    for path in zip.list("").unwrap() {
        let size = zip.size(&path).unwrap().unwrap();
        assert_eq!(zip.read(&path, 0..size).unwrap(), source.read(&format!("{name}/{path}"), 0..size).unwrap());
    }
    let (unpacked, files) = unpacked(&bytes, Some("x.ozx")).unwrap();
    assert_eq!((files.len(), unpacked.findings.len()), (zip.list("").unwrap().len(), 0));
    read_by_others(&file);
}

/// `unzip` and Python's `zipfile`, where they are installed.
fn read_by_others(file: &std::path::Path) {
    let check = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; assert z.namelist()[0] == 'zarr.json'";
    let commands = [("unzip", vec!["-tq"]), ("python3", vec!["-c", check])];
    for (program, arguments) in commands {
        match Command::new(program).args(arguments).arg(file).output() {
            Ok(output) => assert!(output.status.success(), "{program}: {output:?}"),
            Err(_) => eprintln!("skipped: {program} is not installed"),
        }
    }
}

#[test]
fn what_rfc_9_cannot_hold_is_not_packed() {
    let v2 = MemorySource([(".zgroup".to_owned(), b"{}".to_vec())].into());
    assert!(pack(&v2, "", &mut Vec::new(), &Unwatched).unwrap_err().to_string().contains("0.5"));
    let files = [("zarr.json".to_owned(), b"{}".to_vec()), ("inner.ozx".to_owned(), Vec::new())];
    assert!(pack(&MemorySource(files.into()), "", &mut Vec::new(), &Unwatched).is_err());
    let stopped = std::sync::atomic::AtomicBool::new(true);
    let v3 = MemorySource([("zarr.json".to_owned(), b"{}".to_vec())].into());
    assert!(matches!(pack(&v3, "", &mut Vec::new(), &stopped), Err(ome_zarr::OmeZarrError::Cancelled)));
}

#[test]
fn metadata_comes_first_and_breadth_first() {
    let names = ["zarr.json", "a/zarr.json", "b/zarr.json", "a/b/zarr.json", "a/b/c/0", "z"];
    let mut files: Vec<ZipFile> =
        names.iter().rev().map(|name| ZipFile { path: name.parse().unwrap(), size: 0, crc32: 0 }).collect();
    files.rotate_left(2);
    let zip = VirtualZip::new(files, "0.5");
    let order: Vec<&str> = zip.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(order, names);
}

/// A store of odd names and sizes.
fn stores() -> impl Strategy<Value = MemorySource> {
    let name =
        prop::sample::select(vec!["c/0/0", "c/0/1", "0/zarr.json", "細/zarr.json", "a b", "labels/x/c/0", "empty"]);
    prop::collection::btree_map(name, prop::collection::vec(any::<u8>(), 0..300), 0..7).prop_map(|files| {
        let mut files: std::collections::BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        files.insert(
            "zarr.json".to_owned(),
            br#"{"zarr_format":3,"node_type":"group","attributes":{"ome":{"version":"0.5"}}}"#.to_vec(),
        );
        MemorySource(files)
    })
}

proptest! {
    #[test]
    fn any_range_of_a_virtual_archive_is_that_of_the_packed_one(store in stores(), cuts in prop::collection::vec(0.0..1.0_f64, 2)) {
        let bytes = packed(&store, "");
        let files = store.0.iter().map(|(path, bytes)| ZipFile {
            path: path.parse::<FilePath>().unwrap(),
            size: bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
        });
        let zip = VirtualZip::new(files.collect(), "0.5");
        prop_assert_eq!(zip.size(), bytes.len() as u64);
        let at = |cut: f64| (cut * (bytes.len() + 1) as f64) as u64;
        let (start, end) = (at(cuts[0].min(cuts[1])), at(cuts[0].max(cuts[1])));
        let mut made = Vec::new();
        for piece in zip.pieces(start..end) {
            match piece {
                Piece::Literal(literal) => made.extend_from_slice(&literal),
                Piece::File { index, range } => {
                    let content = &store.0[zip.files()[index].path.as_str()];
                    made.extend_from_slice(&content[range.start as usize..range.end as usize]);
                }
            }
        }
        prop_assert_eq!(&made, &bytes[start as usize..end as usize]);
        let (_, unpacked) = unpacked(&bytes, Some("x.ozx")).unwrap();
        prop_assert_eq!(unpacked.into_iter().collect::<std::collections::BTreeMap<_, _>>(), store.0);
    }
}

#[test]
fn an_archive_read_through_another_source_is_the_same() {
    let store = MemorySource(
        [
            ("zarr.json".to_owned(), br#"{"zarr_format":3,"node_type":"group"}"#.to_vec()),
            ("c/0".to_owned(), vec![7; 100]),
        ]
        .into(),
    );
    let bytes = packed(&store, "");
    let outer = MemorySource([("x.ozx".to_owned(), bytes)].into());
    let zip = ZipSource::within(std::sync::Arc::new(outer), "x.ozx").unwrap();
    assert_eq!(zip.read("c/0", 0..100).unwrap(), vec![7; 100]);
    assert_eq!(zip.size("nothing").unwrap(), None);
    assert!(zip.read("c/0", 50..101).is_err());
}
