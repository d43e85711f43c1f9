//! What an import reads from and a conversion writes from: images as rectangles of pixels, whatever file they are in.

use crate::{array::DataType, error::OmeZarrError, record::Window};

/// The dimensions of a raster, always these five, slowest first: time, channel, z, y, x.
pub(crate) const T: usize = 0;
/// The channel.
pub(crate) const C: usize = 1;
/// The depth.
pub(crate) const Z: usize = 2;
/// The height.
pub(crate) const Y: usize = 3;
/// The width.
pub(crate) const X: usize = 4;

/// A size or a place along time, channel, z, y and x.
pub(crate) type Tczyx = [u64; 5];

/// One image of a source that pixels can be read from, region by region, in any order and from several threads.
pub(crate) trait Raster: Send + Sync {
    /// What the image is.
    fn info(&self) -> &RasterInfo;

    /// Fills `out` with the pixels of a region: C order, in the machine's byte order, `shape` × the type's size long.
    /// Samples of one pixel (red, green, blue) are channels here.
    ///
    /// # Errors
    /// The region is not inside the image, or its pixels cannot be read or decoded.
    fn read(&self, start: Tczyx, shape: Tczyx, out: &mut [u8]) -> Result<(), OmeZarrError>;
}

/// What is known of an image in a source; what is not known is `None`, never a guess.
#[derive(Debug, Clone)]
pub(crate) struct RasterInfo {
    /// Its name in the source; `""` where it has none.
    pub(crate) name: String,
    pub(crate) shape: Tczyx,
    pub(crate) data_type: DataType,
    /// Rows and columns that the source decodes together: regions that follow these are cheap.
    pub(crate) block: [u64; 2],
    /// The size of one pixel along t, c, z, y and x, with its unit as OME-Zarr spells it (`micrometer`, `second`).
    pub(crate) pixel_size: [Option<(f64, String)>; 5],
    /// One for each channel; empty where the source describes none.
    pub(crate) channels: Vec<RasterChannel>,
    /// Whether the channels are the samples of a colour picture.
    pub(crate) is_rgb: bool,
    /// Whether each pixel names the object it belongs to.
    pub(crate) is_label: bool,
    /// Where it is on a plate.
    pub(crate) field: Option<PlateField>,
}

impl RasterInfo {
    /// Refuses a region that is not inside the image, or whose pixels are not `bytes` long.
    ///
    /// # Errors
    /// It is none; `path` names the file in the message.
    pub(crate) fn check_region(
        &self,
        start: Tczyx,
        shape: Tczyx,
        bytes: usize,
        path: &str,
    ) -> Result<(), OmeZarrError> {
        let inside = |axis: usize| start[axis].checked_add(shape[axis]).is_some_and(|end| end <= self.shape[axis]);
        let fits = (0..5).all(|axis| shape[axis] > 0 && inside(axis));
        let needed = shape.iter().try_fold(self.data_type.size() as u64, |bytes, size| bytes.checked_mul(*size));
        if fits && needed == Some(bytes as u64) {
            return Ok(());
        }
        Err(OmeZarrError::decode(path, format!("the region {shape:?} at {start:?} is not one of the image")))
    }
}

#[cfg(test)]
impl RasterInfo {
    /// An image of which nothing but shape and type is known.
    pub(crate) fn plain(shape: Tczyx, data_type: DataType) -> Self {
        Self {
            name: String::new(),
            shape,
            data_type,
            block: [1, 1],
            pixel_size: [const { None }; 5],
            channels: Vec::new(),
            is_rgb: false,
            is_label: false,
            field: None,
        }
    }
}

/// A channel as a source describes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RasterChannel {
    pub(crate) name: Option<String>,
    /// Six upper-case hexadecimal digits.
    pub(crate) color: Option<String>,
    /// In nanometres.
    pub(crate) emission: Option<f64>,
    /// In nanometres.
    pub(crate) excitation: Option<f64>,
    pub(crate) window: Option<Window>,
}

/// A field of view on a plate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlateField {
    pub(crate) plate: String,
    /// The row's name, such as `B`.
    pub(crate) row: String,
    /// The column's name, such as `07`.
    pub(crate) column: String,
    /// Which field of the well, from 0.
    pub(crate) field: u32,
    pub(crate) acquisition: Option<u32>,
}
