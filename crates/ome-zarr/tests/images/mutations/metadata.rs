use super::{Base::*, *};

const IMAGE: &str = "i/zarr.json";
const AXES: &str = "/attributes/ome/multiscales/0/axes";
const DATASETS: &str = "/attributes/ome/multiscales/0/datasets";
const MULTISCALE: &str = "/attributes/ome/multiscales/0";
const LEVEL: &str = "/attributes/ome/multiscales/0/datasets/1/coordinateTransformations";
const CHANNEL: &str = "/attributes/ome/omero/channels/0";

fn axis(name: &str, kind: &str) -> Value {
    json!({"name": name, "type": kind})
}

pub(super) fn breaches() -> Vec<Breach> {
    [axes(), datasets(), transforms(), omero(), versions()].into_iter().flatten().collect()
}

fn axes() -> Vec<Breach> {
    vec![
        breach("no multiscales", Image, "multiscales.empty", Error, |s| {
            s.set(IMAGE, "/attributes/ome/multiscales", json!([]))
        }),
        breach("a multiscale that is text", Image, "multiscales.type", Error, |s| s.set(IMAGE, MULTISCALE, json!("x"))),
        breach("two multiscales", Image, "multiscales.several", Note, |s| {
            s.change(IMAGE, "/attributes/ome/multiscales", |list| {
                let first = list[0].clone();
                list.as_array_mut().unwrap().push(first);
            });
        }),
        breach("a name that is a number", Image, "multiscales.name", Error, |s| {
            s.set(IMAGE, "/attributes/ome/multiscales/0/name", json!(3))
        }),
        breach("no name", Image, "multiscales.unnamed", Warning, |s| {
            s.unset(IMAGE, "/attributes/ome/multiscales/0/name")
        }),
        breach("no type", Image, "multiscales.described", Note, |s| {
            s.unset(IMAGE, "/attributes/ome/multiscales/0/type")
        }),
        breach("no axes", Image, "axes.missing", Error, |s| s.unset(IMAGE, AXES)),
        breach("one axis", Image, "axes.count", Error, |s| s.set(IMAGE, AXES, json!([axis("x", "space")]))),
        breach("six axes", Image, "axes.count", Error, |s| {
            let axes: Vec<Value> = "tczyxw".chars().map(|name| axis(&name.to_string(), "space")).collect();
            s.set(IMAGE, AXES, json!(axes));
        }),
        breach("an axis that is text", Image, "axes.type", Error, |s| s.set(IMAGE, &format!("{AXES}/0"), json!("c"))),
        breach("a unit that is a number", Image, "axes.type", Error, |s| {
            s.set(IMAGE, &format!("{AXES}/1/unit"), json!(1))
        }),
        breach("an axis without a type", Image, "axes.kind", Warning, |s| s.unset(IMAGE, &format!("{AXES}/0/type"))),
        breach("a unit that is none", Image, "axes.unit", Warning, |s| {
            s.set(IMAGE, &format!("{AXES}/1/unit"), json!("pixel"))
        }),
        breach("an axis without a unit", Image, "axes.unit", Note, |s| s.unset(IMAGE, &format!("{AXES}/1/unit"))),
        breach("an axis without a name", Image, "axes.name", Error, |s| s.unset(IMAGE, &format!("{AXES}/0/name"))),
        breach("two axes of one name", Image, "axes.name", Error, |s| {
            s.set(IMAGE, &format!("{AXES}/1/name"), json!("x"))
        }),
        breach("one axis of space", Image, "axes.space", Error, |s| {
            s.set(IMAGE, &format!("{AXES}/1/type"), json!("time"))
        }),
        breach("two axes of channels", Image, "axes.repeated", Error, |s| {
            s.set(IMAGE, &format!("{AXES}/1/type"), json!("channel"))
        }),
        breach("channels behind space", Image, "axes.order", Error, |s| {
            s.set(IMAGE, AXES, json!([axis("y", "space"), axis("x", "space"), axis("c", "channel")]));
        }),
        breach("time behind channels", Image, "axes.order", Error, |s| {
            s.set(
                IMAGE,
                AXES,
                json!([axis("c", "channel"), axis("t", "time"), axis("y", "space"), axis("x", "space")]),
            );
        }),
        breach("x before y", Image, "axes.zyx", Warning, |s| {
            s.set(IMAGE, &format!("{AXES}/1/name"), json!("x"));
            s.set(IMAGE, &format!("{AXES}/2/name"), json!("y"));
            for level in ["i/0", "i/1", "i/2"] {
                s.set(&format!("{level}/zarr.json"), "/dimension_names", json!(["c", "x", "y"]));
            }
        }),
    ]
}

fn datasets() -> Vec<Breach> {
    vec![
        breach("no datasets", Image, "datasets.missing", Error, |s| s.unset(IMAGE, DATASETS)),
        breach("an empty list of datasets", Image, "datasets.missing", Error, |s| s.set(IMAGE, DATASETS, json!([]))),
        breach("a level without a path", Image, "datasets.path", Error, |s| {
            s.unset(IMAGE, &format!("{DATASETS}/0/path"))
        }),
        breach("a path out of the image", Image, "datasets.path", Error, |s| {
            s.set(IMAGE, &format!("{DATASETS}/0/path"), json!("../../x"))
        }),
        breach("a path from the root", Image, "datasets.path", Error, |s| {
            s.set(IMAGE, &format!("{DATASETS}/0/path"), json!("/etc"))
        }),
        breach("a path that is a number", Image, "datasets.path", Error, |s| {
            s.set(IMAGE, &format!("{DATASETS}/0/path"), json!(0))
        }),
        breach("one array twice", Image, "datasets.duplicate", Error, |s| {
            s.set(IMAGE, &format!("{DATASETS}/1/path"), json!("0"))
        }),
        breach("smallest level first", Image, "array.order", Error, |s| {
            s.change(IMAGE, DATASETS, |list| list.as_array_mut().unwrap().reverse())
        }),
        breach("a level that is not there", Image, "array.missing", Error, |s| s.remove_below("i/2")),
        breach("a level that is a group", Image, "array.missing", Error, |s| {
            s.put("i/2/zarr.json", json!({"zarr_format": 3, "node_type": "group"}));
        }),
    ]
}

fn transforms() -> Vec<Breach> {
    vec![
        breach("no transformations", Image, "transforms.missing", Error, |s| s.unset(IMAGE, LEVEL)),
        breach("an empty list of transformations", Image, "transforms.scale", Error, |s| {
            s.set(IMAGE, LEVEL, json!([]))
        }),
        breach("only a translation", Image, "transforms.scale", Error, |s| s.unset(IMAGE, &format!("{LEVEL}/0"))),
        breach("two scales", Image, "transforms.scale", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/1"), json!({"type": "scale", "scale": [1, 1, 1]}))
        }),
        breach("the translation first", Image, "transforms.translation", Error, |s| {
            s.change(IMAGE, LEVEL, |list| list.as_array_mut().unwrap().reverse())
        }),
        breach("two translations", Image, "transforms.translation", Error, |s| {
            s.change(IMAGE, LEVEL, |list| {
                let second = list[1].clone();
                list.as_array_mut().unwrap().push(second);
            });
        }),
        breach("an affine transformation", Image, "transforms.type", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/1"), json!({"type": "affine", "affine": []}))
        }),
        breach("an identity beside the scale", Image, "transforms.type", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/1"), json!({"type": "identity"}))
        }),
        breach("a scale of text", Image, "transforms.vector", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/0/scale"), json!(["1", 1, 1]))
        }),
        breach("a scale in a file", Image, "transforms.vector", Warning, |s| {
            s.set(IMAGE, &format!("{LEVEL}/0"), json!({"type": "scale", "path": "scale"}))
        }),
        breach("a scale too short", Image, "transforms.length", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/0/scale"), json!([1, 1]))
        }),
        breach("a translation too long", Image, "transforms.length", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/1/translation"), json!([0, 0, 0, 0]))
        }),
        breach("a scale of the image too short", Image, "transforms.length", Error, |s| {
            s.set(
                IMAGE,
                "/attributes/ome/multiscales/0/coordinateTransformations",
                json!([{"type": "scale", "scale": [1]}]),
            );
        }),
        breach("the image's own translation first", Image, "transforms.translation", Error, |s| {
            let list =
                json!([{"type": "translation", "translation": [0, 0, 0]}, {"type": "scale", "scale": [1, 1, 1]}]);
            s.set(IMAGE, "/attributes/ome/multiscales/0/coordinateTransformations", list);
        }),
        breach("a scale of zero", Image, "transforms.positive", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/0/scale/1"), json!(0))
        }),
        breach("a negative scale", Image, "transforms.positive", Error, |s| {
            s.set(IMAGE, &format!("{LEVEL}/0/scale/1"), json!(-0.5))
        }),
        breach("a level that is smaller, with pixels that are not larger", Image, "transforms.shrink", Warning, |s| {
            s.set(IMAGE, &format!("{LEVEL}/0/scale"), json!([1, 0.5, 0.5]));
        }),
    ]
}

fn omero() -> Vec<Breach> {
    vec![
        breach("no channels", Image, "omero.channels", Error, |s| s.unset(IMAGE, "/attributes/ome/omero/channels")),
        breach("a colour with a hash", Image, "omero.color", Error, |s| {
            s.set(IMAGE, &format!("{CHANNEL}/color"), json!("#00FF00"))
        }),
        breach("a colour of five digits", Image, "omero.color", Error, |s| {
            s.set(IMAGE, &format!("{CHANNEL}/color"), json!("00FF0"))
        }),
        breach("no colour", Image, "omero.color", Error, |s| s.unset(IMAGE, &format!("{CHANNEL}/color"))),
        breach("no window", Image, "omero.window", Error, |s| s.unset(IMAGE, &format!("{CHANNEL}/window"))),
        breach("a window without an end", Image, "omero.window", Error, |s| {
            s.unset(IMAGE, &format!("{CHANNEL}/window/end"))
        }),
        breach("a window of text", Image, "omero.window", Error, |s| {
            s.set(IMAGE, &format!("{CHANNEL}/window/min"), json!("0"))
        }),
        breach("an empty window", Image, "omero.window.empty", Warning, |s| {
            s.set(IMAGE, &format!("{CHANNEL}/window/start"), json!(1e9))
        }),
        breach("a label that is a number", Image, "omero.label", Error, |s| {
            s.set(IMAGE, &format!("{CHANNEL}/label"), json!(1))
        }),
        breach("one channel too few", Image, "omero.count", Error, |s| s.unset(IMAGE, CHANNEL)),
    ]
}

fn versions() -> Vec<Breach> {
    vec![
        breach("nothing", Image, "none", Error, |s| s.0.0.clear()),
        breach("NaN in the metadata", Image, "json", Error, |s| {
            let text = String::from_utf8(s.bytes(IMAGE).clone()).unwrap().replacen("0.5", "NaN", 2);
            *s.bytes(IMAGE) = text.into_bytes();
        }),
        breach("a comma too many", Image, "json", Error, |s| s.bytes(IMAGE).splice(..1, *b"{,").for_each(drop)),
        breach("bytes behind the metadata", Image, "json", Error, |s| s.bytes("i/0/zarr.json").extend(b"}")),
        breach("no version", Image, "version.missing", Error, |s| s.unset(IMAGE, "/attributes/ome/version")),
        breach("no version of the label", Image, "version.missing", Error, |s| {
            s.unset("i/labels/nuclei/zarr.json", "/attributes/ome/version")
        }),
        breach("no version of the labels group", Image, "version.missing", Warning, |s| {
            s.unset("i/labels/zarr.json", "/attributes/ome/version")
        }),
        breach("no version of the well", Plate, "version.missing", Error, |s| {
            s.unset("p/A/1/zarr.json", "/attributes/ome/version")
        }),
        breach("no version, in 0.4", Old, "version.missing", Warning, |s| {
            s.unset("o/.zattrs", "/multiscales/0/version")
        }),
        breach("0.4 in Zarr 3", Image, "version.mismatch", Error, |s| {
            s.set(IMAGE, "/attributes/ome/version", json!("0.4"))
        }),
        breach("0.5 in Zarr 2", Old, "version.mismatch", Error, |s| {
            s.set("o/.zattrs", "/multiscales/0/version", json!("0.5"))
        }),
        breach("a label of another version", Image, "version.mixed", Error, |s| {
            s.set("i/labels/nuclei/zarr.json", "/attributes/ome/version", json!("0.6"))
        }),
        breach("a version that was never published", Image, "version.unknown", Error, |s| {
            s.set(IMAGE, "/attributes/ome/version", json!("9"))
        }),
        breach("a version that is a number", Image, "version.missing", Error, |s| {
            s.set(IMAGE, "/attributes/ome/version", json!(0.5))
        }),
        breach("metadata of 0.4 in a group of Zarr 3", Image, "ome.namespace", Error, |s| {
            let ome = s.json(IMAGE)["attributes"]["ome"].clone();
            s.set(IMAGE, "/attributes", ome);
        }),
        breach("metadata of 0.5 in a group of Zarr 2", Old, "ome.namespace", Error, |s| {
            let old = s.json("o/.zattrs");
            s.put("o/.zattrs", json!({"ome": old}));
        }),
    ]
}
