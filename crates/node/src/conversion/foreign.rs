//! Formats that only another program reads: its input is copied to where it may see it, its output is converted like any
//! other image.

use std::{
    fmt,
    fs::{self, File},
    io::Write,
    path::Path,
};

use dataset_model::Finding;
use ome_zarr::{FileSource, ImportCandidate, OmeZarrError, Progress};

use crate::NodeError;

/// What is copied at once, in bytes.
const PIECE: u64 = 8 << 20;
/// Where the copies are.
const INPUT: &str = "in";
/// What the program writes.
const OUTPUT: &str = "raw.zarr";

/// A program outside of this one that makes OME-Zarr of microscope files, such as bioformats2raw.
pub trait ForeignConverter: fmt::Debug + Send + Sync {
    /// Its name and version, for provenance.
    fn software(&self) -> String;

    /// Makes OME-Zarr of `input` in the folder `output`, which is not there yet. Both are below `work`, the only folder that
    /// the program may write to and, beside its own, see.
    ///
    /// # Errors
    /// When it fails, takes too much of anything, or was cancelled.
    fn convert(&self, work: &Path, input: &Path, output: &Path, progress: &dyn Progress) -> Result<(), ForeignFailure>;
}

/// Why a foreign program did not convert a file.
#[derive(Debug, thiserror::Error)]
pub enum ForeignFailure {
    /// Somebody wanted it to stop.
    #[error("stopped before the end")]
    Cancelled,
    /// It could not read the file, or was ended for taking too much: what it said, and why it was ended.
    #[error("{0}")]
    Refused(String),
    /// It could not be run at all.
    #[error("{0}")]
    Unusable(String),
}

/// Runs the program on copies of a candidate's files; gives the path of what it made below `folder`.
///
/// # Errors
/// When the files cannot be copied, the program did not convert them, or somebody wanted it to stop.
pub fn convert_foreign(
    converter: &dyn ForeignConverter,
    candidate: &ImportCandidate,
    source: &dyn FileSource,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<String, NodeError> {
    let input = folder.join(INPUT);
    for left in [&input, &folder.join(OUTPUT)] {
        // What an earlier attempt left is no help: the program cannot go on with it.
        let _ = fs::remove_dir_all(left);
    }
    let mut copied = 0;
    for path in &candidate.files {
        copied += copy(source, path, &input.join(path), copied, progress)?;
    }
    let outcome = converter.convert(folder, &input.join(&candidate.path), &folder.join(OUTPUT), progress);
    // The copies are not needed any more, whatever came of it; what stays goes with the job's folder.
    let _ = fs::remove_dir_all(&input);
    match outcome {
        Ok(()) => Ok(OUTPUT.to_owned()),
        Err(ForeignFailure::Cancelled) => Err(OmeZarrError::Cancelled.into()),
        Err(ForeignFailure::Refused(why)) => {
            let message = format!("'{}' could not be converted by {}: {why}", candidate.path, converter.software());
            let hint = "Convert it to OME-Zarr or OME-TIFF where you have more room, and deposit the result.";
            Err(NodeError::refused(
                message.clone(),
                vec![Finding::error("import.foreign", &candidate.path, message, hint)],
            ))
        }
        Err(ForeignFailure::Unusable(why)) => Err(NodeError::Unavailable(format!(
            "'{}' needs {}, which cannot be run here: {why}; tell the operator",
            candidate.path,
            converter.software()
        ))),
    }
}

fn copy(
    source: &dyn FileSource,
    path: &str,
    to: &Path,
    before: u64,
    progress: &dyn Progress,
) -> Result<u64, NodeError> {
    let cannot = |error: std::io::Error| {
        NodeError::Unavailable(format!("'{path}' cannot be copied for its conversion: {error}"))
    };
    let size = source.size(path).map_err(OmeZarrError::from)?.unwrap_or(0);
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut file = File::create_new(to).map_err(cannot)?;
    let mut at = 0;
    while at < size {
        if progress.is_cancelled() {
            return Err(OmeZarrError::Cancelled.into());
        }
        let end = size.min(at + PIECE);
        file.write_all(&source.read(path, at..end).map_err(OmeZarrError::from)?).map_err(cannot)?;
        at = end;
        progress.advance(before + at, before + size);
    }
    Ok(size)
}
