use std::sync::Arc;

use rayon::prelude::*;

use super::{
    TiffFile,
    layout::Layout,
    page::Page,
    store::{ChunkKey, Store},
};
use crate::error::OmeZarrError;

/// Bytes that are not needed are read along if they are fewer than this: a second read would cost more.
const MAX_GAP: u64 = 32 << 10;
/// The most bytes read at once.
const MAX_READ: u64 = 8 << 20;
/// Strips and tiles decoded side by side hold at most so much.
const MAX_BATCH: u64 = 16 << 20;

/// A rectangle of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rectangle {
    pub(super) y: u64,
    pub(super) x: u64,
    pub(super) height: u64,
    pub(super) width: u64,
}

/// Which samples of a page are wanted, and where in the output the plane of each begins.
pub(super) type Wanted = [(u16, usize)];

/// A page of a file, to read from.
pub(super) struct Source<'a> {
    pub(super) store: &'a Store,
    pub(super) file: &'a TiffFile,
    /// The number of the file, and that of the page in it.
    pub(super) at: (u32, u32),
    /// Added to the place of the pixels in the file.
    pub(super) shift: u64,
}

/// A stretch of one row that lies in one strip or tile.
struct Stretch {
    /// Where it begins: in the file, or in the decoded part.
    at: u64,
    /// Its first pixel, counted in the rectangle.
    first: usize,
    pixels: usize,
}

/// The part of a strip or tile that a rectangle needs.
struct Part {
    chunk: u64,
    /// Rows the strip or tile holds.
    rows: u64,
    stretches: Vec<Stretch>,
}

impl Source<'_> {
    fn page(&self) -> &Page {
        &self.file.pages[self.at.1 as usize]
    }

    /// Fills planes of `out` with a rectangle of the page.
    pub(super) fn read(&self, area: Rectangle, wanted: &Wanted, out: &mut [u8]) -> Result<(), OmeZarrError> {
        let layout = &self.page().layout;
        if !layout.planar {
            return self.read_group(area, 0, wanted, out);
        }
        // Each sample is a plane of its own in the file.
        for (sample, offset) in wanted {
            self.read_group(area, u64::from(*sample), &[(0, *offset)], out)?;
        }
        Ok(())
    }

    /// Reads samples that are stored side by side.
    fn read_group(&self, area: Rectangle, plane: u64, wanted: &Wanted, out: &mut [u8]) -> Result<(), OmeZarrError> {
        let layout = &self.page().layout;
        let parts = parts(layout, area, plane);
        if layout.is_plain() { self.copy(&parts, layout, wanted, out) } else { self.decode(parts, layout, wanted, out) }
    }

    /// Pixels that stand in the file as they are.
    fn copy(&self, parts: &[Part], layout: &Layout, wanted: &Wanted, out: &mut [u8]) -> Result<(), OmeZarrError> {
        let mut stretches = Vec::new();
        for part in parts {
            let start = self.start_of(part, layout)?;
            let moved = |stretch: &Stretch| Stretch { at: start.saturating_add(stretch.at), ..*stretch };
            stretches.extend(part.stretches.iter().map(moved));
        }
        stretches.sort_unstable_by_key(|stretch| stretch.at);
        let pixel = layout.pixel_bytes();
        let end_of = |stretch: &Stretch| stretch.at.saturating_add(stretch.pixels as u64 * pixel);
        let swap = self.file.header.big_endian != cfg!(target_endian = "big");
        let mut rest = stretches.as_slice();
        while let Some(first) = rest.first() {
            let mut end = end_of(first);
            let more = rest.iter().skip(1).take_while(|next| {
                let joins = next.at <= end.saturating_add(MAX_GAP) && end_of(next) - first.at <= MAX_READ;
                end = if joins { end.max(end_of(next)) } else { end };
                joins
            });
            let (run, others) = rest.split_at(1 + more.count());
            let bytes = self.file.file.read(first.at..end)?;
            for stretch in run {
                let from = (stretch.at - first.at) as usize;
                let row = &bytes[from..from + stretch.pixels * pixel as usize];
                spread(row, layout, stretch.first, swap, wanted, out);
            }
            rest = others;
        }
        Ok(())
    }

    /// Where a strip or tile begins, once it is known to hold what is wanted of it.
    fn start_of(&self, part: &Part, layout: &Layout) -> Result<u64, OmeZarrError> {
        let (store, page) = (self.store, self.page());
        let start = store.number(self.file, self.at.0, &page.offsets, part.chunk)?;
        let needed = layout.bytes_of(part.rows);
        // Where there is but one part, writers got its length wrong (ImageJ beyond 4 GiB), and nothing depends on it.
        if let Some(sizes) = page.sizes.as_ref().filter(|_| layout.chunk_count() > 1) {
            let size = store.number(self.file, self.at.0, sizes, part.chunk)?;
            if size < needed {
                return Err(OmeZarrError::decode(
                    self.file.file.path(),
                    format!(
                        "strip or tile {} of page {} has {size} bytes where {needed} are needed",
                        part.chunk, self.at.1
                    ),
                ));
            }
        }
        Ok(start.saturating_add(self.shift))
    }

    /// Pixels that are compressed.
    fn decode(&self, parts: Vec<Part>, layout: &Layout, wanted: &Wanted, out: &mut [u8]) -> Result<(), OmeZarrError> {
        let per_batch = (MAX_BATCH / layout.bytes_of(layout.chunk_height).max(1)).max(1) as usize;
        let pixel = layout.pixel_bytes() as usize;
        for batch in parts.chunks(per_batch) {
            let decode = |part: &Part| {
                let key: ChunkKey = (self.at.0, self.at.1, part.chunk);
                self.store.chunk(self.file, self.page(), key, part.rows)
            };
            let decoded = match batch {
                [part] => vec![decode(part)?],
                _ => batch.par_iter().map(decode).collect::<Result<Vec<Arc<Vec<u8>>>, _>>()?,
            };
            for (part, bytes) in batch.iter().zip(decoded) {
                for stretch in &part.stretches {
                    let from = stretch.at as usize;
                    spread(&bytes[from..from + stretch.pixels * pixel], layout, stretch.first, false, wanted, out);
                }
            }
        }
        Ok(())
    }
}

/// The strips or tiles that a rectangle touches, and the stretches of rows it needs of each.
fn parts(layout: &Layout, area: Rectangle, plane: u64) -> Vec<Part> {
    let (across, down) = (layout.across(), layout.down());
    let (bottom, right) = (area.y + area.height, area.x + area.width);
    let mut parts = Vec::new();
    for row in area.y / layout.chunk_height..bottom.div_ceil(layout.chunk_height) {
        let top = row * layout.chunk_height;
        for column in area.x / layout.chunk_width..right.div_ceil(layout.chunk_width) {
            let left = column * layout.chunk_width;
            let (x0, x1) = (area.x.max(left), right.min(left + layout.chunk_width));
            let (y0, y1) = (area.y.max(top), bottom.min(top + layout.chunk_height));
            let stretch = |y: u64| Stretch {
                at: ((y - top) * layout.chunk_width + (x0 - left)) * layout.pixel_bytes(),
                first: ((y - area.y) * area.width + (x0 - area.x)) as usize,
                pixels: (x1 - x0) as usize,
            };
            parts.push(Part {
                chunk: plane * across * down + row * across + column,
                rows: layout.rows_of(row),
                stretches: (y0..y1).map(stretch).collect(),
            });
        }
    }
    parts
}

/// Copies pixels, whose samples stand side by side, to the planes that want them.
fn spread(pixels: &[u8], layout: &Layout, first: usize, swap: bool, wanted: &Wanted, out: &mut [u8]) {
    let size = layout.sample_bytes();
    let samples = usize::from(layout.interleaved());
    for (sample, plane) in wanted {
        let start = plane + first * size;
        let target = &mut out[start..start + pixels.len() / samples];
        if samples == 1 {
            target.copy_from_slice(pixels);
        } else {
            let from = usize::from(*sample) * size;
            for (to, pixel) in target.chunks_exact_mut(size).zip(pixels.chunks_exact(size * samples)) {
                to.copy_from_slice(&pixel[from..from + size]);
            }
        }
        if swap {
            swap_bytes(target, size);
        }
    }
}

fn swap_bytes(bytes: &mut [u8], size: usize) {
    match size {
        2 => bytes.chunks_exact_mut(2).for_each(|value| value.swap(0, 1)),
        4 => bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse),
        8 => bytes.chunks_exact_mut(8).for_each(<[u8]>::reverse),
        _ => {}
    }
}
