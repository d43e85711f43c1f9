use rayon::prelude::*;

use super::{
    Files, TiffFile,
    layout::Layout,
    pixels::{Rectangle, Source},
    store::Store,
};
use crate::{
    error::OmeZarrError,
    raster::{C, Raster, RasterChannel, RasterInfo, T, Tczyx, X, Y, Z},
};

/// The most planes of one image.
const MAX_PLANES: u64 = 1 << 22;

/// Where a plane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) struct Place {
    /// Which of the files.
    pub(in crate::import) file: u32,
    pub(in crate::import) page: u32,
    /// Which sample of each pixel.
    pub(in crate::import) sample: u16,
    /// How many bytes behind the page's own pixels.
    pub(in crate::import) shift: u64,
}

/// An image made of pages: one page, or one sample of a page, is one plane.
pub(in crate::import) struct Stack {
    pub(in crate::import) info: RasterInfo,
    files: Files,
    /// In the order t, c, z.
    places: Vec<Place>,
    store: Store,
}

impl Stack {
    /// An image of `t`, `c` and `z` planes, given in this order, z the fastest.
    ///
    /// # Errors
    /// The pages differ in size or type, or cannot be read here.
    pub(in crate::import) fn new(
        files: Files,
        places: Vec<Place>,
        [t, c, z]: [u64; 3],
        name: &str,
    ) -> Result<Self, OmeZarrError> {
        let first = places.first().copied().filter(|_| places.len() as u64 == t * c * z);
        let first = first.ok_or_else(|| OmeZarrError::metadata(files[0].file.path(), "an image has no planes"))?;
        let path = files[first.file as usize].file.path().to_owned();
        let layout = layout(&files, first).clone();
        check_alike(&files, &places, &layout)?;
        let data_type = layout
            .data_type()
            .ok_or_else(|| OmeZarrError::decode(&path, "the type of its pixels is not one that images have"))?;
        let block = match (layout.is_plain(), layout.is_tiled) {
            (true, false) => [1, layout.width],
            _ => [layout.chunk_height.min(layout.height), layout.chunk_width.min(layout.width)],
        };
        let is_rgb = layout.is_rgb() && c == u64::from(layout.samples);
        let info = RasterInfo {
            name: name.to_owned(),
            shape: [t, c, z, layout.height, layout.width],
            data_type,
            block,
            pixel_size: [const { None }; 5],
            channels: if is_rgb { colours(c) } else { Vec::new() },
            is_rgb,
            is_label: false,
            field: None,
        };
        Ok(Self { info, files, places, store: Store::default() })
    }

    /// The layout of its first page.
    pub(in crate::import) fn layout(&self) -> &Layout {
        layout(&self.files, self.places[0])
    }

    fn place(&self, t: u64, c: u64, z: u64) -> Place {
        let [_, channels, depth, ..] = self.info.shape;
        self.places[((t * channels + c) * depth + z) as usize]
    }

    fn source(&self, place: Place) -> Source<'_> {
        let file = &self.files[place.file as usize];
        Source { store: &self.store, file, at: (place.file, place.page), shift: place.shift }
    }

    /// One page is one plane: planes are read side by side.
    fn read_planes(&self, start: Tczyx, shape: Tczyx, out: &mut [u8], area: Rectangle) -> Result<(), OmeZarrError> {
        let plane = out.len() / (shape[T] * shape[C] * shape[Z]) as usize;
        let read = |(index, out): (usize, &mut [u8])| {
            let index = index as u64;
            let (z, c, t) = (index % shape[Z], index / shape[Z] % shape[C], index / shape[Z] / shape[C]);
            let place = self.place(start[T] + t, start[C] + c, start[Z] + z);
            self.source(place).read(area, &[(place.sample, 0)], out)
        };
        if out.len() == plane { read((0, out)) } else { out.par_chunks_mut(plane).enumerate().try_for_each(read) }
    }

    /// One page is several planes, which are filled together.
    fn read_samples(&self, start: Tczyx, shape: Tczyx, out: &mut [u8], area: Rectangle) -> Result<(), OmeZarrError> {
        let plane = out.len() / (shape[T] * shape[C] * shape[Z]) as usize;
        for (t, z) in (0..shape[T]).flat_map(|t| (0..shape[Z]).map(move |z| (t, z))) {
            let mut c = 0;
            while c < shape[C] {
                let at = |c: u64| self.place(start[T] + t, start[C] + c, start[Z] + z);
                let first = at(c);
                let together = |place: Place| Place { sample: first.sample, ..place } == first;
                let wanted: Vec<(u16, usize)> = (c..shape[C])
                    .map_while(|c| Some((at(c), c)).filter(|(place, _)| together(*place)))
                    .map(|(place, c)| (place.sample, ((t * shape[C] + c) * shape[Z] + z) as usize * plane))
                    .collect();
                c += wanted.len() as u64;
                self.source(first).read(area, &wanted, out)?;
            }
        }
        Ok(())
    }
}

impl Raster for Stack {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read(&self, start: Tczyx, shape: Tczyx, out: &mut [u8]) -> Result<(), OmeZarrError> {
        self.info.check_region(start, shape, out.len(), self.files[0].file.path())?;
        let area = Rectangle { y: start[Y], x: start[X], height: shape[Y], width: shape[X] };
        if self.layout().interleaved() == 1 {
            self.read_planes(start, shape, out, area)
        } else {
            self.read_samples(start, shape, out, area)
        }
    }
}

fn layout(files: &[TiffFile], place: Place) -> &Layout {
    &files[place.file as usize].pages[place.page as usize].layout
}

/// Refuses an image whose planes are not alike, or not readable.
fn check_alike(files: &[TiffFile], places: &[Place], first: &Layout) -> Result<(), OmeZarrError> {
    let path = |place: Place| files[place.file as usize].file.path();
    if places.len() as u64 > MAX_PLANES {
        return Err(OmeZarrError::too_large(path(places[0]), format!("it has more than {MAX_PLANES} planes")));
    }
    let kind = |layout: &Layout| (layout.width, layout.height, layout.data_type(), layout.interleaved());
    for place in places {
        let page = &files[place.file as usize].pages[place.page as usize];
        if kind(&page.layout) != kind(first) || place.sample >= page.layout.samples {
            return Err(OmeZarrError::metadata(
                path(*place),
                format!("page {} differs from the first of its image in size or type of pixel", place.page),
            ));
        }
        page.check_readable(path(*place))?;
    }
    Ok(())
}

/// Red, green, blue, and what follows them.
fn colours(count: u64) -> Vec<RasterChannel> {
    let known = [("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF")];
    let channel = |index: u64| match known.get(index as usize) {
        Some((name, color)) => RasterChannel {
            name: Some((*name).to_owned()),
            color: Some((*color).to_owned()),
            ..RasterChannel::default()
        },
        None => RasterChannel { name: (index == 3).then(|| "alpha".to_owned()), ..RasterChannel::default() },
    };
    (0..count).map(channel).collect()
}
