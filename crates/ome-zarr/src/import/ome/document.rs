use std::borrow::Cow;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

/// No document known nests deeper than a third of this.
const MAX_DEPTH: usize = 96;
/// The most images, channels, wells and places of planes in one document.
const MAX_ITEMS: usize = 1 << 22;

/// What an OME-XML document says, as far as images are made of it.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) uuid: Option<String>,
    /// The file that holds the real document.
    pub(super) metadata_file: Option<String>,
    pub(super) images: Vec<Image>,
    pub(super) plates: Vec<Plate>,
}

#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) pixels: Option<Pixels>,
}

#[derive(Debug, Default)]
pub(super) struct Pixels {
    /// Such as `XYZCT`, the fastest first.
    pub(super) order: String,
    pub(super) data_type: String,
    /// x, y, z, c, t.
    pub(super) sizes: [u64; 5],
    /// x, y, z: the number and its unit.
    pub(super) physical: [Option<(f64, String)>; 3],
    pub(super) time_increment: Option<(f64, String)>,
    pub(super) channels: Vec<Channel>,
    pub(super) planes: Vec<TiffData>,
    /// Why there are no pixels in TIFF files, if so.
    pub(super) elsewhere: Option<&'static str>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Channel {
    pub(super) name: Option<String>,
    pub(super) color: Option<i64>,
    pub(super) emission: Option<(f64, String)>,
    pub(super) excitation: Option<(f64, String)>,
    pub(super) samples: Option<u64>,
}

/// Which planes are where.
#[derive(Debug, Default, Clone)]
pub(super) struct TiffData {
    pub(super) first_page: Option<u64>,
    pub(super) count: Option<u64>,
    /// z, c, t.
    pub(super) first: [u64; 3],
    pub(super) file: Option<String>,
    pub(super) uuid: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Plate {
    pub(super) name: String,
    pub(super) rows_by_letter: bool,
    pub(super) columns_by_letter: bool,
    pub(super) wells: Vec<Well>,
    /// The samples of each acquisition.
    pub(super) acquisitions: Vec<Vec<String>>,
}

#[derive(Debug, Default)]
pub(super) struct Well {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) samples: Vec<WellSample>,
}

#[derive(Debug, Default)]
pub(super) struct WellSample {
    pub(super) id: String,
    pub(super) image: Option<String>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// In words: it is no OME-XML, is malformed, uses what strangers' XML must not, or says sizes that are none.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
        reader.config_mut().check_end_names = true;
        let mut document = Self::default();
        let (mut path, mut items, mut ended) = (Vec::<String>::new(), 0, false);
        loop {
            match reader.read_event().map_err(|error| format!("it is not well-formed XML: {error}"))? {
                Event::Start(start) => {
                    document.element(&path, &start, &mut items)?;
                    path.push(start.local_name().as_ref().to_owned());
                    if path.len() > MAX_DEPTH {
                        return Err(format!("it nests more than {MAX_DEPTH} elements"));
                    }
                }
                Event::Empty(start) => document.element(&path, &start, &mut items)?,
                Event::End(_) => {
                    path.pop();
                    ended |= path.is_empty();
                }
                Event::Text(text) if path.last().is_some_and(|name| name == "UUID") => {
                    document.file_id(text.trim());
                }
                Event::DocType(_) => return Err("it declares a document type, which is not read".to_owned()),
                Event::Eof => break,
                _ => {}
            }
        }
        if ended { Ok(document) } else { Err("it ends before its last element does".to_owned()) }
    }

    /// The names of the files that hold planes, as often as they are said.
    pub(super) fn file_names(&self) -> impl Iterator<Item = &str> {
        let pixels = self.images.iter().filter_map(|image| image.pixels.as_ref());
        pixels.flat_map(|pixels| &pixels.planes).filter_map(|data| data.file.as_deref())
    }

    fn element(&mut self, path: &[String], start: &BytesStart<'_>, items: &mut usize) -> Result<(), String> {
        let name = start.local_name();
        let (name, parent) = (name.as_ref(), path.last().map_or("", String::as_str));
        if parent.is_empty() && name != "OME" {
            return Err(format!("its root is '{}', not 'OME'", name.escape_default()));
        }
        *items += 1;
        if *items > MAX_ITEMS {
            return Err(format!("it has more than {MAX_ITEMS} elements"));
        }
        let attributes = Attributes(start);
        match (parent, name) {
            ("", _) => self.uuid = attributes.text("UUID")?,
            ("OME", "BinaryOnly") => self.metadata_file = attributes.text("MetadataFile")?,
            ("OME", "Image") => {
                let (id, name) = (attributes.text("ID")?.unwrap_or_default(), attributes.text("Name")?);
                self.images.push(Image { id, name, pixels: None });
            }
            ("Image", "Pixels") if path.len() == 2 => {
                let pixels = pixels(&attributes)?;
                if let Some(image) = self.images.last_mut().filter(|image| image.pixels.is_none()) {
                    image.pixels = Some(pixels);
                }
            }
            ("Pixels" | "TiffData", _) => self.part_of_pixels(name, &attributes)?,
            ("OME", "Plate") | ("Plate" | "Well" | "PlateAcquisition", _) => self.part_of_plate(name, &attributes)?,
            ("WellSample", "ImageRef") => {
                let image = attributes.text("ID")?;
                if let Some(sample) = self.last_well().and_then(|well| well.samples.last_mut()) {
                    sample.image = image;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn part_of_pixels(&mut self, name: &str, attributes: &Attributes<'_, '_>) -> Result<(), String> {
        let Some(pixels) = self.images.last_mut().and_then(|image| image.pixels.as_mut()) else { return Ok(()) };
        match name {
            "Channel" => pixels.channels.push(channel(attributes)?),
            "TiffData" => pixels.planes.push(TiffData {
                first_page: attributes.whole("IFD")?,
                count: attributes.whole("PlaneCount")?.or(attributes.whole("NumPlanes")?),
                first: [
                    attributes.whole("FirstZ")?.unwrap_or(0),
                    attributes.whole("FirstC")?.unwrap_or(0),
                    attributes.whole("FirstT")?.unwrap_or(0),
                ],
                ..TiffData::default()
            }),
            "UUID" => {
                let file = attributes.text("FileName")?;
                if let Some(data) = pixels.planes.last_mut() {
                    data.file = file;
                }
            }
            "BinData" => pixels.elsewhere = Some("keeps its pixels in the XML itself (BinData)"),
            "MetadataOnly" => pixels.elsewhere = Some("has metadata only"),
            _ => {}
        }
        Ok(())
    }

    fn part_of_plate(&mut self, name: &str, attributes: &Attributes<'_, '_>) -> Result<(), String> {
        if name == "Plate" {
            let name = attributes.text("Name")?.or(attributes.text("ID")?).unwrap_or_default();
            let letters = |text: Option<String>| text.is_some_and(|text| text == "letter");
            let rows_by_number = attributes.text("RowNamingConvention")?.is_some_and(|text| text == "number");
            let columns_by_letter = letters(attributes.text("ColumnNamingConvention")?);
            self.plates.push(Plate { name, rows_by_letter: !rows_by_number, columns_by_letter, ..Plate::default() });
            return Ok(());
        }
        let Some(plate) = self.plates.last_mut() else { return Ok(()) };
        match name {
            "Well" => {
                let whole =
                    |name| attributes.whole(name).map(|value| value.and_then(|value| u32::try_from(value).ok()));
                let (row, column) = (whole("Row")?, whole("Column")?);
                let (row, column) = row.zip(column).ok_or("a well has no row or no column")?;
                plate.wells.push(Well { row, column, samples: Vec::new() });
            }
            "WellSample" => {
                let id = attributes.text("ID")?.unwrap_or_default();
                if let Some(well) = plate.wells.last_mut() {
                    well.samples.push(WellSample { id, image: None });
                }
            }
            "PlateAcquisition" => plate.acquisitions.push(Vec::new()),
            "WellSampleRef" => {
                let id = attributes.text("ID")?.unwrap_or_default();
                if let Some(samples) = plate.acquisitions.last_mut() {
                    samples.push(id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn last_well(&mut self) -> Option<&mut Well> {
        self.plates.last_mut()?.wells.last_mut()
    }

    /// The identifier of the file that the last planes are in.
    fn file_id(&mut self, uuid: &str) {
        let pixels = self.images.last_mut().and_then(|image| image.pixels.as_mut());
        if let Some(data) = pixels.and_then(|pixels| pixels.planes.last_mut()) {
            data.uuid = Some(uuid.to_owned());
        }
    }
}

fn pixels(attributes: &Attributes<'_, '_>) -> Result<Pixels, String> {
    let mut sizes = [0; 5];
    for (size, name) in sizes.iter_mut().zip(["SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"]) {
        *size = attributes.whole(name)?.filter(|size| *size > 0).ok_or_else(|| format!("{name} is no size"))?;
    }
    let order = attributes.text("DimensionOrder")?.unwrap_or_else(|| "XYZCT".to_owned());
    let mut letters: Vec<char> = order.chars().skip(2).collect();
    letters.sort_unstable();
    if !order.starts_with("XY") || letters != ['C', 'T', 'Z'] {
        return Err(format!("the DimensionOrder '{}' is none that OME-XML has", order.escape_default()));
    }
    Ok(Pixels {
        order,
        data_type: attributes.text("Type")?.or(attributes.text("PixelType")?).unwrap_or_default(),
        sizes,
        physical: [
            attributes.quantity("PhysicalSizeX", "\u{b5}m")?,
            attributes.quantity("PhysicalSizeY", "\u{b5}m")?,
            attributes.quantity("PhysicalSizeZ", "\u{b5}m")?,
        ],
        time_increment: attributes.quantity("TimeIncrement", "s")?,
        ..Pixels::default()
    })
}

fn channel(attributes: &Attributes<'_, '_>) -> Result<Channel, String> {
    Ok(Channel {
        name: attributes.text("Name")?.filter(|name| !name.trim().is_empty()),
        color: attributes.text("Color")?.and_then(|color| color.trim().parse().ok()),
        emission: attributes.quantity("EmissionWavelength", "nm")?,
        excitation: attributes.quantity("ExcitationWavelength", "nm")?,
        samples: attributes.whole("SamplesPerPixel")?,
    })
}

/// The attributes of an element, by their local names.
struct Attributes<'a, 'b>(&'a BytesStart<'b>);

impl Attributes<'_, '_> {
    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let malformed = |error: &dyn std::fmt::Display| format!("its attributes are malformed: {error}");
        for attribute in self.0.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| malformed(&error))?;
            if attribute.key.local_name().as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| malformed(&error))?;
                return Ok(Some(Cow::into_owned(value)));
            }
        }
        Ok(None)
    }

    fn whole(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number = text.trim().parse();
        number.map(Some).map_err(|_| format!("{name} is '{}', not a whole number", text.escape_default()))
    }

    /// A number above 0 with its unit; what is no such number is not there.
    fn quantity(&self, name: &str, unit: &str) -> Result<Option<(f64, String)>, String> {
        let number = self.text(name)?.and_then(|text| text.trim().parse::<f64>().ok());
        let Some(number) = number.filter(|number| number.is_finite() && *number > 0.0) else { return Ok(None) };
        let unit = self.text(&format!("{name}Unit"))?.unwrap_or_else(|| unit.to_owned());
        Ok(Some((number, unit)))
    }
}
