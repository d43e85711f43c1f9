//! A node in memory, served over HTTP, whose answers a test can alter.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::Response,
};
use dataset_model::{Catalogued, Digest, Entry, Event, MerkleTree, NodeId, VersionNumber, WithdrawReason, Withdrawn};
use federation::{
    Limits, NodeDescription, NodeKey, PROTOCOL, PeerClient, Puller,
    crate_stream::{CrateRequest, encode},
    log_stream::{self, LogRecord},
    paths::{self, TilePath},
};
use tlog_tiles::{Error, Hash, HashReader, Tile};

/// Deadlines that are short for a machine and long for a busy test run.
pub(crate) fn limits() -> Limits {
    Limits { back_off: Duration::from_millis(1), attempts: 3, ..Limits::default() }
}

/// The entry at `index` of a well-behaved log.
pub(crate) fn entry(index: u64) -> Vec<u8> {
    let event = if index % 7 == 6 {
        Event::Withdraw(Withdrawn { reason: WithdrawReason::Other })
    } else {
        let crate_digest = Digest::of(format!("crate {index}"));
        Event::Catalogue(Catalogued { crate_digest, original: None, graph: None, source: "tests".into() })
    };
    let dataset = format!("set-{index}").parse().unwrap();
    let time = "2026-11-21T10:00:00Z".parse().unwrap();
    Entry { dataset, version: VersionNumber::FIRST, previous: None, time, event }.to_bytes().unwrap()
}

pub(crate) fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(entry).collect()
}

pub(crate) fn tree(entries: &[Vec<u8>]) -> MerkleTree {
    let mut tree = MerkleTree::default();
    entries.iter().for_each(|entry| tree.push(entry));
    tree
}

struct Hashes(Vec<Hash>);

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |&index: &u64| self.0.get(usize::try_from(index).unwrap()).copied().ok_or(Error::IndexesNotInTree);
        indexes.iter().map(read).collect()
    }
}

/// An answer, as it would be without misbehaviour.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Complete,
    /// The connection breaks after the body's first half.
    BreaksOff,
    /// Nothing comes after the body's first half.
    Stalls,
    /// It comes byte by byte, each after a while: it would take for ever, and is never silent for long.
    Drips,
}

impl Answer {
    fn new(media_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, media_type, body, ending: Ending::Complete, location: None }
    }

    fn missing() -> Self {
        Self { status: 404, ..Self::new(paths::TEXT, b"not here".to_vec()) }
    }
}

type Alter = Box<dyn Fn(&str, Answer) -> Answer + Send + Sync>;

/// What a node knows.
pub(crate) struct Peer {
    pub(crate) key: NodeKey,
    /// The entries it hands out.
    served: Vec<Vec<u8>>,
    hashes: Hashes,
    size: u64,
    root: Digest,
    crates: HashMap<Digest, Bytes>,
    alter: Mutex<Alter>,
    requests: AtomicUsize,
}

impl Peer {
    pub(crate) fn new(entries: Vec<Vec<u8>>) -> Self {
        let mut hashes = Hashes(Vec::new());
        for (index, entry) in (0..).zip(&entries) {
            let new = tlog_tiles::stored_hashes(index, entry, &hashes).unwrap();
            hashes.0.extend(new);
        }
        let crates = (0..entries.len()).map(|index| format!("crate {index}"));
        Self {
            key: NodeKey::generate("heliograph.example/peer"),
            hashes,
            size: entries.len() as u64,
            root: tree(&entries).root(),
            crates: crates.map(|text| (Digest::of(&text), Bytes::from(text))).collect(),
            served: entries,
            alter: Mutex::new(Box::new(|_, answer| answer)),
            requests: AtomicUsize::new(0),
        }
    }

    /// Signs one log and hands out the entries of another.
    pub(crate) fn handing_out(mut self, entries: Vec<Vec<u8>>) -> Self {
        self.served = entries;
        self
    }

    pub(crate) fn with_key(mut self, key: NodeKey) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn with_crate(mut self, bytes: Vec<u8>) -> Self {
        self.crates.insert(Digest::of(&bytes), bytes.into());
        self
    }

    pub(crate) fn altered(self, alter: impl Fn(&str, Answer) -> Answer + Send + Sync + 'static) -> Self {
        *self.alter.lock().unwrap() = Box::new(alter);
        self
    }

    fn answer(&self, path: &str, query: &str, body: &[u8]) -> Answer {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let answer = match path {
            paths::CHECKPOINT => Answer::new(paths::TEXT, self.key.sign_checkpoint(self.size, self.root).into_bytes()),
            paths::NODE => Answer::new(paths::JSON, serde_json::to_vec(&self.description()).unwrap()),
            paths::CRATES => Answer::new(paths::ZSTD, self.stream(body)),
            paths::LOG => Answer::new(paths::ZSTD, self.log_stream(query)),
            _ => match path.strip_prefix(paths::TILES).and_then(paths::parse_tile) {
                Some(TilePath::Hashes { level, index, width }) => self.tile(level, index, width),
                Some(TilePath::Entries { index, width }) => self.bundle(index, width),
                None => None,
            }
            .map_or_else(Answer::missing, |bytes| Answer::new(paths::BYTES, bytes)),
        };
        let alter = self.alter.lock().unwrap();
        alter(path, answer)
    }

    fn tile(&self, level: u8, index: u64, width: Option<u8>) -> Option<Vec<u8>> {
        let width = width.map_or(256, u32::from);
        let there = index * 256 + u64::from(width) <= self.size >> (8 * u32::from(level));
        there.then(|| Tile::new(8, level, index, width, false).read_data(&self.hashes).unwrap())
    }

    fn bundle(&self, index: u64, width: Option<u8>) -> Option<Vec<u8>> {
        let start = usize::try_from(index).unwrap() * 256;
        let entries = self.served.get(start..start + width.map_or(256, usize::from))?;
        let framed =
            entries.iter().map(|entry| [&u16::try_from(entry.len()).unwrap().to_be_bytes(), &entry[..]].concat());
        Some(framed.collect::<Vec<_>>().concat())
    }

    fn stream(&self, body: &[u8]) -> Vec<u8> {
        let request: CrateRequest = serde_json::from_slice(body).unwrap();
        assert!(request.digests.len() <= 1000);
        let crates = request.digests.iter().map(|digest| Ok((*digest, self.crates.get(digest).cloned())));
        encode::<std::io::Error>(crates).flat_map(|piece| piece.unwrap()).collect()
    }

    fn log_stream(&self, query: &str) -> Vec<u8> {
        let number = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)).expect("a range");
            value.parse::<usize>().expect("a number")
        };
        let record = |entry: &Vec<u8>| {
            let digest = Entry::from_bytes(entry).ok().and_then(|entry| entry.crate_digest());
            let crate_bytes = digest.and_then(|digest| self.crates.get(&digest).cloned());
            Ok(LogRecord { entry: Bytes::copy_from_slice(entry), crate_bytes })
        };
        let records = self.served[number("from=")..number("to=")].iter().map(record);
        log_stream::encode::<std::io::Error>(records).flat_map(|piece| piece.unwrap()).collect()
    }

    pub(crate) fn description(&self) -> NodeDescription {
        NodeDescription {
            id: "peer".parse::<NodeId>().unwrap(),
            title: "A peer".into(),
            url: "https://heliograph.example".into(),
            public_key: self.key.public_key().to_string(),
            software: "heliograph".into(),
            version: "0.1.0".into(),
            country: None,
            peers: Vec::new(),
            witnesses: Vec::new(),
            log_size: self.size,
            protocol: PROTOCOL,
        }
    }

    /// Serves it until the runtime ends.
    pub(crate) async fn serve(self) -> Served {
        let peer = Arc::new(self);
        let router = Router::new().fallback(handle).with_state(Arc::clone(&peer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Served { base, peer }
    }
}

/// A peer that listens.
pub(crate) struct Served {
    pub(crate) base: String,
    pub(crate) peer: Arc<Peer>,
}

impl Served {
    pub(crate) fn puller(&self) -> Puller {
        self.puller_within(limits())
    }

    pub(crate) fn puller_within(&self, limits: Limits) -> Puller {
        Puller::new(self.base.parse().unwrap(), self.peer.key.public_key(), limits).unwrap()
    }

    pub(crate) fn client(&self, limits: Limits) -> PeerClient {
        PeerClient::new(self.base.parse().unwrap(), limits).unwrap()
    }

    pub(crate) fn requests(&self) -> usize {
        self.peer.requests.load(Ordering::SeqCst)
    }
}

async fn handle(State(peer): State<Arc<Peer>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let answer = peer.answer(&path, &query, &body);
    let mut response = Response::builder()
        .status(StatusCode::from_u16(answer.status).unwrap())
        .header(header::CONTENT_TYPE, answer.media_type);
    if let Some(location) = answer.location {
        response = response.header(header::LOCATION, location);
    }
    let half = Bytes::copy_from_slice(&answer.body[..answer.body.len() / 2]);
    let body = match answer.ending {
        Ending::Complete => Body::from(answer.body),
        Ending::BreaksOff => {
            let broken = futures::stream::iter([Ok(half), Err(std::io::Error::other("broken off"))]);
            Body::from_stream(broken)
        }
        Ending::Drips => {
            use futures::StreamExt;
            let drop = |byte: u8| async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
            };
            Body::from_stream(futures::stream::iter(answer.body).then(drop))
        }
        Ending::Stalls => {
            use futures::StreamExt;
            let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
            Body::from_stream(futures::stream::iter([Ok(half)]).chain(silent))
        }
    };
    response.body(body).unwrap()
}
