//! Pictures against numbers worked out by hand: tiles, thumbnails, label overlays, plates.

use dataset_model::Digest;
use ome_zarr::{
    ChannelChoice, Display, FileSource, FolderSource, ImageRecord, OmeZarrError, Picture, PictureFormat, PictureInfo,
    Renderer, Thumbnail, Tile, Unwatched, describe, describe_plate, find_images, thumbnail,
};
use serde_json::{Value, json};

use crate::support::{MemorySource, corpus};

/// An image of one level in one chunk, not compressed; `pixel` gives the bytes of each pixel from its place.
fn image(
    source: &mut MemorySource,
    path: &str,
    axes: &str,
    shape: &[u64],
    data_type: &str,
    pixel: impl Fn(&[u64]) -> Vec<u8>,
) {
    level(source, &format!("{path}/0"), axes, shape, data_type, pixel);
    group(source, path, axes, &[("0", 1.0)], json!({}));
}

fn group(source: &mut MemorySource, path: &str, axes: &str, levels: &[(&str, f64)], more: Value) {
    let axis = |name: char| match name {
        't' => json!({"name": "t", "type": "time"}),
        'c' => json!({"name": "c", "type": "channel"}),
        name => json!({"name": name.to_string(), "type": "space", "unit": "micrometer"}),
    };
    let dataset = |(path, factor): &(&str, f64)| {
        let scale: Vec<f64> = axes.chars().map(|name| if "yx".contains(name) { *factor } else { 1.0 }).collect();
        json!({"path": path, "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    };
    let mut ome = json!({"version": "0.5", "multiscales": [{
        "axes": axes.chars().map(axis).collect::<Vec<_>>(), "datasets": levels.iter().map(dataset).collect::<Vec<_>>(),
    }]});
    for (key, value) in more.as_object().unwrap() {
        ome[key] = value.clone();
    }
    put(source, path, &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}));
}

fn put(source: &mut MemorySource, folder: &str, document: &Value) {
    source.0.insert(format!("{folder}/zarr.json"), document.to_string().into_bytes());
}

fn level(
    source: &mut MemorySource,
    path: &str,
    axes: &str,
    shape: &[u64],
    data_type: &str,
    pixel: impl Fn(&[u64]) -> Vec<u8>,
) {
    let fill = match data_type {
        "bool" => json!(false),
        "complex64" => json!([0, 0]),
        _ => json!(0),
    };
    let names: Vec<String> = axes.chars().map(String::from).collect();
    put(
        source,
        path,
        &json!({
            "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": data_type, "fill_value": fill,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
            "chunk_key_encoding": {"name": "default"}, "dimension_names": names,
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        }),
    );
    let mut bytes = Vec::new();
    for index in 0..shape.iter().product::<u64>() {
        let mut rest = index;
        let mut place: Vec<u64> = shape
            .iter()
            .rev()
            .map(|side| {
                let at = rest % side;
                rest /= side;
                at
            })
            .collect();
        place.reverse();
        bytes.extend(pixel(&place));
    }
    let key = shape.iter().map(|_| "0").collect::<Vec<_>>().join("/");
    source.0.insert(format!("{path}/c/{key}"), bytes);
}

fn u16_at(value: u64) -> Vec<u8> {
    (value as u16).to_le_bytes().to_vec()
}

fn choice(text: &str) -> Vec<ChannelChoice> {
    text.split(',').map(|choice| choice.parse().unwrap()).collect()
}

fn tile(source: &dyn FileSource, path: &str, tile: &Tile) -> Result<Picture, OmeZarrError> {
    let renderer = Renderer::new(source, &Unwatched);
    let image = describe(source, path)?;
    renderer.tile(&image, &renderer.display(&image)?, tile)
}

fn small(source: &dyn FileSource, path: &str, wanted: &Thumbnail) -> Result<Picture, OmeZarrError> {
    let renderer = Renderer::new(source, &Unwatched);
    let image = describe(source, path)?;
    renderer.thumbnail(&image, &renderer.display(&image)?, wanted)
}

fn at(picture: &Picture, y: u32, x: u32) -> [u8; 3] {
    let start = ((y * picture.width + x) * 3) as usize;
    picture.rgb[start..start + 3].try_into().unwrap()
}

#[test]
fn a_tile_shows_the_very_pixels_of_its_place_in_the_window_and_colour_asked_for() {
    let mut source = MemorySource::default();
    image(&mut source, "a", "yx", &[300, 530], "uint16", |place| u16_at(place[0] + place[1]));
    let wanted = Tile { x: 2, y: 1, size: 256, channels: choice("0:100-900:FF8000"), ..Tile::default() };
    let picture = tile(&source, "a", &wanted).unwrap();
    assert_eq!((picture.width, picture.height), (530 - 512, 300 - 256), "cut off at the edges");
    for (y, x) in [(0, 0), (43, 17), (10, 5)] {
        let light = f64::from(256 + y + 512 + x - 100) / 800.0;
        let expected = [1.0, f64::from(0x80) / 255.0, 0.0].map(|part| (light * part * 255.0).round());
        let found = at(&picture, y, x).map(f64::from);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1.0), "{found:?} {expected:?}");
    }
}

#[test]
fn the_plane_asked_for_is_the_plane_shown_whatever_the_dimensions() {
    for (axes, shape) in
        [("zyx", vec![5, 8, 8]), ("tyx", vec![3, 8, 8]), ("czyx", vec![2, 5, 8, 8]), ("tczyx", vec![3, 2, 5, 8, 8])]
    {
        let mut source = MemorySource::default();
        let axis = |name: char| axes.find(name);
        image(&mut source, "a", axes, &shape, "uint8", |place| {
            let along = |name| axis(name).map_or(0, |axis| place[axis]);
            vec![(along('t') * 50 + along('c') * 30 + along('z') * 5) as u8]
        });
        let (t, c, z) = (axis('t').map(|_| 2), u64::from(axis('c').is_some()), axis('z').map(|_| 3));
        let wanted = Tile { size: 256, t, z, channels: choice(&format!("{c}:0-255:FFFFFF")), ..Tile::default() };
        let expected = (t.unwrap_or(0) * 50 + c * 30 + z.unwrap_or(0) * 5) as u8;
        assert_eq!(at(&tile(&source, "a", &wanted).unwrap(), 4, 4), [expected; 3], "{axes}");
    }
}

#[test]
fn every_pixel_type_is_drawn_dark_where_it_is_low_and_bright_where_it_is_high() {
    let half = |value: u64| (0x3c00_u16 + (value as u16) * 0x40).to_le_bytes().to_vec();
    let types: Vec<(&str, Box<dyn Fn(u64) -> Vec<u8>>)> = vec![
        ("bool", Box::new(|x| vec![u8::from(x >= 32)])),
        ("int8", Box::new(|x| (x as i8 - 64).to_le_bytes().to_vec())),
        ("uint8", Box::new(|x| vec![x as u8])),
        ("int16", Box::new(|x| (x as i16 * 100 - 3000).to_le_bytes().to_vec())),
        ("uint32", Box::new(|x| (x as u32 * 60_000_000).to_le_bytes().to_vec())),
        ("int64", Box::new(|x| (i64::MIN / 2 + x as i64 * (1 << 50)).to_le_bytes().to_vec())),
        ("uint64", Box::new(|x| (u64::MAX - (63 - x) * (1 << 20)).to_le_bytes().to_vec())),
        ("float16", Box::new(half)),
        ("float32", Box::new(|x| (x as f32 * 1e-30).to_le_bytes().to_vec())),
        ("float64", Box::new(|x| (x as f64 * 1e200 - 5e201).to_le_bytes().to_vec())),
        ("complex64", Box::new(|x| [0f32.to_le_bytes(), (x as f32).to_le_bytes()].concat())),
    ];
    for (data_type, pixel) in types {
        let mut source = MemorySource::default();
        image(&mut source, "a", "yx", &[64, 64], data_type, |place| pixel(place[1]));
        let picture = small(&source, "a", &Thumbnail { max_side: 64, ..Thumbnail::default() }).unwrap();
        let row: Vec<u8> = (0..64).map(|x| at(&picture, 20, x)[0]).collect();
        assert!(row.is_sorted() && row[0] < 5 && row[63] > 250, "{data_type}: {row:?}");
    }
}

#[test]
fn pixels_without_a_value_are_black_and_the_others_as_bright_as_without_them() {
    let mut source = MemorySource::default();
    image(&mut source, "a", "yx", &[64, 64], "float32", |place| {
        let value = match place[0] {
            0..16 => f32::NAN,
            16..20 => f32::INFINITY,
            _ => 10.0 + place[1] as f32,
        };
        value.to_le_bytes().to_vec()
    });
    let picture = small(&source, "a", &Thumbnail { max_side: 32, ..Thumbnail::default() }).unwrap();
    assert_eq!(at(&picture, 2, 31), [0; 3]);
    assert!(at(&picture, 20, 31)[0] > 245 && at(&picture, 20, 0)[0] < 10);
}

#[test]
fn all_tiles_of_an_image_have_the_same_windows_and_planes_too_dark_alone_are_seen() {
    let mut source = MemorySource::default();
    image(&mut source, "a", "zyx", &[4, 512, 512], "uint16", |place| u16_at(100 * place[0] + place[2] / 4));
    let image = describe(&source, "a").unwrap();
    let renderer = Renderer::new(&source, &Unwatched);
    let display = renderer.display(&image).unwrap();
    let wanted = |x, z| Tile { x, size: 256, z: Some(z), ..Tile::default() };
    let (left, right) = (wanted(0, 1), wanted(1, 0));
    let left = renderer.tile(&image, &display, &left).unwrap();
    let right = renderer.tile(&image, &display, &right).unwrap();
    // 100 + 12 / 4 in one, 412 / 4 in the other.
    assert_eq!(at(&left, 0, 12), at(&right, 0, 412 - 256));
}

#[test]
fn channels_in_one_chunk_and_in_many_give_the_same_picture() {
    let mut source = MemorySource::default();
    let value = |place: &[u64]| vec![(place[0] * 70 + place[1] + place[2]) as u8];
    image(&mut source, "a", "cyx", &[3, 40, 60], "uint8", value);
    let wanted = Tile { size: 256, channels: choice("2:0-255:0000FF,0:0-255:FF0000"), ..Tile::default() };
    let picture = tile(&source, "a", &wanted).unwrap();
    assert_eq!(at(&picture, 10, 20), [30, 0, 170]);
    // No metadata names the channels: bytes in threes are red, green and blue, as they are.
    let picture = small(&source, "a", &Thumbnail { max_side: 64, ..Thumbnail::default() }).unwrap();
    assert_eq!(at(&picture, 10, 20), [30, 100, 170]);
}

#[test]
fn omero_says_which_channels_are_shown_how() {
    let mut source = MemorySource::default();
    image(&mut source, "a", "cyx", &[2, 32, 32], "uint16", |place| u16_at(place[1] * 30 + place[0] * 500));
    let window = json!({"min": 0, "max": 65535, "start": 0, "end": 1000});
    let omero = json!({"omero": {"channels": [
        {"color": "FF0000", "active": true, "window": window, "label": "red"},
        {"color": "00FF00", "active": false, "window": window, "emissionWave": 520},
    ]}});
    group(&mut source, "a", "cyx", &[("0", 1.0)], omero);
    let picture = tile(&source, "a", &Tile { size: 256, ..Tile::default() }).unwrap();
    assert_eq!(at(&picture, 10, 10), [(0.3_f64 * 255.0).round() as u8, 0, 0]);
    let image = describe(&source, "a").unwrap();
    assert_eq!((image.channels[0].emission, image.channels[1].emission), (None, Some(520.0)));
    let info = PictureInfo::of(&image, &Renderer::new(&source, &Unwatched).display(&image).unwrap()).unwrap();
    assert_eq!(info.channels[0].label.as_deref(), Some("red"));
    assert_eq!((info.channels[1].color.as_str(), info.channels[1].active), ("00FF00", false));
}

#[test]
fn objects_lie_over_the_pixels_they_were_drawn_on_also_at_half_resolution() {
    for factor in [1, 2] {
        let mut source = MemorySource::default();
        image(&mut source, "a", "yx", &[64, 64], "uint8", |place| vec![(place[0] + place[1]) as u8]);
        put(
            &mut source,
            "a/labels",
            &json!({"zarr_format": 3, "node_type": "group",
            "attributes": {"ome": {"version": "0.5", "labels": ["cells"]}}}),
        );
        let side = 64 / factor;
        level(&mut source, "a/labels/cells/0", "yx", &[side, side], "int32", |place| {
            let is_object = (16..32).contains(&(place[0] * factor)) && (32..48).contains(&(place[1] * factor));
            i32::from(is_object).to_le_bytes().to_vec()
        });
        let colors =
            json!({"image-label": {"version": "0.5", "colors": [{"label-value": 1, "rgba": [200, 0, 100, 255]}]}});
        group(&mut source, "a/labels/cells", "yx", &[("0", factor as f64)], colors);
        let labels = Some("cells".to_owned());
        let wanted = Tile { size: 256, channels: choice("0:0-1000:FFFFFF"), labels, ..Tile::default() };
        let picture = tile(&source, "a", &wanted).unwrap();
        let is_tinted = |y, x| at(&picture, y, x)[0] > at(&picture, y, x)[1] + 20;
        for y in 0..64 {
            for x in 0..64 {
                assert_eq!(is_tinted(y, x), (16..32).contains(&y) && (32..48).contains(&x), "{y} {x} of 1/{factor}");
            }
        }
        assert!(at(&picture, 16, 40)[0] > 170, "the outline stands out");
        assert!(at(&picture, 24, 40)[0] < 80, "the inside is a veil");
        let wanted = Thumbnail { max_side: 16, labels: Some("../cells".into()), ..Thumbnail::default() };
        assert!(matches!(small(&source, "a", &wanted), Err(OmeZarrError::Request(_))));
    }
}

#[test]
fn tiles_outside_the_image_are_refused_with_what_there_is() {
    let mut source = MemorySource::default();
    image(&mut source, "a", "czyx", &[2, 3, 300, 300], "uint8", |_| vec![7]);
    let tiles = [
        (Tile { level: 1, ..Tile::default() }, "levels 0 to 0"),
        (Tile { x: 2, ..Tile::default() }, "tiles 0 to 1"),
        (Tile { y: u64::MAX, ..Tile::default() }, "tiles 0 to 1"),
        (Tile { z: Some(3), ..Tile::default() }, "planes 0 to 2"),
        (Tile { t: Some(1), ..Tile::default() }, "planes 0 to 0"),
        (Tile { channels: choice("2"), ..Tile::default() }, "channels are 0 to 1"),
        (Tile { channels: choice("0,1,0,1,0,1,0,1,0"), ..Tile::default() }, "at most 8"),
        (Tile { labels: Some("none\0".into()), ..Tile::default() }, "no label image"),
    ];
    for (wanted, reason) in tiles {
        let wanted = Tile { size: 256, ..wanted };
        let error = tile(&source, "a", &wanted).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    for size in [0, 1, 255, 257, u32::MAX] {
        assert!(tile(&source, "a", &Tile { size, ..Tile::default() }).is_err());
    }
}

#[test]
fn a_picture_that_would_need_too_much_work_is_refused_before_any_chunk_is_read() {
    let mut source = MemorySource::default();
    group(&mut source, "a", "yx", &[("0", 1.0)], json!({}));
    put(
        &mut source,
        "a/0",
        &json!({
            "zarr_format": 3, "node_type": "array", "shape": [1 << 30, 1 << 20], "data_type": "uint16", "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [512, 512]}},
            "chunk_key_encoding": {"name": "default"}, "codecs": [{"name": "bytes"}], "dimension_names": ["y", "x"],
        }),
    );
    let error = thumbnail(&source, "a", 256).unwrap_err();
    assert!(matches!(error, OmeZarrError::TooLarge { .. }), "{error}");
    // A tile of it is no more work than any other.
    let picture = tile(&source, "a", &Tile { size: 512, x: 2047, y: 1 << 20, ..Tile::default() }).unwrap();
    assert_eq!((picture.width, picture.height), (512, 512));
}

#[test]
fn a_large_image_with_a_single_level_is_shrunk_band_by_band() {
    let mut source = MemorySource::default();
    group(&mut source, "a", "yx", &[("0", 1.0)], json!({}));
    put(
        &mut source,
        "a/0",
        &json!({
            "zarr_format": 3, "node_type": "array", "shape": [8192, 8192], "data_type": "uint8", "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1024, 8192]}},
            "chunk_key_encoding": {"name": "default"}, "codecs": [{"name": "bytes"}], "dimension_names": ["y", "x"],
        }),
    );
    source.0.insert("a/0/c/3/0".into(), vec![200; 1024 * 8192]);
    let wanted = Thumbnail { max_side: 64, channels: choice("0:0-255"), ..Thumbnail::default() };
    let picture = small(&source, "a", &wanted).unwrap();
    assert_eq!((at(&picture, 20, 5), at(&picture, 30, 5), at(&picture, 40, 5)), ([0; 3], [200; 3], [0; 3]));
}

#[test]
fn plates_are_grids_with_one_window_for_all_wells() {
    let mut source = MemorySource::default();
    let wells = [("A", "1", 100), ("A", "2", 200), ("B", "2", 400)];
    let listed: Vec<Value> = wells
        .iter()
        .map(|(row, column, _)| {
            json!({"path": format!("{row}/{column}"),
        "rowIndex": u8::from(*row == "B"), "columnIndex": u8::from(*column == "2")})
        })
        .collect();
    let named = |names: [&str; 2]| names.map(|name| json!({"name": name}));
    put(
        &mut source,
        "p",
        &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "plate": {
        "rows": named(["A", "B"]), "columns": named(["1", "2"]), "wells": listed, "acquisitions": [{"id": 0}]}}}}),
    );
    for (row, column, value) in wells {
        let well = format!("p/{row}/{column}");
        put(
            &mut source,
            &well,
            &json!({"zarr_format": 3, "node_type": "group",
            "attributes": {"ome": {"version": "0.5", "well": {"images": [{"path": "0"}]}}}}),
        );
        image(&mut source, &format!("{well}/0"), "yx", &[40, 40], "uint16", |place| {
            u16_at(value * u64::from(place[0] > 7))
        });
    }
    let png = thumbnail(&source, "p", 64).unwrap();
    let picture = image::load_from_memory(&png).unwrap().to_rgb8();
    assert_eq!((picture.width(), picture.height()), (64, 64));
    let grey = |y, x| picture.get_pixel(x, y).0[0];
    let (first, second, last) = (grey(16, 16), grey(16, 48), grey(48, 48));
    assert!(first.abs_diff(64) < 3 && second.abs_diff(128) < 3 && last > 250, "{first} {second} {last}");
    assert_eq!(grey(48, 16), 24, "there is no well");

    let plate = describe_plate(&source, "p").unwrap();
    assert_eq!((plate.rows, plate.columns, plate.wells, plate.acquisitions), (2, 2, 3, 1));
    let field = describe(&source, "p/B/2/0").unwrap().field_of.unwrap();
    assert_eq!((field.plate.as_str(), field.well.as_str()), ("p", "B/2"));

    // Wells that are damaged or gone leave their place empty; a plate without any cannot be drawn.
    source.0.retain(|path, _| !path.starts_with("p/A/1"));
    assert!(thumbnail(&source, "p", 64).is_ok());
    source.0.retain(|path, _| path == "p/zarr.json");
    assert!(thumbnail(&source, "p", 64).is_err());
}

#[test]
fn a_plate_of_thousands_of_wells_is_sampled() {
    let mut source = MemorySource::default();
    let names = |count: u64| (0..count).map(|n| json!({"name": format!("n{n}")})).collect::<Vec<_>>();
    let wells: Vec<Value> = (0..32 * 48).map(|n| json!({"path": format!("n{}/n{}", n / 48, n % 48)})).collect();
    put(
        &mut source,
        "p",
        &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5",
        "plate": {"rows": names(32), "columns": names(48), "wells": wells}}}}),
    );
    put(
        &mut source,
        "p/n2/n4",
        &json!({"zarr_format": 3, "node_type": "group",
        "attributes": {"ome": {"version": "0.5", "well": {"images": [{"path": "0"}]}}}}),
    );
    image(&mut source, "p/n2/n4/0", "yx", &[40, 40], "uint16", |place| u16_at(place[0]));
    let picture = Renderer::new(&source, &Unwatched).plate("p", &Thumbnail { max_side: 480, ..Thumbnail::default() });
    let picture = picture.unwrap();
    assert_eq!((picture.width, picture.height), (24 * 20, 16 * 20), "every second row and column");
    assert!(at(&picture, 20 + 17, 2 * 20 + 9)[0] > 200);
}

#[test]
fn pictures_come_back_from_their_files_without_loss() {
    let picture = Picture { width: 3, height: 2, rgb: (0..18).map(|n| n * 13).collect() };
    for (format, magic) in [(PictureFormat::Png, b"\x89PNG".as_slice()), (PictureFormat::WebP, b"RIFF")] {
        let bytes = picture.encode(format).unwrap();
        assert!(bytes.starts_with(magic));
        assert_eq!(image::load_from_memory(&bytes).unwrap().to_rgb8().into_raw(), picture.rgb);
        assert_eq!(Digest::of(picture.encode(format).unwrap()), Digest::of(bytes), "always the same bytes");
    }
}

/// The corpus images that can be described, with where they are.
fn real_images() -> Vec<(FolderSource, ImageRecord)> {
    let mut found = Vec::new();
    for folder in ["derived/omezarr", "omezarr/v0.4", "omezarr/v0.5", "omezarr/fiji-java-testdata"] {
        let Some(folder) = corpus(folder) else { continue };
        let locations = find_images(&FolderSource::new(&folder).unwrap()).unwrap();
        for location in locations {
            let source = FolderSource::new(&folder).unwrap();
            if let Ok(image) = describe(&source, &location.path) {
                found.push((source, image));
            }
        }
    }
    found
}

#[test]
fn every_image_of_the_corpus_is_drawn_and_shows_something() {
    let images = real_images();
    let mut drawn = 0;
    for (source, image) in &images {
        let renderer = Renderer::new(source, &Unwatched);
        let display: Result<Display, _> = renderer.display(image);
        let wanted = Thumbnail { max_side: 128, ..Thumbnail::default() };
        let picture = match display.and_then(|display| renderer.thumbnail(image, &display, &wanted)) {
            // Stores that are there to be refused: no pixels, or an array that is not there.
            Err(error) if image.path.contains("invalid") => {
                eprintln!("{}: {error}", image.path);
                continue;
            }
            picture => picture.unwrap_or_else(|error| panic!("{}: {error}", image.path)),
        };
        drawn += 1;
        assert!(picture.width.max(picture.height) <= 128);
        for name in &image.label_names {
            let wanted = Thumbnail { labels: Some(name.clone()), ..wanted.clone() };
            let display = renderer.display(image).unwrap();
            let with = renderer.thumbnail(image, &display, &wanted).unwrap();
            assert_ne!(with, picture, "{}: labels '{name}' are not to be seen", image.path);
        }
    }
    assert!(images.is_empty() || drawn > 40, "{drawn} of {}", images.len());
}

#[test]
fn plates_of_the_corpus_are_drawn() {
    for plate in [
        "derived/omezarr/v0.5_ome-zarr-py_hcs_ImageXpress.ome.zarr",
        "omezarr/v0.4/hcs_2D.zarr",
        "omezarr/v0.4/hcs_3D.zarr",
    ] {
        let Some(folder) = corpus(plate) else { continue };
        let (parent, name) = (folder.parent().unwrap(), folder.file_name().unwrap().to_str().unwrap());
        let source = FolderSource::new(parent).unwrap();
        assert!(thumbnail(&source, name, 256).unwrap().len() > 1000, "{plate}");
        assert!(describe_plate(&source, name).unwrap().wells >= 2);
    }
}
