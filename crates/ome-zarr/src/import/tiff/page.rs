use std::sync::Arc;

use super::{
    codec::{MAX_CHUNK_BYTES, codec},
    directory::{Directory, Field, Reader},
    layout::{Layout, Photometric},
};
use crate::{error::OmeZarrError, import::formats};

const DESCRIPTION: u16 = 270;
const STRIP_OFFSETS: u16 = 273;
const STRIP_BYTES: u16 = 279;
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
const RESOLUTION_UNIT: u16 = 296;
const SUBFILE_TYPE: u16 = 254;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTES: u16 = 325;
/// No description is longer: the largest OME-XML documents known are a third of it.
const MAX_DESCRIPTION: u64 = 256 << 20;

/// One picture of a TIFF file: how its pixels are stored, and where.
pub(in crate::import) struct Page {
    pub(super) layout: Arc<Layout>,
    pub(super) offsets: Numbers,
    pub(super) sizes: Option<Numbers>,
    description: Option<Field>,
    /// A smaller copy of another page (TIFF 6.0, `NewSubfileType`).
    pub(in crate::import) is_reduced: bool,
}

/// Numbers of a field: the one there is, or where they are.
pub(super) enum Numbers {
    One(u64),
    Many(Field),
}

/// Pixels per unit, and the unit as TIFF numbers it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::import) struct Resolution {
    pub(in crate::import) x: Option<f64>,
    pub(in crate::import) y: Option<f64>,
    /// 1 none, 2 inch, 3 centimetre.
    pub(in crate::import) unit: u64,
}

impl Page {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        directory: &Directory,
        path: &str,
        last: Option<&Arc<Layout>>,
    ) -> Result<Self, OmeZarrError> {
        let layout = Layout::read(reader, directory, path)?;
        let layout = match last {
            Some(last) if **last == layout => Arc::clone(last),
            _ => Arc::new(layout),
        };
        let (offsets, sizes) = if layout.is_tiled { (TILE_OFFSETS, TILE_BYTES) } else { (STRIP_OFFSETS, STRIP_BYTES) };
        let offsets = directory
            .field(offsets)
            .ok_or_else(|| OmeZarrError::decode(path, "a page does not say where its pixels are"))?;
        let sizes = directory.field(sizes);
        let needed = layout.chunk_count();
        let has_all = |field: Field| field.count >= needed;
        if !has_all(offsets) || sizes.is_some_and(|sizes| !has_all(sizes)) {
            return Err(OmeZarrError::decode(path, format!("a page needs {needed} strips or tiles and lists fewer")));
        }
        let subfile = directory.field(SUBFILE_TYPE).map(|field| reader.whole(field)).transpose()?.unwrap_or(0);
        Ok(Self {
            layout,
            offsets: numbers(reader, offsets)?,
            sizes: sizes.map(|sizes| numbers(reader, sizes)).transpose()?,
            description: directory.field(DESCRIPTION),
            is_reduced: subfile & 1 == 1,
        })
    }

    pub(in crate::import) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether all strips follow each other without a gap, so that further planes may follow them.
    pub(super) fn has_one_part(&self) -> bool {
        self.layout.chunk_count() == 1
    }

    /// The text beside the picture.
    pub(super) fn description(&self, reader: &mut Reader<'_>) -> Result<Option<String>, OmeZarrError> {
        self.description.map_or(Ok(None), |field| text(reader, field))
    }

    /// Whether its pixels can be read here.
    ///
    /// # Errors
    /// They cannot: the message names the codec or type, and the way out.
    pub(in crate::import) fn check_readable(&self, path: &str) -> Result<(), OmeZarrError> {
        let layout = &self.layout;
        let (name, is_read) = codec(layout.compression);
        let refused = |reason: String| Err(formats::unsupported(path, "TIFF", reason));
        if !is_read {
            return refused(format!("its pixels are compressed with {name} (TIFF code {})", layout.compression));
        }
        if layout.data_type().is_none() {
            let kind = match layout.format {
                1 => "unsigned",
                2 => "signed",
                3 => "floating-point",
                _ => "complex or unknown",
            };
            return refused(format!("its pixels are {kind} numbers of {} bits", layout.bits));
        }
        if layout.photometric == Photometric::YCbCr && layout.compression != 7 {
            return refused("its colours are stored as YCbCr without JPEG".to_owned());
        }
        if layout.photometric == Photometric::YCbCr && layout.planar {
            return refused("its colours are stored as YCbCr apart from each other".to_owned());
        }
        if layout.lowest_bit_first && layout.bits != 1 {
            return refused("the bits of its bytes are stored in reverse order".to_owned());
        }
        if !matches!(layout.predictor, 1..=3) || (layout.predictor > 1 && layout.bits == 1) {
            return refused(format!("it uses the predictor {}", layout.predictor));
        }
        let chunk = layout.bytes_of(layout.chunk_height);
        if !layout.is_plain() && chunk > MAX_CHUNK_BYTES {
            return Err(OmeZarrError::too_large(
                path,
                format!(
                    "one compressed strip or tile holds {chunk} bytes, and at most {MAX_CHUNK_BYTES} are decoded at \
                     once: save the file in tiles, or without compression"
                ),
            ));
        }
        Ok(())
    }
}

/// A text up to its first NUL; bytes that are not UTF-8 are taken as Latin-1.
fn text(reader: &mut Reader<'_>, field: Field) -> Result<Option<String>, OmeZarrError> {
    let bytes = reader.raw(field, MAX_DESCRIPTION)?;
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let latin = || bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let text = std::str::from_utf8(bytes).map_or_else(|_| latin(), str::to_owned);
    Ok((!text.trim().is_empty()).then_some(text))
}

/// The resolution a directory states.
pub(super) fn resolution(reader: &mut Reader<'_>, directory: &Directory) -> Result<Resolution, OmeZarrError> {
    let mut fraction = |tag| directory.field(tag).map(|field| reader.fraction(field)).transpose().map(Option::flatten);
    let (x, y) = (fraction(X_RESOLUTION)?, fraction(Y_RESOLUTION)?);
    let unit = directory.field(RESOLUTION_UNIT).map(|field| reader.whole(field)).transpose()?.unwrap_or(2);
    Ok(Resolution { x, y, unit })
}

fn numbers(reader: &mut Reader<'_>, field: Field) -> Result<Numbers, OmeZarrError> {
    Ok(if field.count == 1 { Numbers::One(reader.whole(field)?) } else { Numbers::Many(field) })
}
