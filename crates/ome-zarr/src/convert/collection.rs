//! Microscope files to OME-Zarr: one image, a series of images, or a plate.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{
    error::OmeZarrError,
    import::{self, Import},
    progress::Progress,
    raster::Raster,
    source::{FolderSource, join, split},
    write::{
        Contrast, Layout, OME_VERSION, Pyramid, Reduction, Work, axes_of, axis_name, block_of, bytes_of, group_v3,
        image_metadata, multiscale, omero, steps, write_file, write_json, write_pyramid,
    },
};

use super::{Conversion, ConvertOptions, ConvertedImage, input::Files, ome_xml, plate, workspace::Workspace};

/// More labels than this get no colours of their own.
const MAX_COLORED: f64 = 1024.0;

/// A raster, where it goes, and how.
struct Placed {
    path: String,
    /// For images that have none of their own.
    name: String,
    raster: Box<dyn Raster>,
    layout: Layout,
}

pub(super) fn convert(
    files: Files,
    workspace: &Workspace,
    options: &ConvertOptions,
    progress: &dyn Progress,
) -> Result<Conversion, OmeZarrError> {
    let Import { rasters, ome_xml, notes, .. } = files.import;
    let infos: Vec<_> = rasters.iter().map(|raster| raster.info()).collect();
    let plates = plate::arrange(&infos);
    let paths = match &plates {
        Some(plates) => plates.paths.clone(),
        None if infos.len() == 1 => vec![String::new()],
        None => (0..infos.len()).map(|number| number.to_string()).collect(),
    };
    let mut placed = Vec::new();
    let count = rasters.len();
    for (number, (raster, path)) in rasters.into_iter().zip(paths).enumerate() {
        let name = name_of(&files.path, number, count);
        let layout = Layout::new(raster.info(), &steps(raster.info(), options.levels), &options.layout())?;
        placed.push(Placed { path, name, raster, layout });
    }
    let total = placed.iter().map(Placed::bytes).sum();
    let work = Work::new(&workspace.journal, progress, (options.memory, options.threads()), total)
        .beside(import::MAX_KEPT as u64);
    let tree = workspace.tree();
    match &plates {
        Some(plates) => plates.write(&tree)?,
        None if placed.len() > 1 => write_series(&tree, placed.len())?,
        None => {}
    }
    if let Some(xml) = &ome_xml {
        write_file(&tree.join("OME/METADATA.ome.xml"), ome_xml::metadata_only(xml).as_bytes())?;
        if placed.len() == 1 || plates.is_some() {
            write_json(&tree.join("OME/zarr.json"), &group_v3(Map::new(), Map::new()))?;
        }
    }
    // One after the other, and each let go when it is written: rasters keep decoded parts.
    let images = placed.into_iter().map(|image| image.write(workspace, &tree, &work)).collect::<Result<_, _>>()?;
    Ok(Conversion { images, findings: notes, metadata_only: false })
}

/// A series of images as `bioformats2raw` lays it out.
fn write_series(tree: &Path, count: usize) -> Result<(), OmeZarrError> {
    let root = Map::from_iter([("bioformats2raw.layout".to_owned(), json!(3))]);
    write_json(&tree.join("zarr.json"), &group_v3(root, Map::new()))?;
    let series: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let series = Map::from_iter([("series".to_owned(), json!(series))]);
    write_json(&tree.join("OME/zarr.json"), &group_v3(series, Map::new()))
}

impl Placed {
    fn bytes(&self) -> u64 {
        let pixel = self.raster.info().data_type.size() as u64;
        self.layout.levels.iter().map(|level| bytes_of(&level.shape, pixel)).sum()
    }

    fn write(self, workspace: &Workspace, tree: &Path, work: &Work<'_>) -> Result<ConvertedImage, OmeZarrError> {
        let info = self.raster.info();
        let places = axes_of(info);
        let axes: Vec<(usize, String)> = places.iter().map(|axis| (*axis, axis_name(*axis).to_owned())).collect();
        let levels: Vec<String> = (0..self.layout.levels.len()).map(|level| level.to_string()).collect();
        let reduction = Reduction::of(info.data_type, info.is_label);
        let read = |start: &_, shape: &_, out: &mut [u8]| self.raster.read(*start, *shape, out);
        let pyramid = Pyramid {
            path: self.path.clone(),
            read: &read,
            block: block_of(info),
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
        let mut described = multiscale(info, &self.layout, reduction);
        if info.name.is_empty() && !self.name.is_empty() {
            described["name"] = json!(self.name);
        }
        let mut ome = image_metadata(described, shown);
        if info.is_label {
            let highest = ranges.values().map(|(_, high)| *high).fold(0.0, f64::max);
            ome.insert("image-label".to_owned(), labels(highest));
        }
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

/// Says that pixels name objects, and gives each a colour of its own, where they are few.
fn labels(highest: f64) -> Value {
    let mut labels = json!({"version": OME_VERSION});
    if (1.0..=MAX_COLORED).contains(&highest) {
        let color = |value: u64| json!({"label-value": value, "rgba": rgba(value)});
        labels["colors"] = (1..=highest as u64).map(color).collect();
    }
    labels
}

/// Neighbouring numbers differ by the golden angle on the circle of colours.
fn rgba(value: u64) -> [u8; 4] {
    let turn = value as f64 * 2.399_963;
    let part = |shift: f64| (150.0 + 105.0 * (turn + shift).sin()) as u8;
    [part(0.0), part(2.1), part(4.2), 255]
}

/// What an image is called whose source gives it no name: as the file, with a number where there are several.
fn name_of(path: &str, number: usize, count: usize) -> String {
    let file = split(path).map(|(_, name)| name).unwrap_or_default();
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    if count > 1 && !stem.is_empty() { format!("{stem} {number}") } else { stem.to_owned() }
}
