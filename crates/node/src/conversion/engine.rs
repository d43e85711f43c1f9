//! The image engine as conversions use it, so that tests can put a quick one in its place.

use std::{path::Path, sync::Arc};

use dataset_model::Finding;
use ome_zarr::{ConvertOptions, FileSource, ImportCandidate, OmeZarrError, Progress};

/// What finds and converts microscope files.
pub(crate) trait Engine: Send + Sync {
    fn find(&self, source: &dyn FileSource) -> Result<Vec<ImportCandidate>, OmeZarrError>;

    /// Writes the image to `out`, going on with what an interrupted call left beside it.
    fn convert(
        &self,
        source: Arc<dyn FileSource>,
        path: &str,
        out: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<Finding>, OmeZarrError>;
}

/// The real one.
#[derive(Debug)]
pub(crate) struct OmeZarr;

impl Engine for OmeZarr {
    fn find(&self, source: &dyn FileSource) -> Result<Vec<ImportCandidate>, OmeZarrError> {
        ome_zarr::find_imports(source)
    }

    fn convert(
        &self,
        source: Arc<dyn FileSource>,
        path: &str,
        out: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<Finding>, OmeZarrError> {
        Ok(ome_zarr::convert(source, path, out, &ConvertOptions::default(), progress)?.findings)
    }
}
