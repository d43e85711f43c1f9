//! The rules by which records are one study, read naively: sets of records, joined key by key.

use std::collections::{BTreeMap, BTreeSet};

use dataset_model::{DatasetKey, Digest, StudyKey, StudyKeyKind};
use search_index::{MAX_STUDY_RECORDS, SearchDocument};

type Set = BTreeSet<DatasetKey>;

/// The studies of more than one record.
pub(crate) fn studies(records: &[SearchDocument]) -> BTreeSet<Set> {
    let records: BTreeMap<DatasetKey, &SearchDocument> = records.iter().map(|r| (r.key.clone(), r)).collect();
    let mut partition: Vec<Set> = records.keys().map(|key| Set::from([key.clone()])).collect();
    for key in in_order(&records) {
        let members: Set =
            records.values().filter(|record| has(record, &key)).map(|record| record.key.clone()).collect();
        if members.len() < 2 || members.len() > MAX_STUDY_RECORDS {
            continue;
        }
        match key.kind {
            StudyKeyKind::Identifier => join(&mut partition, &members),
            StudyKeyKind::Title => by_article(&records, &mut partition, &key, &members),
            StudyKeyKind::Mention => {}
            _ => {
                let groups = partition.iter().filter(|group| !group.is_disjoint(&members));
                let of = |group: &Set| group.iter().map(|key| publisher(records[key])).collect::<BTreeSet<_>>();
                let publishers: Vec<String> = groups.flat_map(of).collect();
                if publishers.iter().collect::<BTreeSet<_>>().len() == publishers.len() {
                    join(&mut partition, &members);
                }
            }
        }
    }
    partition.into_iter().filter(|group| group.len() > 1).collect()
}

/// Keys by kind, then by digest.
fn in_order(records: &BTreeMap<DatasetKey, &SearchDocument>) -> Vec<StudyKey> {
    let mut keys: Vec<StudyKey> = records.values().flat_map(|record| record.study_keys.clone()).collect();
    let space = |kind| match kind {
        StudyKeyKind::Identifier | StudyKeyKind::SameAs | StudyKeyKind::Mention => "identifier",
        StudyKeyKind::Title | StudyKeyKind::ArticleTitle => "title",
        StudyKeyKind::Article => "article",
        StudyKeyKind::Description => "description",
    };
    keys.sort_by_key(|key| {
        let digest = Digest::of(format!("{}\n{}", space(key.kind), key.value));
        // The index keeps 61 bits.
        let first = u64::from_be_bytes(*digest.as_bytes().first_chunk().unwrap()) & (u64::MAX >> 3);
        (key.kind, first)
    });
    keys.dedup();
    keys
}

fn has(record: &SearchDocument, key: &StudyKey) -> bool {
    let holds = |kind| record.study_keys.contains(&StudyKey::new(kind, key.value.clone()));
    holds(key.kind)
        || (key.kind == StudyKeyKind::SameAs && holds(StudyKeyKind::Identifier))
        || (key.kind == StudyKeyKind::ArticleTitle && holds(StudyKeyKind::Title))
}

fn publisher(record: &SearchDocument) -> String {
    record.publisher.clone().unwrap_or_else(|| format!("node {}", record.key.node))
}

fn articles(record: &SearchDocument) -> BTreeSet<&StudyKey> {
    let named = |key: &&StudyKey| matches!(key.kind, StudyKeyKind::Article | StudyKeyKind::ArticleTitle);
    record.study_keys.iter().filter(named).collect()
}

fn join(partition: &mut Vec<Set>, members: &Set) {
    let (touched, rest): (Vec<Set>, Vec<Set>) = partition.drain(..).partition(|group| !group.is_disjoint(members));
    if touched.iter().map(Set::len).sum::<usize>() <= MAX_STUDY_RECORDS {
        partition.push(touched.into_iter().flatten().collect());
    } else {
        partition.extend(touched);
    }
    partition.extend(rest);
}

fn by_article(
    records: &BTreeMap<DatasetKey, &SearchDocument>,
    partition: &mut Vec<Set>,
    title: &StudyKey,
    members: &Set,
) {
    let named: BTreeSet<&StudyKey> = members.iter().flat_map(|key| articles(records[key])).collect();
    let is_article = named.iter().any(|key| key.kind == StudyKeyKind::ArticleTitle && key.value == title.value);
    let mut groups: Vec<(Set, BTreeSet<&StudyKey>)> = Vec::new();
    for key in members.iter().filter(|key| !articles(records[*key]).is_empty()) {
        let own = articles(records[key]);
        let (same, mut other): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, known)| !known.is_disjoint(&own));
        let mut merged = (Set::from([key.clone()]), own);
        for (keys, known) in same {
            merged.0.extend(keys);
            merged.1.extend(known);
        }
        other.push(merged);
        groups = other;
    }
    if is_article || groups.len() < 2 {
        return join(partition, members);
    }
    for (group, _) in groups {
        join(partition, &group);
    }
}
