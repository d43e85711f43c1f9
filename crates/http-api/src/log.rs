//! The node's log as C2SP `tlog-tiles`: static, cacheable files anyone can audit.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use node::{Node, NodeError, paths};

use crate::{Problem, authentication::Asking};

/// Tiles and bundles never change once they are full, and a partial one has its width in its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The latest signed checkpoint (C2SP `tlog-checkpoint`).
#[utoipa::path(get, path = "/log/checkpoint", tag = "log", responses((status = 200, description = "Signed note", content_type = "text/plain")))]
pub(crate) async fn checkpoint(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, node.checkpoint()?).into_response())
}

/// Which part of the log is wanted.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct LogRange {
    from: u64,
    to: u64,
}

/// Entries with their crates, as one zstd stream: for followers that have far to catch up.
#[utoipa::path(get, path = "/federation/v1/log", tag = "federation", params(("from" = u64, Query, description = "Index of the first entry"), ("to" = u64, Query, description = "Index after the last entry, at most the log's size")),
    responses((status = 200, description = "Records `<length> <length or ->\\n<entry>\\n[<crate>\\n]`", content_type = "application/zstd"), (status = 404, description = "The log has not grown that far"),
        (status = 503, description = "Enough followers are at it: take tiles, or come later")))]
pub(crate) async fn in_bulk(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Query(range): Query<LogRange>,
) -> Result<Response, Problem> {
    let stream = node.log_stream(&actor, range.from..range.to)?;
    let headers = [(header::CONTENT_TYPE, "application/zstd"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// A tile of hashes (`/log/tile/<L>/<N>[.p/<W>]`) or a bundle of entries (`/log/tile/entries/<N>[.p/<W>]`).
#[utoipa::path(get, path = "/log/tile/{*path}", tag = "log", params(("path" = String, Path, description = "`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`")),
    responses((status = 200, description = "The tile", content_type = "application/octet-stream"), (status = 404, description = "The log has not grown that far")))]
pub(crate) async fn tile(State(node): State<Arc<Node>>, Path(path): Path<String>) -> Result<Response, Problem> {
    let absent = || NodeError::NotFound(format!("'{path}' is no tile: see C2SP tlog-tiles"));
    let bytes = match paths::parse_tile(&path).ok_or_else(absent)? {
        paths::TilePath::Hashes { level, index, width } => node.log_tile(level, index, width)?,
        paths::TilePath::Entries { index, width } => node.log_entries(index, width)?,
    };
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, FOR_EVER)];
    Ok((headers, bytes).into_response())
}
