//! Reads a Zarr array as fast as it can, and says how long it took: `read_array FOLDER [chunks]`.
//!
//! By default all of it at once, up to 256 MiB; with `chunks`, stored object by stored object, as many at a time as there are
//! processors.

use std::{path::Path, time::Instant};

use ome_zarr::{ArrayShape, FolderSource, array_shape, read_region};
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: read_array FOLDER [chunks]")?;
    let by_chunk = arguments.next().is_some();
    let source = FolderSource::new(Path::new(&folder))?;
    let start = Instant::now();
    let ArrayShape { shape, object_shape } = array_shape(&source, "")?;
    let parts = if by_chunk { parts(&shape, &object_shape) } else { vec![(vec![0; shape.len()], shape)] };
    let read = |(place, size): &(Vec<u64>, Vec<u64>)| read_region(&source, "", place, size).map(|bytes| bytes.len());
    let bytes = parts.par_iter().map(read).try_reduce(|| 0, |a, b| Ok(a + b))?;
    let seconds = start.elapsed().as_secs_f64();
    println!("SECS {seconds:.4} {bytes} ({:.2} GB/s)", bytes as f64 / seconds / 1e9);
    Ok(())
}

/// The places and sizes of all stored objects.
fn parts(shape: &[u64], step: &[u64]) -> Vec<(Vec<u64>, Vec<u64>)> {
    let mut parts = vec![(Vec::new(), Vec::new())];
    for (side, step) in shape.iter().zip(step) {
        let extend = |(place, size): &(Vec<u64>, Vec<u64>)| {
            let (place, size) = (place.clone(), size.clone());
            (0..side.div_ceil(*step)).map(move |index| {
                let at = index * step;
                ([place.as_slice(), &[at]].concat(), [size.as_slice(), &[(*step).min(side - at)]].concat())
            })
        };
        parts = parts.iter().flat_map(extend).collect();
    }
    parts
}
