//! `kill -9` at random points of deposits, publications, withdrawals and harvests, then a restart: nothing acknowledged is
//! lost, nothing half-published is visible, and no step by hand is needed.
//!
//! The seed is printed. `HELIOGRAPH_CRASH_SEED` repeats a run's plan (what the machine does in between differs),
//! `HELIOGRAPH_CRASH_ROUNDS` makes it longer.

mod facts;
mod work;

use std::{sync::Arc, time::Duration};

use e2e_tests::{Federation, check_ocfl, eventually};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::RwLock;

use facts::Facts;

const NODES: [&str; 2] = ["europe", "japan"];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_nodes_are_killed() {
    let seed = number("HELIOGRAPH_CRASH_SEED").unwrap_or_else(rand::random);
    let rounds = number("HELIOGRAPH_CRASH_ROUNDS").unwrap_or(12);
    eprintln!("crash test: HELIOGRAPH_CRASH_SEED={seed} HELIOGRAPH_CRASH_ROUNDS={rounds}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut federation = Federation::start(&NODES).await;
    let facts = Arc::new(Facts::default());
    // Workers hold it while they do one thing; the checks take it alone.
    let working = Arc::new(RwLock::new(()));
    let workers: Vec<_> = (0..4)
        .map(|at| {
            let node = federation.node(NODES[at % NODES.len()]);
            tokio::spawn(work::work(node.depositor(), facts.clone(), working.clone(), seed.wrapping_add(at as u64)))
        })
        .collect();
    for round in 0..rounds {
        let name = NODES[random.random_range(0..NODES.len())];
        // The random moment of the kill is the point; nothing is waited for here.
        tokio::time::sleep(Duration::from_millis(random.random_range(20..900))).await;
        let node = federation.node_mut(name);
        node.kill();
        node.launch().await;
        let alone = working.write().await;
        facts.check(&federation.node(name).depositor(), name, random.random()).await;
        drop(alone);
        eprintln!("round {round}: killed '{name}'; {}", facts.summary());
    }
    workers.iter().for_each(tokio::task::JoinHandle::abort);
    for worker in workers {
        let ended = worker.await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "a worker met an answer it should not have had");
    }
    for name in NODES {
        facts.settle(&federation.node(name).depositor(), name).await;
        facts.check_everything(&federation.node(name).depositor(), name).await;
    }
    same_catalogue(&federation).await;
    for name in NODES {
        federation.node_mut(name).stop().await;
        let checked = check_ocfl(&federation.node(name).data_dir().join("archive/ocfl")).await;
        assert!(checked > 0, "ocfl-py saw no object of '{name}'");
    }
    eprintln!("crash test: {}", facts.summary());
    assert!(facts.published() > 0, "the test published nothing, so it showed nothing");
}

async fn same_catalogue(federation: &Federation) {
    let (one, other) = (federation.node(NODES[0]).anybody(), federation.node(NODES[1]).anybody());
    eventually("both nodes have the same catalogue", || async {
        let (mut first, mut second) =
            (one.search("size=200&sort=title").await, other.search("size=200&sort=title").await);
        for answer in [&mut first, &mut second] {
            // Who answers, and from what, differs by nature.
            answer.as_object_mut().map(|answer| answer.remove("sources"));
        }
        if first == second { Ok(()) } else { Err(format!("{} and {} records", first["total"], second["total"])) }
    })
    .await;
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
