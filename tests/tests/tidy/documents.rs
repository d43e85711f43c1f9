//! Documentation that could fall behind the code, compared with it.

use dataset_model::{Entry, MerkleTree};

use crate::{assert_none, sources};

fn document(path: &str) -> String {
    sources::read(path).unwrap_or_else(|| panic!("{path} is missing"))
}

#[test]
fn the_test_vector_of_the_protocol_is_what_the_code_makes() {
    let text = document("docs/FEDERATION.md");
    let entries: Vec<&str> = text.lines().filter(|line| line.starts_with("{\"")).collect();
    assert_eq!(entries.len(), 2, "the two entries of the test vector");
    let mut tree = MerkleTree::default();
    for written in entries {
        let entry = Entry::from_bytes(written.as_bytes()).expect("an entry");
        let bytes = entry.to_bytes().expect("its canonical form");
        assert_eq!(String::from_utf8_lossy(&bytes), written);
        tree.push(&bytes);
        let root = tree.root();
        assert!(
            text.contains(&format!("`{root}`")),
            "docs/FEDERATION.md lacks the root {root} after {} entries",
            tree.size()
        );
    }
}

#[test]
fn every_route_is_described() {
    let text = document("docs/HTTP-API.md");
    let mut faults = Vec::new();
    for source in sources::of_crates().iter().filter(|source| source.owner == "http-api") {
        for (at, line) in &source.lines {
            let Some((_, rest)) = line.split_once("path = \"/") else { continue };
            let route = format!("/{}", rest.split('"').next().unwrap_or_default()).replace("{*", "{");
            if !text.contains(&format!("{route}`")) {
                faults.push(format!("{}:{at}: {route}", source.path));
            }
        }
    }
    assert_none(&faults, "Describe the route in docs/HTTP-API.md, with a command that works as printed.");
}

#[test]
fn every_form_of_a_record_is_described_as_it_is() {
    let (text, code) = (document("docs/METADATA.md"), document("crates/metadata-store/src/export/format.rs"));
    let after = |part: &str, key: &str| {
        let value = part.split_once(key).and_then(|(_, rest)| rest.split('"').nth(1));
        value.unwrap_or_default().to_owned()
    };
    let rows: Vec<&str> = code.split("    Row {").skip(1).collect();
    assert!(rows.len() > 10, "the table of formats is found in format.rs");
    let undescribed = rows.into_iter().filter_map(|row| {
        let (name, media_type) = (after(row, "name: "), after(row, "media_types: "));
        let line = text.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_default();
        let profile = if row.contains("profile: Some") { after(row, "profile: ") } else { String::new() };
        let told = line.contains(&format!("`{media_type}`")) && line.contains(&profile);
        (!told).then(|| format!("{name}: {media_type} {profile}"))
    });
    assert_none(
        &undescribed.collect::<Vec<_>>(),
        "Put format, media type and profile into the table of docs/METADATA.md.",
    );
}

#[test]
fn every_setting_is_described() {
    let text = document("docs/CONFIGURATION.md");
    let keys = keys(&document("crates/heliograph/src/config.rs"));
    assert!(keys.len() > 10, "the sections are found in config.rs: {keys:?}");
    let unknown: Vec<String> = keys.into_iter().filter(|key| !text.contains(&format!("| `{key}` |"))).collect();
    assert_none(&unknown, "Describe the setting in docs/CONFIGURATION.md, as a row of its section's table.");
}

/// The public fields of every `…Section` in the configuration.
fn keys(code: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut within = false;
    for line in code.lines() {
        if line.starts_with("pub struct ") {
            within = line.contains("Section ");
        } else if line == "}" {
            within = false;
        }
        let field = line.strip_prefix("    pub ").and_then(|field| field.split_once(':'));
        if let Some((name, _)) = field.filter(|_| within) {
            keys.push(name.to_owned());
        }
    }
    keys
}
