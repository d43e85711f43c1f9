use super::{Base::*, *};

const FILE: &str = "p/zarr.json";
const PLATE: &str = "/attributes/ome/plate";
const WELL: &str = "p/A/1/zarr.json";
const IMAGES: &str = "/attributes/ome/well/images";

pub(super) fn breaches() -> Vec<Breach> {
    [plates(), wells()].into_iter().flatten().collect()
}

fn plates() -> Vec<Breach> {
    vec![
        breach("a plate that is a list", Plate, "plate.type", Error, |s| s.set(FILE, PLATE, json!([]))),
        breach("no rows", Plate, "plate.grid", Error, |s| s.set(FILE, &format!("{PLATE}/rows"), json!([]))),
        breach("a row with a dash in its name", Plate, "plate.grid", Error, |s| {
            s.set(FILE, &format!("{PLATE}/rows/0/name"), json!("A-1"))
        }),
        breach("two columns of one name", Plate, "plate.grid", Error, |s| {
            s.set(FILE, &format!("{PLATE}/columns/1/name"), json!("1"))
        }),
        breach("a column without a name", Plate, "plate.grid", Error, |s| {
            s.unset(FILE, &format!("{PLATE}/columns/0/name"))
        }),
        breach("names that differ in case alone", Plate, "plate.grid.case", Warning, |s| {
            s.change(FILE, &format!("{PLATE}/rows"), |rows| rows.as_array_mut().unwrap().push(json!({"name": "a"})));
        }),
        breach("no name", Plate, "plate.name", Warning, |s| s.unset(FILE, &format!("{PLATE}/name"))),
        breach("a name that is a number", Plate, "plate.text", Error, |s| {
            s.set(FILE, &format!("{PLATE}/name"), json!(1))
        }),
        breach("no version", Plate, "plate.version", Note, |s| s.unset(FILE, &format!("{PLATE}/version"))),
        breach("no number of fields", Plate, "plate.field-count", Note, |s| {
            s.unset(FILE, &format!("{PLATE}/field_count"))
        }),
        breach("zero fields", Plate, "plate.count", Error, |s| s.set(FILE, &format!("{PLATE}/field_count"), json!(0))),
        breach("half a field", Plate, "plate.count", Error, |s| {
            s.set(FILE, &format!("{PLATE}/acquisitions/0/maximumfieldcount"), json!(0.5))
        }),
        breach("no wells", Plate, "plate.wells", Error, |s| s.unset(FILE, &format!("{PLATE}/wells"))),
        breach("column before row", Plate, "plate.well.path", Error, |s| {
            s.set(FILE, &format!("{PLATE}/wells/0/path"), json!("1/A"))
        }),
        breach("a path of one part", Plate, "plate.well.path", Error, |s| {
            s.set(FILE, &format!("{PLATE}/wells/0/path"), json!("A1"))
        }),
        breach("a path of three parts", Plate, "plate.well.path", Error, |s| {
            s.set(FILE, &format!("{PLATE}/wells/0/path"), json!("x/A/1"))
        }),
        breach("a path that the indices contradict", Plate, "plate.well.path", Error, |s| {
            s.set(FILE, &format!("{PLATE}/wells/0/rowIndex"), json!(1))
        }),
        breach("one well twice", Plate, "plate.well.path", Error, |s| {
            s.change(FILE, &format!("{PLATE}/wells"), |wells| {
                let first = wells[0].clone();
                wells.as_array_mut().unwrap().push(first);
            });
        }),
        breach("an index beyond the rows", Plate, "plate.well.index", Error, |s| {
            s.set(FILE, &format!("{PLATE}/wells/0/rowIndex"), json!(2))
        }),
        breach("no index", Plate, "plate.well.index", Error, |s| {
            s.unset(FILE, &format!("{PLATE}/wells/0/columnIndex"))
        }),
        breach("a negative acquisition", Plate, "plate.acquisition.id", Error, |s| {
            s.set(FILE, &format!("{PLATE}/acquisitions/0/id"), json!(-1))
        }),
        breach("one acquisition twice", Plate, "plate.acquisition.id", Error, |s| {
            s.set(FILE, &format!("{PLATE}/acquisitions/0/id"), json!(1))
        }),
        breach("acquisitions that are no list", Plate, "plate.acquisition.id", Error, |s| {
            s.set(FILE, &format!("{PLATE}/acquisitions"), json!({"id": 0}))
        }),
        breach("a description that is a number", Plate, "plate.acquisition.text", Error, |s| {
            s.set(FILE, &format!("{PLATE}/acquisitions/0/description"), json!(1))
        }),
        breach("a time that is text", Plate, "plate.acquisition.time", Error, |s| {
            s.set(FILE, &format!("{PLATE}/acquisitions/0/starttime"), json!("noon"))
        }),
        breach("an acquisition without a name", Plate, "plate.acquisition.described", Warning, |s| {
            s.unset(FILE, &format!("{PLATE}/acquisitions/0/name"))
        }),
        breach("a well that is not there", Plate, "plate.well.missing", Error, |s| s.remove_below("p/B/2")),
        breach("a well without its metadata file", Plate, "plate.well.missing", Error, |s| s.remove(WELL)),
        breach("a row without its metadata file", Plate, "plate.row.missing", Error, |s| s.remove("p/A/zarr.json")),
        breach("a row without wells", Plate, "plate.row.empty", Warning, |s| {
            s.change(FILE, &format!("{PLATE}/rows"), |rows| rows.as_array_mut().unwrap().push(json!({"name": "C"})));
            s.put("p/C/zarr.json", json!({"zarr_format": 3, "node_type": "group"}));
        }),
        breach("a well that is not listed", Plate, "plate.well.unlisted", Warning, |s| s.copy("p/A/1", "p/A/2")),
    ]
}

fn wells() -> Vec<Breach> {
    vec![
        breach("a well that is a list", Plate, "well.type", Error, |s| s.set(WELL, "/attributes/ome/well", json!([1]))),
        breach("no images", Plate, "well.images", Error, |s| s.unset(WELL, IMAGES)),
        breach("a field with a dash in its path", Plate, "well.path", Error, |s| {
            s.set(WELL, &format!("{IMAGES}/0/path"), json!("0-0"))
        }),
        breach("one field twice", Plate, "well.path", Error, |s| {
            s.change(WELL, IMAGES, |images| {
                let first = images[0].clone();
                images.as_array_mut().unwrap().push(first);
            });
        }),
        breach("an acquisition that the plate does not have", Plate, "well.acquisition", Error, |s| {
            s.set(WELL, &format!("{IMAGES}/0/acquisition"), json!(7))
        }),
        breach("no acquisition, of several", Plate, "well.acquisition", Error, |s| {
            s.unset(WELL, &format!("{IMAGES}/0/acquisition"))
        }),
        breach("an acquisition that is text", Plate, "well.acquisition", Error, |s| {
            s.set(WELL, &format!("{IMAGES}/0/acquisition"), json!("0"))
        }),
        breach("a field that is not there", Plate, "well.missing", Error, |s| s.remove_below("p/A/1/0")),
        breach("a field that is not listed", Plate, "well.unlisted", Warning, |s| s.copy("p/A/1/0", "p/A/1/1")),
        breach("more fields than the plate says", Plate, "well.count", Warning, |s| {
            s.copy("p/A/1/0", "p/A/1/1");
            s.copy("p/A/1/0", "p/A/1/2");
            s.set(
                WELL,
                IMAGES,
                json!((0..3).map(|at| json!({"path": at.to_string(), "acquisition": 0})).collect::<Vec<_>>()),
            );
        }),
    ]
}
