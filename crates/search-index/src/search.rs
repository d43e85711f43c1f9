use tantivy::query::{EnableScoring, Weight};
use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, Score, Searcher, SegmentReader, TantivyDocument};

use crate::facets::{FACETS, Facet, Tally, facets};
use crate::filters::{Filters, Verdict};
use crate::highlight::Highlighter;
use crate::ranking::{Candidate, RankedSegment, SegmentRanking, merge, score_of};
use crate::schema::Fields;
use crate::scoring::AssumedCollection;
use crate::text_query::TextQuery;
use crate::{Cursor, Facets, Hit, Query, Results, SearchDocument, SearchError, Sort};

/// One search over one snapshot.
pub(crate) struct Search<'a> {
    pub(crate) query: &'a Query,
    pub(crate) fields: &'a Fields,
    pub(crate) searcher: &'a Searcher,
}

/// What a pass over all segments found.
#[derive(Default)]
struct Pass {
    /// Visible records that match the text, whatever the filters say.
    matched_text: u64,
    total: u64,
    ranked: Vec<RankedSegment>,
    tallies: [Tally; 8],
}

/// The records of one segment, sorted by what they count for.
#[derive(Default)]
struct Counted {
    hits: Vec<DocId>,
    alternatives: [Vec<DocId>; 8],
}

impl Search<'_> {
    /// Runs the search.
    pub(crate) fn run(&self) -> Result<Results, SearchError> {
        self.query.check()?;
        let mut text = TextQuery::read(&self.query.text)?;
        let sort = effective_sort(self.query.sort, &text);
        let cursor = self.query.cursor.as_ref();
        if cursor.is_some_and(|cursor| cursor.sort != sort) {
            return Err(SearchError::CursorOrder);
        }
        if cursor.is_some_and(|cursor| cursor.prefix) {
            text = text.with_prefix().ok_or(SearchError::BadCursor)?;
        }
        let mut pass = self.pass(&text, sort)?;
        if pass.matched_text == 0
            && cursor.is_none()
            && let Some(prefix) = text.with_prefix()
        {
            text = prefix;
            pass = self.pass(&text, sort)?;
        }
        self.results(pass, &text, sort)
    }

    fn pass(&self, text: &TextQuery, sort: Sort) -> Result<Pass, SearchError> {
        let filters = Filters::new(self.query, self.fields, self.searcher)?;
        let assumed = AssumedCollection(&self.fields.texts);
        let scoring = match sort {
            Sort::Relevance => EnableScoring::enabled_from_statistics_provider(&assumed, self.searcher),
            _ => EnableScoring::disabled_from_searcher(self.searcher),
        };
        let weight = (!text.is_empty()).then(|| text.query(self.fields).weight(scoring)).transpose();
        let weight = weight.map_err(SearchError::read)?;
        let mut pass = Pass::default();
        for reader in self.searcher.segment_readers() {
            self.segment(&mut pass, reader, &filters, weight.as_deref(), sort)?;
        }
        Ok(pass)
    }

    /// One more than a page, to know whether there is another.
    fn page_and_one(&self) -> usize {
        if self.query.size == 0 { 0 } else { self.query.size + 1 }
    }

    fn segment(
        &self,
        pass: &mut Pass,
        reader: &SegmentReader,
        filters: &Filters,
        weight: Option<&dyn Weight>,
        sort: Sort,
    ) -> Result<(), SearchError> {
        let failed = filters.run(reader)?;
        let mut ranking = SegmentRanking::new(reader, sort, self.query.cursor.as_ref(), self.page_and_one())?;
        let mut counted = Counted::default();
        let mut take = |doc: DocId, score: Score| {
            let verdict = failed.verdict(doc);
            pass.matched_text += u64::from(verdict != Verdict::Hidden);
            if verdict == Verdict::Matches {
                pass.total += 1;
                ranking.offer(doc, score);
            }
            if self.query.facets {
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
        pass.ranked.push(ranking.finish());
        counted.add_to(&mut pass.tallies, reader, self.query.facets)
    }

    fn results(&self, pass: Pass, text: &TextQuery, sort: Sort) -> Result<Results, SearchError> {
        let Pass { total, ranked, tallies, .. } = pass;
        let mut candidates = merge(ranked, self.page_and_one())?;
        let more = candidates.len() > self.query.size;
        candidates.truncate(self.query.size);
        let next_cursor = candidates.last().filter(|_| more).map(|last| Cursor {
            sort,
            prefix: text.prefix,
            value: last.value.clone(),
            key: last.key.clone(),
        });
        let mut highlighter = Highlighter::new(text);
        let hit = |candidate| self.hit(candidate, sort, &mut highlighter);
        let hits = candidates.iter().map(hit).collect::<Result<_, _>>()?;
        let facets = if self.query.facets { facets(&tallies) } else { Facets::default() };
        Ok(Results { total, hits, facets, next_cursor })
    }

    fn hit(&self, candidate: &Candidate, sort: Sort, highlighter: &mut Highlighter) -> Result<Hit, SearchError> {
        let segment = u32::try_from(candidate.segment).map_err(SearchError::read)?;
        let document = stored(self.searcher, self.fields, DocAddress::new(segment, candidate.doc))?;
        Ok(Hit {
            score: if sort == Sort::Relevance { score_of(&candidate.value) } else { 0.0 },
            highlights: highlighter.highlights(&document),
            matched_via: highlighter.matched_via(self.query, &document),
            document,
        })
    }
}

impl Counted {
    fn take(&mut self, doc: DocId, verdict: Verdict) {
        match verdict {
            Verdict::Matches => self.hits.push(doc),
            Verdict::FailsOne(facet) => self.alternatives.get_mut(facet).into_iter().for_each(|docs| docs.push(doc)),
            Verdict::FailsMore | Verdict::Hidden => {}
        }
    }

    fn add_to(&self, tallies: &mut [Tally; 8], reader: &SegmentReader, wanted: bool) -> Result<(), SearchError> {
        if !wanted {
            return Ok(());
        }
        let facets = FACETS.iter().zip(tallies).zip(&self.alternatives);
        facets.into_iter().try_for_each(|((facet, tally), also): ((&Facet, _), _)| {
            let tally: &mut Tally = tally;
            tally.add(reader, *facet, &[&self.hits, also])
        })
    }
}

fn effective_sort(sort: Sort, text: &TextQuery) -> Sort {
    if sort == Sort::Relevance && !text.ranks() { Sort::Newest } else { sort }
}

/// Reads a stored record back.
pub(crate) fn stored(searcher: &Searcher, fields: &Fields, address: DocAddress) -> Result<SearchDocument, SearchError> {
    let document: TantivyDocument = searcher.doc(address).map_err(SearchError::read)?;
    let value = document.get_first(fields.record);
    let bytes = value.as_ref().and_then(|value| value.as_bytes()).unwrap_or_default();
    serde_json::from_slice(bytes).map_err(SearchError::read)
}
