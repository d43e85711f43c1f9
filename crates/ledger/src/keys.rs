//! Keys, as the table in `database.rs` lists them.

use dataset_model::{DatasetId, Digest, NodeId};

use crate::LedgerError;

/// The log of one node: its size and root.
pub(crate) fn log(node: &NodeId) -> Vec<u8> {
    key(b'n', &[node.as_str().as_bytes()])
}

/// Before the keys of all logs.
pub(crate) fn logs() -> Vec<u8> {
    vec![b'n']
}

pub(crate) fn entry(node: &NodeId, index: u64) -> Vec<u8> {
    key(b'e', &[node.as_str().as_bytes(), b"/", &index.to_be_bytes()])
}

pub(crate) fn hash(node: &NodeId, level: u8, index: u64) -> Vec<u8> {
    key(b'h', &[node.as_str().as_bytes(), b"/", &[level], &index.to_be_bytes()])
}

pub(crate) fn head(node: &NodeId, dataset: &DatasetId) -> Vec<u8> {
    key(b'd', &[node.as_str().as_bytes(), b"/", dataset.as_str().as_bytes()])
}

/// Before the keys of all heads of a node.
pub(crate) fn heads(node: &NodeId) -> Vec<u8> {
    key(b'd', &[node.as_str().as_bytes(), b"/"])
}

pub(crate) fn crate_bytes(digest: &Digest) -> Vec<u8> {
    key(b'c', &[digest.as_bytes()])
}

pub(crate) fn crate_use(digest: &Digest, node: &NodeId, dataset: &DatasetId) -> Vec<u8> {
    key(b'u', &[digest.as_bytes(), node.as_str().as_bytes(), b"/", dataset.as_str().as_bytes()])
}

/// Before the keys of all uses of a crate.
pub(crate) fn crate_uses(digest: &Digest) -> Vec<u8> {
    key(b'u', &[digest.as_bytes()])
}

/// A document; with an empty or partial name, the prefix of all that start with it.
pub(crate) fn document(collection: &str, name: &str) -> Vec<u8> {
    key(b'k', &[collection.as_bytes(), b"/", name.as_bytes()])
}

pub(crate) fn piece(generation: u64, number: u32) -> Vec<u8> {
    key(b'p', &[&generation.to_be_bytes(), &number.to_be_bytes()])
}

/// What of a key comes after its prefix, as text that parses.
pub(crate) fn rest<T: std::str::FromStr>(key: &[u8], prefix: usize) -> Result<T, LedgerError> {
    key.get(prefix..)
        .and_then(|rest| std::str::from_utf8(rest).ok())
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| LedgerError::damaged(format!("the key {key:02x?} is no name")))
}

/// The node and the dataset in the key of a use.
pub(crate) fn user(key: &[u8], prefix: usize) -> Result<(NodeId, DatasetId), LedgerError> {
    let text: String = rest(key, prefix)?;
    text.split_once('/')
        .and_then(|(node, dataset)| Some((node.parse().ok()?, dataset.parse().ok()?)))
        .ok_or_else(|| LedgerError::damaged(format!("'{text}' names no dataset of a node")))
}

/// A number as it is stored.
pub(crate) fn number(value: &[u8]) -> Result<u64, LedgerError> {
    let bytes = value.try_into().map_err(|_| LedgerError::damaged("a number is cut short"))?;
    Ok(u64::from_be_bytes(bytes))
}

fn key(space: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![space];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}
