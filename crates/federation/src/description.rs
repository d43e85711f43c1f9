use dataset_model::{NodeId, Timestamp};
use serde::{Deserialize, Serialize};

/// The version of the federation protocol that this code speaks.
pub const PROTOCOL: u32 = 1;

/// What a node says about itself. It is not signed: what counts is the key a partner pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDescription {
    /// Its short name.
    pub id: NodeId,
    /// Its title for people.
    pub title: String,
    /// Its address, without trailing slash.
    pub url: String,
    /// The key it signs its log with ([`PublicKey`](crate::PublicKey) as text).
    pub public_key: String,
    /// The program it runs.
    pub software: String,
    /// The program's version.
    pub version: String,
    /// Where it is, as shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The nodes it follows.
    pub peers: Vec<PeerDescription>,
    /// The nodes that have cosigned the checkpoint it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<WitnessDescription>,
    /// How many entries its log has.
    pub log_size: u64,
    /// The protocol version it speaks.
    pub protocol: u32,
}

/// A node that another one follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerDescription {
    /// Its short name.
    pub id: NodeId,
    /// Its address.
    pub url: String,
    /// Its pinned public key.
    pub public_key: String,
}

/// A node that has cosigned another one's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessDescription {
    /// Its short name, as the node whose checkpoint it is calls it.
    pub id: NodeId,
    /// When it cosigned.
    pub time: Timestamp,
}
