//! The metadata readers: whatever stands in an image's documents, it is judged, described and drawn, or refused.
#![no_main]

mod memory;

use libfuzzer_sys::fuzz_target;
use memory::MemorySource;

/// The first byte chooses which documents the rest is: separated by a NUL, group first, then the array, then a chunk.
fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let names: [&[&str]; 3] = [
        &["zarr.json", "0/zarr.json", "0/c/0/0", "labels/zarr.json"],
        &[".zattrs", "0/.zarray", "0/0/0", ".zgroup", "0/.zattrs"],
        &["zarr.json", "A/zarr.json", "A/1/zarr.json", "A/1/0/zarr.json", "OME/zarr.json"],
    ];
    let names = names[usize::from(*kind) % names.len()];
    let parts = rest.splitn(names.len(), |byte| *byte == 0);
    let mut source = MemorySource::default();
    for (name, part) in names.iter().zip(parts) {
        source.0.insert((*name).to_owned(), bytes::Bytes::copy_from_slice(part));
    }
    if names[0] == ".zattrs" {
        source.0.entry(".zgroup".to_owned()).or_insert_with(|| r#"{"zarr_format":2}"#.into());
    }
    let _ = ome_zarr::validate(&source);
    for image in ome_zarr::find_images(&source).unwrap_or_default() {
        let _ = ome_zarr::describe(&source, &image.path);
        let _ = ome_zarr::thumbnail(&source, &image.path, 64);
    }
});
