use std::{fmt::Write as _, path::Path};

use anyhow::{Context, Result};
use node::{Actor, Scope};
use serde_json::{Value, json};

use crate::{Config, Server, client::Client};

/// Name, title, country and a sentence of each node.
const NODES: [(&str, &str, &str, &str); 3] = [
    ("europe", "European Bio-Image Node", "Germany", "A demonstration node for European imaging facilities."),
    ("japan", "Japanese Bio-Image Node", "Japan", "A demonstration node for Japanese imaging facilities."),
    ("australia", "Australian Bio-Image Node", "Australia", "A demonstration node for Australian imaging facilities."),
];

/// The three running nodes.
pub(crate) struct Nodes {
    all: Vec<DemoNode>,
}

/// One of them, with what is needed to speak to it.
pub(crate) struct DemoNode {
    pub name: &'static str,
    pub url: String,
    pub public_key: String,
    pub admin_token: String,
    pub deposit_token: String,
    server: Server,
}

impl DemoNode {
    /// A client with the given token.
    pub(crate) fn client(&self, token: &str) -> Result<Client> {
        Client::new(&self.url, Some(token))
    }

    /// How many entries the node's log has.
    pub(crate) fn log_size(&self) -> Result<u64> {
        Ok(self.server.node().description()?.log_size)
    }
}

impl Nodes {
    /// Starts the three, each knowing the others' addresses and keys.
    pub(crate) async fn start(folder: &Path, base_port: u16) -> Result<Self> {
        let keys = NODES.map(|(name, ..)| public_key(folder, name));
        let mut all = Vec::new();
        for (at, (name, ..)) in NODES.iter().enumerate() {
            let own = folder.join(name);
            let text = configuration(&own, at, base_port, &keys);
            std::fs::create_dir_all(&own)?;
            // Kept beside the data, so that each node can be run alone: heliograph serve --config.
            std::fs::write(own.join("node.toml"), &text)?;
            let server =
                Server::start(Config::from_toml(&text)?).await.with_context(|| format!("starting '{name}'"))?;
            all.push(introduce(name, &own, server)?);
        }
        Ok(Self { all })
    }

    pub(crate) fn all(&self) -> &[DemoNode] {
        &self.all
    }

    pub(crate) fn first(&self) -> &DemoNode {
        &self.all[0]
    }

    /// The node of that name.
    pub(crate) fn named(&self, name: &str) -> Result<&DemoNode> {
        self.all.iter().find(|node| node.name == name).with_context(|| format!("no node '{name}'"))
    }

    /// Writes `demo.json`: addresses, keys and tokens, once all nodes are ready.
    pub(crate) fn write_description(&self, folder: &Path) -> Result<()> {
        let nodes: Vec<Value> = self.all.iter().map(describe).collect();
        let path = folder.join("demo.json");
        let temporary = folder.join("demo.json.new");
        std::fs::write(&temporary, serde_json::to_vec_pretty(&json!({"nodes": nodes}))?)?;
        Ok(std::fs::rename(temporary, path)?)
    }

    pub(crate) async fn stop(self) {
        futures::future::join_all(self.all.into_iter().map(|node| node.server.stop())).await;
    }
}

fn describe(node: &DemoNode) -> Value {
    json!({
        "name": node.name,
        "url": node.url,
        "public_key": node.public_key,
        "admin_token": node.admin_token,
        "deposit_token": node.deposit_token,
    })
}

/// The node's public key; its secret key is made now when it has none, because the others must know it.
fn public_key(folder: &Path, name: &str) -> Result<String> {
    let keys = folder.join(name).join("keys");
    Ok(node::public_key_of(&keys, &name.parse()?)?)
}

fn configuration(folder: &Path, at: usize, base_port: u16, keys: &[Result<String>; 3]) -> String {
    let (name, title, country, about) = NODES[at];
    let port = |at: usize| base_port + u16::try_from(at).unwrap_or_default();
    let mut text = format!(
        "[node]\nid = \"{name}\"\ntitle = \"{title}\"\ncountry = \"{country}\"\nabout = \"{about}\"\n\
         public_url = \"http://127.0.0.1:{own}\"\n\n[server]\nlisten = \"127.0.0.1:{own}\"\n\n\
         [storage]\ndata_dir = {folder:?}\n\n[federation]\npoll_seconds = 2\n",
        own = port(at)
    );
    for (peer_at, (peer, ..)) in NODES.iter().enumerate().filter(|(peer_at, _)| *peer_at != at) {
        let key = keys[peer_at].as_deref().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[[federation.peers]]\nid = \"{peer}\"\nurl = \"http://127.0.0.1:{}\"\npublic_key = \"{key}\"\n",
            port(peer_at)
        );
    }
    text
}

/// Tokens are kept beside the data: a demonstration started again on the same folder has the same.
fn introduce(name: &'static str, folder: &Path, server: Server) -> Result<DemoNode> {
    let node = server.node();
    let admin_token = std::fs::read_to_string(folder.join("keys").join("admin-token"))?.trim().to_owned();
    let deposit_file = folder.join("keys").join("deposit-token");
    if !deposit_file.exists() {
        let token = node.create_token(&Actor::Operator, "demonstration", &[Scope::Deposit])?;
        node.write_secret(&deposit_file, &token.token)?;
    }
    let deposit_token = std::fs::read_to_string(deposit_file)?.trim().to_owned();
    let (url, public_key) = (server.url().to_owned(), node.public_key().to_string());
    Ok(DemoNode { name, url, public_key, admin_token, deposit_token, server })
}
