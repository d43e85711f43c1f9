//! Real and broken stores of the shared corpus.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use dataset_model::{
    Finding, Findings,
    Severity::{self, Error, Note, Warning},
};
use ome_zarr::{FolderSource, Unwatched, describe, find_images, thumbnail, validate_pixels};

fn findings(store: &Path) -> Vec<Finding> {
    validate_pixels(&FolderSource::new(store).unwrap(), &Unwatched).unwrap().findings
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}

/// The rule that each broken store of the corpus breaks.
const MUTANTS: [(&str, &str, Severity); 18] = [
    ("01_label_level_count_differs", "label.levels", Error),
    ("02_label_float_dtype", "label.data-type", Error),
    ("03_array_without_dimension_names", "array.dimension-names", Error),
    ("05_datasets_smallest_first", "array.order", Error),
    ("07_dataset_array_missing", "array.missing", Error),
    ("08_listed_label_missing", "labels.missing", Error),
    ("10_root_version_missing", "version.missing", Error),
    ("11_labels_group_version_missing(ome-zarr-py 0.18)", "version.missing", Warning),
    ("12_scale_length_ne_axes", "transforms.length", Error),
    ("13_two_scales", "transforms.scale", Error),
    ("15_duplicate_axis_names", "axes.name", Error),
    ("16_channel_after_space", "axes.order", Error),
    ("18_zarr_v2_array_inside_0.5", "zarr.mixed", Error),
    ("20_omero_color_with_hash", "omero.color", Error),
    ("22_label_shape_half", "label.shape", Warning),
    ("24_unknown_codec", "codec.unknown", Error),
    ("26_chunk_grid_rank_mismatch", "array.metadata", Error),
    ("28_chunk_key_outside_grid", "chunk.outside", Error),
];

#[test]
fn every_mutant_is_blamed_for_its_own_rule_and_the_unbroken_store_for_nothing() {
    let Some(mutants) = crate::support::corpus("mutants/v0.5") else { return };
    let mut wrong = Vec::new();
    for store in folders(&mutants) {
        let name = store.file_name().unwrap().to_string_lossy().into_owned();
        let found = findings(&store);
        let serious = found.iter().filter(|finding| finding.severity > Note);
        let rules: BTreeSet<(String, Severity)> = serious.map(|found| (found.rule.clone(), found.severity)).collect();
        let expected = MUTANTS.iter().find(|(mutant, ..)| *mutant == name);
        let is_right = match expected {
            Some((_, rule, severity)) => rules.contains(&(format!("ome-zarr.{rule}"), *severity)),
            None => name.starts_with("00_") && rules.is_empty(),
        };
        if !is_right {
            wrong.push(format!("{name}: {rules:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One row of the table "Where we judge otherwise" in docs/VALIDATION.md.
struct Otherwise {
    /// A store, or the beginning of several stores' names.
    store: String,
    accepted: bool,
}

fn documented() -> Vec<Otherwise> {
    let page = include_str!("../../../../docs/VALIDATION.md");
    let section = page.split("## Where we judge otherwise").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [store, _, _, ours, why] = cells[..] else { panic!("a row has five cells: {row}") };
        assert!(why.len() > 20, "no reason: {row}");
        assert!(["accepted", "refused"].contains(&ours), "{row}");
        Otherwise { store: store.trim_matches('`').trim_end_matches('*').to_owned(), accepted: ours == "accepted" }
    })
    .collect()
}

/// Whether one of the other validators accepts, and whether one refuses.
fn theirs(line: &str) -> Option<(String, bool, bool)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [store, yaozarrs, models] = fields[..] else { return None };
    let accept = |verdict: &str| verdict.starts_with("ok");
    Some((store.to_owned(), accept(yaozarrs) || accept(models), !accept(yaozarrs) || !accept(models)))
}

#[test]
fn stores_get_the_verdict_of_other_validators_or_one_that_the_documentation_gives_a_reason_for() {
    let Some(table) = crate::support::corpus("EXPECTED_validators.tsv") else { return };
    let root = table.parent().unwrap();
    let otherwise = documented();
    let (mut wrong, mut used, mut judged) = (Vec::new(), BTreeSet::new(), 0);
    let table = std::fs::read_to_string(&table).unwrap();
    for (store, accepted, refused) in table.lines().filter(|line| !line.starts_with('#')).filter_map(theirs) {
        assert!(root.join(&store).is_dir(), "{store}");
        let found = findings(&root.join(&store));
        judged += 1;
        let ours = !found.has_errors();
        let licensed = |row: &Otherwise| store.starts_with(&row.store) && row.accepted == ours;
        // Where the two differ, one of them is disagreed with, so the reason is always given.
        if ours == accepted && !(accepted && refused) {
            continue;
        }
        let row = otherwise.iter().position(licensed);
        used.extend(row);
        if row.is_none() {
            let rules: Vec<_> =
                found.iter().filter(|f| f.severity == Error).map(|f| format!("{} {}", f.rule, f.path)).collect();
            wrong.push(format!(
                "{store}: we {}, they {accepted}/{refused}: {rules:?}",
                if ours { "accept" } else { "refuse" }
            ));
        }
    }
    let stale: Vec<&str> =
        otherwise.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, row)| row.store.as_str()).collect();
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged > 180 && stale.is_empty(), "{judged} stores; no store is judged by {stale:?}");
}

#[test]
fn every_real_store_can_be_judged_described_and_drawn() {
    let mut drawn = 0;
    for part in ["omezarr", "derived/omezarr"] {
        let Some(root) = crate::support::corpus(part) else { return };
        let source = FolderSource::new(&root).unwrap();
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

#[test]
fn no_chunk_of_a_real_store_is_called_bad() {
    for part in ["omezarr", "derived/omezarr", "metadata-only"] {
        let Some(root) = crate::support::corpus(part) else { return };
        let found = findings(&root);
        let chunks =
            found.iter().filter(|finding| finding.rule.starts_with("ome-zarr.chunk") && finding.severity == Error);
        let bad: Vec<String> =
            chunks.map(|finding| format!("{} {}: {}", finding.rule, finding.path, finding.message)).collect();
        assert!(bad.is_empty(), "{part}:\n{}", bad.join("\n"));
    }
}
