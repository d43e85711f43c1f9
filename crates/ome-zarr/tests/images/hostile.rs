//! Metadata and chunks from people who mean harm: refused in words, never with a panic, a hang or a huge allocation.

use std::collections::BTreeMap;

use dataset_model::Findings;
use ome_zarr::{OmeZarrError, Unwatched, describe, find_images, repairs, thumbnail, validate, validate_pixels};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::MemorySource;

/// A small valid image, as values to be spoilt.
fn image() -> BTreeMap<String, Value> {
    let group = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {
        "version": "0.5",
        "multiscales": [{
            "name": "small",
            "axes": [{"name": "c", "type": "channel"}, {"name": "y", "type": "space", "unit": "micrometer"},
                {"name": "x", "type": "space", "unit": "micrometer"}],
            "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.5, 0.5]}]}],
        }],
        "omero": {"channels": [{"color": "FF0000", "label": "one", "window": {"min": 0, "max": 255, "start": 0, "end": 200}}]},
    }}});
    let labels =
        json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": ["a"]}}});
    let mut label = group.clone();
    label["attributes"]["ome"]["multiscales"][0]["axes"].as_array_mut().unwrap().remove(0);
    label["attributes"]["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] =
        json!([0.5, 0.5]);
    label["attributes"]["ome"]["image-label"] = json!({"colors": [{"label-value": 1, "rgba": [1, 2, 3, 4]}]});
    label["attributes"]["ome"].as_object_mut().unwrap().remove("omero");
    let files = [
        ("i/zarr.json", group),
        ("i/0/zarr.json", array(json!([1, 8, 8]), json!([1, 4, 4]), json!(["c", "y", "x"]))),
        ("i/labels/zarr.json", labels),
        ("i/labels/a/zarr.json", label),
        ("i/labels/a/0/zarr.json", array(json!([8, 8]), json!([4, 4]), json!(["y", "x"]))),
    ];
    files.into_iter().map(|(path, value)| (path.to_owned(), value)).collect()
}

fn array(shape: Value, chunk: Value, names: Value) -> Value {
    json!({"zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint8", "fill_value": 7,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": [{"name": "bytes"}], "dimension_names": names})
}

fn source(files: &BTreeMap<String, Value>) -> MemorySource {
    let mut source = MemorySource::default();
    for (path, value) in files {
        source.0.insert(path.clone(), serde_json::to_vec(value).unwrap());
    }
    for row in 0..2 {
        for column in 0..2 {
            source.0.insert(format!("i/0/c/0/{row}/{column}"), (row * 8..row * 8 + 16).collect());
            source.0.insert(format!("i/labels/a/0/c/{row}/{column}"), vec![1; 16]);
        }
    }
    source
}

fn exercise(source: &MemorySource) {
    let _ = validate_pixels(source, &Unwatched);
    let _ = repairs(source);
    for image in find_images(source).unwrap_or_default() {
        let _ = describe(source, &image.path);
        let _ = thumbnail(source, &image.path, 16);
    }
}

/// Changes one value of one document.
fn spoilt(document: &str, pointer: &str, value: Value) -> MemorySource {
    let mut files = image();
    *files.get_mut(document).unwrap().pointer_mut(pointer).unwrap() = value;
    source(&files)
}

#[test]
fn the_unspoilt_image_is_valid_and_drawn() {
    let source = source(&image());
    let report = validate(&source).unwrap();
    assert!(!report.findings.has_errors(), "{:#?}", report.findings);
    assert_eq!(report.images.len(), 2);
    thumbnail(&source, "i", 16).unwrap();
    thumbnail(&source, "i/labels/a", 16).unwrap();
}

#[test]
fn hostile_arrays_are_errors_and_are_not_drawn() {
    let huge = 1u64 << 62;
    for (pointer, value) in [
        ("/shape", json!([1, huge, huge])),
        ("/shape", json!([1, -8, 8])),
        ("/shape", json!([1, 8.5, 8])),
        ("/shape", json!([1, 8])),
        ("/shape", json!(null)),
        ("/chunk_grid/configuration/chunk_shape", json!([1, huge, huge])),
        ("/chunk_grid/configuration/chunk_shape", json!([1, 1 << 20, 1 << 20])),
        ("/chunk_grid/configuration/chunk_shape", json!([1, 0, 4])),
        ("/chunk_grid/configuration/chunk_shape", json!([-1, 4, 4])),
        ("/chunk_grid/configuration/chunk_shape", json!([4, 4])),
        ("/data_type", json!("string")),
        ("/codecs", json!([{"name": "sharding_indexed", "configuration": {"chunk_shape": [1, 3, 3]}}])),
        ("/codecs", json!([{"name": "bytes"}, {"name": "mystery"}])),
    ] {
        let source = spoilt("i/0/zarr.json", pointer, value.clone());
        assert!(validate(&source).unwrap().findings.has_errors(), "{pointer} {value}");
        assert!(thumbnail(&source, "i", 16).is_err(), "{pointer} {value}");
    }
}

#[test]
fn an_image_too_large_to_draw_is_refused_before_anything_is_read() {
    let source = spoilt("i/0/zarr.json", "/shape", json!([1, 1 << 24, 1 << 24]));
    assert!(matches!(thumbnail(&source, "i", 64), Err(OmeZarrError::TooLarge { .. })));
}

#[test]
fn hostile_image_metadata_is_an_error() {
    let dataset = "/attributes/ome/multiscales/0/datasets/0";
    for (pointer, value) in [
        (format!("{dataset}/path"), json!("../../etc")),
        (format!("{dataset}/path"), json!("/0")),
        (format!("{dataset}/path"), json!("0/../0")),
        (format!("{dataset}/path"), json!("0\u{0}")),
        (format!("{dataset}/coordinateTransformations/0/scale"), json!(["NaN", 1, 1])),
        (format!("{dataset}/coordinateTransformations/0/scale"), json!([1, -1, 1])),
        (format!("{dataset}/coordinateTransformations/0/scale"), json!([0, 1, 1])),
        ("/attributes/ome/multiscales/0/axes/1/name".to_owned(), json!("x")),
        ("/attributes/ome/multiscales".to_owned(), json!([[[[]]]])),
        ("/attributes/ome/multiscales/0/datasets".to_owned(), json!(vec![json!({"path": "0"}); 100_000])),
    ] {
        let source = spoilt("i/zarr.json", &pointer, value.clone());
        assert!(validate(&source).unwrap().findings.has_errors(), "{pointer}");
        exercise(&source);
    }
}

#[test]
fn json_that_is_no_json_or_too_deep_is_an_error() {
    let deep = vec![b'['; 1 << 20];
    for text in [&b"{\"a\": NaN}"[..], b"", b"[1,", &[0xff, 0xfe], &deep, b"null", b"3"] {
        let mut source = source(&image());
        source.0.insert("i/zarr.json".to_owned(), text.to_vec());
        assert!(
            validate(&source).unwrap().findings.has_errors(),
            "{:?}",
            String::from_utf8_lossy(&text[..text.len().min(9)])
        );
        exercise(&source);
    }
}

#[test]
fn damaged_and_exploding_chunks_are_refused() {
    let mut zstd_bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    zstd_bomb.extend_from_slice(&(1u64 << 45).to_le_bytes());
    zstd_bomb.extend_from_slice(&[1, 0, 0]);
    let mut blosc_bomb = vec![2, 1, 1, 1];
    blosc_bomb.extend_from_slice(&0x7fff_ffffu32.to_le_bytes());
    blosc_bomb.extend_from_slice(&[0; 24]);
    for (codec, chunk) in [
        (json!({"name": "zstd", "configuration": {"level": 1}}), zstd_bomb),
        (json!({"name": "zstd", "configuration": {"level": 1}}), vec![1, 2, 3]),
        (json!({"name": "gzip", "configuration": {"level": 1}}), vec![0x1f, 0x8b, 8, 0, 0]),
        (
            json!({"name": "blosc", "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "noshuffle", "blocksize": 0}}),
            blosc_bomb,
        ),
        (json!({"name": "crc32c"}), vec![0; 20]),
    ] {
        let mut source = spoilt("i/0/zarr.json", "/codecs", json!([{"name": "bytes"}, codec]));
        source.0.insert("i/0/c/0/0/0".to_owned(), chunk);
        assert!(matches!(thumbnail(&source, "i", 16), Err(OmeZarrError::Decode { .. })), "{codec}");
    }
    let mut source = source(&image());
    source.0.insert("i/0/c/0/1/1".to_owned(), vec![0; 15]);
    assert!(matches!(thumbnail(&source, "i", 16), Err(OmeZarrError::Decode { .. })));
}

#[test]
fn shards_whose_index_lies_are_refused() {
    let sharded = json!([{"name": "sharding_indexed", "configuration": {"chunk_shape": [1, 4, 4], "codecs": [{"name": "bytes"}],
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}}]);
    let shard = |entries: [(u64, u64); 4]| -> Vec<u8> {
        let index = entries.iter().flat_map(|(offset, length)| [offset.to_le_bytes(), length.to_le_bytes()].concat());
        vec![9; 64].into_iter().chain(index).collect()
    };
    let absent = (u64::MAX, u64::MAX);
    let honest = shard([(0, 16), (16, 16), absent, (48, 16)]);
    let cases = [
        (honest, true),
        (shard([(0, 16), (16, 16), (u64::MAX - 3, 16), absent]), false),
        (shard([(0, u64::MAX), absent, absent, absent]), false),
        (shard([(0, 15), absent, absent, absent]), false),
        (vec![1, 2, 3], false),
    ];
    for (bytes, is_readable) in cases {
        let mut source = spoilt("i/0/zarr.json", "/codecs", sharded.clone());
        let mut grid = json!({"name": "regular", "configuration": {"chunk_shape": [1, 8, 8]}});
        let mut array: Value = serde_json::from_slice(&source.0["i/0/zarr.json"]).unwrap();
        std::mem::swap(&mut array["chunk_grid"], &mut grid);
        source.0.insert("i/0/zarr.json".to_owned(), serde_json::to_vec(&array).unwrap());
        source.0.insert("i/0/c/0/0/0".to_owned(), bytes);
        assert_eq!(thumbnail(&source, "i", 16).is_ok(), is_readable);
    }
}

#[test]
fn zstd_without_a_checksum_setting_is_read() {
    // A zstd frame of sixteen bytes, stored raw.
    let mut chunk = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, 16, 16 << 3 | 1, 0, 0];
    chunk.extend_from_slice(&[200; 16]);
    let codecs = json!([{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3}}]);
    let mut source = spoilt("i/0/zarr.json", "/codecs", codecs);
    source.0.retain(|path, _| !path.starts_with("i/0/c"));
    source.0.insert("i/0/c/0/0/0".to_owned(), chunk);
    thumbnail(&source, "i", 16).unwrap();
}

#[test]
fn a_tree_without_an_image_says_so_once() {
    let mut source = MemorySource::default();
    source.0.insert("notes.txt".to_owned(), b"hello".to_vec());
    let findings = validate(&source).unwrap().findings;
    assert_eq!(findings.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), ["ome-zarr.none"]);
    assert!(matches!(describe(&source, ""), Err(OmeZarrError::NotAnImage { .. })));
}

#[test]
fn other_versions_are_named_not_judged() {
    for (version, is_error) in
        [("0.1", true), ("0.3", true), ("0.6", false), ("0.6.dev4", false), ("0.6rc0", false), ("7", true)]
    {
        let mut files = image();
        files.retain(|path, _| !path.contains("labels"));
        files.get_mut("i/zarr.json").unwrap()["attributes"]["ome"] = json!({"version": version, "multiscales": [{}]});
        let source = source(&files);
        let findings = validate(&source).unwrap().findings;
        assert_eq!(findings.len(), 1, "{version}: {findings:#?}");
        assert_eq!(findings.has_errors(), is_error, "{version}");
        assert!(findings[0].message.contains(version));
        assert!(matches!(describe(&source, "i"), Err(OmeZarrError::Version { .. })));
    }
}

/// Values that metadata might hold where it should not.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0u64..20).prop_map(Value::from),
        "[a-z0-9./#é]{0,8}".prop_map(Value::from),
        Just(json!("sharding_indexed")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{0,4}|name|path|type|scale|channels", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every place in a document.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    found.push(at.clone());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| pointers(value, format!("{at}/{key}"), found)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(key, value)| pointers(value, format!("{at}/{key}"), found))
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_the_metadata_makes_anything_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), odd()), 1..4),
    ) {
        let mut files = image();
        for (file, place, value) in changes {
            let document = file.index(files.len());
            let document = files.values_mut().nth(document).unwrap();
            let mut places = Vec::new();
            pointers(document, String::new(), &mut places);
            let pointer: &String = place.get(places.as_slice());
            *document.pointer_mut(pointer).unwrap() = value;
        }
        exercise(&source(&files));
    }

    #[test]
    fn no_bytes_of_a_chunk_make_anything_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        codec in prop::sample::select(vec!["zstd", "gzip", "blosc", "crc32c", "bytes"]),
    ) {
        let configuration = match codec {
            "blosc" => json!({"cname": "zstd", "clevel": 5, "shuffle": "noshuffle", "blocksize": 0}),
            "crc32c" | "bytes" => json!({}),
            _ => json!({"level": 1}),
        };
        let mut codecs = vec![json!({"name": "bytes"})];
        if codec != "bytes" {
            codecs.push(json!({"name": codec, "configuration": configuration}));
        }
        let mut source = spoilt("i/0/zarr.json", "/codecs", Value::from(codecs));
        source.0.insert("i/0/c/0/0/0".to_owned(), bytes);
        exercise(&source);
    }
}

#[test]
fn a_check_of_the_pixels_stops_when_it_is_told_to() {
    let stopped = std::sync::atomic::AtomicBool::new(true);
    assert!(matches!(validate_pixels(&source(&image()), &stopped), Err(OmeZarrError::Cancelled)));
}

#[test]
fn chunks_that_are_too_large_or_of_a_codec_not_decoded_here_are_said_not_to_be_checked() {
    for (pointer, value) in [
        ("/chunk_grid/configuration/chunk_shape", json!([1, 1 << 15, 1 << 14])),
        ("/codecs", json!([{"name": "bytes"}, {"name": "numcodecs.bz2", "configuration": {"level": 1}}])),
    ] {
        let mut source = spoilt("i/0/zarr.json", pointer, value);
        source.0.retain(|path, _| !path.starts_with("i/0/c"));
        source.0.insert("i/0/c/0/0/0".to_owned(), vec![1; 40]);
        let findings = validate_pixels(&source, &Unwatched).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.rule == "ome-zarr.chunk.unchecked"), "{findings:#?}");
        assert!(!findings.has_errors(), "{findings:#?}");
    }
}

#[test]
fn a_fault_that_repeats_is_counted_and_an_error_is_never_lost_among_the_uncounted() {
    let mut files = image();
    let datasets: Vec<Value> =
        (0..30).map(|at| json!({"path": at.to_string(), "coordinateTransformations": []})).collect();
    let multiscale = json!({"name": "x", "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}], "datasets": datasets});
    files.get_mut("i/zarr.json").unwrap()["attributes"]["ome"]["multiscales"] = json!(vec![multiscale; 20]);
    let findings = validate(&source(&files)).unwrap().findings;
    let kept = findings.iter().filter(|finding| finding.rule == "ome-zarr.transforms.scale");
    assert_eq!(kept.count(), 101);
    assert!(findings.last().unwrap().message.contains("more findings of this rule"), "{:#?}", findings.last());
}
