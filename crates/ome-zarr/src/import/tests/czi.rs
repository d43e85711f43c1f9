//! CZI files: a real one, ones made here, and damaged ones.

use proptest::prelude::*;

use super::*;

const REAL: &str = "tiff/neubias/xyz__multiple_images.czi";

#[test]
fn a_real_file_has_the_pixels_that_libczi_and_czifile_read() {
    let Some(root) = corpus("") else { return };
    let import = open(&folder(&root), REAL).unwrap();
    let digests: Vec<String> = import.rasters.iter().map(|raster| digest(raster.as_ref())).collect();
    assert_eq!(
        digests,
        [
            "645455e8014fd8c59986ddaee036cf13f23121f7d5e77eed1a368a356bb0a49d",
            "bd1e2ca07e6b6258b6b161cd278f34af9415d2d757e6e7aabc688492ed7ed050",
        ]
    );
    let info = import.rasters[1].info();
    assert_eq!(info.shape, [1, 1, 2, 251, 251]);
    let (size, unit) = info.pixel_size[4].clone().unwrap();
    assert!(unit == "micrometer" && (0.01..10.0).contains(&size), "{size} {unit}");
    assert!(info.name.ends_with("planula4 S1"), "{}", info.name);
    assert_eq!(info.channels[0].name.as_deref(), Some("ChA"));
    assert_eq!(info.channels[0].excitation, Some(561.0));
}

/// One tile: its dimensions as (letter, start, size), its compression, and its bytes.
struct Tile(Vec<(u8, i32, i32)>, i32, Vec<u8>);

fn entry(tile: &Tile, pixel_type: i32, at: u64) -> Vec<u8> {
    let mut entry = b"DV".to_vec();
    entry.extend_from_slice(&pixel_type.to_le_bytes());
    entry.extend_from_slice(&at.to_le_bytes());
    entry.extend_from_slice(&0_i32.to_le_bytes());
    entry.extend_from_slice(&tile.1.to_le_bytes());
    entry.extend_from_slice(&[0; 6]);
    entry.extend_from_slice(&(tile.0.len() as i32).to_le_bytes());
    for (letter, start, size) in &tile.0 {
        entry.extend_from_slice(&[*letter, 0, 0, 0]);
        for value in [*start, *size, 0, *size] {
            entry.extend_from_slice(&value.to_le_bytes());
        }
    }
    entry
}

fn segment(id: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut segment = id.to_vec();
    segment.resize(16, 0);
    segment.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    segment.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    segment.extend_from_slice(payload);
    segment
}

/// A file of these tiles.
fn czi(pixel_type: i32, tiles: &[Tile]) -> Vec<u8> {
    let (mut body, mut entries) = (Vec::new(), Vec::new());
    for tile in tiles {
        let at = 544 + body.len() as u64;
        let entry = entry(tile, pixel_type, at);
        let mut payload = [0_u64.to_le_bytes(), (tile.2.len() as u64).to_le_bytes()].concat();
        payload.extend_from_slice(&entry);
        payload.resize(payload.len().max(256), 0);
        payload.extend_from_slice(&tile.2);
        body.extend(segment(b"ZISRAWSUBBLOCK", &payload));
        entries.extend(entry);
    }
    let mut directory = (tiles.len() as i32).to_le_bytes().to_vec();
    directory.resize(128, 0);
    directory.extend(entries);
    let mut header = vec![0; 512];
    header[52..60].copy_from_slice(&(544 + body.len() as u64).to_le_bytes());
    [segment(b"ZISRAWFILE", &header), body, segment(b"ZISRAWDIRECTORY", &directory)].concat()
}

fn tile(x: i32, y: i32, more: &[(u8, i32, i32)], value: u8) -> Tile {
    Tile([&[(b'X', x, 3), (b'Y', y, 2)], more].concat(), 0, vec![value; 6])
}

#[test]
fn tiles_lie_above_each_other_in_their_order_and_gaps_are_told() {
    let file = czi(0, &[tile(-2, 5, &[(b'M', 1, 1)], 2), tile(0, 6, &[(b'M', 0, 1)], 1)]);
    let import = open(&Memory::of("a.czi", file).source(), "a.czi").unwrap();
    let info = import.rasters[0].info();
    assert_eq!(info.shape, [1, 1, 1, 3, 5]);
    assert_eq!(whole(import.rasters[0].as_ref()), [2, 2, 2, 0, 0, 2, 2, 2, 1, 1, 0, 0, 1, 1, 1]);
    assert!(import.notes.iter().any(|note| note.rule == "import.gaps"));
    let mut out = [9; 4];
    import.rasters[0].read([0, 0, 0, 1, 2], [1, 1, 1, 2, 2], &mut out).unwrap();
    assert_eq!(out, [2, 1, 1, 1]);
}

#[test]
fn planes_scenes_and_colours_are_told_apart() {
    let file = czi(
        0,
        &[
            tile(0, 0, &[(b'Z', 1, 1), (b'S', 0, 1)], 11),
            tile(0, 0, &[(b'Z', 0, 1), (b'S', 0, 1)], 10),
            tile(9, 9, &[(b'S', 1, 1)], 7),
        ],
    );
    let import = open(&Memory::of("a.czi", file).source(), "a.czi").unwrap();
    assert_eq!(import.rasters.len(), 2);
    assert_eq!(whole(import.rasters[0].as_ref()), [[10; 6], [11; 6]].concat());
    assert_eq!(import.rasters[1].info().name, "S1");
    let colour = Tile(vec![(b'X', 0, 1), (b'Y', 0, 2)], 0, vec![1, 2, 3, 4, 5, 6]);
    let import = open(&Memory::of("a.czi", czi(3, &[colour])).source(), "a.czi").unwrap();
    assert!(import.rasters[0].info().is_rgb);
    assert_eq!(whole(import.rasters[0].as_ref()), [3, 6, 2, 5, 1, 4]);
}

#[test]
fn zstandard_pixels_are_read_whole_or_not_at_all() {
    let low_high = [1, 2, 3, 4, 5, 6, 0, 0, 0, 1, 1, 1];
    let packed = zstd::encode_all(&low_high[..], 1).unwrap();
    let dimensions = || vec![(b'X', 0, 3), (b'Y', 0, 2)];
    let split = Tile(dimensions(), 6, [&[3, 1, 1][..], &packed].concat());
    let import = open(&Memory::of("a.czi", czi(1, &[split])).source(), "a.czi").unwrap();
    let expected: Vec<u8> = [1_u16, 2, 3, 260, 261, 262].into_iter().flat_map(u16::to_ne_bytes).collect();
    assert_eq!(whole(import.rasters[0].as_ref()), expected);
    for bytes in [packed.clone(), packed[..packed.len() - 4].to_vec()] {
        let wrong = Tile(vec![(b'X', 0, 30), (b'Y', 0, 2)], 5, bytes);
        let import = open(&Memory::of("a.czi", czi(1, &[wrong])).source(), "a.czi").unwrap();
        assert!(import.rasters[0].read([0; 5], [1, 1, 1, 2, 30], &mut [0; 120]).is_err());
    }
}

#[test]
fn what_is_not_read_is_named() {
    let jxr = Tile(vec![(b'X', 0, 3), (b'Y', 0, 2)], 4, vec![0; 6]);
    let message = refusal(&Memory::of("a.czi", czi(0, &[jxr])).source(), "a.czi");
    assert!(message.contains("JPEG XR") && message.contains("bioformats2raw"), "{message}");
    let gap = [tile(0, 0, &[(b'Z', 0, 1)], 1), tile(0, 0, &[(b'Z', 2, 1)], 1)];
    let message = refusal(&Memory::of("a.czi", czi(0, &gap)).source(), "a.czi");
    assert!(message.contains("1 of the 3 planes"), "{message}");
}

proptest! {
    #[test]
    fn changed_bytes_and_cuts_are_survived(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = czi(0, &[tile(0, 0, &[(b'Z', 0, 1)], 1), tile(1, 1, &[(b'Z', 1, 1)], 2)]);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        super::hostile::try_all(bytes, "a.czi");
    }
}
