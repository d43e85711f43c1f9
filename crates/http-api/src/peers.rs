//! What peers ask beside the log: who this is, and crates in bulk.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{MAX_HINT_BYTES, MirroredPage, Node, NodeDescription, NodeError};

use crate::{Problem, authentication::Asking, request_body};

/// What the node says about itself: name, address, key, peers.
#[utoipa::path(get, path = "/federation/v1/node", tag = "federation", responses((status = 200, description = "The node")))]
pub(crate) async fn describe(State(node): State<Arc<Node>>) -> Result<Json<NodeDescription>, Problem> {
    Ok(Json(node.description()?))
}

/// A hint that a log followed here has grown: its signed checkpoint, as `/log/checkpoint` gives it. It is only a reason to look.
#[utoipa::path(post, path = "/federation/v1/inbox", tag = "federation", request_body(content = String, description = "Signed note, at most 8 KiB", content_type = "text/plain"),
    responses((status = 202, description = "Looked at, or known already"), (status = 403, description = "Not signed by the key pinned for that log"),
        (status = 404, description = "No log of that name is followed here"), (status = 413, description = "More than 8 KiB"), (status = 429, description = "Too many hints in the name of that log")))]
pub(crate) async fn inbox(State(node): State<Arc<Node>>, body: Body) -> Result<StatusCode, Problem> {
    let too_large = |_| NodeError::TooLarge(format!("a hint has at most {MAX_HINT_BYTES} bytes"));
    node.take_hint(&to_bytes(body, MAX_HINT_BYTES).await.map_err(too_large)?)?;
    Ok(StatusCode::ACCEPTED)
}

/// Copies of other nodes' versions that are held here, complete and checked, a thousand on a page.
#[utoipa::path(get, path = "/federation/v1/mirrored", tag = "federation", params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, description = "`{copies: [{node, dataset, version, content_root, files, bytes, verified}], next}`")))]
pub(crate) async fn mirrored(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Query(page): Query<PageAfter>,
) -> Result<Json<MirroredPage>, Problem> {
    Ok(Json(node.mirrored(&actor, page.after.as_deref())?))
}

/// Where a page begins.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct PageAfter {
    after: Option<String>,
}

/// Crates by digest, as one zstd stream of frames. Body: `{"digests": [...]}`, at most 1,000.
#[utoipa::path(post, path = "/federation/v1/crates", tag = "federation", request_body(content = serde_json::Value, description = "`{\"digests\": [\"<64 hex>\", …]}`"),
    responses((status = 200, description = "Frames `<digest> <length>\\n<bytes>\\n`; `<digest> -\\n` for what is not here", content_type = "application/zstd")))]
pub(crate) async fn crates(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    body: Body,
) -> Result<Response, Problem> {
    let text = request_body::read_text(&node, body).await?;
    let stream = node.crate_stream(&actor, &text)?;
    Ok(([(header::CONTENT_TYPE, "application/zstd")], Body::from_stream(stream)).into_response())
}
