//! Ontologies as a catalogue uses them: names, hierarchy, and what replaced what.

mod names;
mod obo;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

use dataset_model::{Digest, Digester, Term, TermIri};

use crate::{MetadataError, iri};
use names::Names;

/// The class "imaging method" of FBbi, and the classes beside it that also name ways of imaging.
const IMAGING_ROOTS: [&str; 5] = ["FBbi_00000222", "FBbi_00000268", "FBbi_00000269", "FBbi_00000271", "FBbi_00000321"];

/// Terms with their labels, synonyms and superclasses.
///
/// ```
/// let ontology = metadata_store::Ontology::bundled();
/// let mouse = &ontology.resolve("mouse")[0];
/// assert_eq!(mouse.curie(), "NCBITaxon:10090");
/// assert!(ontology.ancestors_or_self(mouse).iter().any(|term| ontology.label(term) == Some("Mammalia")));
/// ```
#[derive(Debug, Default)]
pub struct Ontology {
    entries: Vec<Entry>,
    index: HashMap<TermIri, usize>,
    /// Ids that were merged into another term.
    alternatives: HashMap<TermIri, TermIri>,
    sources: Vec<String>,
    names: OnceLock<Names>,
    digest: Digester,
}

#[derive(Debug)]
struct Entry {
    iri: TermIri,
    label: String,
    synonyms: Vec<String>,
    parents: Vec<TermIri>,
    deprecated: bool,
    replaced_by: Option<TermIri>,
    source: usize,
}

/// A term with everything the store writes down about it.
pub(crate) struct TermRecord<'a> {
    pub(crate) iri: &'a TermIri,
    pub(crate) label: &'a str,
    pub(crate) synonyms: &'a [String],
    pub(crate) parents: &'a [TermIri],
    pub(crate) deprecated: bool,
    /// Name of the ontology it was read from, such as `fbbi`.
    pub(crate) source: &'a str,
}

impl Ontology {
    /// FBbi and a subset of the NCBI Taxonomy, shipped with the program and parsed once.
    pub fn bundled() -> Arc<Self> {
        static BUNDLED: OnceLock<Arc<Ontology>> = OnceLock::new();
        BUNDLED
            .get_or_init(|| {
                let mut ontology = Self::default();
                for text in [include_str!("../ontologies/fbbi.obo"), include_str!("../ontologies/ncbitaxon-subset.obo")]
                {
                    if let Err(error) = ontology.load_obo("bundled", text) {
                        tracing::error!(%error, "a bundled ontology cannot be read");
                    }
                }
                Arc::new(ontology)
            })
            .clone()
    }

    /// The bundled ontologies, to load more into.
    pub fn with_bundled() -> Self {
        Self::bundled().copy()
    }

    /// Adds the terms of an OBO file; a term known already is replaced. `name` is used where the file names no ontology.
    /// Gives the number of terms read.
    ///
    /// # Errors
    /// When the text is no OBO file.
    pub fn load_obo(&mut self, name: &str, text: &str) -> Result<usize, MetadataError> {
        let file = obo::parse(text)?;
        let source = self.source_index(file.name.unwrap_or_else(|| name.to_lowercase()));
        let count = file.terms.len();
        for term in file.terms {
            self.add(source, term);
        }
        self.digest.update(text.as_bytes());
        self.names = OnceLock::new();
        Ok(count)
    }

    /// The label of a term.
    pub fn label(&self, term: &TermIri) -> Option<&str> {
        self.entry(term).map(|entry| entry.label.as_str()).filter(|label| !label.is_empty())
    }

    /// Other names of a term.
    pub fn synonyms(&self, term: &TermIri) -> &[String] {
        self.entry(term).map_or(&[], |entry| &entry.synonyms)
    }

    /// The direct superclasses of a term.
    pub fn parents(&self, term: &TermIri) -> &[TermIri] {
        self.entry(term).map_or(&[], |entry| &entry.parents)
    }

    /// The term and everything above it, sorted; an unknown term gives itself alone.
    pub fn ancestors_or_self(&self, term: &TermIri) -> Vec<TermIri> {
        let mut found = BTreeSet::new();
        let mut open = vec![term];
        while let Some(next) = open.pop() {
            if found.insert(next.clone()) {
                open.extend(self.parents(next));
            }
        }
        found.into_iter().collect()
    }

    /// Whether the term is known.
    pub fn contains(&self, term: &TermIri) -> bool {
        self.entry(term).is_some()
    }

    /// Whether the term is obsolete, or was merged into another.
    pub fn is_deprecated(&self, term: &TermIri) -> bool {
        self.alternatives.contains_key(term) || self.entry(term).is_some_and(|entry| entry.deprecated)
    }

    /// The term to use instead of an obsolete or merged one.
    pub fn replaced_by(&self, term: &TermIri) -> Option<&TermIri> {
        self.alternatives.get(term).or_else(|| self.entry(term)?.replaced_by.as_ref())
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
    /// here knows.
    pub fn resolve(&self, text: &str) -> Vec<TermIri> {
        if let Some(term) = iri::term(text) {
            let term = self.alternatives.get(&term).cloned().unwrap_or(term);
            return vec![term];
        }
        self.pick(self.names().exact(text))
    }

    /// Terms whose label, synonym or id begins with the text, or has a word that does; best first, obsolete ones left out.
    pub fn complete(&self, prefix: &str, limit: usize) -> Vec<Term> {
        let by_id = iri::term(prefix).filter(|term| self.contains(term));
        let by_name = self.pick(self.names().beginning(prefix, limit.saturating_mul(4)));
        let mut seen = BTreeSet::new();
        let unseen = by_id.into_iter().chain(by_name).filter(|term| seen.insert(term.clone()));
        let live = unseen.filter(|term| !self.is_deprecated(term));
        let labelled = live.filter_map(|iri| self.label(&iri).map(str::to_owned).map(|label| Term { iri, label }));
        labelled.take(limit).collect()
    }

    /// How many terms are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no term is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a name is the term's label or a synonym, whatever its case and punctuation.
    pub(crate) fn is_name_of(&self, name: &str, term: &TermIri) -> bool {
        let name = names::loose(name);
        let known = self.label(term).into_iter().chain(self.synonyms(term).iter().map(String::as_str));
        known.map(names::loose).any(|known| known == name)
    }

    /// Changes with every file loaded.
    pub(crate) fn fingerprint(&self) -> Digest {
        self.digest.clone().finish()
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = TermRecord<'_>> {
        self.entries.iter().map(|entry| TermRecord {
            iri: &entry.iri,
            label: &entry.label,
            synonyms: &entry.synonyms,
            parents: &entry.parents,
            deprecated: entry.deprecated,
            source: self.sources.get(entry.source).map_or("other", String::as_str),
        })
    }

    fn entry(&self, term: &TermIri) -> Option<&Entry> {
        self.entries.get(*self.index.get(term)?)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let live = self.entries.iter().enumerate().filter(|(_, entry)| !entry.deprecated);
            Names::of(live.map(|(at, entry)| (at, entry.label.as_str(), entry.synonyms.as_slice())))
        })
    }

    fn pick(&self, positions: Vec<usize>) -> Vec<TermIri> {
        positions.into_iter().filter_map(|at| self.entries.get(at)).map(|entry| entry.iri.clone()).collect()
    }

    fn source_index(&mut self, name: String) -> usize {
        self.sources.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.sources.push(name);
            self.sources.len() - 1
        })
    }

    fn add(&mut self, source: usize, term: obo::OboTerm) {
        let Ok(iri) = term.iri.parse::<TermIri>() else {
            return;
        };
        let read = |iris: Vec<String>| iris.into_iter().filter_map(|iri| iri.parse().ok());
        self.alternatives.extend(read(term.alternatives).map(|alternative| (alternative, iri.clone())));
        let entry = Entry {
            label: term.name,
            synonyms: term.synonyms,
            parents: read(term.parents).collect(),
            deprecated: term.obsolete,
            replaced_by: read(term.replaced_by).next(),
            source,
            iri: iri.clone(),
        };
        match self.index.get(&iri).and_then(|at| self.entries.get_mut(*at)) {
            Some(known) => *known = entry,
            None => {
                self.index.insert(iri, self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    fn copy(&self) -> Self {
        let entries = self.entries.iter().map(|entry| Entry {
            iri: entry.iri.clone(),
            label: entry.label.clone(),
            synonyms: entry.synonyms.clone(),
            parents: entry.parents.clone(),
            deprecated: entry.deprecated,
            replaced_by: entry.replaced_by.clone(),
            source: entry.source,
        });
        Self {
            entries: entries.collect(),
            index: self.index.clone(),
            alternatives: self.alternatives.clone(),
            sources: self.sources.clone(),
            names: OnceLock::new(),
            digest: self.digest.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(curie: &str) -> TermIri {
        iri::term(curie).unwrap()
    }

    #[test]
    fn strains_have_the_ancestors_that_searches_rely_on() {
        let ontology = Ontology::bundled();
        for (child, ancestor) in [
            ("NCBITaxon:511693", "NCBITaxon:2"),
            ("NCBITaxon:1143", "NCBITaxon:2"),
            ("NCBITaxon:5702", "NCBITaxon:2759"),
            ("NCBITaxon:9606", "NCBITaxon:33208"),
            ("FBbi:00000246", "FBbi:00000345"),
        ] {
            assert!(ontology.ancestors_or_self(&term(child)).contains(&term(ancestor)), "{child} under {ancestor}");
        }
        assert!(!ontology.ancestors_or_self(&term("NCBITaxon:629395")).contains(&term("NCBITaxon:2")));
    }

    #[test]
    fn every_spelling_of_a_term_resolves_to_it() {
        let ontology = Ontology::bundled();
        for text in [
            "NCBITaxon:9606",
            "obo:NCBITaxon_9606",
            "ncbitaxon_09606",
            "http://purl.obolibrary.org/obo/NCBITaxon_9606",
            "Homo sapiens",
            "HUMAN",
            " human ",
        ] {
            assert_eq!(ontology.resolve(text), [term("NCBITaxon:9606")], "{text}");
        }
        assert!(ontology.resolve("no such organism").is_empty());
        assert!(ontology.resolve("").is_empty());
    }

    #[test]
    fn completion_prefers_whole_labels_then_beginnings_then_words() {
        let ontology = Ontology::bundled();
        let labels: Vec<String> = ontology.complete("confocal", 50).into_iter().map(|term| term.label).collect();
        assert_eq!(labels.first().map(String::as_str), Some("confocal microscopy"));
        assert!(labels.iter().any(|label| label == "spinning disk confocal microscopy"));
        assert_eq!(ontology.complete("mouse", 1)[0].label, "Mus musculus");
        assert!(ontology.complete("e", 5).len() <= 5);
    }

    #[test]
    fn a_cycle_in_an_ontology_ends() {
        let mut ontology = Ontology::default();
        ontology
            .load_obo("x", "[Term]\nid: MI:1\nname: a\nis_a: MI:2\n\n[Term]\nid: MI:2\nname: b\nis_a: MI:1\n")
            .unwrap();
        assert_eq!(ontology.ancestors_or_self(&term("MI:1")).len(), 2);
    }

    #[test]
    fn obsolete_and_merged_terms_point_to_their_successor() {
        let mut ontology = Ontology::default();
        let text = "[Term]\nid: MI:1\nname: old\nis_obsolete: true\nreplaced_by: MI:2\n\n[Term]\nid: MI:2\nname: new\nalt_id: MI:3\n";
        ontology.load_obo("x", text).unwrap();
        assert!(ontology.is_deprecated(&term("MI:1")) && ontology.is_deprecated(&term("MI:3")));
        assert_eq!(ontology.replaced_by(&term("MI:1")), Some(&term("MI:2")));
        assert_eq!(ontology.resolve("MI:3"), [term("MI:2")]);
        assert!(ontology.complete("ol", 10).is_empty());
    }
}
