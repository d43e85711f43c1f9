//! What peers ask beside the log: who this is, and crates in bulk.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use node::{MirroredPage, Node, NodeDescription};

use crate::{Problem, authentication::Asking, request_body};

/// What the node says about itself: name, address, key, peers.
#[utoipa::path(get, path = "/federation/v1/node", tag = "federation", responses((status = 200, description = "The node")))]
pub(crate) async fn describe(State(node): State<Arc<Node>>) -> Result<Json<NodeDescription>, Problem> {
    Ok(Json(node.description()?))
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
