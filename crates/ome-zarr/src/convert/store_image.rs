use dataset_model::Finding;
use serde_json::{Map, Value, json};

use crate::{
    array::ArrayMeta,
    at::At,
    describe,
    error::OmeZarrError,
    node::Node,
    raster::Tczyx,
    record::Axis,
    tree::{dataset_paths, resolve},
    write::{Layout, LevelLayout, Reduction, bytes_of, method, steps},
};

use super::{
    ConvertOptions, ConvertedImage, arrays, attributes,
    input::Store,
    legacy,
    zarr_raster::{self, ZarrRaster},
};

/// An image of an OME-Zarr, and what becomes of it.
pub(super) struct StoreImage {
    pub(super) folder: String,
    /// Its metadata as 0.5 has it.
    pub(super) ome: Map<String, Value>,
    pub(super) others: Map<String, Value>,
    pub(super) axes: Vec<Axis>,
    /// Which of t, c, z, y and x each axis is.
    pub(super) places: Vec<usize>,
    /// The folders of all its arrays.
    pub(super) arrays: Vec<String>,
    pub(super) reduction: Reduction,
    pub(super) action: Action,
    /// Levels of a label image that its image has not: they are left out.
    pub(super) dropped: Vec<String>,
    /// How levels are made, if they are made anew.
    steps: Option<Vec<Tczyx>>,
    shape: Vec<u64>,
    data_type: String,
    bytes: u64,
}

/// What becomes of the arrays of an image.
pub(super) enum Action {
    /// Their chunks stay; their metadata is this.
    Carry(Vec<(String, Value)>),
    /// Their pixels are written anew.
    Rewrite(Vec<Rewritten>),
}

/// An array that is written anew, and the levels that are made of it.
pub(super) struct Rewritten {
    pub(super) array: String,
    pub(super) levels: Vec<String>,
    pub(super) layout: Layout,
    pixel: u64,
}

impl Action {
    pub(super) fn carried(&self) -> &[(String, Value)] {
        match self {
            Self::Carry(arrays) => arrays,
            Self::Rewrite(_) => &[],
        }
    }

    pub(super) fn rewritten(&self) -> &[Rewritten] {
        match self {
            Self::Rewrite(arrays) => arrays,
            Self::Carry(_) => &[],
        }
    }
}

impl StoreImage {
    /// Decides about an image. A label image whose `parent` gets other levels gets as many.
    pub(super) fn plan(
        store: &Store,
        node: &Node,
        parent: Option<&Self>,
        options: &ConvertOptions,
    ) -> Result<Self, OmeZarrError> {
        let bad = |reason: String| OmeZarrError::metadata(&node.folder, reason);
        let (mut ome, others) = attributes::of_group(node);
        let is_label = describe::is_label(&store.tree, &node.folder);
        let mut arrays = arrays_of(node)?;
        let most = parent.filter(|_| is_label).map_or(arrays.len(), |parent| parent.arrays.len()).max(1);
        let dropped = arrays.split_off(most.min(arrays.len()));
        if !dropped.is_empty() {
            keep_levels(&mut ome, most);
        }
        let metas = metas_of(store, node, &arrays)?;
        let shapes: Vec<Vec<u64>> = metas.iter().map(|(_, meta)| meta.shape.clone()).collect();
        let (first, axes) = complete(&mut ome, &shapes).map_err(bad)?;
        let (Some((_, meta)), Some(shape)) = (metas.first(), shapes.first()) else {
            return Err(bad("it has no resolution levels".to_owned()));
        };
        let names: Vec<String> = axes.iter().map(|axis| axis.name.clone()).collect();
        let (data_type, bytes) = (meta.data_type, meta.bytes_of(shape).unwrap_or(u64::MAX));
        let mut image = Self {
            folder: node.folder.clone(),
            others,
            axes,
            places: Vec::new(),
            reduction: Reduction::of(data_type, is_label),
            action: Action::Carry(Vec::new()),
            steps: None,
            shape: shape.clone(),
            data_type: data_type.to_string(),
            bytes,
            ome,
            arrays: arrays.clone(),
            dropped,
        };
        let carry = |((node, _), folder): (&(&Node, ArrayMeta), &String)| {
            Ok((folder.clone(), arrays::carried_over(node, Some(&names))?))
        };
        let carried: Result<Vec<_>, String> = metas.iter().zip(&arrays).map(carry).collect();
        match carried {
            Ok(carried) if !options.is_new_layout() => image.action = Action::Carry(carried),
            _ => image.rewrite(store, node, &first, is_label, parent, options)?,
        }
        Ok(image)
    }

    fn rewrite(
        &mut self,
        store: &Store,
        node: &Node,
        multiscale: &Value,
        is_label: bool,
        parent: Option<&Self>,
        options: &ConvertOptions,
    ) -> Result<(), OmeZarrError> {
        let order = "its axes are not in the order time, channel, space, with two or three of space";
        let unordered = || OmeZarrError::metadata(&self.folder, order);
        self.places = zarr_raster::places(&self.axes).ok_or_else(unordered)?;
        let first = self.arrays.first().cloned().unwrap_or_default();
        let raster = ZarrRaster::open(&store.source, &first, &self.places)?;
        let scale = scale_of(multiscale).unwrap_or_default();
        let info = zarr_raster::info(&raster, &self.axes, &scale, is_label, node);
        let useful = steps(&info, options.levels);
        let is_only = self.ome.get("multiscales").and_then(Value::as_array).is_none_or(|list| list.len() < 2);
        self.steps = match parent.filter(|_| is_label) {
            Some(parent) => parent.steps.clone(),
            None if is_only && (options.levels.is_some() || (self.arrays.len() == 1 && !useful.is_empty())) => {
                Some(useful)
            }
            None => None,
        };
        let pixel = raster.data_type().size() as u64;
        let mut rewritten = Vec::new();
        if let Some(steps) = self.steps.clone() {
            let layout = Layout::new(&info, &steps, &options.layout())?;
            let levels: Vec<String> = (0..layout.levels.len()).map(|level| level.to_string()).collect();
            describe_levels(&mut self.ome, &layout, &self.places, self.reduction);
            rewritten.push(Rewritten { array: first, levels, layout, pixel });
        } else {
            let compression = Layout::new(&info, &[], &options.layout())?.compression;
            for (array, path) in self.arrays.iter().zip(dataset_paths(node)) {
                let level = ZarrRaster::open(&store.source, array, &self.places)?;
                let layout = LevelLayout::new(&info, level.shape(), [1; 5], &options.layout())?;
                let layout = Layout { levels: vec![layout], compression };
                let path = path.trim_end_matches('/').to_owned();
                rewritten.push(Rewritten { array: array.clone(), levels: vec![path], layout, pixel });
            }
        }
        self.action = Action::Rewrite(rewritten);
        Ok(())
    }

    /// What the person who converts should know.
    pub(super) fn finding(&self) -> Option<Finding> {
        let message = format!("the label image had more levels than its image: {} were kept", self.arrays.len());
        let hint = "Nothing needs to be done.";
        let is_cut = !self.dropped.is_empty();
        is_cut.then(|| Finding::note("ome-zarr.convert.label-levels", &self.folder, message, hint))
    }

    /// The decoded size of what is written anew, in bytes.
    pub(super) fn rewritten_bytes(&self) -> u64 {
        let bytes =
            |part: &Rewritten| part.layout.levels.iter().map(|level| bytes_of(&level.shape, part.pixel)).sum::<u64>();
        self.action.rewritten().iter().map(bytes).sum()
    }

    pub(super) fn summary(&self) -> ConvertedImage {
        let levels = self.steps.as_ref().map_or(self.arrays.len(), |steps| steps.len() + 1);
        ConvertedImage {
            path: self.folder.clone(),
            shape: self.shape.clone(),
            data_type: self.data_type.clone(),
            levels,
            bytes: self.bytes,
        }
    }
}

/// The arrays of an image, and what they say.
fn metas_of<'a>(store: &'a Store, node: &Node, arrays: &[String]) -> Result<Vec<(&'a Node, ArrayMeta)>, OmeZarrError> {
    let meta = |folder: &String| {
        let absent = || OmeZarrError::metadata(&node.folder, format!("there is no array at '{folder}'"));
        let array = store.tree.get(folder).ok_or_else(absent)?;
        Ok((array, ArrayMeta::read(array).map_err(|reason| OmeZarrError::metadata(folder, reason))?))
    };
    arrays.iter().map(meta).collect()
}

/// Completes the multiscales of an image; gives the first of them, and its axes.
fn complete(ome: &mut Map<String, Value>, shapes: &[Vec<u64>]) -> Result<(Value, Vec<Axis>), String> {
    let multiscales = ome.get_mut("multiscales").and_then(Value::as_array_mut).ok_or("it has no multiscales")?;
    for multiscale in multiscales.iter_mut().filter_map(Value::as_object_mut) {
        legacy::complete_axes(multiscale);
        legacy::complete_scales(multiscale, shapes);
    }
    let first = multiscales.first().cloned().unwrap_or_default();
    let axes = describe::axes(&At::new(&first, "", "")).ok_or("its axes are not a list of two to five named axes")?;
    if let Some(shape) = shapes.iter().find(|shape| shape.len() != axes.len()) {
        return Err(format!("one of its levels has {} dimensions, the image {} axes", shape.len(), axes.len()));
    }
    Ok((first, axes))
}

/// Drops the levels of the first multiscale after so many.
fn keep_levels(ome: &mut Map<String, Value>, most: usize) {
    let first = ome.get_mut("multiscales").and_then(|list| list.get_mut(0));
    if let Some(datasets) = first.and_then(|first| first.get_mut("datasets")).and_then(Value::as_array_mut) {
        datasets.truncate(most);
    }
}

/// The folders of an image's arrays, level by level.
fn arrays_of(node: &Node) -> Result<Vec<String>, OmeZarrError> {
    let paths = dataset_paths(node);
    let resolved: Option<Vec<String>> = paths.iter().map(|path| resolve(&node.folder, path)).collect();
    resolved.ok_or_else(|| OmeZarrError::metadata(&node.folder, "a dataset's path does not lead into the image"))
}

/// The scale of the first level.
fn scale_of(multiscale: &Value) -> Option<Vec<f64>> {
    let of = |value: &Value| {
        let list = value.get("coordinateTransformations")?.as_array()?;
        let scale = list.iter().find_map(|transformation| transformation.get("scale")?.as_array())?;
        scale.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()
    };
    let first = of(multiscale.get("datasets")?.get(0)?)?;
    let outer = of(multiscale).unwrap_or_else(|| vec![1.0; first.len()]);
    Some(first.iter().zip(outer).map(|(inner, outer)| inner * outer).collect())
}

/// Replaces the datasets of a multiscale by those of levels that are made anew.
fn describe_levels(ome: &mut Map<String, Value>, layout: &Layout, places: &[usize], reduction: Reduction) {
    let Some(multiscale) = ome.get_mut("multiscales").and_then(|list| list.get_mut(0)) else { return };
    let own = |kind: &str| {
        let list = multiscale.get("datasets")?.get(0)?.get("coordinateTransformations")?.as_array()?;
        let numbers = list.iter().find_map(|transformation| transformation.get(kind)?.as_array())?;
        numbers.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()
    };
    let scale = own("scale").unwrap_or_else(|| vec![1.0; places.len()]);
    let translation = own("translation");
    let mut factor = [1u64; 5];
    let mut datasets = Vec::new();
    for (number, level) in layout.levels.iter().enumerate() {
        factor.iter_mut().zip(level.step).for_each(|(factor, step)| *factor *= step);
        let factors: Vec<f64> =
            places.iter().filter_map(|place| factor.get(*place)).map(|factor| *factor as f64).collect();
        let sizes: Vec<f64> = scale.iter().zip(&factors).map(|(size, factor)| size * factor).collect();
        let offset = |axis: usize| translation.as_ref().and_then(|offsets| offsets.get(axis)).copied().unwrap_or(0.0);
        let shift: Vec<f64> = scale
            .iter()
            .zip(&factors)
            .enumerate()
            .map(|(axis, (size, factor))| offset(axis) + size * (factor - 1.0) / 2.0)
            .collect();
        let mut transformations = vec![json!({"type": "scale", "scale": sizes})];
        if translation.is_some() || layout.levels.len() > 1 {
            transformations.push(json!({"type": "translation", "translation": shift}));
        }
        datasets.push(json!({"path": number.to_string(), "coordinateTransformations": transformations}));
    }
    multiscale["datasets"] = json!(datasets);
    if layout.levels.len() > 1 {
        multiscale["type"] = json!(reduction.name());
        multiscale["metadata"] = method(reduction);
    }
}
