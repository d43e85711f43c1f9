//! The microscope file readers, TIFF with OME-XML and CZI: any bytes are converted, or refused with a reason.
#![no_main]

mod memory;

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use memory::MemorySource;

/// The first byte chooses the name under which the rest is opened.
fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let name = ["a.ome.tif", "a.tif", "a.czi"][usize::from(*kind) % 3];
    // Larger pictures take the fuzzer's time and show nothing new.
    if rest.len() > 1 << 20 {
        return;
    }
    let source = Arc::new(MemorySource([(name.to_owned(), bytes::Bytes::copy_from_slice(rest))].into()));
    let _ = ome_zarr::find_imports(source.as_ref());
    let Ok(folder) = tempfile::tempdir() else { return };
    let options = ome_zarr::ConvertOptions { memory: 64 << 20, ..Default::default() };
    let _ = ome_zarr::convert(source, name, &folder.path().join("a.ome.zarr"), &options, &ome_zarr::Unwatched);
});
