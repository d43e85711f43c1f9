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
    // How deep the reader is inside an element that is left out.
    let mut depth = 0usize;
    let mut is_replaced = false;
    loop {
        let event = reader.read_event().ok()?;
        let is_start = matches!(event, Event::Start(_));
        match &event {
            Event::Eof => break,
            Event::Start(_) if depth > 0 => depth += 1,
            Event::End(_) if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            Event::Start(start) | Event::Empty(start) if is_left_out(start) => {
                depth = usize::from(is_start);
                if !is_replaced {
                    writer.write_event(Event::Empty(BytesStart::new(replacement(start)))).ok()?;
                    is_replaced = true;
                }
            }
            _ => {
                // Each image has its own.
                is_replaced &= !matches!(&event, Event::Start(start) if start.local_name().as_ref() == "Pixels");
                writer.write_event(event).ok()?;
            }
        }
    }
    String::from_utf8(writer.into_inner()).ok()
}

fn is_left_out(start: &BytesStart<'_>) -> bool {
    matches!(start.local_name().as_ref(), "TiffData" | "BinData")
}

/// `MetadataOnly`, in the namespace of what it stands for.
fn replacement(start: &BytesStart<'_>) -> String {
    let name = start.name();
    let prefix = name.as_ref().rsplit_once(':').map(|(prefix, _)| format!("{prefix}:")).unwrap_or_default();
    format!("{prefix}MetadataOnly")
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
    fn a_prefix_is_kept() {
        assert_eq!(
            metadata_only("<O:OME><O:Pixels><O:TiffData/></O:Pixels></O:OME>"),
            "<O:OME><O:Pixels><O:MetadataOnly/></O:Pixels></O:OME>"
        );
    }

    #[test]
    fn what_is_no_xml_is_kept() {
        assert_eq!(metadata_only("<OME><a></OME>"), "<OME><a></OME>");
    }
}
