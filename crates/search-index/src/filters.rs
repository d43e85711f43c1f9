use std::ops::Bound;

use dataset_model::{Access, TermIri};
use tantivy::query::{
    BooleanQuery, EmptyQuery, EnableScoring, InvertedIndexRangeQuery, Query as EngineQuery, RangeQuery, TermQuery,
    TermSetQuery, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Searcher, SegmentReader, Term};

use crate::exact::normal_form;
use crate::facets::{COUNT, FACETS, Facet, year_text};
use crate::schema::{Fields, named_entity, one_spelling, value_text};
use crate::{Query, SearchError};

/// The record is deleted or may not be seen.
const HIDDEN: u32 = 1 << 31;

/// The filters of a query, ready to be run over segments.
pub(crate) struct Filters {
    /// Each with the bit that stands for failing it.
    weights: Vec<(u32, Box<dyn Weight>)>,
}

/// Which filters each record of a segment fails.
pub(crate) struct Failed(Vec<u32>);

impl Filters {
    /// Whether there is any besides who may see what.
    pub(crate) fn are_any(&self) -> bool {
        self.weights.iter().any(|(bit, _)| *bit != HIDDEN)
    }

    /// Only who may see what.
    pub(crate) fn of_visibility(access: &[Access], fields: &Fields, searcher: &Searcher) -> Result<Self, SearchError> {
        let query = Query { visible: access.to_vec(), ..Query::default() };
        Self::new(&query, fields, searcher)
    }

    pub(crate) fn new(query: &Query, fields: &Fields, searcher: &Searcher) -> Result<Self, SearchError> {
        let scoring = EnableScoring::disabled_from_searcher(searcher);
        let mut weights = Vec::new();
        for (bit, filter) in filters(query, fields) {
            weights.push((bit, filter.weight(scoring).map_err(SearchError::read)?));
        }
        Ok(Self { weights })
    }

    /// Runs the filters over one segment.
    pub(crate) fn run(&self, reader: &SegmentReader) -> Result<Failed, SearchError> {
        let all = self.weights.iter().fold(0, |all, (bit, _)| all | bit);
        let mut failed = vec![all; reader.max_doc() as usize];
        for (bit, weight) in &self.weights {
            let mut pass = |docs: &[DocId]| docs.iter().for_each(|doc| clear(&mut failed, *doc, *bit));
            weight.for_each_no_score(reader, &mut pass).map_err(SearchError::read)?;
        }
        if reader.has_deletes() {
            let deleted = |doc: &DocId| reader.is_deleted(*doc);
            (0..reader.max_doc()).filter(deleted).for_each(|doc| set(&mut failed, doc, HIDDEN));
        }
        Ok(Failed(failed))
    }
}

fn clear(failed: &mut [u32], doc: DocId, bit: u32) {
    if let Some(failed) = failed.get_mut(doc as usize) {
        *failed &= !bit;
    }
}

fn set(failed: &mut [u32], doc: DocId, bit: u32) {
    if let Some(failed) = failed.get_mut(doc as usize) {
        *failed |= bit;
    }
}

impl Failed {
    /// How many records fail nothing.
    pub(crate) fn passing(&self) -> u64 {
        self.0.iter().filter(|failed| **failed == 0).count() as u64
    }

    /// Where the record stands.
    pub(crate) fn verdict(&self, doc: DocId) -> Verdict {
        match self.0.get(doc as usize).copied().unwrap_or(HIDDEN) {
            0 => Verdict::Matches,
            failed if failed & HIDDEN != 0 => Verdict::Hidden,
            failed if failed.count_ones() == 1 => Verdict::FailsOne(failed.trailing_zeros() as usize),
            _ => Verdict::FailsMore,
        }
    }
}

/// How a record fares with the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passes all.
    Matches,
    /// It fails one filter only: where that is a facet, the record counts among its alternatives.
    FailsOne(usize),
    /// It fails several.
    FailsMore,
    /// It is not there, as far as the reader is concerned.
    Hidden,
}

fn filters(query: &Query, fields: &Fields) -> Vec<(u32, Box<dyn EngineQuery>)> {
    let mut all: Vec<(u32, Box<dyn EngineQuery>)> = FACETS
        .iter()
        .zip(&fields.facets)
        .filter_map(|(facet, field)| Some((facet.bit(), filter(*facet, *field, query, fields)?)))
        .collect();
    let others = others(query, fields).into_iter().zip(COUNT..);
    all.extend(others.filter_map(|(filter, place)| Some((1 << place, filter?))));
    if let Some((_, access)) = FACETS.iter().zip(&fields.facets).find(|(facet, _)| **facet == Facet::Access) {
        all.extend(visible(*access, &query.visible).map(|filter| (HIDDEN, filter)));
    }
    all
}

fn filter(facet: Facet, field: Field, query: &Query, fields: &Fields) -> Option<Box<dyn EngineQuery>> {
    let iris = |iris: &[TermIri]| iris.iter().map(|iri| iri.as_str().to_owned()).collect::<Vec<_>>();
    let texts = |texts: &[String]| texts.iter().map(|text| value_text(text).unwrap_or_default().to_owned()).collect();
    match facet {
        Facet::Organism => any_of(fields.organism_closure, iris(&query.organism)),
        Facet::Method => any_of(fields.method_closure, iris(&query.method)),
        Facet::Entity => any_of(fields.entity_closure, entities(&query.entity)),
        Facet::Publisher => any_of(field, texts(&query.publisher)),
        Facet::Licence => any_of(field, texts(&query.licence)),
        Facet::Node => any_of(field, query.node.iter().map(ToString::to_string).collect()),
        Facet::Access => any_of(field, query.access.iter().map(|access| access.as_str().to_owned()).collect()),
        Facet::HasImages => any_of(field, query.has_images.iter().map(ToString::to_string).collect()),
        Facet::ImageCount => any_of(field, texts(&query.images.image_count)),
        Facet::Dimensions => any_of(field, texts(&query.images.dimensions)),
        Facet::Channels => any_of(field, texts(&query.images.channels)),
        Facet::DataType => any_of(field, texts(&query.images.data_type)),
        Facet::Version => any_of(field, texts(&query.images.version)),
        Facet::HasLabels => any_of(field, query.images.has_labels.iter().map(ToString::to_string).collect()),
        Facet::IsPlate => any_of(field, query.images.is_plate.iter().map(ToString::to_string).collect()),
        Facet::Sharded => any_of(field, query.images.sharded.iter().map(ToString::to_string).collect()),
        Facet::Year => years(field, query.year_from, query.year_to),
    }
}

/// Entities by IRI as they are, by label in the one spelling; what is in quotes, only as a name without a term.
fn entities(wanted: &[String]) -> Vec<String> {
    let meant = |value: &String| match quoted(value) {
        Some(name) => vec![named_entity(&one_spelling(name))],
        None => vec![value.clone(), one_spelling(value)],
    };
    wanted.iter().flat_map(meant).collect()
}

fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"').filter(|name| !name.trim().is_empty())
}

/// Filters that are no facets.
fn others(query: &Query, fields: &Fields) -> [Option<Box<dyn EngineQuery>>; 5] {
    let spellings =
        |values: &[String]| values.iter().flat_map(|value| [one_spelling(value), normal_form(value)]).collect();
    [
        any_of(fields.author, spellings(&query.author)),
        any_of(fields.affiliation, spellings(&query.affiliation)),
        any_of(fields.exact, query.identifier.iter().map(|value| normal_form(value)).collect()),
        any_of(fields.thumbnail, query.has_thumbnail.iter().map(ToString::to_string).collect()),
        sizes(fields.bytes, query.bytes_from, query.bytes_to),
    ]
}

fn sizes(field: Field, from: Option<u64>, to: Option<u64>) -> Option<Box<dyn EngineQuery>> {
    if from.is_none() && to.is_none() {
        return None;
    }
    let (from, to) = (from.unwrap_or(u64::MIN), to.unwrap_or(u64::MAX));
    if from > to {
        return Some(Box::new(EmptyQuery));
    }
    let bound = |bytes| Bound::Included(Term::from_field_u64(field, bytes));
    Some(Box::new(RangeQuery::new(bound(from), bound(to))))
}

/// Records with any of the values; no filter where there are none.
fn any_of(field: Field, values: Vec<String>) -> Option<Box<dyn EngineQuery>> {
    let mut terms: Vec<Term> = values.iter().map(|value| Term::from_field_text(field, value)).collect();
    terms.sort_unstable();
    terms.dedup();
    match terms.len() {
        0 => None,
        1..=4 => {
            let term = |term| Box::new(TermQuery::new(term, IndexRecordOption::Basic)) as Box<dyn EngineQuery>;
            Some(Box::new(BooleanQuery::union(terms.into_iter().map(term).collect())))
        }
        _ => Some(Box::new(TermSetQuery::new(terms))),
    }
}

fn years(field: Field, from: Option<u16>, to: Option<u16>) -> Option<Box<dyn EngineQuery>> {
    if from.is_none() && to.is_none() {
        return None;
    }
    let (from, to) = (from.unwrap_or(u16::MIN), to.unwrap_or(u16::MAX));
    if from > to {
        return Some(Box::new(EmptyQuery));
    }
    let bound = |year| Bound::Included(Term::from_field_text(field, &year_text(year)));
    Some(Box::new(InvertedIndexRangeQuery::new(bound(from), bound(to))))
}

fn visible(field: Field, visible: &[Access]) -> Option<Box<dyn EngineQuery>> {
    let all = [Access::Open, Access::MetadataOnly, Access::Restricted];
    if all.iter().all(|access| visible.contains(access)) {
        return None;
    }
    let values = visible.iter().map(|access| access.as_str().to_owned()).collect();
    Some(any_of(field, values).unwrap_or_else(|| Box::new(EmptyQuery)))
}
