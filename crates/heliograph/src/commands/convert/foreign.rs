//! Formats that only bioformats2raw reads.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use node::{ForeignConverter, convert_foreign};
use ome_zarr::{FileSource, ImportCandidate, Progress};
use tempfile::TempDir;

use crate::Config;

/// The program, with what a node allows it that is not told otherwise.
pub(super) fn program(path: &Path) -> Result<Option<Arc<dyn ForeignConverter>>> {
    let mut config = Config::default();
    config.import.bioformats2raw = Some(path.to_owned());
    config.to_foreign()
}

/// Has the program convert a file; gives what it made, as a path in a folder beside the output that is removed when dropped.
pub(super) fn convert(
    program: &dyn ForeignConverter,
    source: &dyn FileSource,
    path: &str,
    format: &str,
    out: &Path,
    progress: &dyn Progress,
) -> Result<(String, TempDir)> {
    let beside = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The program has its folder under the same, whole name.
    let folder =
        beside.canonicalize().and_then(|beside| tempfile::Builder::new().prefix(".bioformats2raw-").tempdir_in(beside));
    let folder = folder.with_context(|| format!("making a work folder in {}", beside.display()))?;
    let candidate = ImportCandidate {
        path: path.to_owned(),
        format: format.to_owned(),
        files: vec![path.to_owned()],
        output: String::new(),
        refusal: None,
    };
    let made = convert_foreign(program, &candidate, source, folder.path(), progress)?;
    Ok((made, folder))
}
