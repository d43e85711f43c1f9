//! Reading one node's log: entries, heads, size.

use dataset_model::{DatasetId, Digest, Entry, NodeId};
use tlog_tiles::record_hash;

use crate::{
    LedgerError,
    database::Database,
    frontier::{Frontier, Frontiers, read_hash},
    keys, records,
};

/// Size and root of a log, as they are stored.
pub(crate) fn state(frontier: &Frontier) -> Vec<u8> {
    [&frontier.size().to_be_bytes()[..], frontier.root().as_bytes()].concat()
}

/// Reads the edges of all logs, and checks that size, root, hashes and last entry of each agree.
pub(crate) fn open_all(database: &Database) -> Result<Frontiers, LedgerError> {
    let prefix = keys::logs();
    let open = |row: Result<(Vec<u8>, bytes::Bytes), LedgerError>| {
        let (key, state) = row?;
        let node: NodeId = keys::rest(&key, prefix.len())?;
        let frontier = open_one(database, &node, &state)?;
        Ok((node, frontier))
    };
    database.scan(&prefix).map(open).collect()
}

fn open_one(database: &Database, node: &NodeId, stored: &[u8]) -> Result<Frontier, LedgerError> {
    let damaged = |what: &str| LedgerError::damaged(format!("the log of {node} {what}"));
    let (size, root) = stored.split_first_chunk().ok_or_else(|| damaged("has no size"))?;
    let frontier = Frontier::at(database, node, u64::from_be_bytes(*size))?;
    let root: [u8; 32] = root.try_into().map_err(|_| damaged("has no root"))?;
    if frontier.root() != Digest::from_bytes(root) {
        return Err(damaged("has hashes that do not give its root"));
    }
    if let Some(last) = frontier.size().checked_sub(1) {
        let entry = records::get(database, &keys::entry(node, last))?.ok_or_else(|| damaged("lacks its last entry"))?;
        if record_hash(&entry) != read_hash(database, node, 0, last)? {
            return Err(damaged("has another last entry than the one that was hashed"));
        }
    }
    if database.contains(&keys::entry(node, frontier.size()))? {
        return Err(damaged("has entries after its end"));
    }
    Ok(frontier)
}

/// The index of the last entry about a dataset.
pub(crate) fn head(database: &Database, node: &NodeId, dataset: &DatasetId) -> Result<Option<u64>, LedgerError> {
    database.get(&keys::head(node, dataset))?.map(|value| keys::number(&value)).transpose()
}

/// The last entry about a dataset.
pub(crate) fn head_entry(
    database: &Database,
    node: &NodeId,
    dataset: &DatasetId,
) -> Result<Option<Entry>, LedgerError> {
    let Some(index) = head(database, node, dataset)? else { return Ok(None) };
    let damaged = || LedgerError::damaged(format!("the log of {node} lacks the last entry about {dataset}"));
    let bytes = records::get(database, &keys::entry(node, index))?.ok_or_else(damaged)?;
    Entry::from_bytes(&bytes).map(Some).map_err(|_| damaged())
}
