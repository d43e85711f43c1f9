//! The RDF store: one named graph per dataset, one per ontology, and how far each log has been applied.

mod answer;
mod apart;
mod batch;
mod bulk;
mod format;
mod ontology_graph;
mod query;
mod service;
mod service_description;
mod state;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize},
    },
};

use dataset_model::NodeId;
use oxigraph::{
    io::RdfSerializer,
    model::{GraphName, Literal, NamedNode, Quad, Term, vocab::xsd},
    store::{Store, Transaction},
};

use crate::{CrateGraph, MetadataError, Ontology};
pub use answer::QueryAnswer;
pub use apart::{ReadOnlyStore, has_merged_files_of};
pub use batch::Batch;
pub use format::ResultFormat;
pub use query::QueryOptions;
pub use service::{AskService, Services};
pub use service_description::describe_service;
use state::State;

/// Everything known about datasets as RDF, on disk or in memory. A projection: deleting its folder loses nothing that the
/// logs do not bring back.
pub struct MetadataStore {
    store: Store,
    state: State,
    commits: AtomicU64,
    /// Queries being answered, those that were given up on and have not noticed yet included.
    running: Arc<AtomicUsize>,
}

/// What a dataset's graph becomes.
#[derive(Debug)]
pub struct GraphChange {
    /// IRI of the dataset's page; the graph's name.
    pub graph: String,
    /// The crate; `None` removes the graph.
    pub content: Option<CrateGraph>,
    /// Facts the node adds about the root, as predicate and value: where it is announced, ancestors of its terms, …
    pub extra: Vec<(String, ExtraValue)>,
    /// IRI of the crate's root dataset, the subject of the extra facts; the graph's own name where it is empty.
    pub root: String,
    /// Where the dataset came from, in a graph that all datasets share.
    pub provenance: Option<Provenance>,
}

/// What a graph that all datasets share says about one of them.
#[derive(Debug)]
pub struct Provenance {
    /// IRI of the shared graph.
    pub graph: String,
    /// IRIs of the subjects that are this dataset's own, each with all that is said of it: what was said before goes.
    pub subjects: Vec<(String, Vec<(String, ExtraValue)>)>,
}

/// The value of a fact a node adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraValue {
    /// An absolute IRI.
    Iri(String),
    /// Plain text.
    Text(String),
    /// A whole number, `xsd:integer`.
    Integer(i64),
    /// A moment, `xsd:dateTime`.
    DateTime(String),
}

impl std::fmt::Debug for MetadataStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetadataStore").finish_non_exhaustive()
    }
}

impl MetadataStore {
    /// Opens the store in a folder, making it where there is none, and writes the ontologies into it. When an ontology
    /// differs from last time, [`Self::applied`] starts from nothing, because the ancestors written beside each record may
    /// have changed.
    ///
    /// # Errors
    /// When the folder cannot be opened, is open elsewhere, or is damaged.
    pub fn open(dir: &Path, ontology: Arc<Ontology>) -> Result<Self, MetadataError> {
        let store = Self::open_as_left(dir)?;
        ontology_graph::follow_all(&store, &ontology)?;
        Ok(store)
    }

    /// Opens the store in a folder as it was left, making it where there is none. The graphs of ontologies are for the caller
    /// to bring up to date, with [`Self::follow_ontology`].
    ///
    /// # Errors
    /// When the folder cannot be opened, is open elsewhere, or is damaged.
    pub fn open_as_left(dir: &Path) -> Result<Self, MetadataError> {
        let failed = |source| MetadataError::Open { path: dir.display().to_string(), source };
        std::fs::create_dir_all(dir).map_err(|error| failed(Box::new(error)))?;
        bulk::remove_leftovers(dir).map_err(|error| failed(Box::new(error)))?;
        let store = Store::open(dir).map_err(|error| failed(Box::new(error)))?;
        let (running, commits) = Default::default();
        let store = Self { store, state: State::open(Some(dir)), commits, running };
        state::remove_old(&store.store)?;
        Ok(store)
    }

    /// A store that is gone when dropped.
    ///
    /// # Errors
    /// When the ontologies cannot be written.
    pub fn in_memory(ontology: Arc<Ontology>) -> Result<Self, MetadataError> {
        let store = Store::new().map_err(MetadataError::write)?;
        let (running, commits) = Default::default();
        let store = Self { store, state: State::open(None), commits, running };
        ontology_graph::follow_all(&store, &ontology)?;
        Ok(store)
    }

    /// Replaces and removes graphs, and remembers how far each log has been applied. After a crash it may remember less, and many
    /// new graphs may be missing while the others have changed; applying the same again makes it good.
    ///
    /// # Errors
    /// When a name is no IRI; nothing has changed then. When the store cannot be written.
    pub fn apply(&self, changes: Vec<GraphChange>, applied: &BTreeMap<NodeId, u64>) -> Result<(), MetadataError> {
        let mut batch = self.begin();
        batch.add(changes)?;
        batch.commit(applied)
    }

    /// How far each log has been applied, as last given to [`Self::apply`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn applied(&self) -> Result<BTreeMap<NodeId, u64>, MetadataError> {
        Ok(self.state.applied())
    }

    /// One graph in an RDF syntax; an absent graph is an empty one.
    ///
    /// # Errors
    /// When the name is no IRI, the format holds no graphs, or the store cannot be read.
    pub fn triples(&self, graph: &str, format: ResultFormat) -> Result<Vec<u8>, MetadataError> {
        let rdf = format.rdf().ok_or(MetadataError::Format { format: format.media_type() })?;
        let name = named(graph)?;
        let mut serializer = format::with_prefixes(RdfSerializer::from_format(rdf)).for_writer(Vec::new());
        let name = GraphName::from(name);
        for quad in self.store.quads_for_pattern(None, None, None, Some(name.as_ref())) {
            let quad = quad.map_err(MetadataError::read)?;
            serializer.serialize_triple(quad.as_ref()).map_err(MetadataError::read)?;
        }
        serializer.finish().map_err(MetadataError::read)
    }
}

impl Drop for MetadataStore {
    fn drop(&mut self) {
        if let Err(error) = self.state.finish(&self.store) {
            tracing::warn!(%error, "how far RDF has come is not written down; the next start applies some entries once more");
        }
    }
}

fn replace(transaction: &mut Transaction<'_>, change: GraphChange) -> Result<(), MetadataError> {
    let graph = named(&change.graph)?;
    transaction.remove_named_graph(graph.as_ref()).map_err(MetadataError::write)?;
    for (graph, subject) in change.provenance_subjects()? {
        let pattern = transaction.quads_for_pattern(Some(subject.as_ref().into()), None, None, Some(graph.as_ref()));
        let old: Vec<Quad> = pattern.collect::<Result<_, _>>().map_err(MetadataError::read)?;
        for quad in old {
            transaction.remove(quad.as_ref());
        }
    }
    for quad in change.quads()? {
        transaction.insert(quad.as_ref());
    }
    Ok(())
}

impl GraphChange {
    /// The shared graph, with each subject of it that is this dataset's own.
    fn provenance_subjects(&self) -> Result<Vec<(GraphName, NamedNode)>, MetadataError> {
        let Some(provenance) = &self.provenance else { return Ok(Vec::new()) };
        let graph = GraphName::from(named(&provenance.graph)?);
        provenance.subjects.iter().map(|(subject, _)| Ok((graph.clone(), named(subject)?))).collect()
    }

    /// All that the store holds about the dataset after the change.
    fn quads(self) -> Result<Vec<Quad>, MetadataError> {
        let mut quads = Vec::new();
        if let Some(provenance) = self.provenance {
            let graph = named(&provenance.graph)?;
            for (subject, facts) in provenance.subjects {
                state_facts(&mut quads, &named(&subject)?, facts, &graph)?;
            }
        }
        let graph = named(&self.graph)?;
        if let Some(content) = self.content {
            quads.extend(content.quads(&graph));
            let root = if self.root.is_empty() { graph.clone() } else { named(&self.root)? };
            state_facts(&mut quads, &root, self.extra, &graph)?;
        }
        Ok(quads)
    }
}

fn state_facts(
    quads: &mut Vec<Quad>,
    subject: &NamedNode,
    facts: Vec<(String, ExtraValue)>,
    graph: &NamedNode,
) -> Result<(), MetadataError> {
    for (predicate, value) in facts {
        quads.push(Quad::new(subject.clone(), named(&predicate)?, value.into_term()?, graph.clone()));
    }
    Ok(())
}

impl ExtraValue {
    fn into_term(self) -> Result<Term, MetadataError> {
        Ok(match self {
            Self::Iri(iri) => named(&iri)?.into(),
            Self::Text(text) => Literal::new_simple_literal(text).into(),
            Self::Integer(number) => Literal::from(number).into(),
            Self::DateTime(moment) => Literal::new_typed_literal(moment, xsd::DATE_TIME).into(),
        })
    }
}

fn named(iri: &str) -> Result<NamedNode, MetadataError> {
    NamedNode::new(iri).map_err(|_| MetadataError::Iri(iri.to_owned()))
}
