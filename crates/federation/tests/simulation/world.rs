//! A world of nodes: their logs, the network between them, and the clock, which only moves when everybody waits.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dataset_model::{Digest, MerkleTree, leaf_hash, root_of};
use federation::{FederationError, LogReader, NodeKey};
use futures::{executor::LocalSpawner, task::LocalSpawnExt};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::Notify;

use crate::clock::Clock;

/// Hashes of a tile, entries of a bundle.
const WIDTH: usize = 256;
/// Bytes a second of one connection.
const BANDWIDTH: f64 = 10e6;

/// One node's log, as its owner shows it.
#[derive(Default)]
pub(crate) struct Log {
    entries: Vec<Bytes>,
    tree: MerkleTree,
    /// Hashes of complete subtrees of 1, 256, 65,536 … entries.
    levels: Vec<Vec<Digest>>,
    /// When each entry was published, in milliseconds.
    times: Vec<u64>,
}

impl Log {
    fn push(&mut self, entry: Bytes, now: u64) {
        self.tree.push(&entry);
        let mut hash = leaf_hash(&entry);
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[level];
            hashes.push(hash);
            if !hashes.len().is_multiple_of(WIDTH) {
                break;
            }
            hash = root_of(&hashes[hashes.len() - WIDTH..]);
        }
        self.entries.push(entry);
        self.times.push(now);
    }

    pub(crate) fn tree_size(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn tree_root(&self) -> Digest {
        self.tree.root()
    }

    /// The root over the first entries.
    pub(crate) fn root_at(&self, size: u64) -> Digest {
        let mut tree = MerkleTree::default();
        self.entries.iter().take(usize::try_from(size).unwrap()).for_each(|entry| tree.push(entry));
        tree.root()
    }
}

/// A node as others see it.
pub(crate) struct SimNode {
    pub(crate) key: NodeKey,
    log: Mutex<Log>,
    up: AtomicBool,
    /// Woken when a hint from the node of that number arrives.
    pub(crate) hinted: Vec<Notify>,
}

impl SimNode {
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    pub(crate) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }

    pub(crate) fn size(&self) -> u64 {
        self.log().tree.size()
    }

    /// When an entry was published.
    pub(crate) fn published(&self, index: u64) -> u64 {
        self.log().times[usize::try_from(index).unwrap()]
    }
}

/// How often the network fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weather {
    /// Requests and hints that get lost.
    pub(crate) lost: f64,
    /// Answers of which a byte is changed.
    pub(crate) altered: f64,
    /// Answers that end early.
    pub(crate) cut: f64,
}

pub(crate) const STORM: Weather = Weather { lost: 0.02, altered: 0.01, cut: 0.01 };
pub(crate) const CALM: Weather = Weather { lost: 0.0, altered: 0.0, cut: 0.0 };

/// What goes over the network.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Checkpoint,
    Tile,
    Bundle,
    Hint,
}

/// How often something went over the network, and with how many bytes, heads of HTTP included.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
}

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) nodes: Vec<SimNode>,
    random: Mutex<StdRng>,
    weather: Mutex<Weather>,
    traffic: [Traffic; 4],
    pub(crate) faults: AtomicU64,
}

impl World {
    pub(crate) fn new(count: usize, seed: u64, clock: Clock) -> Self {
        let node = |at: usize| SimNode {
            key: NodeKey::generate(&format!("heliograph/n{at}")),
            log: Mutex::default(),
            up: AtomicBool::new(true),
            hinted: (0..count).map(|_| Notify::new()).collect(),
        };
        Self {
            clock,
            nodes: (0..count).map(node).collect(),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            weather: Mutex::new(STORM),
            traffic: Default::default(),
            faults: AtomicU64::default(),
        }
    }

    pub(crate) fn random<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.weather() == CALM
    }

    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries of a node's log, as long as real ones.
    pub(crate) fn publish(&self, at: usize, count: usize) {
        let mut log = self.nodes[at].log();
        for _ in 0..count {
            let index = log.tree.size();
            let crate_digest = leaf_hash(format!("{at} {index}").as_bytes());
            let entry = format!(
                r#"{{"crate":"{crate_digest}","dataset":"n{at}-{index}","op":"catalogue","source":"simulation","time":"2026-11-26T00:00:00Z","version":1}}"#
            );
            log.push(entry.into(), self.clock.now());
        }
    }

    /// Puts another history in the place of a node's log, as long as the one before.
    pub(crate) fn fork(&self, at: usize) {
        let size = self.nodes[at].size();
        *self.nodes[at].log() = Log::default();
        let mut log = self.nodes[at].log();
        for index in 0..size {
            let entry = format!(
                r#"{{"dataset":"n{at}-{index}","op":"withdraw","reason":"other","time":"2026-11-26T00:00:00Z","version":1}}"#
            );
            log.push(entry.into(), self.clock.now());
        }
    }

    /// Tells everybody else that a log has grown.
    pub(crate) fn hint(self: &Arc<Self>, tasks: &LocalSpawner, from: usize) {
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            self.count(Kind::Hint, 400);
            if self.random(|random| random.random_bool(self.weather().lost)) {
                continue;
            }
            let (world, delay) = (self.clone(), self.latency());
            spawn(tasks, async move {
                world.clock.sleep(delay).await;
                world.nodes[to].hinted[from].notify_one();
            });
        }
    }

    fn latency(&self) -> Duration {
        self.random(|random| Duration::from_millis(random.random_range(10..250)))
    }

    fn count(&self, kind: Kind, bytes: usize) {
        let traffic = &self.traffic[kind as usize];
        traffic.requests.fetch_add(1, Ordering::Relaxed);
        traffic.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Requests and bytes of one kind so far.
    pub(crate) fn traffic(&self, kind: Kind) -> (u64, u64) {
        let traffic = &self.traffic[kind as usize];
        (traffic.requests.load(Ordering::Relaxed), traffic.bytes.load(Ordering::Relaxed))
    }

    /// One request and its answer on the way through the network.
    async fn carry(
        &self,
        node: usize,
        kind: Kind,
        answer: impl FnOnce(&Log) -> Option<Bytes> + Send,
    ) -> Result<Bytes, FederationError> {
        let url = format!("sim://n{node}");
        let (latency, weather) = (self.latency(), self.weather());
        self.clock.sleep(latency).await;
        if self.random(|random| random.random_bool(weather.lost)) {
            self.faults.fetch_add(1, Ordering::Relaxed);
            self.clock.sleep(Duration::from_secs(30)).await;
            return Err(FederationError::Timeout { url });
        }
        if !self.nodes[node].is_up() {
            return Err(FederationError::Unreachable { url, source: "down".into() });
        }
        let Some(mut bytes) = answer(&self.nodes[node].log()) else {
            return Err(FederationError::Refused { url, status: 404 });
        };
        self.count(kind, bytes.len() + 300);
        self.clock.sleep(latency + Duration::from_secs_f64(bytes.len() as f64 / BANDWIDTH)).await;
        let (altered, cut, at) = self.random(|random| {
            let at = if bytes.is_empty() { 0 } else { random.random_range(0..bytes.len()) };
            (random.random_bool(weather.altered), random.random_bool(weather.cut), at)
        });
        self.faults.fetch_add(u64::from(altered || cut), Ordering::Relaxed);
        if altered && !bytes.is_empty() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            bytes = changed.into();
        }
        Ok(if cut { bytes.slice(..at) } else { bytes })
    }
}

pub(crate) fn spawn(tasks: &LocalSpawner, task: impl Future<Output = ()> + 'static) {
    tasks.spawn_local(task).expect("the pool is there");
}

/// One node's way to another.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) world: Arc<World>,
    pub(crate) to: usize,
}

impl LogReader for Wire {
    async fn checkpoint(&self) -> Result<Vec<u8>, FederationError> {
        let key = &self.world.nodes[self.to].key;
        let note = |log: &Log| Some(key.sign_checkpoint(log.tree.size(), log.tree.root()).into());
        Ok(self.world.carry(self.to, Kind::Checkpoint, note).await?.to_vec())
    }

    async fn tile(&self, level: u8, index: u64, width: Option<u8>) -> Result<Bytes, FederationError> {
        let width = width.map_or(WIDTH, usize::from);
        let tile = |log: &Log| {
            let start = usize::try_from(index).ok()? * WIDTH;
            let hashes = log.levels.get(usize::from(level))?.get(start..start + width)?;
            Some(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect::<Vec<u8>>().into())
        };
        let bytes = self.world.carry(self.to, Kind::Tile, tile).await?;
        if bytes.len() == width * 32 { Ok(bytes) } else { Err(short("a hash tile")) }
    }

    async fn entry_bundle(&self, index: u64, width: Option<u8>) -> Result<Bytes, FederationError> {
        let width = width.map_or(WIDTH, usize::from);
        let bundle = |log: &Log| {
            let start = usize::try_from(index).ok()? * WIDTH;
            let entries = log.entries.get(start..start + width)?;
            let framed = |entry: &Bytes| {
                let length = u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes();
                [&length[..], entry].concat()
            };
            Some(entries.iter().flat_map(framed).collect::<Vec<u8>>().into())
        };
        self.world.carry(self.to, Kind::Bundle, bundle).await
    }

    fn batch_bytes(&self) -> u64 {
        16 << 20
    }
}

fn short(what: &str) -> FederationError {
    FederationError::Malformed { what: format!("{what} is too short") }
}
