//! Bytes that are wrong: whatever they are, the answer comes soon, and is an image or an error.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{
    writer::{Page, file},
    *,
};

/// Opens and reads a little of everything, as far as it goes.
pub(super) fn try_all(bytes: Vec<u8>, path: &str) {
    let Ok(import) = open(&Memory::of(path, bytes).source(), path) else { return };
    for raster in import.rasters.iter().take(8) {
        let info = raster.info();
        for start in [[0; 5], info.shape.map(|size| size - 1)] {
            let shape: Tczyx = std::array::from_fn(|axis| (info.shape[axis] - start[axis]).min(40));
            let mut out = vec![0; shape.iter().product::<u64>().min(1 << 22) as usize * info.data_type.size()];
            // The answer does not matter: that there is one does.
            drop(raster.read(start, shape, &mut out));
        }
    }
}

/// What is changed, byte by byte.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| small_files().into_iter().chain(made_files()).collect());

fn small_files() -> Vec<Vec<u8>> {
    let Some(root) = corpus("") else { return Vec::new() };
    let names = [
        "ometiff/ome-types/ome.tiff",
        "ometiff/galaxy/res.ome.tiff",
        "ometiff/galaxy/multiseries.ome.tiff",
        "tiff/galaxy/dtypes/input4_float16.tiff",
        "tiff/neubias/xy_float__h2b_bg_corr.tif",
    ];
    names.iter().map(|name| std::fs::read(root.join(name)).unwrap()).collect()
}

fn made_files() -> Vec<Vec<u8>> {
    let tile = Page::grey(40, 40, 16).field(259, &[5]).tiles(16, 16, vec![vec![0x80; 40]; 9]);
    let fax = Page::grey(32, 8, 1).field(259, &[4]).strips(4, vec![vec![0x26, 0xA0, 0x01, 0x00, 0x10, 0x01]; 2]);
    let jpeg = Page::grey(16, 16, 8)
        .field(259, &[7])
        .strips(16, vec![vec![0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 16, 0, 16, 1]]);
    let packed = Page::grey(16, 16, 8).field(259, &[32_773]).strips(8, vec![vec![0x81, 7]; 2]);
    let zstd =
        Page::grey(16, 16, 8).field(259, &[50_000]).strips(16, vec![vec![0x28, 0xB5, 0x2F, 0xFD, 0x60, 0, 0, 0]]);
    let webp = Page::grey(16, 16, 8)
        .field(277, &[3])
        .field(259, &[50_001])
        .strips(16, vec![b"RIFF\x10\0\0\0WEBPVP8L\0\0\0\0".to_vec()]);
    let predicted = Page::grey(16, 4, 32)
        .field(339, &[3])
        .field(317, &[3])
        .field(259, &[8])
        .strips(4, vec![vec![0x78, 1, 3, 0, 0, 0, 0, 1]]);
    [tile, fax, jpeg, packed, zstd, webp, predicted]
        .iter()
        .map(|page| file(std::slice::from_ref(page), false, false))
        .collect()
}

proptest! {
    #[test]
    fn changed_bytes_and_cuts_are_survived(
        which in 0..64_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let mut bytes = FILES[which % FILES.len()].clone();
        for (at, value) in changes {
            // The fields are at the ends of most files: half of the changes go there.
            let length = bytes.len();
            let at = if value % 2 == 0 { at.index(length) } else { length - 1 - at.index(length.min(512)) };
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        try_all(bytes, "a.ome.tif");
    }

    #[test]
    fn noise_is_survived(noise in prop::collection::vec(any::<u8>(), 0..200), big in any::<bool>()) {
        let start: &[u8] = if big { b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0" } else { b"II\x2a\0\x08\0\0\0" };
        try_all([start, &noise].concat(), "a.tif");
    }

    #[test]
    fn ome_xml_with_changed_bytes_is_survived(at in any::<prop::sample::Index>(), value in "[ -~]{1,4}") {
        let text = ome_xml();
        let at = at.index(text.len());
        let text = format!("{}{value}{}", &text[..at], &text[(at + value.len()).min(text.len())..]);
        let page = Page::grey(3, 2, 8).strips(2, vec![vec![1; 6]]);
        let pages = [page.clone().describe(&text), page.clone(), page.clone(), page];
        try_all(file(&pages, false, false), "a.ome.tif");
    }
}

fn ome_xml() -> String {
    r#"<OME><Image ID="I:0" Name="a"><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="3" SizeY="2" SizeZ="2" SizeC="2" SizeT="1"><Channel/><TiffData IFD="0" PlaneCount="4"/></Pixels></Image></OME>"#.to_owned()
}

#[test]
fn a_circle_of_pages_is_refused() {
    let mut bytes = file(&[Page::grey(3, 2, 8).strips(2, vec![vec![1; 6]])], false, false);
    let first = bytes[4..8].to_vec();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&first);
    let message = refusal(&Memory::of("a.tif", bytes).source(), "a.tif");
    assert!(message.contains("circle"), "{message}");
}

#[test]
fn absurd_numbers_are_refused_before_anything_is_made_for_them() {
    let base = || Page::grey(3, 2, 8).strips(2, vec![vec![1; 6]]);
    for (page, what) in [
        (base().field(256, &[u64::from(u32::MAX)]), "width"),
        (base().field(257, &[0]), "height"),
        (base().field(277, &[60_000]), "samples"),
        (base().field(256, &[1 << 30]).field(257, &[1 << 30]).field(278, &[1]), "strips"),
        (base().field(256, &[1 << 20]).field(257, &[1 << 20]).field(278, &[1 << 20]).field(259, &[5]), "decoded size"),
    ] {
        assert!(open(&Memory::of("a.tif", file(&[page], false, false)).source(), "a.tif").is_err(), "{what}");
    }
    let mut many = file(&[base()], false, false);
    let at = u32::from_le_bytes(many[4..8].try_into().unwrap()) as usize;
    many[at..at + 2].copy_from_slice(&u16::MAX.to_le_bytes());
    let message = refusal(&Memory::of("a.tif", many).source(), "a.tif");
    assert!(message.contains("65535 fields"), "{message}");
}

#[test]
fn pixels_beyond_the_end_of_the_file_are_an_error_not_zeros() {
    let bytes = file(&[Page::grey(100, 100, 8).strips(100, vec![vec![7; 10]])], false, false);
    let import = open(&Memory::of("a.tif", bytes).source(), "a.tif").unwrap();
    let mut out = vec![0; 10_000];
    let error = import.rasters[0].read([0; 5], [1, 1, 1, 100, 100], &mut out).unwrap_err().to_string();
    assert!(error.contains("cut off"), "{error}");
}

#[test]
fn a_strip_that_ends_too_soon_is_an_error_not_zeros() {
    let short = Page::grey(64, 64, 8).field(259, &[8]).strips(64, vec![vec![0x78, 1, 1, 1, 0, 0xFE, 0xFF, 9]]);
    let import = open(&Memory::of("a.tif", file(&[short], false, false)).source(), "a.tif").unwrap();
    let error = import.rasters[0].read([0; 5], [1, 1, 1, 64, 64], &mut vec![0; 4096]).unwrap_err().to_string();
    assert!(error.contains("strip or tile 0 of page 0"), "{error}");
    let missing = Page::grey(4, 4, 8).tiles(16, 16, vec![Vec::new()]);
    let import = open(&Memory::of("a.tif", file(&[missing.field(259, &[8])], false, false)).source(), "a.tif").unwrap();
    assert!(import.rasters[0].read([0; 5], [1, 1, 1, 4, 4], &mut [0; 16]).is_err());
}

#[test]
fn regions_outside_of_the_image_are_refused() {
    let bytes = file(&[Page::grey(3, 2, 8).strips(2, vec![vec![1; 6]])], false, false);
    let import = open(&Memory::of("a.tif", bytes).source(), "a.tif").unwrap();
    let raster = &import.rasters[0];
    for (start, shape) in [
        ([0, 0, 0, 0, 1], [1, 1, 1, 2, 3]),
        ([0, 0, 1, 0, 0], [1, 1, 1, 2, 3]),
        ([0, 0, 0, 0, u64::MAX], [1, 1, 1, 2, 3]),
        ([0; 5], [1, 1, 1, 2, 0]),
    ] {
        assert!(raster.read(start, shape, &mut [0; 6]).is_err(), "{start:?} {shape:?}");
    }
    assert!(raster.read([0; 5], [1, 1, 1, 2, 3], &mut [0; 5]).is_err());
}

#[test]
fn xml_that_could_grow_or_nest_without_end_is_refused() {
    let entities = r#"<!DOCTYPE OME [<!ENTITY a "aaaa">]><OME>&a;</OME>"#;
    let deep = format!("<OME>{}{}</OME>", "<a>".repeat(500), "</a>".repeat(500));
    for (text, word) in [(entities, "document type"), (&deep, "nests"), ("<OME><Image>", "ends before")] {
        let page = Page::grey(3, 2, 8).strips(2, vec![vec![1; 6]]).describe(text);
        let message = refusal(&Memory::of("a.tif", file(&[page], false, false)).source(), "a.tif");
        assert!(message.contains(word), "{message}");
    }
}
