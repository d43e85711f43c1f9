//! The log as an event stream (LDES, DCAT-AP feed).

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{Actor, FeedPart, Node, NodeError, ResultFormat};

use crate::{
    Problem,
    authentication::Asking,
    conditions::{self, Verdict},
};

/// A page that stays as it is may be kept for an hour: as long, a withdrawal may be overlooked.
const FINAL: &str = "public, max-age=3600, immutable";

/// The first page of the event stream: what it is, and where its pages are.
#[utoipa::path(get, path = "/ldes", tag = "federation", responses((status = 200, description = "A DCAT-AP feed (LDES): TriG, or JSON-LD where that is asked for", content_type = "application/trig")))]
pub(crate) async fn root(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&node, &actor, FeedPart::Root, &headers).await
}

/// A list of pages of the event stream.
#[utoipa::path(get, path = "/ldes/group/{number}", tag = "federation", params(("number" = u64, Path, description = "From 0")),
    responses((status = 200, description = "Links to pages", content_type = "application/trig"), (status = 404, description = "Not yet")))]
pub(crate) async fn group(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(number): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&node, &actor, FeedPart::Group(number), &headers).await
}

/// A page of the event stream: one activity for each of 100 entries of the log.
#[utoipa::path(get, path = "/ldes/page/{number}", tag = "federation", params(("number" = u64, Path, description = "From 0")),
    responses((status = 200, description = "`as:Create`, `as:Update` and `as:Delete`, each payload in the graph of its activity", content_type = "application/trig"), (status = 404, description = "Not yet")))]
pub(crate) async fn page(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(number): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&node, &actor, FeedPart::Page(number), &headers).await
}

async fn answer(node: &Node, actor: &Actor, part: FeedPart, headers: &HeaderMap) -> Result<Response, Problem> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let format = ResultFormat::negotiate(accept, &ResultFormat::DATASETS).unwrap_or(ResultFormat::TriG);
    let feed = node.feed(actor, part, format).await?;
    let etag = format!("\"{}\"", feed.digest);
    let mut response = match conditions::weigh(headers, &etag) {
        Verdict::NotModified => StatusCode::NOT_MODIFIED.into_response(),
        Verdict::Failed => StatusCode::PRECONDITION_FAILED.into_response(),
        Verdict::Proceed => feed.bytes.into_response(),
    };
    for (name, text) in [
        (header::CONTENT_TYPE, format.media_type()),
        (header::ETAG, &etag),
        (header::VARY, "accept"),
        (header::CACHE_CONTROL, if feed.is_final { FINAL } else { "public, no-cache" }),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        let value = HeaderValue::from_str(text).map_err(|error| NodeError::Internal(error.to_string()))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
