//! "More like this": records that share rare words and rare terms with one; of each other study one, of its own none.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dataset_model::Access;
use tantivy::query::{BooleanQuery, ConstScoreQuery, EnableScoring, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Score, Searcher, SegmentReader, TERMINATED, Term};

use crate::analysis::{BOUNDARY, Form, Side, analyzer, tokens};
use crate::columns::ColumnCache;
use crate::filters::{Failed, Filters, Verdict};
use crate::highlight::Highlighter;
use crate::ranking::{Candidate, SegmentRanking, merge, score_of};
use crate::schema::{Fields, TextField, key_text};
use crate::search::keyed;
use crate::studies::snapshot::{Place, Studies};
use crate::text_query::TextQuery;
use crate::{Hit, SearchDocument, SearchError, Sort};

/// As many words of a record are compared, and as many terms.
const MAX_WORDS: usize = 24;
const MAX_TERMS: usize = 24;
/// Of a long description only so many words are looked at.
const MAX_READ: usize = 2_000;
/// Shorter words say little.
const MIN_CHARS: usize = 3;
/// What more than a tenth of all records have says nothing of likeness, once there are some.
const COMMON: u64 = 10;
const FEW_RECORDS: u64 = 50;
/// A shared term counts as much as several words.
const TERM_WEIGHT: f32 = 2.0;
/// As many records of one study may be among those compared, so that enough are left; most studies have two.
const PER_STUDY: usize = 4;
/// A record has to share this part of what it is compared by.
const MIN_SHARE: f32 = 0.12;

/// The record to compare with, and where to look.
pub(crate) struct Similar<'a> {
    pub(crate) record: &'a SearchDocument,
    pub(crate) place: Place,
    pub(crate) studies: &'a Studies,
    pub(crate) fields: &'a Fields,
    pub(crate) searcher: &'a Searcher,
    pub(crate) columns: &'a ColumnCache,
    pub(crate) visible: &'a [Access],
    pub(crate) most: usize,
}

/// Something to be alike by: where it is looked up, and what it counts.
struct Trait {
    fields: Vec<(Field, f32)>,
    text: String,
    weight: f32,
}

/// What of one segment may be seen.
struct Seen {
    failed: Failed,
    records: u64,
    /// Nothing is hidden or deleted.
    all: bool,
}

impl Seen {
    fn of(visible: &Filters, reader: &SegmentReader) -> Result<Self, SearchError> {
        let failed = visible.run(reader)?;
        let records = failed.passing();
        Ok(Self { all: records == u64::from(reader.max_doc()), failed, records })
    }

    fn shows(&self, doc: DocId) -> bool {
        self.failed.verdict(doc) == Verdict::Matches
    }
}

impl Similar<'_> {
    pub(crate) fn run(&self) -> Result<Vec<Hit>, SearchError> {
        let visible = Filters::of_visibility(self.visible, self.fields, self.searcher)?;
        let seen = self.searcher.segment_readers().iter().map(|reader| Seen::of(&visible, reader));
        let seen: Vec<Seen> = seen.collect::<Result<_, _>>()?;
        let records: u64 = seen.iter().map(|seen| seen.records).sum();
        let words = self.words(&seen, records)?;
        let terms = self.terms(&seen, records)?;
        let all: Vec<Trait> = words.into_iter().chain(terms).collect();
        if all.is_empty() || self.most == 0 {
            return Ok(Vec::new());
        }
        let enough = MIN_SHARE * all.iter().map(|shared| shared.weight).sum::<f32>();
        let weight = self.query(&all).weight(EnableScoring::enabled_from_searcher(self.searcher));
        let weight = weight.map_err(SearchError::read)?;
        let mut ranked = Vec::new();
        for (reader, seen) in self.searcher.segment_readers().iter().zip(&seen) {
            let columns = self.columns.of(reader)?;
            let mut ranking = SegmentRanking::new(columns, Sort::Relevance, None, self.candidates())?;
            let segment = ranked.len();
            let mut take = |doc: DocId, score: Score| {
                if score >= enough && seen.shows(doc) && !self.is_same_study(Place { segment, doc }) {
                    ranking.offer(doc, score);
                }
            };
            weight.for_each(reader, &mut take).map_err(SearchError::read)?;
            ranked.push(ranking.finish());
        }
        let found = merge(ranked, self.candidates(), &|address| keyed(self.searcher, self.fields, address))?;
        let found = self.one_of_each_study(found);
        let text =
            TextQuery::of_stems(all.iter().filter(|shared| shared.fields.len() > 1).map(|word| word.text.as_str()));
        let mut highlighter = Highlighter::new(&text, &());
        let hit = |candidate: Candidate| {
            let document: SearchDocument = serde_json::from_slice(&candidate.record).map_err(SearchError::read)?;
            let (score, highlights) = (score_of(&candidate.value), highlighter.highlights(&document));
            Ok(Hit { score, highlights, matched_via: self.shared_terms(&document), study: None, document })
        };
        found.into_iter().map(hit).collect()
    }

    /// So many, that enough are left when each study is one.
    fn candidates(&self) -> usize {
        self.most.saturating_mul(PER_STUDY)
    }

    fn is_same_study(&self, place: Place) -> bool {
        let own = self.studies.of(self.place).map(|(study, _)| study);
        own.is_some() && own == self.studies.of(place).map(|(study, _)| study)
    }

    /// The most alike record of each study.
    fn one_of_each_study(&self, found: Vec<Candidate>) -> Vec<Candidate> {
        let mut seen = HashSet::new();
        let is_first = |candidate: &Candidate| {
            let place = Place { segment: candidate.segment, doc: candidate.doc };
            self.studies.of(place).is_none_or(|(study, _)| seen.insert(study))
        };
        found.into_iter().filter(is_first).take(self.most).collect()
    }

    fn text_fields(&self) -> [&TextField; 3] {
        let [title, _, _, keywords, _, description, ..] = &self.fields.texts;
        [title, keywords, description]
    }

    /// The words that say most about the record: often in it, rarely elsewhere.
    fn words(&self, seen: &[Seen], records: u64) -> Result<Vec<Trait>, SearchError> {
        let record = self.record;
        let mut stems = analyzer(Form::Stemmed, Side::Record);
        let mut often: BTreeMap<String, f32> = BTreeMap::new();
        let keywords = record.keywords.iter().map(|keyword| (keyword.as_str(), 2.0));
        for (text, counts) in
            [(record.title.as_str(), 3.0), (record.description.as_str(), 1.0)].into_iter().chain(keywords)
        {
            for token in tokens(&mut stems, text).into_iter().take(MAX_READ) {
                let says = token.text != BOUNDARY
                    && token.text.chars().count() >= MIN_CHARS
                    && token.text.chars().any(char::is_alphabetic);
                if says {
                    *often.entry(token.text).or_default() += counts;
                }
            }
        }
        let fields = self.text_fields();
        let mut words = Vec::new();
        for (text, count) in often {
            let with = fields.iter().map(|field| self.records_with(field.field, &text, seen));
            let with = with.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or(0);
            if let Some(rarity) = rarity(with, records) {
                let fields = fields.iter().zip([1.0, 0.8, 0.6]).map(|(field, share)| (field.field, share)).collect();
                words.push(Trait { fields, weight: rarity * (1.0 + count.ln()), text });
            }
        }
        Ok(heaviest(words, MAX_WORDS))
    }

    /// The rarest of the record's terms and of everything above them.
    fn terms(&self, seen: &[Seen], records: u64) -> Result<Vec<Trait>, SearchError> {
        let (record, fields) = (self.record, self.fields);
        let kinds = [
            (fields.organism_closure, &record.organism_closure),
            (fields.method_closure, &record.method_closure),
            (fields.entity_closure, &record.about_closure),
        ];
        let mut terms = Vec::new();
        for (field, iri) in kinds.into_iter().flat_map(|(field, closure)| closure.iter().map(move |iri| (field, iri))) {
            let with = self.records_with(field, iri.as_str(), seen)?;
            if let Some(rarity) = rarity(with, records) {
                let text = iri.to_string();
                terms.push(Trait { fields: vec![(field, 1.0)], weight: rarity * TERM_WEIGHT, text });
            }
        }
        Ok(heaviest(terms, MAX_TERMS))
    }

    fn query(&self, all: &[Trait]) -> BooleanQuery {
        let own_key = Term::from_field_text(self.fields.key, &key_text(&self.record.key));
        let alike = all.iter().flat_map(|shared| {
            shared.fields.iter().map(|(field, share)| {
                let term = TermQuery::new(Term::from_field_text(*field, &shared.text), IndexRecordOption::Basic);
                // A multiple of 1/256: sums are then the same in whatever order they are made.
                let score = (shared.weight * share * 256.0).round() / 256.0;
                Box::new(ConstScoreQuery::new(Box::new(term), score)) as Box<dyn Query>
            })
        });
        let itself = TermQuery::new(own_key, IndexRecordOption::Basic);
        BooleanQuery::new(vec![
            (Occur::Must, Box::new(BooleanQuery::union(alike.collect()))),
            (Occur::MustNot, Box::new(itself)),
        ])
    }

    /// How many records have a word or term, of those that may be seen.
    fn records_with(&self, field: Field, text: &str, seen: &[Seen]) -> Result<u64, SearchError> {
        let term = Term::from_field_text(field, text);
        let mut records = 0;
        for (reader, seen) in self.searcher.segment_readers().iter().zip(seen) {
            let inverted = reader.inverted_index(field).map_err(SearchError::read)?;
            if seen.all {
                records += u64::from(inverted.doc_freq(&term).map_err(SearchError::read)?);
                continue;
            }
            let postings = inverted.read_postings(&term, IndexRecordOption::Basic).map_err(SearchError::read)?;
            let Some(mut postings) = postings else { continue };
            while postings.doc() != TERMINATED {
                records += u64::from(seen.shows(postings.doc()));
                postings.advance();
            }
        }
        Ok(records)
    }

    /// The names of the terms that both records have.
    fn shared_terms(&self, other: &SearchDocument) -> Vec<String> {
        let own = self.record.organisms.iter().chain(&self.record.methods).chain(&self.record.about);
        let own: BTreeSet<_> = own.map(|term| &term.iri).collect();
        let others = other.organisms.iter().chain(&other.methods).chain(&other.about);
        let mut seen = BTreeSet::new();
        let both = others.filter(|term| own.contains(&term.iri) && seen.insert(&term.iri));
        both.map(|term| term.label.clone()).collect()
    }
}

/// What having something in common with few counts; nothing where no other or nearly every record has it.
fn rarity(with: u64, records: u64) -> Option<f32> {
    let common = records > FEW_RECORDS && with.saturating_mul(COMMON) > records;
    (with > 1 && !common).then(|| (1.0 + records as f32 / with as f32).ln())
}

fn heaviest(mut traits: Vec<Trait>, most: usize) -> Vec<Trait> {
    traits.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
    traits.truncate(most);
    traits
}
