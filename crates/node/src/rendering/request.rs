//! What a picture is asked for with, as addresses carry it.

use std::collections::BTreeMap;

use ome_zarr::{ChannelChoice, PictureFormat, TILE_SIDES, Thumbnail, Tile};

use crate::NodeError;

/// Sides a thumbnail may have, in pixels; others are rounded up, so that the cache stays small.
const SIDES: [u32; 5] = [64, 128, 256, 512, 1024];
/// The side of a thumbnail when nobody says.
const SIDE: u32 = 256;
/// The longest value of a parameter, in bytes.
const MAX_VALUE: usize = 400;

/// A picture that somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureRequest {
    /// What it shows.
    pub view: PictureView,
    /// Its file format; none means the one the client likes best.
    pub format: Option<PictureFormat>,
}

/// What a picture shows.
#[derive(Debug, Clone, PartialEq)]
pub enum PictureView {
    /// A small picture of the whole.
    Thumbnail(Thumbnail),
    /// A square of one plane of one level.
    Tile(Tile),
}

impl PictureRequest {
    /// Reads a thumbnail's parameters from decoded name–value pairs.
    ///
    /// # Errors
    /// When a name is not known or given twice, or a value cannot be read.
    pub fn thumbnail<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, NodeError> {
        let mut values = Values::read(pairs, &["size", "format", "c", "labels"])?;
        let size: u32 = values.number("size")?.unwrap_or(SIDE);
        let fitting = SIDES.into_iter().find(|side| size > 0 && *side >= size);
        let max_side = fitting.ok_or_else(|| wrong("size", &size.to_string(), "use 1 to 1024 pixels"))?;
        let (channels, labels, format) = (values.channels()?, values.take("labels"), values.format()?);
        Ok(Self { view: PictureView::Thumbnail(Thumbnail { max_side, channels, labels }), format })
    }

    /// Reads a tile's parameters from decoded name–value pairs.
    ///
    /// # Errors
    /// As for [`PictureRequest::thumbnail`].
    pub fn tile<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, NodeError> {
        let known = ["level", "x", "y", "z", "t", "c", "size", "format", "labels"];
        let mut values = Values::read(pairs, &known)?;
        let size: u32 = values.number("size")?.unwrap_or(TILE_SIDES[0]);
        if !TILE_SIDES.contains(&size) {
            return Err(wrong("size", &size.to_string(), "a tile is 256 or 512 pixels wide"));
        }
        let tile = Tile {
            level: values.number("level")?.unwrap_or(0),
            x: values.number("x")?.unwrap_or(0),
            y: values.number("y")?.unwrap_or(0),
            z: values.number("z")?,
            t: values.number("t")?,
            channels: values.channels()?,
            labels: values.take("labels"),
            size,
        };
        Ok(Self { view: PictureView::Tile(tile), format: values.format()? })
    }
}

impl PictureView {
    /// The same text for the same picture, whatever order or spelling it was asked for in.
    pub(super) fn canonical(&self) -> String {
        let channels =
            |channels: &[ChannelChoice]| channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let labels = |labels: &Option<String>| labels.clone().unwrap_or_default();
        match self {
            Self::Thumbnail(of) => {
                format!("thumbnail {} c={} labels={}", of.max_side, channels(&of.channels), labels(&of.labels))
            }
            Self::Tile(of) => format!(
                "tile {} {} {} {} z={:?} t={:?} c={} labels={}",
                of.level,
                of.x,
                of.y,
                of.size,
                of.z,
                of.t,
                channels(&of.channels),
                labels(&of.labels)
            ),
        }
    }
}

/// Parameters, each at most once.
struct Values<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Values<'a> {
    fn read(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, known: &[&str]) -> Result<Self, NodeError> {
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if !known.contains(&name) {
                let expected = format!("this address takes {}", known.join(", "));
                return Err(wrong(name, value, &expected));
            }
            if value.len() > MAX_VALUE {
                return Err(wrong(name, value, "this is longer than any value"));
            }
            if values.insert(name, value).is_some() {
                return Err(wrong(name, value, "it is given twice"));
            }
        }
        Ok(Self(values))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(str::to_owned)
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str) -> Result<Option<T>, NodeError> {
        let number = |value: &str| value.parse().map_err(|_| wrong(name, value, "use a whole number of at least 0"));
        self.0.remove(name).map(number).transpose()
    }

    fn channels(&mut self) -> Result<Vec<ChannelChoice>, NodeError> {
        let Some(value) = self.0.remove("c") else { return Ok(Vec::new()) };
        value.split(',').map(|choice| Ok(choice.parse::<ChannelChoice>()?)).collect()
    }

    fn format(&mut self) -> Result<Option<PictureFormat>, NodeError> {
        let named = |value: &str| {
            let format = [PictureFormat::Png, PictureFormat::WebP].into_iter().find(|format| format.name() == value);
            format.ok_or_else(|| wrong("format", value, "use png or webp"))
        };
        self.0.remove("format").map(named).transpose()
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> NodeError {
    let shown = |text: &str| text.chars().take(60).collect::<String>().escape_debug().to_string();
    NodeError::Invalid(format!("'{}={}': {expected}", shown(name), shown(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_has_one_text_however_it_is_asked_for() {
        let text = |pairs: &[(&str, &str)]| PictureRequest::tile(pairs.iter().copied()).unwrap().view.canonical();
        assert_eq!(
            text(&[("x", "1"), ("c", "0:1e2-2e3:ff00ff")]),
            text(&[("c", "0:100-2000:FF00FF"), ("x", "1"), ("size", "256"), ("y", "0"), ("format", "webp")])
        );
        assert_ne!(text(&[("z", "0")]), text(&[]));
        let thumbnail = |size| PictureRequest::thumbnail([("size", size)]).unwrap().view;
        assert_eq!(thumbnail("65"), thumbnail("128"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let tiles = [
            ("x", "-1"),
            ("z", "1e18"),
            ("level", "18446744073709551616"),
            ("size", "300"),
            ("format", "exe"),
            ("colour", "red"),
            ("c", "0,,1"),
            ("c", ""),
            ("x", ""),
        ];
        for pair in tiles {
            assert!(PictureRequest::tile([pair]).is_err(), "{pair:?}");
        }
        for size in ["0", "1025", "-5", "256px", "99999999999"] {
            assert!(PictureRequest::thumbnail([("size", size)]).is_err(), "{size}");
        }
        assert!(PictureRequest::tile([("x", "1"), ("x", "1")]).is_err());
        assert!(PictureRequest::thumbnail([("level", "1")]).is_err());
        assert!(PictureRequest::thumbnail([("labels", "x".repeat(500).as_str())]).is_err());
    }
}
