use quick_xml::{Reader, events::Event};

use crate::{
    error::OmeZarrError,
    faults::Faults,
    node::Node,
    source::{FileSource, join},
    tree::Tree,
};

use super::{Rule, series};

/// OME-XML larger than this is not looked into, in bytes.
const MAX_XML_BYTES: u64 = 64 << 20;

/// What the OME-XML of a converted file says.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    images: usize,
    /// `BinData`, `BinaryOnly` or `TiffData`: pixels, or pointers to pixels, of the file it was converted from.
    pixels: bool,
    /// Why it is no OME-XML.
    fault: Option<String>,
}

/// Judges the OME-XML beside the series of a converted file.
pub(super) fn check(
    source: &dyn FileSource,
    tree: &Tree,
    node: &Node,
    faults: &mut Faults,
) -> Result<(), OmeZarrError> {
    let file = join(&node.folder, "OME/METADATA.ome.xml");
    if node.ome_key("bioformats2raw.layout").is_none() || !tree.has_file(&file) || !super::is_judged(node) {
        return Ok(());
    }
    let Some(size) = source.size(&file)?.filter(|size| *size <= MAX_XML_BYTES) else { return Ok(()) };
    let facts = read(&source.read(&file, 0..size)?);
    if let Some(fault) = facts.fault {
        let message = format!("the file's original metadata are not OME-XML: {fault}");
        faults.add(Rule::SeriesXmlBad, file, message, "Keep the file that bioformats2raw writes.");
        return Ok(());
    }
    if facts.pixels {
        let message = "the OME-XML points to pixels outside the store";
        faults.add(Rule::SeriesXmlPixels, file.clone(), message, "Replace BinData and TiffData by MetadataOnly.");
    }
    let images = series::images(tree, node);
    if images.is_some_and(|images| images != facts.images) {
        let message = format!("the OME-XML describes {} images, the store has {}", facts.images, images.unwrap_or(0));
        faults.add(Rule::SeriesXmlCount, file, message, "Describe each image once, in the order of the series.");
    }
    Ok(())
}

fn read(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut reader = Reader::from_reader(bytes);
    let (mut is_root, mut depth) = (true, 0u32);
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(event @ (Event::Start(_) | Event::Empty(_))) => {
                depth += u32::from(matches!(event, Event::Start(_)));
                let (Event::Start(element) | Event::Empty(element)) = event else { continue };
                let name = element.local_name();
                if std::mem::take(&mut is_root) && name.as_ref() != "OME" {
                    facts.fault = Some("its outermost element is not OME".to_owned());
                    return facts;
                }
                match name.as_ref() {
                    "Image" => facts.images += 1,
                    "BinData" | "BinaryOnly" | "TiffData" => facts.pixels = true,
                    _ => {}
                }
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                facts.fault = Some(error.to_string());
                return facts;
            }
        }
        buffer.clear();
    }
    if is_root || depth > 0 {
        facts.fault = Some("it holds no element, or not the end of one".to_owned());
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_pixels_are_counted() {
        let xml = br#"<?xml version="1.0"?><OME xmlns="x"><Image ID="Image:0"><Pixels><MetadataOnly/></Pixels></Image>
            <o:Image xmlns:o="x"/></OME>"#;
        assert_eq!(read(xml), Facts { images: 2, ..Facts::default() });
        assert!(read(b"<OME><Image><TiffData/></Image></OME>").pixels);
    }

    #[test]
    fn what_is_no_ome_xml_is_said_to_be_none() {
        for bad in [&b""[..], b"<html/>", b"<OME><Image></OME>", b"\xff\xfe"] {
            assert!(read(bad).fault.is_some());
        }
    }
}
