use super::{Base::*, *};

const LABEL: &str = "i/labels/nuclei/zarr.json";
const LIST: &str = "i/labels/zarr.json";
const ABOUT: &str = "/attributes/ome/image-label";

/// Every level of the label image.
const LEVELS: [&str; 3] = ["i/labels/nuclei/0", "i/labels/nuclei/1", "i/labels/nuclei/2"];

pub(super) fn breaches() -> Vec<Breach> {
    vec![
        breach("image-label that is text", Image, "label.type", Error, |s| s.set(LABEL, ABOUT, json!("x"))),
        breach("a label that is no image", Image, "label.multiscales", Error, |s| {
            s.unset(LABEL, "/attributes/ome/multiscales")
        }),
        breach("no colours", Image, "label.described", Warning, |s| s.unset(LABEL, &format!("{ABOUT}/colors"))),
        breach("a source that is no path", Image, "label.source", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/source/image"), json!(1))
        }),
        breach("a source that is no image", Image, "label.source", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/source/image"), json!("../"))
        }),
        breach("an empty list of colours", Image, "label.empty", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors"), json!([]))
        }),
        breach("colours that are no list", Image, "label.empty", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors"), json!({"1": "red"}))
        }),
        breach("a value that is text", Image, "label.value", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors/0/label-value"), json!("1"))
        }),
        breach("a value that is a fraction", Image, "label.value", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors/0/label-value"), json!(1.5))
        }),
        breach("properties without a value", Image, "label.value", Error, |s| {
            s.unset(LABEL, &format!("{ABOUT}/properties/0/label-value"))
        }),
        breach("one value twice", Image, "label.duplicate", Error, |s| {
            let first = s.json(LABEL).pointer(&format!("{ABOUT}/colors/0/label-value")).unwrap().clone();
            s.set(LABEL, &format!("{ABOUT}/colors/1/label-value"), first);
        }),
        breach("a colour above 255", Image, "label.rgba", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors/0/rgba/0"), json!(256))
        }),
        breach("a colour below 0", Image, "label.rgba", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors/0/rgba/0"), json!(-1))
        }),
        breach("a colour of three parts", Image, "label.rgba", Error, |s| {
            s.unset(LABEL, &format!("{ABOUT}/colors/0/rgba/3"))
        }),
        breach("a colour of fractions", Image, "label.rgba", Error, |s| {
            s.set(LABEL, &format!("{ABOUT}/colors/0/rgba"), json!([0.5, 0.5, 0.5, 1.0]))
        }),
        breach("pixels that are no whole numbers", Image, "label.data-type", Error, |s| {
            for level in LEVELS {
                s.remove_below(&format!("{level}/c"));
                s.set(&format!("{level}/zarr.json"), "/data_type", json!("float32"));
            }
        }),
        breach("pixels that are true or false", Image, "label.data-type", Error, |s| {
            for level in LEVELS {
                s.remove_below(&format!("{level}/c"));
                s.set(&format!("{level}/zarr.json"), "/data_type", json!("bool"));
                s.set(&format!("{level}/zarr.json"), "/fill_value", json!(false));
            }
        }),
        breach("fewer levels than the image", Image, "label.levels", Error, |s| {
            s.unset(LABEL, "/attributes/ome/multiscales/0/datasets/2")
        }),
        breach("half the image's size", Image, "label.shape", Warning, |s| {
            for (level, side) in LEVELS.iter().zip([320, 160, 80]) {
                s.remove_below(&format!("{level}/c"));
                s.set(&format!("{level}/zarr.json"), "/shape", json!([side, side]));
            }
        }),
        breach("no image-label", Image, "label.plain", Warning, |s| s.unset(LABEL, ABOUT)),
        breach("a list of labels that is text", Image, "labels.type", Error, |s| {
            s.set(LIST, "/attributes/ome/labels", json!("nuclei"))
        }),
        breach("no list of labels", Image, "labels.none", Error, |s| s.unset(LIST, "/attributes/ome/labels")),
        breach("labels in a folder that is no group", Image, "labels.group", Error, |s| s.remove(LIST)),
        breach("an empty list of labels", Image, "labels.empty", Warning, |s| {
            s.set(LIST, "/attributes/ome/labels", json!([]))
        }),
        breach("a label out of the group", Image, "labels.path", Error, |s| {
            s.set(LIST, "/attributes/ome/labels/0", json!("../nuclei"))
        }),
        breach("a label that is a number", Image, "labels.path", Error, |s| {
            s.set(LIST, "/attributes/ome/labels/0", json!(0))
        }),
        breach("a label that is not there", Image, "labels.missing", Error, |s| {
            s.change(LIST, "/attributes/ome/labels", |list| list.as_array_mut().unwrap().push(json!("cells")));
        }),
        breach("a label that is not listed", Image, "labels.unlisted", Warning, |s| {
            s.copy("i/labels/nuclei", "i/labels/cells")
        }),
        breach("metadata between the group and its label", Image, "labels.between", Error, |s| {
            s.copy("i/labels/nuclei", "i/labels/more/nuclei");
            s.set("i/labels/more/nuclei/zarr.json", &format!("{ABOUT}/source/image"), json!("../../../"));
            s.put(
                "i/labels/more/zarr.json",
                json!({"zarr_format": 3, "node_type": "group", "attributes": {"note": "x"}}),
            );
            s.set(LIST, "/attributes/ome/labels", json!(["nuclei", "more/nuclei"]));
        }),
    ]
}
