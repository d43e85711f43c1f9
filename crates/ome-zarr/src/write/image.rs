//! Writes the arrays of one image.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{
    array::DataType,
    error::OmeZarrError,
    raster::{C, RasterInfo, Tczyx},
    source::join,
};

use super::{
    journal::Ranges,
    layout::Layout,
    level::{self, LevelTask, Next, Read},
    metadata::{self, write_json},
    reduce::Reduction,
    spool::Spool,
    work::Work,
};

/// An image to write: the pixels of its first level, and what becomes of them.
pub(crate) struct Pyramid<'a> {
    /// Its folder in the tree that is written; `""` is the root.
    pub(crate) path: String,
    /// Reads the pixels of level 0: start, shape, and where they go.
    pub(crate) read: &'a Read<'a>,
    /// What the source decodes together, in pixels.
    pub(crate) block: Tczyx,
    pub(crate) data_type: DataType,
    pub(crate) layout: &'a Layout,
    /// The folders of the levels, below the image.
    pub(crate) levels: Vec<String>,
    /// Which of t, c, z, y and x the image has, in order, and their names.
    pub(crate) axes: &'a [(usize, String)],
    /// The attributes of its arrays.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) reduction: Reduction,
}

/// Writes all levels of an image below `root`, with spools in `scratch`; gives the range of values of each channel.
pub(crate) fn write_pyramid(
    pyramid: &Pyramid<'_>,
    root: &Path,
    scratch: &Path,
    work: &Work<'_>,
) -> Result<Ranges, OmeZarrError> {
    let axes: Vec<usize> = pyramid.axes.iter().map(|(axis, _)| *axis).collect();
    let mut first = None;
    let mut spool: Option<Spool> = None;
    for (number, (level, name)) in pyramid.layout.levels.iter().zip(&pyramid.levels).enumerate() {
        let name = join(&pyramid.path, name);
        let folder = root.join(&name);
        let mut described = metadata::array(level, pyramid.axes, pyramid.data_type, pyramid.layout.compression);
        described["attributes"] = Value::Object(pyramid.attributes.clone());
        write_json(&folder.join("zarr.json"), &described)?;
        let next = match pyramid.layout.levels.get(number + 1) {
            Some(next) => Some((open_spool(pyramid, scratch, number + 1, &next.shape)?, next.step)),
            None => None,
        };
        let from_spool = |start: &Tczyx, shape: &Tczyx, out: &mut [u8]| match &spool {
            Some(spool) => spool.read(start, shape, out).map_err(|error| OmeZarrError::write(scratch, error)),
            None => (pyramid.read)(start, shape, out),
        };
        let reduction = pyramid.reduction;
        let task = LevelTask {
            name,
            folder,
            axes: &axes,
            layout: level,
            data_type: pyramid.data_type,
            compression: pyramid.layout.compression,
            read: &from_spool,
            block: if number == 0 { pyramid.block } else { [1; 5] },
            next: next.as_ref().map(|(spool, step)| Next { spool, step: *step, reduction }),
        };
        let ranges = level::write(&task, work)?;
        first.get_or_insert(ranges);
        let written = std::mem::replace(&mut spool, next.map(|(spool, _)| spool));
        written.map_or(Ok(()), Spool::remove).map_err(|error| OmeZarrError::write(scratch, error))?;
    }
    Ok(first.unwrap_or_default())
}

/// A spool of its own for each level of each image: what an earlier image left behind is never taken for this one's.
fn open_spool(pyramid: &Pyramid<'_>, scratch: &Path, number: usize, shape: &Tczyx) -> Result<Spool, OmeZarrError> {
    let path = scratch.join(format!("{}-{number}.spool", pyramid.path.replace('/', "-")));
    Spool::open(&path, *shape, pyramid.data_type.size() as u64).map_err(|error| OmeZarrError::write(&path, error))
}

/// What a source decodes together: rows and columns, and all samples of a colour.
pub(crate) fn block_of(info: &RasterInfo) -> Tczyx {
    let colors = if info.is_rgb { info.shape[C] } else { 1 };
    [1, colors, 1, info.block[0], info.block[1]]
}
