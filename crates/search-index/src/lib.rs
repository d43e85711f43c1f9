//! Full text, facets, ontology-expanded filters, highlights, stable cursors and which records are one study, over the records a node knows.
//!
//! **Owns** the layout of the index, the analysis of text (English and CJK), the reading of what people type, ranking,
//! facet counts, highlights and cursors. The engine behind it is named in this crate only.
//!
//! **Must not know** RDF, ontologies, HTTP, peers or permissions: the ancestors of a term come with each record, and the
//! caller says which access levels a reader may see ([`Query::visible`]) and what words are known to mean ([`Vocabulary`]).
//!
//! The index is a projection: delete its folder and it can be made again. What it has taken in is written in the same
//! commit as the records ([`SearchIndex::apply`]), so a caller always knows where to resume.
//!
//! Scores depend on the record and the query alone, never on what else is in the index. So a page never changes under
//! the reader's feet, scores of two nodes can be merged, and no score tells anything about records one may not see.
//!
//! ```
//! use std::collections::BTreeMap;
//! use dataset_model::DatasetKey;
//! use search_index::{IndexChange, Query, SearchDocument, SearchIndex};
//!
//! let index = SearchIndex::in_memory()?;
//! let key = DatasetKey { node: "europe".parse()?, id: "idr0001".parse()? };
//! let mut record = SearchDocument::empty(key);
//! record.title = "Dividing cells under light sheet".to_owned();
//! index.apply(vec![IndexChange::Put(Box::new(record))], &BTreeMap::from([("europe".parse()?, 1)]))?;
//!
//! let results = index.search(&Query { text: "\"light-sheet\" cell".to_owned(), ..Query::default() })?;
//! assert_eq!(results.total, 1);
//! assert_eq!(results.hits[0].highlights[0].field, "title");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analysis;
mod columns;
mod counting;
mod cursor;
mod document;
mod error;
mod exact;
mod facets;
mod filters;
mod highlight;
mod index;
mod landing;
mod picking;
mod query;
mod ranking;
mod results;
mod schema;
mod scoring;
mod search;
mod selection;
mod similar;
mod studies;
mod suggest;
mod syntax;
mod term_sets;
mod text_query;
mod usage;
mod vocabulary;

pub use cursor::{Cursor, SortValue};
pub use document::{ImageFacets, IndexChange, SearchDocument};
pub use error::SearchError;
pub use index::{Batch, SearchIndex};
pub use query::{ImageQuery, MAX_PAGE_SIZE, MAX_QUERY_BYTES, MAX_QUERY_TERMS, MAX_VALUES, Query, Sort, Within};
pub use results::{FacetValue, Facets, Fragment, Highlight, Hit, Results, Suggestion};
pub use selection::FacetSelection;
pub use studies::{MAX_STUDY_RECORDS, RelatedRecord, Study, StudyEvidence, StudyLocation, StudyRecord};
pub use vocabulary::{Concept, Vocabulary};
