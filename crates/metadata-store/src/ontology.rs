//! Ontologies as a catalogue uses them: names, hierarchy, and what replaced what.

mod build;
mod completion;
mod difference;
mod formats;
mod names;
mod snapshot;
mod sorting;
mod table;
mod term;

use std::sync::{
    Arc, OnceLock, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use dataset_model::{Term, TermIri};

use crate::{MetadataError, iri};
pub use completion::{Completion, Shortlist, TermMatch};
pub use difference::Differences;
pub(crate) use difference::{Changed, changes};
use snapshot::Snapshot;
pub use table::{OntologyInfo, OntologyTable};
pub use term::{OntologyTerm, Synonym, SynonymScope};

/// The class "imaging method" of FBbi, and the classes beside it that also name ways of imaging.
const IMAGING_ROOTS: [&str; 5] = ["FBbi_00000222", "FBbi_00000268", "FBbi_00000269", "FBbi_00000271", "FBbi_00000321"];

/// The files shipped with the program.
const BUNDLED: [&str; 2] = [include_str!("../ontologies/fbbi.obo"), include_str!("../ontologies/ncbitaxon-subset.obo")];

/// Terms with their labels, synonyms and superclasses, from one or more ontologies. An ontology can be replaced while
/// others read: each call sees all of the old edition or all of the new one.
///
/// ```
/// let ontology = metadata_store::Ontology::bundled();
/// let mouse = &ontology.resolve("mouse")[0];
/// assert_eq!(mouse.curie(), "NCBITaxon:10090");
/// assert!(ontology.ancestors_or_self(mouse).iter().any(|term| ontology.label(term).as_deref() == Some("Mammalia")));
/// ```
#[derive(Debug, Default)]
pub struct Ontology {
    current: RwLock<Arc<Snapshot>>,
    replaced: AtomicU64,
}

impl Ontology {
    /// FBbi and a subset of the NCBI Taxonomy, shipped with the program.
    pub fn bundled() -> Arc<Self> {
        Arc::new(Self::with_bundled())
    }

    /// The bundled ontologies, to load more into.
    pub fn with_bundled() -> Self {
        Self::of(Self::bundled_tables())
    }

    /// Some ontologies.
    pub fn of(tables: Vec<Arc<OntologyTable>>) -> Self {
        Self { current: RwLock::new(Arc::new(Snapshot::of(tables))), replaced: AtomicU64::new(0) }
    }

    /// The ontologies shipped with the program, read once.
    pub fn bundled_tables() -> Vec<Arc<OntologyTable>> {
        static TABLES: OnceLock<Vec<Arc<OntologyTable>>> = OnceLock::new();
        let read = |text: &&str| match OntologyTable::read(text.as_bytes(), None, None) {
            Ok(table) => Some(Arc::new(table)),
            Err(error) => {
                tracing::error!(%error, "a bundled ontology cannot be read");
                None
            }
        };
        TABLES.get_or_init(|| BUNDLED.iter().filter_map(read).collect()).clone()
    }

    /// Takes an ontology in place of the one with the same name; gives the one before.
    pub fn replace(&self, table: Arc<OntologyTable>) -> Option<Arc<OntologyTable>> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let (snapshot, before) = current.with(table);
        *current = Arc::new(snapshot);
        self.replaced.fetch_add(1, Ordering::Release);
        before
    }

    /// How often an ontology was replaced since the start: what was read in another edition may be another now.
    pub fn edition(&self) -> u64 {
        self.replaced.load(Ordering::Acquire)
    }

    /// Adds the terms of an OBO file, in place of the ontology with the same name. `name` is used where the file names no
    /// ontology. Gives the number of terms read.
    ///
    /// # Errors
    /// When the text is no OBO file.
    pub fn load_obo(&mut self, name: &str, text: &str) -> Result<usize, MetadataError> {
        let names_itself =
            text.lines().take_while(|line| !line.starts_with('[')).any(|line| line.starts_with("ontology:"));
        let table = OntologyTable::read(text.as_bytes(), Some(name).filter(|_| !names_itself), None)?;
        let terms = usize::try_from(table.info().terms).unwrap_or(usize::MAX);
        self.replace(Arc::new(table));
        Ok(terms)
    }

    /// The ontologies, sorted by name.
    pub fn tables(&self) -> Vec<Arc<OntologyTable>> {
        self.snapshot().tables().to_vec()
    }

    /// All that is known of a term.
    pub fn term(&self, term: &TermIri) -> Option<Arc<OntologyTerm>> {
        self.snapshot().term(term)
    }

    /// The label of a term.
    pub fn label(&self, term: &TermIri) -> Option<String> {
        self.term(term).map(|known| known.label.clone()).filter(|label| !label.is_empty())
    }

    /// Other names of a term.
    pub fn synonyms(&self, term: &TermIri) -> Vec<String> {
        self.term(term)
            .map_or_else(Vec::new, |known| known.synonyms.iter().map(|synonym| synonym.name.clone()).collect())
    }

    /// The direct superclasses of a term. An obsolete or merged term is below the one that replaces it.
    pub fn parents(&self, term: &TermIri) -> Vec<TermIri> {
        self.term(term).map_or_else(Vec::new, |known| known.parents.clone())
    }

    /// The term and everything above it, sorted; an unknown term gives itself alone.
    pub fn ancestors_or_self(&self, term: &TermIri) -> Vec<TermIri> {
        self.snapshot().ancestors_or_self(term)
    }

    /// Whether the term is known, or an id that was merged into one.
    pub fn contains(&self, term: &TermIri) -> bool {
        self.snapshot().contains(term)
    }

    /// Whether the term is obsolete, or was merged into another.
    pub fn is_deprecated(&self, term: &TermIri) -> bool {
        self.term(term).is_some_and(|known| known.deprecated)
    }

    /// The term to use instead of an obsolete or merged one.
    pub fn replaced_by(&self, term: &TermIri) -> Option<TermIri> {
        self.term(term)?.replaced_by.clone()
    }

    /// Whether the term comes from a vocabulary of methods: FBbi or EDAM.
    pub fn is_method(&self, term: &TermIri) -> bool {
        iri::obo_local(term.as_str(), "FBbi").is_some() || term.as_str().contains("edamontology.org/")
    }

    /// Whether the term is a way of making images, not an antibody, a stain or a sample preparation; unknown terms are
    /// given the benefit of the doubt.
    pub fn is_imaging_method(&self, term: &TermIri) -> bool {
        let imaging = |ancestor: &TermIri| IMAGING_ROOTS.iter().any(|root| ancestor.as_str().ends_with(root));
        self.is_method(term) && (!self.contains(term) || self.ancestors_or_self(term).iter().any(imaging))
    }

    /// Whether the term is an organism of the NCBI Taxonomy.
    pub fn is_taxon(&self, term: &TermIri) -> bool {
        iri::obo_local(term.as_str(), "NCBITaxon").is_some()
    }

    /// The terms meant by an IRI, a CURIE (`FBbi:00000246`, `obo:NCBITaxon_9606`) or a name in any case; empty when nobody
    /// here knows. An id that was merged means the term it was merged into; a name is a label first, then an exact synonym,
    /// then any other.
    pub fn resolve(&self, text: &str) -> Vec<TermIri> {
        self.snapshot().resolve(text)
    }

    /// Terms whose label, synonym or id begins with the text, or has a word that does; best first, obsolete ones left out.
    pub fn complete(&self, prefix: &str, limit: usize) -> Vec<Term> {
        let found = self.completions(&Completion { typed: prefix, ontology: None, limit, first: None });
        let live = found.into_iter().filter(|found| !found.term.deprecated && !found.term.label.is_empty());
        live.map(|found| Term { iri: found.term.iri.clone(), label: found.term.label.clone() }).collect()
    }

    /// How many terms are known.
    pub fn len(&self) -> usize {
        self.tables().iter().map(|table| usize::try_from(table.info().terms).unwrap_or(usize::MAX)).sum()
    }

    /// Whether no term is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a name is the term's label or a synonym, whatever its case and punctuation.
    pub(crate) fn is_name_of(&self, name: &str, term: &TermIri) -> bool {
        let name = names::loose(name);
        self.term(term).is_some_and(|known| known.names().any(|known| names::loose(known) == name))
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
