//! From keys that records share to studies, by rules that do not depend on the order in which records came:
//!
//! 1. An own identifier that is equal makes records one study.
//! 2. An equal title does, unless its records name articles and have none in common: then each article is a study of its own,
//!    and records that name none stay alone.
//! 3. A claim of being the same, an article, an article's title and a description do where no publisher has two studies
//!    that share it: an archive takes no study twice, but may take several of one paper, under one boilerplate.
//! 4. What more than [`MAX_STUDY_RECORDS`] records have is generic, and no study grows beyond that number.

use dataset_model::StudyKeyKind;

use super::{MAX_STUDY_RECORDS, hashes::KeyHash, hashes::owner_of};

/// What is asked about records that share a key.
pub(crate) trait Facts {
    /// Who published it.
    fn publisher(&self, record: u32) -> u64;
    /// All its study keys.
    fn keys(&self, record: u32) -> Vec<KeyHash>;
}

/// The studies of more than one record, each with its records in order of number.
///
/// `shared` holds keys with the records that have them, in any order; all records of a key, or none.
pub(crate) fn clusters(mut shared: Vec<(KeyHash, u32)>, facts: &dyn Facts) -> Vec<Vec<u32>> {
    shared.sort_unstable();
    shared.dedup();
    let mut studies = Studies::of(&shared, facts);
    for group in shared.chunk_by(|a, b| a.0 == b.0) {
        if let Some((key, _)) = group.first() {
            studies.take(*key, members(&shared, *key, group));
        }
    }
    studies.finish()
}

/// The records that have a key; those whose own value it is, where it is a claim.
fn members(shared: &[(KeyHash, u32)], key: KeyHash, group: &[(KeyHash, u32)]) -> Vec<u32> {
    let mut members: Vec<u32> = group.iter().map(|(_, record)| *record).collect();
    if let Some(owned) = key.kind().and_then(owner_of).map(|kind| key.as_kind(kind)) {
        let start = shared.partition_point(|(key, _)| *key < owned);
        let owners = shared.iter().skip(start).take_while(|(key, _)| *key == owned);
        members.extend(owners.map(|(_, record)| *record));
        members.sort_unstable();
        members.dedup();
    }
    members
}

/// A union-find over the records that share anything.
struct Studies<'a> {
    facts: &'a dyn Facts,
    records: Vec<u32>,
    parent: Vec<usize>,
    /// Of each root: its records and their publishers.
    size: Vec<usize>,
    publishers: Vec<Vec<u64>>,
}

impl<'a> Studies<'a> {
    fn of(shared: &[(KeyHash, u32)], facts: &'a dyn Facts) -> Self {
        let mut records: Vec<u32> = shared.iter().map(|(_, record)| *record).collect();
        records.sort_unstable();
        records.dedup();
        let publishers = records.iter().map(|record| vec![facts.publisher(*record)]).collect();
        Self { facts, parent: (0..records.len()).collect(), size: vec![1; records.len()], publishers, records }
    }

    fn take(&mut self, key: KeyHash, members: Vec<u32>) {
        if members.len() < 2 || members.len() > MAX_STUDY_RECORDS {
            return;
        }
        let places: Vec<usize> = members.iter().filter_map(|record| self.records.binary_search(record).ok()).collect();
        match key.kind() {
            Some(StudyKeyKind::Identifier) => self.join(&places),
            Some(StudyKeyKind::Title) => self.join_by_article(key, &places),
            Some(StudyKeyKind::Mention) | None => {}
            Some(_) => self.join_across_publishers(&places),
        }
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(parent) = self.parent.get(at).filter(|parent| **parent != at) {
            at = *parent;
        }
        at
    }

    /// The roots of some records, each once, in order.
    fn roots(&self, places: &[usize]) -> Vec<usize> {
        let mut roots: Vec<usize> = places.iter().map(|at| self.root(*at)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    /// Makes records one study, unless it would be too large.
    fn join(&mut self, places: &[usize]) {
        let roots = self.roots(places);
        let size: usize = roots.iter().filter_map(|root| self.size.get(*root)).sum();
        let Some((first, others)) = roots.split_first().filter(|_| size <= MAX_STUDY_RECORDS) else { return };
        for other in others {
            let moved = self.publishers.get_mut(*other).map(std::mem::take).unwrap_or_default();
            self.publishers.get_mut(*first).into_iter().for_each(|own| own.extend(&moved));
            self.parent.get_mut(*other).into_iter().for_each(|parent| *parent = *first);
        }
        self.size.get_mut(*first).into_iter().for_each(|own| *own = size);
        self.publishers.get_mut(*first).into_iter().for_each(|own| {
            own.sort_unstable();
            own.dedup();
        });
    }

    /// Rule 2.
    fn join_by_article(&mut self, title: KeyHash, places: &[usize]) {
        let articles: Vec<Vec<KeyHash>> = places.iter().map(|at| self.articles(*at)).collect();
        let cited = articles.iter().flatten().any(|article| article.as_kind(StudyKeyKind::Title) == title);
        let mut studies: Vec<Vec<usize>> = Vec::new();
        for at in 0..places.len() {
            let Some(own) = articles.get(at).filter(|own| !own.is_empty()) else { continue };
            let shares = |study: &Vec<usize>| {
                let known = study.iter().filter_map(|other| articles.get(*other)).flatten();
                known.into_iter().any(|article| own.contains(article))
            };
            let (same, other): (Vec<_>, Vec<_>) = studies.into_iter().partition(shares);
            studies = other;
            studies.push(same.into_iter().flatten().chain([at]).collect());
        }
        if cited || studies.len() < 2 {
            return self.join(places);
        }
        for study in studies {
            let places: Vec<usize> = study.iter().filter_map(|at| places.get(*at).copied()).collect();
            self.join(&places);
        }
    }

    fn articles(&self, place: usize) -> Vec<KeyHash> {
        let keys = self.records.get(place).map(|record| self.facts.keys(*record)).unwrap_or_default();
        let names = |key: &KeyHash| matches!(key.kind(), Some(StudyKeyKind::Article | StudyKeyKind::ArticleTitle));
        keys.into_iter().filter(names).collect()
    }

    /// Rule 3.
    fn join_across_publishers(&mut self, places: &[usize]) {
        let roots = self.roots(places);
        let mut all: Vec<u64> = roots.iter().filter_map(|root| self.publishers.get(*root)).flatten().copied().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        if all.len() == count {
            self.join(places);
        }
    }

    fn finish(self) -> Vec<Vec<u32>> {
        let rooted = self.records.iter().enumerate().map(|(at, record)| (self.root(at), *record));
        let mut all: Vec<(usize, u32)> = rooted.collect();
        all.sort_unstable();
        let studies = all.chunk_by(|a, b| a.0 == b.0).filter(|study| study.len() > 1);
        studies.map(|study| study.iter().map(|(_, record)| *record).collect()).collect()
    }
}
