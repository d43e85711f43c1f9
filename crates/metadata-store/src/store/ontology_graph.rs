//! Ontologies as named graphs, so that queries can use their hierarchy and names.

use oxigraph::{
    model::{GraphName, Literal, NamedNode, Quad, Term, vocab::rdf, vocab::rdfs},
    store::Store,
};

use super::state::State;
use crate::{MetadataError, Ontology, iri, ontology::TermRecord};

/// Names of ontology graphs: this and the ontology's name, such as `fbbi`.
const GRAPHS: &str = "https://heliograph.org/ontology/";
const SYNONYM: &str = "http://www.geneontology.org/formats/oboInOwl#hasExactSynonym";
const CLASS: &str = "http://www.w3.org/2002/07/owl#Class";
const DEPRECATED: &str = "http://www.w3.org/2002/07/owl#deprecated";

/// Writes the ontologies, unless those in the store are the same.
pub(super) fn refresh(store: &Store, state: &State, ontology: &Ontology) -> Result<(), MetadataError> {
    let fingerprint = ontology.fingerprint().to_string();
    if state.ontology().as_ref() == Some(&fingerprint) {
        return Ok(());
    }
    let mut transaction = store.start_transaction().map_err(MetadataError::write)?;
    for graph in graphs(store)? {
        transaction.remove_named_graph(graph.as_ref()).map_err(MetadataError::write)?;
    }
    for record in ontology.records() {
        for quad in quads(&record) {
            transaction.insert(quad.as_ref());
        }
    }
    transaction.commit().map_err(MetadataError::write)?;
    state.replace_ontology(store, &fingerprint)
}

fn graphs(store: &Store) -> Result<Vec<NamedNode>, MetadataError> {
    let mut found = Vec::new();
    for graph in store.named_graphs() {
        if let oxigraph::model::NamedOrBlankNode::NamedNode(name) = graph.map_err(MetadataError::read)? {
            found.extend(name.as_str().starts_with(GRAPHS).then_some(name));
        }
    }
    Ok(found)
}

fn quads(record: &TermRecord<'_>) -> Vec<Quad> {
    let graph = GraphName::from(NamedNode::new_unchecked(format!("{GRAPHS}{}", iri::encode_all(record.source))));
    let Ok(term) = NamedNode::new(record.iri.as_str()) else {
        return Vec::new();
    };
    let mut quads = Vec::new();
    let mut say = |predicate: NamedNode, object: Term| {
        quads.push(Quad::new(term.clone(), predicate, object, graph.clone()));
    };
    let text = |text: &str| Term::from(Literal::new_simple_literal(text));
    say(rdf::TYPE.into_owned(), NamedNode::new_unchecked(CLASS).into());
    if !record.label.is_empty() {
        say(rdfs::LABEL.into_owned(), text(record.label));
    }
    for synonym in record.synonyms {
        say(NamedNode::new_unchecked(SYNONYM), text(synonym));
    }
    for parent in record.parents.iter().filter_map(|parent| NamedNode::new(parent.as_str()).ok()) {
        say(rdfs::SUB_CLASS_OF.into_owned(), parent.into());
    }
    if record.deprecated {
        say(NamedNode::new_unchecked(DEPRECATED), Literal::from(true).into());
    }
    quads
}
