//! Records and queries over a vocabulary small enough that they meet.

use dataset_model::{Access, DatasetKey, Term, TermIri};
use proptest::prelude::*;
use proptest::{option, sample::select, sample::subsequence};
use search_index::{ImageFacets, ImageQuery, IndexChange, Query, SearchDocument, Sort, Within};

const WORDS: [&str; 5] = ["alpha", "beta", "gamma", "delta", "omega"];
const NODES: [&str; 3] = ["a", "a-b", "b"];
const IDS: [&str; 5] = ["x", "X", "y-1", "y.1", "z"];
const ALL_ACCESS: [Access; 3] = [Access::Open, Access::MetadataOnly, Access::Restricted];

pub(crate) fn term(number: u32) -> TermIri {
    format!("http://example.org/term_{number}").parse().unwrap()
}

/// Term 0 is everyone's ancestor, 1 that of 3 and 4.
fn ancestors(number: u32) -> Vec<TermIri> {
    match number {
        0 => vec![term(0)],
        3 | 4 => vec![term(number), term(1), term(0)],
        _ => vec![term(number), term(0)],
    }
}

fn key() -> impl Strategy<Value = DatasetKey> {
    (select(&NODES), select(&IDS))
        .prop_map(|(node, id)| DatasetKey { node: node.parse().unwrap(), id: id.parse().unwrap() })
}

fn words(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(select(&WORDS), 0..=most).prop_map(|words| words.join(" "))
}

fn terms() -> impl Strategy<Value = (Vec<Term>, Vec<TermIri>)> {
    prop::collection::vec((0_u32..5, select(&["Name", "name", "Other"])), 0..3).prop_map(|picked| {
        let closure = picked.iter().flat_map(|(number, _)| ancestors(*number)).collect();
        let term = |(number, label): &(u32, &str)| Term { iri: term(*number), label: (*label).to_owned() };
        (picked.iter().map(term).collect(), closure)
    })
}

fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::of(select(values).prop_map(str::to_owned))
}

fn record() -> impl Strategy<Value = SearchDocument> {
    let texts = (words(3), words(4), prop::collection::vec(words(2), 0..3), prop::collection::vec(words(1), 0..2));
    let labels = (maybe(&["IDR", "BioImage Archive", " "]), maybe(&["CC0-1.0", "CC-BY-4.0"]));
    let numbers = (option::of(2018_u16..2023), option::of(0_u64..3), select(&[0_u32, 1, 2, 9, 10, 99, 100]));
    let date = maybe(&["2019", "2019-05", "2020-01-02", "2020-01-03T10:00:00Z", "soon"]);
    let rest = (date, select(&ALL_ACCESS), image_facets());
    let who = (subset(&ORCIDS), subset(&ENTITIES));
    let people = (who, subset(&AFFILIATIONS), subset(&IDENTIFIERS), maybe(&["picture.png"]));
    (key(), texts, (terms(), terms(), terms()), people, labels, numbers, rest).prop_map(
        |(key, texts, (organisms, methods, about), people, labels, numbers, (date, access, image_facets))| {
            let mut record = SearchDocument::empty(key);
            (record.title, record.description, record.keywords, record.authors) = texts;
            (record.organisms, record.organism_closure) = organisms;
            (record.methods, record.method_closure) = methods;
            (record.about, record.about_closure) = about;
            ((record.orcids, record.entities), record.affiliations, record.identifiers, record.thumbnail) = people;
            (record.publisher, record.licence) = labels;
            (record.year, record.bytes, record.images) = numbers;
            (record.date, record.access, record.image_facets) = (date, access, image_facets);
            record
        },
    )
}

const ORCIDS: [&str; 2] = ["0000-0002-1825-0097", "0000-0001-5109-3700"];
/// One is also what a term is called.
const ENTITIES: [&str; 3] = ["Other", "Wing disk", "wing DISK"];
const AFFILIATIONS: [&str; 2] = ["Institute", "https://ror.org/02catss52"];
const IDENTIFIERS: [&str; 2] = ["10.1234/a.b", "x-1"];
const DIMENSIONS: [&str; 3] = ["2D", "3D", "time-lapse"];
const CHANNELS: [&str; 2] = ["1", "5+"];
const TYPES: [&str; 2] = ["uint8", "uint16"];
const VERSIONS: [&str; 2] = ["0.4", "0.5"];
const COUNTS: [&str; 5] = ["0", "1", "2-9", "10-99", "100+"];

fn subset(values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    subsequence(values, 0..=values.len()).prop_map(|values| values.into_iter().map(str::to_owned).collect())
}

fn image_facets() -> impl Strategy<Value = ImageFacets> {
    let several = (subset(&DIMENSIONS), subset(&CHANNELS), subset(&TYPES), subset(&VERSIONS));
    let flags = (option::of(any::<bool>()), option::of(any::<bool>()), option::of(any::<bool>()));
    (several, flags).prop_map(|(several, (has_labels, is_plate, sharded))| {
        let (dimensions, channels, data_types, versions) = several;
        ImageFacets { dimensions, channels, data_types, versions, has_labels, is_plate, sharded }
    })
}

fn image_query() -> impl Strategy<Value = ImageQuery> {
    let owned = |values: &[&str]| some(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
    let several = (owned(&COUNTS), owned(&DIMENSIONS), owned(&CHANNELS), owned(&TYPES), owned(&VERSIONS));
    let flag = || option::weighted(0.1, any::<bool>());
    let query = (several, flag(), flag(), flag()).prop_map(|(several, has_labels, is_plate, sharded)| {
        let (image_count, dimensions, channels, data_type, version) = several;
        ImageQuery { image_count, dimensions, channels, data_type, version, has_labels, is_plate, sharded }
    });
    // Most questions are not about images, or nothing would ever match.
    prop_oneof![2 => Just(ImageQuery::default()), 1 => query]
}

pub(crate) fn titled(node: &str, id: &str, title: &str, access: Access) -> SearchDocument {
    let mut record = SearchDocument::empty(DatasetKey { node: node.parse().unwrap(), id: id.parse().unwrap() });
    record.title = title.to_owned();
    record.access = access;
    record
}

pub(crate) fn batch() -> impl Strategy<Value = Vec<IndexChange>> {
    let change = prop_oneof![
        5 => record().prop_map(|record| IndexChange::Put(Box::new(record))),
        1 => key().prop_map(IndexChange::Remove),
    ];
    prop::collection::vec(change, 0..8)
}

pub(crate) fn batches() -> impl Strategy<Value = Vec<Vec<IndexChange>>> {
    prop::collection::vec(batch(), 1..5)
}

/// Open records full of the same few words, with ids of their own.
pub(crate) fn wordy(name: &'static str, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<IndexChange>> {
    let texts = (words(6), words(30), prop::collection::vec(words(3), 0..4), prop::collection::vec(words(9), 0..3));
    prop::collection::vec(texts, count).prop_map(move |all| {
        let record = |(number, texts)| {
            let mut record = titled("a", &format!("{name}{number}"), "", Access::Open);
            (record.title, record.description, record.keywords, record.text) = texts;
            IndexChange::Put(Box::new(record))
        };
        all.into_iter().enumerate().map(record).collect()
    })
}

pub(crate) fn wanted_words() -> impl Strategy<Value = String> {
    subsequence(WORDS.to_vec(), 1..=4).prop_map(|words| words.join(" "))
}

fn text() -> impl Strategy<Value = String> {
    let clause = prop_oneof![
        4 => select(&WORDS).prop_map(str::to_owned),
        1 => (select(&WORDS), select(&WORDS)).prop_map(|(a, b)| format!("\"{a} {b}\"")),
        1 => select(&WORDS).prop_map(|word| format!("-{word}")),
    ];
    prop_oneof![1 => Just(String::new()), 3 => prop::collection::vec(clause, 1..4).prop_map(|clauses| clauses.join(" "))]
}

fn some<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = Vec<T>> + use<T> {
    let values = values.to_vec();
    let most = values.len().min(2);
    prop_oneof![3 => Just(Vec::new()), 1 => subsequence(values, 0..=most)]
}

pub(crate) fn query() -> impl Strategy<Value = Query> {
    let iris: Vec<TermIri> = (0..6).map(term).collect();
    let labels = (
        some(&["IDR".to_owned(), "BioImage Archive".to_owned(), "none such".to_owned()]),
        some(&["CC0-1.0".to_owned(), "CC-BY-4.0".to_owned()]),
    );
    let who =
        (some(&NODES.map(|node| node.parse().unwrap())), some(&ALL_ACCESS), subsequence(ALL_ACCESS.to_vec(), 0..=3));
    let bounds = (
        option::weighted(0.2, 2017_u16..2024),
        option::weighted(0.2, 2017_u16..2024),
        option::weighted(0.2, any::<bool>()),
    );
    let owned = |values: &[&str]| some(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
    let entities: Vec<String> = iris
        .iter()
        .map(ToString::to_string)
        .chain(["OTHER".to_owned(), "\"wing disk\"".to_owned(), "\"other\"".to_owned()])
        .collect();
    let people = (some(&entities), owned(&[ORCIDS[0], "alpha"]), owned(&AFFILIATIONS), owned(&IDENTIFIERS));
    let rare = |range: std::ops::Range<u64>| option::weighted(0.1, range);
    let within = select(&[Within::Title, Within::Record, Within::Everywhere]);
    let sizes = (rare(0..3), rare(0..3), option::weighted(0.1, any::<bool>()), within);
    // Most questions are about few things, or nothing would ever match.
    let details = prop_oneof![2 => Just(Query::default()), 1 => (people, sizes).prop_map(details)];
    let sort = select(&[Sort::Relevance, Sort::Newest, Sort::Oldest, Sort::Largest, Sort::Title]);
    (text(), some(&iris), some(&iris), labels, who, bounds, (sort, 1_usize..6, image_query(), details)).prop_map(
        |(
            text,
            organism,
            method,
            (publisher, licence),
            (node, access, visible),
            bounds,
            (sort, size, images, details),
        )| {
            let (year_from, year_to, has_images) = bounds;
            Query {
                text,
                organism,
                method,
                publisher,
                licence,
                node,
                access,
                year_from,
                year_to,
                has_images,
                images,
                sort,
                size,
                visible,
                ..details
            }
        },
    )
}

/// Filters that are no facets, and the one of entities.
fn details(
    ((entity, author, affiliation, identifier), (bytes_from, bytes_to, has_thumbnail, within)): (
        (Vec<String>, Vec<String>, Vec<String>, Vec<String>),
        (Option<u64>, Option<u64>, Option<bool>, Within),
    ),
) -> Query {
    Query { entity, author, affiliation, identifier, bytes_from, bytes_to, has_thumbnail, within, ..Query::default() }
}
