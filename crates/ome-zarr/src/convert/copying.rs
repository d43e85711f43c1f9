use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use rayon::prelude::*;

use crate::{array::ArrayMeta, error::OmeZarrError, source::FileSource, write::Work};

use super::input::Store;

/// What is read and written at once, in bytes.
const PIECE: u64 = 4 << 20;

/// The chunks of an array that is carried over; what else lies in its folder is no part of it.
pub(super) fn chunks_of(store: &Store, folder: &str) -> Vec<String> {
    let Some(meta) = store.tree.get(folder).and_then(|node| ArrayMeta::read(node).ok()) else { return Vec::new() };
    let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
    let is_chunk =
        |path: &&String| path.get(skip..).is_some_and(|key| meta.keys.decode(key, meta.shape.len()).is_some());
    store.tree.files_below(folder).iter().filter(is_chunk).cloned().collect()
}

/// Copies files into a folder, byte for byte. What an earlier run has copied is not copied again.
pub(super) fn copy_all(
    source: &dyn FileSource,
    files: &[String],
    folder: &Path,
    work: &Work<'_>,
) -> Result<(), OmeZarrError> {
    files.par_iter().try_for_each(|file| {
        if work.progress.is_cancelled() {
            return Err(OmeZarrError::Cancelled);
        }
        let size = source.size(file)?.unwrap_or(0);
        let target = folder.join(file);
        let is_there = fs::metadata(&target).is_ok_and(|metadata| metadata.len() == size);
        if !is_there {
            copy(source, file, size, &target)?;
        }
        work.advance(size);
        Ok(())
    })
}

fn copy(source: &dyn FileSource, file: &str, size: u64, target: &Path) -> Result<(), OmeZarrError> {
    let failed = |error: io::Error| OmeZarrError::write(target, error);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut copy = File::create(target).map_err(failed)?;
    let mut at = 0;
    while at < size {
        let end = size.min(at + PIECE);
        copy.write_all(&source.read(file, at..end)?).map_err(failed)?;
        at = end;
    }
    copy.sync_data().map_err(failed)
}
