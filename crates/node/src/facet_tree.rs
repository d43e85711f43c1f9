//! Counted terms as trees: what an ontology says of them, made short enough to click through.

use std::collections::{HashMap, HashSet};

use dataset_model::TermIri;
use search_index::FacetValue;

/// A term with several parents stands below each, as long as this many places are left for repetitions.
const MAX_REPEATED: usize = 2_000;
/// Deeper hierarchies are continued at the top.
const MAX_DEPTH: usize = 64;

/// Trees of counted terms, `parents` being what the ontology has above the value at a place. Every term somebody recorded is in them, at least once.
///
/// A term nobody recorded or asked for is left out where it only leads to one other, with the same records; so is a single
/// root that stands for everything.
pub(crate) fn trees(
    values: Vec<FacetValue>,
    asked: &[TermIri],
    parents: impl Fn(usize) -> Vec<TermIri>,
) -> Vec<FacetValue> {
    let asked: HashSet<&str> = asked.iter().map(TermIri::as_str).collect();
    let places: HashMap<&str, usize> =
        values.iter().enumerate().map(|(at, value)| (value.value.as_str(), at)).collect();
    let mut below = vec![Vec::new(); values.len()];
    let mut roots = Vec::new();
    for at in 0..values.len() {
        let above: Vec<usize> = parents(at).iter().filter_map(|parent| places.get(parent.as_str()).copied()).collect();
        if above.is_empty() {
            roots.push(at);
        }
        for parent in above.into_iter().filter(|parent| *parent != at) {
            below.get_mut(parent).into_iter().for_each(|below| below.push(at));
        }
    }
    let placed = vec![false; values.len()];
    let mut planter = Planter { values: &values, below: &below, asked: &asked, placed, repeated: 0 };
    let mut trees: Vec<FacetValue> = roots.iter().filter_map(|root| planter.tree(*root, &mut Vec::new())).collect();
    // What hangs in a cycle, or too deep, is reached from no root.
    for at in 0..values.len() {
        if !planter.is_placed(at) {
            trees.extend(planter.tree(at, &mut Vec::new()));
        }
    }
    while let [root] = trees.as_mut_slice()
        && root.recorded == Some(0)
        && !asked.contains(root.value.as_str())
        && !root.children.is_empty()
    {
        trees = std::mem::take(&mut root.children);
    }
    sort(&mut trees);
    trees
}

struct Planter<'a> {
    values: &'a [FacetValue],
    /// The places of what is narrower than each value.
    below: &'a [Vec<usize>],
    asked: &'a HashSet<&'a str>,
    placed: Vec<bool>,
    repeated: usize,
}

impl Planter<'_> {
    fn is_placed(&self, at: usize) -> bool {
        self.placed.get(at).is_some_and(|placed| *placed)
    }

    /// The tree below a term, or what is left of it; nothing where it may not be repeated.
    fn tree(&mut self, at: usize, path: &mut Vec<usize>) -> Option<FacetValue> {
        let value = self.values.get(at)?;
        if path.contains(&at) || path.len() >= MAX_DEPTH {
            return None;
        }
        if self.is_placed(at) {
            self.repeated += 1;
            if self.repeated > MAX_REPEATED {
                return None;
            }
        }
        self.placed.get_mut(at).into_iter().for_each(|placed| *placed = true);
        path.push(at);
        let below = self.below.get(at).map_or(&[][..], Vec::as_slice);
        let mut children: Vec<FacetValue> = below.iter().filter_map(|child| self.tree(*child, path)).collect();
        path.pop();
        if let ([only], Some(0)) = (children.as_slice(), value.recorded)
            && only.count == value.count
            && !self.asked.contains(value.value.as_str())
        {
            return children.pop();
        }
        sort(&mut children);
        Some(FacetValue { children, ..value.clone() })
    }
}

fn sort(values: &mut Vec<FacetValue>) {
    values
        .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)).then_with(|| a.value.cmp(&b.value)));
    values.dedup_by(|a, b| a.value == b.value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str, count: u64, recorded: u64) -> FacetValue {
        FacetValue { recorded: Some(recorded), ..FacetValue::new(format!("urn:{name}"), name, count) }
    }

    fn shown(trees: &[FacetValue]) -> String {
        let show = |tree: &FacetValue| match tree.children.as_slice() {
            [] => format!("{} {}", tree.label, tree.count),
            children => format!("{} {} ({})", tree.label, tree.count, shown(children)),
        };
        trees.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    /// The trees, where each name is below those it is linked to.
    fn planted(values: Vec<FacetValue>, asked: &[TermIri], links: &[(&str, &str)]) -> String {
        let names: Vec<String> = values.iter().map(|value| value.label.clone()).collect();
        let above = |(of, parent): &(&str, &str), at: usize| (*of == names[at]).then(|| format!("urn:{parent}"));
        let parents = |at: usize| links.iter().filter_map(|link| above(link, at)?.parse().ok()).collect();
        shown(&trees(values, asked, parents))
    }

    #[test]
    fn steps_that_lead_nowhere_else_are_left_out() {
        let links = [
            ("life", ""),
            ("animal", "life"),
            ("vertebrate", "animal"),
            ("mammal", "vertebrate"),
            ("mouse", "mammal"),
            ("human", "mammal"),
            ("fish", "vertebrate"),
            ("plant", "life"),
        ];
        let values = vec![
            value("life", 10, 0),
            value("animal", 8, 0),
            value("vertebrate", 8, 0),
            value("mammal", 6, 0),
            value("mouse", 4, 4),
            value("human", 3, 3),
            value("fish", 2, 2),
            value("plant", 2, 2),
        ];
        assert_eq!(planted(values, &[], &links), "vertebrate 8 (mammal 6 (mouse 4, human 3), fish 2), plant 2");
    }

    #[test]
    fn a_term_somebody_recorded_stays_where_it_leads_to_one_other() {
        let links = [("b", "a"), ("c", "b")];
        assert_eq!(planted(vec![value("a", 3, 0), value("b", 3, 1), value("c", 3, 3)], &[], &links), "b 3 (c 3)");
    }

    #[test]
    fn a_term_somebody_asked_for_stays() {
        let links = [("b", "a")];
        let values = vec![value("a", 3, 0), value("b", 3, 3)];
        let asked = ["urn:a".parse().unwrap()];
        assert_eq!(planted(values, &asked, &links), "a 3 (b 3)");
    }

    #[test]
    fn a_term_with_two_parents_stands_below_both() {
        let links = [("x", "a"), ("x", "b"), ("y", "a"), ("z", "b")];
        let values = vec![value("a", 3, 0), value("b", 2, 0), value("x", 1, 1), value("y", 2, 2), value("z", 1, 1)];
        assert_eq!(planted(values, &[], &links), "a 3 (y 2, x 1), b 2 (x 1, z 1)");
    }

    proptest! {
        #[test]
        fn every_recorded_term_is_somewhere_whatever_the_ontology_says(
            links in prop::collection::vec((0_usize..12, 0_usize..12), 0..40),
        ) {
            let name = |number: usize| format!("t{number}");
            let values: Vec<FacetValue> = (0..12).map(|number| value(&name(number), 1 + number as u64 % 3, (number as u64) % 2)).collect();
            let links: Vec<(String, String)> = links.iter().map(|(of, parent)| (name(*of), name(*parent))).collect();
            let links: Vec<(&str, &str)> = links.iter().map(|(of, parent)| (of.as_str(), parent.as_str())).collect();
            let all = planted(values, &[], &links);
            for number in (1..12).step_by(2) {
                prop_assert!(all.split([' ', '(', ',']).any(|word| word == name(number)), "t{number} is not in {all}");
            }
        }
    }
}
