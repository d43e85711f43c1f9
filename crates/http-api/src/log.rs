//! The node's log as C2SP `tlog-tiles`: static, cacheable files anyone can audit.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use node::{Node, NodeError, paths};

use crate::Problem;

/// Tiles and bundles never change once they are full, and a partial one has its width in its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The latest signed checkpoint (C2SP `tlog-checkpoint`).
#[utoipa::path(get, path = "/log/checkpoint", tag = "log", responses((status = 200, description = "Signed note", content_type = "text/plain")))]
pub(crate) async fn checkpoint(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, node.checkpoint()?).into_response())
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
