//! Ontologies as named graphs, so that queries can use their hierarchy and names.

use std::collections::BTreeSet;

use oxigraph::{
    model::{GraphName, GraphNameRef, Literal, NamedNode, NamedNodeRef, Quad, Term, vocab::rdf, vocab::rdfs},
    store::Store,
};

use super::{MetadataStore, named};
use crate::{
    MetadataError, Ontology, iri,
    ontology::{Changed, OntologyTable, OntologyTerm, SynonymScope, changes},
};

/// Names of ontology graphs: this and the ontology's name, such as `fbbi`.
const GRAPHS: &str = "https://heliograph.org/ontology/";
const CLASS: &str = "http://www.w3.org/2002/07/owl#Class";
const DEPRECATED: &str = "http://www.w3.org/2002/07/owl#deprecated";
const DEFINITION: &str = "http://purl.obolibrary.org/obo/IAO_0000115";
const REPLACED_BY: &str = "http://purl.obolibrary.org/obo/IAO_0100001";
const SYNONYMS: &str = "http://www.geneontology.org/formats/oboInOwl#has";

/// Statements changed in one transaction.
const BATCH: usize = 20_000;
/// Statements sorted at once when a large graph is loaded; each takes about a kilobyte meanwhile.
const BULK_BATCH: usize = 200_000;
/// New terms from which on they are added in bulk, past the engine's memory tables.
const LARGE: u64 = 20_000;

/// Counts as a commit when it ends.
struct Counted<'a>(&'a MetadataStore);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.count_commit();
    }
}

impl MetadataStore {
    /// Brings the graph of an ontology to a new edition, from `old` if that is the one in the store. Memory is bounded
    /// however large it is. When it was interrupted, doing it again ends it. Gives whether the graph was what `old` says;
    /// where it was something else, nobody knows which records were read with it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn follow_ontology(&self, new: &OntologyTable, old: Option<&OntologyTable>) -> Result<bool, MetadataError> {
        let info = new.info();
        let held = self.state.ontology(&info.name);
        let digest = info.digest.to_string();
        if held.as_ref() == Some(&digest) {
            return Ok(true);
        }
        let old = old.filter(|old| held == Some(old.info().digest.to_string()));
        let graph = graph(&info.name);
        // Whatever becomes of it: the graph changes piece by piece.
        let _counted = Counted(self);
        let is_known = old.is_some() || held.is_none() && is_empty(&self.store, graph.as_ref())?;
        if !is_known {
            clear(&self.store, graph.as_ref())?;
        }
        let is_large = new.compare(old)?.added > LARGE;
        change(&self.store, old, new, &graph, !is_large)?;
        if is_large {
            add(&self.store, old, new, &graph)?;
        }
        self.state.note_ontology(&self.store, &info.name, Some(digest))?;
        Ok(is_known)
    }

    /// Forgets how far the logs were applied, so that all of them are applied again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn start_afresh(&self) -> Result<(), MetadataError> {
        self.state.start_afresh(&self.store)
    }

    /// The graphs of datasets that name any of the terms whose records have to be read again between two editions of an
    /// ontology: as what they use, or as an ancestor of it.
    ///
    /// # Errors
    /// When the store or an edition cannot be read.
    pub fn graphs_touched(
        &self,
        old: Option<&OntologyTable>,
        new: &OntologyTable,
    ) -> Result<BTreeSet<String>, MetadataError> {
        let mut graphs = BTreeSet::new();
        for change in changes(old, Some(new)) {
            let change = change?;
            if let Some(term) = NamedNode::new(change.iri()).ok().filter(|_| change.matters_to_records()) {
                self.add_graphs_naming(term.as_ref(), &mut graphs)?;
            }
        }
        Ok(graphs)
    }

    fn add_graphs_naming(&self, term: NamedNodeRef<'_>, graphs: &mut BTreeSet<String>) -> Result<(), MetadataError> {
        let as_object = self.store.quads_for_pattern(None, None, Some(term.into()), None);
        let as_subject = self.store.quads_for_pattern(Some(term.into()), None, None, None);
        for quad in as_object.chain(as_subject) {
            let GraphName::NamedNode(name) = quad.map_err(MetadataError::read)?.graph_name else { continue };
            if !name.as_str().starts_with(GRAPHS) && !graphs.contains(name.as_str()) {
                graphs.insert(name.into_string());
            }
        }
        Ok(())
    }
}

/// Writes all ontologies, and removes the graphs of others. Where the store held something else under a name, it starts
/// afresh.
pub(super) fn follow_all(store: &MetadataStore, ontology: &Ontology) -> Result<(), MetadataError> {
    let mut is_known = true;
    let tables = ontology.tables();
    for graph in graphs(&store.store)? {
        let name = graph.as_str().strip_prefix(GRAPHS).unwrap_or_default();
        if !tables.iter().any(|table| iri::encode_all(&table.info().name) == name) {
            clear(&store.store, graph.as_ref())?;
            store.state.note_ontology(&store.store, name, None)?;
            is_known = false;
        }
    }
    for table in tables {
        is_known &= store.follow_ontology(&table, None)?;
    }
    if is_known { Ok(()) } else { store.start_afresh() }
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

fn graph(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{GRAPHS}{}", iri::encode_all(name)))
}

fn is_empty(store: &Store, graph: NamedNodeRef<'_>) -> Result<bool, MetadataError> {
    let first = store.quads_for_pattern(None, None, None, Some(GraphNameRef::NamedNode(graph))).next();
    Ok(first.transpose().map_err(MetadataError::read)?.is_none())
}

/// Removes a graph, a batch at a time.
fn clear(store: &Store, graph: NamedNodeRef<'_>) -> Result<(), MetadataError> {
    loop {
        let quads = store.quads_for_pattern(None, None, None, Some(GraphNameRef::NamedNode(graph)));
        let batch: Vec<Quad> = quads.take(BATCH).collect::<Result<_, _>>().map_err(MetadataError::read)?;
        let mut transaction = store.start_transaction().map_err(MetadataError::write)?;
        if batch.is_empty() {
            transaction.remove_named_graph(graph).map_err(MetadataError::write)?;
            return transaction.commit().map_err(MetadataError::write);
        }
        batch.iter().for_each(|quad| transaction.remove(quad.as_ref()));
        transaction.commit().map_err(MetadataError::write)?;
    }
}

/// Adds terms that were not there, by the way for many: all of them, or none.
fn add(
    store: &Store,
    old: Option<&OntologyTable>,
    new: &OntologyTable,
    graph: &NamedNode,
) -> Result<(), MetadataError> {
    let mut loader = store.bulk_loader().with_num_threads(1).with_max_memory_size_in_megabytes(BULK_BATCH / 1000);
    let added = changes(old, Some(new)).filter(|change| change.as_ref().map_or(true, Changed::is_new));
    let quads = added.flat_map(|change| match change {
        Ok(change) => both(&change, new, graph).1.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    let mut failure = None;
    let quads = quads.map_while(|quad| quad.map_err(|error| failure = Some(error)).ok());
    loader.load_quads(quads).map_err(MetadataError::write)?;
    match failure {
        Some(error) => Err(error),
        None => loader.commit().map_err(MetadataError::write),
    }
}

/// Changes what differs, a batch at a time; what is new only where that is asked for.
fn change(
    store: &Store,
    old: Option<&OntologyTable>,
    new: &OntologyTable,
    graph: &NamedNode,
    with_new: bool,
) -> Result<(), MetadataError> {
    let wanted = |change: &Result<Changed, _>| with_new || change.as_ref().map_or(true, |change| !change.is_new());
    let mut differences = changes(old, Some(new)).filter(wanted).peekable();
    while differences.peek().is_some() {
        let mut transaction = store.start_transaction().map_err(MetadataError::write)?;
        let mut count = 0;
        while let Some(difference) = differences.next_if(|_| count < BATCH) {
            let (before, after) = both(&difference?, new, graph);
            for quad in before.iter().filter(|quad| !after.contains(quad)) {
                transaction.remove(quad.as_ref());
            }
            after.iter().for_each(|quad| transaction.insert(quad.as_ref()));
            count += before.len() + after.len();
        }
        transaction.commit().map_err(MetadataError::write)?;
    }
    Ok(())
}

fn both(change: &Changed, new: &OntologyTable, graph: &NamedNode) -> (Vec<Quad>, Vec<Quad>) {
    let name = &new.info().name;
    let quads = |term: Option<OntologyTerm>| term.map_or_else(Vec::new, |term| quads(&term, graph));
    (quads(change.old_term(name)), quads(change.new_term(name)))
}

fn quads(term: &OntologyTerm, graph: &NamedNode) -> Vec<Quad> {
    let Ok(subject) = named(term.iri.as_str()) else { return Vec::new() };
    let mut quads = Vec::new();
    let mut say = |predicate: NamedNode, object: Term| {
        quads.push(Quad::new(subject.clone(), predicate, object, graph.clone()));
    };
    let text = |text: &str| Term::from(Literal::new_simple_literal(text));
    say(rdf::TYPE.into_owned(), NamedNode::new_unchecked(CLASS).into());
    if !term.label.is_empty() {
        say(rdfs::LABEL.into_owned(), text(&term.label));
    }
    for synonym in &term.synonyms {
        let scope = match synonym.scope {
            SynonymScope::Exact => "Exact",
            SynonymScope::Narrow => "Narrow",
            SynonymScope::Broad => "Broad",
            SynonymScope::Related => "Related",
        };
        say(NamedNode::new_unchecked(format!("{SYNONYMS}{scope}Synonym")), text(&synonym.name));
    }
    if let Some(definition) = &term.definition {
        say(NamedNode::new_unchecked(DEFINITION), text(definition));
    }
    for parent in term.parents.iter().filter_map(|parent| named(parent.as_str()).ok()) {
        say(rdfs::SUB_CLASS_OF.into_owned(), parent.into());
    }
    if term.deprecated {
        say(NamedNode::new_unchecked(DEPRECATED), Literal::from(true).into());
    }
    if let Some(instead) = term.replaced_by.as_ref().and_then(|instead| named(instead.as_str()).ok()) {
        say(NamedNode::new_unchecked(REPLACED_BY), instead.into());
    }
    quads
}
