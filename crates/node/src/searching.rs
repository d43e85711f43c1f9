use std::{collections::BTreeMap, sync::Arc};

use dataset_model::{DatasetId, DatasetKey, NodeId, TermIri, Timestamp};
use search_index::{Cursor, FacetSelection, Facets, Hit, ImageQuery, Query, Sort, Suggestion, Within};
use serde::Serialize;

use crate::{
    Actor, Node, NodeError, facet_tree, policy,
    vocabulary::{FieldVocabulary, Known},
};

/// A search as people and programs ask it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the names are those of the API, described there")]
pub struct SearchRequest {
    pub text: String,
    /// Where the words are looked for.
    pub within: Within,
    /// IRIs, CURIEs or labels; descendants are included.
    pub organism: Vec<String>,
    /// IRIs, CURIEs or labels; descendants are included.
    pub method: Vec<String>,
    /// IRIs, CURIEs or labels of tissues, cell lines, cell components; descendants are included. In quotes, names without a term.
    pub entity: Vec<String>,
    /// ORCIDs or whole names.
    pub author: Vec<String>,
    /// RORs or whole names.
    pub affiliation: Vec<String>,
    pub identifier: Vec<String>,
    pub publisher: Vec<String>,
    pub licence: Vec<String>,
    pub node: Vec<NodeId>,
    pub access: Vec<dataset_model::Access>,
    pub year_from: Option<u16>,
    pub year_to: Option<u16>,
    /// In bytes.
    pub size_min: Option<u64>,
    /// In bytes.
    pub size_max: Option<u64>,
    pub has_thumbnail: Option<bool>,
    pub has_images: Option<bool>,
    pub images: ImageQuery,
    /// Whether the records of one study are one hit.
    pub collapse: bool,
    pub sort: Sort,
    pub size: usize,
    pub cursor: Option<String>,
    /// Which counts by value are wanted: all, when nobody says.
    pub facets: FacetSelection,
    /// Who is asked.
    pub scope: SearchScope,
    /// What other nodes are asked, as name–value pairs: all of the above but what concerns this node's answer alone.
    pub asked: Vec<(String, String)>,
}

/// Who answers a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchScope {
    /// This node, from its own records and the verified copies it holds.
    #[default]
    Held,
    /// All nodes at once, each for its own records; from the copy where one does not answer in time.
    Live,
}

/// What was found, where, and how far each source had come.
#[derive(Debug, Clone, Default)]
pub struct SearchAnswer {
    /// Records that match.
    pub total: u64,
    /// Studies these records describe, where they are collapsed to studies.
    pub studies: Option<u64>,
    /// One page of them.
    pub hits: Vec<Hit>,
    /// Hits that only a peer vouches for, each with the address of its page there. All others are this node's own, or in its
    /// verified copies.
    pub unverified: BTreeMap<DatasetKey, String>,
    /// Counts over all of them that are held here, as far as they were wanted.
    pub facets: Facets,
    /// Which were.
    pub counted: FacetSelection,
    /// Ask with this for the next page.
    pub next_cursor: Option<String>,
    /// Other spellings of the text that find more, where it finds little.
    pub suggestions: Vec<Suggestion>,
    /// Where the answer comes from.
    pub sources: Vec<SourceReport>,
    /// Organisms and methods asked for that no ontology here knows; nothing can match them.
    pub unresolved: Vec<String>,
    /// Who was asked.
    pub scope: SearchScope,
    /// The order the hits are in: relevance only where there are words to rank by.
    pub order: Sort,
    /// Whether nothing held here has the words as they are, so that the last was taken as a beginning.
    pub loose: bool,
}

/// How far one source's records are in this answer.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// The node whose records these are.
    pub node: NodeId,
    /// `live` for a node that answered itself, `mirror` for a peer's verified copy, `absent` for a peer that did not answer and of
    /// which nothing is held.
    pub status: &'static str,
    /// Entries of its log that the answer covers.
    pub as_of: u64,
    /// Records of it that match.
    pub total: u64,
    /// Of a copy: when it was last known to be all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<Timestamp>,
    /// Of a node that was asked: how long that took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Of a node that was to be asked and did not answer: why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Node {
    /// Searches everything held, whichever node it came from, or all nodes at once.
    ///
    /// # Errors
    /// When the request is too large or its cursor is not one of ours.
    pub async fn search(self: &Arc<Self>, actor: &Actor, request: SearchRequest) -> Result<SearchAnswer, NodeError> {
        match request.scope {
            SearchScope::Held => self.search_held(actor, request).await,
            SearchScope::Live => self.search_live(actor, request).await,
        }
    }

    /// Searches everything held.
    pub(crate) async fn search_held(
        self: &Arc<Self>,
        actor: &Actor,
        request: SearchRequest,
    ) -> Result<SearchAnswer, NodeError> {
        let (node, visible) = (self.clone(), policy::visible(actor));
        tokio::task::spawn_blocking(move || node.search_now(request, visible))
            .await
            .map_err(|error| NodeError::Internal(format!("searching: {error}")))?
    }

    /// How many records are held, and of which nodes.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn holdings(self: &Arc<Self>, actor: &Actor) -> Result<SearchAnswer, NodeError> {
        let counts = SearchRequest { size: 0, facets: FacetSelection::NONE, ..SearchRequest::default() };
        self.search(actor, counts).await
    }

    fn search_now(
        &self,
        request: SearchRequest,
        visible: Vec<dataset_model::Access>,
    ) -> Result<SearchAnswer, NodeError> {
        let (organism, mut unresolved) = self.resolve_all(&request.organism);
        let (method, unknown_methods) = self.resolve_all(&request.method);
        unresolved.extend(unknown_methods);
        let cursor = request.cursor.as_deref().map(str::parse::<Cursor>).transpose()?;
        let counted = request.facets;
        let query = Query {
            text: request.text,
            within: request.within,
            organism,
            method,
            entity: self.resolve_entities(request.entity),
            author: request.author,
            affiliation: request.affiliation,
            identifier: request.identifier,
            publisher: request.publisher,
            licence: request.licence,
            node: request.node,
            access: request.access,
            year_from: request.year_from,
            year_to: request.year_to,
            bytes_from: request.size_min,
            bytes_to: request.size_max,
            has_thumbnail: request.has_thumbnail,
            has_images: request.has_images,
            images: request.images,
            sort: request.sort,
            size: request.size,
            cursor,
            // What each source has is said in any case.
            facets: counted.with("node").unwrap_or(counted),
            suggest: true,
            collapse: request.collapse,
            visible,
        };
        let mut results = self.search.search_knowing(&query, &self.vocabulary())?;
        self.plant_terms(&mut results.facets, &query);
        Ok(SearchAnswer {
            total: results.total,
            suggestions: results.suggestions,
            studies: results.studies,
            sources: self.sources(&results.facets),
            hits: results.hits,
            facets: results.facets,
            counted,
            next_cursor: results.next_cursor.map(|cursor| cursor.to_string()),
            unresolved,
            unverified: BTreeMap::new(),
            scope: SearchScope::Held,
            order: results.order,
            loose: results.loose,
        })
    }

    /// The terms asked for. What nobody knows stands for itself where it is an IRI, so that records with terms newer
    /// than our ontologies are found; otherwise it matches nothing, and the answer says so.
    fn resolve_all(&self, asked: &[String]) -> (Vec<TermIri>, Vec<String>) {
        let (mut terms, mut unknown) = (Vec::new(), Vec::new());
        for text in asked.iter().filter(|text| !text.trim().is_empty()) {
            let found = self.vocabulary().resolve(text);
            if !found.is_empty() {
                terms.extend(found);
            } else if let Ok(term) = text.parse() {
                terms.push(term);
            } else {
                unknown.push(text.clone());
                terms.extend("urn:heliograph:no-such-term".parse::<TermIri>());
            }
        }
        (terms, unknown)
    }

    /// Entities go by label too, as few of their ontologies are held here: a label nobody knows is looked up in the records.
    /// What is in quotes is a name alone, and no term.
    fn resolve_entities(&self, asked: Vec<String>) -> Vec<String> {
        let terms =
            |text: &String| self.ontology.resolve(text).into_iter().map(|term| term.to_string()).collect::<Vec<_>>();
        let known: Vec<String> = asked.iter().filter(|text| !text.starts_with('"')).flat_map(terms).collect();
        asked.into_iter().chain(known).collect()
    }

    fn vocabulary(&self) -> Known<'_> {
        Known { ontology: &self.ontology, field: FieldVocabulary::bundled() }
    }

    /// Makes trees of terms, and gives them the ontology's names: records spell them in many ways, and every node must
    /// show the same.
    fn plant_terms(&self, facets: &mut Facets, query: &Query) {
        let entities: Vec<TermIri> = query.entity.iter().filter_map(|text| text.parse().ok()).collect();
        let kinds = [
            (&mut facets.organism, &query.organism),
            (&mut facets.method, &query.method),
            (&mut facets.entity, &entities),
        ];
        for (values, asked) in kinds {
            // A name without a term is in quotes, and no IRI.
            let terms: Vec<Option<TermIri>> = values.iter().map(|value| value.value.parse().ok()).collect();
            for (value, term) in values.iter_mut().zip(&terms) {
                let Some(term) = term else { continue };
                match self.ontology.label(term) {
                    Some(label) => value.label = label,
                    None if value.label == value.value => value.label = term.curie(),
                    None => {}
                }
            }
            let term_at = |at: usize| terms.get(at).and_then(Option::as_ref);
            let parents = |at: usize| term_at(at).map_or_else(Vec::new, |term| self.ontology.parents(term));
            *values = facet_tree::trees(std::mem::take(values), asked, parents);
        }
    }

    fn sources(&self, facets: &Facets) -> Vec<SourceReport> {
        let progress = self.searchable.progress();
        let report = |node: NodeId, status, checked| SourceReport {
            status,
            as_of: progress.get(&node).copied().unwrap_or(0),
            total: facets.node.iter().find(|value| value.value == node.as_str()).map_or(0, |value| value.count),
            node,
            checked,
            took_ms: None,
            why: None,
        };
        let peers = self.peers.all();
        let peers = peers.iter().map(|peer| report(peer.config.id.clone(), "mirror", peer.status().checked));
        std::iter::once(report(self.config.id.clone(), "live", None)).chain(peers).collect()
    }
}

impl SearchRequest {
    /// Reads a search from decoded name–value pairs, as forms and URLs carry them; names may repeat.
    ///
    /// # Errors
    /// When a value cannot be read; an unknown name is ignored, so that old servers take newer links.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, NodeError> {
        let mut request = Self { size: DEFAULT_SIZE, ..Self::default() };
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            let known = request.set(name, value.trim())?;
            if known && !NOT_PASSED_ON.contains(&name) {
                request.asked.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        Ok(request)
    }

    /// Takes one pair; says whether the name is known.
    fn set(&mut self, name: &str, value: &str) -> Result<bool, NodeError> {
        let wrong = |expected: &str| NodeError::Invalid(format!("'{name}={value}': {expected}"));
        match name {
            "q" => value.clone_into(&mut self.text),
            "in" => self.within = within_named(value).ok_or_else(|| wrong("use title, record or everywhere"))?,
            "organism" => self.organism.push(value.to_owned()),
            "method" => self.method.push(value.to_owned()),
            "entity" => self.entity.push(value.to_owned()),
            "author" => self.author.push(value.to_owned()),
            "affiliation" => self.affiliation.push(value.to_owned()),
            "identifier" => self.identifier.push(value.to_owned()),
            "publisher" => self.publisher.push(value.to_owned()),
            "license" | "licence" => self.licence.push(dataset_model::Licence::read(value).label().to_owned()),
            "node" => self.node.push(value.parse().map_err(|error| wrong(&format!("{error}")))?),
            "access" => {
                self.access.push(access_named(value).ok_or_else(|| wrong("use open, metadata-only or restricted"))?)
            }
            "year" => {
                self.year_from = Some(value.parse().map_err(|_| wrong("use a year"))?);
                self.year_to = self.year_from;
            }
            "year_from" => self.year_from = Some(value.parse().map_err(|_| wrong("use a year"))?),
            "year_to" => self.year_to = Some(value.parse().map_err(|_| wrong("use a year"))?),
            "size_min" => self.size_min = Some(value.parse().map_err(|_| wrong("use a number of bytes"))?),
            "size_max" => self.size_max = Some(value.parse().map_err(|_| wrong("use a number of bytes"))?),
            "has_thumbnail" => self.has_thumbnail = Some(value.parse().map_err(|_| wrong("use true or false"))?),
            "has_images" => self.has_images = Some(value.parse().map_err(|_| wrong("use true or false"))?),
            "has_labels" => self.images.has_labels = Some(value.parse().map_err(|_| wrong("use true or false"))?),
            "is_plate" => self.images.is_plate = Some(value.parse().map_err(|_| wrong("use true or false"))?),
            "sharded" => self.images.sharded = Some(value.parse().map_err(|_| wrong("use true or false"))?),
            "image_count" => self.images.image_count.push(value.to_owned()),
            "dimensions" => self.images.dimensions.push(value.to_owned()),
            "channels" => self.images.channels.push(value.to_owned()),
            "data_type" => self.images.data_type.push(value.to_owned()),
            "version" => self.images.version.push(value.to_owned()),
            "facets" => self.facets = facets_named(value).map_err(|expected| wrong(&expected))?,
            "collapse" => self.collapse = collapsed(value).ok_or_else(|| wrong("use study or none"))?,
            "sort" => {
                self.sort = sort_named(value).ok_or_else(|| wrong("use relevance, newest, oldest, largest or title"))?
            }
            "size" => self.size = value.parse().map_err(|_| wrong("use a number from 0 to 200"))?,
            "cursor" => self.cursor = Some(value.to_owned()),
            "scope" => self.scope = scope_named(value).ok_or_else(|| wrong("use held or live"))?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// As many similar records are given at most.
const MAX_SIMILAR: usize = 50;
/// What a live search asks other nodes in its own way, or not at all.
const NOT_PASSED_ON: [&str; 6] = ["node", "facets", "collapse", "size", "cursor", "scope"];
/// Hits on a page when nobody says.
const DEFAULT_SIZE: usize = 20;

fn access_named(name: &str) -> Option<dataset_model::Access> {
    use dataset_model::Access;
    [Access::Open, Access::MetadataOnly, Access::Restricted].into_iter().find(|access| access.as_str() == name)
}

fn within_named(name: &str) -> Option<Within> {
    match name {
        "title" => Some(Within::Title),
        "record" => Some(Within::Record),
        "everywhere" => Some(Within::Everywhere),
        _ => None,
    }
}

/// Some facets by their names, with commas between; all of them, or none. What is wrong with it otherwise.
fn facets_named(names: &str) -> Result<FacetSelection, String> {
    match names {
        "all" => return Ok(FacetSelection::ALL),
        "none" => return Ok(FacetSelection::NONE),
        _ => {}
    }
    names.split(',').try_fold(FacetSelection::NONE, |chosen, name| {
        let name = if name.trim() == "license" { "licence" } else { name.trim() };
        chosen.with(name).ok_or_else(|| {
            let known: Vec<&str> = FacetSelection::names().collect();
            format!("use all, none, or some of {} with commas between", known.join(", "))
        })
    })
}

fn scope_named(name: &str) -> Option<SearchScope> {
    match name {
        "held" => Some(SearchScope::Held),
        "live" => Some(SearchScope::Live),
        _ => None,
    }
}

fn collapsed(name: &str) -> Option<bool> {
    match name {
        "study" => Some(true),
        "none" => Some(false),
        _ => None,
    }
}

fn sort_named(name: &str) -> Option<Sort> {
    match name {
        "relevance" => Some(Sort::Relevance),
        "newest" | "date" => Some(Sort::Newest),
        "oldest" => Some(Sort::Oldest),
        "largest" => Some(Sort::Largest),
        "title" => Some(Sort::Title),
        _ => None,
    }
}

impl Node {
    /// Records like one, most alike first, as far as the actor may see them.
    ///
    /// # Errors
    /// When there is no such record that the actor may see, or it was withdrawn.
    pub async fn similar(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DatasetId,
        node: Option<&NodeId>,
        most: usize,
    ) -> Result<Vec<Hit>, NodeError> {
        let (key, visible) = (self.find(actor, id, node)?.key.clone(), policy::visible(actor));
        let node = self.clone();
        let found = tokio::task::spawn_blocking(move || node.search.similar(&key, &visible, most.min(MAX_SIMILAR)));
        Ok(found.await.map_err(|error| NodeError::Internal(format!("comparing: {error}")))??)
    }
}
