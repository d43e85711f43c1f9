//! Reads a Zarr array as fast as it can, and says how long it took: `read_array FOLDER [chunks]`.
//!
//! By default all of it at once, up to 256 MiB; with `chunks`, stored object by stored object.

use std::{path::Path, time::Instant};

use ome_zarr::{ArrayShape, FolderSource, array_shape, read_region};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: read_array FOLDER [chunks]")?;
    let by_chunk = arguments.next().is_some();
    let source = FolderSource::new(Path::new(&folder))?;
    let start = Instant::now();
    let ArrayShape { shape, object_shape } = array_shape(&source, "")?;
    let step = if by_chunk { object_shape } else { shape.clone() };
    let mut bytes = 0;
    let mut place = vec![0; shape.len()];
    loop {
        let size: Vec<u64> = place
            .iter()
            .zip(&step)
            .zip(&shape)
            .map(|((at, step), side): ((&u64, &u64), &u64)| (*step).min(side - at))
            .collect();
        bytes += read_region(&source, "", &place, &size)?.len();
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                let seconds = start.elapsed().as_secs_f64();
                println!("SECS {seconds:.4} {bytes} ({:.2} GB/s)", bytes as f64 / seconds / 1e9);
                return Ok(());
            }
            axis -= 1;
            place[axis] += step[axis];
            if place[axis] < shape[axis] {
                break;
            }
            place[axis] = 0;
        }
    }
}
