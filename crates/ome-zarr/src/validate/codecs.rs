use crate::{
    array::CodecKind,
    at::At,
    faults::Faults,
    node::{Node, ZarrVersion},
};

use super::Rule;

/// Codec lists nest in shards; deeper than this nothing is looked at.
const MAX_DEPTH: usize = 4;

/// Judges whether others can decode the array.
pub(super) fn check(array: &Node, faults: &mut Faults) {
    let at = array.structure();
    match array.zarr {
        ZarrVersion::V3 => {
            check_chain(&at, faults);
            check_v3(&at, MAX_DEPTH, faults);
        }
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
        if name == "zstd" && codec.get("configuration").and_then(|c| c.get("checksum")).is_none() {
            let message = "the zstd codec does not say whether it carries a checksum";
            let hint = "Add \"checksum\": false (done at deposit).";
            faults.add(Rule::CodecZstd, codec.place(), message, hint);
        }
        if let Some(inner) = codec.get("configuration").filter(|_| depth > 0) {
            check_v3(&inner, depth - 1, faults);
        }
    }
}

/// Codecs run in an order: what works on pixels, one that makes bytes of them, what works on bytes.
fn check_chain(at: &At<'_>, faults: &mut Faults) {
    let names: Vec<&str> = at.list("codecs").iter().filter_map(|codec| codec.text_of("name")).collect();
    let rank = |name: &&str| match *name {
        "transpose" => Some(0),
        "bytes" | "sharding_indexed" => Some(1),
        "blosc" | "gzip" | "zstd" | "crc32c" => Some(2),
        _ => None,
    };
    let ranks: Option<Vec<u8>> = names.iter().map(rank).collect();
    // Where one is not of the core, it alone may make bytes of pixels.
    let is_wrong = |ranks: Vec<u8>| !ranks.is_sorted() || ranks.iter().filter(|rank| **rank == 1).count() != 1;
    if names.is_empty() || ranks.is_some_and(is_wrong) {
        let message = "the codecs do not turn pixels into bytes once, and in order";
        let hint = "List transpose first, then bytes or sharding_indexed, then the compressor.";
        faults.add(Rule::CodecChain, at.place_of("codecs"), message, hint);
    }
}

fn report(kind: CodecKind, name: &str, place: &At<'_>, faults: &mut Faults) {
    let name = name.escape_default();
    match kind {
        CodecKind::Common => {}
        CodecKind::Rare => {
            let message = format!("the codec '{name}' is not read by every viewer");
            faults.add(Rule::CodecRare, place.place(), message, "Compress with blosc or zstd.");
        }
        CodecKind::Unknown => {
            let message = format!("nothing is known of the codec '{name}', so the pixels cannot be read");
            faults.add(Rule::CodecUnknown, place.place(), message, "Compress with blosc or zstd.");
        }
    }
}
