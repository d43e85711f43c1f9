//! The event stream, followed by the npm `ldes-client`: everything, then what happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Stdio,
};

use e2e_tests::{COMPLETE, Dataset, Node, PATIENCE, Words, npm_clients};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
};

/// A client that follows a node's stream.
struct Follower {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    seen: BTreeSet<String>,
}

impl Follower {
    fn start(node: &Node, flags: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/ldes_follow.mjs");
        let mut process = tokio::process::Command::new("node")
            .arg(script)
            .arg(npm_clients())
            .arg(format!("{}/ldes", node.url()))
            .args(flags)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("running Node.js");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        Self { _process: process, lines, seen: BTreeSet::new() }
    }

    /// The next member; nothing when the client has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("a member in time");
            match serde_json::from_str::<Value>(&line.expect("its output")?) {
                Ok(member) if member["id"].is_string() => return Some(member),
                // The client logs to the same place.
                _ => {}
            }
        }
    }

    /// As many members that it has not told of before. Its rounds of polling overlap when two pages end together
    /// (`_checkEnd` of ldes-client 0.3.0 sets a timer for each), and what both rounds find new is told twice.
    async fn members(&mut self, count: usize) -> Vec<Value> {
        let mut members = Vec::new();
        while members.len() < count {
            let member = self.next().await.expect("another member");
            if self.seen.insert(member["id"].to_string()) {
                members.push(member);
            }
        }
        members
    }
}

async fn listing(node: &Node, titles: &[(usize, String)]) {
    let line =
        |(at, title): &(usize, String)| Words::titled(title).listed(at, &format!("https://archive.example/{at}"));
    let lines: String = titles.iter().map(line).collect();
    node.admin().import("archive", lines + COMPLETE).await.expect(200);
}

async fn ask(node: &Node, path: &str, accept: &str) -> e2e_tests::Answer {
    node.anybody().get_with(path, &[("accept", accept)]).await
}

#[tokio::test]
async fn a_follower_gets_everything_and_then_what_happens() {
    let node = Node::start("europe").await;
    let titles: Vec<(usize, String)> = (0..250).map(|at| (at, format!("Record {at}"))).collect();
    listing(&node, &titles).await;
    let deposit = node.depositor().deposit(&Dataset::small("Deposited")).await;
    node.caught_up().await;

    let mut once = Follower::start(&node, &["--ordered"]);
    let (mut sequence, mut published) = (Vec::new(), Vec::new());
    let mut objects = BTreeMap::new();
    while let Some(member) = once.next().await {
        assert_eq!(member["type"], "Create", "{member}");
        assert!(member["payload"].as_u64() > Some(5), "{member}");
        // What the shape of DCAT-AP feeds asks for, which is closed.
        assert_eq!(member["said"], json!(["object", "published", "type"]), "{member}");
        assert!(member["kinds"].to_string().contains("\"Dataset\""), "{member}");
        sequence.push(member["sequence"].as_u64().unwrap());
        published.push(member["published"].as_str().unwrap().to_owned());
        objects.insert(member["object"].as_str().unwrap().to_owned(), member["titles"].clone());
    }
    assert!(published.is_sorted(), "in the order of time: {published:?}");
    sequence.sort_unstable();
    assert_eq!(sequence, (0..251).collect::<Vec<_>>(), "each entry of the log is a member, once");
    assert_eq!(objects.len(), 251);
    assert!(objects[&deposit.iri].to_string().contains("Deposited"), "{:?}", objects[&deposit.iri]);

    let mut follower = Follower::start(&node, &["--follow"]);
    follower.members(251).await;
    // One record changes, ten are gone, one deposit has a new version, and is then withdrawn.
    let mut later = titles[10..].to_vec();
    later[0].1 = "Another title".into();
    listing(&node, &later).await;
    let words = Words::titled("Deposited again");
    node.depositor().new_version(&deposit.id, &words.crate_json(), &[]).await;
    let members = follower.members(12).await;
    let of = |kind: &str| members.iter().filter(|member| member["type"] == kind).count();
    assert_eq!((of("Update"), of("Delete")), (2, 10), "{members:#?}");
    assert!(members.iter().any(|member| member["titles"].to_string().contains("Another title")), "{members:#?}");
    assert!(members.iter().any(|member| member["titles"].to_string().contains("Deposited again")), "{members:#?}");
    assert!(
        members.iter().filter(|member| member["type"] == "Delete").all(|member| member["payload"] == 0),
        "{members:#?}"
    );
    node.admin().withdraw(&deposit.id, "retracted").await;
    let [last] = follower.members(1).await.try_into().unwrap();
    assert_eq!(
        (last["type"].as_str(), last["object"].as_str()),
        (Some("Delete"), Some(deposit.iri.as_str())),
        "{last}"
    );
    // What comes back is something new.
    listing(&node, &titles[..11]).await;
    let members = follower.members(10 + 1 + 239).await;
    assert_eq!(members.iter().filter(|member| member["type"] == "Create").count(), 10, "{members:#?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn pages_stay_and_forget_what_was_withdrawn() {
    let node = Node::start("europe").await;
    assert!(
        ask(&node, "/ldes", "*/*").await.expect(200).text().contains("EventStream"),
        "an empty log is a stream too"
    );
    let titles: Vec<(usize, String)> = (0..150).map(|at| (at, format!("Secret{at}x"))).collect();
    listing(&node, &titles).await;
    node.caught_up().await;

    let root = ask(&node, "/ldes", "*/*").await.expect(200);
    assert_eq!((root.header("content-type"), root.header("vary")), ("application/trig", "accept"));
    for text in ["pollingInterval", "timestampPath", "versionOfPath", "versionDeleteObject", "/ldes/group/0"] {
        assert!(root.text().contains(text), "{text}: {}", root.text());
    }
    let group = ask(&node, "/ldes/group/0", "*/*").await.expect(200).text();
    assert!(
        group.contains("/ldes/page/0") && group.contains("/ldes/page/1") && !group.contains("/ldes/page/2"),
        "{group}"
    );
    let (full, last) =
        (ask(&node, "/ldes/page/0", "*/*").await.expect(200), ask(&node, "/ldes/page/1", "*/*").await.expect(200));
    assert!(full.header("cache-control").contains("immutable") && full.text().contains("immutable"), "{full:?}");
    assert_eq!(last.header("cache-control"), "public, no-cache");
    assert!(full.text().contains("as:Create") && full.text().contains("Secret7x"), "{}", full.text());
    let same = node.anybody().get_with("/ldes/page/0", &[("if-none-match", full.header("etag"))]).await;
    assert_eq!(same.status, 304);
    let json = ask(&node, "/ldes/page/0", "application/ld+json").await.expect(200);
    assert_eq!(json.header("content-type"), "application/ld+json");
    assert!(json.json().to_string().contains("Secret7x"));
    ask(&node, "/ldes/page/2", "*/*").await.problem(404);
    ask(&node, "/ldes/page/99999999999999999999", "*/*").await.problem(400);
    ask(&node, "/ldes/page/18446744073709551615", "*/*").await.problem(404);

    listing(&node, &titles[8..]).await;
    let after = ask(&node, "/ldes/page/0", "*/*").await.expect(200);
    assert!(
        !after.text().contains("Secret7x") && after.text().contains("Secret8x"),
        "the content is gone from the old page"
    );
    assert!(after.header("cache-control").contains("immutable"));
    let members = |text: &str| text.matches("as:published").count();
    assert_eq!(members(&after.text()), members(&full.text()), "its members are those it had");
    let page = ask(&node, "/ldes/page/1", "*/*").await.expect(200).text();
    assert!(page.matches("as:Delete").count() >= 8, "{page}");
    node.assert_quiet_log(&[]);
}
