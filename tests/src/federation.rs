use crate::{Node, PeerEntry, Setup, eventually};

/// Nodes that all know each other.
#[derive(Debug)]
pub struct Federation {
    /// The nodes, in the order of their names as given.
    pub nodes: Vec<Node>,
}

impl Federation {
    /// Starts nodes of these names, each following all others.
    pub async fn start(names: &[&str]) -> Self {
        Self::start_with(names, |setup| setup).await
    }

    /// As [`start`](Self::start), each from a setup that is changed before.
    pub async fn start_with(names: &[&str], change: impl Fn(Setup) -> Setup) -> Self {
        let mut setups = Vec::new();
        for name in names {
            setups.push(change(Setup::new(name).await));
        }
        let everybody: Vec<PeerEntry> = setups.iter().map(Setup::as_peer).collect();
        let mut nodes = Vec::new();
        for mut setup in setups {
            setup.peers = everybody.iter().filter(|peer| peer.id != setup.id).cloned().collect();
            nodes.push(Node::start_with(setup).await);
        }
        Self { nodes }
    }

    /// The node of that name.
    ///
    /// # Panics
    /// When there is none.
    pub fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.id() == name).unwrap_or_else(|| panic!("no node '{name}'"))
    }

    /// The node of that name, to be stopped or started.
    ///
    /// # Panics
    /// When there is none.
    pub fn node_mut(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.id() == name).unwrap_or_else(|| panic!("no node '{name}'"))
    }

    /// Waits until a search gives these ids, in any order, on every node.
    pub async fn all_find(&self, query: &str, ids: &[&str]) {
        for node in &self.nodes {
            node_finds(node, query, ids).await;
        }
    }
}

async fn node_finds(node: &Node, query: &str, ids: &[&str]) {
    let client = node.anybody();
    let mut wanted: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    wanted.sort();
    eventually(&format!("'{}' finds {ids:?} with {query}", node.id()), || async {
        let mut found = client.found(query).await;
        found.sort();
        if found == wanted { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}
