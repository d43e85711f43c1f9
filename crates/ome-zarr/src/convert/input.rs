use std::{fmt::Write, ops::Range, sync::Arc};

use bytes::Bytes;
use dataset_model::Digest;

use crate::{
    error::OmeZarrError,
    find,
    import::{self, Import},
    source::{FileSource, SourceError, join},
    tree::Tree,
    zip::{ArchiveKind, ZipSource},
};

use super::ConvertOptions;

/// Files whose contents are looked at to tell whether a source is still the same.
const MAX_LOOKED_AT: usize = 256;
/// How much of each.
const LOOK_BYTES: u64 = 4096;

/// What is converted.
pub(super) enum Input {
    Store(Store),
    Files(Files),
}

/// An OME-Zarr hierarchy.
pub(super) struct Store {
    /// Its root is that of the hierarchy.
    pub(super) source: Below,
    pub(super) tree: Tree,
}

/// Microscope files.
pub(super) struct Files {
    source: Arc<dyn FileSource>,
    /// The file or folder that was asked for.
    pub(super) path: String,
    pub(super) import: Import,
}

impl Input {
    pub(super) fn open(source: Arc<dyn FileSource>, path: &str) -> Result<Self, OmeZarrError> {
        let path = path.trim_matches('/');
        let is_file = !path.is_empty() && source.size(path)?.is_some();
        if is_file && ArchiveKind::of_name(path).is_some_and(ArchiveKind::is_zip) {
            return Self::open(Arc::new(ZipSource::within(source, path)?), "");
        }
        if !is_file {
            let below = Below { source: source.clone(), folder: path.to_owned() };
            let tree = Tree::read(&below)?;
            match find::stores(&tree).as_slice() {
                [] => {}
                [store] if store.is_empty() => return Ok(Self::Store(Store { source: below, tree })),
                // One folder around the hierarchy, as archives often have it.
                [store] => return Self::open(source, &join(path, store)),
                stores => {
                    let (count, first) = (stores.len(), stores.first().cloned().unwrap_or_default());
                    let reason = format!("it holds {count} OME-Zarr hierarchies: name one of them, such as '{first}'");
                    return Err(OmeZarrError::metadata(path, reason));
                }
            }
        }
        let import = import::open(&source, path)?;
        if import.rasters.is_empty() {
            return Err(OmeZarrError::metadata(path, "it holds no image"));
        }
        Ok(Self::Files(Files { source, path: path.to_owned(), import }))
    }

    /// Names the task: what is converted, how, and by which version of this program. An interrupted run is only gone on
    /// with if this is the same.
    pub(super) fn task(&self, options: &ConvertOptions) -> Result<String, OmeZarrError> {
        let (source, files): (&dyn FileSource, &[String]) = match self {
            Self::Store(store) => (&store.source, &store.tree.files),
            Self::Files(files) => (&*files.source, &files.import.files),
        };
        let layout = (options.layout(), options.levels, options.memory);
        let mut text = format!("{} {layout:?}\n", env!("CARGO_PKG_VERSION"));
        let every = files.len().div_ceil(MAX_LOOKED_AT).max(1);
        for (index, file) in files.iter().enumerate() {
            // Writing to a string does not fail.
            let _ = write!(text, "{file}");
            if index % every == 0 {
                let size = source.size(file)?.unwrap_or(0);
                let start = Digest::of(source.read(file, 0..size.min(LOOK_BYTES))?);
                let end = Digest::of(source.read(file, size.saturating_sub(LOOK_BYTES)..size)?);
                let _ = write!(text, " {size} {start} {end}");
            }
            text.push('\n');
        }
        Ok(Digest::of(text).to_string())
    }
}

/// A folder of a source, as a source.
pub(super) struct Below {
    source: Arc<dyn FileSource>,
    folder: String,
}

impl FileSource for Below {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        self.source.size(&join(&self.folder, path))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        self.source.read(&join(&self.folder, path), range)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let whole = if folder.is_empty() { self.folder.clone() } else { join(&self.folder, folder) };
        let files = self.source.list(&whole)?;
        if self.folder.is_empty() {
            return Ok(files);
        }
        let below = |file: &String| file.strip_prefix(&self.folder)?.strip_prefix('/').map(str::to_owned);
        Ok(files.iter().filter_map(below).collect())
    }
}
