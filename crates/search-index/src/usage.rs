use std::collections::HashMap;

use dataset_model::{Access, TermIri};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, SegmentReader, TERMINATED, Term};

use crate::facets::{FACETS, Facet};
use crate::{SearchError, SearchIndex};

impl SearchIndex {
    /// Changes whenever records do.
    pub fn generation(&self) -> u64 {
        self.searcher().generation().generation_id()
    }

    /// For every term that records have, how many have it or a narrower one, among those with these access levels.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn usage(&self, visible: &[Access]) -> Result<HashMap<TermIri, u64>, SearchError> {
        let searcher = self.searcher();
        let shown = |reader| self.shown(reader, visible);
        let shown = searcher.segment_readers().iter().map(shown).collect::<Result<Vec<_>, _>>()?;
        let mut most: HashMap<TermIri, u64> = HashMap::new();
        for field in self.closure_fields() {
            let mut counts = HashMap::new();
            for (reader, shown) in searcher.segment_readers().iter().zip(&shown) {
                count(reader, field, shown, &mut counts).map_err(SearchError::read)?;
            }
            // A record may have a term in two ways.
            for (term, number) in counts {
                let known = most.entry(term).or_default();
                *known = number.max(*known);
            }
        }
        Ok(most)
    }

    /// Which records of a segment are there, and may be seen.
    fn shown(&self, reader: &SegmentReader, visible: &[Access]) -> Result<Vec<bool>, SearchError> {
        let mut shown = vec![false; reader.max_doc() as usize];
        let access = FACETS.iter().zip(self.facet_fields()).find(|(facet, _)| **facet == Facet::Access);
        for (level, (_, field)) in visible.iter().filter_map(|level| Some((level, access?))) {
            let term = Term::from_field_text(*field, level.as_str());
            each(reader, &term, |doc| {
                if let Some(shown) = shown.get_mut(doc as usize) {
                    *shown = !reader.is_deleted(doc);
                }
            })
            .map_err(SearchError::read)?;
        }
        Ok(shown)
    }
}

fn each(reader: &SegmentReader, term: &Term, mut visit: impl FnMut(u32)) -> tantivy::Result<()> {
    let Some(mut postings) = reader.inverted_index(term.field())?.read_postings(term, IndexRecordOption::Basic)? else {
        return Ok(());
    };
    let mut doc = postings.doc();
    while doc != TERMINATED {
        visit(doc);
        doc = postings.advance();
    }
    Ok(())
}

fn count(
    reader: &SegmentReader,
    field: Field,
    shown: &[bool],
    counts: &mut HashMap<TermIri, u64>,
) -> tantivy::Result<()> {
    let inverted = reader.inverted_index(field)?;
    let all_shown = shown.iter().all(|shown| *shown);
    let mut terms = inverted.terms().stream()?;
    while let Some((key, info)) = terms.next() {
        let Some(iri) = std::str::from_utf8(key).ok().and_then(|text| text.parse::<TermIri>().ok()) else { continue };
        let mut number = u64::from(info.doc_freq);
        if !all_shown {
            number = 0;
            let mut postings = inverted.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                number += u64::from(shown.get(doc as usize) == Some(&true));
                doc = postings.advance();
            }
        }
        if number > 0 {
            *counts.entry(iri).or_default() += number;
        }
    }
    Ok(())
}
