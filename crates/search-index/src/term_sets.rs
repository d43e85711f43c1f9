//! Terms as facets count them: one stored value holds all terms of a record, so that one look per record counts them all.

use std::collections::{BTreeMap, HashMap};

use dataset_model::{Term, TermIri};

use crate::FacetValue;
use crate::schema::{one_spelling, value_text};

/// The engine keeps the length of a value in 16 bits.
const MAX_SET_BYTES: usize = 60_000;

/// A record's terms with their labels, and everything above them: a line each, `IRI label` or `IRI`. Then names without a
/// term: `"name in one spelling"`, a tab, and the name. They are one text, or, where that would be too long, several that
/// share no term.
pub(crate) fn term_sets(terms: &[Term], closure: &[TermIri], names: &[String]) -> Vec<String> {
    let mut lines: BTreeMap<&str, Option<&str>> = closure.iter().map(|iri| (iri.as_str(), None)).collect();
    // Of a term named twice the first label counts, so that no record is counted twice.
    for term in terms.iter().rev() {
        lines.insert(term.iri.as_str(), Some(value_text(&term.label).unwrap_or(term.iri.as_str())));
    }
    let terms = lines.into_iter().map(|(iri, label)| match label {
        Some(label) => format!("{iri} {}", one_line(label)),
        None => iri.to_owned(),
    });
    // Of several spellings of a name the first counts.
    let mut spellings = BTreeMap::new();
    for name in names.iter().filter_map(|name| value_text(name)) {
        spellings.entry(one_spelling(name)).or_insert(name);
    }
    let names = spellings.into_iter().filter(|(spelling, _)| !spelling.is_empty());
    let names = names.map(|(spelling, name)| format!("\"{spelling}\"\t{}", one_line(name)));
    let mut sets: Vec<String> = Vec::new();
    for line in terms.chain(names) {
        match sets.last_mut() {
            Some(set) if set.len() + line.len() < MAX_SET_BYTES => {
                set.push('\n');
                set.push_str(&line);
            }
            _ if line.len() <= MAX_SET_BYTES => sets.push(line),
            _ => {}
        }
    }
    sets
}

fn one_line(label: &str) -> String {
    label.replace(['\n', '\r'], " ")
}

#[derive(Default)]
struct Count<'a> {
    count: u64,
    recorded: u64,
    /// The first label, how many records use it, and those of others: most terms have one.
    label: Option<(&'a str, u64)>,
    others: HashMap<&'a str, u64>,
}

/// What the counts of lines of sets say of each term. No term is twice in the sets of one record, so sums are numbers of
/// records.
pub(crate) fn count_terms<'a>(lines: impl Iterator<Item = (&'a str, u64)>) -> Vec<FacetValue> {
    let mut terms: HashMap<&str, Count<'_>> = HashMap::new();
    for (line, records) in lines {
        let end = if line.starts_with('"') { '\t' } else { ' ' };
        let (iri, label) = line.split_once(end).map_or((line, None), |(iri, label)| (iri, Some(label)));
        let term = terms.entry(iri).or_default();
        term.count += records;
        if let Some(label) = label {
            term.recorded += records;
            match &mut term.label {
                Some((first, count)) if *first == label => *count += records,
                Some(_) => *term.others.entry(label).or_default() += records,
                none => *none = Some((label, records)),
            }
        }
    }
    terms.into_iter().map(|(iri, count)| count.value(iri)).collect()
}

impl Count<'_> {
    /// The label most records use; the first of several in order of the alphabet.
    fn value(&self, iri: &str) -> FacetValue {
        let labels = self.label.into_iter().chain(self.others.iter().map(|(label, records)| (*label, *records)));
        let label = labels.min_by_key(|(label, records)| (u64::MAX - *records, *label)).map_or(iri, |(label, _)| label);
        FacetValue { recorded: Some(self.recorded), ..FacetValue::new(iri, label, self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(number: u32) -> Term {
        Term { iri: format!("http://example.org/term_{number}").parse().unwrap(), label: format!("Term\n{number}") }
    }

    #[test]
    fn a_record_with_thousands_of_terms_is_counted_once_for_each() {
        let terms: Vec<Term> = (0..5_000).map(term).collect();
        let closure: Vec<TermIri> = (4_990..5_010).map(|number| term(number).iri).collect();
        let sets = term_sets(&terms, &closure, &[]);
        assert!(sets.len() > 1 && sets.iter().all(|set| set.len() <= MAX_SET_BYTES));
        let counted = count_terms(sets.iter().flat_map(|set| set.split('\n')).map(|line| (line, 3)));
        assert_eq!(counted.len(), 5_010);
        assert!(counted.iter().all(|value| value.count == 3));
        assert_eq!(counted.iter().filter(|value| value.recorded == Some(3)).count(), 5_000);
        assert!(counted.iter().any(|value| value.label == "Term 7"));
    }

    #[test]
    fn a_name_without_a_term_is_one_value_however_it_is_spelled() {
        let names = ["Wing  disk", "wing disk", "a \"b\"\tc", " "].map(str::to_owned);
        let sets = term_sets(&[term(1)], &[], &names);
        let counted = count_terms(sets.iter().flat_map(|set| set.split('\n')).map(|line| (line, 2)));
        let mut values: Vec<_> = counted.iter().map(|value| (value.value.as_str(), value.label.as_str())).collect();
        values.sort_unstable();
        assert_eq!(
            values,
            [("\"a \"b\" c\"", "a \"b\"\tc"), ("\"wing disk\"", "Wing  disk"), ("http://example.org/term_1", "Term 1")]
        );
        assert!(counted.iter().all(|value| (value.count, value.recorded) == (2, Some(2))));
    }
}
