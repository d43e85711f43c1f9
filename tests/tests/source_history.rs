//! A real listing of a real source at two dates, read in every way there is: at each date the node has what the source had, and
//! so has a partner that was away all the while.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use e2e_tests::{Federation, Node, Page, Setup, SourceServer, eventually, run, shared_data};
use serde_json::Value;

/// What the search says when it is behind the log for a while.
const BEHIND: &str = "is behind the log";

fn dates() -> Option<(PathBuf, PathBuf)> {
    let history = shared_data("ssbd-history")?;
    Some((history.join("2026-03-10"), history.join("2026-04-27")))
}

/// The IRIs of the studies in a folder, and their titles, read here and not by the node.
fn truth(folder: &Path) -> BTreeMap<String, String> {
    let mut studies = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let document: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let graph = document["@graph"].as_array().unwrap();
        let descriptor =
            graph.iter().find(|entity| entity["@id"].as_str().unwrap_or_default().ends_with("ro-crate-metadata.json"));
        let root = descriptor.unwrap()["about"]["@id"].as_str().unwrap();
        let entity = graph.iter().find(|entity| entity["@id"] == root).unwrap();
        studies.insert(root.to_owned(), entity["name"].as_str().unwrap_or_default().to_owned());
    }
    studies
}

/// What a node shows, by IRI.
async fn shown(node: &Node) -> BTreeMap<String, String> {
    let (mut studies, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let answer = node.anybody().search(&format!("q=&size=200&sort=title{cursor}")).await;
        for hit in answer["hits"].as_array().unwrap() {
            let text = |key: &str| hit[key].as_str().unwrap_or_default().to_owned();
            studies.insert(text("iri"), text("title"));
        }
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return studies,
        }
    }
}

async fn shows_exactly(node: &Node, folder: &Path) {
    node.caught_up().await;
    let (truth, shown) = (truth(folder), shown(node).await);
    let keys = |studies: &BTreeMap<String, String>| studies.keys().cloned().collect::<BTreeSet<_>>();
    let differ: Vec<_> = keys(&truth).symmetric_difference(&keys(&shown)).cloned().collect();
    assert!(differ.is_empty(), "{} shows something else than {}: {differ:#?}", node.id(), folder.display());
}

/// `[seen, stored, unchanged, withdrawn, rejected]`.
fn counts(report: &Value) -> [u64; 5] {
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("no '{key}': {report}"));
    let rejected = report["rejected"].as_array().unwrap().len() as u64;
    assert_eq!(number("seen"), number("stored") + number("unchanged") + rejected, "{report:#}");
    [number("seen"), number("stored"), number("unchanged"), number("withdrawn"), rejected]
}

async fn import(node: &Node, source: &str) -> Value {
    let (url, token) = (node.url(), node.admin_token.clone());
    run(["import", source, "--as", "ssbd", "--node", &url, "--token", &token, "--json"]).await.ok().json()
}

/// A node that harvests the listing of a server when asked.
async fn harvester(server: &SourceServer) -> Node {
    let source = format!(
        "[[sources]]\nname = \"ssbd\"\nkind = \"index\"\nurl = \"{}/crates/\"\ninterval_seconds = 0\n",
        server.url
    );
    Node::start_with(Setup::new("japan").await.extra(&source)).await
}

async fn harvest(node: &Node) -> Value {
    node.admin().post("/api/v1/sources/ssbd/harvest", &Value::Null).await.expect(200).json()
}

#[tokio::test]
async fn a_folder_of_two_dates_ends_equal_to_the_source_at_each() {
    let Some((earlier, later)) = dates() else { return };
    let node = Node::start("japan").await;
    for (folder, expected) in [(&earlier, [635, 635, 0, 0, 0]), (&later, [395, 395, 0, 242, 0])] {
        assert_eq!(counts(&import(&node, &folder.to_string_lossy()).await), expected);
        shows_exactly(&node, folder).await;
    }
    node.assert_quiet_log(&[BEHIND]);
}

#[tokio::test]
async fn an_index_of_two_dates_ends_equal_to_the_source_at_each_and_asks_for_nothing_twice() {
    let Some((earlier, later)) = dates() else { return };
    let server = SourceServer::start().await;
    let node = harvester(&server).await;
    server.put_folder(&earlier);
    assert_eq!(counts(&harvest(&node).await), [635, 635, 0, 0, 0]);
    shows_exactly(&node, &earlier).await;
    assert_eq!(counts(&harvest(&node).await), [635, 0, 635, 0, 0], "answered by 304 each");
    server.put_folder(&later);
    assert_eq!(counts(&harvest(&node).await), [395, 395, 0, 242, 0]);
    shows_exactly(&node, &later).await;

    // Incrementally: a file a day, as the source might have done it.
    let fresh = harvester(&server).await;
    server.put_folder(&earlier);
    harvest(&fresh).await;
    let state = fresh.scratch().join("listing");
    fs::create_dir(&state).unwrap();
    for entry in fs::read_dir(&earlier).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), state.join(entry.file_name())).unwrap();
    }
    let names = |folder: &Path| -> BTreeSet<_> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let (old, new) = (names(&earlier), names(&later));
    let gone: Vec<_> = old.difference(&new).collect();
    for part in gone.chunks(gone.len() / 3 + 1) {
        part.iter().for_each(|name| fs::remove_file(state.join(name)).unwrap());
        server.put_folder(&state);
        let report = harvest(&fresh).await;
        assert_eq!(
            (report["withdrawn"].as_u64(), report["stored"].as_u64()),
            (Some(part.len() as u64), Some(0)),
            "{report}"
        );
        shows_exactly(&fresh, &state).await;
    }
    server.put_folder(&later);
    assert_eq!(counts(&harvest(&fresh).await), [395, 395, 0, 0, 0]);
    shows_exactly(&fresh, &later).await;
    node.assert_quiet_log(&[BEHIND]);
    fresh.assert_quiet_log(&[BEHIND]);
}

#[tokio::test]
async fn a_listing_that_breaks_off_at_any_place_takes_nothing_away() {
    let Some((earlier, later)) = dates() else { return };
    let server = SourceServer::start().await;
    let node = harvester(&server).await;
    server.put_folder(&earlier);
    harvest(&node).await;
    server.remove_all("/crates/");
    for (what, page) in [
        ("gone", Page::status(404)),
        ("down", Page::status(503).header("retry-after", "0")),
        ("other", Page::new("image/png", "x")),
        ("cut", Page::html("<html><body><pre><a href=\"1.json\">1</a>")),
    ] {
        server.put("/crates/", page);
        let report = harvest(&node).await;
        assert!(report["stopped"].is_string() && report["complete"] == false, "{what}: {report}");
        assert_eq!((report["withdrawn"].as_u64(), report["seen"].as_u64()), (Some(0), Some(0)), "{what}: {report}");
        shows_exactly(&node, &earlier).await;
    }
    // A whole listing, empty: more than half is gone at once, and a person has to say so.
    server.put("/crates/", Page::html("<html><body>nothing</body></html>"));
    let report = harvest(&node).await;
    assert_eq!((report["held_back"].as_u64(), report["withdrawn"].as_u64()), (Some(635), Some(0)), "{report}");
    shows_exactly(&node, &earlier).await;
    server.put_folder(&later);
    assert_eq!(counts(&harvest(&node).await)[3], 242, "less than half may go");
    shows_exactly(&node, &later).await;
    server.put("/crates/", Page::html("<html><body>nothing</body></html>"));
    let confirmed =
        node.admin().post("/api/v1/sources/ssbd/harvest?confirm_shrink=true", &Value::Null).await.expect(200).json();
    assert_eq!(confirmed["withdrawn"], 395, "{confirmed}");
    node.caught_up().await;
    assert!(shown(&node).await.is_empty());
    node.assert_quiet_log(&[BEHIND]);
}

#[tokio::test]
async fn a_partner_that_was_away_ends_equal_too() {
    let Some((earlier, later)) = dates() else { return };
    let mut federation = Federation::start(&["japan", "europe"]).await;
    import(federation.node("japan"), &earlier.to_string_lossy()).await;
    let europe_has = async |federation: &Federation, folder: &Path| {
        let (node, truth) = (federation.node("europe"), truth(folder));
        eventually("the partner shows the same", || async {
            let shown = shown(node).await;
            if shown.keys().eq(truth.keys()) { Ok(()) } else { Err(format!("{} of {}", shown.len(), truth.len())) }
        })
        .await;
    };
    europe_has(&federation, &earlier).await;
    federation.node_mut("europe").stop().await;
    // While it is away: to the later date, back, and again.
    for folder in [&later, &earlier, &later] {
        import(federation.node("japan"), &folder.to_string_lossy()).await;
        shows_exactly(federation.node("japan"), folder).await;
    }
    federation.node_mut("europe").launch().await;
    europe_has(&federation, &later).await;
}
