//! Crates, kept once per digest, and who needs them.
//!
//! Each entry that points to a crate leaves a *use*: digest, node, dataset. Dropping a crate ends the uses of the
//! datasets that the same append is about (unless their newest entry points to it) and those of datasets whose newest
//! entry points to no crate, because it took them back. The bytes go with the last use.

use std::collections::BTreeSet;

use bytes::Bytes;
use dataset_model::{DatasetId, Digest, NodeId};

use crate::{
    LedgerError,
    append::NewHeads,
    database::{Database, Writes},
    keys, log, records,
};

const COMPRESSION: i32 = 3;

/// Reads a crate.
pub(crate) fn get(database: &Database, digest: &Digest) -> Result<Option<Bytes>, LedgerError> {
    let Some(compressed) = records::get(database, &keys::crate_bytes(digest))? else { return Ok(None) };
    let bytes = zstd::decode_all(&*compressed)
        .map_err(|error| LedgerError::damaged(format!("crate {digest} cannot be unpacked: {error}")))?;
    Ok(Some(bytes.into()))
}

/// Stores the crates that are not held yet and were not dropped in the same breath.
pub(crate) fn store(
    database: &Database,
    writes: &mut Writes,
    crates: &[(Digest, Bytes)],
    dropped: &BTreeSet<Digest>,
) -> Result<(), LedgerError> {
    let mut stored = BTreeSet::new();
    for (digest, bytes) in crates {
        let actual = Digest::of(bytes);
        if actual != *digest {
            return Err(LedgerError::WrongDigest { expected: *digest, actual });
        }
        let key = keys::crate_bytes(digest);
        if dropped.contains(digest) || !stored.insert(digest) || database.contains(&key)? {
            continue;
        }
        let compressed = zstd::bulk::compress(bytes, COMPRESSION).map_err(|error| LedgerError::Write(error.into()))?;
        records::put_new(writes, key, &compressed)?;
    }
    Ok(())
}

/// Ends uses of the given crates, and removes those of which none is left. Returns the removed ones.
pub(crate) fn drop(
    database: &Database,
    writes: &mut Writes,
    node: &NodeId,
    heads: &NewHeads,
    digests: &[Digest],
) -> Result<BTreeSet<Digest>, LedgerError> {
    let mut dropped = BTreeSet::new();
    for digest in digests.iter().copied().collect::<BTreeSet<_>>() {
        let mut needed = heads.values().any(|head| head.crate_digest == Some(digest));
        for user in users(database, &digest)? {
            let (user_node, dataset) = user?;
            if needs(database, &digest, (node, heads), (&user_node, &dataset))? {
                needed = true;
            } else {
                writes.push((keys::crate_use(&digest, &user_node, &dataset), None));
            }
        }
        end_new_uses(writes, &digest, node, heads);
        if !needed {
            records::remove(database, writes, keys::crate_bytes(&digest))?;
            dropped.insert(digest);
        }
    }
    Ok(dropped)
}

fn users(
    database: &Database,
    digest: &Digest,
) -> Result<impl Iterator<Item = Result<(NodeId, DatasetId), LedgerError>> + use<>, LedgerError> {
    let prefix = keys::crate_uses(digest);
    let length = prefix.len();
    Ok(database.scan(&prefix).map(move |row| keys::user(&row?.0, length)))
}

fn needs(
    database: &Database,
    digest: &Digest,
    (node, heads): (&NodeId, &NewHeads),
    (user, dataset): (&NodeId, &DatasetId),
) -> Result<bool, LedgerError> {
    match heads.get(dataset).filter(|_| user == node) {
        Some(head) => Ok(head.crate_digest == Some(*digest)),
        None => Ok(log::head_entry(database, user, dataset)?.is_some_and(|entry| entry.crate_digest().is_some())),
    }
}

/// An append may add a use and end it: a dataset announced and taken back between two harvests.
fn end_new_uses(writes: &mut Writes, digest: &Digest, node: &NodeId, heads: &NewHeads) {
    for (dataset, head) in heads {
        if head.crate_digest != Some(*digest) {
            writes.push((keys::crate_use(digest, node, dataset), None));
        }
    }
}
