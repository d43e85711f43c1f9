//! Importers against files of the shared corpus, files made here, and bytes that are wrong.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::*;
use crate::{FolderSource, SourceError, raster::Tczyx};

mod corpus;
mod czi;
mod folders;
mod hostile;
mod made;
mod sets;
mod writer;

/// A folder of the shared OME-Zarr corpus; `None`, said on stderr, where the corpus is absent.
fn corpus(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("HELIOGRAPH_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let path = shared.join("data/ome-zarr").join(folder);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no shared corpus at {} (set HELIOGRAPH_SHARED)", path.display());
    None
}

/// Files in memory.
#[derive(Default, Clone)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn of(path: &str, bytes: Vec<u8>) -> Self {
        Self(BTreeMap::from([(path.to_owned(), bytes)]))
    }

    fn source(self) -> Arc<dyn FileSource> {
        Arc::new(self)
    }
}

impl FileSource for Memory {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        Ok(self.0.get(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let bytes = self.0.get(path).and_then(|bytes| bytes.get(range.start as usize..range.end as usize));
        bytes.map(Bytes::copy_from_slice).ok_or_else(|| SourceError::new(path, "no such bytes"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Ok(self.0.keys().filter(|path| path.starts_with(&prefix)).cloned().collect())
    }
}

fn folder(path: &Path) -> Arc<dyn FileSource> {
    Arc::new(FolderSource::new(path).unwrap())
}

/// All pixels of an image.
fn whole(raster: &dyn Raster) -> Vec<u8> {
    let info = raster.info();
    let mut pixels = vec![0; info.shape.iter().product::<u64>() as usize * info.data_type.size()];
    raster.read([0; 5], info.shape, &mut pixels).unwrap();
    pixels
}

/// The digest of all pixels, as `tests/python/tiff_digest.py` makes it, on machines that put the low byte first.
fn digest(raster: &dyn Raster) -> String {
    Sha256::digest(whole(raster)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A part of an image that was read whole.
fn part(pixels: &[u8], size: usize, of: Tczyx, start: Tczyx, shape: Tczyx) -> Vec<u8> {
    let mut out = Vec::new();
    let at = |place: [u64; 5]| (0..5).fold(0, |at, axis| at * of[axis] + place[axis]) as usize * size;
    for t in start[0]..start[0] + shape[0] {
        for c in start[1]..start[1] + shape[1] {
            for z in start[2]..start[2] + shape[2] {
                for y in start[3]..start[3] + shape[3] {
                    let from = at([t, c, z, y, start[4]]);
                    out.extend_from_slice(&pixels[from..from + shape[4] as usize * size]);
                }
            }
        }
    }
    out
}

/// The message of the error that opening ends in.
fn refusal(source: &Arc<dyn FileSource>, path: &str) -> String {
    match open(source, path) {
        Ok(_) => panic!("{path} is read"),
        Err(error) => error.to_string(),
    }
}
