//! Microscope files to OME-Zarr: one image, a series of images, or a plate.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{
    error::OmeZarrError,
    progress::Progress,
    raster::Raster,
    source::{FolderSource, join},
    write::{
        Contrast, Layout, Pyramid, Reduction, Work, axes_of, axis_name, block_of, bytes_of, group_v3, image_metadata,
        multiscale, omero, steps, write_file, write_json, write_pyramid,
    },
};

use super::{Conversion, ConvertOptions, ConvertedImage, input::Files, ome_xml, plate, workspace::Workspace};

/// A raster, where it goes, and how.
struct Placed<'a> {
    path: String,
    raster: &'a dyn Raster,
    layout: Layout,
}

pub(super) fn convert(
    files: &Files,
    workspace: &Workspace,
    options: &ConvertOptions,
    progress: &dyn Progress,
) -> Result<Conversion, OmeZarrError> {
    let rasters = &files.import.rasters;
    let infos: Vec<_> = rasters.iter().map(|raster| raster.info()).collect();
    let plates = plate::arrange(&infos);
    let paths = match &plates {
        Some(plates) => plates.paths.clone(),
        None if rasters.len() == 1 => vec![String::new()],
        None => (0..rasters.len()).map(|number| number.to_string()).collect(),
    };
    let mut placed = Vec::new();
    for (raster, path) in rasters.iter().zip(paths) {
        let layout = Layout::new(raster.info(), &steps(raster.info(), options.levels), &options.layout())?;
        placed.push(Placed { path, raster: &**raster, layout });
    }
    let total = placed.iter().map(Placed::bytes).sum();
    let work = Work::new(&workspace.journal, progress, (options.memory, options.threads()), total);
    let tree = workspace.tree();
    match &plates {
        Some(plates) => plates.write(&tree)?,
        None if placed.len() > 1 => write_series(&tree, placed.len())?,
        None => {}
    }
    if let Some(xml) = &files.import.ome_xml {
        write_file(&tree.join("OME/METADATA.ome.xml"), ome_xml::metadata_only(xml).as_bytes())?;
        if placed.len() == 1 || plates.is_some() {
            write_json(&tree.join("OME/zarr.json"), &group_v3(Map::new(), Map::new()))?;
        }
    }
    let images = placed.iter().map(|image| image.write(workspace, &tree, &work)).collect::<Result<_, _>>()?;
    Ok(Conversion { images, findings: files.import.notes.clone(), metadata_only: false })
}

/// A series of images as `bioformats2raw` lays it out.
fn write_series(tree: &Path, count: usize) -> Result<(), OmeZarrError> {
    let root = Map::from_iter([("bioformats2raw.layout".to_owned(), json!(3))]);
    write_json(&tree.join("zarr.json"), &group_v3(root, Map::new()))?;
    let series: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let series = Map::from_iter([("series".to_owned(), json!(series))]);
    write_json(&tree.join("OME/zarr.json"), &group_v3(series, Map::new()))
}

impl Placed<'_> {
    fn bytes(&self) -> u64 {
        let pixel = self.raster.info().data_type.size() as u64;
        self.layout.levels.iter().map(|level| bytes_of(&level.shape, pixel)).sum()
    }

    fn write(&self, workspace: &Workspace, tree: &Path, work: &Work<'_>) -> Result<ConvertedImage, OmeZarrError> {
        let info = self.raster.info();
        let places = axes_of(info);
        let axes: Vec<(usize, String)> = places.iter().map(|axis| (*axis, axis_name(*axis).to_owned())).collect();
        let levels: Vec<String> = (0..self.layout.levels.len()).map(|level| level.to_string()).collect();
        let reduction = Reduction::of(info.data_type, info.is_label);
        let read = |start: &_, shape: &_, out: &mut [u8]| self.raster.read(*start, *shape, out);
        let pyramid = Pyramid {
            path: self.path.clone(),
            read: &read,
            block: block_of(info.block),
            data_type: info.data_type,
            layout: &self.layout,
            levels: levels.clone(),
            axes: &axes,
            attributes: Map::new(),
            reduction,
        };
        let ranges = write_pyramid(&pyramid, tree, workspace.scratch(), work)?;
        let written = FolderSource::new(tree)?;
        let contrast = Contrast {
            source: &written,
            path: &self.path,
            layout: &self.layout,
            levels: &levels,
            axes: &places,
            ranges: &ranges,
        };
        let shown = if info.is_label { None } else { Some(omero(info, &contrast)?) };
        let ome = image_metadata(multiscale(info, &self.layout, reduction), shown);
        let ome = if info.is_label { labelled(ome) } else { ome };
        write_json(&tree.join(join(&self.path, "zarr.json")), &group_v3(ome, Map::new()))?;
        let of_axes = |shape: &[u64; 5]| places.iter().filter_map(|axis| shape.get(*axis)).copied().collect();
        Ok(ConvertedImage {
            path: self.path.clone(),
            shape: of_axes(&info.shape),
            data_type: info.data_type.to_string(),
            levels: levels.len(),
            bytes: bytes_of(&info.shape, info.data_type.size() as u64),
        })
    }
}

/// Says that pixels name objects.
fn labelled(mut ome: Map<String, Value>) -> Map<String, Value> {
    ome.insert("image-label".to_owned(), json!({"version": crate::write::OME_VERSION}));
    ome
}
