use quick_xml::{
    Reader, Writer,
    events::{BytesStart, Event},
};

/// The OME-XML of a source without what is true of its files only: where each plane is in them (`TiffData`) or the
/// pixels themselves (`BinData`). In their place stands `MetadataOnly`, as the specification wants it beside an OME-Zarr.
///
/// A document that cannot be read is kept as it is.
pub(super) fn metadata_only(xml: &str) -> String {
    rewritten(xml).unwrap_or_else(|| xml.to_owned())
}

fn rewritten(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut writer = Writer::new(Vec::new());
    // Inside one that is left out: how deep, from there.
    let mut depth = 0usize;
    let mut is_replaced = false;
    loop {
        let event = reader.read_event().ok()?;
        let is_left_out = |start: &BytesStart<'_>| matches!(start.local_name().as_ref(), "TiffData" | "BinData");
        match &event {
            Event::Eof => break,
            Event::Start(start) if depth > 0 || is_left_out(start) => depth += 1,
            Event::Empty(start) if depth == 0 && is_left_out(start) => {}
            Event::End(_) if depth > 0 => {
                depth -= 1;
                if depth > 0 {
                    continue;
                }
            }
            _ if depth > 0 => continue,
            Event::Start(start) => {
                is_replaced &= start.local_name().as_ref() != "Pixels";
                writer.write_event(event).ok()?;
                continue;
            }
            _ => {
                writer.write_event(event).ok()?;
                continue;
            }
        }
        if depth == 0 && !is_replaced {
            is_replaced = true;
            writer.write_event(Event::Empty(BytesStart::new("MetadataOnly"))).ok()?;
        }
    }
    String::from_utf8(writer.into_inner()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_files_give_way_to_one_word() {
        let xml = "<OME><Image><Pixels ID=\"a\"><Channel/><TiffData IFD=\"0\"><UUID>x</UUID></TiffData><TiffData/>\
                   <Plane/></Pixels></Image><Image><Pixels><BinData>AA==</BinData></Pixels></Image></OME>";
        assert_eq!(
            metadata_only(xml),
            "<OME><Image><Pixels ID=\"a\"><Channel/><MetadataOnly/><Plane/></Pixels></Image>\
             <Image><Pixels><MetadataOnly/></Pixels></Image></OME>"
        );
    }

    #[test]
    fn what_is_no_xml_is_kept() {
        assert_eq!(metadata_only("<OME><a></OME>"), "<OME><a></OME>");
    }
}
