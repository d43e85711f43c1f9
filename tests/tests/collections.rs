//! The real collections: every crate is kept, none tells an address, and the published shapes find what we find.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use e2e_tests::{Node, python, run, shared_data, told_by};
use serde_json::{Value, json};

const COLLECTIONS: [&str; 5] =
    ["europe/bioimage-archive", "europe/empiar", "europe/idr", "japan/ssbd-repository", "japan/ssbd-database"];
/// Seconds for the shapes; what is not compared by then is left out.
const TIME_FOR_SHAPES: &str = "420";

#[tokio::test]
async fn the_real_collections_are_kept_whole_tell_no_address_and_are_judged_as_the_shapes_judge() {
    let (Some(crates), Some(profile)) = (shared_data("gide-crates"), shared_data("gide-profile")) else { return };
    let node = Node::start("europe").await;
    let mut rules: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut seen = 0;
    for collection in COLLECTIONS {
        let report = import(&node, &crates.join(collection), collection).await;
        let number = |key: &str| report[key].as_u64().unwrap();
        let rejected = report["rejected"].as_array().unwrap().len() as u64;
        assert_eq!(number("seen"), number("stored") + number("unchanged") + rejected, "{collection}");
        seen += number("seen");
        for kind in ["findings", "repairs"] {
            for (rule, count) in report[kind].as_object().unwrap() {
                let of_rule = rules.entry(format!("{kind} {rule}")).or_default();
                *of_rule.entry(collection.to_owned()).or_default() += count.as_u64().unwrap();
            }
        }
    }
    assert_eq!(seen, 1252);
    eprintln!("findings and repairs by rule and collection: {rules:#?}");
    node.caught_up().await;
    assert_eq!(told_by(&node, &[]).await, Vec::<String>::new());
    compare_with_shapes(&node, &crates, &profile).await;
}

async fn import(node: &Node, folder: &Path, collection: &str) -> Value {
    let name = collection.rsplit('/').next().unwrap();
    let (folder, url) = (folder.to_string_lossy(), node.url());
    let import = ["import", &folder, "--as", name, "--node", &url, "--token", &node.admin_token, "--json"];
    run(import).await.ok().json()
}

/// What the published SHACL shapes find and what we find, crate by crate and rule by rule; see docs/CRATES.md for where they
/// differ and why.
async fn compare_with_shapes(node: &Node, crates: &Path, profile: &Path) {
    let findings = node.scratch().join("findings.jsonl");
    fs::write(&findings, our_findings(node, crates).await).unwrap();
    let contexts = contexts(node, profile);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/shacl_compare.py");
    let mut compare = tokio::process::Command::new(python());
    compare.arg(script).arg(profile.join("shapes.ttl")).arg(contexts).arg(findings).arg(TIME_FOR_SHAPES);
    let output = compare.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = |key: &str| -> BTreeMap<String, usize> {
        report[key]
            .as_object()
            .unwrap()
            .iter()
            .map(|(rule, files)| (rule.clone(), files.as_array().unwrap().len()))
            .collect()
    };
    let (only_shapes, only_ours) = (count("only_shapes"), count("only_ours"));
    eprintln!("compared {} of {} crates, {} agree", report["compared"], report["crates"], report["agreed"]);
    eprintln!(
        "shapes: {}\nonly the shapes: {only_shapes:?}\nonly ours: {only_ours:?}\nnot judged here: {}",
        report["shapes"], report["unjudged"]
    );
    let documented = documented_differences();
    let undocumented: Vec<String> = only_shapes
        .keys()
        .map(|rule| format!("shapes: {rule}"))
        .chain(only_ours.keys().map(|rule| format!("ours: {rule}")))
        .filter(|difference| !documented.contains(difference))
        .collect();
    assert!(undocumented.is_empty(), "docs/CRATES.md does not explain {undocumented:?}: {report:#}");
    assert!(report["compared"].as_u64().unwrap() > 0, "not one crate in time");
}

/// The first column of the table "Where the shapes judge otherwise".
fn documented_differences() -> BTreeSet<String> {
    let page = include_str!("../../docs/CRATES.md");
    let rows = page.split("## Where the shapes judge otherwise").nth(1).unwrap().lines();
    rows.filter_map(|row| row.strip_prefix("| ")?.split(" |").next().map(|cell| cell.replace('`', ""))).collect()
}

/// A line for each crate: its file, and the rules we find broken.
async fn our_findings(node: &Node, crates: &Path) -> String {
    let mut lines = String::new();
    let (mut cursor, mut count) = (String::new(), 0);
    loop {
        let answer = node.anybody().search(&format!("q=&size=200{cursor}")).await;
        for hit in answer["hits"].as_array().unwrap() {
            let record = node.anybody().get(&format!("/api/v1/datasets/{}", hit["id"].as_str().unwrap())).await.ok();
            let findings = record["summary"]["findings"].as_array().unwrap();
            let rules: BTreeSet<&str> = findings.iter().filter_map(|finding| finding["rule"].as_str()).collect();
            lines += &format!("{}\n", json!({"file": file_of(crates, &record), "rules": rules}));
            count += 1;
        }
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(count, 1252);
    lines
}

/// Where a record was imported from, by its provenance.
fn file_of(crates: &Path, record: &Value) -> PathBuf {
    let source = &record["provenance"]["source"];
    let name = source["name"].as_str().unwrap();
    let collection = COLLECTIONS.into_iter().find(|collection| collection.ends_with(name)).unwrap();
    let file = crates.join(collection).join(source["file"].as_str().unwrap());
    assert!(file.is_file(), "{}", file.display());
    file
}

/// A folder with the contexts that crates name.
fn contexts(node: &Node, profile: &Path) -> PathBuf {
    let folder = node.scratch().join("contexts");
    fs::create_dir_all(&folder).unwrap();
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/metadata-store/contexts");
    for file in [
        bundled.join("ro-crate-1.1.jsonld"),
        bundled.join("ro-crate-1.2.jsonld"),
        profile.join("gide-search-context.jsonld"),
    ] {
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    folder
}
