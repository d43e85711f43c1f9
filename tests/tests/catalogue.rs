//! Listings of other repositories as catalogue records: counted, complete, and withdrawn only on good evidence.

use std::{collections::BTreeSet, fs, path::Path};

use e2e_tests::{Node, Output, Words, run, shared_data};
use serde_json::{Value, json};

/// `heliograph import` as a curator.
async fn import(node: &Node, folder: &Path, name: &str) -> Value {
    let output = import_output(node, folder, name).await.ok();
    let report = output.json();
    adds_up(&report);
    assert_eq!(report["complete"], true, "{report}");
    node.caught_up().await;
    report
}

async fn import_output(node: &Node, folder: &Path, name: &str) -> Output {
    let folder = folder.to_string_lossy();
    run(["import", &folder, "--as", name, "--node", &node.url(), "--token", &node.admin_token, "--json"]).await
}

fn number(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap_or_else(|| panic!("no '{key}': {report}"))
}

fn rejected(report: &Value) -> Vec<(String, String)> {
    let rows = report["rejected"].as_array().unwrap_or_else(|| panic!("no 'rejected': {report}"));
    let text = |row: &Value, key: &str| row[key].as_str().filter(|text| !text.is_empty()).expect("text").to_owned();
    rows.iter().map(|row| (text(row, "what"), text(row, "why"))).collect()
}

fn adds_up(report: &Value) {
    let refused = rejected(report).len() as u64;
    assert_eq!(number(report, "seen"), number(report, "stored") + number(report, "unchanged") + refused, "{report:#}");
}

/// `[seen, stored, unchanged, withdrawn, rejected]`.
fn counts(report: &Value) -> [u64; 5] {
    let [seen, stored, unchanged, withdrawn] =
        ["seen", "stored", "unchanged", "withdrawn"].map(|key| number(report, key));
    [seen, stored, unchanged, withdrawn, rejected(report).len() as u64]
}

fn write(folder: &Path, file: &str, content: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn write_study(folder: &Path, file: &str, number: usize, title: &str) {
    write(folder, file, &Words::study(number, title).to_string());
}

/// Every hit of a search, over all pages, by IRI.
async fn all_hits(node: &Node, query: &str) -> Vec<Value> {
    let mut hits: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = node.anybody().search(&format!("{query}&size=200&sort=title{cursor}")).await;
        hits.extend(answer["hits"].as_array().unwrap().iter().cloned());
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(answer["total"], hits.len());
                return hits;
            }
        }
    }
}

async fn titles(node: &Node) -> BTreeSet<String> {
    all_hits(node, "q=").await.iter().map(|hit| hit["title"].as_str().unwrap_or_default().to_owned()).collect()
}

fn set(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

#[tokio::test]
async fn a_listing_is_counted_and_the_next_one_is_the_new_truth() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("listing");
    for (file, number, title) in
        [("a.json", 1, "Alpha"), ("b/b.json", 2, "Beta"), ("b/c/c.json", 3, "Gamma"), ("d.json", 4, "Delta")]
    {
        write_study(&folder, file, number, title);
    }
    write(&folder, "readme.txt", "not an item of the listing");
    assert_eq!(counts(&import(&node, &folder, "archive").await), [4, 4, 0, 0, 0]);
    assert_eq!(titles(&node).await, set(&["Alpha", "Beta", "Gamma", "Delta"]));
    assert_eq!(counts(&import(&node, &folder, "archive").await), [4, 0, 4, 0, 0]);

    write_study(&folder, "a.json", 1, "Alpha changed");
    fs::remove_file(folder.join("b/b.json")).unwrap();
    write(&folder, "b/c/c.json", "{\"@graph\": [");
    write_study(&folder, "e.json", 5, "Epsilon");
    write_study(&folder, "twin.json", 5, "Epsilon's twin");
    let report = import(&node, &folder, "archive").await;
    assert_eq!(counts(&report), [5, 2, 1, 1, 2], "{report:#}");
    let refused = rejected(&report);
    assert!(refused.iter().any(|(what, _)| what == "b/c/c.json"), "{refused:?}");
    let (_, why) = refused.iter().find(|(what, _)| what == "twin.json").unwrap_or_else(|| panic!("{refused:?}"));
    assert!(why.contains("e.json"), "the other file is named: {why}");
    let expected = set(&["Alpha changed", "Gamma", "Delta", "Epsilon"]);
    assert_eq!(titles(&node).await, expected, "what cannot be read now stays as it was");

    fs::rename(folder.join("d.json"), folder.join("renamed.json")).unwrap();
    fs::remove_file(folder.join("twin.json")).unwrap();
    write_study(&folder, "b/c/c.json", 3, "Gamma");
    let before = id_of(&node, "Delta").await;
    assert_eq!(counts(&import(&node, &folder, "archive").await), [4, 0, 4, 0, 0], "a renamed file is the same study");
    assert_eq!(titles(&node).await, expected);
    assert_eq!(id_of(&node, "Delta").await, before);
    assert_eq!(counts(&import(&node, &folder, "archive").await), [4, 0, 4, 0, 0]);
    node.assert_quiet_log(&[]);
}

async fn id_of(node: &Node, title: &str) -> String {
    let hits = all_hits(node, "q=").await;
    let hit = hits.iter().find(|hit| hit["title"] == title).unwrap_or_else(|| panic!("no '{title}': {hits:?}"));
    hit["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn files_that_swap_their_studies_confuse_nobody() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("listing");
    write_study(&folder, "a.json", 1, "Alpha");
    write_study(&folder, "b.json", 2, "Beta");
    import(&node, &folder, "archive").await;
    write_study(&folder, "a.json", 2, "Beta");
    write_study(&folder, "b.json", 1, "Alpha");
    assert_eq!(counts(&import(&node, &folder, "archive").await), [2, 0, 2, 0, 0]);
    fs::remove_file(folder.join("b.json")).unwrap();
    assert_eq!(counts(&import(&node, &folder, "archive").await), [1, 0, 1, 1, 0]);
    assert_eq!(titles(&node).await, set(&["Beta"]));
    assert_eq!(counts(&import(&node, &folder, "archive").await), [1, 0, 1, 0, 0]);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_study_that_comes_back_is_found_again_under_its_id() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("listing");
    write_study(&folder, "a.json", 1, "Alpha");
    write_study(&folder, "b.json", 2, "Beta");
    import(&node, &folder, "archive").await;
    let id = id_of(&node, "Beta").await;
    fs::remove_file(folder.join("b.json")).unwrap();
    assert_eq!(counts(&import(&node, &folder, "archive").await), [1, 0, 1, 1, 0]);
    let problem = node.anybody().get(&format!("/api/v1/datasets/{id}")).await.problem(410);
    assert_eq!(problem["tombstone"]["reason"], "unlisted");
    write_study(&folder, "b.json", 2, "Beta");
    assert_eq!(counts(&import(&node, &folder, "archive").await), [2, 1, 1, 0, 0]);
    assert_eq!(id_of(&node, "Beta").await, id);
    node.anybody().get(&format!("/api/v1/datasets/{id}")).await.ok();
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn two_sources_do_not_touch_each_others_records() {
    let node = Node::start("europe").await;
    let (one, two) = (node.scratch().join("one"), node.scratch().join("two"));
    write_study(&one, "a.json", 1, "Alpha of one");
    write_study(&two, "a.json", 1, "Alpha of two");
    import(&node, &one, "one").await;
    import(&node, &two, "two").await;
    assert_eq!(titles(&node).await, set(&["Alpha of one", "Alpha of two"]));
    fs::remove_file(one.join("a.json")).unwrap();
    assert_eq!(counts(&import(&node, &one, "one").await), [0, 0, 0, 1, 0], "an empty listing is a listing");
    assert_eq!(titles(&node).await, set(&["Alpha of two"]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_record_short_of_a_must_is_kept_flagged_and_findable() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("listing");
    let mut crate_json = Words::study(1, "Without a licence");
    let root = crate_json["@graph"][1].as_object_mut().unwrap();
    root.remove("license");
    root.remove("author");
    write(&folder, "a.json", &crate_json.to_string());
    let report = import(&node, &folder, "archive").await;
    assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
    assert_eq!(report["incomplete"], 1);
    assert_eq!(report["findings"]["crate.license.missing"], 1, "{report:#}");
    let record =
        node.anybody().get(&format!("/api/v1/datasets/{}", id_of(&node, "Without a licence").await)).await.ok();
    let findings = record["summary"]["findings"].to_string();
    assert!(findings.contains("crate.license.missing") && findings.contains("crate.author.missing"), "{findings}");
    assert_eq!(record["kind"], "catalogue");
    assert_eq!(record["iri"], "https://archive.example/studies/S1");
    node.assert_quiet_log(&[]);
}

/// One listing as the client sends it; `end` is whether it says that it is complete.
fn listing(studies: &[(&str, usize, &str)], end: bool) -> String {
    let lines = studies.iter().map(|(path, number, title)| {
        json!({"path": path, "crate": Words::study(*number, title).to_string()}).to_string()
    });
    let end = end.then(|| json!({"complete": true}).to_string());
    lines.chain(end).map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn a_listing_that_breaks_off_withdraws_nothing() {
    let node = Node::start("europe").await;
    let client = node.admin();
    let send = |body: String| client.import("archive", body);
    let first = send(listing(&[("a", 1, "Alpha"), ("b", 2, "Beta"), ("c", 3, "Gamma")], true)).await.ok();
    assert_eq!(counts(&first), [3, 3, 0, 0, 0]);

    let report = send(listing(&[("a", 1, "Alpha changed"), ("d", 4, "Delta")], false)).await.ok();
    assert_eq!((counts(&report), &report["complete"]), ([2, 2, 0, 0, 0], &json!(false)));
    let expected = set(&["Alpha changed", "Beta", "Gamma", "Delta"]);
    assert_eq!(titles(&node).await, expected);

    let half = listing(&[("a", 1, "Alpha changed")], false) + "{\"path\": \"b\", \"cra";
    send(half).await.problem(422);
    send("nonsense\n".into()).await.problem(422);
    let with_unreadable = listing(&[("a", 1, "Alpha changed"), ("c", 3, "Gamma"), ("d", 4, "Delta")], false);
    let with_unreadable =
        with_unreadable + "{\"path\": \"b\", \"error\": \"permission denied\"}\n{\"complete\": true}\n";
    let report = send(with_unreadable).await.ok();
    assert_eq!(counts(&report), [4, 0, 3, 0, 1]);
    assert_eq!(titles(&node).await, expected);

    node.anybody().import("archive", listing(&[], true)).await.problem(401);
    node.depositor().import("archive", listing(&[], true)).await.problem(403);
    assert_eq!(titles(&node).await, expected);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_no_empty_listing() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("listing");
    write_study(&folder, "a.json", 1, "Alpha");
    import(&node, &folder, "archive").await;
    fs::rename(&folder, node.scratch().join("moved")).unwrap();
    let output = import_output(&node, &folder, "archive").await;
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stderr.contains("listing"), "{output:?}");
    assert_eq!(titles(&node).await, set(&["Alpha"]));
    node.assert_quiet_log(&[]);
}

/// On a slow machine a large import is answered before search and RDF are done.
const BEHIND: &str = "search or RDF is behind";

/// IRI, title and identifiers that the crate itself gives its root.
struct Known {
    iri: String,
    title: String,
    identifiers: Vec<String>,
}

fn known_studies(folder: &Path) -> Vec<Known> {
    let mut known = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            known.extend(known_studies(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "json") {
            known.extend(known_study(&fs::read_to_string(&entry).unwrap()));
        }
    }
    known
}

fn known_study(text: &str) -> Option<Known> {
    let document: Value = serde_json::from_str(text).ok()?;
    let graph = document["@graph"].as_array()?;
    let is_descriptor =
        |entity: &&Value| entity["@id"].as_str().is_some_and(|id| id.ends_with("ro-crate-metadata.json"));
    let root = graph.iter().find(is_descriptor)?["about"]["@id"].as_str()?;
    let entity = graph.iter().find(|entity| entity["@id"] == root)?;
    let texts = |value: &Value| -> Vec<String> {
        let many = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        many.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let title = texts(&entity["name"]).into_iter().next().unwrap_or_default();
    Some(Known { iri: root.to_owned(), title, identifiers: texts(&entity["identifier"]) })
}

fn query_of(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(12).collect();
    format!("q={}", words.join("+"))
}

#[tokio::test]
async fn every_record_of_the_real_collections_is_kept_and_findable() {
    let Some(crates) = shared_data("gide-crates") else { return };
    let node = Node::start("europe").await;
    let mut known = Vec::new();
    for collection in
        ["europe/bioimage-archive", "europe/empiar", "europe/idr", "japan/ssbd-repository", "japan/ssbd-database"]
    {
        let folder = crates.join(collection);
        let here = known_studies(&folder);
        let name = collection.rsplit('/').next().unwrap();
        let report = import(&node, &folder, name).await;
        eprintln!("{collection}: {report}");
        assert_eq!(counts(&report), [here.len() as u64, here.len() as u64, 0, 0, 0], "{collection}");
        known.extend(here);
    }
    assert_eq!(known.len(), 1252);
    let hits = all_hits(&node, "q=").await;
    let iris: BTreeSet<&str> = hits.iter().filter_map(|hit| hit["iri"].as_str()).collect();
    assert_eq!(iris.len(), known.len(), "some records have no IRI of their own");
    let missing: Vec<&str> = known.iter().map(|study| study.iri.as_str()).filter(|iri| !iris.contains(iri)).collect();
    assert!(missing.is_empty(), "not in the search: {missing:?}");
    found_by_their_words(&node, &known).await;
    facets_add_up(&node, &hits).await;
    let again = import(&node, &crates.join("europe/idr"), "idr").await;
    assert_eq!(number(&again, "unchanged"), number(&again, "seen"), "{again}");
    node.assert_quiet_log(&[BEHIND]);
}

/// A sample of the records, by the words of the title and by the identifier.
async fn found_by_their_words(node: &Node, known: &[Known]) {
    for study in known.iter().step_by(25) {
        for text in std::iter::once(&study.title).chain(&study.identifiers).filter(|text| !text.is_empty()) {
            let hits = all_hits(node, &query_of(text)).await;
            let found = hits.iter().any(|hit| hit["iri"] == study.iri.as_str());
            assert!(found, "{} is not among {} hits for '{text}' ({})", study.iri, hits.len(), query_of(text));
        }
    }
}

async fn facets_add_up(node: &Node, hits: &[Value]) {
    let facets = node.anybody().search("q=").await["facets"].clone();
    let sum = |name: &str| -> u64 {
        facets[name].as_array().unwrap().iter().filter_map(|value| value["count"].as_u64()).sum()
    };
    let dated = hits.iter().filter(|hit| hit["year"].is_number()).count() as u64;
    assert_eq!(sum("year"), dated);
    assert_eq!(sum("node"), hits.len() as u64);
    assert_eq!(sum("access"), hits.len() as u64);
    assert_eq!(sum("has_images"), hits.len() as u64);
    for year in facets["year"].as_array().unwrap() {
        let value = year["value"].as_str().unwrap();
        let filtered = node.anybody().search(&format!("q=&year_from={value}&year_to={value}")).await;
        assert_eq!(filtered["total"], year["count"], "{value}");
    }
}

#[tokio::test]
async fn a_real_listing_of_two_dates_ends_as_if_only_the_later_had_been() {
    let Some(history) = shared_data("ssbd-history") else { return };
    let (earlier, later) = (history.join("2026-03-10"), history.join("2026-04-27"));
    let node = Node::start("japan").await;
    assert_eq!(counts(&import(&node, &earlier, "ssbd").await), [635, 635, 0, 0, 0]);
    let report = import(&node, &later, "ssbd").await;
    eprintln!("2026-03-10 → 2026-04-27: {report}");
    assert_eq!(counts(&report), [395, 395, 0, 242, 0], "393 changed, 2 new, 242 gone");
    let fresh = Node::start("japan").await;
    assert_eq!(counts(&import(&fresh, &later, "ssbd").await), [395, 395, 0, 0, 0]);
    let ((replayed, replayed_facets), (direct, direct_facets)) = (essence(&node).await, essence(&fresh).await);
    let differ: Vec<_> = replayed.symmetric_difference(&direct).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(replayed_facets, direct_facets);
    assert_eq!(counts(&import(&node, &later, "ssbd").await), [395, 0, 395, 0, 0]);
    assert_eq!(counts(&import(&node, &earlier, "ssbd").await), [635, 635, 0, 2, 0], "and back again");
    node.assert_quiet_log(&[BEHIND]);
    fresh.assert_quiet_log(&[BEHIND]);
}

/// What readers see of a catalogue: ids, IRIs, titles and dates of all records, and the facets.
async fn essence(node: &Node) -> (BTreeSet<String>, Value) {
    let row = |hit: &Value| {
        json!([hit["id"], hit["iri"], hit["title"], hit["date_published"], hit["organisms"], hit["methods"]])
            .to_string()
            // Terms without an IRI of their own are named after the node's page.
            .replace(&node.url(), "")
    };
    let rows = all_hits(node, "q=").await.iter().map(row).collect();
    let facets = node.anybody().search("q=").await["facets"].to_string().replace(&node.url(), "");
    let mut facets: Value = serde_json::from_str(&facets).unwrap();
    // Which spelling of a name stands for all records that spell it differently depends on their order.
    for value in facets.as_object_mut().unwrap().values_mut().flat_map(|values| values.as_array_mut().unwrap()) {
        value.as_object_mut().unwrap().remove("label");
    }
    for values in facets.as_object_mut().unwrap().values_mut() {
        values.as_array_mut().unwrap().sort_by_key(|value| value["value"].to_string());
    }
    (rows, facets)
}
