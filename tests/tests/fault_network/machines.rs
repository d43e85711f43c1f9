//! The machines of the network: one has a small disk that fills up, two have clocks that are wrong by days, and wrong by another
//! time after each start.

use e2e_tests::{Node, Setup, WrongClock, eventually};
use rand::{RngExt, rngs::StdRng};
use serde_json::json;
use tempfile::TempDir;

/// The node on the small disk. Its clock is right.
pub(crate) const SMALL_DISK: usize = 3;
/// Its size, of which a fresh node takes a tenth.
const MEBIBYTES: u32 = 128;
/// What it keeps free.
const LIMITS: &str = "[limits]\nfree_disk_bytes = 30000000\n";
/// The nodes whose clocks are wrong.
const WRONG_CLOCKS: [usize; 2] = [1, 4];
/// By how many seconds: hours and days, slow and fast.
const WRONG_BY: [i64; 6] = [-9 * 86_400, -86_400, -3600, 7200, 2 * 86_400, 11 * 86_400];

/// What is needed for faults of machines. What a system does not allow is left out, and said.
pub(crate) struct Machines {
    clock: Option<WrongClock>,
    _folder: TempDir,
}

impl Machines {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = WrongClock::in_folder(folder.path());
        let clock = clock.map_err(|why| eprintln!("SKIPPED: clocks are right in this run, because {why}")).ok();
        Self { clock, _folder: folder }
    }

    /// Starts the node of this number.
    pub(crate) async fn start(&self, at: usize, mut setup: Setup, random: &mut StdRng) -> Node {
        self.set_clock(at, &mut setup, random);
        if at != SMALL_DISK {
            return Node::start_with(setup).await;
        }
        match Node::start_on_small_disk(setup.clone().extra(LIMITS), MEBIBYTES).await {
            Ok(node) => node,
            Err(why) => {
                eprintln!("SKIPPED: no disk fills up in this run, because {why}");
                Node::start_with(setup).await
            }
        }
    }

    /// Gives the node's next start a clock that is wrong by another time.
    fn set_clock(&self, at: usize, setup: &mut Setup, random: &mut StdRng) {
        if let Some(clock) = self.clock.as_ref().filter(|_| WRONG_CLOCKS.contains(&at)) {
            let seconds = WRONG_BY[random.random_range(0..WRONG_BY.len())];
            eprintln!("the clock of '{}' is wrong by {seconds} s", setup.id);
            setup.variables = clock.variables(seconds);
        }
    }

    /// Ends a node as a crash does, and starts it again. On a full disk it may refuse to start, and say so: then there is room.
    pub(crate) async fn crash(&self, at: usize, node: &mut Node, random: &mut StdRng) {
        self.set_clock(at, &mut node.setup, random);
        node.kill();
        if !is_full(node) {
            return node.launch().await;
        }
        node.launch_without_waiting();
        let client = node.anybody();
        let started = eventually("it starts on a full disk, or ends", || {
            let runs = node.runs();
            let request = client.try_send(client.request(reqwest::Method::GET, "/health/live"));
            async move { if runs { request.await.map(|_| true) } else { Ok(false) } }
        })
        .await;
        if !started {
            let log = node.log();
            let last = log.lines().last().unwrap_or_default();
            assert!(last.contains("is full"), "it ended with: {last}");
            node.kill();
            node.disk.as_ref().expect("a small disk").empty();
            node.launch().await;
        }
    }

    /// Makes room, and waits until the node has found out by itself.
    pub(crate) async fn make_room(&self, node: &mut Node) {
        let Some(disk) = &node.disk else { return };
        disk.empty();
        let client = node.admin();
        eventually("the node goes on by itself when there is room", || {
            // Something that has to be written down.
            let request = client.request(reqwest::Method::POST, "/api/v1/tokens");
            let request = client.try_send(request.json(&json!({"label": "room", "scopes": ["deposit"]})));
            async move {
                let answer = request.await?;
                if answer.status == 201 { Ok(()) } else { Err(answer.text()) }
            }
        })
        .await;
        node.wait_until_ready().await;
    }
}

/// Whether the node's disk is full.
pub(crate) fn is_full(node: &Node) -> bool {
    node.disk.as_ref().is_some_and(|disk| disk.is_full())
}
