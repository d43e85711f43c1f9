//! The store's own notes, in the engine's default graph. No named graph has them; a query over the union of all graphs can
//! see them, and learns what the node tells anybody: how far it has followed each log.

use std::collections::BTreeMap;

use dataset_model::NodeId;
use oxigraph::{
    model::{GraphName, GraphNameRef, Literal, NamedNode, NamedOrBlankNode, Quad, Term},
    store::{Store, Transaction},
};

use crate::MetadataError;

const APPLIED: &str = "urn:heliograph:state:applied";
const ONTOLOGY: &str = "urn:heliograph:state:ontology";
const LOG: &str = "urn:heliograph:log:";

pub(super) fn write_applied(
    transaction: &mut Transaction<'_>,
    applied: &BTreeMap<NodeId, u64>,
) -> Result<(), MetadataError> {
    forget(transaction, APPLIED)?;
    for (node, entries) in applied {
        let subject = NamedNode::new_unchecked(format!("{LOG}{node}"));
        write(transaction, subject, APPLIED, &entries.to_string());
    }
    Ok(())
}

pub(super) fn read_applied(store: &Store) -> Result<BTreeMap<NodeId, u64>, MetadataError> {
    let mut applied = BTreeMap::new();
    let predicate = NamedNode::new_unchecked(APPLIED);
    for quad in store.quads_for_pattern(None, Some(predicate.as_ref()), None, Some(GraphNameRef::DefaultGraph)) {
        let quad = quad.map_err(MetadataError::read)?;
        if let (NamedOrBlankNode::NamedNode(log), Term::Literal(entries)) = (&quad.subject, &quad.object) {
            let node = log.as_str().strip_prefix(LOG).and_then(|name| name.parse().ok());
            applied.extend(node.zip(entries.value().parse().ok()));
        }
    }
    Ok(applied)
}

/// The fingerprint of the ontologies in the store.
pub(super) fn ontology(store: &Store) -> Result<Option<String>, MetadataError> {
    let predicate = NamedNode::new_unchecked(ONTOLOGY);
    let mut quads = store.quads_for_pattern(None, Some(predicate.as_ref()), None, Some(GraphNameRef::DefaultGraph));
    let quad = quads.next().transpose().map_err(MetadataError::read)?;
    Ok(quad.and_then(|quad| if let Term::Literal(text) = quad.object { Some(text.value().to_owned()) } else { None }))
}

/// Notes the ontologies and forgets how far the logs were applied with the former ones.
pub(super) fn write_ontology(transaction: &mut Transaction<'_>, fingerprint: &str) -> Result<(), MetadataError> {
    forget(transaction, ONTOLOGY)?;
    forget(transaction, APPLIED)?;
    write(transaction, NamedNode::new_unchecked("urn:heliograph:state"), ONTOLOGY, fingerprint);
    Ok(())
}

fn write(transaction: &mut Transaction<'_>, subject: NamedNode, predicate: &str, value: &str) {
    let predicate = NamedNode::new_unchecked(predicate);
    let quad = Quad::new(subject, predicate, Literal::new_simple_literal(value), GraphName::DefaultGraph);
    transaction.insert(quad.as_ref());
}

fn forget(transaction: &mut Transaction<'_>, predicate: &str) -> Result<(), MetadataError> {
    let predicate = NamedNode::new_unchecked(predicate);
    let old: Result<Vec<Quad>, _> =
        transaction.quads_for_pattern(None, Some(predicate.as_ref()), None, Some(GraphNameRef::DefaultGraph)).collect();
    for quad in old.map_err(MetadataError::read)? {
        transaction.remove(quad.as_ref());
    }
    Ok(())
}
