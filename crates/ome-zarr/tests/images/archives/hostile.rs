use ome_zarr::{
    FileSource, OmeZarrError, SourceError,
    zip::{ArchiveLimits, RangeRead, ZipSource, check_archive},
};
use proptest::prelude::*;

use super::{
    rule, unpacked, unpacked_within,
    zips::{IMAGE, Made, image, tar, zip, zip_with},
};

#[derive(Debug)]
struct Memory(Vec<u8>);

impl RangeRead for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, range: std::ops::Range<u64>) -> Result<bytes::Bytes, SourceError> {
        let bytes = self.0.get(range.start as usize..range.end as usize);
        bytes.map(bytes::Bytes::copy_from_slice).ok_or_else(|| SourceError::new("", "past the end"))
    }
}

/// The rules it is refused for: streamed, and in place; empty where it is accepted.
fn refused(bytes: &[u8], name: Option<&str>) -> (String, String) {
    let streamed = unpacked(bytes, name).err().map(|error| rule(&error)).unwrap_or_default();
    let checked = check_archive(Box::new(Memory(bytes.to_vec())), name, &ArchiveLimits::default()).unwrap();
    let error = checked.findings.into_iter().find(|finding| finding.severity == dataset_model::Severity::Error);
    (streamed, error.map(|finding| finding.rule).unwrap_or_default())
}

#[track_caller]
fn assert_refused(entries: &[Made], rule: &str) {
    let both = refused(&zip(entries), Some("x.ozx"));
    assert_eq!(both, (rule.to_owned(), rule.to_owned()), "{:?}", entries.last().map(|entry| &entry.name));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let names = ["../x", "/abs", "a/../../x", "C:/x", "c:x", "a\\b", "..", ".", "a//b", "./a", "a\u{0}b", "a\nb", ""];
    for name in names {
        assert_refused(&[image(), Made::stored(name, b"x")], "archive.name");
        if !name.is_empty() && name != "." && !name.starts_with("./") {
            let bytes = tar(&[("zarr.json", b'0', IMAGE), (name, b'0', b"x")]);
            // A NUL ends the name in a tar.
            let expected = if name.contains('\0') { "" } else { "archive.name" };
            let refused = unpacked(&bytes, Some("x.tar")).err().map(|error| rule(&error)).unwrap_or_default();
            assert_eq!(refused, expected, "{name:?}");
        }
    }
}

#[test]
fn one_place_for_one_file() {
    assert_refused(&[image(), Made::stored("a", b"1"), Made::stored("a", b"2")], "archive.duplicate");
    assert_refused(&[image(), Made::stored("a", b"1"), Made::stored("a/b", b"2")], "archive.duplicate");
    assert_refused(&[image(), Made::stored("a/b", b"1"), Made::stored("a", b"2")], "archive.duplicate");
    let capitals = zip(&[image(), Made::stored("a", b"1"), Made::stored("A", b"2")]);
    let (unpacked, files) = unpacked(&capitals, Some("x.ozx")).unwrap();
    assert_eq!(files.len(), 3);
    assert!(unpacked.findings.iter().any(|finding| finding.rule == "archive.capitals"));
}

#[test]
fn links_and_devices_are_refused() {
    for mode in [0o120_777, 0o020_666, 0o060_666, 0o010_666, 0o140_666] {
        assert_refused(&[image(), Made { mode, ..Made::stored("a", b"/etc/passwd") }], "archive.link");
    }
    for kind in *b"12346" {
        let bytes = tar(&[("zarr.json", b'0', IMAGE), ("a", kind, b"")]);
        assert_eq!(rule(&unpacked(&bytes, Some("x.tar")).unwrap_err()), "archive.link");
    }
    let sparse = tar(&[("zarr.json", b'0', IMAGE), ("a", b'S', b"")]);
    assert_eq!(rule(&unpacked(&sparse, None).unwrap_err()), "archive.method");
}

#[test]
fn folders_have_no_bytes() {
    assert_refused(&[image(), Made::stored("c/", b"hidden")], "archive.format");
    let bytes = tar(&[("zarr.json", b'0', IMAGE), ("c/", b'5', b"hidden")]);
    assert_eq!(rule(&unpacked(&bytes, Some("x.tar")).unwrap_err()), "archive.format");
    let (_, files) = unpacked(&zip(&[image(), Made::stored("c/", b"")]), Some("x.ozx")).unwrap();
    assert_eq!(files.len(), 1);
}

#[test]
fn encrypted_split_and_unknown_entries_are_refused() {
    assert_refused(&[image(), Made { flags: 1, ..Made::stored("a", b"x") }], "archive.encrypted");
    assert_refused(&[image(), Made { method: 12, ..Made::stored("a", b"x") }], "archive.method");
    let split = zip_with(&[image()], b"", |[_, _, end]| end[4] = 1);
    assert_eq!(refused(&split, Some("x.ozx")), ("archive.split".into(), "archive.split".into()));
}

#[test]
fn two_places_that_say_different_things_are_refused() {
    let named = Made { listed_name: "b".into(), ..Made::stored("a", b"x") };
    assert_refused(&[image(), named], "archive.disagrees");
    // What the list alone says is wrong shows when the bytes are read.
    let wrong = zip(&[image(), Made { crc32: 7, ..Made::stored("a", b"x") }]);
    assert_eq!(rule(&unpacked(&wrong, Some("x.ozx")).unwrap_err()), "archive.checksum");
    let source = ZipSource::over(Box::new(Memory(wrong)), &ArchiveLimits::default()).unwrap();
    assert!(source.read("a", 0..1).is_err());
    assert_refused(&[image(), Made { size: 2, ..Made::stored("a", b"x") }], "archive.checksum");
}

#[test]
fn entries_that_are_not_listed_or_share_bytes_are_refused() {
    let short = |[_, list, end]: &mut [Vec<u8>; 3]| {
        // Forget the last entry of the list: 46 bytes and a name of one.
        list.truncate(list.len() - 47);
        end[8] -= 1;
        end[10] -= 1;
        let length = (list.len() as u32).to_le_bytes();
        end[12..16].copy_from_slice(&length);
    };
    let hidden = zip_with(&[image(), Made::stored("a", b"x")], b"", short);
    assert_eq!(rule(&unpacked(&hidden, Some("x.ozx")).unwrap_err()), "archive.disagrees");
    // Two names in the list for one entry: the quoted bytes of an overlap bomb.
    let overlapping = zip_with(&[image(), Made::stored("a", b"x"), Made::stored("b", b"x")], b"", |[_, list, _]| {
        let (first, last) = (list.len() - 2 * 47 + 42, list.len() - 47 + 42);
        let offset = list[first..first + 4].to_vec();
        list[last..last + 4].copy_from_slice(&offset);
    });
    assert_eq!(refused(&overlapping, Some("x.ozx")), ("archive.disagrees".into(), "archive.overlap".into()));
}

#[test]
fn what_is_before_and_after_an_archive_is_refused() {
    let good = zip(&[image()]);
    for cut in 0..good.len() {
        assert!(unpacked(&good[..cut], Some("x.ozx")).is_err(), "cut after {cut} bytes");
    }
    let after = [&good[..], b"more"].concat();
    assert_eq!(rule(&unpacked(&after, Some("x.ozx")).unwrap_err()), "archive.trailing");
    let before = [b"more", &good[..]].concat();
    assert_eq!(rule(&unpacked(&before, Some("x.ozx")).unwrap_err()), "archive.format");
    let good = tar(&[("zarr.json", b'0', IMAGE)]);
    for cut in 0..good.len() {
        assert!(unpacked(&good[..cut], Some("x.tar")).is_err(), "cut after {cut} bytes");
    }
    assert!(unpacked(&[&good[..], &[0; 4096]].concat(), Some("x.tar")).is_ok(), "tapes are padded");
    assert_eq!(rule(&unpacked(&[&good[..], b"x"].concat(), Some("x.tar")).unwrap_err()), "archive.trailing");
}

#[test]
fn bombs_are_refused_while_they_unpack() {
    let zeros = vec![0; 32 << 20];
    assert_refused(&[image(), Made::deflated("c/0", &zeros)], "archive.ratio");
    // Not even what the header promises is believed: the size is not there before the bytes.
    let streamed = Made { flags: 8, ..Made::deflated("c/0", &vec![0; 300 << 20]) };
    let limits = ArchiveLimits { total_bytes: 1 << 30, ..ArchiveLimits::default() };
    let mut seen = 0;
    let outcome = ome_zarr::zip::unpack(&zip(&[image(), streamed])[..], None, &limits, &mut |_, content| {
        seen += std::io::copy(content, &mut std::io::sink())?;
        Ok(())
    });
    assert_eq!(rule(&outcome.unwrap_err()), "archive.ratio");
    assert!(seen < 1024, "the bomb was never unpacked as a whole: {seen}");
    let gzipped = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&tar(&[("zarr.json", b'0', IMAGE), ("c/0", b'0', &vec![0; 300 << 20])])).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(rule(&unpacked(&gzipped, None).unwrap_err()), "archive.ratio");
}

#[test]
fn limits_hold() {
    let entries = [image(), Made::stored("a/b/c", &[1; 1000]), Made::stored("d", &[2; 1000])];
    let (good, all) = (zip(&entries), ArchiveLimits::default());
    for limits in [
        ArchiveLimits { entries: 2, ..all.clone() },
        ArchiveLimits { entry_bytes: 999, ..all.clone() },
        ArchiveLimits { total_bytes: 1999, ..all.clone() },
        ArchiveLimits { depth: 2, ..all.clone() },
        ArchiveLimits { directory_bytes: 60, ..all.clone() },
    ] {
        assert_eq!(rule(&unpacked_within(&good, None, &limits).unwrap_err()), "archive.too-large", "{limits:?}");
        let opened = ZipSource::over(Box::new(Memory(good.clone())), &limits);
        assert!(matches!(opened, Err(OmeZarrError::Archive(fault)) if fault.is_too_large()), "{limits:?}");
    }
}

#[test]
fn two_roots_embedded_archives_and_no_image_at_all() {
    assert_refused(&[image(), Made::stored("other/zarr.json", IMAGE)], "ozx.two-roots");
    assert_refused(&[image(), Made::stored("other/.zgroup", b"{}")], "ozx.two-roots");
    assert_refused(&[Made::stored("a/zarr.json", IMAGE), Made::stored("b/zarr.json", IMAGE)], "ozx.root");
    for name in ["inner.ozx", "x/inner.ZIP", "inner.tar.gz"] {
        assert_refused(&[image(), Made::stored(name, b"x")], "archive.embedded");
    }
    assert_refused(&[Made::stored("notes.txt", b"x")], "archive.no-zarr");
    assert_refused(&[], "archive.no-zarr");
    // A collection is one hierarchy, whatever images are in it.
    let group = br#"{"zarr_format":3,"node_type":"group","attributes":{"ome":{"version":"0.5"}}}"#;
    let series = zip(&[Made::stored("zarr.json", group), Made::stored("0/zarr.json", IMAGE)]);
    assert_eq!(refused(&series, Some("x.ozx")), (String::new(), String::new()));
}

#[test]
fn a_dataset_of_several_images_keeps_its_folders() {
    let entries = [
        Made::stored("a.ome.zarr/zarr.json", IMAGE),
        Made::stored("b.ome.zarr/.zgroup", b"{}"),
        Made::stored("README.md", b"x"),
    ];
    let (nested, _) = unpacked(&zip(&entries[..1]), Some("data.zip")).unwrap();
    assert!(nested.findings.iter().any(|finding| finding.rule == "archive.nested-root"), "{:?}", nested.findings);
    let (zipped, files) = unpacked(&zip(&entries), Some("data.zip")).unwrap();
    assert_eq!((zipped.folder(None, Some("data.zip")), files.len()), (None, 3));
    let (tarred, _) =
        unpacked(&tar(&[("./", b'5', b""), ("./a.ome.zarr/zarr.json", b'0', IMAGE)]), Some("data.tar")).unwrap();
    assert_eq!(tarred.folder(Some("in"), None), Some("in".to_owned()));
    let (image, _) = unpacked(&tar(&[("zarr.json", b'0', IMAGE)]), Some("cells.tar")).unwrap();
    assert_eq!(image.folder(None, Some("cells.tar")), Some("cells.ome.zarr".to_owned()));
}

#[test]
fn lengths_that_follow_the_bytes_are_taken_from_compressed_entries_only() {
    let deflated = Made { flags: 8, ..Made::deflated("c/0", b"some bytes") };
    let (_, files) = unpacked(&zip(&[image(), deflated]), Some("x.ozx")).unwrap();
    assert_eq!(files[1], ("c/0".to_owned(), b"some bytes".to_vec()));
    let stored = Made { flags: 8, ..Made::stored("c/0", b"some bytes") };
    let error = unpacked(&zip(&[image(), stored]), Some("x.ozx")).unwrap_err();
    assert_eq!(rule(&error), "archive.unknown-length");
}

#[test]
fn pax_and_gnu_names_are_read() {
    let long = format!("a.ome.zarr/{}/zarr.json", "n".repeat(150));
    let record = format!(" path={long}\n");
    let length = record.len() + 3;
    let pax = tar(&[("pax", b'x', format!("{length}{record}").as_bytes()), ("short", b'0', IMAGE)]);
    let gnu = tar(&[("././@LongLink", b'L', format!("{long}\0").as_bytes()), ("short", b'0', IMAGE)]);
    for bytes in [pax, gnu] {
        let (_, files) = unpacked(&bytes, None).unwrap();
        assert_eq!(files, [(long.clone(), IMAGE.to_vec())]);
    }
    let sized = tar(&[("pax", b'x', b"22 size=99999999999999\n"), ("zarr.json", b'0', IMAGE)]);
    assert!(unpacked(&sized, None).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_disagree(cut in 0_usize..400, at in 0_usize..400, byte: u8) {
        let mut bytes = zip(&[image(), Made::deflated("c/0", b"bytes"), Made::stored("c/1", b"more bytes")]);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.min(bytes.len()) * usize::from(byte & 1));
        let streamed = unpacked(&bytes, Some("x.ozx"));
        let opened = ZipSource::over(Box::new(Memory(bytes)), &ArchiveLimits::default());
        // What the stream gives, the list gives too, byte for byte.
        if let (Ok((_, files)), Ok(source)) = (streamed, opened) {
            for (path, content) in files {
                prop_assert_eq!(source.read(&path, 0..content.len() as u64).unwrap(), content);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_in_peace(start in prop::sample::select(vec![&b"PK\x03\x04"[..], b"PK\x05\x06", b"\x1f\x8b\x08", b""]), rest: Vec<u8>) {
        let bytes = [start, &rest].concat();
        for name in [None, Some("x.ozx"), Some("x.tar"), Some("x.tgz")] {
            prop_assert!(unpacked(&bytes, name).is_err());
        }
        prop_assert!(ZipSource::over(Box::new(Memory(bytes)), &ArchiveLimits::default()).is_err() || rest.len() > 18);
    }
}
