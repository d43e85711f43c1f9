//! Completing ontology terms as one types.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dataset_model::TermIri;
use metadata_store::{Completion, Shortlist, Synonym, TermMatch};
use serde::Serialize;

use crate::{Actor, Node, NodeError, ontologies::InUse, policy};

/// Terms for what somebody types.
#[derive(Debug, Clone, Default)]
pub struct TermRequest {
    /// What was typed.
    pub typed: String,
    /// Only terms of the ontology with this name, or whose ids begin with it.
    pub ontology: Option<String>,
    /// The most terms to give; 20 when not given, at most 200.
    pub limit: Option<usize>,
}

/// A term offered.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are those of the API, described there")]
pub struct TermView {
    pub iri: TermIri,
    pub curie: String,
    pub label: String,
    /// The ontology it is described in.
    pub ontology: String,
    pub definition: Option<String>,
    pub synonyms: Vec<Synonym>,
    /// The name or id that what was typed stands for.
    pub matched: String,
    /// Records here that use it, or a term below it.
    pub count: u64,
    pub deprecated: bool,
    pub replaced_by: Option<TermIri>,
}

/// Terms given when nobody says how many.
const TERMS: usize = 20;
/// The most terms given.
const MAX_TERMS: usize = 200;
/// The longest text that is completed, in bytes.
const MAX_TYPED: usize = 512;
/// How long counts of terms may be behind the index.
const PATIENCE: Duration = Duration::from_secs(5);

impl Node {
    /// Ontology terms for what somebody types: by id or whole name, by the beginning of a name or of a word in one, or with
    /// a slip or two; among equals those first that more records here use.
    ///
    /// # Errors
    /// When the text is too long, or the index cannot be read.
    pub async fn terms(self: &Arc<Self>, actor: &Actor, request: TermRequest) -> Result<Vec<TermView>, NodeError> {
        if request.typed.len() > MAX_TYPED {
            return Err(NodeError::Invalid(format!("the text has more than {MAX_TYPED} bytes: type less")));
        }
        let (node, visible) = (self.clone(), policy::visible(actor));
        tokio::task::spawn_blocking(move || {
            let first = node.terms_in_use(visible)?;
            let asked = Completion {
                typed: &request.typed,
                ontology: request.ontology.as_deref().filter(|name| !name.is_empty()),
                limit: request.limit.unwrap_or(TERMS).min(MAX_TERMS),
                first: Some(&first),
            };
            Ok(node.ontology.completions(&asked).into_iter().map(TermView::of).collect())
        })
        .await
        .map_err(|error| NodeError::Internal(format!("completing a term: {error}")))?
    }

    /// The label of the term with an IRI or a CURIE.
    pub fn term_label(&self, id: &str) -> Option<String> {
        self.ontology.resolve(id).first().and_then(|term| self.ontology.label(term))
    }

    fn terms_in_use(&self, visible: Vec<dataset_model::Access>) -> Result<Arc<Shortlist>, NodeError> {
        let mut kept = self.ontologies.in_use.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let generation = self.search.generation();
        let is_current = |kept: &&InUse| {
            kept.visible == visible && (kept.generation == generation || kept.counted.elapsed() < PATIENCE)
        };
        if let Some(kept) = kept.as_ref().filter(is_current) {
            return Ok(kept.terms.clone());
        }
        let terms = Arc::new(self.ontology.shortlist(self.search.usage(&visible)?));
        *kept = Some(InUse { generation, visible, counted: Instant::now(), terms: terms.clone() });
        Ok(terms)
    }
}

impl TermView {
    fn of(found: TermMatch) -> Self {
        let term = found.term;
        Self {
            iri: term.iri.clone(),
            curie: term.iri.curie(),
            label: if term.label.is_empty() { term.iri.curie() } else { term.label.clone() },
            ontology: term.ontology.clone(),
            definition: term.definition.clone(),
            synonyms: term.synonyms.clone(),
            matched: found.matched,
            count: found.count,
            deprecated: term.deprecated,
            replaced_by: term.replaced_by.clone(),
        }
    }
}
