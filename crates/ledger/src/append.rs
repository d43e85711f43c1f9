use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, Entry, NodeId};

use crate::{
    Change, LedgerError, crates,
    database::{Database, Writes},
    frontier::Frontier,
    keys, log, records,
};

/// What happens to a log in one transaction: all of it, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// The size the log must have; with nothing given, entries go wherever its end is.
    pub expected_size: Option<u64>,
    /// Canonical bytes of the entries, in order ([`Entry::to_bytes`]).
    pub entries: Vec<Vec<u8>>,
    /// Crates with their SHA-256. One that is held already is not stored again.
    pub crates: Vec<(Digest, Bytes)>,
    /// Crates that the datasets of these entries no longer need. A crate goes when no other dataset needs it either.
    pub dropped_crates: Vec<Digest>,
    /// Documents that change with the log.
    pub changes: Vec<Change>,
}

/// What an append amounts to.
pub(crate) struct Plan {
    pub(crate) writes: Writes,
    pub(crate) frontier: Frontier,
    pub(crate) indexes: Range<u64>,
}

/// An entry that is about to be appended, as far as the ledger reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewHead {
    /// Its index.
    pub(crate) index: u64,
    /// The crate it points to.
    pub(crate) crate_digest: Option<Digest>,
}

/// The last of the new entries about each dataset.
pub(crate) type NewHeads = HashMap<DatasetId, NewHead>;

/// Works out what an append writes, without writing it. Only the single writer may call this.
pub(crate) fn plan(
    database: &Database,
    node: &NodeId,
    mut frontier: Frontier,
    append: Append,
) -> Result<Plan, LedgerError> {
    let start = frontier.size();
    let mut writes = Writes::new();
    let mut heads = NewHeads::new();
    for bytes in &append.entries {
        let index = frontier.size();
        let entry = Entry::from_bytes(bytes).map_err(|source| LedgerError::BadEntry { index, source })?;
        check_chain(database, node, &heads, index, &entry)?;
        records::put_new(&mut writes, keys::entry(node, index), bytes)?;
        frontier.push(node, bytes, &mut writes);
        let crate_digest = entry.crate_digest();
        if let Some(digest) = crate_digest {
            writes.push((keys::crate_use(&digest, node, &entry.dataset), Some(Vec::new())));
        }
        heads.insert(entry.dataset, NewHead { index, crate_digest });
    }
    for (dataset, head) in &heads {
        writes.push((keys::head(node, dataset), Some(head.index.to_be_bytes().to_vec())));
    }
    if !append.entries.is_empty() {
        writes.push((keys::log(node), Some(log::state(&frontier))));
    }
    let dropped = crates::drop(database, &mut writes, node, &heads, &append.dropped_crates)?;
    crates::store(database, &mut writes, &append.crates, &dropped)?;
    change(database, &mut writes, append.changes)?;
    let indexes = start..frontier.size();
    Ok(Plan { writes, frontier, indexes })
}

/// Adds the changes of documents to what is written.
pub(crate) fn change(database: &Database, writes: &mut Writes, changes: Vec<Change>) -> Result<(), LedgerError> {
    let last: BTreeMap<_, _> = changes.into_iter().map(|change| (change.key, change.value)).collect();
    for (key, value) in last {
        match value {
            Some(value) => records::put(database, writes, key, &value)?,
            None => records::remove(database, writes, key)?,
        }
    }
    Ok(())
}

fn check_chain(
    database: &Database,
    node: &NodeId,
    heads: &NewHeads,
    index: u64,
    entry: &Entry,
) -> Result<(), LedgerError> {
    let actual = match heads.get(&entry.dataset) {
        Some(head) => Some(head.index),
        None => log::head(database, node, &entry.dataset)?,
    };
    if entry.previous == actual {
        return Ok(());
    }
    Err(LedgerError::BrokenChain { index, dataset: entry.dataset.clone(), named: entry.previous, actual })
}
