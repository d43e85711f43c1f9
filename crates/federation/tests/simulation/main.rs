//! Many nodes that follow each other through a network with faults, on a clock that only moves when everybody waits: hours take
//! seconds, and a seed gives the same run again. What follows is the code that nodes follow each other with.
//!
//! `HELIOGRAPH_SIM_NODES`, `HELIOGRAPH_SIM_ENTRIES` and `HELIOGRAPH_SIM_SEED` make it larger or another one, `HELIOGRAPH_SIM_CALM=1` spares the network
//! and the nodes all faults; the line of JSON that it prints has the traffic and the delays (docs/SCALE.md).

mod clock;
mod world;

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dataset_model::MerkleTree;
use federation::{FederationError, Puller};
use futures::{
    executor::{LocalPool, LocalSpawner},
    future::select,
};
use rand::RngExt;
use serde_json::json;

use clock::Clock;
use world::{CALM, Kind, SimNode, Wire, World, spawn};

/// Seconds between two looks at a peer that says nothing.
const POLL: u64 = 30;
const BATCH: u64 = 1024;

/// What one node holds of another's log.
#[derive(Default)]
struct Held {
    tree: MerkleTree,
    /// Whether it was ever found to have another history.
    forked: bool,
}

#[derive(Default)]
struct Figures {
    /// Milliseconds from publication to verified, of some entries.
    delays: Vec<u64>,
    errors: u64,
    publications: u64,
}

type Holdings = Rc<RefCell<Vec<Vec<Held>>>>;

#[test]
fn every_node_holds_every_honest_log_whole_and_no_forged_one() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (nodes, entries) = (number("HELIOGRAPH_SIM_NODES", 8), number("HELIOGRAPH_SIM_ENTRIES", 4000));
    let seed = number("HELIOGRAPH_SIM_SEED", 1);
    let (clock, mut pool) = (Clock::default(), LocalPool::new());
    let calm = number("HELIOGRAPH_SIM_CALM", 0) == 1;
    let world = World::new(usize::try_from(nodes).unwrap(), seed, clock.clone());
    if calm {
        world.set_weather(CALM);
    }
    let tasks = pool.spawner();
    println!("{}", clock.run(&mut pool, run(Arc::new(world), tasks, entries)));
}

async fn run(world: Arc<World>, tasks: LocalSpawner, entries: u64) -> serde_json::Value {
    let count = world.nodes.len();
    let held: Holdings =
        Rc::new(RefCell::new((0..count).map(|_| (0..count).map(|_| Held::default()).collect()).collect()));
    let figures = Rc::new(RefCell::new(Figures::default()));
    for (at, of) in (0..count).flat_map(|at| (0..count).map(move |of| (at, of))).filter(|(at, of)| at != of) {
        spawn(&tasks, follow(world.clone(), (at, of), held.clone(), figures.clone()));
    }
    // The one that will show another history has to have one.
    world.publish(0, 3);
    figures.borrow_mut().publications = live(&world, &tasks, entries).await;
    // One node shows another history from now on; all hold of it what they held.
    let before: Vec<u64> = held.borrow().iter().map(|of| of[0].tree.size()).collect();
    let honest_size = world.nodes[0].size();
    let first_history = world.nodes[0].log().root_at(honest_size);
    world.set_weather(CALM);
    (0..count).for_each(|at| world.nodes[at].set_up(true));
    settle(&world, &held, 0).await;
    world.fork(0);
    world.publish(0, 10);
    for at in 1..count {
        world.publish(at, 5);
        world.hint(&tasks, at);
    }
    world.hint(&tasks, 0);
    settle(&world, &held, 1).await;
    check(&world, &held.borrow(), (honest_size, first_history), &before);
    summary(&world, &mut figures.borrow_mut())
}

/// Publications and crashes, until so many entries are published. How often something was published.
async fn live(world: &Arc<World>, tasks: &LocalSpawner, entries: u64) -> u64 {
    let count = world.nodes.len();
    let (mut published, mut times) = (0, 0);
    while published < entries {
        let (at, size, pause) = world.random(|random| {
            let at = random.random_range(0..count);
            // Mostly single deposits, now and then a listing.
            let size = if random.random_bool(0.05) { random.random_range(1..2000) } else { random.random_range(1..4) };
            (at, size, random.random_range(50..4000))
        });
        if world.nodes[at].is_up() {
            let size = size.min(usize::try_from(entries - published).unwrap());
            world.publish(at, size);
            published += size as u64;
            times += 1;
            world.hint(tasks, at);
        }
        if !world.is_calm() && world.random(|random| random.random_bool(0.02)) {
            let (node, down) = (world.clone(), world.random(|random| random.random_range(5..600)));
            world.nodes[at].set_up(false);
            spawn(tasks, async move {
                node.clock.sleep(Duration::from_secs(down)).await;
                node.nodes[at].set_up(true);
            });
        }
        world.clock.sleep(Duration::from_millis(pause)).await;
    }
    times
}

/// Waits until everybody holds everything that honest nodes published, an hour of the clock at most.
async fn settle(world: &Arc<World>, held: &Holdings, first_honest: usize) {
    for _ in 0..360 {
        let complete = held.borrow().iter().enumerate().all(|(at, of)| {
            (first_honest..world.nodes.len())
                .all(|other| at == other || of[other].tree.size() == world.nodes[other].size())
        });
        if complete {
            return;
        }
        world.clock.sleep(Duration::from_secs(10)).await;
    }
}

/// One node's follower of another, as `node::harvest` does it.
async fn follow(world: Arc<World>, (at, of): (usize, usize), held: Holdings, figures: Rc<RefCell<Figures>>) {
    let puller = Puller::through(Wire { world: world.clone(), to: of }, world.nodes[of].key.public_key());
    let mut failures = 0_u32;
    loop {
        let outcome =
            if world.nodes[at].is_up() { pull(&world, &puller, (at, of), &held, &figures).await } else { Ok(()) };
        failures = if outcome.is_ok() { 0 } else { failures + 1 };
        if let Err(error) = outcome {
            figures.borrow_mut().errors += 1;
            let mut held = held.borrow_mut();
            held[at][of].forked |= matches!(error, FederationError::Fork { .. } | FederationError::RolledBack { .. });
        }
        let wait = (POLL << failures.min(3)).min(300) * 1000 + world.random(|random| random.random_range(0..2000));
        let rest = world.clock.sleep(Duration::from_millis(wait));
        // Whichever comes first.
        drop(select(Box::pin(world.nodes[at].hinted[of].notified()), rest).await);
    }
}

async fn pull(
    world: &World,
    puller: &Puller<Wire>,
    (at, of): (usize, usize),
    held: &Holdings,
    figures: &RefCell<Figures>,
) -> Result<(), FederationError> {
    let mut tree = held.borrow()[at][of].tree.clone();
    let checkpoint = puller.checkpoint(tree.size(), tree.root()).await?;
    while tree.size() < checkpoint.size {
        let from = tree.size();
        tree = puller.next_batch(&checkpoint, &tree, BATCH).await?.tree;
        // A crash before this line loses the batch, after it nothing.
        if !world.nodes[at].is_up() {
            return Ok(());
        }
        let mut figures = figures.borrow_mut();
        let published = world.nodes[of].published(tree.size() - 1);
        figures.delays.push(world.clock.now() - published);
        let mut held = held.borrow_mut();
        assert!(tree.size() > from, "what is held never shrinks");
        held[at][of].tree = tree.clone();
    }
    Ok(())
}

fn check(
    world: &World,
    held: &[Vec<Held>],
    (honest_size, first_history): (u64, dataset_model::Digest),
    before: &[u64],
) {
    for of in 1..world.nodes.len() {
        let log = world.nodes[of].log();
        let (size, root) = (log.tree_size(), log.tree_root());
        drop(log);
        for at in (0..held.len()).filter(|at| *at != of) {
            let own = &held[at][of].tree;
            assert_eq!((own.size(), own.root()), (size, root), "node {at} holds the whole log of node {of}");
            assert!(!held[at][of].forked, "faults of the network are no fork: node {at} of node {of}");
        }
    }
    for (at, of) in held.iter().enumerate().skip(1) {
        assert!(of[0].forked, "node {at} saw the fork");
        assert!(of[0].tree.size() >= before[at] && of[0].tree.size() <= honest_size);
        assert_eq!(of[0].tree.root(), first_history, "node {at} keeps the first history");
    }
}

/// What docs/SCALE.md is made of.
fn summary(world: &World, figures: &mut Figures) -> serde_json::Value {
    figures.delays.sort_unstable();
    let part = |thousandths: usize| {
        let at = figures.delays.len() * thousandths / 1000;
        figures.delays.get(at.min(figures.delays.len().saturating_sub(1))).copied()
    };
    let traffic = |kind| {
        let (requests, bytes) = world.traffic(kind);
        json!({"requests": requests, "bytes": bytes})
    };
    json!({
        "nodes": world.nodes.len(),
        "entries": world.nodes.iter().map(SimNode::size).sum::<u64>(),
        "publications": figures.publications,
        "minutes": world.clock.now() / 60_000,
        "checkpoints": traffic(Kind::Checkpoint),
        "tiles": traffic(Kind::Tile),
        "bundles": traffic(Kind::Bundle),
        "hints": traffic(Kind::Hint),
        "faults": world.faults.load(Ordering::Relaxed),
        "failed_passes": figures.errors,
        "delay_ms": {"p50": part(500), "p90": part(900), "p99": part(990), "most": part(1000)},
    })
}
