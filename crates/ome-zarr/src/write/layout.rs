//! How large chunks, shards and levels are, by kind of image. All shapes are t, c, z, y, x.

use crate::{
    error::OmeZarrError,
    raster::{C, RasterInfo, T, Tczyx, X, Y, Z},
};

use super::{
    compression::Compression,
    options::{Sharding, WriteOptions},
};

/// A stack this deep or less is looked at plane by plane; a deeper one is a volume.
const MAX_THIN: u64 = 64;
/// Levels are added until rows and columns are no more than this.
const SMALLEST_SIDE: u64 = 256;
/// Fields of a plate are small and many: their pyramids stay short.
const MAX_FIELD_LEVELS: usize = 3;
/// No pyramid has more levels than a side of 2^32 pixels needs.
const MAX_LEVELS: usize = 32;
/// A chunk of a volume, decoded, in bytes.
const VOLUME_CHUNK_BYTES: u64 = 2 << 20;
/// The largest chunk, decoded, in bytes.
const MAX_CHUNK_BYTES: u64 = 64 << 20;
/// What a shard should stay below, decoded, in bytes.
const SHARD_BYTES: u64 = 512 << 20;
/// What it must stay below: an upload that fails is done again.
const MAX_SHARD_BYTES: u64 = 1 << 30;
/// The most inner chunks of a shard: its index is read as a whole, 16 bytes for each.
const MAX_INNER_CHUNKS: u64 = 16_384;
/// Axes whose pixels differ by less than this are halved together.
const ABOUT_EQUAL: f64 = std::f64::consts::SQRT_2 * 1.001;

/// Where every pixel of an image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Largest first.
    pub(crate) levels: Vec<LevelLayout>,
    pub(crate) compression: Compression,
}

/// One array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LevelLayout {
    pub(crate) shape: Tczyx,
    pub(crate) chunk: Tczyx,
    /// A whole number of chunks along each axis; `None` where each chunk is a file of its own.
    pub(crate) shard: Option<Tczyx>,
    /// How many pixels of the level before become one; ones for the first level.
    pub(crate) step: Tczyx,
}

/// What kind of image it is, as far as its layout goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plane,
    Stack,
    Volume,
    Field,
}

impl Kind {
    fn of(info: &RasterInfo) -> Self {
        match info.shape {
            _ if info.field.is_some() => Self::Field,
            [_, _, z, _, _] if z > MAX_THIN => Self::Volume,
            [1, _, 1, _, _] => Self::Plane,
            _ => Self::Stack,
        }
    }

    fn chunk(self, pixel: u64) -> Tczyx {
        match self {
            Self::Plane if pixel > 1 => [1, 1, 1, 512, 512],
            Self::Plane | Self::Field => [1, 1, 1, 1024, 1024],
            Self::Stack => [1, 1, 1, 512, 512],
            Self::Volume => {
                let depth = VOLUME_CHUNK_BYTES / (128 * 128 * pixel);
                [1, 1, depth.clamp(1, 64), 128, 128]
            }
        }
    }

    fn shard(self, shape: &Tczyx) -> Tczyx {
        match self {
            Self::Plane => [1, 1, 1, 8192, 8192],
            Self::Stack => [1, 1, shape[Z], 4096, 4096],
            Self::Volume => [1, 1, 512, 1024, 1024],
            Self::Field => *shape,
        }
    }
}

impl Layout {
    /// The layout of an image that is written for the first time; `steps` are those of its pyramid.
    ///
    /// # Errors
    /// The options do not fit the image.
    pub(crate) fn new(info: &RasterInfo, steps: &[Tczyx], options: &WriteOptions) -> Result<Self, OmeZarrError> {
        let mut levels: Vec<LevelLayout> = Vec::new();
        for step in std::iter::once(&[1; 5]).chain(steps) {
            let before = levels.last().map_or(info.shape, |level| level.shape);
            levels.push(LevelLayout::new(info, shrunk(&before, step), *step, options)?);
        }
        let default = Compression::of(info.data_type, info.is_label);
        Ok(Self { levels, compression: options.compression.unwrap_or(default) })
    }
}

impl LevelLayout {
    /// The layout of one level of an image, of whatever shape.
    pub(crate) fn new(
        info: &RasterInfo,
        shape: Tczyx,
        step: Tczyx,
        options: &WriteOptions,
    ) -> Result<Self, OmeZarrError> {
        let kind = Kind::of(info);
        let pixel = info.data_type.size() as u64;
        let wanted = match &options.chunk {
            Some(given) => aligned(given, "chunk")?,
            None => kind.chunk(pixel),
        };
        let chunk = per_axis(|axis| wanted[axis].min(shape[axis]));
        if bytes(&chunk, pixel) > MAX_CHUNK_BYTES {
            return Err(refused(format!("a chunk may have {} MiB decoded; 0.5 to 2 is best", MAX_CHUNK_BYTES >> 20)));
        }
        let shard = match &options.sharding {
            Some(Sharding::None) => None,
            Some(Sharding::Shape(given)) => Some(given_shard(&aligned(given, "shard")?, &wanted, &shape, pixel)?),
            Some(Sharding::Auto) | None => Some(automatic_shard(kind.shard(&info.shape), &chunk, &shape, pixel)),
        };
        Ok(Self { shape, chunk, shard, step })
    }

    /// The shape of one stored object.
    pub(crate) fn object(&self) -> Tczyx {
        self.shard.unwrap_or(self.chunk)
    }
}

/// How an image is halved, level by level: rows and columns until both are small; the depth of a volume too, from where
/// its pixels are about as deep as they are wide.
///
/// `levels` is how many there must be; by default as many as are useful.
pub(crate) fn steps(info: &RasterInfo, levels: Option<usize>) -> Vec<Tczyx> {
    let kind = Kind::of(info);
    let mut size = spacing(info);
    let mut shape = info.shape;
    let mut steps = Vec::new();
    let most = levels.unwrap_or(if kind == Kind::Field { MAX_FIELD_LEVELS } else { MAX_LEVELS }).clamp(1, MAX_LEVELS);
    while steps.len() + 1 < most && (levels.is_some() || shape[Y].max(shape[X]) > SMALLEST_SIDE) {
        let axes: &[usize] = if kind == Kind::Volume { &[Z, Y, X] } else { &[Y, X] };
        let finest = axes.iter().filter(|axis| shape[**axis] > 1).map(|axis| size[*axis]).fold(f64::INFINITY, f64::min);
        let is_halved = |axis: usize| axes.contains(&axis) && shape[axis] > 1 && size[axis] <= finest * ABOUT_EQUAL;
        let step = per_axis(|axis| if is_halved(axis) { 2 } else { 1 });
        if step == [1; 5] {
            break;
        }
        shape = shrunk(&shape, &step);
        for (size, step) in size.iter_mut().zip(step) {
            *size *= step as f64;
        }
        steps.push(step);
    }
    steps
}

/// The sizes of a pixel as numbers that compare; all 1 where one is unknown or they have different units.
fn spacing(info: &RasterInfo) -> [f64; 5] {
    let known = [Z, Y, X].map(|axis| info.pixel_size[axis].as_ref().filter(|(size, _)| *size > 0.0));
    match known {
        [Some(z), Some(y), Some(x)] if z.1 == y.1 && y.1 == x.1 => [1.0, 1.0, z.0, y.0, x.0],
        _ => [1.0; 5],
    }
}

/// The shape after merging `step` pixels into one: what is left over at the end is a pixel too.
pub(crate) fn shrunk(shape: &Tczyx, step: &Tczyx) -> Tczyx {
    per_axis(|axis| shape[axis].div_ceil(step[axis].max(1)))
}

/// One number for each of t, c, z, y and x.
pub(crate) fn per_axis(of: impl Fn(usize) -> u64) -> Tczyx {
    [of(T), of(C), of(Z), of(Y), of(X)]
}

/// The size of a block in bytes.
pub(crate) fn bytes(shape: &Tczyx, pixel: u64) -> u64 {
    shape.iter().fold(pixel, |bytes, side| bytes.saturating_mul(*side))
}

/// A shape as people give it, the last axes first; those left out are 1.
fn aligned(given: &[u64], what: &str) -> Result<Tczyx, OmeZarrError> {
    if given.is_empty() || given.len() > 5 || given.contains(&0) {
        return Err(refused(format!("a {what} has one to five sides of at least 1, in the order t, c, z, y, x")));
    }
    let missing = 5 - given.len();
    Ok(per_axis(|axis| axis.checked_sub(missing).and_then(|at| given.get(at)).copied().unwrap_or(1)))
}

fn given_shard(given: &Tczyx, chunk: &Tczyx, shape: &Tczyx, pixel: u64) -> Result<Tczyx, OmeZarrError> {
    if given.iter().zip(chunk).any(|(shard, chunk)| shard % chunk != 0) {
        return Err(refused(format!("a shard must be a whole number of chunks along each axis; chunks are {chunk:?}")));
    }
    let chunk = per_axis(|axis| chunk[axis].min(shape[axis]));
    let shard = covering(given, &chunk, shape);
    if bytes(&shard, pixel) > MAX_SHARD_BYTES || inner_chunks(&shard, &chunk) > MAX_INNER_CHUNKS {
        return Err(refused(format!("a shard may have 1 GiB decoded and {MAX_INNER_CHUNKS} chunks")));
    }
    Ok(shard)
}

/// The shard of the policy, cut until it is small enough: first in depth and time, then in the plane.
fn automatic_shard(wanted: Tczyx, chunk: &Tczyx, shape: &Tczyx, pixel: u64) -> Tczyx {
    let mut shard = per_axis(|axis| match wanted[axis] {
        wanted if wanted >= shape[axis] => shape[axis].next_multiple_of(chunk[axis]),
        wanted => (wanted / chunk[axis]).max(1) * chunk[axis],
    });
    shard = covering(&shard, chunk, shape);
    while bytes(&shard, pixel) > SHARD_BYTES || inner_chunks(&shard, chunk) > MAX_INNER_CHUNKS {
        let Some(axis) = [T, C, Z, Y, X].into_iter().find(|axis| shard[*axis] > chunk[*axis]) else { break };
        // Rows and columns are cut in turn, so that shards stay about square.
        let axis = if axis == Y && shard[X] > shard[Y] { X } else { axis };
        shard[axis] = (shard[axis] / chunk[axis]).div_ceil(2) * chunk[axis];
    }
    shard
}

/// A shard no larger than the whole chunks that cover the array.
fn covering(shard: &Tczyx, chunk: &Tczyx, shape: &Tczyx) -> Tczyx {
    per_axis(|axis| shard[axis].min(shape[axis].div_ceil(chunk[axis]) * chunk[axis]))
}

fn inner_chunks(shard: &Tczyx, chunk: &Tczyx) -> u64 {
    shard.iter().zip(chunk).fold(1, |count, (shard, chunk)| count.saturating_mul(shard / chunk))
}

fn refused(reason: String) -> OmeZarrError {
    OmeZarrError::Options(reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::array::DataType;

    fn info(shape: Tczyx, data_type: DataType) -> RasterInfo {
        RasterInfo::plain(shape, data_type)
    }

    fn layout(info: &RasterInfo) -> Layout {
        Layout::new(info, &steps(info, None), &WriteOptions::default()).unwrap()
    }

    #[test]
    fn each_kind_of_image_has_the_chunks_and_shards_of_the_policy() {
        for (shape, data_type, chunk, shard) in [
            ([1, 3, 1, 20_000, 30_000], DataType::UInt(8), [1, 1, 1, 1024, 1024], [1, 1, 1, 8192, 8192]),
            ([1, 3, 1, 20_000, 30_000], DataType::UInt(16), [1, 1, 1, 512, 512], [1, 1, 1, 8192, 8192]),
            ([1, 4, 32, 2048, 2048], DataType::UInt(16), [1, 1, 1, 512, 512], [1, 1, 32, 2048, 2048]),
            ([9, 1, 1, 5000, 5000], DataType::UInt(16), [1, 1, 1, 512, 512], [1, 1, 1, 4096, 4096]),
            ([1, 1, 64, 4096, 4096], DataType::UInt(16), [1, 1, 1, 512, 512], [1, 1, 16, 4096, 4096]),
            ([2, 2, 2000, 2048, 2048], DataType::UInt(8), [1, 1, 64, 128, 128], [1, 1, 512, 1024, 1024]),
            ([1, 1, 2000, 2048, 2048], DataType::UInt(16), [1, 1, 64, 128, 128], [1, 1, 256, 1024, 1024]),
            ([1, 1, 1, 300, 200], DataType::UInt(8), [1, 1, 1, 300, 200], [1, 1, 1, 300, 200]),
        ] {
            let first = layout(&info(shape, data_type)).levels.remove(0);
            assert_eq!((first.chunk, first.shard), (chunk, Some(shard)), "{shape:?}");
        }
    }

    #[test]
    fn a_field_of_a_plate_is_one_object_a_level() {
        let mut field = info([1, 3, 5, 2160, 2160], DataType::UInt(16));
        field.field = Some(crate::raster::PlateField {
            plate: "P".to_owned(),
            row: "A".to_owned(),
            column: "1".to_owned(),
            field: 0,
            acquisition: None,
        });
        let layout = layout(&field);
        assert_eq!(layout.levels.len(), 3);
        assert_eq!(
            (layout.levels[0].chunk, layout.levels[0].shard),
            ([1, 1, 1, 1024, 1024], Some([1, 3, 5, 3072, 3072]))
        );
    }

    #[test]
    fn a_volume_is_halved_along_its_finer_axes_first() {
        let mut volume = info([1, 1, 200, 2048, 2048], DataType::UInt(8));
        volume.pixel_size = [None, None, Some((2.0, "m".into())), Some((0.5, "m".into())), Some((0.5, "m".into()))];
        assert_eq!(steps(&volume, None), [[1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [1, 1, 2, 2, 2]]);
        assert_eq!(steps(&info([1, 1, 8, 600, 600], DataType::UInt(8)), None), [[1, 1, 1, 2, 2]; 2]);
        assert_eq!(steps(&info([1, 1, 8, 64, 64], DataType::UInt(8)), Some(3)).len(), 2);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let info = info([1, 1, 1, 5000, 5000], DataType::UInt(16));
        let with = |chunk: &[u64], shard: Option<&[u64]>| {
            let sharding = shard.map(|shard| Sharding::Shape(shard.to_vec()));
            let options = WriteOptions { chunk: Some(chunk.to_vec()), sharding, ..WriteOptions::default() };
            Layout::new(&info, &[], &options).map(|layout| (layout.levels[0].chunk, layout.levels[0].shard))
        };
        assert_eq!(with(&[100, 100], Some(&[1000, 1000])).unwrap(), ([1, 1, 1, 100, 100], Some([1, 1, 1, 1000, 1000])));
        assert!(with(&[100, 100], Some(&[150, 100])).is_err());
        assert!(with(&[0, 100], None).is_err());
        assert!(with(&[1, 1, 1, 1, 1, 1], None).is_err());
        assert!(with(&[10, 10], Some(&[5000, 5000])).is_err());
    }

    proptest! {
        #[test]
        fn shards_are_whole_chunks_and_never_too_large(
            shape in [1u64..3, 1u64..5, 1u64..3000, 1u64..60_000, 1u64..60_000],
            bits in prop::sample::select(vec![8u8, 16, 32, 64]),
            chunk in prop::option::of([1u64..100, 1u64..600, 1u64..600]),
        ) {
            let info = info(shape, DataType::UInt(bits));
            let options = WriteOptions { chunk: chunk.map(|chunk| chunk.to_vec()), ..WriteOptions::default() };
            let Ok(layout) = Layout::new(&info, &steps(&info, None), &options) else { return Ok(()) };
            for level in layout.levels {
                let shard = level.object();
                prop_assert!(shard.iter().zip(&level.chunk).all(|(shard, chunk)| shard % chunk == 0));
                prop_assert!(inner_chunks(&shard, &level.chunk) <= MAX_INNER_CHUNKS);
                prop_assert!(bytes(&shard, u64::from(bits / 8)) <= MAX_SHARD_BYTES);
                prop_assert!(level.chunk.iter().zip(&level.shape).all(|(chunk, side)| chunk <= side));
            }
        }
    }
}
