//! Five nodes that follow each other through a network with faults, on machines with faults: they are killed in between, the clocks
//! of two are wrong, and the disk of one fills up. Whatever happens, no catalogue ever shrinks but by a withdrawal or shows what
//! nobody announced; and once network and disk are well, all agree with the truth.
//!
//! `HELIOGRAPH_FAULT_SEED` chooses another plan (what the machine does in between differs), `HELIOGRAPH_FAULT_STEPS` makes it longer. A
//! campaign runs many: `for seed in $(seq 1 50); do HELIOGRAPH_FAULT_SEED=$seed cargo test --release --workspace --test fault_network; done`

mod machines;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use e2e_tests::{Answer, COMPLETE, Client, Dataset, Node, PeerEntry, Setup, Words, eventually, run};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IteratorRandom};
use serde_json::Value;

use machines::{Machines, SMALL_DISK, is_full};
use wire::Wire;

const NAMES: [&str; 5] = ["europe", "japan", "australia", "africa", "america"];

struct Network {
    machines: Machines,
    nodes: Vec<Node>,
    wires: Vec<Arc<Wire>>,
}

impl Network {
    /// Each node follows every other through a wire of its own.
    async fn start(seed: u64, random: &mut StdRng) -> Self {
        let machines = Machines::new();
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
            nodes.push(machines.start(nodes.len(), setup, random).await);
        }
        Self { machines, nodes, wires }
    }
}

/// What is true: which records each node announced, and which of them it took back.
#[derive(Default)]
struct Truth {
    live: BTreeMap<String, usize>,
    withdrawn: BTreeSet<String>,
    /// Imports that a full disk broke off, by node, step and number of records. What they brought until then may be there.
    broken: Vec<(usize, u64, usize)>,
}

impl Truth {
    /// The records of imports that were broken off.
    fn perhaps(&self) -> impl Iterator<Item = String> {
        let ids = |&(at, step, count): &(usize, u64, usize)| ids_of_import(NAMES[at], step, count);
        self.broken.iter().flat_map(ids)
    }
}

/// What a node showed when it was looked at last.
#[derive(Default)]
struct Seen {
    held: BTreeMap<String, u64>,
    records: BTreeSet<String>,
}

/// A plan that once found something: a disk that was full for less time than passes between two looks at it.
const SEED: u64 = 4_985_144_737_445_522_308;

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_agree_with_the_truth_after_a_network_full_of_faults() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("HELIOGRAPH_FAULT_SEED").unwrap_or(SEED);
    let steps = number("HELIOGRAPH_FAULT_STEPS").unwrap_or(48);
    eprintln!("fault network: HELIOGRAPH_FAULT_SEED={seed} HELIOGRAPH_FAULT_STEPS={steps}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut network = Network::start(seed, &mut random).await;
    let (mut truth, mut seen) = (Truth::default(), NAMES.map(|_| Seen::default()));
    for step in 0..steps {
        let at = random.random_range(0..NAMES.len());
        network.step(at, &mut truth, (step, &mut random)).await;
        let looker = random.random_range(0..NAMES.len());
        seen[looker].look(&network.nodes[looker].anybody(), &truth).await;
    }
    let injected: u64 = network.wires.iter().map(|wire| wire.injected()).sum();
    eprintln!("{} live records, {} withdrawn, {injected} faults", truth.live.len(), truth.withdrawn.len());
    assert!(injected > 20, "the network was too well to prove anything");

    network.wires.iter().for_each(|wire| wire.heal());
    network.mend_disk(&mut truth, &mut random).await;
    for (node, seen) in network.nodes.iter().zip(&mut seen) {
        agrees(node, &truth).await;
        seen.look(&node.anybody(), &truth).await;
        let peers = node.anybody().get("/api/v1/peers").await.ok();
        for peer in peers.as_array().into_iter().flatten() {
            assert!(peer["fork"].is_null(), "faults of a network are no fork: {peer}");
        }
    }
}

impl Network {
    /// One thing that happens at a node.
    async fn step(&mut self, at: usize, truth: &mut Truth, (step, random): (u64, &mut StdRng)) {
        match random.random_range(0..12) {
            0 | 1 => self.machines.crash(at, &mut self.nodes[at], random).await,
            2 | 3 => self.withdraw(at, truth, random).await,
            4 | 5 => self.import(at, truth, (step, random.random_range(1..40)), false).await,
            6 | 7 => self.fill_or_empty(truth, (step, random)).await,
            _ => self.deposit(at, truth, step).await,
        }
    }

    async fn withdraw(&self, at: usize, truth: &mut Truth, random: &mut StdRng) {
        let own = truth.live.iter().filter(|(id, of)| **of == at && !id.contains('.')).map(|(id, _)| id.clone());
        let Some(id) = own.choose(random).filter(|_| !is_full(&self.nodes[at])) else { return };
        self.nodes[at].admin().withdraw(&id, "test-record").await;
        truth.live.remove(&id);
        truth.withdrawn.insert(id);
    }

    async fn deposit(&self, at: usize, truth: &mut Truth, step: u64) {
        let (node, dataset) = (&self.nodes[at], Dataset::small(&format!("Step {step}")));
        if is_full(node) {
            let refused = node.depositor().post("/api/v1/deposits", &dataset.crate_json).await;
            return assert_full(refused);
        }
        truth.live.insert(node.depositor().deposit(&dataset).await.id, at);
    }

    /// An import, while the disk fills up if so wished.
    async fn import(&self, at: usize, truth: &mut Truth, (step, count): (u64, usize), filling: bool) {
        let node = &self.nodes[at];
        let fill = async {
            if let Some(disk) = node.disk.as_ref().filter(|_| filling) {
                tokio::task::block_in_place(|| disk.fill());
            }
        };
        let (answer, ()) = tokio::join!(send_import(node, step, count), fill);
        if answer.status == 200 {
            let report = answer.json();
            assert_eq!(
                report["stored"].as_u64().zip(report["unchanged"].as_u64()).map(|(a, b)| a + b),
                Some(count as u64)
            );
            truth.live.extend(ids_of_import(node.id(), step, count).map(|id| (id, at)));
        } else {
            assert!(is_full(node), "{answer:?}");
            assert_full(answer);
            truth.broken.push((at, step, count));
        }
    }

    /// Fills the small disk, now and then in the middle of an import; or makes room there.
    async fn fill_or_empty(&mut self, truth: &mut Truth, (step, random): (u64, &mut StdRng)) {
        if is_full(&self.nodes[SMALL_DISK]) {
            return self.machines.make_room(&mut self.nodes[SMALL_DISK]).await;
        }
        let Some(disk) = &self.nodes[SMALL_DISK].disk else { return };
        eprintln!("the disk of '{}' fills up", self.nodes[SMALL_DISK].id());
        if random.random_bool(0.5) {
            return disk.fill();
        }
        self.import(SMALL_DISK, truth, (step, random.random_range(20..200)), true).await;
    }

    /// Makes room on the small disk, and asks once more for what was refused; then nothing may be missing after a start.
    async fn mend_disk(&mut self, truth: &mut Truth, random: &mut StdRng) {
        self.machines.make_room(&mut self.nodes[SMALL_DISK]).await;
        for (at, step, count) in std::mem::take(&mut truth.broken) {
            self.import(at, truth, (step, count), false).await;
        }
        self.machines.crash(SMALL_DISK, &mut self.nodes[SMALL_DISK], random).await;
        let node = &self.nodes[SMALL_DISK];
        let again = node.log().matches("the node starts again").count();
        eprintln!("'{}' started itself again {again} time(s), because of its disk", node.id());
        let audit = ["verify", "--node", &node.url(), "--key", &node.setup.keys.public, "--bytes"];
        run(audit).await.ok();
    }
}

/// A node whose disk is full says so. One that met the end of the disk in the middle of a write takes nothing until it has started
/// again.
fn assert_full(answer: Answer) {
    let stopped = answer.status == 503 && answer.text().contains("ledger");
    assert!(stopped || (answer.status == 507 && answer.text().contains("is full")), "{answer:?}");
}

/// Sends records of a source of its own.
async fn send_import(node: &Node, step: u64, count: usize) -> Answer {
    let line = |at: usize| {
        let iri = format!("https://archive.example/{}-{step}-{at}", node.id());
        Words::titled(&format!("Record {at} of step {step}")).listed(at, &iri)
    };
    let lines: String = (0..count).map(line).collect();
    node.admin().import(&format!("s{step}"), lines + COMPLETE).await
}

fn ids_of_import(node: &str, step: u64, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |at| format!("s{step}.{node}-{step}-{at}"))
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
        let known: BTreeSet<String> =
            truth.live.keys().chain(&truth.withdrawn).cloned().chain(truth.perhaps()).collect();
        let unknown = |id: &&String| !known.contains(*id);
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
