use std::sync::Arc;

use dataset_model::DatasetKey;
use serde::de::DeserializeOwned;
use tantivy::query::{EnableScoring, Weight};
use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, Score, Searcher, SegmentReader, TantivyDocument};

use crate::columns::ColumnCache;
use crate::counting::{Counted, Gathered, tallies};
use crate::facets::{facets, only};
use crate::filters::{Failed, Filters, Verdict};
use crate::highlight::Highlighter;
use crate::landing::LandingFacets;
use crate::ranking::{Candidate, SegmentRanking, merge, score_of};
use crate::schema::{Fields, read_key};
use crate::scoring::AssumedCollection;
use crate::studies::collapse::Collapse;
use crate::studies::describe::Describer;
use crate::studies::snapshot::{Place, Studies};
use crate::suggest::suggestions;
use crate::text_query::TextQuery;
use crate::{Cursor, FacetSelection, Hit, Query, Results, SearchDocument, SearchError, Sort, Study, Vocabulary};

/// One search over one snapshot.
pub(crate) struct Search<'a> {
    pub(crate) query: &'a Query,
    pub(crate) fields: &'a Fields,
    pub(crate) searcher: &'a Searcher,
    pub(crate) columns: &'a ColumnCache,
    pub(crate) landing: &'a LandingFacets,
    pub(crate) vocabulary: &'a dyn Vocabulary,
    /// The studies to collapse records to.
    pub(crate) studies: Option<&'a Arc<Studies>>,
}

/// What a pass over all segments found.
pub(crate) struct Pass {
    /// Visible records that match the text, whatever the filters say.
    matched_text: u64,
    pub(crate) total: u64,
    ranked: Vec<SegmentRanking>,
    collapse: Option<Collapse>,
    /// Absent where facets need no counting.
    counted: Option<Vec<Counted>>,
}

impl Search<'_> {
    /// Runs the search.
    pub(crate) fn run(&self) -> Result<Results, SearchError> {
        self.query.check()?;
        let mut text = TextQuery::read(&self.query.text, self.query.within, self.vocabulary)?;
        let filters = Filters::new(self.query, self.fields, self.searcher)?;
        let sort = effective_sort(self.query.sort, &text);
        let cursor = self.query.cursor.as_ref();
        if cursor.is_some_and(|cursor| cursor.sort != sort) {
            return Err(SearchError::CursorOrder);
        }
        if cursor.is_some_and(|cursor| cursor.loose) {
            text = text.loosened().ok_or(SearchError::BadCursor)?;
        }
        let wanted = self.query.facets;
        let landing = wanted != FacetSelection::NONE && text.is_empty() && !filters.are_any();
        let known = landing.then(|| self.landing.get(self.searcher, self.query)).flatten();
        let count = wanted != FacetSelection::NONE && known.is_none();
        let mut pass = self.pass(&text, &filters, sort, count)?;
        if pass.matched_text == 0
            && cursor.is_none()
            && let Some(loose) = text.loosened()
        {
            text = loose;
            pass = self.pass(&text, &filters, sort, count)?;
        }
        // What a landing page shows is counted whole, as it is kept.
        let counting = if landing { FacetSelection::ALL } else { wanted };
        let counted = pass.counted.as_deref().map(|counted| tallies(counted, counting)).transpose()?;
        let counted = counted.as_ref().map(facets);
        if let Some(counted) = counted.as_ref().filter(|_| landing) {
            self.landing.keep(self.searcher, self.query, counted);
        }
        let suggestions = if cursor.is_none() { suggestions(self, &filters, &text, pass.total)? } else { Vec::new() };
        let results = self.results(pass, &text, sort)?;
        let facets = known.or(counted).map(|facets| only(facets, wanted)).unwrap_or_default();
        Ok(Results { facets, suggestions, ..results })
    }

    /// Goes through all records; `count` says whether facets are counted.
    pub(crate) fn pass(
        &self,
        text: &TextQuery,
        filters: &Filters,
        sort: Sort,
        count: bool,
    ) -> Result<Pass, SearchError> {
        let assumed = AssumedCollection(&self.fields.texts);
        let scoring = match sort {
            Sort::Relevance => EnableScoring::enabled_from_statistics_provider(&assumed, self.searcher),
            _ => EnableScoring::disabled_from_searcher(self.searcher),
        };
        let weight = (!text.is_empty()).then(|| text.query(self.fields).weight(scoring)).transpose();
        let weight = weight.map_err(SearchError::read)?;
        let counted = count.then(Vec::new);
        let collapse = self.studies.map(|studies| Collapse::new(Arc::clone(studies)));
        let mut pass = Pass { matched_text: 0, total: 0, ranked: Vec::new(), collapse, counted };
        for reader in self.searcher.segment_readers() {
            self.segment(&mut pass, reader, &filters.run(reader)?, weight.as_deref(), sort)?;
        }
        if let Some(collapse) = &pass.collapse {
            for (place, score) in collapse.hits() {
                pass.ranked.get_mut(place.segment).into_iter().for_each(|ranking| ranking.offer(place.doc, score));
            }
        }
        Ok(pass)
    }

    fn segment(
        &self,
        pass: &mut Pass,
        reader: &SegmentReader,
        failed: &Failed,
        weight: Option<&dyn Weight>,
        sort: Sort,
    ) -> Result<(), SearchError> {
        let columns = self.columns.of(reader)?;
        let cursor = self.query.cursor.as_ref();
        let mut ranking = SegmentRanking::new(Arc::clone(&columns), sort, cursor, self.page_and_one())?;
        let mut counted = pass.counted.is_some().then(Gathered::default);
        let segment = pass.ranked.len();
        let mut take = |doc: DocId, score: Score| {
            let verdict = failed.verdict(doc);
            pass.matched_text += u64::from(verdict != Verdict::Hidden);
            if verdict == Verdict::Matches {
                pass.total += 1;
                let is_hit = pass.collapse.as_mut().is_none_or(|collapse| collapse.take(segment, doc, score));
                if is_hit {
                    ranking.offer(doc, score);
                }
            }
            if let Some(counted) = &mut counted {
                counted.take(doc, verdict);
            }
        };
        match (weight, sort) {
            (None, _) => (0..reader.max_doc()).for_each(|doc| take(doc, 0.0)),
            (Some(weight), Sort::Relevance) => weight.for_each(reader, &mut take).map_err(SearchError::read)?,
            (Some(weight), _) => weight
                .for_each_no_score(reader, &mut |docs| docs.iter().for_each(|doc| take(*doc, 0.0)))
                .map_err(SearchError::read)?,
        }
        pass.ranked.push(ranking);
        if let (Some(all), Some(counted)) = (&mut pass.counted, counted) {
            all.push(counted.of(columns, reader.max_doc()));
        }
        Ok(())
    }

    /// One more than a page, to know whether there is another.
    fn page_and_one(&self) -> usize {
        if self.query.size == 0 { 0 } else { self.query.size + 1 }
    }

    fn results(&self, pass: Pass, text: &TextQuery, sort: Sort) -> Result<Results, SearchError> {
        let read = |address| keyed(self.searcher, self.fields, address);
        let ranked = pass.ranked.into_iter().map(SegmentRanking::finish).collect();
        let mut candidates = merge(ranked, self.page_and_one(), &read)?;
        let more = candidates.len() > self.query.size;
        candidates.truncate(self.query.size);
        let next_cursor = candidates.last().filter(|_| more).map(|last| Cursor {
            sort,
            loose: text.loose,
            value: last.value.clone(),
            key: last.key.clone(),
        });
        let mut highlighter = Highlighter::new(text, self.vocabulary);
        let hit = |candidate| self.hit(candidate, sort, &mut highlighter);
        let hits = candidates.iter().map(hit).collect::<Result<_, _>>()?;
        let studies = pass.collapse.map(|collapse| collapse.count());
        let (order, loose) = (sort, text.loose);
        Ok(Results { total: pass.total, studies, hits, next_cursor, order, loose, ..Results::default() })
    }

    fn hit(&self, candidate: &Candidate, sort: Sort, highlighter: &mut Highlighter<'_>) -> Result<Hit, SearchError> {
        let document: SearchDocument = serde_json::from_slice(&candidate.record).map_err(SearchError::read)?;
        Ok(Hit {
            score: if sort == Sort::Relevance { score_of(&candidate.value) } else { 0.0 },
            highlights: highlighter.highlights(&document),
            matched_via: highlighter.matched_via(self.query, &document),
            study: self.study(candidate)?,
            document,
        })
    }

    fn study(&self, candidate: &Candidate) -> Result<Option<Study>, SearchError> {
        let Some(studies) = self.studies else { return Ok(None) };
        let number = studies.of(Place { segment: candidate.segment, doc: candidate.doc });
        let describer = Describer { searcher: self.searcher, fields: self.fields, studies };
        number.map_or(Ok(None), |(number, _)| describer.study(number))
    }
}

/// The key of a record, and the record as JSON.
pub(crate) fn keyed(
    searcher: &Searcher,
    fields: &Fields,
    address: DocAddress,
) -> Result<(DatasetKey, Vec<u8>), SearchError> {
    let document: TantivyDocument = searcher.doc(address).map_err(SearchError::read)?;
    let key = document.get_first(fields.key);
    let key = key.as_ref().and_then(|key| key.as_str()).and_then(read_key);
    let key = key.ok_or_else(|| SearchError::read("a stored record has no key"))?;
    Ok((key, record_of(fields, &document).to_vec()))
}

fn effective_sort(sort: Sort, text: &TextQuery) -> Sort {
    if sort == Sort::Relevance && !text.ranks() { Sort::Newest } else { sort }
}

/// The record within a stored document, as JSON.
fn record_of<'a>(fields: &Fields, document: &'a TantivyDocument) -> &'a [u8] {
    document.get_first(fields.record).and_then(|value| value.as_str()).unwrap_or_default().as_bytes()
}

/// Reads a stored record back, or part of it.
pub(crate) fn stored_as<T: DeserializeOwned>(
    searcher: &Searcher,
    fields: &Fields,
    address: DocAddress,
) -> Result<T, SearchError> {
    let document: TantivyDocument = searcher.doc(address).map_err(SearchError::read)?;
    serde_json::from_slice(record_of(fields, &document)).map_err(SearchError::read)
}
