use std::fmt::Write;

use crate::{free_port, run};

/// A signing key and its public key, as `heliograph keygen` prints them.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The secret key's text, for `keys/node.key`.
    pub secret: String,
    /// `name+hash+base64`.
    pub public: String,
}

impl KeyPair {
    /// A new key for the node of that name.
    ///
    /// # Panics
    /// When `heliograph keygen` fails or prints something else.
    pub async fn new(node: &str) -> Self {
        let output = run(["keygen", &format!("heliograph/{node}")]).await.ok();
        let after = |head: &str| {
            let mut lines = output.stdout.lines().skip_while(|line| !line.starts_with(head));
            lines.nth(1).unwrap_or_else(|| panic!("no '{head}' key: {output:?}")).to_owned()
        };
        Self { secret: after("secret"), public: after("public") }
    }
}

/// A peer in a node's configuration.
#[derive(Debug, Clone)]
pub struct PeerEntry {
    /// The peer's name.
    pub id: String,
    /// Its address.
    pub url: String,
    /// Its public key.
    pub public_key: String,
    /// More lines of TOML about it, such as what is mirrored.
    pub more: String,
}

impl PeerEntry {
    /// With these lines of TOML.
    pub fn more(mut self, toml: &str) -> Self {
        self.more = toml.to_owned();
        self
    }
}

/// What a node is started from.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The node's name.
    pub id: String,
    /// The port it listens on.
    pub port: u16,
    /// Its key.
    pub keys: KeyPair,
    /// Seconds between two looks at a peer.
    pub poll_seconds: u64,
    /// Whom it follows.
    pub peers: Vec<PeerEntry>,
    /// More lines of TOML, such as a `[limits]` section.
    pub extra: String,
    /// Variables of its surroundings, such as the credentials of a bucket.
    pub variables: Vec<(String, String)>,
}

impl Setup {
    /// A node without peers on a free port, with a new key.
    pub async fn new(id: &str) -> Self {
        let keys = KeyPair::new(id).await;
        let (peers, extra, variables) = Default::default();
        Self { id: id.to_owned(), port: free_port(), keys, poll_seconds: 1, peers, extra, variables }
    }

    /// The node's address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The node as a peer of others.
    pub fn as_peer(&self) -> PeerEntry {
        PeerEntry { id: self.id.clone(), url: self.url(), public_key: self.keys.public.clone(), more: String::new() }
    }

    /// With these lines of TOML at the end of the configuration.
    pub fn extra(mut self, toml: &str) -> Self {
        self.extra = toml.to_owned();
        self
    }

    /// The configuration as TOML, for data in a folder.
    pub(crate) fn toml(&self, data_dir: &std::path::Path) -> String {
        let mut text = format!(
            "[node]\nid = \"{id}\"\ntitle = \"Node {id}\"\nabout = \"A node under test.\"\npublic_url = \"{url}\"\n\n\
             [server]\nlisten = \"127.0.0.1:{port}\"\n\n[storage]\ndata_dir = {data_dir:?}\n\n\
             [federation]\npoll_seconds = {poll}\n",
            id = self.id,
            url = self.url(),
            port = self.port,
            poll = self.poll_seconds,
        );
        for PeerEntry { id, url, public_key, more } in &self.peers {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n[[federation.peers]]\nid = \"{id}\"\nurl = \"{url}\"\npublic_key = \"{public_key}\"\n{more}\n"
            );
        }
        format!("{text}\n{}\n", self.extra)
    }
}
