//! Every TIFF file of the corpus: read, bit for bit as `tifffile` reads it, or refused for a stated reason.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::*;

/// Files that are not read, and words of the reason.
const REFUSED: [(&str, &str); 2] = [
    ("derived/ometiff/mitotic_ZYX_uint8_jpeg2000.ome.tif", "JPEG 2000"),
    ("ometiff/goeckslab-tools-mti/mti-utils/rename_test.ome.tiff", "page"),
];

fn tiffs(root: &Path) -> Vec<String> {
    let source = FolderSource::new(root).unwrap();
    let all = ["ometiff", "derived/ometiff", "tiff"].iter().flat_map(|folder| source.list(folder).unwrap());
    let mut all: Vec<String> =
        all.filter(|path| matches!(formats::ending(path).as_str(), "tif" | "tiff" | "btf")).collect();
    all.sort();
    assert!(all.len() > 100, "the corpus has {} TIFF files", all.len());
    all
}

fn is_refused(path: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(known, _)| *known == path).map(|(_, reason)| *reason)
}

#[test]
fn every_tiff_of_the_corpus_is_read_or_refused_for_its_own_reason() {
    let Some(root) = corpus("") else { return };
    let source = folder(&root);
    for path in tiffs(&root) {
        match is_refused(&path) {
            Some(reason) => {
                let message = refusal(&source, &path);
                assert!(message.contains(reason), "{path}: {message}");
            }
            None => {
                let import = open(&source, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
                assert!(!import.rasters.is_empty(), "{path}");
                import.rasters.iter().for_each(|raster| drop(whole(raster.as_ref())));
            }
        }
    }
}

#[test]
fn pixels_are_those_that_tifffile_reads() {
    let Some(root) = corpus("") else { return };
    if std::env::var_os("HELIOGRAPH_PYTHON").is_none() {
        eprintln!("skipped: HELIOGRAPH_PYTHON names no Python with tifffile");
        return;
    }
    let paths: Vec<String> = tiffs(&root).into_iter().filter(|path| is_refused(path).is_none()).collect();
    compare(&root, &paths);
}

/// Compares all pixels of files with what `tifffile` reads of them.
fn compare(root: &Path, paths: &[String]) {
    let python = std::env::var_os("HELIOGRAPH_PYTHON").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/tiff_digest.py");
    let output = Command::new(python).arg(script).args(paths).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let source = folder(root);
    let mut seen = BTreeSet::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let path = answer["file"].as_str().unwrap();
        let images = answer["images"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let import = open(&source, path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(import.rasters.len(), images.len(), "{path}");
        for (raster, image) in import.rasters.iter().zip(images) {
            let info = raster.info();
            assert_eq!(serde_json::json!(info.shape), image["shape"], "{path}");
            assert_eq!(info.data_type.to_string(), image["type"], "{path}");
            assert_eq!(digest(raster.as_ref()), image["sha256"], "{path}");
        }
        seen.insert(path.to_owned());
    }
    assert_eq!(seen.len(), paths.len());
}

#[test]
fn a_part_is_the_same_as_that_part_of_the_whole() {
    let Some(root) = corpus("") else { return };
    let source = folder(&root);
    for path in [
        "derived/ometiff/dna_conf_wf_CZYX_uint16_tiled_pyramid_deflate.ome.tif",
        "derived/ometiff/golgi_bfa_TYX_float32_lzw.ome.tif",
        "derived/ometiff/two_images_ZYX_uint8_CYX_uint16_bigendian.ome.tif",
        "ometiff/galaxy/res.ome.tiff",
        "ometiff/ome-sample/multi-channel-z-series.ome.tif",
        "tiff/neubias/xyc_16bit__hela-cells.tif",
    ] {
        let import = open(&source, path).unwrap();
        for raster in &import.rasters {
            let info = raster.info();
            let pixels = whole(raster.as_ref());
            for step in [1, 3] {
                let start = info.shape.map(|size| size / (step + 2));
                let shape: Tczyx = std::array::from_fn(|axis| (info.shape[axis] - start[axis]).div_ceil(step));
                let mut out = vec![0; shape.iter().product::<u64>() as usize * info.data_type.size()];
                raster.read(start, shape, &mut out).unwrap();
                assert!(out == part(&pixels, info.data_type.size(), info.shape, start, shape), "{path} {start:?}");
            }
        }
    }
}

#[test]
fn several_threads_read_one_image() {
    let Some(root) = corpus("") else { return };
    let import = open(&folder(&root), "derived/ometiff/dna_conf_wf_CZYX_uint16_tiled_pyramid_deflate.ome.tif").unwrap();
    let raster = import.rasters[0].as_ref();
    let pixels = whole(raster);
    let shape = [1, 1, 1, 130, 133];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let pixels = &pixels;
            scope.spawn(move || {
                for z in (0..45).filter(|z| z % 4 >= thread) {
                    let (start, mut out) = ([0, thread % 2, z, 0, 0], vec![0; 130 * 133 * 2]);
                    raster.read(start, shape, &mut out).unwrap();
                    assert!(out == part(pixels, 2, raster.info().shape, start, shape));
                }
            });
        }
    });
}

#[test]
fn what_ome_xml_says_is_mapped() {
    let Some(root) = corpus("") else { return };
    let source = folder(&root);
    let import = open(&source, "ometiff/hubmap/output_ome.ome.tiff").unwrap();
    let info = import.rasters[0].info();
    assert_eq!(info.name, "Image1");
    assert_eq!(info.pixel_size[4], Some((0.400_673_121, "micrometer".to_owned())));
    assert_eq!(info.pixel_size[3], Some((0.399_840_057, "micrometer".to_owned())));
    assert_eq!(info.pixel_size[2], None);
    assert!(import.notes.iter().any(|note| note.rule == "import.channels"), "{:?}", import.notes);
    assert!(import.ome_xml.unwrap().contains("<OME"));

    let import = open(&source, "ometiff/hubmap/output_ome.segmentations.ome.tif").unwrap();
    assert!(import.rasters[0].info().is_label);
    assert_eq!(import.rasters[0].info().channels[0].name.as_deref(), Some("S1"));
}

#[test]
fn what_imagej_says_is_mapped() {
    let Some(root) = corpus("") else { return };
    let source = folder(&root);
    let import = open(&source, "tiff/neubias/xyz_8bit__mitotic_plate_calibrated.tif").unwrap();
    let info = import.rasters[0].info();
    assert_eq!(info.shape, [1, 1, 6, 263, 263]);
    assert_eq!(info.pixel_size[2], Some((3.0, "micrometer".to_owned())));
    let (width, unit) = info.pixel_size[4].clone().unwrap();
    assert!((width - 0.0852).abs() < 1e-4 && unit == "micrometer", "{width} {unit}");

    let import = open(&source, "tiff/neubias/xyt_calibrated_16bit__golgi_bfa_sum_projection.tif").unwrap();
    let info = import.rasters[0].info();
    assert_eq!(info.shape, [30, 1, 1, 137, 147]);
    assert_eq!(info.pixel_size[0], Some((59.86, "second".to_owned())));

    let import = open(&source, "tiff/neubias/xy_8bit_labels__mitocheck_incenp_t1.tif").unwrap();
    assert!(import.rasters[0].info().is_label);
}

#[test]
fn a_file_called_ome_tiff_without_ome_xml_is_read_with_a_note() {
    let Some(root) = corpus("") else { return };
    let source = folder(&root);
    let import = open(&source, "ometiff/goeckslab-tools-mti/vitessce/vitessce_image.ome.tiff").unwrap();
    assert_eq!(import.rasters[0].info().shape, [1, 1, 1, 300, 300]);
    assert!(import.notes.iter().any(|note| note.rule == "import.no-ome-xml"));
}

#[test]
fn files_of_every_codec_type_and_layout_are_read_as_tifffile_reads_them() {
    let Some(python) = std::env::var_os("HELIOGRAPH_PYTHON") else {
        eprintln!("skipped: HELIOGRAPH_PYTHON names no Python with tifffile");
        return;
    };
    let made = tempfile::tempdir().unwrap();
    let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python").join(name);
    let output = Command::new(&python).arg(script("tiff_matrix.py")).arg(made.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = folder(made.path()).list("").unwrap();
    assert!(paths.len() > 300, "{} files were made", paths.len());
    compare(made.path(), &paths);
}
