//! OME-XML: which plane is where, in one file and in several.

use super::{
    writer::{Page, file},
    *,
};

/// A page of 3 x 2 pixels that all have one value.
fn page(value: u8) -> Page {
    Page::grey(3, 2, 8).strips(2, vec![vec![value; 6]])
}

fn ome(inner: &str) -> String {
    format!(r#"<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{inner}</OME>"#)
}

/// An image of these sizes (z, c, t) whose planes are listed.
fn image(order: &str, [z, c, t]: [u64; 3], listed: &str) -> String {
    format!(
        r#"<Image ID="Image:0" Name="a"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint8" SizeX="3" SizeY="2" SizeZ="{z}" SizeC="{c}" SizeT="{t}">{listed}</Pixels></Image>"#
    )
}

fn with_pages(xml: &str, values: std::ops::Range<u8>) -> Vec<u8> {
    let mut pages: Vec<Page> = values.map(page).collect();
    pages[0] = pages[0].clone().describe(xml);
    file(&pages, false, false)
}

/// The value of every plane in the order t, c, z.
fn planes(import: &Import) -> Vec<u8> {
    whole(import.rasters[0].as_ref()).chunks(6).map(|plane| plane[0]).collect()
}

fn opened(xml: &str, values: std::ops::Range<u8>) -> Import {
    open(&Memory::of("a.ome.tif", with_pages(xml, values)).source(), "a.ome.tif").unwrap()
}

#[test]
fn planes_are_in_the_declared_order() {
    for (order, expected) in [
        ("XYZCT", vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("XYCZT", vec![0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]),
        ("XYTZC", vec![0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]),
    ] {
        for listed in ["", "<TiffData/>", r#"<TiffData IFD="0" PlaneCount="12"/>"#] {
            let import = opened(&ome(&image(order, [3, 2, 2], listed)), 0..12);
            assert_eq!(import.rasters[0].info().shape, [2, 2, 3, 2, 3]);
            assert_eq!(planes(&import), expected, "{order} {listed}");
        }
    }
}

#[test]
fn each_entry_puts_its_planes_where_it_says() {
    let listed =
        r#"<TiffData IFD="2" FirstZ="0"/><TiffData IFD="1" FirstZ="1" PlaneCount="1"/><TiffData IFD="0" FirstZ="2"/>"#;
    assert_eq!(planes(&opened(&ome(&image("XYZCT", [3, 1, 1], listed)), 0..3)), [2, 1, 0]);
}

#[test]
fn planes_without_a_place_or_with_two_are_refused() {
    for (sizes, listed, words) in [
        ([3, 1, 1], r#"<TiffData IFD="0"/><TiffData IFD="1" FirstZ="1"/>"#, "declares 3 planes"),
        ([2, 1, 1], r#"<TiffData IFD="0" PlaneCount="2"/><TiffData IFD="2"/>"#, "two places"),
        ([9, 1, 1], r#"<TiffData IFD="0" PlaneCount="9"/>"#, "names page 9"),
        ([9, 1, 1], "", "names page 9"),
        ([2, 1, 1], r#"<TiffData IFD="0" FirstZ="5"/>"#, "beyond"),
        ([2, 1, 1], r#"<TiffData IFD="0" PlaneCount="3"/>"#, "more planes"),
        ([2, 1, 1], r#"<TiffData IFD="0"/><TiffData IFD="0" FirstZ="1"/>"#, "same page to two"),
        ([2, 1, 1], r#"<TiffData IFD="0" PlaneCount="0"/>"#, "of 2 not where"),
    ] {
        let bytes = with_pages(&ome(&image("XYZCT", sizes, listed)), 0..3);
        let message = refusal(&Memory::of("a.ome.tif", bytes).source(), "a.ome.tif");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_description_of_another_size_is_refused_and_of_another_type_is_noted() {
    let xml = ome(&image("XYZCT", [1, 1, 1], "")).replace(r#"SizeX="3""#, r#"SizeX="4""#);
    let message = refusal(&Memory::of("a.ome.tif", with_pages(&xml, 0..1)).source(), "a.ome.tif");
    assert!(message.contains("4 x 2 pixels"), "{message}");
    let xml = ome(&image("XYZCT", [1, 1, 1], "")).replace("uint8", "uint16");
    assert!(opened(&xml, 0..1).notes.iter().any(|note| note.rule == "import.type"));
}

fn named(file: &str, first_z: u64, page: u64) -> String {
    format!(
        r#"<TiffData FirstZ="{first_z}" IFD="{page}" PlaneCount="1"><UUID FileName="{file}">urn:uuid:{file}</UUID></TiffData>"#
    )
}

#[test]
fn files_that_belong_together_are_found_beside_each_other() {
    let listed = named("a.ome.tif", 0, 0) + &named("b.ome.tif", 1, 1) + &named("b.ome.tif", 2, 0);
    let xml = ome(&image("XYZCT", [3, 1, 1], &listed));
    let mut files = Memory::of("set/a.ome.tif", with_pages(&xml, 0..1));
    files.0.insert("set/b.ome.tif".to_owned(), with_pages(&xml, 10..12));
    for path in ["set/a.ome.tif", "set/b.ome.tif"] {
        let import = open(&files.clone().source(), path).unwrap();
        assert_eq!(planes(&import), [0, 11, 10]);
        assert_eq!(import.files, ["set/a.ome.tif", "set/b.ome.tif"]);
    }
    files.0.remove("set/b.ome.tif");
    let message = refusal(&files.source(), "set/a.ome.tif");
    assert!(message.contains("'b.ome.tif' beside it"), "{message}");
}

#[test]
fn metadata_in_a_file_of_its_own_is_followed() {
    let listed = named("a.tif", 0, 0) + &named("b.tif", 1, 0);
    let mut files = Memory::of("set/x.companion.ome", ome(&image("XYZCT", [2, 1, 1], &listed)).into_bytes());
    let pointer = ome(r#"<BinaryOnly MetadataFile="x.companion.ome" UUID="urn:uuid:x"/>"#);
    files.0.insert("set/a.tif".to_owned(), with_pages(&pointer, 3..4));
    files.0.insert("set/b.tif".to_owned(), with_pages(&pointer, 4..5));
    for path in ["set/x.companion.ome", "set/a.tif"] {
        let import = open(&files.clone().source(), path).unwrap();
        assert_eq!(planes(&import), [3, 4]);
        assert_eq!(import.files, ["set/a.tif", "set/b.tif", "set/x.companion.ome"]);
    }
    files.0.remove("set/x.companion.ome");
    assert!(refusal(&files.source(), "set/a.tif").contains("'x.companion.ome'"));
}

#[test]
fn a_file_that_was_renamed_is_still_itself() {
    let xml = ome(&image("XYZCT", [2, 1, 1], &(named("old.ome.tif", 0, 0) + &named("old.ome.tif", 1, 1))));
    let import = opened(&xml, 5..7);
    assert_eq!(planes(&import), [5, 6]);
    assert!(import.notes.iter().any(|note| note.rule == "import.renamed"));
}

#[test]
fn names_that_lead_elsewhere_are_not_followed() {
    for name in ["../b.tif", "/etc/passwd", "x/b.tif", "..", r"..\b.tif"] {
        let listed = named("a.ome.tif", 0, 0) + &named(name, 1, 0);
        let mut files = Memory::of("set/a.ome.tif", with_pages(&ome(&image("XYZCT", [2, 1, 1], &listed)), 0..1));
        files.0.insert("b.tif".to_owned(), with_pages("x", 0..1));
        let message = refusal(&files.source(), "set/a.ome.tif");
        assert!(message.contains("not one beside it"), "{message}");
    }
}

#[test]
fn channels_wavelengths_colours_units_and_wells_are_mapped() {
    let pixels = r#"<Image ID="Image:7" Name="w"><Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="3" SizeY="2" SizeZ="1" SizeC="2" SizeT="1" PhysicalSizeX="650" PhysicalSizeXUnit="nm" PhysicalSizeY="0.65" PhysicalSizeZ="1" PhysicalSizeZUnit="pixel" TimeIncrement="250" TimeIncrementUnit="ms"><Channel Name="DAPI &amp; co" Color="65535" EmissionWavelength="461" ExcitationWavelength="0.358" ExcitationWavelengthUnit="µm" SamplesPerPixel="1"/><Channel Color="-16776961"/></Pixels></Image>"#;
    let plate = r#"<Plate ID="Plate:0" Name="P1" RowNamingConvention="letter" ColumnNamingConvention="number"><Well ID="W" Row="1" Column="6"><WellSample ID="WS:0" Index="0"/><WellSample ID="WS:1" Index="1"><ImageRef ID="Image:7"/></WellSample></Well><PlateAcquisition ID="PA:0"/><PlateAcquisition ID="PA:1"><WellSampleRef ID="WS:1"/></PlateAcquisition></Plate>"#;
    let import = opened(&ome(&format!("{plate}{pixels}")), 0..2);
    let info = import.rasters[0].info();
    let size = |value: f64, unit: &str| Some((value, unit.to_owned()));
    assert_eq!(
        info.pixel_size,
        [size(250.0, "millisecond"), None, None, size(0.65, "micrometer"), size(650.0, "nanometer")]
    );
    assert_eq!(info.channels[0].name.as_deref(), Some("DAPI & co"));
    assert_eq!(info.channels[0].color.as_deref(), Some("0000FF"));
    assert_eq!((info.channels[0].emission, info.channels[0].excitation), (Some(461.0), Some(358.0)));
    assert_eq!(info.channels[1].color.as_deref(), Some("FF0000"));
    let field = info.field.clone().unwrap();
    assert_eq!((field.plate.as_str(), field.row.as_str(), field.column.as_str()), ("P1", "B", "7"));
    assert_eq!((field.field, field.acquisition), (1, Some(1)));
}

#[test]
fn real_companion_documents_are_understood_and_miss_their_files() {
    let Some(root) = corpus("omexml/companion-ome") else { return };
    let source = folder(&root);
    for path in source.list("").unwrap().iter().filter(|path| path.ends_with(".companion.ome")) {
        let message = refusal(&source, path);
        assert!(message.contains("which is not there: add it"), "{message}");
    }
}
