//! Ontologies on disk: a folder each, and a document in the ledger that says which folder counts.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dataset_model::Timestamp;
use ledger::{Collection, Ledger};
use metadata_store::{MetadataError, Ontology, OntologyTable};

use super::OntologyRecord;
use crate::{NodeError, service::unusable};

pub(super) const COLLECTION: &str = "ontologies";
/// Where an ontology grows while it is being read.
const GROWING: &str = ".loading";

/// The folder of all ontologies.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("ontologies")
}

/// Opens the ontologies, takes in those that came with the program, and removes what an interrupted load left.
pub(crate) fn open(data_dir: &Path, ledger: &Ledger) -> Result<Arc<Ontology>, NodeError> {
    let folder = folder(data_dir);
    std::fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
    let records: Collection<OntologyRecord> = ledger.collection(COLLECTION);
    let mut tables = Vec::new();
    for row in records.iter_prefix("") {
        let (name, record) = row?;
        match OntologyTable::open(&folder.join(&record.folder)) {
            Ok(table) => tables.push(Arc::new(table)),
            Err(error) => {
                tracing::error!(
                    ontology = name,
                    error = &error as &dyn std::error::Error,
                    "an ontology cannot be opened; load it again"
                );
            }
        }
    }
    for bundled in Ontology::bundled_tables() {
        let name = &bundled.info().name;
        let known = records.get(name)?;
        let at = tables.iter().position(|table| table.info().name == *name);
        let is_current = known.is_some_and(|known| !known.bundled || known.digest == bundled.info().digest);
        if at.is_none() || !is_current {
            let before = at.map(|at| tables.swap_remove(at));
            commit_bundled(&folder, ledger, &bundled, before.is_some())?;
            tables.push(bundled);
        }
    }
    clean(&folder, &records)?;
    Ok(Arc::new(Ontology::of(tables)))
}

fn commit_bundled(folder: &Path, ledger: &Ledger, table: &OntologyTable, has_before: bool) -> Result<(), NodeError> {
    let growing = begin(folder)?;
    table.write(&growing).map_err(NodeError::Metadata)?;
    commit(folder, ledger, table, true, has_before)
}

/// An empty folder for an ontology to grow in.
pub(super) fn begin(folder: &Path) -> Result<PathBuf, NodeError> {
    let growing = folder.join(GROWING);
    give_up(folder);
    std::fs::create_dir_all(&growing).map_err(|error| unusable(&growing, &error))?;
    Ok(growing)
}

/// Removes what was growing.
pub(super) fn give_up(folder: &Path) {
    let growing = folder.join(GROWING);
    match std::fs::remove_dir_all(&growing) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, folder = %growing.display(), "cannot remove what an ontology left");
        }
        _ => {}
    }
}

/// Makes the ontology that has grown the one that counts: the ledger's write is the moment.
pub(super) fn commit(
    folder: &Path,
    ledger: &Ledger,
    table: &OntologyTable,
    bundled: bool,
    has_before: bool,
) -> Result<(), NodeError> {
    let info = table.info();
    let records: Collection<OntologyRecord> = ledger.collection(COLLECTION);
    let before = records.get(&info.name)?.filter(|_| has_before);
    let name = format!("{}-{}", info.name, Timestamp::now().to_string().replace([':', '.'], ""));
    let name = format!("{name}-{}", info.digest.to_string().get(..12).unwrap_or_default());
    let place = folder.join(&name);
    std::fs::rename(folder.join(GROWING), &place)
        .and_then(|()| std::fs::File::open(folder)?.sync_all())
        .map_err(|error| unusable(&place, &error))?;
    let record = OntologyRecord {
        folder: name,
        digest: info.digest,
        bundled,
        loaded: Timestamp::now(),
        replaces: before.map(|before| before.folder),
        settled: false,
    };
    Ok(ledger.write(vec![records.put(&info.name, &record)?])?)
}

/// The edition that a record's ontology replaces, while it is still needed.
pub(super) fn before(folder: &Path, record: &OntologyRecord) -> Result<Option<OntologyTable>, MetadataError> {
    record.replaces.as_ref().map(|name| OntologyTable::open(&folder.join(name))).transpose()
}

/// Removes folders that no record names.
pub(super) fn clean(folder: &Path, records: &Collection<OntologyRecord>) -> Result<(), NodeError> {
    let mut named = Vec::new();
    for row in records.iter_prefix("") {
        let record = row?.1;
        named.push(record.folder);
        named.extend(record.replaces);
    }
    for entry in std::fs::read_dir(folder).map_err(|error| unusable(folder, &error))? {
        let entry = entry.map_err(|error| unusable(folder, &error))?;
        if !named.iter().any(|name| *name == *entry.file_name().to_string_lossy()) {
            let path = entry.path();
            std::fs::remove_dir_all(&path).map_err(|error| unusable(&path, &error))?;
        }
    }
    Ok(())
}
