use crate::{
    array::CodecKind,
    at::At,
    faults::Faults,
    node::{Node, ZarrVersion},
};

/// Codec lists nest in shards; deeper than this nothing is looked at.
const MAX_DEPTH: usize = 4;

/// Judges whether others can decode the array.
pub(super) fn check(array: &Node, faults: &mut Faults) {
    let at = array.structure();
    match array.zarr {
        ZarrVersion::V3 => check_v3(&at, MAX_DEPTH, faults),
        ZarrVersion::V2 => {
            for codec in at.get("compressor").into_iter().chain(at.list("filters")) {
                let id = codec.text_of("id").unwrap_or_default();
                report(CodecKind::v2(id), id, &codec, faults);
            }
        }
    }
}

fn check_v3(at: &At<'_>, depth: usize, faults: &mut Faults) {
    for codec in at.list("codecs") {
        let name = codec.text_of("name").or(codec.text()).unwrap_or_default();
        report(CodecKind::v3(name), name, &codec, faults);
        if let Some(inner) = codec.get("configuration").filter(|_| depth > 0) {
            check_v3(&inner, depth - 1, faults);
        }
    }
}

fn report(kind: CodecKind, name: &str, place: &At<'_>, faults: &mut Faults) {
    let name = name.escape_default();
    match kind {
        CodecKind::Common => {}
        CodecKind::Rare => {
            let message = format!("the codec '{name}' is not read by every viewer");
            faults.warn("codec.rare", place.place(), message, "Compress with blosc or zstd.");
        }
        CodecKind::Unknown => {
            let message = format!("nothing is known of the codec '{name}', so the pixels cannot be read");
            faults.error("codec.unknown", place.place(), message, "Compress with blosc or zstd.");
        }
    }
}
