use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dataset_model::{Access, DatasetKey, NodeId};
use tantivy::directory::MmapDirectory;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{
    DocAddress, DocSet, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TERMINATED, TantivyError, Term,
};

use crate::analysis::{Form, Side, analyzer};
use crate::columns::ColumnCache;
use crate::counting::Chosen;
use crate::facets::{FACETS, Facet, Tally};
use crate::landing::LandingFacets;
use crate::schema::{Fields, SCHEMA_VERSION, key_text};
use crate::search::{Search, stored_as};
use crate::similar::Similar;
use crate::studies::describe::Describer;
use crate::studies::snapshot::{Place, StudiesCache};
use crate::{Hit, IndexChange, Query, Results, SearchDocument, SearchError, StudyRecord, Vocabulary};

/// Memory in which records are gathered before they are written, per thread.
const BYTES_PER_WRITER_THREAD: usize = 48 << 20;
const MAX_WRITER_THREADS: usize = 4;

/// The search index of a node. Many may read while one writes.
pub struct SearchIndex {
    index: Index,
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
    columns: ColumnCache,
    landing: LandingFacets,
    studies: StudiesCache,
}

impl SearchIndex {
    /// Opens the index in a folder, or starts an empty one. An index of another schema version is deleted: it is a
    /// projection, and [`applied`](Self::applied) then says that everything has to be applied again.
    ///
    /// # Errors
    /// When the folder cannot be used, is damaged, or another process writes to it.
    pub fn open(dir: &Path) -> Result<Self, SearchError> {
        let open = |source: Box<dyn std::error::Error + Send + Sync>| SearchError::Open { path: dir.into(), source };
        let current = dir.join(format!("schema-{SCHEMA_VERSION}"));
        delete_other_versions(dir, &current).map_err(|source| open(source.into()))?;
        let fields = Fields::new();
        let index = match open_index(&current, &fields) {
            Err(TantivyError::SchemaError(_) | TantivyError::IncompatibleIndex(_)) => {
                tracing::info!(folder = %current.display(), "the search index has another format and is started afresh");
                std::fs::remove_dir_all(&current).map_err(|source| open(source.into()))?;
                open_index(&current, &fields)
            }
            opened => opened,
        };
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_WRITER_THREADS));
        index.and_then(|index| Self::over(index, fields, threads)).map_err(|source| match source {
            TantivyError::LockFailure(..) => SearchError::Busy { path: dir.into() },
            source => open(source.into()),
        })
    }

    /// An empty index that is gone when it is dropped.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn in_memory() -> Result<Self, SearchError> {
        let fields = Fields::new();
        let index = Index::create_in_ram(fields.schema.clone());
        Self::over(index, fields, 1).map_err(SearchError::apply)
    }

    fn over(index: Index, fields: Fields, threads: usize) -> tantivy::Result<Self> {
        for form in [Form::Stemmed, Form::Plain] {
            index.tokenizers().register(form.name(), analyzer(form, Side::Record));
        }
        let writer = index.writer_with_num_threads(threads, threads * BYTES_PER_WRITER_THREAD)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self {
            index,
            fields,
            reader,
            writer: Mutex::new(writer),
            columns: ColumnCache::default(),
            landing: LandingFacets::default(),
            studies: StudiesCache::default(),
        })
    }

    /// Makes changes, in order, in one commit: all of them are kept, or none. Searches that start after this returns see them.
    ///
    /// `applied` says, for every node, how many entries of its log the index now covers. It replaces what was said
    /// before and becomes durable with the changes.
    ///
    /// # Errors
    /// When a record cannot be stored or the disk fails; nothing has changed then.
    pub fn apply(&self, changes: Vec<IndexChange>, applied: &BTreeMap<NodeId, u64>) -> Result<(), SearchError> {
        let mut batch = self.begin()?;
        batch.add(changes)?;
        batch.commit(applied)
    }

    /// Begins changes that are made in one commit, as those of [`apply`](Self::apply), and need not be at hand together. Other writers
    /// wait until it ends.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn begin(&self) -> Result<Batch<'_>, SearchError> {
        // A panic while the lock was held left uncommitted changes at most.
        let poisoned = self.writer.is_poisoned();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if poisoned {
            writer.rollback().map_err(SearchError::apply)?;
            self.writer.clear_poison();
        }
        Ok(Batch { index: self, writer, committed: false })
    }

    /// What the last [`apply`](Self::apply) said is covered; empty for a new index.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn applied(&self) -> Result<BTreeMap<NodeId, u64>, SearchError> {
        let payload = self.index.load_metas().map_err(SearchError::read)?.payload;
        payload.map_or_else(|| Ok(BTreeMap::new()), |text| serde_json::from_str(&text).map_err(SearchError::read))
    }

    /// Searches the records as of the last [`apply`](Self::apply).
    ///
    /// # Errors
    /// When the query is too large, its cursor belongs to another order, or the index cannot be read.
    pub fn search(&self, query: &Query) -> Result<Results, SearchError> {
        self.search_knowing(query, &())
    }

    /// As [`search`](Self::search), with words that are known to name something finding all that is it.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_knowing(&self, query: &Query, vocabulary: &dyn Vocabulary) -> Result<Results, SearchError> {
        let (searcher, fields, columns) = (&self.reader.searcher(), &self.fields, &self.columns);
        let studies = query.collapse.then(|| self.studies.of(searcher, columns, &query.visible)).transpose()?;
        let studies = studies.as_ref();
        Search { query, fields, searcher, columns, landing: &self.landing, vocabulary, studies }.run()
    }

    /// Records like one, most alike first, by terms and text; none where the reader may not see that one. Of each other study
    /// there is one, and none of the record's own. A hit's
    /// `matched_via` names the terms that both have, its `highlights` the words.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn similar(&self, key: &DatasetKey, visible: &[Access], most: usize) -> Result<Vec<Hit>, SearchError> {
        let searcher = &self.reader.searcher();
        let Some(address) = find(searcher, &self.key_term(key)).map_err(SearchError::read)? else {
            return Ok(Vec::new());
        };
        let record: SearchDocument = stored_as(searcher, &self.fields, address)?;
        if !visible.contains(&record.access) {
            return Ok(Vec::new());
        }
        let studies = &self.studies.of(searcher, &self.columns, visible)?;
        let place = Place { segment: address.segment_ord as usize, doc: address.doc_id };
        let (record, fields, columns) = (&record, &self.fields, &self.columns);
        Similar { record, place, studies, fields, searcher, columns, visible, most }.run()
    }

    /// The study of a record as a reader of these access levels sees it; none where there is no such record for them.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn study(&self, key: &DatasetKey, visible: &[Access]) -> Result<Option<StudyRecord>, SearchError> {
        let searcher = self.reader.searcher();
        let address = find(&searcher, &self.key_term(key)).map_err(SearchError::read)?;
        let studies = self.studies.of(&searcher, &self.columns, visible)?;
        let describer = Describer { searcher: &searcher, fields: &self.fields, studies: &studies };
        address.map_or(Ok(None), |address| describer.study_of_record(address, visible))
    }

    /// One record. Whether the reader may see it is for the caller to decide.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn document(&self, key: &DatasetKey) -> Result<Option<SearchDocument>, SearchError> {
        let searcher = self.reader.searcher();
        let address = find(&searcher, &self.key_term(key)).map_err(SearchError::read)?;
        address.map(|address| stored_as(&searcher, &self.fields, address)).transpose()
    }

    /// Number of records, of every access level.
    pub fn count(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Number of records per node, of every access level.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn counts_by_node(&self) -> Result<BTreeMap<NodeId, u64>, SearchError> {
        let mut tally = Tally::default();
        for reader in self.reader.searcher().segment_readers() {
            let alive = Chosen::new(reader.doc_ids_alive().collect(), reader.max_doc());
            let columns = self.columns.of(reader)?;
            let nodes = FACETS.iter().zip(&columns.facets).find(|(facet, _)| **facet == Facet::Node);
            nodes.map_or(Ok(()), |(_, column)| tally.add(column, &alive, &[]))?;
        }
        let read = |value: crate::FacetValue| Ok((value.value.parse().map_err(SearchError::read)?, value.count));
        tally.values(Facet::Node).into_iter().map(read).collect()
    }

    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// Fields with the ancestors of organisms, of methods and of other entities.
    pub(crate) fn closure_fields(&self) -> [Field; 3] {
        [self.fields.organism_closure, self.fields.method_closure, self.fields.entity_closure]
    }

    /// Fields of facets, in the order of [`FACETS`].
    pub(crate) fn facet_fields(&self) -> &[Field] {
        &self.fields.facets
    }

    fn key_term(&self, key: &DatasetKey) -> Term {
        Term::from_field_text(self.fields.key, &key_text(key))
    }
}

/// Changes that are made together; those that are not committed are forgotten.
pub struct Batch<'a> {
    index: &'a SearchIndex,
    writer: MutexGuard<'a, IndexWriter>,
    committed: bool,
}

impl Batch<'_> {
    /// Makes changes, in order.
    ///
    /// # Errors
    /// When a record cannot be stored or the disk fails.
    pub fn add(&mut self, changes: Vec<IndexChange>) -> Result<(), SearchError> {
        for change in changes {
            let key = match &change {
                IndexChange::Put(document) => &document.key,
                IndexChange::Remove(key) => key,
            };
            self.writer.delete_term(self.index.key_term(key));
            if let IndexChange::Put(document) = change {
                self.writer.add_document(self.index.fields.document(&document)?).map_err(SearchError::apply)?;
            }
        }
        Ok(())
    }

    /// Keeps the changes; `applied` as for [`SearchIndex::apply`].
    ///
    /// # Errors
    /// When the disk fails; nothing has changed then.
    pub fn commit(mut self, applied: &BTreeMap<NodeId, u64>) -> Result<(), SearchError> {
        let payload = serde_json::to_string(applied).map_err(SearchError::apply)?;
        let mut commit = self.writer.prepare_commit().map_err(SearchError::apply)?;
        commit.set_payload(&payload);
        commit.commit().map_err(SearchError::apply)?;
        self.committed = true;
        self.index.reader.reload().map_err(SearchError::read)?;
        self.index.columns.keep_only(&self.index.reader.searcher());
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.committed
            && let Err(error) = self.writer.rollback()
        {
            tracing::error!(%error, "changes of the search index that were given up could not be taken back");
        }
    }
}

fn open_index(folder: &Path, fields: &Fields) -> tantivy::Result<Index> {
    std::fs::create_dir_all(folder)?;
    Index::open_or_create(MmapDirectory::open(folder)?, fields.schema.clone())
}

/// Deletes what earlier and later versions of this crate left in the folder, and nothing else.
fn delete_other_versions(dir: &Path, current: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let version = name.strip_prefix("schema-").and_then(|version| version.parse::<u32>().ok());
        if version.is_some() && path != current && path.is_dir() {
            tracing::info!(folder = %path.display(), "deleting a search index of another version");
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

fn find(searcher: &Searcher, term: &Term) -> tantivy::Result<Option<DocAddress>> {
    for (segment, reader) in (0_u32..).zip(searcher.segment_readers()) {
        let inverted = reader.inverted_index(term.field())?;
        let Some(mut postings) = inverted.read_postings(term, IndexRecordOption::Basic)? else { continue };
        let mut doc = postings.doc();
        while doc != TERMINATED {
            if !reader.is_deleted(doc) {
                return Ok(Some(DocAddress::new(segment, doc)));
            }
            doc = postings.advance();
        }
    }
    Ok(None)
}
