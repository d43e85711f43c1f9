//! Real collections brought into the demonstration: `--with DIR`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use dataset_model::Findings;
use ome_zarr::FolderSource;
use serde_json::json;

use super::{nodes::Nodes, samples};
use crate::client::import_folder;

/// The most real images deposited.
const MOST_IMAGES: usize = 12;

/// Imports `gide-crates/europe` and `gide-crates/japan`, and deposits OME-Zarr images found in `ome-zarr` in Australia.
pub(crate) async fn bring_in(nodes: &Nodes, folder: &Path, scratch: &Path) -> Result<()> {
    for name in ["europe", "japan"] {
        let crates = folder.join("gide-crates").join(name);
        if crates.is_dir() {
            let node = nodes.named(name)?;
            let report = import_folder(&node.client(&node.admin_token)?, &crates, &format!("gide-{name}")).await?;
            println!(
                "{name}: imported {}: seen {}, stored {}, unchanged {}, withdrawn {}, rejected {}",
                crates.display(),
                report["seen"],
                report["stored"],
                report["unchanged"],
                report["withdrawn"],
                report["rejected"].as_array().map_or(0, Vec::len)
            );
        }
    }
    let australia = nodes.named("australia")?;
    for image in find_images(&folder.join("ome-zarr")) {
        let name = image.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let crate_file = scratch.join(format!("{name}.crate.json"));
        std::fs::write(&crate_file, serde_json::to_vec_pretty(&real_image_crate(&name))?)?;
        match samples::deposit_one(australia, &image, &crate_file).await {
            Ok(iri) => println!("australia: deposited {name}: {iri}"),
            Err(error) => println!("australia: {name} was refused: {error:#}"),
        }
    }
    Ok(())
}

/// Valid OME-Zarr images below a folder, the top-most group of each.
fn find_images(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        // Broken on purpose, or metadata alone.
        if ["mutants", "spec", "metadata-only", "zip"].iter().any(|name| entry.file_name().to_str() == Some(*name)) {
            walk.skip_current_dir();
            continue;
        }
        let path = entry.path();
        if entry.file_type().is_dir() && (path.join("zarr.json").is_file() || path.join(".zattrs").is_file()) {
            walk.skip_current_dir();
            let report = FolderSource::new(path)
                .map_err(ome_zarr::OmeZarrError::from)
                .and_then(|source| ome_zarr::validate(&source));
            let valid = report.is_ok_and(|report| !report.findings.has_errors() && !report.images.is_empty());
            if valid && found.len() < MOST_IMAGES {
                found.push(path.to_owned());
            }
        }
    }
    found
}

fn real_image_crate(name: &str) -> serde_json::Value {
    let description =
        format!("'{name}' from a corpus of public OME-Zarr test images, deposited to show that real files work.");
    samples::crate_json(&samples::Words {
        title: &format!("Test image {name}"),
        description: &description,
        organism: ("9606", "Homo sapiens"),
        method: ("00000246", "fluorescence microscopy"),
        author: ("Test Corpus", "https://ror.org/05tpnw772"),
        keywords: &["test image", "OME-Zarr"],
        extra: json!({}),
    })
}
