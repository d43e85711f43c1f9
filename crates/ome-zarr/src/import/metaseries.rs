//! What `MetaMorph` and `ImageXpress` write beside a picture: `<MetaData><prop id="…" value="…"/>`.

use quick_xml::{Reader, XmlVersion, events::Event};

use super::units;
use crate::raster::{RasterInfo, X, Y};

/// Notes the size of a pixel, if the text is theirs and says that it was calibrated.
pub(super) fn describe(info: &mut RasterInfo, text: Option<&str>) {
    let Some(text) = text.filter(|text| text.starts_with("<MetaData>")) else { return };
    let (mut sizes, mut unit, mut is_on) = ([None, None], String::new(), false);
    let mut reader = Reader::from_str(text);
    while let Ok(event) = reader.read_event() {
        let prop = match event {
            Event::Empty(prop) if prop.local_name().as_ref() == "prop" => prop,
            Event::Eof => break,
            _ => continue,
        };
        let attribute = |name: &str| {
            let found = prop.try_get_attribute(name).ok().flatten()?;
            found.normalized_value(XmlVersion::Implicit1_0).ok().map(String::from)
        };
        let Some((id, value)) = attribute("id").zip(attribute("value")) else { continue };
        match id.as_str() {
            "spatial-calibration-state" => is_on = value == "on",
            "spatial-calibration-x" => sizes[0] = value.parse::<f64>().ok(),
            "spatial-calibration-y" => sizes[1] = value.parse::<f64>().ok(),
            "spatial-calibration-units" => unit = value,
            _ => {}
        }
    }
    for (axis, size) in [X, Y].into_iter().zip(sizes).filter(|_| is_on) {
        info.pixel_size[axis] = size.and_then(|size| units::length(size, &unit));
    }
}
