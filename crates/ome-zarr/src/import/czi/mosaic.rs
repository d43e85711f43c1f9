use std::{collections::HashMap, io::Read, sync::Arc};

use dataset_model::Finding;

use super::{
    PixelType,
    directory::{self, Subblock},
    refused,
};
use crate::{
    error::OmeZarrError,
    import::{cache::Cache, file::SourceFile, note},
    raster::{C, Raster, RasterChannel, RasterInfo, T, Tczyx, X, Y, Z},
};

/// The most bytes one subblock decodes to.
const MAX_SUBBLOCK: u64 = 256 << 20;
/// The most pixels of one plane.
const MAX_AREA: u64 = 1 << 46;
/// The most planes of one image.
const MAX_PLANES: u64 = 1 << 22;

/// An image of subblocks, which may be many tiles of one plane, overlap, and leave gaps.
pub(super) struct Mosaic {
    pub(super) info: RasterInfo,
    file: Arc<SourceFile>,
    kind: PixelType,
    /// The left and top of the whole image.
    origin: [i64; 2],
    /// Samples count as one channel here.
    channels: u64,
    /// The tiles of each plane in the order t, c, z; upper ones last.
    planes: HashMap<u64, Vec<Subblock>>,
    cache: Cache<u64>,
}

impl Mosaic {
    pub(super) fn new(
        file: &Arc<SourceFile>,
        mut parts: Vec<Subblock>,
        notes: &mut Vec<Finding>,
    ) -> Result<Self, OmeZarrError> {
        let path = file.path();
        parts.sort_by_key(|part| (part.order, part.at));
        let kind = check(path, &parts)?;
        let bounds = Bounds::of(&parts);
        let sizes = bounds.planes;
        let count = sizes.iter().try_fold(1_u64, |count, size| count.checked_mul(*size));
        let count = count.filter(|count| *count <= MAX_PLANES);
        let count = count.ok_or_else(|| OmeZarrError::too_large(path, "it has more than 4,194,304 planes"))?;
        let block = parts.first().map_or([1, 1], |part| [u64::from(part.height), u64::from(part.width)]);
        let mut planes = HashMap::<u64, Vec<Subblock>>::new();
        for part in parts {
            planes.entry(bounds.number(&part)).or_default().push(part);
        }
        if planes.len() as u64 != count {
            let missing = count - planes.len() as u64;
            let reason =
                format!("{missing} of the {count} planes of an image are not in it: nothing is put in their place");
            return Err(OmeZarrError::metadata(path, reason));
        }
        let size = bounds.size;
        let area = size[0].checked_mul(size[1]).filter(|area| *area <= MAX_AREA);
        let area = area.ok_or_else(|| OmeZarrError::too_large(path, format!("its tiles span {size:?} pixels")))?;
        if planes.values().any(|tiles| covered(tiles) < area) {
            let message = "its tiles do not cover the whole image: the gaps are 0, as its maker shows them";
            notes.push(note("gaps", path, message));
        }
        let samples = u64::from(kind.samples);
        let info = RasterInfo {
            name: String::new(),
            shape: [sizes[0], sizes[1] * samples, sizes[2], size[0], size[1]],
            data_type: kind.data_type,
            block,
            pixel_size: [const { None }; 5],
            channels: Vec::<RasterChannel>::new(),
            is_rgb: samples >= 3 && sizes[1] == 1,
            is_label: false,
            field: None,
        };
        let (file, cache) = (Arc::clone(file), Cache::default());
        Ok(Self { info, file, kind, origin: bounds.origin, channels: sizes[1], planes, cache })
    }

    /// Draws what a tile has of a region of one plane of samples.
    fn draw(
        &self,
        tile: &Subblock,
        sample: u16,
        start: Tczyx,
        shape: Tczyx,
        out: &mut [u8],
    ) -> Result<(), OmeZarrError> {
        let (top, left) = (tile.y - self.origin[0], tile.x - self.origin[1]);
        let clip = |from: u64, size: u64, at: i64, side: u32| {
            let first = (from as i64).max(at);
            (first, ((from + size) as i64).min(at + i64::from(side)))
        };
        let (y0, y1) = clip(start[Y], shape[Y], top, tile.height);
        let (x0, x1) = clip(start[X], shape[X], left, tile.width);
        if y0 >= y1 || x0 >= x1 {
            return Ok(());
        }
        let pixels = self.pixels(tile)?;
        let (size, pixel) = (self.kind.data_type.size(), self.kind.bytes() as usize);
        // Blue comes first.
        let sample = if self.kind.samples >= 3 && sample < 3 { 2 - sample } else { sample };
        for y in y0..y1 {
            let from = ((y - top) as usize * tile.width as usize + (x0 - left) as usize) * pixel;
            let row = &pixels[from..from + (x1 - x0) as usize * pixel];
            let to = ((y as u64 - start[Y]) * shape[X] + (x0 as u64 - start[X])) as usize * size;
            let target = &mut out[to..to + (x1 - x0) as usize * size];
            let shift = usize::from(sample) * size;
            for (to, pixel) in target.chunks_exact_mut(size).zip(row.chunks_exact(pixel)) {
                to.copy_from_slice(&pixel[shift..shift + size]);
                if cfg!(target_endian = "big") {
                    to.reverse();
                }
            }
        }
        Ok(())
    }

    /// The pixels of a tile, decoded.
    fn pixels(&self, tile: &Subblock) -> Result<Arc<Vec<u8>>, OmeZarrError> {
        let length = u64::from(tile.width) * u64::from(tile.height) * self.kind.bytes();
        self.cache.get(tile.at, length, || {
            let failed = |reason: String| {
                OmeZarrError::decode(self.file.path(), format!("the subblock at byte {} {reason}", tile.at))
            };
            let (start, size) = directory::data(&self.file, tile.at)?;
            if size > MAX_SUBBLOCK * 2 {
                return Err(failed(format!("is said to have {size} bytes")));
            }
            let bytes = self.file.read(start..start.saturating_add(size))?;
            decode(&bytes, tile.compression, length as usize).map_err(failed)
        })
    }
}

impl Raster for Mosaic {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read(&self, start: Tczyx, shape: Tczyx, out: &mut [u8]) -> Result<(), OmeZarrError> {
        self.info.check_region(start, shape, out.len(), self.file.path())?;
        out.fill(0);
        let plane = out.len() / (shape[T] * shape[C] * shape[Z]) as usize;
        for (index, out) in out.chunks_exact_mut(plane).enumerate() {
            let index = index as u64;
            let (z, c, t) = (index % shape[Z], index / shape[Z] % shape[C], index / shape[Z] / shape[C]);
            let (t, c, z) = (start[T] + t, start[C] + c, start[Z] + z);
            let samples = u64::from(self.kind.samples);
            let (c, sample) = (c / samples, (c % samples) as u16);
            let key = (t * self.channels + c) * self.info.shape[Z] + z;
            for tile in self.planes.get(&key).into_iter().flatten() {
                self.draw(tile, sample, start, shape, out)?;
            }
        }
        Ok(())
    }
}

/// What the subblocks of an image span.
struct Bounds {
    /// The least t, c and z.
    first: [i64; 3],
    /// The planes along t, c and z.
    planes: [u64; 3],
    /// The top and left.
    origin: [i64; 2],
    /// Height and width.
    size: [u64; 2],
}

impl Bounds {
    fn of(parts: &[Subblock]) -> Self {
        let least = |of: &dyn Fn(&Subblock) -> i64| parts.iter().map(of).min().unwrap_or(0);
        let most = |of: &dyn Fn(&Subblock) -> i64| parts.iter().map(of).max().unwrap_or(0);
        let plane = |axis: usize| move |part: &Subblock| i64::from(part.plane[axis]);
        let first = [0, 1, 2].map(|axis| least(&plane(axis)));
        let planes = [0, 1, 2].map(|axis| (most(&plane(axis)) - first[axis] + 1) as u64);
        let origin = [least(&|part| part.y), least(&|part| part.x)];
        let end = [most(&|part| part.y + i64::from(part.height)), most(&|part| part.x + i64::from(part.width))];
        Self { first, planes, origin, size: [(end[0] - origin[0]) as u64, (end[1] - origin[1]) as u64] }
    }

    /// The number of a subblock's plane in the order t, c, z.
    fn number(&self, part: &Subblock) -> u64 {
        let at: [u64; 3] = std::array::from_fn(|axis| (i64::from(part.plane[axis]) - self.first[axis]) as u64);
        (at[0] * self.planes[1] + at[1]) * self.planes[2] + at[2]
    }
}

/// Refuses an image whose subblocks differ, or cannot be decoded here.
fn check(path: &str, parts: &[Subblock]) -> Result<PixelType, OmeZarrError> {
    let first = parts.first().ok_or_else(|| OmeZarrError::decode(path, "an image has no subblocks"))?;
    let kind = PixelType::read(first.pixel_type)
        .ok_or_else(|| refused(path, format!("its pixels are of type {}", first.pixel_type)))?;
    for part in parts {
        if part.pixel_type != first.pixel_type {
            return Err(refused(path, "its channels have different types of pixel"));
        }
        let codec = match part.compression {
            0 | 5 | 6 => None,
            1 => Some("JPEG".to_owned()),
            2 => Some("LZW".to_owned()),
            4 => Some("JPEG XR".to_owned()),
            other => Some(format!("the codec {other}")),
        };
        if let Some(codec) = codec {
            return Err(refused(path, format!("its pixels are compressed with {codec}")));
        }
        let bytes = (u64::from(part.width) * u64::from(part.height)).saturating_mul(kind.bytes());
        if bytes == 0 || bytes > MAX_SUBBLOCK {
            return Err(OmeZarrError::too_large(
                path,
                format!("a subblock has {} x {} pixels", part.width, part.height),
            ));
        }
    }
    Ok(kind)
}

/// At most so many pixels are covered by tiles, were none to overlap.
fn covered(tiles: &[Subblock]) -> u64 {
    tiles.iter().map(|tile| u64::from(tile.width) * u64::from(tile.height)).sum()
}

fn decode(bytes: &[u8], compression: i32, length: usize) -> Result<Vec<u8>, String> {
    let (frame, is_split) = match compression {
        0 => {
            let exact = bytes.get(..length).ok_or("holds fewer bytes than its size needs")?;
            return Ok(exact.to_vec());
        }
        5 => (bytes, false),
        // The first byte is the length of a header of chunks; the only one known says that bytes are split.
        _ => match bytes {
            [1, frame @ ..] => (frame, false),
            [3, 1, flags, frame @ ..] => (frame, flags & 1 == 1),
            _ => return Err("has a Zstandard header that is not known".to_owned()),
        },
    };
    let mut decoder = zstd::Decoder::new(frame).map_err(|error| error.to_string())?;
    let mut decoded = vec![0; length];
    decoder.read_exact(&mut decoded).map_err(|error| format!("cannot be decoded: {error}"))?;
    if decoder.read(&mut [0]).is_ok_and(|more| more > 0) {
        return Err("holds more pixels than its size needs".to_owned());
    }
    if !is_split {
        return Ok(decoded);
    }
    // The low bytes of all numbers, then the high ones.
    let (low, high) = decoded.split_at(length / 2);
    Ok(low.iter().zip(high).flat_map(|(low, high)| [*low, *high]).collect())
}
