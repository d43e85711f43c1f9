//! The naive index.

use std::collections::{BTreeMap, BTreeSet};

use dataset_model::{DatasetKey, NodeId, TermIri};
use search_index::{FacetValue, Facets, ImageQuery, IndexChange, Query, SearchDocument, Sort, Within};

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) records: BTreeMap<DatasetKey, SearchDocument>,
}

impl Model {
    pub(crate) fn apply(&mut self, batch: &[IndexChange]) {
        for change in batch {
            match change {
                IndexChange::Put(record) => self.records.insert(record.key.clone(), (**record).clone()),
                IndexChange::Remove(key) => self.records.remove(key),
            };
        }
    }

    pub(crate) fn counts_by_node(&self) -> BTreeMap<NodeId, u64> {
        let mut counts = BTreeMap::new();
        self.records.keys().for_each(|key| *counts.entry(key.node.clone()).or_default() += 1);
        counts
    }

    pub(crate) fn matching(&self, query: &Query) -> Vec<&SearchDocument> {
        self.records.values().filter(|record| matches(query, record)).collect()
    }

    pub(crate) fn facets(&self, query: &Query) -> Facets {
        let count = |without: Query, values: &dyn Fn(&SearchDocument) -> Vec<(String, String)>| {
            counted(self.matching(&without).into_iter().map(values))
        };
        let one = |text: Option<String>| text.map(|text| (text.clone(), text)).into_iter().collect::<Vec<_>>();
        let q = || query.clone();
        let images = |has: bool| (has.to_string(), if has { "with images" } else { "without images" }.to_owned());
        Facets {
            organism: terms(self.matching(&Query { organism: vec![], ..q() }), &|record| {
                (&record.organisms, &record.organism_closure)
            }),
            method: terms(self.matching(&Query { method: vec![], ..q() }), &|record| {
                (&record.methods, &record.method_closure)
            }),
            entity: with_names(
                terms(self.matching(&Query { entity: vec![], ..q() }), &|record| {
                    (&record.about, &record.about_closure)
                }),
                self.matching(&Query { entity: vec![], ..q() }),
            ),
            publisher: count(Query { publisher: vec![], ..q() }, &|record| {
                one(record.publisher.clone().filter(|publisher| !publisher.trim().is_empty()))
            }),
            node: count(Query { node: vec![], ..q() }, &|record| one(Some(record.key.node.to_string()))),
            licence: count(Query { licence: vec![], ..q() }, &|record| one(record.licence.clone())),
            year: count(Query { year_from: None, year_to: None, ..q() }, &|record| {
                one(record.year.map(|year| year.to_string()))
            }),
            access: count(Query { access: vec![], ..q() }, &|record| one(Some(record.access.as_str().to_owned()))),
            has_images: count(Query { has_images: None, ..q() }, &|record| vec![images(record.images > 0)]),
            image_count: count(without(&q(), |images| images.image_count = vec![]), &|record| {
                one(Some(image_count(record.images).to_owned()))
            }),
            dimensions: count(without(&q(), |images| images.dimensions = vec![]), &|record| {
                same(&record.image_facets.dimensions)
            }),
            channels: count(without(&q(), |images| images.channels = vec![]), &|record| {
                same(&record.image_facets.channels)
            }),
            data_type: count(without(&q(), |images| images.data_type = vec![]), &|record| {
                same(&record.image_facets.data_types)
            }),
            version: count(without(&q(), |images| images.version = vec![]), &|record| {
                let versions = record.image_facets.versions.iter();
                versions.map(|version| (version.clone(), format!("OME-Zarr {version}"))).collect()
            }),
            has_labels: count(without(&q(), |images| images.has_labels = None), &|record| {
                named(record.image_facets.has_labels, "with labels", "without labels")
            }),
            is_plate: count(without(&q(), |images| images.is_plate = None), &|record| {
                named(record.image_facets.is_plate, "with plates", "without plates")
            }),
            sharded: count(without(&q(), |images| images.sharded = None), &|record| {
                named(record.image_facets.sharded, "sharded", "not sharded")
            }),
        }
    }
}

fn without(query: &Query, clear: impl Fn(&mut ImageQuery)) -> Query {
    let mut query = query.clone();
    clear(&mut query.images);
    query
}

fn same(values: &[String]) -> Vec<(String, String)> {
    values.iter().map(|value| (value.clone(), value.clone())).collect()
}

fn named(value: Option<bool>, yes: &str, no: &str) -> Vec<(String, String)> {
    value.map(|value| (value.to_string(), if value { yes } else { no }.to_owned())).into_iter().collect()
}

fn image_count(images: u32) -> &'static str {
    match images {
        0 => "0",
        1 => "1",
        2..10 => "2-9",
        10..100 => "10-99",
        _ => "100+",
    }
}

fn asserted(terms: &[dataset_model::Term]) -> Vec<(String, String)> {
    let mut seen = BTreeMap::new();
    for term in terms {
        seen.entry(term.iri.to_string()).or_insert(term.label.clone());
    }
    seen.into_iter().collect()
}

/// Records by term, whether it is one of theirs or above one.
fn terms<'a>(
    records: Vec<&'a SearchDocument>,
    of: &dyn Fn(&'a SearchDocument) -> (&'a Vec<dataset_model::Term>, &'a Vec<TermIri>),
) -> Vec<FacetValue> {
    let named = |record: &&'a SearchDocument| asserted(of(record).0);
    let recorded = counted(records.iter().map(named));
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    for record in &records {
        let (own, closure) = of(record);
        let iris: BTreeSet<String> = own.iter().map(|term| &term.iri).chain(closure).map(ToString::to_string).collect();
        iris.into_iter().for_each(|iri| *all.entry(iri).or_default() += 1);
    }
    let value = |(iri, count): (String, u64)| {
        let own = recorded.iter().find(|value| value.value == iri);
        let label = own.map_or(iri.clone(), |own| own.label.clone());
        FacetValue { recorded: Some(own.map_or(0, |own| own.count)), ..FacetValue::new(iri, label, count) }
    };
    let mut values: Vec<FacetValue> = all.into_iter().map(value).collect();
    sort(&mut values);
    values
}

/// Terms, and the names of entities that have none.
fn with_names(mut values: Vec<FacetValue>, records: Vec<&SearchDocument>) -> Vec<FacetValue> {
    let spelled = |name: &String| (format!("\"{}\"", name.to_lowercase()), name.clone());
    let named = |record: &&SearchDocument| {
        let mut once = BTreeMap::new();
        for (value, label) in record.entities.iter().map(spelled) {
            once.entry(value).or_insert(label);
        }
        once.into_iter().collect::<Vec<_>>()
    };
    let names = counted(records.iter().map(named));
    values.extend(names.into_iter().map(|value| FacetValue { recorded: Some(value.count), ..value }));
    sort(&mut values);
    values
}

fn counted(records: impl Iterator<Item = Vec<(String, String)>>) -> Vec<FacetValue> {
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (value, label) in records.flatten() {
        *counts.entry(value).or_default().entry(label).or_default() += 1;
    }
    let value = |(value, labels): (String, BTreeMap<String, u64>)| {
        let label = labels.iter().min_by_key(|(label, count)| (u64::MAX - **count, (*label).clone())).unwrap().0;
        FacetValue::new(value, label.as_str(), labels.values().sum())
    };
    let mut values: Vec<FacetValue> = counts.into_iter().map(value).collect();
    sort(&mut values);
    values
}

fn sort(values: &mut [FacetValue]) {
    values.sort_by_key(|value| (u64::MAX - value.count, value.label.clone(), value.value.clone()));
}

fn matches(query: &Query, record: &SearchDocument) -> bool {
    let any = |wanted: &[TermIri], closure: &[TermIri]| wanted.is_empty() || wanted.iter().any(|w| closure.contains(w));
    let text = |wanted: &[String], value: &Option<String>| {
        wanted.is_empty() || value.as_ref().is_some_and(|value| wanted.contains(value))
    };
    let year = |bound: Option<u16>, holds: fn(u16, u16) -> bool| {
        bound.is_none_or(|bound| record.year.is_some_and(|year| holds(year, bound)))
    };
    query.visible.contains(&record.access)
        && any(&query.organism, &record.organism_closure)
        && any(&query.method, &record.method_closure)
        && entity(&query.entity, record)
        && listed(&query.author, record.authors.iter().chain(&record.orcids))
        && listed(&query.affiliation, record.affiliations.iter())
        && listed(&query.identifier, record.identifiers.iter().chain([&record.key.id.to_string()]))
        && query.bytes_from.is_none_or(|from| record.bytes.is_some_and(|bytes| bytes >= from))
        && query.bytes_to.is_none_or(|to| record.bytes.is_some_and(|bytes| bytes <= to))
        && query.has_thumbnail.is_none_or(|has| has == record.thumbnail.is_some())
        && text(&query.publisher, &record.publisher)
        && text(&query.licence, &record.licence)
        && (query.node.is_empty() || query.node.contains(&record.key.node))
        && (query.access.is_empty() || query.access.contains(&record.access))
        && year(query.year_from, |year, from| year >= from)
        && year(query.year_to, |year, to| year <= to)
        && query.has_images.is_none_or(|has| has == (record.images > 0))
        && images_match(&query.images, record)
        && clauses(&query.text).iter().all(|(words, wanted)| contains(query.within, record, words) == *wanted)
}

fn listed<'a>(wanted: &[String], mut held: impl Iterator<Item = &'a String>) -> bool {
    wanted.is_empty() || held.any(|held| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(held)))
}

fn entity(wanted: &[String], record: &SearchDocument) -> bool {
    let closure: Vec<String> = record.about_closure.iter().map(ToString::to_string).collect();
    let quoted: Vec<String> = record.entities.iter().map(|name| format!("\"{name}\"")).collect();
    let labels = record.about.iter().map(|term| &term.label);
    listed(wanted, closure.iter().chain(labels).chain(&record.entities).chain(&quoted))
}

fn images_match(query: &ImageQuery, record: &SearchDocument) -> bool {
    let any = |wanted: &[String], held: &[String]| wanted.is_empty() || wanted.iter().any(|value| held.contains(value));
    let same = |wanted: Option<bool>, held: Option<bool>| wanted.is_none() || wanted == held;
    let facets = &record.image_facets;
    any(&query.image_count, &[image_count(record.images).to_owned()])
        && any(&query.dimensions, &facets.dimensions)
        && any(&query.channels, &facets.channels)
        && any(&query.data_type, &facets.data_types)
        && any(&query.version, &facets.versions)
        && same(query.has_labels, facets.has_labels)
        && same(query.is_plate, facets.is_plate)
        && same(query.sharded, facets.sharded)
}

/// The words of each clause, and whether they are wanted.
fn clauses(text: &str) -> Vec<(Vec<String>, bool)> {
    let mut clauses = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (body, wanted) = rest.strip_prefix('-').map_or((rest, true), |body| (body, false));
        let (clause, after) = match body.strip_prefix('"') {
            Some(phrase) => phrase.split_once('"').unwrap(),
            None => body.split_once(' ').unwrap_or((body, "")),
        };
        clauses.push((clause.split(' ').map(str::to_owned).collect(), wanted));
        rest = after.trim();
    }
    clauses
}

pub(crate) fn has_words(text: &str) -> bool {
    clauses(text).iter().any(|(_, wanted)| *wanted)
}

/// Whether one value of one field has the words next to each other.
fn contains(within: Within, record: &SearchDocument, words: &[String]) -> bool {
    let labels = record.organisms.iter().chain(&record.methods).chain(&record.about).map(|term| &term.label);
    let of_record = [&record.description].into_iter().chain(&record.keywords).chain(labels);
    let around = record.authors.iter().chain(&record.licence).chain(&record.publisher);
    let mut values = [&record.title]
        .into_iter()
        .chain(of_record.filter(|_| within >= Within::Record))
        .chain(around.filter(|_| within == Within::Everywhere));
    values.any(|value| {
        let there: Vec<&str> = value.split(' ').collect();
        there.windows(words.len()).any(|window| window == words)
    })
}

pub(crate) fn naive_order(sort: Sort, mut records: Vec<&SearchDocument>) -> Vec<DatasetKey> {
    let date = |record: &SearchDocument| -> Option<u64> {
        match record.date.as_deref() {
            Some("2019") => Some(20_190_000),
            Some("2019-05") => Some(20_190_500),
            Some("2020-01-02") => Some(20_200_102),
            Some("2020-01-03T10:00:00Z") => Some(20_200_103),
            _ => record.year.map(|year| u64::from(year) * 10_000),
        }
    };
    let last = (u64::MAX, String::new());
    records.sort_by_key(|record| {
        let place = match sort {
            Sort::Relevance | Sort::Newest => date(record).map(|date| (u64::MAX - 1 - date, String::new())),
            Sort::Oldest => date(record).map(|date| (date, String::new())),
            Sort::Largest => record.bytes.map(|bytes| (u64::MAX - 1 - bytes, String::new())),
            Sort::Title => Some((0, record.title.to_lowercase())),
        };
        (place.unwrap_or_else(|| last.clone()), record.key.clone())
    });
    records.into_iter().map(|record| record.key.clone()).collect()
}
