use super::{Base::*, *};

const LAYOUT: &str = "/attributes/ome/bioformats2raw.layout";
const SERIES: &str = "f/OME/zarr.json";

fn xml(store: &mut Store, from: &str, to: &str) {
    let bytes = store.bytes("f/OME/METADATA.ome.xml");
    *bytes = String::from_utf8(bytes.clone()).unwrap().replacen(from, to, 1).into_bytes();
}

pub(super) fn breaches() -> Vec<Breach> {
    vec![
        breach("another layout", Series, "series.layout", Error, |s| s.set("f/zarr.json", LAYOUT, json!(2))),
        breach("a layout that is text", Series, "series.layout", Error, |s| s.set("f/zarr.json", LAYOUT, json!("3"))),
        breach("no OME-XML", Series, "series.xml", Warning, |s| s.remove("f/OME/METADATA.ome.xml")),
        breach("OME-XML that is none", Series, "series.xml.bad", Error, |s| xml(s, "</OME>", "")),
        breach("OME-XML that points to pixels", Series, "series.xml.pixels", Warning, |s| {
            xml(s, "<MetadataOnly/>", "<TiffData/>")
        }),
        breach("OME-XML of one image more", Series, "series.xml.count", Error, |s| {
            xml(s, "</OME>", "<Image ID=\"Image:2\"/></OME>")
        }),
        breach("series that is text", Series, "series.type", Error, |s| {
            s.set(SERIES, "/attributes/ome/series", json!("0"))
        }),
        breach("an entry of series that is no image", Series, "series.missing", Error, |s| {
            s.set(SERIES, "/attributes/ome/series/1", json!("2"))
        }),
        breach("images that are not numbered", Series, "series.count", Error, |s| {
            s.unset(SERIES, "/attributes/ome/series");
            s.copy("f/1", "f/2");
            s.remove_below("f/1");
        }),
        breach("series that the plate contradicts", Plate, "series.plate", Warning, |s| {
            s.set("p/zarr.json", LAYOUT, json!(3));
            s.put("p/OME/zarr.json", json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "series": ["0"]}}}));
        }),
        breach("a folder between groups that is no group", Image, "zarr.group", Warning, |s| {
            s.copy("i/labels/nuclei", "i/labels/more/nuclei");
            s.set("i/labels/more/nuclei/zarr.json", &format!("{GROUP}/image-label/source/image"), json!("../../../"));
            s.set("i/labels/zarr.json", "/attributes/ome/labels", json!(["nuclei", "more/nuclei"]));
        }),
        breach("a file among the groups", Image, "zarr.foreign", Warning, |s| {
            drop(s.0.0.insert("i/labels/notes/today.txt".into(), vec![1]));
        }),
        breach("consolidated metadata that forget a group", Image, "consolidated.stale", Warning, |s| {
            s.set(
                "i/zarr.json",
                "/consolidated_metadata",
                json!({"kind": "inline", "must_understand": false, "metadata": {}}),
            );
        }),
        breach("consolidated metadata of something that is gone", Image, "consolidated.stale", Warning, |s| {
            consolidate(s);
            s.set("i/zarr.json", "/consolidated_metadata/metadata/9", json!({"zarr_format": 3, "node_type": "group"}));
        }),
        breach("consolidated metadata that say something else", Image, "consolidated.stale", Warning, |s| {
            consolidate(s);
            s.set("i/zarr.json", "/consolidated_metadata/metadata/0/shape", json!([1, 1, 1]));
        }),
        breach("consolidated metadata of Zarr 2 that forget an array", Old, "consolidated.stale", Warning, |s| {
            s.put("o/.zmetadata", json!({"zarr_consolidated_format": 1, "metadata": {".zgroup": {"zarr_format": 2}}}));
        }),
    ]
}

/// Writes consolidated metadata that are right.
fn consolidate(store: &mut Store) {
    let nodes = ["0", "1", "2", "labels", "labels/nuclei", "labels/nuclei/0", "labels/nuclei/1", "labels/nuclei/2"];
    let metadata: serde_json::Map<String, Value> =
        nodes.iter().map(|node| ((*node).to_owned(), store.json(&format!("i/{node}/zarr.json")))).collect();
    store.set(
        "i/zarr.json",
        "/consolidated_metadata",
        json!({"kind": "inline", "must_understand": false, "metadata": metadata}),
    );
}

#[test]
fn consolidated_metadata_that_are_right_are_not_blamed() {
    let mut store = Image.store();
    consolidate(&mut store);
    assert!(!judged(&store.0).iter().any(|(rule, _)| rule == "ome-zarr.consolidated.stale"));
}
