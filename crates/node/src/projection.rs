//! `apply`: how an entry of any log becomes what search and RDF show. Deposits, harvests and rebuilds all come here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use dataset_model::{Access, DatasetKey, Digest, Entry, Event, NodeId, Person, StudyKey, Summary, Term, TermIri};
use metadata_store::{CrateGraph, ExtraValue, GraphChange, MetadataStore, Ontology, Provenance};
use search_index::{IndexChange, SearchDocument, SearchIndex};

use crate::{
    ImageView, Node, NodeError,
    dataset::{kind_of, unreadable_summary},
    image_facets,
    image_facts::VOCABULARY,
    origin,
    vocabulary::{FieldVocabulary, Known},
};

/// What arrives in bulk is in RDF after this time at the latest, and that of one more commit.
const LONGEST_COMMIT: Duration = Duration::from_secs(30);
/// The same for search.
const LONGEST_SEARCH_COMMIT: Duration = Duration::from_secs(4);
/// So many changes at a time come in bulk.
pub(crate) const BULK: usize = 64;
/// How long RDF and search wait for more to commit with what they have.
const SOON: Duration = Duration::from_secs(2);
const SOON_FOR_SEARCH: Duration = Duration::from_millis(600);

/// A store that can be made again from the logs.
pub(crate) trait Projection: Send + Sync {
    /// How far each log has been applied; kept in the store itself, so that a deleted store starts from nothing.
    fn applied(&self) -> Result<BTreeMap<NodeId, u64>, NodeError>;

    /// Applies the first step, and as many of those after it as are better committed together, and remembers how far, in one
    /// commit.
    fn apply(&self, steps: &mut dyn Steps) -> Result<(), NodeError>;
}

/// What there is to apply, in the order of a log; made when it is asked for.
pub(crate) trait Steps {
    /// The next, where there is one now.
    fn next(&mut self) -> Result<Option<Step>, NodeError>;

    /// The next, also where it comes within this time; somebody who waits to see what there is so far is not kept waiting.
    fn next_within(&mut self, time: Duration) -> Result<Option<Step>, NodeError>;
}

/// Some changes, and how far each log has been applied with them.
pub(crate) struct Step {
    pub(crate) changes: Vec<RecordChange>,
    pub(crate) applied: BTreeMap<NodeId, u64>,
}

/// The state of one dataset after an entry.
pub(crate) struct RecordChange {
    key: DatasetKey,
    /// The dataset's page: the name of its graph.
    page: String,
    /// What to show; nothing when it was withdrawn.
    live: Option<Live>,
    /// Ancestors of its terms, themselves included.
    closure: Closure,
    /// What the provenance graph says of it.
    provenance: Provenance,
}

struct Live {
    entry: Entry,
    summary: Summary,
    graph: Option<CrateGraph>,
    study_keys: Vec<StudyKey>,
    images: Vec<ImageView>,
}

/// Ancestors of a record's terms, themselves included, and every name they go by.
#[derive(Default)]
struct Closure {
    organisms: Vec<TermIri>,
    organism_names: Vec<String>,
    methods: Vec<TermIri>,
    method_names: Vec<String>,
    about: Vec<TermIri>,
    about_names: Vec<String>,
}

impl Node {
    /// Reads what an entry makes of its dataset. Pure reading: calling it again gives the same.
    pub(crate) fn change_of(&self, node: &NodeId, (index, entry): (u64, Entry)) -> Result<RecordChange, NodeError> {
        let key = DatasetKey { node: node.clone(), id: entry.dataset.clone() };
        let page = self.page_of(&key);
        let bytes = self.crate_of_entry(&entry)?;
        // A crate that a peer announced and did not give: nothing to show until it has.
        let (Some(bytes), false) = (bytes, matches!(entry.event, Event::Withdraw(_))) else {
            let provenance = origin::statements(self.provenance_graph(), &page, None);
            return Ok(RecordChange { key, page, live: None, closure: Closure::default(), provenance });
        };
        let digest = entry.crate_digest().unwrap_or_else(|| Digest::of(&bytes));
        let (summary, graph, study_keys) = match self.recent_reads.read((digest, &bytes), &page, &self.ontology) {
            Ok(read) => (read.summary.clone(), Some(read.graph.clone()), read.study_keys.clone()),
            Err(error) => (unreadable_summary(&page, &error.to_string()), None, Vec::new()),
        };
        let url = self.url_of(node);
        let images = self.images_at(url.as_deref().unwrap_or_default(), &key, &entry, Some(&bytes))?;
        let closure = Closure::of(&summary, &self.ontology);
        let view = self.provenance_of(&key, (index, &entry), &summary)?;
        let node_page = url.unwrap_or_else(|| format!("urn:heliograph:{node}"));
        let provenance = origin::statements(self.provenance_graph(), &page, Some((&view, &summary, &node_page)));
        Ok(RecordChange {
            key,
            page,
            closure,
            provenance,
            live: Some(Live { entry, summary, graph, study_keys, images }),
        })
    }
}

#[cfg(test)]
impl RecordChange {
    /// All that search and RDF would get.
    pub(crate) fn text(&self) -> String {
        let live = self.live.as_ref().map(|live| (&live.summary, &live.graph, &live.images));
        format!("{live:?}{:?}", self.provenance)
    }
}

impl Closure {
    fn of(summary: &Summary, ontology: &Ontology) -> Self {
        let (organisms, organism_names) = close(&summary.organisms, ontology);
        let (methods, method_names) = close(&summary.methods, ontology);
        let (about, about_names) = close(&summary.about, ontology);
        Self { organisms, organism_names, methods, method_names, about, about_names }
    }
}

fn close(terms: &[Term], ontology: &Ontology) -> (Vec<TermIri>, Vec<String>) {
    let mut iris: Vec<TermIri> = terms.iter().flat_map(|term| ontology.ancestors_or_self(&term.iri)).collect();
    iris.extend(terms.iter().map(|term| term.iri.clone()));
    iris.sort();
    iris.dedup();
    let mut names: Vec<String> = terms.iter().map(|term| term.label.clone()).collect();
    for iri in &iris {
        names.extend(ontology.label(iri));
        names.extend(ontology.synonyms(iri));
        names.extend(FieldVocabulary::bundled().names_of(iri).cloned());
    }
    names.sort();
    names.dedup();
    let known = Known { ontology, field: FieldVocabulary::bundled() };
    names.retain(|name| !known.misleads(name, &iris));
    (iris, names)
}

impl Projection for SearchIndex {
    fn applied(&self) -> Result<BTreeMap<NodeId, u64>, NodeError> {
        Ok(SearchIndex::applied(self)?)
    }

    fn apply(&self, steps: &mut dyn Steps) -> Result<(), NodeError> {
        let Some(first) = steps.next()? else { return Ok(()) };
        let mut batch = self.begin()?;
        let applied = add_all(first, steps, (LONGEST_SEARCH_COMMIT, SOON_FOR_SEARCH), |changes| {
            // What comes one by one is worth a commit; the many small parts of an index that commits of a bulk leave have to be merged.
            let is_bulk = changes.len() >= BULK;
            batch.add(changes.into_iter().map(index_change).collect())?;
            Ok(is_bulk)
        })?;
        Ok(batch.commit(&applied)?)
    }
}

impl Projection for MetadataStore {
    fn applied(&self) -> Result<BTreeMap<NodeId, u64>, NodeError> {
        MetadataStore::applied(self).map_err(NodeError::Metadata)
    }

    fn apply(&self, steps: &mut dyn Steps) -> Result<(), NodeError> {
        let Some(first) = steps.next()? else { return Ok(()) };
        let mut batch = self.begin();
        let applied = add_all(first, steps, (LONGEST_COMMIT, SOON), |changes| {
            batch.add(changes.into_iter().map(graph_change).collect()).map_err(NodeError::Metadata)?;
            Ok(batch.takes_more())
        })?;
        batch.commit(&applied).map_err(NodeError::Metadata)
    }
}

/// Adds the first step to a commit, and those that follow within `soon` of each other, as long as `add` says that the commit takes more and
/// `longest` is not over; gives how far each log is applied with them.
fn add_all(
    first: Step,
    steps: &mut dyn Steps,
    (longest, soon): (Duration, Duration),
    mut add: impl FnMut(Vec<RecordChange>) -> Result<bool, NodeError>,
) -> Result<BTreeMap<NodeId, u64>, NodeError> {
    let begun = Instant::now();
    let mut step = first;
    loop {
        let takes_more = add(step.changes)?;
        let next = if takes_more && begun.elapsed() < longest { steps.next_within(soon)? } else { None };
        match next {
            Some(next) => step = next,
            None => return Ok(step.applied),
        }
    }
}

fn index_change(change: RecordChange) -> IndexChange {
    match change.live {
        None => IndexChange::Remove(change.key),
        Some(live) => IndexChange::Put(Box::new(document(change.key, change.page, live, change.closure))),
    }
}

fn document(key: DatasetKey, page: String, live: Live, closure: Closure) -> SearchDocument {
    let Live { entry, summary, study_keys, images, .. } = live;
    let kind = kind_of(&entry);
    SearchDocument {
        iri: if summary.iri.is_empty() { page } else { summary.iri.clone() },
        version: entry.version,
        date: summary.date_published.clone(),
        year: summary.year(),
        title: summary.title,
        description: summary.description,
        orcids: summary.authors.iter().filter_map(|author| author.orcid.clone()).collect(),
        affiliations: affiliations(&summary.authors),
        authors: summary.authors.into_iter().map(|author| author.name).collect(),
        keywords: summary.keywords,
        text: [summary.text, image_facets::names(&images)].concat(),
        related: summary.related_text,
        image_facets: image_facets::of(&images),
        organisms: summary.organisms,
        organism_closure: closure.organisms,
        organism_names: closure.organism_names,
        methods: summary.methods,
        method_closure: closure.methods,
        method_names: closure.method_names,
        about: summary.about,
        about_closure: closure.about,
        about_names: closure.about_names,
        entities: summary.entities,
        publisher: summary.publisher.map(|publisher| publisher.name),
        licence: summary.licence.map(|licence| licence.label().to_owned()),
        access: Access::Open,
        identifiers: summary.identifiers.into_iter().chain([key.id.to_string()]).collect(),
        images: u32::try_from(images.len()).unwrap_or(u32::MAX),
        bytes: summary.declared.bytes,
        thumbnail: images.into_iter().find_map(|image| image.thumbnail).or(summary.thumbnail),
        kind: kind.as_str().to_owned(),
        study_keys,
        key,
    }
}

/// Names and RORs of the authors' affiliations, each once.
fn affiliations(authors: &[Person]) -> Vec<String> {
    let all = authors.iter().flat_map(|author| author.affiliations.iter().chain(&author.affiliation_rors));
    let all: BTreeSet<&String> = all.collect();
    all.into_iter().cloned().collect()
}

fn graph_change(change: RecordChange) -> GraphChange {
    let Some(Live { entry, summary, graph, images, .. }) = change.live else {
        let (extra, root) = Default::default();
        return GraphChange { graph: change.page, content: None, extra, root, provenance: Some(change.provenance) };
    };
    let word = |name: &str| format!("{VOCABULARY}{name}");
    let mut extra = vec![
        (word("node"), ExtraValue::Text(change.key.node.to_string())),
        (word("datasetId"), ExtraValue::Text(change.key.id.to_string())),
        (word("page"), ExtraValue::Iri(change.page.clone())),
        (word("version"), ExtraValue::Integer(i64::from(entry.version.get()))),
        (word("published"), ExtraValue::DateTime(entry.time.to_string())),
        (word("images"), ExtraValue::Integer(i64::try_from(images.len()).unwrap_or(i64::MAX))),
    ];
    let ancestors = |name: &str, terms: Vec<TermIri>| {
        terms.into_iter().map(|term| (word(name), ExtraValue::Iri(term.to_string()))).collect::<Vec<_>>()
    };
    extra.extend(ancestors("organismOrBroader", change.closure.organisms));
    extra.extend(ancestors("methodOrBroader", change.closure.methods));
    let provenance = Some(change.provenance);
    GraphChange { graph: change.page, content: graph, extra, root: summary.iri, provenance }
}
