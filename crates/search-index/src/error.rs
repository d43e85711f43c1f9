use std::path::PathBuf;

use dataset_model::DatasetKey;

/// What a source is kept as: the engine's own error types stay inside this crate.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the search index could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index could not be opened.
    #[error("cannot open the search index in {path}: stop the node, delete that folder and run `heliograph rebuild`")]
    Open {
        /// The folder.
        path: PathBuf,
        /// What the engine or the file system said.
        #[source]
        source: Source,
    },
    /// Another process writes to the index.
    #[error("the search index in {path} is in use: is another node running with the same data folder?")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// Changes could not be stored; none of them was.
    #[error("cannot store changes in the search index; nothing of this batch was kept, so apply it again")]
    Apply(#[source] Source),
    /// The index could not be read.
    #[error("cannot read the search index; if this persists, run `heliograph rebuild`")]
    Read(#[source] Source),
    /// A record cannot be written as JSON.
    #[error("the record {key} cannot be stored in the search index")]
    Document {
        /// The record.
        key: DatasetKey,
        /// Why.
        #[source]
        source: Source,
    },
    /// The text is too long to be a search.
    #[error("the search text has {bytes} bytes; at most {limit} are allowed: shorten it")]
    QueryTooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text has too many words.
    #[error("the search text has {terms} words; at most {limit} are allowed: leave some out")]
    TooManyTerms {
        /// Words given.
        terms: usize,
        /// Words allowed.
        limit: usize,
    },
    /// A filter lists too many values.
    #[error("the filter '{filter}' lists {values} values; at most {limit} are allowed")]
    TooManyValues {
        /// Name of the filter.
        filter: &'static str,
        /// Values given.
        values: usize,
        /// Values allowed.
        limit: usize,
    },
    /// A page is too large.
    #[error("a page of {size} hits was asked for; at most {limit} are allowed: follow the cursor instead")]
    PageTooLarge {
        /// Hits asked for.
        size: usize,
        /// Hits allowed.
        limit: usize,
    },
    /// The text is no cursor of ours.
    #[error("this is not a cursor of this index: start again from the first page")]
    BadCursor,
    /// The cursor belongs to another order.
    #[error("the cursor was made for another sort order: keep the order, or start again from the first page")]
    CursorOrder,
}

impl SearchError {
    pub(crate) fn read(source: impl Into<Source>) -> Self {
        Self::Read(source.into())
    }

    pub(crate) fn apply(source: impl Into<Source>) -> Self {
        Self::Apply(source.into())
    }
}
