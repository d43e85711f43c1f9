//! Many new graphs at once go past the engine's log and memory tables, as sorted files: a transaction takes ten times as long.

use std::{collections::BTreeSet, path::Path};

use oxigraph::store::{BulkLoader, Store};

use super::{GraphChange, named};
use crate::MetadataError;

/// New graphs from which on they are loaded in bulk: each load makes files of its own.
const MANY: usize = 100;
/// Statements sorted at once, each about a kilobyte meanwhile; as many more are gathered.
pub(super) const AT_ONCE: usize = 32_768;

/// The changes that only add, when there are many of them, or files are being `made` already, and all others.
pub(super) fn sort_out(
    store: &Store,
    changes: Vec<GraphChange>,
    made: bool,
) -> Result<(Vec<GraphChange>, Vec<GraphChange>), MetadataError> {
    let enough = if made { 1 } else { MANY };
    if changes.len() < enough {
        return Ok((Vec::new(), changes));
    }
    let names: BTreeSet<&String> = changes.iter().map(|change| &change.graph).collect();
    if names.len() < changes.len() {
        // The last one of a graph counts.
        return Ok((Vec::new(), changes));
    }
    let (mut new, mut others) = (Vec::new(), Vec::new());
    for change in changes {
        if only_adds(store, &change)? { new.push(change) } else { others.push(change) }
    }
    Ok(if new.len() < enough { (Vec::new(), others.into_iter().chain(new).collect()) } else { (new, others) })
}

fn only_adds(store: &Store, change: &GraphChange) -> Result<bool, MetadataError> {
    let graph = named(&change.graph)?;
    if change.content.is_none() || store.contains_named_graph(graph.as_ref()).map_err(MetadataError::read)? {
        return Ok(false);
    }
    for (graph, subject) in change.provenance_subjects()? {
        let mut held = store.quads_for_pattern(Some(subject.as_ref().into()), None, None, Some(graph.as_ref()));
        if held.next().transpose().map_err(MetadataError::read)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes what the store does not hold, all of it or nothing. What it is given at once becomes one file an index.
pub(super) fn loader(store: &Store) -> BulkLoader<'_> {
    store.bulk_loader().with_num_threads(1).with_max_memory_size_in_megabytes(2 * AT_ONCE / 1000)
}

/// Deletes the files of loads that were cut off before their commit; the engine takes no notice of them.
pub(super) fn remove_leftovers(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("bulk-") && name.ends_with(".sst") {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
