//! Who may use whom: the arrows of docs/ARCHITECTURE.md.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::{
    assert_none,
    sources::{self, Source, code, has_word},
};

/// Each crate with the crates of the workspace it may depend on. Tests may use any.
const ARROWS: [(&str, &[&str]); 12] = [
    ("dataset-model", &[]),
    ("archive-store", &["dataset-model"]),
    ("ome-zarr", &["dataset-model"]),
    ("metadata-store", &["dataset-model"]),
    ("search-index", &["dataset-model"]),
    ("ledger", &["dataset-model"]),
    ("federation", &["dataset-model"]),
    ("node", &["archive-store", "dataset-model", "federation", "ledger", "metadata-store", "ome-zarr", "search-index"]),
    ("http-api", &["dataset-model", "node"]),
    ("web-portal", &["dataset-model", "node"]),
    // `federation`, as `fetch` and `verify` ask nodes and believe them no more than a peer does.
    ("heliograph", &["archive-store", "dataset-model", "federation", "http-api", "node", "ome-zarr", "web-portal"]),
    // A black box: what it knows of the program is what a client knows.
    ("e2e-tests", &["dataset-model"]),
];

/// Libraries that only some crates may name, in their manifests and in their sources.
const ENGINES: [(&str, &[&str]); 17] = [
    ("sled", &["crates/ledger/src/database.rs"]),
    ("oxigraph", &["metadata-store"]),
    ("oxiri", &["metadata-store"]),
    ("oxjsonld", &["metadata-store"]),
    ("oxrdf", &["metadata-store"]),
    ("spargebra", &["metadata-store"]),
    ("tantivy", &["search-index"]),
    ("zarrs", &["ome-zarr"]),
    ("zarrs_storage", &["ome-zarr"]),
    ("object_store", &["archive-store"]),
    ("tlog_tiles", &["federation", "ledger"]),
    ("axum", &["heliograph", "http-api", "web-portal"]),
    ("utoipa", &["http-api"]),
    ("askama", &["web-portal"]),
    ("reqwest", &["federation", "heliograph"]),
    ("clap", &["heliograph"]),
    ("toml", &["heliograph"]),
];

/// Words of the standard library with the crates that may use them, and why no other.
const WORDS: [(&str, &[&str], &str); 6] = [
    ("std::env", &["heliograph"], "the environment is read by the binary and handed down as configuration"),
    ("std::process", &["heliograph"], "only the binary ends or starts processes"),
    ("StatusCode", &["federation", "heliograph", "http-api", "web-portal"], "statuses are the business of HTTP crates"),
    ("print!", &["heliograph"], "libraries report through values and `tracing`"),
    ("println!", &["heliograph"], "libraries report through values and `tracing`"),
    ("eprintln!", &["heliograph"], "libraries report through values and `tracing`"),
];

#[test]
fn crates_depend_only_downwards() {
    let mut faults = Vec::new();
    let packages = packages();
    for (name, dependencies) in &packages {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
            faults.push(format!("{name} is not in the table of arrows"));
            continue;
        };
        let ours = dependencies.iter().filter(|dependency| packages.contains_key(*dependency));
        for forbidden in ours.filter(|dependency| !allowed.contains(&dependency.as_str())) {
            faults.push(format!("crates/{name}/Cargo.toml: {name} may not depend on {forbidden}"));
        }
    }
    assert_none(
        &faults,
        "Put the code where the arrows allow it; `node` is the only conductor (docs/ARCHITECTURE.md).",
    );
}

#[test]
fn engines_are_named_only_by_their_crates() {
    let mut faults = Vec::new();
    for (name, dependencies) in packages() {
        for (engine, owners) in ENGINES {
            let manifest_name = engine.replace('_', "-");
            let uses = dependencies.iter().any(|dependency| dependency.replace('_', "-") == manifest_name);
            if uses && name != "e2e-tests" && !owners.iter().any(|owner| crate_of(owner) == name) {
                faults.push(format!("crates/{name}/Cargo.toml: depends on {engine}"));
            }
        }
    }
    for source in sources::of_crates() {
        for (engine, owners) in ENGINES {
            if !is_owner(&source, owners) {
                faults.extend(
                    places(&source, |code| names_library(code, engine)).map(|at| format!("{at}: names {engine}")),
                );
            }
        }
    }
    assert_none(&faults, "Hide the engine behind a type of the crate that owns it (the table is in layering.rs).");
}

#[test]
fn surroundings_are_touched_only_where_they_may_be() {
    let mut faults = Vec::new();
    for source in sources::of_crates() {
        for (word, owners, why) in WORDS {
            if !is_owner(&source, owners) {
                faults.extend(places(&source, |code| has_word(code, word)).map(|at| format!("{at}: `{word}`; {why}")));
            }
        }
    }
    assert_none(&faults, "Take it as an argument, or move it to the crate that may.");
}

/// Each package of the workspace with the names of all it depends on, tests aside.
fn packages() -> BTreeMap<String, Vec<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(sources::root()).output().expect("running cargo");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (text(&package["name"]), dependencies(package))).collect()
}

fn dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().expect("dependencies");
    all.iter().filter(|dependency| dependency["kind"] != "dev").map(|dependency| text(&dependency["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a name").to_owned()
}

/// The crate of an owner that is a crate or one of its files.
fn crate_of(owner: &str) -> &str {
    owner.strip_prefix("crates/").and_then(|path| path.split('/').next()).unwrap_or(owner)
}

fn is_owner(source: &Source, owners: &[&str]) -> bool {
    owners.iter().any(|owner| source.owner == *owner || source.path == *owner)
}

/// A library is named where a path or an import starts with it; the same word elsewhere is prose or a variable.
fn names_library(code: &str, library: &str) -> bool {
    has_word(code, library) && (code.contains(&format!("{library}::")) || code.contains(&format!("use {library}")))
}

fn places(source: &Source, matches: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    source.lines.iter().filter(move |(_, line)| matches(code(line))).map(|(at, _)| format!("{}:{at}", source.path))
}
