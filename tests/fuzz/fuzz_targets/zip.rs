//! The archive readers: what a stranger calls an archive is refused, or is the same files read in place and as a stream.
#![no_main]

mod memory;

use std::{io::Read, sync::Arc};

use libfuzzer_sys::fuzz_target;
use memory::MemorySource;
use ome_zarr::{FileSource, zip};

/// The most one file may hold here, in bytes: the fuzzer is to find crashes, not to fill the memory.
const MOST: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let limits = zip::ArchiveLimits { entry_bytes: MOST, total_bytes: 4 * MOST, ..Default::default() };
    let mut streamed = Vec::new();
    let _ = zip::unpack(data, Some("a.zip"), &limits, &mut |path, content| {
        let mut bytes = Vec::new();
        content.take(MOST).read_to_end(&mut bytes).map_err(|error| ome_zarr::SourceError::new(path.as_str(), error))?;
        streamed.push((path.to_string(), bytes));
        Ok(())
    });
    let memory = MemorySource([("a.zip".to_owned(), bytes::Bytes::copy_from_slice(data))].into());
    let Ok(source) = zip::ZipSource::within(Arc::new(memory), "a.zip") else { return };
    for path in source.list("").unwrap_or_default() {
        let Ok(Some(size)) = source.size(&path) else { continue };
        let _ = source.read(&path, 0..size.min(MOST));
    }
});
