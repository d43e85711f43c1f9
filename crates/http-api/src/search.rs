use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, RawQuery, State},
};
use dataset_model::NodeId;
use node::{FacetValue, Node, SearchAnswer, SearchRequest, SearchScope, Sort, SourceReport, Suggestion};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{Problem, authentication::Asking, deposits::dataset_id};

/// Full text, facets and cursors over everything held, whichever node it came from.
#[utoipa::path(get, path = "/api/v1/search", tag = "search",
    params(
        ("scope" = Option<String>, Query, description = "`held`, when not given: this node's own records and its verified copies; `live`: all nodes are asked at once, each for its own, and answered for from the copy where one is late"),
        ("q" = Option<String>, Query, description = "Words; all must match. `\"phrases\"`, `-without`, `beginning*`. Names of organisms, methods and entities find all that is such"),
        ("in" = Option<String>, Query, description = "Where words are looked for: title, record (what describes the data), everywhere (people, articles, grants, cell lines too); everywhere when not given"),
        ("organism" = Option<Vec<String>>, Query, description = "Term IRI, CURIE or label; descendants included; may repeat"),
        ("method" = Option<Vec<String>>, Query, description = "Imaging method: term IRI, CURIE or label; descendants included; may repeat"),
        ("entity" = Option<Vec<String>>, Query, description = "Tissue, cell line, cell component: term IRI, CURIE or label; descendants included; in quotes, only a name that has no term; may repeat"),
        ("author" = Option<Vec<String>>, Query, description = "ORCID or whole name; may repeat"),
        ("affiliation" = Option<Vec<String>>, Query, description = "ROR or whole name of an author's affiliation; may repeat"),
        ("identifier" = Option<Vec<String>>, Query, description = "Accession number, DOI or other identifier, whole, in any spelling; may repeat"),
        ("publisher" = Option<Vec<String>>, Query, description = "Publisher's name"),
        ("license" = Option<Vec<String>>, Query, description = "SPDX id or URL"),
        ("node" = Option<Vec<String>>, Query, description = "Node that announced it"),
        ("access" = Option<Vec<String>>, Query, description = "open, metadata-only, restricted"),
        ("year_from" = Option<u16>, Query), ("year_to" = Option<u16>, Query),
        ("size_min" = Option<u64>, Query, description = "Bytes; leaves out records of unknown size"),
        ("size_max" = Option<u64>, Query, description = "Bytes; leaves out records of unknown size"),
        ("has_thumbnail" = Option<bool>, Query, description = "Whether there is a picture to show"),
        ("has_images" = Option<bool>, Query, description = "Whether images can be opened here in the federation"),
        ("dimensions" = Option<Vec<String>>, Query, description = "Of any image: 2D, 3D, time-lapse, multichannel; may repeat"),
        ("channels" = Option<Vec<String>>, Query, description = "Number of channels of any image: 1 to 4, 5+; may repeat"),
        ("data_type" = Option<Vec<String>>, Query, description = "Pixel type of any image, such as uint16; may repeat"),
        ("version" = Option<Vec<String>>, Query, description = "OME-Zarr version of any image: 0.4, 0.5; may repeat"),
        ("image_count" = Option<Vec<String>>, Query, description = "Number of images: 0, 1, 2-9, 10-99, 100+; may repeat"),
        ("has_labels" = Option<bool>, Query, description = "Whether objects are labelled in any image"),
        ("is_plate" = Option<bool>, Query, description = "Whether any image is a plate"),
        ("sharded" = Option<bool>, Query, description = "Whether chunks of any image are packed into shards"),
        ("facets" = Option<String>, Query, description = "What is counted by value: names of facets with commas between, `none`, or `all`, when not given"),
        ("collapse" = Option<String>, Query, description = "`study`: the records of one study are one hit, with its `study`; `none`, when not given: each record is one"),
        ("sort" = Option<String>, Query, description = "relevance, newest, oldest, largest, title"),
        ("size" = Option<usize>, Query, description = "Hits on a page, up to 200; 20 when not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "`{total, studies, hits, facets, next_cursor, sources, unresolved, suggestions, scope, sort, matching}`")))]
pub(crate) async fn search(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
) -> Result<Json<Answer>, Problem> {
    let query = query.unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let request = SearchRequest::from_pairs(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))?;
    Ok(Json(node.search(&actor, request).await?.into()))
}

/// Datasets like one, most alike first: those that share rare words and terms with it.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/similar", tag = "search",
    params(("id" = String, Path, description = "Dataset id"), ("node" = Option<String>, Query, description = "Node that announced it, where several use one id"),
        ("size" = Option<usize>, Query, description = "As many at most, up to 50; 10 when not given")),
    responses((status = 200, description = "`{hits}`, each as in a search: `matched_via` names the terms both have, `highlights` the words"),
        (status = 404, description = "No such dataset")))]
pub(crate) async fn similar(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    Query(asked): Query<AskedSimilar>,
) -> Result<Json<Value>, Problem> {
    let from = asked.node.as_deref().map(str::parse::<NodeId>).transpose();
    let from = from.map_err(|error| Problem::invalid(format!("{error}")))?;
    let found = node.similar(&actor, &dataset_id(&id)?, from.as_ref(), asked.size.unwrap_or(SIMILAR)).await?;
    Ok(Json(json!({"hits": found.iter().map(|found| hit(found, None)).collect::<Vec<_>>()})))
}

/// Similar datasets when nobody says how many.
const SIMILAR: usize = 10;

/// What a question for similar datasets may say.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct AskedSimilar {
    node: Option<String>,
    size: Option<usize>,
}

/// The documented shape of an answer. It is written as it is: trees of facets are long, and would be built twice.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    total: u64,
    studies: Option<u64>,
    hits: Vec<Value>,
    facets: NamedFacets,
    next_cursor: Option<String>,
    sources: Vec<SourceReport>,
    unresolved: Vec<String>,
    suggestions: Vec<Suggestion>,
    scope: SearchScope,
    sort: Sort,
    matching: &'static str,
}

/// The facets that were asked for; the others are not there at all, so that nobody takes them for empty.
#[derive(Debug)]
struct NamedFacets(Vec<(&'static str, Vec<FacetValue>)>);

impl Serialize for NamedFacets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values)))
    }
}

impl From<SearchAnswer> for Answer {
    fn from(found: SearchAnswer) -> Self {
        let unverified = &found.unverified;
        let hits = found.hits.iter().map(|found_hit| hit(found_hit, unverified.get(&found_hit.document.key))).collect();
        Self {
            total: found.total,
            studies: found.studies,
            hits,
            facets: NamedFacets(found.facets.into_named(found.counted)),
            next_cursor: found.next_cursor,
            sources: found.sources,
            unresolved: found.unresolved,
            suggestions: found.suggestions,
            scope: found.scope,
            sort: found.order,
            matching: if found.loose { "beginnings" } else { "words" },
        }
    }
}

/// A record found, with why; of one that only a peer vouches for, with its page there.
fn hit(hit: &node::Hit, unverified: Option<&String>) -> Value {
    let document = &hit.document;
    json!({
        "id": document.key.id,
        "node": document.key.node,
        "iri": unverified.unwrap_or(&document.iri),
        "verified": unverified.is_none(),
        "kind": document.kind,
        "version": document.version,
        "title": document.title,
        "description": document.description,
        "authors": document.authors,
        "date_published": document.date,
        "year": document.year,
        "license": document.licence,
        "publisher": document.publisher,
        "access": document.access,
        "organisms": document.organisms,
        "methods": document.methods,
        "entities": document.about,
        "named_entities": document.entities,
        "keywords": document.keywords,
        "identifiers": document.identifiers,
        "images": document.images,
        "image_facets": document.image_facets,
        "bytes": document.bytes,
        "thumbnail": document.thumbnail,
        "score": hit.score,
        "highlights": hit.highlights,
        "matched_via": hit.matched_via,
        "study": hit.study,
    })
}
