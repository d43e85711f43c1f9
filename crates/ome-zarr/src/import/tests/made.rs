//! Files made here: byte orders, layouts, codecs and types that the corpus lacks.

use std::io::Write;

use super::{
    writer::{Page, file},
    *,
};

/// 16-bit numbers in a file's byte order.
fn words(values: impl IntoIterator<Item = u16>, big_endian: bool) -> Vec<u8> {
    values.into_iter().flat_map(|value| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() }).collect()
}

fn native(values: impl IntoIterator<Item = u16>) -> Vec<u8> {
    values.into_iter().flat_map(u16::to_ne_bytes).collect()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read(bytes: Vec<u8>) -> Import {
    open(&Memory::of("a.tif", bytes).source(), "a.tif").unwrap()
}

#[test]
fn strips_and_tiles_of_both_byte_orders_and_sizes_of_file_are_read() {
    let value = |x: u64, y: u64| (y * 300 + x) as u16;
    let (width, height) = (23, 19);
    let expected = native((0..height).flat_map(|y| (0..width).map(move |x| value(x, y))));
    for (big_endian, big) in [(false, false), (true, false), (false, true), (true, true)] {
        let rows =
            |from: u64, to: u64| words((from..to).flat_map(|y| (0..width).map(move |x| value(x, y))), big_endian);
        let strips: Vec<Vec<u8>> = (0..height).step_by(4).map(|from| rows(from, height.min(from + 4))).collect();
        let tile = |at: u64| {
            let (left, top) = (at % 2 * 16, at / 2 * 16);
            let pixel = move |index: u64| value((left + index % 16).min(22), (top + index / 16).min(18));
            words((0..256).map(pixel), big_endian)
        };
        let tiles: Vec<Vec<u8>> = (0..4).map(tile).collect();
        let page = Page::grey(width, height, 16);
        for (plain, packed) in [
            (page.clone().strips(4, strips.clone()), page.clone().strips(4, strips.iter().map(|s| zlib(s)).collect())),
            (
                page.clone().tiles(16, 16, tiles.clone()),
                page.clone().tiles(16, 16, tiles.iter().map(|t| zlib(t)).collect()),
            ),
        ] {
            for page in [plain, packed.field(259, &[8])] {
                let import = read(file(&[page], big_endian, big));
                assert!(whole(import.rasters[0].as_ref()) == expected, "{big_endian} {big}");
            }
        }
    }
}

#[test]
fn colours_are_channels_whether_they_are_side_by_side_or_apart() {
    let planes: [Vec<u8>; 3] = [0, 100, 200].map(|base| (0..12).map(|index| base + index).collect());
    let together: Vec<u8> = (0..12).flat_map(|index| planes.iter().map(move |plane| plane[index])).collect();
    let page = Page::grey(4, 3, 8).field(262, &[2]).field(277, &[3]);
    let side_by_side = page.clone().strips(3, vec![together]);
    let apart = page.field(284, &[2]).strips(3, planes.to_vec());
    for page in [side_by_side, apart] {
        let import = read(file(&[page], false, false));
        let info = import.rasters[0].info();
        assert_eq!(info.shape, [1, 3, 1, 3, 4]);
        assert!(info.is_rgb);
        assert_eq!(info.channels[1].color.as_deref(), Some("00FF00"));
        assert_eq!(whole(import.rasters[0].as_ref()), planes.concat());
    }
}

#[test]
fn pictures_of_one_bit_become_zeros_and_ones() {
    let page = Page::grey(10, 2, 1).strips(2, vec![vec![0b1010_0000, 0b0100_0000, 0b0000_0001, 0b1000_0000]]);
    let import = read(file(std::slice::from_ref(&page), false, false));
    let expected = [1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0];
    assert_eq!(whole(import.rasters[0].as_ref()), expected);
    let reversed = page.field(266, &[2]).strips(2, vec![vec![0b0000_0101, 0b0000_0010, 0b1000_0000, 0b0000_0001]]);
    assert_eq!(whole(read(file(&[reversed], false, false)).rasters[0].as_ref()), expected);
}

#[test]
fn differences_between_neighbours_are_summed_up() {
    let differences = words([5, 1, 2, 65_535, 7, 0, 0, 1], false);
    let page = Page::grey(4, 2, 16).field(259, &[8]).field(317, &[2]).strips(2, vec![zlib(&differences)]);
    let import = read(file(&[page], false, false));
    assert_eq!(whole(import.rasters[0].as_ref()), native([5, 6, 8, 7, 7, 7, 7, 8]));
}

#[test]
fn planes_behind_one_directory_are_the_stack_that_imagej_says() {
    let planes: Vec<Vec<u8>> = (0..6_u16).map(|plane| words((0..6).map(|x| plane * 10 + x), true)).collect();
    let text = "ImageJ=1.53t\nimages=6\nchannels=2\nslices=3\nhyperstack=true\nunit=micron\nspacing=2.0\n";
    let mut page = Page::grey(3, 2, 16).describe(text).strips(2, vec![planes.concat()]);
    // ImageJ gives the size of the first plane.
    page.fields.push((65_000, 4, vec![0]));
    let import = read(file(&[page], true, false));
    let info = import.rasters[0].info();
    assert_eq!(info.shape, [1, 2, 3, 2, 3]);
    assert_eq!(info.pixel_size[2], Some((2.0, "micrometer".to_owned())));
    let order = [0, 2, 4, 1, 3, 5];
    let expected: Vec<u8> =
        order.into_iter().flat_map(|plane: u16| native((0..6).map(move |x| plane * 10 + x))).collect();
    assert_eq!(whole(import.rasters[0].as_ref()), expected);
}

#[test]
fn planes_that_imagej_promises_and_the_file_lacks_are_not_made_up() {
    let page = Page::grey(3, 2, 8).describe("ImageJ=1.53t\nimages=9\nslices=9\n").strips(2, vec![vec![1; 6]]);
    let message = refusal(&Memory::of("a.tif", file(&[page], true, false)).source(), "a.tif");
    assert!(message.contains("promises 9 images"), "{message}");
}

#[test]
fn pages_of_one_size_are_slices_and_others_are_images_of_their_own() {
    let grey = |width: u64, value: u8| Page::grey(width, 2, 8).strips(2, vec![vec![value; width as usize * 2]]);
    let import = read(file(&[grey(3, 1), grey(3, 2), grey(5, 9)], false, false));
    let shapes: Vec<Tczyx> = import.rasters.iter().map(|raster| raster.info().shape).collect();
    assert_eq!(shapes, [[1, 1, 2, 2, 3], [1, 1, 1, 2, 5]]);
    assert!(import.notes.iter().any(|note| note.rule == "import.pages"));
}

#[test]
fn smaller_copies_are_no_slices() {
    let grey = |side: u64| Page::grey(side, side, 8).strips(side, vec![vec![1; (side * side) as usize]]);
    let import = read(file(&[grey(512), grey(256), grey(128)], false, false));
    assert_eq!(import.rasters.len(), 1);
    assert_eq!(import.rasters[0].info().shape, [1, 1, 1, 512, 512]);
    let marked = read(file(&[grey(64), grey(64).field(254, &[1])], false, false));
    assert_eq!(marked.rasters[0].info().shape, [1, 1, 1, 64, 64]);
}

#[test]
fn codecs_that_are_not_read_are_named_with_a_way_out() {
    for (code, name) in [(34_712, "JPEG 2000"), (22_610, "JPEG XR"), (50_002, "JPEG XL"), (34_887, "LERC")] {
        let page = Page::grey(3, 2, 8).field(259, &[code]).strips(2, vec![vec![0; 6]]);
        let message = refusal(&Memory::of("a.tif", file(&[page], false, false)).source(), "a.tif");
        assert!(message.contains(name) && message.contains("bioformats2raw") && message.contains("a.tif"), "{message}");
    }
}

#[test]
fn types_that_are_not_read_are_named() {
    for (bits, format) in [(12, 1), (24, 3), (64, 6)] {
        let page = Page::grey(4, 2, bits).field(339, &[format]).strips(2, vec![vec![0; 64]]);
        let message = refusal(&Memory::of("a.tif", file(&[page], false, false)).source(), "a.tif");
        assert!(message.contains(&format!("numbers of {bits} bits")), "{message}");
    }
}

#[test]
fn a_shape_that_the_file_states_is_taken_at_its_word_when_it_fits() {
    let page = |value: u8| Page::grey(3, 2, 8).strips(2, vec![vec![value; 6]]);
    let first = |text: &str| page(0).describe(text);
    let import = |text: &str| read(file(&[first(text), page(1), page(2), page(3), page(4), page(5)], false, false));
    let shaped = import(r#"{"shape": [3, 2, 2, 3], "axes": "TCYX"}"#);
    assert_eq!(shaped.rasters[0].info().shape, [3, 2, 1, 2, 3]);
    let planes: Vec<u8> = whole(shaped.rasters[0].as_ref()).chunks(6).map(|plane| plane[0]).collect();
    assert_eq!(planes, [0, 1, 2, 3, 4, 5]);
    let reordered = import(r#"{"shape": [3, 2, 2, 3], "axes": "ZCYX"}"#);
    let planes: Vec<u8> = whole(reordered.rasters[0].as_ref()).chunks(6).map(|plane| plane[0]).collect();
    assert_eq!(planes, [0, 2, 4, 1, 3, 5]);
    for unfit in [r#"{"shape": [9, 2, 2, 3], "axes": "TCYX"}"#, r#"{"shape": [6, 2, 3]}"#, "{"] {
        assert_eq!(import(unfit).rasters[0].info().shape, [1, 1, 6, 2, 3], "{unfit}");
    }
}
