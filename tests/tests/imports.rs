//! Microscope files become OME-Zarr with the numbers that tifffile reads of them, or are refused for a reason.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use e2e_tests::{Output, python, run, shared_data};
use serde_json::{Value, json};

/// Files that are not read, and words of the reason.
const REFUSED: [(&str, &str); 2] =
    [("mitotic_ZYX_uint8_jpeg2000.ome.tif", "JPEG 2000"), ("rename_test.ome.tiff", "names page")];

async fn convert(source: &Path, out: &Path) -> Output {
    run(["convert".as_ref(), source.as_os_str(), out.as_os_str(), "--json".as_ref()]).await
}

async fn is_valid(out: &Path) -> bool {
    run(["validate".as_ref(), out.as_os_str()]).await.status.success()
}

/// The TIFF files below a folder, but not those of plates: their planes are one image each, and alike.
fn tiffs(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut below: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    below.sort();
    for path in below {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        if path.is_dir() && !path.ends_with("hcs") && !path.ends_with("mitocheck-movie") {
            tiffs(&path, found);
        } else if ending == "tif" || ending == "tiff" {
            found.push(path);
        }
    }
}

fn corpus() -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["ome-zarr/ometiff", "ome-zarr/derived/ometiff", "ome-zarr/tiff"] {
        tiffs(&shared_data(folder)?, &mut found);
    }
    Some(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tiff_of_the_corpus_becomes_a_valid_image_with_its_own_numbers_or_is_refused() {
    let Some(sources) = corpus() else { return };
    assert!(sources.len() > 40, "{} files", sources.len());
    let folder = tempfile::tempdir().expect("a folder");
    let mut pairs = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let out = folder.path().join(format!("{number}.ome.zarr"));
        let output = convert(source, &out).await;
        match REFUSED.iter().find(|(name, _)| source.ends_with(name)) {
            Some((_, reason)) => {
                assert!(!output.status.success() && !out.exists(), "{}", source.display());
                assert!(output.stderr.contains(reason), "{}: {}", source.display(), output.stderr);
            }
            None => {
                assert!(output.status.success(), "{}: {}", source.display(), output.stderr);
                assert!(is_valid(&out).await, "{}", source.display());
                pairs.push(json!({"source": source, "out": out}));
            }
        }
    }
    assert_eq!(compare(folder.path(), &pairs).await.len(), pairs.len());
}

/// Compares all pairs in one run of Python.
async fn compare(folder: &Path, pairs: &[Value]) -> Vec<Value> {
    let list = folder.join("pairs");
    let mut file = fs::File::create(&list).expect("a list");
    for pair in pairs {
        writeln!(file, "{pair}").expect("writing");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/convert_compare.py");
    let output = tokio::process::Command::new(python()).arg(script).arg(&list).output().await.expect("running Python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a report")
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_plates_and_czi_become_valid_images() {
    let Some(tiff) = shared_data("ome-zarr/tiff") else { return };
    let plate = "CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack";
    let folder = tempfile::tempdir().expect("a folder");
    for (number, (source, images)) in [
        ("neubias/mitocheck-movie".to_owned(), 1),
        ("neubias/xyz__multiple_images.czi".to_owned(), 2),
        ("hcs/ImageXpress_1well-3C-2S-Zmix-T/2024-04-22/1697".to_owned(), 2),
        (format!("hcs/CV8000/{plate}_20230918_135839/{plate}"), 12),
    ]
    .into_iter()
    .enumerate()
    {
        let out = folder.path().join(format!("{number}.ome.zarr"));
        let output = convert(&tiff.join(&source), &out).await;
        assert!(output.status.success(), "{source}: {}", output.stderr);
        assert!(is_valid(&out).await, "{source}");
        let report: Value = serde_json::from_str(output.stdout.lines().last().unwrap_or_default()).expect("a report");
        assert_eq!(report["images"].as_array().map(Vec::len), Some(images), "{source}: {report}");
    }
}
