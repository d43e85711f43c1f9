//! Finding terms by what people call them.

/// Names in folded form, sorted, each with the position of its term and its rank: labels before synonyms.
#[derive(Debug)]
pub(super) struct Names {
    sorted: Vec<Name>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    folded: Box<str>,
    is_synonym: bool,
    term: usize,
}

/// One spelling for names that differ in case and blanks.
fn fold(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// One spelling for names that differ in case, blanks, hyphens and other punctuation.
pub(super) fn loose(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Names {
    pub(super) fn of<'a>(terms: impl Iterator<Item = (usize, &'a str, &'a [String])>) -> Self {
        let mut sorted = Vec::new();
        for (term, label, synonyms) in terms {
            sorted.push(Name { folded: fold(label).into(), is_synonym: false, term });
            sorted.extend(synonyms.iter().map(|name| Name { folded: fold(name).into(), is_synonym: true, term }));
        }
        sorted.sort();
        Self { sorted }
    }

    /// Terms with exactly this name; those that have it as their label come alone if there are any.
    pub(super) fn exact(&self, name: &str) -> Vec<usize> {
        let name = fold(name);
        if name.is_empty() {
            return Vec::new();
        }
        let found: Vec<&Name> = self.starting(&name).take_while(|found| *found.folded == *name).collect();
        let has_label = found.iter().any(|found| !found.is_synonym);
        let mut terms: Vec<usize> =
            found.into_iter().filter(|found| !(has_label && found.is_synonym)).map(|found| found.term).collect();
        terms.dedup();
        terms
    }

    /// Terms with a name that begins so, or a word that does; at most about `limit`.
    pub(super) fn beginning(&self, prefix: &str, limit: usize) -> Vec<usize> {
        let prefix = fold(prefix);
        if prefix.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<&Name> = self.starting(&prefix).take(limit.saturating_mul(8).max(64)).collect();
        found.sort_by_key(|name| (*name.folded != *prefix, name.folded.len(), name.is_synonym, name.term));
        let word = format!(" {prefix}");
        if found.len() < limit {
            found.extend(self.sorted.iter().filter(|name| name.folded.contains(&word)).take(limit));
        }
        found.into_iter().take(limit).map(|name| name.term).collect()
    }

    fn starting<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Name> {
        let from = self.sorted.partition_point(|name| *name.folded < *prefix);
        self.sorted.iter().skip(from).take_while(move |name| name.folded.starts_with(prefix))
    }
}
