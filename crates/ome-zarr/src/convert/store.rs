//! OME-Zarr of any version to 0.5: what can stay as it is is copied byte for byte, the rest is written anew.

use std::collections::BTreeSet;

use dataset_model::Finding;
use serde_json::{Map, Value};

use crate::{
    error::OmeZarrError,
    node::NodeKind,
    progress::Progress,
    source::{FileSource, join, split},
    version::OmeVersion,
    write::{Pyramid, Work, group_v3, write_json, write_pyramid},
};

use super::{
    Conversion, ConvertOptions, arrays, attributes, copying,
    input::Store,
    store_image::{Rewritten, StoreImage},
    workspace::Workspace,
    zarr_raster::ZarrRaster,
};

/// What becomes of a hierarchy.
struct Plan {
    images: Vec<StoreImage>,
    /// Arrays that belong to no image, with their new metadata.
    others: Vec<(String, Value)>,
    /// Files that are neither Zarr metadata nor chunks.
    files: Vec<String>,
    findings: Vec<Finding>,
}

pub(super) fn convert(
    store: &Store,
    workspace: &Workspace,
    options: &ConvertOptions,
    progress: &dyn Progress,
) -> Result<Conversion, OmeZarrError> {
    check_versions(store)?;
    let plan = Plan::new(store, options)?;
    let copies = plan.copies(store);
    let sizes = copies.iter().map(|file| Ok(store.source.size(file)?.unwrap_or(0)));
    let copied: u64 = sizes.sum::<Result<u64, OmeZarrError>>()?;
    let total = copied + plan.images.iter().map(StoreImage::rewritten_bytes).sum::<u64>();
    let work = Work::new(&workspace.journal, progress, (options.memory, options.threads()), total);
    copying::copy_all(&store.source, &copies, &workspace.tree(), &work)?;
    for image in &plan.images {
        image.action.rewritten().iter().try_for_each(|part| rewrite(store, image, part, workspace, &work))?;
    }
    plan.write_metadata(store, workspace)?;
    let images = plan.images.iter().map(StoreImage::summary).collect();
    let metadata_only = plan.images.iter().all(|image| image.action.rewritten().is_empty());
    Ok(Conversion { images, findings: plan.findings, metadata_only })
}

/// Refuses versions that are not read here, by name.
fn check_versions(store: &Store) -> Result<(), OmeZarrError> {
    let mut has_image = false;
    for (folder, node) in &store.tree.nodes {
        has_image |= store.tree.image(folder).is_some();
        let version = OmeVersion::of(node);
        if let OmeVersion::Unreleased(name) | OmeVersion::Unknown(name) = &version {
            return Err(OmeZarrError::metadata(
                folder,
                format!("it is OME-Zarr {name}, which cannot be converted: 0.1 to 0.5 can"),
            ));
        }
    }
    if has_image { Ok(()) } else { Err(OmeZarrError::NotAnImage { path: String::new() }) }
}

impl Plan {
    fn new(store: &Store, options: &ConvertOptions) -> Result<Self, OmeZarrError> {
        let mut images: Vec<StoreImage> = Vec::new();
        for folder in store.tree.nodes.keys() {
            if let Some(node) = store.tree.image(folder) {
                let parent = images.iter().rev().find(|image| is_label_of(folder, &image.folder));
                images.push(StoreImage::plan(store, node, parent, options)?);
            }
        }
        let mut findings: Vec<Finding> = images.iter().filter_map(StoreImage::finding).collect();
        let mut others = Vec::new();
        let of_images: BTreeSet<&String> =
            images.iter().flat_map(|image| image.arrays.iter().chain(&image.dropped)).collect();
        for (folder, node) in store.tree.nodes.iter().filter(|(_, node)| node.kind == NodeKind::Array) {
            if of_images.contains(folder) {
                continue;
            }
            match arrays::carried_over(node, None) {
                Ok(array) => others.push((folder.clone(), array)),
                Err(reason) => findings.push(Finding::warning(
                    "ome-zarr.convert.left-out",
                    folder,
                    format!("this array belongs to no image and was left out: {reason}"),
                    "Keep the original if you need it.",
                )),
            }
        }
        let files = plain_files(store);
        Ok(Self { images, others, files, findings })
    }

    /// The files that are copied as they are.
    fn copies(&self, store: &Store) -> Vec<String> {
        let carried = self.images.iter().flat_map(|image| image.action.carried());
        let chunks = carried.chain(&self.others).flat_map(|(folder, _)| copying::chunks_of(store, folder));
        chunks.chain(self.files.iter().cloned()).collect()
    }

    fn write_metadata(&self, store: &Store, workspace: &Workspace) -> Result<(), OmeZarrError> {
        let tree = workspace.tree();
        let write = |folder: &str, value: &Value| write_json(&tree.join(join(folder, "zarr.json")), value);
        let mut written: BTreeSet<&str> = BTreeSet::new();
        for image in &self.images {
            write(&image.folder, &group_v3(image.ome.clone(), image.others.clone()))?;
            written.insert(&image.folder);
        }
        let carried = self.images.iter().flat_map(|image| image.action.carried()).chain(&self.others);
        for (folder, array) in carried {
            write(folder, array)?;
            written.insert(folder);
        }
        for (folder, node) in store.tree.nodes.iter().filter(|(_, node)| node.kind == NodeKind::Group) {
            if !written.contains(folder.as_str()) {
                let (ome, others) = attributes::of_group(node);
                write(folder, &group_v3(ome, others))?;
            }
        }
        // Zarr 3 knows no groups without metadata.
        for folder in store.tree.nodes.keys() {
            let mut above = split(folder);
            while let Some((parent, _)) = above {
                if !store.tree.nodes.contains_key(parent) && written.insert(parent) {
                    write(parent, &group_v3(Map::new(), Map::new()))?;
                }
                above = split(parent);
            }
        }
        Ok(())
    }
}

fn is_label_of(folder: &str, image: &str) -> bool {
    folder.strip_prefix(image).is_some_and(|rest| rest.trim_start_matches('/').starts_with("labels/"))
}

/// Files of the hierarchy that no array owns and that are no Zarr metadata, such as `OME/METADATA.ome.xml`.
fn plain_files(store: &Store) -> Vec<String> {
    let is_plain = |path: &&String| {
        let (folder, name) = split(path).unwrap_or_default();
        let is_metadata = matches!(name, "zarr.json" | ".zgroup" | ".zarray" | ".zattrs" | ".zmetadata");
        let mut above = Some((folder, ""));
        while let Some((parent, _)) = above {
            if store.tree.get(parent).is_some_and(|node| node.kind == NodeKind::Array) {
                return false;
            }
            above = split(parent);
        }
        !is_metadata
    };
    store.tree.files.iter().filter(is_plain).cloned().collect()
}

fn rewrite(
    store: &Store,
    image: &StoreImage,
    part: &Rewritten,
    workspace: &Workspace,
    work: &Work<'_>,
) -> Result<(), OmeZarrError> {
    let raster = ZarrRaster::open(&store.source, &part.array, &image.places)?;
    let read = |start: &_, shape: &_, out: &mut [u8]| raster.read(start, shape, out);
    let names = image.axes.iter().map(|axis| axis.name.clone());
    let axes: Vec<(usize, String)> = image.places.iter().copied().zip(names).collect();
    let pyramid = Pyramid {
        path: image.folder.clone(),
        read: &read,
        block: raster.block(),
        data_type: raster.data_type(),
        layout: &part.layout,
        levels: part.levels.clone(),
        axes: &axes,
        attributes: store.tree.get(&part.array).map(attributes::of_array).unwrap_or_default(),
        reduction: image.reduction,
    };
    write_pyramid(&pyramid, &workspace.tree(), workspace.scratch(), work).map(|_| ())
}
