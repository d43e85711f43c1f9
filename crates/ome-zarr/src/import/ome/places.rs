use super::{
    document::{Pixels, TiffData},
    files::FileSet,
};
use crate::{error::OmeZarrError, import::tiff::Place};

/// The planes of an image, without the samples that share a page.
pub(super) struct Planes {
    /// t, c, z, where c counts the samples of a page as one.
    pub(super) sizes: [u64; 3],
    /// The samples of each page.
    pub(super) samples: u16,
    /// In the order t, c, z.
    pub(super) places: Vec<Place>,
}

/// Finds the page of every plane (OME-TIFF specification, "The `TiffData` element").
///
/// `unnamed` is the first page of the file that no earlier image without `TiffData` took.
///
/// # Errors
/// A plane has no page, or two; or a page that the document names is not there.
pub(super) fn find(
    pixels: &Pixels,
    files: &mut FileSet,
    unnamed: &mut u64,
    image: &str,
) -> Result<Planes, OmeZarrError> {
    let [_, _, z, all_channels, t] = pixels.sizes;
    let most = t.checked_mul(all_channels).and_then(|planes| planes.checked_mul(z)).filter(|planes| *planes <= 1 << 22);
    let most = most.ok_or_else(|| OmeZarrError::too_large(files.path(), "it declares more than 4,194,304 planes"))?;
    let is_listed = !pixels.planes.is_empty();
    let mut all_of_it = TiffData { first_page: Some(*unnamed), ..TiffData::default() };
    let samples = samples_of(pixels.planes.first().unwrap_or(&all_of_it), files)?;
    // Colours that share a page are one plane of it.
    let channels =
        if all_channels.is_multiple_of(u64::from(samples)) { all_channels / u64::from(samples) } else { all_channels };
    let needed = most / all_channels * channels;
    let mut found = Found { order: &pixels.order, sizes: [t, channels, z], places: vec![None; needed as usize] };
    // No list of planes: they follow each other, from the first page not yet taken.
    all_of_it.count = Some(needed);
    let listed = if is_listed { pixels.planes.as_slice() } else { std::slice::from_ref(&all_of_it) };
    for data in listed {
        let entry = entry(data, files, needed, image)?;
        if !is_listed {
            *unnamed += entry.count;
        }
        for index in 0..entry.count {
            let page = (entry.first_page + index) as u32;
            found
                .put(data, index, Place { file: entry.file, page, sample: 0, shift: 0 })
                .map_err(|reason| OmeZarrError::metadata(files.path(), format!("the OME-XML of {image} {reason}")))?;
        }
    }
    let missing = found.places.iter().filter(|place| place.is_none()).count();
    if missing > 0 {
        return Err(OmeZarrError::metadata(
            files.path(),
            format!(
                "the OME-XML of {image} declares {needed} planes and says of {missing} not where they are: nothing is \
                 put in their place"
            ),
        ));
    }
    Ok(Planes { sizes: [t, channels, z], samples, places: found.places.into_iter().flatten().collect() })
}

/// The pages that an entry stands for.
struct Entry {
    file: u32,
    first_page: u64,
    count: u64,
}

fn entry(data: &TiffData, files: &mut FileSet, needed: u64, image: &str) -> Result<Entry, OmeZarrError> {
    let file = files.index_of(data)?;
    let pages = files.page_count(file);
    let first_page = data.first_page.unwrap_or(0);
    let rest = pages.saturating_sub(first_page);
    let count = match (data.count, data.first_page) {
        (Some(count), _) => count,
        (None, Some(_)) => 1,
        (None, None) => rest.min(needed),
    };
    if count <= rest {
        return Ok(Entry { file, first_page, count });
    }
    Err(OmeZarrError::metadata(
        files.path_of(file),
        format!(
            "the OME-XML of {image} names page {}, but the file has {pages}: it is incomplete, or its metadata is that \
             of another file",
            first_page.saturating_add(count)
        ),
    ))
}

/// The samples of the first page that is named.
fn samples_of(first: &TiffData, files: &mut FileSet) -> Result<u16, OmeZarrError> {
    let file = files.index_of(first)?;
    Ok(files.samples(file, first.first_page.unwrap_or(0)))
}

struct Found<'a> {
    order: &'a str,
    /// t, c, z.
    sizes: [u64; 3],
    places: Vec<Option<Place>>,
}

impl Found<'_> {
    /// Puts the plane that is `index` planes after the first of an entry.
    fn put(&mut self, data: &TiffData, index: u64, place: Place) -> Result<(), String> {
        let [sizes_t, sizes_c, sizes_z] = self.sizes;
        let [z, mut c, t] = data.first;
        // Some writers count samples here, most count planes.
        if sizes_c == 1 {
            c = 0;
        }
        let size = |axis: char| match axis {
            'Z' => sizes_z,
            'C' => sizes_c,
            _ => sizes_t,
        };
        let first = |axis: char| match axis {
            'Z' => z,
            'C' => c,
            _ => t,
        };
        let axes: Vec<char> = self.order.chars().skip(2).collect();
        let (mut stride, mut linear) = (1_u64, 0_u64);
        for axis in &axes {
            if first(*axis) >= size(*axis) {
                return Err(format!("places a plane at {axis} {}, beyond the size of {}", first(*axis), size(*axis)));
            }
            linear += first(*axis) * stride;
            stride *= size(*axis);
        }
        linear += index;
        let mut at = [0; 3];
        for axis in axes {
            let slot = match axis {
                'T' => 0,
                'C' => 1,
                _ => 2,
            };
            at[slot] = linear % size(axis);
            linear /= size(axis);
        }
        let slot = (at[0] * sizes_c + at[1]) * sizes_z + at[2];
        let slot = self.places.get_mut(slot as usize).filter(|_| linear == 0).ok_or("lists more planes than it has")?;
        match slot {
            Some(taken) if *taken != place => Err(format!("gives two places for the plane at t, c, z {at:?}")),
            _ => {
                *slot = Some(place);
                Ok(())
            }
        }
    }
}
