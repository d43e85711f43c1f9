use std::{collections::BTreeSet, sync::Arc};

use dataset_model::Digest;
use oxrdf::{
    BlankNode, Dataset, GraphName, NamedOrBlankNode, Quad, Term, Triple,
    dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm},
};

/// Beyond this many blank nodes a graph is not canonicalised: the work can grow with their factorial.
const MAX_BLANK_NODES: usize = 64;
/// Triples between blank nodes that a crate may have and still be canonicalised.
const MAX_LINKS: usize = 6;

/// A crate as RDF. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct CrateGraph {
    triples: Arc<[Triple]>,
}

impl CrateGraph {
    pub(crate) fn new(triples: Vec<Triple>) -> Self {
        Self { triples: triples.into() }
    }

    /// SHA-256 of the graph's canonical N-Quads (RDFC-1.0), the same on every node whatever order the crate was written in.
    /// Nothing for a graph with more than 64 blank nodes, or blank nodes that look alike in a way made to cost time.
    pub fn digest(&self) -> Option<Digest> {
        let blank = self.blank_nodes();
        if blank.count > MAX_BLANK_NODES || blank.links > MAX_LINKS {
            return None;
        }
        if blank.count == 0 {
            // Nothing to name: canonical is what is in order.
            let lines = self.triples.iter().map(|triple| format!("{triple} .\n"));
            return Some(digest_of_lines(lines.collect()));
        }
        let quads = self.triples.iter().cloned().map(|triple| triple.in_graph(GraphName::DefaultGraph));
        let mut dataset: Dataset = quads.collect();
        dataset
            .canonicalize(CanonicalizationAlgorithm::Rdfc10 { hash_algorithm: CanonicalizationHashAlgorithm::Sha256 });
        Some(digest_of_lines(dataset.iter().map(|quad| format!("{quad} .\n")).collect()))
    }

    /// How many triples it has.
    pub fn len(&self) -> usize {
        self.triples.len()
    }

    /// Whether it has no triples.
    pub fn is_empty(&self) -> bool {
        self.triples.is_empty()
    }

    /// The triples in a named graph, blank nodes renamed so that no two graphs share any.
    pub(crate) fn quads(&self, graph: &oxrdf::NamedNode) -> impl Iterator<Item = Quad> {
        let hash: String = Digest::of(graph.as_str()).to_string().chars().take(16).collect();
        let graph = graph.clone();
        let rename = move |node: BlankNode| {
            let name = format!("g{hash}{}", node.as_str());
            BlankNode::new(name).unwrap_or(node)
        };
        self.triples.iter().cloned().map(move |triple| {
            let subject = match triple.subject {
                NamedOrBlankNode::BlankNode(node) => rename(node).into(),
                named => named,
            };
            let object = match triple.object {
                Term::BlankNode(node) => rename(node).into(),
                other => other,
            };
            Quad::new(subject, triple.predicate, object, graph.clone())
        })
    }

    /// Canonicalising takes long where there are too many blank nodes, or several of them linked to each other.
    fn blank_nodes(&self) -> BlankNodes {
        let mut nodes = BTreeSet::new();
        let mut links = 0;
        for triple in self.triples.iter() {
            let subject =
                if let NamedOrBlankNode::BlankNode(node) = &triple.subject { Some(node.as_str()) } else { None };
            let object = if let Term::BlankNode(node) = &triple.object { Some(node.as_str()) } else { None };
            nodes.extend(subject.into_iter().chain(object));
            links += usize::from(subject.is_some() && object.is_some());
        }
        BlankNodes { count: nodes.len(), links }
    }
}

struct BlankNodes {
    count: usize,
    /// Triples between them.
    links: usize,
}

fn digest_of_lines(mut lines: Vec<String>) -> Digest {
    lines.sort_unstable();
    lines.dedup();
    Digest::of(lines.concat())
}
