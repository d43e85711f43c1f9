//! Real and broken stores of the shared corpus.

use std::path::{Path, PathBuf};

use dataset_model::{Finding, Findings, Severity};
use ome_zarr::{FolderSource, describe, find_images, thumbnail, validate};

fn findings(store: &Path) -> Vec<Finding> {
    validate(&FolderSource::new(store).unwrap()).unwrap().findings
}

fn serious(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.severity > Severity::Note).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}

#[test]
fn every_broken_rule_is_noticed_and_the_unbroken_store_is_not_blamed() {
    let Some(mutants) = crate::support::corpus("mutants/v0.5") else { return };
    for store in folders(&mutants) {
        let name = store.file_name().unwrap().to_string_lossy().into_owned();
        let findings = findings(&store);
        if name.starts_with("00_") {
            assert!(serious(&findings).is_empty(), "{name}: {findings:#?}");
        } else {
            assert!(!serious(&findings).is_empty(), "{name} passes");
        }
    }
}

#[test]
fn stores_get_the_verdict_that_other_validators_give() {
    let Some(table) = crate::support::corpus("EXPECTED_validators.tsv") else { return };
    let root = table.parent().unwrap();
    let mut wrong = Vec::new();
    for line in std::fs::read_to_string(&table).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [store, yaozarrs, models] = fields[..] else { continue };
        // Drafts of 0.6 are kept as files, not judged.
        let is_draft = ["v0.6", "v06", "0.6"].iter().any(|name| store.contains(name));
        if is_draft || !root.join(store).is_dir() {
            continue;
        }
        let findings = findings(&root.join(store));
        let accepted = yaozarrs.starts_with("ok") || models.starts_with("ok");
        if accepted == findings.has_errors() {
            wrong.push((store.to_owned(), accepted, findings));
        }
    }
    wrong.retain(|(store, ..)| !JUDGED_OTHERWISE.iter().any(|(name, _)| store.ends_with(name)));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where we say otherwise, and why.
const JUDGED_OTHERWISE: [(&str, &str); 2] = [
    ("v0.4_ome-zarr-py_nup_nuclei_CYX_uint16.ome.zarr", "its label image has five levels, the image three"),
    ("v0.5_ome-zarr-py_nup_nuclei_CYX_uint16.ome.zarr", "its label image has five levels, the image three"),
];

#[test]
fn every_real_store_can_be_judged_described_and_drawn() {
    let mut drawn = 0;
    for part in ["omezarr", "derived/omezarr"] {
        let Some(root) = crate::support::corpus(part) else { return };
        let source = FolderSource::new(&root).unwrap();
        validate(&source).unwrap();
        for image in find_images(&source).unwrap() {
            let described = describe(&source, &image.path);
            let picture = thumbnail(&source, &image.path, 128);
            match (&described, &picture) {
                (Ok(_), Ok(_)) => drawn += 1,
                _ => eprintln!("{part}/{}: {:?} {:?}", image.path, described.err(), picture.err()),
            }
        }
    }
    assert!(drawn > 60, "only {drawn} images could be drawn");
}
