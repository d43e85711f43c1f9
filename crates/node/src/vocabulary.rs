//! What words mean: names of the ontologies, and names of the field that the ontologies lack.

use std::{collections::HashMap, sync::OnceLock};

use dataset_model::TermIri;
use metadata_store::Ontology;
use search_index::{Concept, Vocabulary};

/// A name of more terms than this is no name but a word.
const MAX_TERMS: usize = 8;

/// One line of the table of field names.
struct FieldNames {
    terms: Vec<TermIri>,
    names: Vec<String>,
}

/// The table that comes with the program: `vocabulary/field-names.tsv`, with sources.
pub(crate) struct FieldVocabulary {
    rows: Vec<FieldNames>,
    by_name: HashMap<String, usize>,
    by_term: HashMap<TermIri, Vec<usize>>,
}

impl FieldVocabulary {
    /// The table, read once.
    pub(crate) fn bundled() -> &'static Self {
        static BUNDLED: OnceLock<FieldVocabulary> = OnceLock::new();
        BUNDLED.get_or_init(|| Self::read(include_str!("../vocabulary/field-names.tsv")))
    }

    fn read(table: &str) -> Self {
        let (mut rows, mut by_name) = (Vec::new(), HashMap::new());
        let mut by_term: HashMap<TermIri, Vec<usize>> = HashMap::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (terms, names) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
            let terms: Vec<TermIri> = terms.split(' ').filter_map(obo_term).collect();
            let names: Vec<String> = names.split('|').map(str::to_owned).collect();
            terms.iter().for_each(|term| by_term.entry(term.clone()).or_default().push(rows.len()));
            by_name.extend(names.iter().map(|name| (one_spelling(name), rows.len())));
            rows.push(FieldNames { terms, names });
        }
        Self { rows, by_name, by_term }
    }

    /// What the field calls a term.
    pub(crate) fn names_of(&self, term: &TermIri) -> impl Iterator<Item = &String> {
        let rows = self.by_term.get(term).into_iter().flatten().filter_map(|row| self.rows.get(*row));
        rows.flat_map(|row| &row.names)
    }

    /// The terms the field gives a name.
    pub(crate) fn terms_of(&self, name: &str) -> &[TermIri] {
        self.row(name).map_or(&[], |row| &row.terms)
    }

    fn row(&self, name: &str) -> Option<&FieldNames> {
        self.rows.get(*self.by_name.get(&one_spelling(name))?)
    }
}

fn obo_term(curie: &str) -> Option<TermIri> {
    format!("http://purl.obolibrary.org/obo/{}", curie.replace(':', "_")).parse().ok()
}

/// Lower case, without punctuation, one blank between words.
fn one_spelling(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The words known to a node.
pub(crate) struct Known<'a> {
    pub(crate) ontology: &'a Ontology,
    pub(crate) field: &'static FieldVocabulary,
}

impl Known<'_> {
    /// The terms meant by an IRI, a CURIE or a name: the field's where the ontologies have none, else both.
    pub(crate) fn resolve(&self, text: &str) -> Vec<TermIri> {
        let mut terms = self.ontology.resolve(text);
        for term in self.field.terms_of(text) {
            if !terms.contains(term) {
                terms.push(term.clone());
            }
        }
        terms
    }
}

impl Known<'_> {
    /// Whether a name has another organism's in a compound, as "mouse-ear cress" has: who asks for mice does not mean it.
    pub(crate) fn misleads(&self, name: &str, closure: &[TermIri]) -> bool {
        let compounds = name.split_whitespace().filter_map(|word| word.rsplit_once('-')).map(|(before, _)| before);
        let mut parts = compounds.flat_map(|before| before.split('-')).filter(|part| !part.is_empty());
        parts.any(|part| {
            let named = self.ontology.resolve(part);
            !named.is_empty() && named.iter().all(|term| self.ontology.is_taxon(term) && !closure.contains(term))
        })
    }
}

impl Vocabulary for Known<'_> {
    fn concept(&self, words: &str) -> Option<Concept> {
        if words.chars().any(|c| !c.is_alphanumeric() && c != ' ') || words.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let row = self.field.row(words);
        let terms = self.resolve(words);
        if row.is_none() && (terms.is_empty() || terms.len() > MAX_TERMS) {
            return None;
        }
        let labels = terms.iter().filter_map(|term| self.ontology.label(term));
        let mut names: Vec<String> = row.map(|row| row.names.clone()).unwrap_or_default();
        names.extend(labels);
        names.retain(|name| one_spelling(name) != words);
        names.sort();
        names.dedup_by_key(|name| one_spelling(name));
        Some(Concept { terms, names, only_together: row.is_some() })
    }

    fn is_any_of(&self, term: &TermIri, others: &[TermIri]) -> bool {
        self.ontology.ancestors_or_self(term).iter().any(|above| others.contains(above))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ontology: &Ontology) -> Known<'_> {
        Known { ontology, field: FieldVocabulary::bundled() }
    }

    #[test]
    fn every_line_of_the_table_has_known_terms_names_and_a_source() {
        let ontology = Ontology::bundled();
        let table = include_str!("../vocabulary/field-names.tsv");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert!(columns.len() == 3 && columns.iter().all(|column| !column.trim().is_empty()), "{line}");
            for term in columns[0].split(' ') {
                assert!(ontology.contains(&obo_term(term).unwrap()), "{term}");
            }
        }
    }

    #[test]
    fn cress_is_no_mouse() {
        let ontology = Ontology::bundled();
        let closure = |curie: &str| ontology.ancestors_or_self(&ontology.resolve(curie)[0]);
        let cress = closure("NCBITaxon:3702");
        assert!(known(&ontology).misleads("mouse-ear cress", &cress));
        assert!(!known(&ontology).misleads("thale cress", &cress));
        assert!(!known(&ontology).misleads("house-mouse kind", &closure("NCBITaxon:10090")));
    }

    #[test]
    fn common_names_and_names_of_the_field_find_the_terms() {
        let ontology = Ontology::bundled();
        let known = known(&ontology);
        for (words, curie, name) in [
            ("light sheet", "FBbi:00000369", "SPIM"),
            ("spim", "FBbi:00000364", "lightsheet"),
            ("mouse", "NCBITaxon:10090", "Mus musculus"),
            ("sim", "FBbi:00000332", "structured illumination"),
            ("zebrafish", "NCBITaxon:7955", "Danio rerio"),
            ("em", "FBbi:00000256", "electron microscopy"),
            ("volume em", "FBbi:00050000", "vEM"),
            ("fibsem", "FBbi:00050000", "FIB-SEM"),
        ] {
            let concept = known.concept(words).unwrap();
            assert!(concept.terms.iter().any(|term| term.curie() == curie), "{words}: {concept:?}");
            assert!(concept.names.iter().any(|found| found == name), "{words}: {concept:?}");
        }
        assert_eq!(known.concept("cells of interest"), None);
        assert!(known.concept("light sheet").unwrap().only_together);
        assert!(!known.concept("mouse").unwrap().only_together);
    }
}
