use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{LedgerError, database::Database, keys, records};

/// A change to a document that has not happened yet: give it to [`Ledger::append`](crate::Ledger::append) or
/// [`Ledger::write`](crate::Ledger::write). Of two changes to one document in the same call, the later one counts.
#[derive(Debug, Clone)]
#[must_use = "a change happens when it is given to the ledger"]
pub struct Change {
    /// The document's full key.
    pub(crate) key: Vec<u8>,
    /// What it shall be; nothing removes it.
    pub(crate) value: Option<Vec<u8>>,
}

/// Typed JSON documents under one name, in the order of their keys. Cheap to make and to clone.
pub struct Collection<T> {
    database: Arc<Database>,
    name: &'static str,
    documents: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { database: Arc::clone(&self.database), name: self.name, documents: PhantomData }
    }
}

impl<T> std::fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    pub(crate) fn new(database: Arc<Database>, name: &'static str) -> Self {
        debug_assert!(!name.contains('/'), "'/' ends a collection's name");
        Self { database, name, documents: PhantomData }
    }

    /// The document under `key`.
    ///
    /// # Errors
    /// When it cannot be read, or is not a `T`.
    pub fn get(&self, key: &str) -> Result<Option<T>, LedgerError> {
        let record = records::get(&self.database, &keys::document(self.name, key))?;
        record.map(|record| self.read(key, &record)).transpose()
    }

    /// All documents whose keys start with `prefix`, in the order of their keys. An empty prefix gives all.
    ///
    /// Documents that change while this runs show in their old or in their new form.
    pub fn iter_prefix(&self, prefix: &str) -> impl Iterator<Item = Result<(String, T), LedgerError>> + use<T> {
        let documents = self.clone();
        self.database.scan(&keys::document(self.name, prefix)).filter_map(move |row| documents.row(row).transpose())
    }

    /// The documents whose keys come after `key`, in order; what is before them is not read.
    pub fn iter_after(&self, key: &str) -> impl Iterator<Item = Result<(String, T), LedgerError>> + use<T> {
        let (documents, mut end) = (self.clone(), keys::document(self.name, ""));
        let from = [&keys::document(self.name, key)[..], &[0]].concat();
        // Past all keys of the collection: the character after the slash that ends its name.
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        self.database.range(from, end).filter_map(move |row| documents.row(row).transpose())
    }

    /// Of the documents whose keys start with `prefix`, the last one whose key is `key` or comes before it.
    ///
    /// # Errors
    /// When it cannot be read, or is not a `T`.
    pub fn last_until(&self, prefix: &str, key: &str) -> Result<Option<(String, T)>, LedgerError> {
        let (from, to) = (keys::document(self.name, prefix), keys::document(self.name, key));
        let rows = self.database.backwards(from, to);
        rows.map(|row| self.row(row)).find_map(Result::transpose).transpose()
    }

    /// The change that stores `document` under `key`, in place of what is there.
    ///
    /// # Errors
    /// When the document has no JSON form.
    pub fn put(&self, key: &str, document: &T) -> Result<Change, LedgerError> {
        let value = serde_json::to_vec(document).map_err(|source| self.unreadable(key, source))?;
        Ok(Change { key: keys::document(self.name, key), value: Some(value) })
    }

    /// The change that removes the document under `key`, if there is one.
    pub fn remove(&self, key: &str) -> Change {
        Change { key: keys::document(self.name, key), value: None }
    }

    /// The changes that remove all documents whose keys start with `prefix`.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub fn remove_prefix(&self, prefix: &str) -> Result<Vec<Change>, LedgerError> {
        let rows = self.database.scan(&keys::document(self.name, prefix));
        rows.map(|row| row.map(|(key, _)| Change { key, value: None })).collect()
    }

    /// A document found by a scan; nothing when it was removed since.
    fn row(&self, row: Result<(Vec<u8>, Bytes), LedgerError>) -> Result<Option<(String, T)>, LedgerError> {
        let (key, value) = row?;
        let name: String = keys::rest(&key, keys::document(self.name, "").len())?;
        let Some(record) = records::resolve(&self.database, &key, value)? else { return Ok(None) };
        let document = self.read(&name, &record)?;
        Ok(Some((name, document)))
    }

    fn read(&self, key: &str, record: &[u8]) -> Result<T, LedgerError> {
        serde_json::from_slice(record).map_err(|source| self.unreadable(key, source))
    }

    fn unreadable(&self, key: &str, source: serde_json::Error) -> LedgerError {
        LedgerError::Document { collection: self.name, key: key.to_owned(), source }
    }
}
