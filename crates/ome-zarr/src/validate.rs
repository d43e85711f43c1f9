use dataset_model::Finding;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    describe::record,
    error::OmeZarrError,
    faults::Faults,
    find::images,
    node::{Node, NodeKind, ZarrVersion},
    record::ImageRecord,
    source::FileSource,
    tree::Tree,
    version::OmeVersion,
};

mod arrays;
mod axes;
mod chunks;
mod codecs;
mod image;
mod labels;
mod omero;
mod plate;
mod series;
mod transforms;
mod versions;
mod well;

/// What a validation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What is wrong or worth knowing, in the order of the groups.
    pub findings: Vec<Finding>,
    /// The images that can be described, sorted by path; one with findings of severity error may be missing.
    pub images: Vec<ImageRecord>,
}

/// Judges every OME-Zarr image of a source by the rules of OME-Zarr 0.4 and 0.5: metadata, arrays and tree. Pixels are
/// not decoded.
///
/// A broken MUST is an error, a broken SHOULD a warning. A source without any OME-Zarr is one error, `ome-zarr.none`.
///
/// # Errors
/// Only if the source fails or holds too much; bad images are findings.
pub fn validate(source: &dyn FileSource) -> Result<Report, OmeZarrError> {
    let tree = Tree::read(source)?;
    let mut faults = Faults::default();
    if images(&tree).is_empty() && !tree.nodes.values().any(speaks_ome) {
        none(&mut faults, "");
    }
    versions::check_stores(&tree, &mut faults);
    for node in tree.nodes.values() {
        check_documents(node, &mut faults);
        if node.kind == NodeKind::Group {
            check_group(node, Some(&tree), &mut faults);
        }
    }
    let images = images(&tree).into_iter().filter_map(|image| record(&tree, &image.path).ok()).collect();
    Ok(Report { findings: faults.finish(), images })
}

/// Judges the attributes of one group alone, as the official attribute suites do: no array, no tree.
///
/// `attributes` is the content of `.zattrs` in Zarr 2, or of `attributes` in `zarr.json`.
///
/// ```
/// use dataset_model::Findings;
/// use ome_zarr::{ZarrVersion, validate_attributes};
///
/// let attributes = serde_json::json!({"ome": {"version": "0.5", "well": {"images": []}}});
/// assert!(validate_attributes(ZarrVersion::V3, &attributes).has_errors());
/// ```
pub fn validate_attributes(zarr: ZarrVersion, attributes: &Value) -> Vec<Finding> {
    let node = Node::of_attributes(zarr, attributes);
    let mut faults = Faults::default();
    if !speaks_ome(&node) {
        none(&mut faults, node.file.clone());
    }
    check_group(&node, None, &mut faults);
    faults.finish()
}

const OME_KEYS: [&str; 7] =
    ["multiscales", "plate", "well", "labels", "image-label", "bioformats2raw.layout", "coordinateTransformations"];

/// Whether a node holds any OME-Zarr metadata.
fn speaks_ome(node: &Node) -> bool {
    OME_KEYS.iter().any(|key| node.ome_key(key).is_some())
}

fn none(faults: &mut Faults, place: impl Into<String>) {
    let hint = "Add a folder written by an OME-Zarr tool, with zarr.json (0.5) or .zattrs (0.4) in it.";
    faults.error("none", place, "there is no OME-Zarr image here", hint);
}

fn check_documents(node: &Node, faults: &mut Faults) {
    for (file, reason) in &node.broken {
        let hint = "Write the file again as strict JSON: no NaN, no comments, no trailing commas.";
        faults.error("json", file.clone(), format!("the metadata cannot be read: {reason}"), hint);
    }
    if node.doubled {
        let message = "the folder holds metadata of Zarr 2 and Zarr 3";
        faults.error("zarr.both", node.file.clone(), message, "Keep the files of one version.");
    }
}

/// Judges a group; without a tree only what the metadata says by itself.
fn check_group(node: &Node, tree: Option<&Tree>, faults: &mut Faults) {
    if !versions::check(node, faults) {
        return;
    }
    image::check(node, faults);
    omero::check(node, faults);
    labels::check_label(node, faults);
    labels::check_list(node, faults);
    plate::check(node, faults);
    well::check(node, faults);
    series::check(node, faults);
    let Some(tree) = tree else { return };
    arrays::check(tree, node, faults);
    labels::check_tree(tree, node, faults);
    plate::check_tree(tree, node, faults);
    well::check_tree(tree, node, faults);
    series::check_tree(tree, node, faults);
}

/// Whether the rules of 0.4 apply, not those of 0.5.
fn is_v04(node: &Node) -> bool {
    node.zarr == ZarrVersion::V2 && OmeVersion::of(node).is_readable()
}
