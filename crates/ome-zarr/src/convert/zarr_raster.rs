use crate::{
    array::DataType,
    error::OmeZarrError,
    node::Node,
    pixels::{PixelReader, Region},
    raster::{C, RasterInfo, T, Tczyx, X, Y, Z},
    record::{Axis, AxisKind},
    source::FileSource,
};

/// One level of an OME-Zarr image, its axes taken for t, c, z, y and x.
pub(super) struct ZarrRaster<'a> {
    reader: PixelReader<'a>,
    axes: Vec<usize>,
}

impl<'a> ZarrRaster<'a> {
    pub(super) fn open(source: &'a dyn FileSource, folder: &str, axes: &[usize]) -> Result<Self, OmeZarrError> {
        let reader = PixelReader::open(source, folder)?;
        if reader.shape().len() != axes.len() {
            let reason = format!("it has {} dimensions, the image {} axes", reader.shape().len(), axes.len());
            return Err(OmeZarrError::metadata(folder, reason));
        }
        Ok(Self { reader, axes: axes.to_vec() })
    }

    pub(super) fn data_type(&self) -> DataType {
        self.reader.meta().data_type
    }

    pub(super) fn shape(&self) -> Tczyx {
        self.five(self.reader.shape())
    }

    /// What is decoded together.
    pub(super) fn block(&self) -> Tczyx {
        self.five(self.reader.meta().chunk_shape())
    }

    fn five(&self, sizes: &[u64]) -> Tczyx {
        let mut five = [1; 5];
        for (axis, size) in self.axes.iter().zip(sizes) {
            five[*axis] = *size;
        }
        five
    }

    pub(super) fn read(&self, start: &Tczyx, shape: &Tczyx, out: &mut [u8]) -> Result<(), OmeZarrError> {
        let of = |five: &Tczyx| self.axes.iter().filter_map(|axis| five.get(*axis)).copied().collect();
        let region = Region { start: of(start), shape: of(shape) };
        self.reader.read_serially(&region, out)
    }
}

/// Which of t, c, z, y and x each axis of an image stands for; `None` if they are not in the order of the specification.
pub(super) fn places(axes: &[Axis]) -> Option<Vec<usize>> {
    let mut space = [Z, Y, X].into_iter().skip(3usize.checked_sub(spatial(axes))?);
    let place = |axis: &Axis| match axis.kind {
        AxisKind::Time => Some(T),
        AxisKind::Channel | AxisKind::Other => Some(C),
        AxisKind::Space => space.next(),
    };
    let places: Vec<usize> = axes.iter().map(place).collect::<Option<_>>()?;
    places.is_sorted_by(|a, b| a < b).then_some(places).filter(|places| places.ends_with(&[Y, X]))
}

fn spatial(axes: &[Axis]) -> usize {
    axes.iter().filter(|axis| axis.kind == AxisKind::Space).count()
}

/// What the layout of a level depends on.
pub(super) fn info(level: &ZarrRaster<'_>, axes: &[Axis], scale: &[f64], is_label: bool, node: &Node) -> RasterInfo {
    let mut pixel_size = [const { None }; 5];
    for ((place, axis), size) in level.axes.iter().zip(axes).zip(scale) {
        pixel_size[*place] = Some((*size, axis.unit.clone().unwrap_or_default()));
    }
    let block = level.block();
    RasterInfo {
        name: node.folder.clone(),
        shape: level.shape(),
        data_type: level.data_type(),
        block: [block[Y], block[X]],
        pixel_size,
        channels: Vec::new(),
        is_rgb: false,
        is_label,
        field: None,
    }
}
