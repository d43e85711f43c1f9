//! Five nodes that follow each other through a network with faults, and are killed in between. Whatever happens, no catalogue ever
//! shrinks but by a withdrawal or shows what nobody announced; and once the network is well, all agree with the truth.
//!
//! The seed is printed. `HELIOGRAPH_FAULT_SEED` repeats a plan (what the machine does in between differs), `HELIOGRAPH_FAULT_STEPS`
//! makes it longer.

mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use e2e_tests::{Client, Dataset, Node, PeerEntry, Setup, Words, eventually};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IteratorRandom};
use serde_json::{Value, json};

use wire::Wire;

const NAMES: [&str; 5] = ["europe", "japan", "australia", "africa", "america"];

struct Network {
    nodes: Vec<Node>,
    wires: Vec<Arc<Wire>>,
}

impl Network {
    /// Each node follows every other through a wire of its own.
    async fn start(seed: u64) -> Self {
        let mut setups = Vec::new();
        for name in NAMES {
            setups.push(Setup::new(name).await);
        }
        let everybody = setups.clone();
        let (mut nodes, mut wires) = (Vec::new(), Vec::new());
        for mut setup in setups {
            for other in everybody.iter().filter(|other| other.id != setup.id) {
                let (wire, url) = Wire::to(other.port, seed.wrapping_add(wires.len() as u64)).await;
                wires.push(wire);
                setup.peers.push(PeerEntry { url, ..other.as_peer() });
            }
            nodes.push(Node::start_with(setup).await);
        }
        Self { nodes, wires }
    }
}

/// What is true: which records each node announced, and which of them it took back.
#[derive(Default)]
struct Truth {
    live: BTreeMap<String, usize>,
    withdrawn: BTreeSet<String>,
}

/// What a node showed when it was looked at last.
#[derive(Default)]
struct Seen {
    held: BTreeMap<String, u64>,
    records: BTreeSet<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_agree_with_the_truth_after_a_network_full_of_faults() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("HELIOGRAPH_FAULT_SEED").unwrap_or_else(rand::random);
    let steps = number("HELIOGRAPH_FAULT_STEPS").unwrap_or(40);
    eprintln!("fault network: HELIOGRAPH_FAULT_SEED={seed} HELIOGRAPH_FAULT_STEPS={steps}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut network = Network::start(seed).await;
    let (mut truth, mut seen) = (Truth::default(), NAMES.map(|_| Seen::default()));
    for step in 0..steps {
        let at = random.random_range(0..NAMES.len());
        step_of(&mut network.nodes[at], at, &mut truth, (step, &mut random)).await;
        let looker = random.random_range(0..NAMES.len());
        seen[looker].look(&network.nodes[looker].anybody(), &truth).await;
    }
    let injected: u64 = network.wires.iter().map(|wire| wire.injected()).sum();
    eprintln!("{} live records, {} withdrawn, {injected} faults", truth.live.len(), truth.withdrawn.len());
    assert!(injected > 20, "the network was too well to prove anything");

    network.wires.iter().for_each(|wire| wire.heal());
    for (node, seen) in network.nodes.iter().zip(&mut seen) {
        agrees(node, &truth).await;
        seen.look(&node.anybody(), &truth).await;
        let peers = node.anybody().get("/api/v1/peers").await.ok();
        for peer in peers.as_array().into_iter().flatten() {
            assert!(peer["fork"].is_null(), "faults of a network are no fork: {peer}");
        }
    }
}

/// One thing that happens at a node.
async fn step_of(node: &mut Node, at: usize, truth: &mut Truth, (step, random): (u64, &mut StdRng)) {
    match random.random_range(0..10) {
        0 | 1 => {
            node.kill();
            node.launch().await;
        }
        2 | 3 => {
            let own = truth.live.iter().filter(|(id, of)| **of == at && !id.contains('.')).map(|(id, _)| id.clone());
            let Some(id) = own.choose(random) else { return };
            node.admin().withdraw(&id, "test-record").await;
            truth.live.remove(&id);
            truth.withdrawn.insert(id);
        }
        4 | 5 => {
            for id in import(node, step, random.random_range(1..40)).await {
                truth.live.insert(id, at);
            }
        }
        _ => {
            let id = node.depositor().deposit(&Dataset::small(&format!("Step {step}"))).await.id;
            truth.live.insert(id, at);
        }
    }
}

/// Records of a source of its own; gives their ids.
async fn import(node: &Node, step: u64, count: usize) -> Vec<String> {
    let line = |at: usize| {
        let iri = format!("https://archive.example/{}-{step}-{at}", node.id());
        let document = Words::titled(&format!("Record {at} of step {step}")).crate_at(&iri);
        json!({"path": format!("{at}.json"), "crate": document.to_string()}).to_string() + "\n"
    };
    let source = format!("s{step}");
    let request = node.admin().request(reqwest::Method::POST, &format!("/api/v1/sources/{source}/import"));
    let lines: String = (0..count).map(line).collect();
    let report = node.admin().send(request.body(format!("{lines}{{\"complete\": true}}\n"))).await.expect(200).json();
    assert_eq!(report["stored"], count, "{report}");
    (0..count).map(|at| format!("{source}.{}-{step}-{at}", node.id())).collect()
}

impl Seen {
    /// Looks at a node, and compares with the last look.
    async fn look(&mut self, node: &Client, truth: &Truth) {
        let peers = node.get("/api/v1/peers").await.ok();
        for peer in peers.as_array().into_iter().flatten() {
            let (id, held) = (peer["id"].as_str().unwrap_or_default(), peer["held"].as_u64().unwrap_or_default());
            let before = self.held.insert(id.to_owned(), held).unwrap_or_default();
            assert!(held >= before, "what is held of '{id}' shrank from {before} to {held}");
        }
        let records = records(node).await;
        let unknown = |id: &&String| !truth.live.contains_key(*id) && !truth.withdrawn.contains(*id);
        let strange: Vec<_> = records.iter().filter(unknown).collect();
        assert!(strange.is_empty(), "nobody announced {strange:?}");
        let lost: Vec<_> =
            self.records.iter().filter(|id| truth.live.contains_key(*id) && !records.contains(*id)).collect();
        assert!(lost.is_empty(), "the catalogue lost {lost:?}");
        self.records = records;
    }
}

/// The ids of all records that search shows, by cursor.
async fn records(node: &Client) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page: Value = node.search(&format!("size=100{cursor}")).await;
        let hits = page["hits"].as_array().into_iter().flatten();
        found.extend(hits.filter_map(|hit| hit["id"].as_str().map(str::to_owned)));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

async fn agrees(node: &Node, truth: &Truth) {
    let client = node.anybody();
    let wanted: BTreeSet<String> = truth.live.keys().cloned().collect();
    eventually(&format!("'{}' agrees with the truth", node.id()), || async {
        let found = records(&client).await;
        let missing: Vec<_> = wanted.difference(&found).take(3).collect();
        let too_many: Vec<_> = found.difference(&wanted).take(3).collect();
        if missing.is_empty() && too_many.is_empty() { Ok(()) } else { Err(format!("-{missing:?} +{too_many:?}")) }
    })
    .await;
}
