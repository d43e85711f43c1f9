//! Formats that are known by name and not read here.

use crate::error::OmeZarrError;

/// A format: its name, how its files end, and the bytes they begin with, if they are always the same.
struct Format(&'static str, &'static [&'static str], Option<&'static [u8]>);

/// Compound files of several microscopes; the ending says whose.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

const FORMATS: [Format; 25] = [
    Format("Leica LIF", &["lif"], None),
    Format("Leica LOF/XLEF", &["lof", "xlef", "xlif"], None),
    Format("Leica SCN", &["scn"], None),
    Format("Olympus OIB", &["oib"], None),
    Format("Olympus OIF", &["oif"], None),
    Format("Olympus OIR", &["oir"], Some(b"OLYMPUSRAWFORMAT")),
    Format("Olympus VSI", &["vsi", "ets"], None),
    Format("Bitplane Imaris", &["ims"], None),
    Format("Zeiss LSM", &["lsm"], None),
    Format("Zeiss ZVI", &["zvi"], None),
    Format("DeltaVision", &["dv", "r3d"], None),
    Format("MetaMorph stack", &["stk"], None),
    Format("MetaMorph or ImageXpress description", &["nd", "htd"], None),
    Format("Nikon ND2", &["nd2"], Some(b"\xda\xce\xbe\x0a")),
    Format("MIRAX", &["mrxs"], None),
    Format("Hamamatsu NDPI", &["ndpi", "ndpis"], None),
    Format("Hamamatsu VMS", &["vms", "vmu"], None),
    Format("PerkinElmer/Akoya QPTIFF", &["qptiff"], None),
    Format("PerkinElmer Columbus/Flex", &["flex"], None),
    Format("Ventana BIF", &["bif"], None),
    Format("Andor/3i SlideBook", &["sld", "sldy"], None),
    Format("Andor SIF", &["sif"], None),
    Format("Image Cytometry Standard", &["ics", "ids"], None),
    Format("MRC/CCP4", &["mrc", "map", "rec"], None),
    Format("Gatan Digital Micrograph", &["dm3", "dm4"], None),
];

/// The name of a format that is known and not read, by how the file is called and how it begins.
pub(super) fn recognise(path: &str, head: &[u8]) -> Option<&'static str> {
    let ending = ending(path);
    let by_name = FORMATS.iter().find(|format| format.1.contains(&ending.as_str()));
    let by_bytes = || FORMATS.iter().find(|format| format.2.is_some_and(|magic| head.starts_with(magic)));
    let named = by_name.or_else(by_bytes).map(|format| format.0);
    named.or_else(|| (head.starts_with(COMPOUND) && ending == "ipw").then_some("Image-Pro workspace"))
}

/// The ending of a file's name, in lower case.
pub(super) fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_lowercase())
}

/// The way out is the same for all of them, and part of the message.
pub(super) fn unsupported(path: &str, format: &str, reason: impl Into<String>) -> OmeZarrError {
    OmeZarrError::Unsupported { path: path.to_owned(), format: format.to_owned(), reason: reason.into() }
}

/// TIFF files whose pages are not what pages usually are, by the private tags of their makers.
///
/// # Errors
/// It is one of them: read as plain pages, it would become a wrong image.
pub(super) fn refuse_tiff_variants(path: &str, count_of: impl Fn(u16) -> Option<u64>) -> Result<(), OmeZarrError> {
    let variant = [
        (34_412, 1, "Zeiss LSM"),
        // UIC2 has one value for each plane; MetaMorph writes it for single planes too.
        (33_629, 2, "MetaMorph stack"),
        (34_361, 1, "Olympus FluoView TIFF"),
        (65_420, 1, "Hamamatsu NDPI"),
        (50_706, 1, "Digital Negative (DNG)"),
        (37_706, 1, "TVIPS TIFF"),
    ];
    let found = variant.iter().find(|(tag, least, _)| count_of(*tag).is_some_and(|count| count >= *least));
    let named = matches!(ending(path).as_str(), "lsm" | "stk" | "ndpi" | "scn" | "qptiff" | "bif" | "vsi" | "flex");
    match found {
        Some((_, _, format)) => Err(unsupported(path, format, "this variant of TIFF is not read")),
        None if named => {
            Err(unsupported(path, recognise(path, &[]).unwrap_or("TIFF"), "this variant of TIFF is not read"))
        }
        None => Ok(()),
    }
}

/// TIFF files whose pages are not what pages usually are, by the text beside the first of them.
///
/// # Errors
/// It is one of them.
pub(super) fn refuse_described_variants(path: &str, description: &str) -> Result<(), OmeZarrError> {
    let text = description.trim_start();
    let start: String = text.chars().take(512).collect();
    let variants = [
        ("PerkinElmer-QPI", "PerkinElmer/Akoya QPTIFF"),
        ("<scn ", "Leica SCN"),
        ("DPUfsImport", "Philips TIFF"),
        ("state.config", "ScanImage TIFF"),
        ("scanimage.SI", "ScanImage TIFF"),
        ("SI.LINE_FORMAT", "ScanImage TIFF"),
    ];
    match variants.iter().find(|(words, _)| start.contains(words)) {
        Some((_, format)) => Err(unsupported(path, format, "this variant of TIFF is not read")),
        None => Ok(()),
    }
}
