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
    /// The identifiers of the channels.
    ids: Vec<Option<String>>,
}

impl Metadata {
    /// Reads as much as can be understood: pixels do not depend on it.
    pub(super) fn read(xml: &str) -> Self {
        let mut metadata = Self::default();
        let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}').trim_start());
        reader.config_mut().expand_empty_elements = true;
        let mut path = Vec::<String>::new();
        let (mut axis, mut shown) = (None, None);
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    let attribute = |name: &str| {
                        let found = start.try_get_attribute(name).ok().flatten()?;
                        found.normalized_value(XmlVersion::Implicit1_0).ok().map(String::from)
                    };
                    path.push(start.local_name().as_ref().to_owned());
                    match place(&path).as_str() {
                        "Scaling/Items/Distance" => {
                            let id = attribute("Id").unwrap_or_default();
                            axis = ["X", "Y", "Z"].iter().position(|known| *known == id);
                        }
                        "Dimensions/Channels/Channel" => {
                            metadata.ids.push(attribute("Id"));
                            let name = attribute("Name").filter(|name| !name.trim().is_empty());
                            metadata.channels.push(RasterChannel { name, ..RasterChannel::default() });
                        }
                        "DisplaySetting/Channels/Channel" => {
                            let id = attribute("Id");
                            shown = metadata.ids.iter().position(|known| known.is_some() && *known == id);
                        }
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

    fn text(&mut self, path: &[String], text: &str, axis: Option<usize>, shown: Option<usize>) {
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
                // `#FFRRGGBB`.
                let color = text.strip_prefix('#').filter(|color| color.len() == 8 && color.is_ascii());
                if let Some((channel, color)) = shown.and_then(|at| self.channels.get_mut(at)).zip(color) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_and_channels_are_found_where_the_format_keeps_them() {
        let xml = r##"<ImageDocument><Metadata><Information><Image><Dimensions><Channels>
            <Channel Id="Channel:0" Name="EGFP"><EmissionWavelength>509.5</EmissionWavelength></Channel>
            <Channel Id="Channel:1" Name="T PMT"/></Channels></Dimensions></Image></Information>
            <Scaling><Items><Distance Id="X"><Value>1.5E-07</Value></Distance><Distance Id="Z"><Value>0</Value></Distance></Items></Scaling>
            <DisplaySetting><Channels><Channel Id="Channel:1"><Color>#FFFFFFFF</Color></Channel>
            <Channel Id="Channel:0"><Color>#FF00ff5b</Color></Channel></Channels></DisplaySetting></Metadata></ImageDocument>"##;
        let metadata = Metadata::read(xml);
        assert_eq!(metadata.scaling, [Some(1.5e-7), None, None]);
        assert_eq!(metadata.channels[0].name.as_deref(), Some("EGFP"));
        assert_eq!(metadata.channels[0].emission, Some(509.5));
        assert_eq!(metadata.channels[0].color.as_deref(), Some("00FF5B"));
        assert_eq!(metadata.channels[1].color.as_deref(), Some("FFFFFF"));
        assert_eq!(Metadata::read("<a><b>").channels, []);
    }
}
