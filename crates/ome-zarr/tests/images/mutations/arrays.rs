use super::{Base::*, *};

const ARRAY: &str = "i/0/zarr.json";

pub(super) fn breaches() -> Vec<Breach> {
    vec![
        breach("no dimension names", Image, "array.dimension-names", Error, |s| s.unset(ARRAY, "/dimension_names")),
        breach("dimension names in another order", Image, "array.dimension-names", Error, |s| {
            s.set(ARRAY, "/dimension_names", json!(["c", "x", "y"]))
        }),
        breach("dimension names of other axes", Image, "array.dimension-names", Error, |s| {
            s.set("i/2/zarr.json", "/dimension_names", json!(["t", "y", "x"]))
        }),
        breach("an unnamed dimension", Image, "array.dimension-names", Error, |s| {
            s.set(ARRAY, "/dimension_names", json!([null, "y", "x"]))
        }),
        breach("fewer dimensions than axes", Image, "array.dimensions", Error, |s| {
            s.set(ARRAY, "/shape", json!([640, 640]));
            s.set(ARRAY, "/chunk_grid/configuration/chunk_shape", json!([320, 320]));
        }),
        breach("a level without pixels", Image, "array.empty", Error, |s| {
            s.set("i/2/zarr.json", "/shape", json!([2, 0, 0]))
        }),
        breach("a level of another type", Image, "array.data-type", Warning, |s| {
            s.remove_below("i/2/c");
            s.set("i/2/zarr.json", "/data_type", json!("uint8"));
        }),
        breach("a fill value too large for the type", Image, "array.fill-value", Error, |s| {
            s.set(ARRAY, "/fill_value", json!(65_536))
        }),
        breach("a fill value that is no number", Image, "array.fill-value", Error, |s| {
            s.set(ARRAY, "/fill_value", json!("NaN"))
        }),
        breach("no fill value", Image, "array.fill-value", Error, |s| s.unset(ARRAY, "/fill_value")),
        breach("chunks too large for viewers", Image, "array.chunk-size", Warning, |s| {
            s.remove_below("i/0/c");
            s.set(ARRAY, "/chunk_grid/configuration/chunk_shape", json!([1, 8192, 8192]));
        }),
        breach("chunks too large for anybody", Image, "array.chunk-size", Error, |s| {
            s.set(ARRAY, "/chunk_grid/configuration/chunk_shape", json!([1, 65_536, 65_536]));
        }),
        breach("chunks of another number of dimensions", Image, "array.metadata", Error, |s| {
            s.set(ARRAY, "/chunk_grid/configuration/chunk_shape", json!([320, 320]));
        }),
        breach("chunks in one folder", Old, "array.separator", Warning, |s| {
            s.set("o/0/.zarray", "/dimension_separator", json!("."));
            s.0.0.retain(|path, _| !path.starts_with("o/0/") || path.ends_with(".zarray"));
        }),
        breach("a codec that nobody knows", Image, "codec.unknown", Error, |s| {
            s.set(ARRAY, "/codecs/1", json!({"name": "mystery"}))
        }),
        breach("a codec that few read", Image, "codec.rare", Warning, |s| {
            s.set(ARRAY, "/codecs/1", json!({"name": "numcodecs.lz4", "configuration": {}}));
        }),
        breach("no codecs", Image, "codec.chain", Error, |s| s.set(ARRAY, "/codecs", json!([]))),
        breach("a compressor before there are bytes", Image, "codec.chain", Error, |s| {
            s.change(ARRAY, "/codecs", |list| list.as_array_mut().unwrap().reverse())
        }),
        breach("zstd that says nothing of a checksum", Image, "codec.zstd", Note, |s| {
            s.unset("i/labels/nuclei/0/zarr.json", "/codecs/1/configuration/checksum");
        }),
        breach("another Zarr format", Image, "zarr.format", Error, |s| s.set(ARRAY, "/zarr_format", json!(2))),
        breach("no kind of node", Image, "zarr.format", Error, |s| s.unset("i/labels/zarr.json", "/node_type")),
        breach("a Zarr 2 array in 0.5", Image, "zarr.mixed", Error, |s| {
            s.remove("i/2/zarr.json");
            s.put(
                "i/2/.zarray",
                json!({"zarr_format": 2, "shape": [2, 160, 160], "chunks": [1, 160, 160], "dtype": "<u2",
                "compressor": null, "fill_value": 0, "order": "C", "filters": null, "dimension_separator": "/"}),
            );
        }),
        breach("both versions of Zarr in one folder", Image, "zarr.both", Error, |s| {
            s.put("i/.zgroup", json!({"zarr_format": 2}))
        }),
    ]
}
