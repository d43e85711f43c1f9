//! The field's present search service (`BioImage-Archive/gide-search`), so that its portal and its users' programs run here.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use node::{GideAnswer, GideBucket, GideRequest, Node};
use serde_json::{Value, json};

use crate::{Problem, authentication::Asking};

/// Searches as the service does.
#[utoipa::path(get, path = "/api/gide/search", tag = "gide",
    params(
        ("q" = Option<String>, Query, description = "Words; `*` for all"),
        ("publisher" = Option<Vec<String>>, Query, description = "Short name, address or name; may repeat"),
        ("organism" = Option<Vec<String>>, Query, description = "Term IRI, short id or name; descendants included; may repeat"),
        ("imaging_method" = Option<Vec<String>>, Query, description = "Term IRI, short id or name; descendants included; may repeat"),
        ("license" = Option<Vec<String>>, Query, description = "URL, `CC0` or `CC-BY-4.0`; may repeat"),
        ("year_from" = Option<u16>, Query), ("year_to" = Option<u16>, Query),
        ("size" = Option<usize>, Query, description = "1 to 100; 20 when not given"),
        ("offset" = Option<usize>, Query, description = "Hits to leave out before the first"),
        ("require_thumbnail" = Option<bool>, Query),
        ("client" = Option<String>, Query, description = "`gide-search-portal`: `offset` counts pages, and only the year `year_from` is meant"),
    ),
    responses((status = 200, description = "`{total, hits: [{id, entry, score}], facets: {publisher, organism, imaging_method, year_published, license}}`; each facet `[{key, count, label}]`")))]
pub(crate) async fn search(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = query.unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let request = GideRequest::from_pairs(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))?;
    Ok(Json(answer(node.gide_search(&actor, request).await?)))
}

/// One study, by IRI, accession number or id.
#[utoipa::path(get, path = "/api/gide/study/{*id}", tag = "gide", params(("id" = String, Path, description = "IRI, accession number (`idr:idr0001`, `S-BIAD634`) or id here")),
    responses((status = 200, description = "The record, its parts nested"), (status = 404, description = "No such study")))]
pub(crate) async fn study(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(node.gide_entry(&actor, &id).await?))
}

/// The same under the path the service's code has.
#[utoipa::path(get, path = "/api/gide/api/entry/{*id}", tag = "gide", params(("id" = String, Path, description = "IRI of the study")),
    responses((status = 200, description = "The record, its parts nested"), (status = 404, description = "No such study")))]
pub(crate) async fn entry(node: State<Arc<Node>>, asking: Asking, id: Path<String>) -> Result<Json<Value>, Problem> {
    study(node, asking, id).await
}

/// Whether search works; the names are those of the service.
#[utoipa::path(get, path = "/api/gide/health", tag = "gide", responses((status = 200, description = "`{\"status\": \"healthy\"}`")))]
pub(crate) async fn health(State(node): State<Arc<Node>>, Asking(actor): Asking) -> Result<Json<Value>, Problem> {
    node.holdings(&actor).await?;
    Ok(Json(json!({"status": "healthy", "elasticsearch": "connected"})))
}

fn answer(found: GideAnswer) -> Value {
    let hits = found.hits.into_iter().map(|(id, entry, score)| json!({"id": id, "entry": entry, "score": score}));
    let facets = &found.facets;
    json!({
        "total": found.total,
        "hits": hits.collect::<Vec<_>>(),
        "facets": {
            "publisher": buckets(&facets.publisher),
            "organism": buckets(&facets.organism),
            "imaging_method": buckets(&facets.imaging_method),
            "year_published": buckets(&facets.year_published),
            "license": buckets(&facets.license),
        },
    })
}

fn buckets(buckets: &[GideBucket]) -> Vec<Value> {
    let one = |bucket: &GideBucket| json!({"key": bucket.key, "count": bucket.count, "label": bucket.label});
    buckets.iter().map(one).collect()
}
