//! Reading a crate: bytes in, a normalised summary, a graph, and everything that was odd about it out.

mod checks;
mod date;
mod entity;
mod gide_entry;
mod glance;
mod ids;
mod journal;
pub(crate) mod limits;
mod mending;
mod normalise;
mod people;
mod root;
mod rules;
mod size;
mod study;
mod summary;
mod terms;
pub(crate) mod text;
mod triples;

use dataset_model::{Findings, StudyKey, Summary};
use serde_json::Value;

use crate::{CrateError, CrateGraph, Ontology, contacts, context::Vocabulary};
use entity::Entities;
pub use glance::{Glance, glance};
use ids::Ids;
use journal::Journal;
use normalise::Normaliser;
use rules::Rule;
pub use rules::{CrateRule, Level, crate_rules};
pub use size::SizeUnit;

/// What was read from a crate.
#[derive(Debug)]
pub struct ReadCrate {
    /// What it says, with findings and repairs.
    pub summary: Summary,
    /// The same as RDF.
    pub graph: CrateGraph,
    /// By what it may be known as the same study as another record.
    pub study_keys: Vec<StudyKey>,
}

/// Reads an RO-Crate metadata file (RO-Crate 1.1, 1.2; GIDE search profile).
///
/// `base` is the absolute IRI of the dataset's page: ids without a scheme belong to it, and a root `./` becomes it. Dirt is
/// repaired and recorded, and what breaks the profile is a finding; neither makes reading fail.
///
/// # Errors
/// When the bytes are no JSON with a `@graph` and a root dataset, or exceed 16 MiB, 64 levels or 200,000 entities.
pub fn read_crate(bytes: &[u8], base: &str, ontology: &Ontology) -> Result<ReadCrate, CrateError> {
    let mut journal = Journal::default();
    let Mended { entities, root, vocabulary } = mended(bytes, base, ontology, &mut journal)?;
    let triples = triples::of(&entities, &vocabulary, &mut journal)?;
    let mut summary = summary::of(&entities, &root, ontology);
    checks::check(&entities, &root, &summary, ontology, &mut journal);
    (summary.repairs, summary.findings) = journal.finish();
    summary.incomplete = summary.findings.has_errors();
    let study_keys = entities.get(&root).map(|root| study::keys(&entities, root, &summary)).unwrap_or_default();
    Ok(ReadCrate { graph: CrateGraph::new(triples), summary, study_keys })
}

/// The dataset of a crate with its parts nested, as the field's search service answers it (`BioImage-Archive/gide-search`).
///
/// # Errors
/// As [`read_crate`].
pub fn gide_entry(bytes: &[u8], base: &str, ontology: &Ontology) -> Result<Value, CrateError> {
    let Mended { entities, root, .. } = mended(bytes, base, ontology, &mut Journal::default())?;
    Ok(gide_entry::of(&entities, &root, ontology))
}

/// A crate whose dirt is repaired.
struct Mended {
    entities: Entities,
    /// The id of the dataset among them.
    root: String,
    vocabulary: Vocabulary,
}

fn mended(bytes: &[u8], base: &str, ontology: &Ontology, journal: &mut Journal) -> Result<Mended, CrateError> {
    limits::check(bytes)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut document: Value = serde_json::from_slice(bytes).map_err(|source| CrateError::NotJson(Box::new(source)))?;
    let withheld = contacts::withhold_contacts(&mut document);
    let graph = document.get("@graph").and_then(Value::as_array).ok_or(CrateError::NotJsonLd)?;
    let vocabulary = Vocabulary::read(document.get("@context").unwrap_or(&Value::Null));
    report_contexts(&vocabulary, journal);
    if withheld > 0 {
        journal.repair("email.removed", &format!("{withheld} e-mail addresses or telephone numbers"), "");
    }

    let ids = Ids::new(base, &vocabulary)?;
    let folder = ids.folder().to_owned();
    let mut normaliser = Normaliser::new(&vocabulary, ids, journal);
    for (at, element) in graph.iter().enumerate() {
        normaliser.take(at, element)?;
    }
    let mut found = normaliser.entities;
    let root = root::find(&found, base, journal).ok_or(CrateError::NoRoot)?;
    let root = mending::mend(&mut found, &root, (base, &folder), journal);
    let mut entities = Entities::of(found, &folder, journal);
    terms::name_unnamed(&mut entities, ontology, journal);
    Ok(Mended { entities, root, vocabulary })
}

fn report_contexts(vocabulary: &Vocabulary, journal: &mut Journal) {
    let place = "ro-crate-metadata.json#/@context";
    if !vocabulary.is_given {
        let message = "There is no '@context', so the crate was read as RO-Crate 1.2.";
        journal.find(Rule::ContextMissing.at(place, message));
    }
    for unknown in &vocabulary.unknown {
        let unknown = journal::clip(unknown);
        let message = format!("The context '{unknown}' is not known here, and contexts are never fetched.");
        journal.find(Rule::ContextUnknown.at(place, message));
    }
}
