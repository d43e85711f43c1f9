//! Live search: whoever answers is heard, whoever does not is answered for from the verified copy, and what nobody has verified
//! is never shown as if it were.

use std::{sync::Arc, time::Duration};

use e2e_tests::{Client, Dataset, Federation, Hostile, Manner, Node, PeerEntry, Setup, Words, eventually};
use serde_json::{Value, json};

/// Looks at its peers once in an hour, or when asked to. As they do not follow it, nobody tells it anything.
fn deaf(mut setup: Setup) -> Setup {
    setup.poll_seconds = 3600;
    setup.variables = vec![("HELIOGRAPH_FEDERATION_LIVE_SECONDS".into(), "1".into())];
    setup
}

/// `europe`, which follows `japan` and `australia`.
async fn one_sided() -> Federation {
    let others = [Node::start("japan").await, Node::start("australia").await];
    let mut setup = deaf(Setup::new("europe").await);
    setup.peers = others.iter().map(|node| node.setup.as_peer()).collect();
    let mut nodes = vec![Node::start_with(setup).await];
    nodes.extend(others);
    Federation { nodes }
}

/// A dataset about so many samples, each of a name of its own.
fn of_many_samples(title: &str, samples: usize) -> Dataset {
    let mut dataset = Dataset::small(title);
    let sample = |at| {
        json!({"@id": format!("#many-{at}"), "@type": "BioSample", "name": format!("Wing disk of line {at}"),
               "description": "A disk.", "taxonomicRange": {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"}})
    };
    let about = (0..samples).map(|at| json!({"@id": format!("#many-{at}")}));
    dataset.root()["about"].as_array_mut().expect("what it is about").extend(about);
    dataset.crate_json["@graph"].as_array_mut().expect("a graph").extend((0..samples).map(sample));
    dataset
}

/// The node's row in the report of sources.
fn source<'a>(answer: &'a Value, node: &str) -> &'a Value {
    let mut rows = answer["sources"].as_array().into_iter().flatten();
    rows.find(|row| row["node"] == node).unwrap_or_else(|| panic!("no source '{node}': {answer:#}"))
}

fn ids(answer: &Value) -> Vec<String> {
    let hits = answer["hits"].as_array().into_iter().flatten();
    hits.map(|hit| hit["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// All pages of a search, a few hits at a time; `between` is called after each page.
async fn pages(client: &Client, query: &str, size: usize, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for page in 0..100 {
        let answer = client.search(&format!("{query}&size={size}{cursor}")).await;
        found.extend(ids(&answer));
        between(page).await;
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("the pages have no end: {found:?}");
}

#[tokio::test]
async fn a_node_with_very_many_values_of_a_facet_is_heard_too() {
    let federation = one_sided().await;
    let japan = federation.node("japan");
    japan.depositor().deposit(&of_many_samples("Teasel", 5_000)).await;
    let facets = japan.anybody().search("q=teasel").await["facets"]["entity"].clone();
    assert_eq!(facets.as_array().map(Vec::len), Some(5_000));
    let answer = federation.node("europe").anybody().search("q=teasel&scope=live&size=1").await;
    assert_eq!(source(&answer, "japan")["status"], "live", "{:#}", answer["sources"]);
    assert_eq!(answer["total"], 1);
}

#[tokio::test]
async fn all_nodes_answer_at_once_and_what_is_not_verified_yet_says_so() {
    let federation = one_sided().await;
    let mut held = Vec::new();
    for node in &federation.nodes {
        held.push(node.depositor().deposit(&Dataset::small("Pangolin held")).await.id);
    }
    let europe = federation.node("europe");
    europe.admin().post("/api/v1/harvest", &Value::Null).await.ok();
    let mut known = held.clone();
    known.sort();
    eventually("europe has copies", || async {
        let mut found = europe.anybody().found("q=pangolin").await;
        found.sort();
        if found == known { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    let new = federation.node("japan").depositor().deposit(&Dataset::small("Pangolin <b>new</b>")).await.id;
    assert_eq!(europe.anybody().found("q=pangolin").await.len(), 3, "europe does not know of it yet");

    let answer = europe.anybody().search("q=pangolin&scope=live").await;
    assert_eq!((&answer["total"], &answer["scope"]), (&json!(4), &json!("live")), "{answer:#}");
    for node in ["europe", "japan", "australia"] {
        assert_eq!(source(&answer, node)["status"], "live", "{answer:#}");
    }
    assert_eq!((&source(&answer, "japan")["total"], &source(&answer, "japan")["as_of"]), (&json!(2), &json!(2)));
    for hit in answer["hits"].as_array().into_iter().flatten() {
        assert_eq!(hit["verified"], hit["id"] != new.as_str(), "{hit}");
        assert!(!hit["highlights"].as_array().is_none_or(Vec::is_empty), "{hit}");
    }
    let unverified = answer["hits"].as_array().into_iter().flatten().find(|hit| hit["verified"] == false);
    let japan = federation.node("japan").url();
    assert_eq!(unverified.map(|hit| hit["iri"].clone()), Some(json!(format!("{japan}/datasets/{new}"))));

    let page = europe.anybody().get("/search?q=pangolin&scope=live").await.expect(200).text();
    assert!(page.contains("not verified yet") && page.contains(&format!("href=\"{japan}/datasets/{new}\"")), "{page}");
    assert!(!page.contains("<b>new"), "{page}");
    let link = europe.anybody().get("/search?q=pangolin").await.expect(200).text();
    assert!(link.contains("Ask all nodes now") && link.contains("scope=live"), "{link}");
    let output = e2e_tests::run(["search", "pangolin", "--scope", "live", "--node", &europe.url()]).await.ok();
    assert!(output.stdout.contains("4 records") && output.stdout.contains("not verified yet"), "{output:?}");

    let one = europe.anybody().search("q=pangolin&scope=live&node=japan").await;
    assert_eq!((&one["total"], one["sources"].as_array().map(Vec::len)), (&json!(2), Some(1)), "{one:#}");
    europe.anybody().get("/api/v1/search?scope=live&collapse=study").await.problem(422);
    europe.anybody().get("/api/v1/search?scope=everything").await.problem(422);
    europe.anybody().get("/api/v1/search?scope=live&cursor=r~w~1~a~b").await.problem(422);
    federation.nodes.iter().for_each(|node| node.assert_quiet_log(&[]));
}

/// A follower that holds what its peer has published so far, with a server between them.
async fn follower_behind(origin: &Node, titles: &[&str]) -> (Arc<Hostile>, Node, Vec<String>) {
    let mut published = Vec::new();
    for title in titles {
        published.push(origin.depositor().deposit(&Dataset::small(title)).await.id);
    }
    let (between, url) = Hostile::before(&origin.url(), |_| Manner::Honest).await;
    let mut setup = deaf(Setup::new("europe").await);
    setup.peers = vec![PeerEntry { url, ..origin.setup.as_peer() }];
    let follower = Node::start_with(setup).await;
    eventually("the follower has a copy", || async {
        let found = follower.anybody().found("node=japan").await.len();
        if found == titles.len() { Ok(()) } else { Err(format!("{found}")) }
    })
    .await;
    (between, follower, published)
}

#[tokio::test]
async fn a_peer_that_is_late_or_talks_nonsense_is_answered_for_from_the_copy() {
    let origin = Node::start("japan").await;
    let (between, follower, published) = follower_behind(&origin, &["Kelp forest", "Kelp garden"]).await;
    let own = follower.depositor().deposit(&Dataset::small("Kelp at home")).await.id;
    let mut all = [published.clone(), vec![own]].concat();
    all.sort();
    let json = "application/json";
    let page = |hits: Value| json!({"total": 2, "hits": hits}).to_string();
    let record = |node: &str, id: &str| json!({"id": id, "node": node, "version": 1, "access": "open"});
    let nonsense = [
        ("silence", Manner::Silent),
        ("a drip", Manner::endless(json, b" ", Duration::from_millis(50))),
        ("a flood", Manner::endless(json, &[b' '; 10_000], Duration::ZERO)),
        ("no HTTP", Manner::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())),
        ("nothing", Manner::Raw(Vec::new())),
        (
            "endless headers",
            Manner::Endless {
                head: b"HTTP/1.1 200 OK\r\n".to_vec(),
                piece: b"x-more: and more\r\n".repeat(100),
                pause: Duration::ZERO,
            },
        ),
        ("a page", Manner::answer("text/html", b"<h1>Welcome</h1>")),
        (
            "a redirect",
            Manner::Raw(
                b"HTTP/1.1 307 Go\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n".to_vec(),
            ),
        ),
        ("deep JSON", Manner::answer(json, "[".repeat(100_000).as_bytes())),
        ("another node's record", Manner::answer(json, page(json!([record("europe", "europe-1")])).as_bytes())),
        ("a record twice", Manner::answer(json, page(json!([record("japan", "a"), record("japan", "a")])).as_bytes())),
    ];
    for (what, manner) in nonsense {
        // A node that has just started has no memory of failures.
        between.behave(|_| Manner::Honest);
        follower.anybody().search("q=kelp&scope=live").await;
        between.behave(move |target| if target.starts_with("/api/") { manner.clone() } else { Manner::Honest });
        let answer = follower.anybody().search("q=kelp&scope=live").await;
        let mut found = ids(&answer);
        found.sort();
        assert_eq!(found, all, "{what}: {answer:#}");
        let japan = source(&answer, "japan");
        assert_eq!((&japan["status"], &japan["total"]), (&json!("mirror"), &json!(2)), "{what}: {answer:#}");
        assert!(japan["why"].is_string() && japan["checked"].is_string(), "{what}: {japan}");
        assert!(answer["hits"].as_array().into_iter().flatten().all(|hit| hit["verified"] == true), "{what}");
    }
    let page = follower.anybody().get("/search?q=kelp&scope=live").await.expect(200).text();
    assert!(page.contains("japan: answered from our copy of "), "{page}");
    follower.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_peer_that_keeps_failing_is_not_asked_and_one_of_which_nothing_is_held_is_absent() {
    let (dead, url) = Hostile::before("127.0.0.1:9", |_| Manner::Raw(Vec::new())).await;
    let mut setup = deaf(Setup::new("europe").await);
    let keys = e2e_tests::KeyPair::new("mars").await;
    setup.peers = vec![PeerEntry { id: "mars".into(), url, public_key: keys.public, more: String::new() }];
    let node = Node::start_with(setup).await;
    let searches = || dead.asked().iter().filter(|target| target.starts_with("/api/v1/search")).count();
    for _ in 0..3 {
        let answer = node.anybody().search("scope=live").await;
        assert_eq!(source(&answer, "mars")["status"], "absent", "{answer:#}");
    }
    let asked = searches();
    let answer = node.anybody().search("scope=live").await;
    let why = source(&answer, "mars")["why"].as_str().unwrap_or_default().to_owned();
    assert!(why.starts_with("not asked: it failed 3 times in a row"), "{answer:#}");
    assert_eq!(searches(), asked);
    let page = node.anybody().get("/search?scope=live").await.expect(200).text();
    assert!(page.contains("mars: no answer"), "{page}");
}

#[tokio::test]
async fn a_cursor_continues_across_peers_while_records_come_and_a_peer_goes() {
    let mut federation = one_sided().await;
    for node in &federation.nodes {
        for number in 0..5 {
            let title = format!("Coral {number} {}", ["reef", "reef reef", "atoll"][number % 3]);
            node.depositor().deposit(&Dataset::small(&title)).await;
        }
    }
    let europe_client = federation.node("europe").anybody();
    federation.node("europe").admin().post("/api/v1/harvest", &Value::Null).await.ok();
    eventually("europe has copies", || async {
        let found = europe_client.search("q=coral").await["total"].clone();
        if found == 15 { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
    for query in [
        "q=coral",
        "q=reef+OR+coral",
        "q=coral&sort=title",
        "q=coral&sort=newest",
        "q=coral&sort=largest",
        "q=cora&sort=oldest",
    ] {
        let wanted = pages(&europe_client, query, 200, async |_| {}).await;
        let live = pages(&europe_client, &format!("{query}&scope=live"), 4, async |_| {}).await;
        assert_eq!(live, wanted, "{query}: the order is the same as in one index of all");
    }
    let before: Vec<String> = pages(&europe_client, "q=coral", 200, async |_| {}).await;
    let live = pages(&europe_client, "q=coral&scope=live", 4, async |page| match page {
        // A record that comes moves no other.
        0 => drop(federation.node("australia").depositor().deposit(&Dataset::small("Coral new")).await),
        1 => federation.node_mut("japan").stop().await,
        _ => {}
    })
    .await;
    let mut known: Vec<String> = live.iter().filter(|id| before.contains(id)).cloned().collect();
    assert_eq!(known, before, "nothing is left out, nothing moves");
    known.dedup();
    assert_eq!(known.len(), 15, "nothing comes twice");
    let answer = europe_client.search("q=coral&scope=live").await;
    assert_eq!(source(&answer, "japan")["status"], "mirror", "{answer:#}");
}

#[tokio::test]
async fn what_a_peer_says_of_a_record_that_is_verified_is_not_shown() {
    let origin = Node::start("japan").await;
    let (between, follower, published) = follower_behind(&origin, &["Honest newt", "Honest toad"]).await;
    let newer = origin.depositor();
    newer.new_version(&published[1], &Words::titled("Honest toad, once more").crate_json(), &[]).await;
    let gone = origin.depositor().deposit(&Dataset::small("Honest frog")).await.id;
    follower.admin().post("/api/v1/harvest", &Value::Null).await.ok();
    origin.depositor().withdraw(&gone, "retracted").await;
    follower.admin().post("/api/v1/harvest", &Value::Null).await.ok();
    eventually("the copy has the second version", || async {
        let found = follower.anybody().search("q=once").await;
        if found["total"] == 1 { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
    let record = |id: &str, version: u32, title: &str| {
        json!({"id": id, "node": "japan", "version": version, "access": "open", "title": title, "score": 1e9,
            "iri": "http://evil.example/", "thumbnail": "http://evil.example/track.png",
            "highlights": [{"field": "title", "fragments": [{"text": "Cheap <script>pills</script>", "marks": [{"start": 0, "end": 5}]}]}],
            "matched_via": ["cheap pills"]})
    };
    let lies = [
        record(&published[0], 1, "Cheap pills"),
        record(&published[1], 1, "Cheap <script>alert(1)</script> pills"),
        record(&gone, 1, "Back again"),
        record("japan-new", 1, "Cheap <script>alert(1)</script> pills"),
    ];
    let body = json!({"total": 4, "hits": lies, "next_cursor": "r~w~0~japan~z"}).to_string();
    between.behave(move |target| {
        if target.starts_with("/api/") { Manner::answer("application/json", body.as_bytes()) } else { Manner::Honest }
    });
    let answer = follower.anybody().search("q=honest&scope=live").await;
    assert_eq!(source(&answer, "japan")["status"], "live", "{answer:#}");
    assert!(!ids(&answer).contains(&gone), "its own log says it is withdrawn: {answer:#}");
    for hit in answer["hits"].as_array().into_iter().flatten() {
        let verified = hit["id"] == published[0].as_str();
        assert_eq!(hit["verified"], verified, "{hit}");
        assert!(!hit.to_string().contains("evil.example"), "{hit}");
        if verified {
            assert_eq!(hit["title"], "Honest newt");
            assert!(!hit.to_string().contains("pills"), "{hit}");
        }
    }
    let page = follower.anybody().get("/search?q=honest&scope=live").await.expect(200).text();
    assert!(
        page.contains("Honest newt") && !page.contains("<script>alert") && !page.contains("evil.example"),
        "{page}"
    );
}

#[tokio::test]
async fn questions_to_peers_end_when_nobody_waits_any_more() {
    let (silent, url) = Hostile::before("127.0.0.1:9", |target| {
        if target.starts_with("/api/") { Manner::Silent } else { Manner::Raw(Vec::new()) }
    })
    .await;
    let mut setup = Setup::new("europe").await;
    setup.variables = vec![("HELIOGRAPH_FEDERATION_LIVE_SECONDS".into(), "3600".into())];
    setup.poll_seconds = 3600;
    let keys = e2e_tests::KeyPair::new("mars").await;
    setup.peers = vec![PeerEntry { id: "mars".into(), url, public_key: keys.public, more: String::new() }];
    let node = Node::start_with(setup).await;
    let client = node.anybody();
    let waiting = tokio::spawn(async move { client.get("/api/v1/search?scope=live").await });
    let open = |wanted: usize| {
        let silent = silent.clone();
        async move {
            let is_asked = silent.asked().iter().any(|target| target.starts_with("/api/"));
            if is_asked && silent.open() == wanted { Ok(()) } else { Err(format!("{} open", silent.open())) }
        }
    };
    eventually("the peer is asked", || open(1)).await;
    waiting.abort();
    eventually("the question ends", || open(0)).await;
}
