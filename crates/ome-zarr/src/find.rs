use serde::{Deserialize, Serialize};

use crate::{describe::is_label, error::OmeZarrError, node::ZarrVersion, source::FileSource, tree::Tree};

/// Where a multiscale image is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageLocation {
    /// The folder of the multiscales group, relative to the source's root; `""` is the root itself.
    pub path: String,
    /// The Zarr version it is stored in.
    pub zarr: ZarrVersion,
    /// Whether it is a label image.
    pub is_label: bool,
}

/// Finds every multiscale image of a source: single images, `bioformats2raw` series, the fields of plates, and labels.
/// Images of unreadable OME-Zarr versions are found too. Sorted by path.
///
/// # Errors
/// The source failed, or holds more Zarr nodes than one deposit may.
pub fn find_images(source: &dyn FileSource) -> Result<Vec<ImageLocation>, OmeZarrError> {
    Ok(images(&Tree::read(source)?))
}

/// Finds the folders of the top-most Zarr groups and arrays: the stores that are opened as one. Sorted by path.
///
/// # Errors
/// As for [`find_images`].
pub fn find_stores(source: &dyn FileSource) -> Result<Vec<String>, OmeZarrError> {
    Ok(stores(&Tree::read(source)?))
}

pub(crate) fn images(tree: &Tree) -> Vec<ImageLocation> {
    let folders = tree.nodes.keys().filter(|folder| tree.image(folder).is_some());
    let located = folders.filter_map(|path| {
        let zarr = tree.get(path)?.zarr;
        Some(ImageLocation { path: path.clone(), zarr, is_label: is_label(tree, path) })
    });
    located.collect()
}

pub(crate) fn stores(tree: &Tree) -> Vec<String> {
    tree.nodes.keys().filter(|folder| tree.is_root(folder)).cloned().collect()
}
