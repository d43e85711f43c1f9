//! Many new graphs at once go past the engine's log and memory tables, as sorted files: a transaction takes ten times as long.

use std::collections::BTreeSet;

use oxigraph::{model::Quad, store::Store};

use super::{GraphChange, named};
use crate::MetadataError;

/// New graphs from which on they are loaded in bulk: each load makes files of its own.
const MANY: usize = 100;
/// Statements sorted at once, each about a kilobyte meanwhile.
const AT_ONCE: usize = 100_000;

/// The changes that only add, when there are many of them, and all others.
pub(super) fn sort_out(
    store: &Store,
    changes: Vec<GraphChange>,
) -> Result<(Vec<GraphChange>, Vec<GraphChange>), MetadataError> {
    if changes.len() < MANY {
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
    Ok(if new.len() < MANY { (Vec::new(), others.into_iter().chain(new).collect()) } else { (new, others) })
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

/// Adds what the store does not hold, all of it or nothing.
pub(super) fn load(store: &Store, graphs: Vec<Vec<Quad>>) -> Result<(), MetadataError> {
    if graphs.is_empty() {
        return Ok(());
    }
    let mut loader = store.bulk_loader().with_num_threads(1).with_max_memory_size_in_megabytes(AT_ONCE / 1000);
    loader.load_quads(graphs.into_iter().flatten()).map_err(MetadataError::write)?;
    loader.commit().map_err(MetadataError::write)
}
