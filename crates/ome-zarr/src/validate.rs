use std::collections::BTreeSet;

use dataset_model::Finding;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    describe::record,
    error::OmeZarrError,
    faults::Faults,
    find::images,
    node::{Node, NodeKind, ZarrVersion},
    pixels,
    progress::Progress,
    record::ImageRecord,
    source::FileSource,
    tree::Tree,
    version::OmeVersion,
};

mod arrays;
mod axes;
mod chunks;
mod codecs;
mod conformance;
pub(crate) mod consolidated;
mod fill;
mod foreign;
mod groups;
mod image;
mod labels;
mod omero;
mod plate;
mod rules;
mod series;
mod transforms;
mod versions;
mod well;
mod xml;

pub(crate) use arrays::folders as level_folders;
pub(crate) use chunks::objects as chunk_objects;
pub use conformance::Conformance;
pub(crate) use rules::Rule;
pub use rules::{RuleEntry, rules};
pub(crate) use series::agrees_with_plate;

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
    on_enough_threads(source, || {
        let mut faults = Faults::default();
        let tree = judge(source, &mut faults)?;
        Ok(report(&tree, faults))
    })
}

/// As [`validate`], and decodes every stored chunk of every image: slow, but the only way to know that the pixels can be
/// read.
///
/// All cores are used. Chunks of up to 32 MiB, decoded, are worked on at the same time, one a core; larger ones, up to
/// 256 MiB, one after the other; arrays with still larger ones are reported as not checked.
///
/// # Errors
/// As for [`validate`]; [`OmeZarrError::Cancelled`] if `progress` says so.
pub fn validate_pixels(source: &dyn FileSource, progress: &dyn Progress) -> Result<Report, OmeZarrError> {
    on_enough_threads(source, || decode_all(source, progress))
}

/// Sources that cannot list are far away: their answers are waited for, so more of them than there are cores.
const FAR_THREADS: usize = 16;

fn on_enough_threads<T: Send>(source: &dyn FileSource, work: impl FnOnce() -> T + Send) -> T {
    if source.can_list() {
        return work();
    }
    match rayon::ThreadPoolBuilder::new().num_threads(FAR_THREADS).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

fn decode_all(source: &dyn FileSource, progress: &dyn Progress) -> Result<Report, OmeZarrError> {
    let mut faults = Faults::default();
    let tree = judge(source, &mut faults)?;
    let judged = images(&tree).into_iter().filter_map(|image| tree.get(&image.path)).filter(|node| is_judged(node));
    let folders: BTreeSet<String> = judged.flat_map(|image| arrays::folders(&tree, image)).collect();
    let arrays: Vec<&Node> = folders.iter().filter_map(|folder| tree.get(folder)).collect();
    pixels::check(source, &tree, &arrays, progress, &mut faults)?;
    Ok(report(&tree, faults))
}

fn report(tree: &Tree, faults: Faults) -> Report {
    let images = images(tree).into_iter().filter_map(|image| record(tree, &image.path).ok()).collect();
    Report { findings: faults.finish(), images }
}

/// Everything but the pixels.
fn judge(source: &dyn FileSource, faults: &mut Faults) -> Result<Tree, OmeZarrError> {
    let tree = Tree::read(source)?;
    let is_known = |node: &Node| speaks_ome(node) || versions::is_misplaced(node) || !node.broken.is_empty();
    if !tree.nodes.values().any(is_known) {
        none(faults, "");
    }
    if !tree.is_listed {
        let message = "the source cannot list its files: chunks outside the images, files that do not belong there, and \
                       images that nothing points to are not looked for";
        faults.add(Rule::ListingUnchecked, "", message, "Check the folder itself, or its archive, to be sure.");
    }
    versions::check_stores(&tree, faults);
    for node in tree.nodes.values() {
        faults.judge(node);
        check_document(node, faults);
        groups::check(&tree, node, faults);
        if node.kind == NodeKind::Group {
            check_group(node, Some(&tree), faults);
            xml::check(source, &tree, node, faults)?;
        }
    }
    foreign::check(&tree, faults);
    consolidated::check(source, &tree, faults)?;
    Ok(tree)
}

/// Judges the attributes of one group alone: no array, no tree.
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
    let mut faults = Faults::default();
    judge_attributes(&Node::of_attributes(zarr, attributes), &mut faults);
    faults.finish()
}

fn judge_attributes(node: &Node, faults: &mut Faults) {
    faults.judge(node);
    if !speaks_ome(node) && !versions::is_misplaced(node) {
        none(faults, node.file.clone());
    }
    check_group(node, None, faults);
}

const OME_KEYS: [&str; 7] =
    ["multiscales", "plate", "well", "labels", "image-label", "bioformats2raw.layout", "coordinateTransformations"];

/// Whether a node holds any OME-Zarr metadata.
fn speaks_ome(node: &Node) -> bool {
    OME_KEYS.iter().any(|key| node.ome_key(key).is_some())
}

/// Whether the rules of 0.4 and 0.5 apply to a node.
fn is_judged(node: &Node) -> bool {
    OmeVersion::of(node).is_readable()
}

fn none(faults: &mut Faults, place: impl Into<String>) {
    let hint = "Add a folder written by an OME-Zarr tool, with zarr.json (0.5) or .zattrs (0.4) in it.";
    faults.add(Rule::None, place, "there is no OME-Zarr image here", hint);
}

fn check_document(node: &Node, faults: &mut Faults) {
    for (file, reason) in &node.broken {
        let hint = "Write the file again as strict JSON: no NaN, no comments, no trailing commas.";
        faults.add(Rule::Json, file.clone(), format!("the metadata cannot be read: {reason}"), hint);
    }
    if node.doubled {
        let message = "the folder holds metadata of Zarr 2 and Zarr 3";
        faults.add(Rule::ZarrBoth, node.file.clone(), message, "Keep the files of one version.");
    }
    if node.broken.is_empty() {
        check_format(node, faults);
    }
}

/// A metadata file says which version of Zarr it is, and a Zarr 3 file what it describes.
fn check_format(node: &Node, faults: &mut Faults) {
    let at = node.structure();
    let (number, kinds): (u64, &[&str]) = match node.zarr {
        ZarrVersion::V2 => (2, &[]),
        ZarrVersion::V3 => (3, &["group", "array"]),
    };
    if node.metadata.get("zarr_format").and_then(Value::as_u64) != Some(number) {
        let message = format!("zarr_format is not {number}");
        faults.add(Rule::ZarrFormat, at.place_of("zarr_format"), message, "Write the number of the Zarr version.");
    }
    if !kinds.is_empty() && !at.text_of("node_type").is_some_and(|kind| kinds.contains(&kind)) {
        let message = "node_type is neither \"group\" nor \"array\"";
        faults.add(Rule::ZarrFormat, at.place_of("node_type"), message, "Say what the folder is.");
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
    node.zarr == ZarrVersion::V2 && is_judged(node)
}
