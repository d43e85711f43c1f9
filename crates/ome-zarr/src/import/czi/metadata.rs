use quick_xml::{Reader, XmlVersion, events::Event};

use crate::raster::RasterChannel;

/// No document known nests deeper than a third of this.
const MAX_DEPTH: usize = 96;
const MAX_CHANNELS: usize = 4096;

/// What the XML of a CZI file says of its images.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) name: String,
    /// x, y, z in metres.
    pub(super) scaling: [Option<f64>; 3],
    pub(super) channels: Vec<RasterChannel>,
}

impl Metadata {
    /// Reads as much as can be understood: pixels do not depend on it.
    pub(super) fn read(xml: &str) -> Self {
        let mut metadata = Self::default();
        let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}').trim_start());
        let mut path = Vec::<String>::new();
        let (mut axis, mut shown) = (None, 0);
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    let attribute = |name: &str| {
                        let found = start.try_get_attribute(name).ok().flatten()?;
                        found.normalized_value(XmlVersion::Implicit1_0).ok().map(String::from)
                    };
                    path.push(start.local_name().as_ref().to_owned());
                    match place(&path).as_str() {
                        "Scaling/Items/Distance" => axis = attribute("Id").and_then(|id| "XYZ".find(&id)),
                        "Dimensions/Channels/Channel" => metadata.channels.push(RasterChannel {
                            name: attribute("Name").filter(|name| !name.trim().is_empty()),
                            ..RasterChannel::default()
                        }),
                        "DisplaySetting/Channels/Channel" => shown += 1,
                        _ => {}
                    }
                    if path.len() > MAX_DEPTH || metadata.channels.len() > MAX_CHANNELS {
                        return Self::default();
                    }
                }
                Ok(Event::End(_)) => drop(path.pop()),
                Ok(Event::Text(text)) => metadata.text(&path, text.trim(), axis, shown),
                Ok(Event::DocType(_)) => return Self::default(),
                Ok(Event::Eof) | Err(_) => return metadata,
                _ => {}
            }
        }
    }

    fn text(&mut self, path: &[String], text: &str, axis: Option<usize>, shown: usize) {
        let number = || text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
        let in_display = path.iter().any(|name| name == "DisplaySetting");
        match (path.last().map_or("", String::as_str), axis) {
            ("Value", Some(axis)) if place(path) == "Items/Distance/Value" => self.scaling[axis] = number(),
            ("EmissionWavelength", _) if !in_display => {
                if let Some(channel) = self.channels.last_mut() {
                    channel.emission = number();
                }
            }
            ("ExcitationWavelength", _) if !in_display => {
                if let Some(channel) = self.channels.last_mut() {
                    channel.excitation = number();
                }
            }
            ("Color", _) if in_display && place(path) == "Channels/Channel/Color" => {
                // `#FFRRGGBB`, of the channels in the same order.
                let color = text.strip_prefix('#').filter(|color| color.len() == 8 && color.is_ascii());
                if let Some((channel, color)) = shown.checked_sub(1).and_then(|at| self.channels.get_mut(at)).zip(color)
                {
                    channel.color =
                        Some(color[2..].to_uppercase()).filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()));
                }
            }
            ("Name", _) if place(path) == "Information/Document/Name" => text.clone_into(&mut self.name),
            _ => {}
        }
    }
}

/// The last three elements of a path.
fn place(path: &[String]) -> String {
    path[path.len().saturating_sub(3)..].join("/")
}
