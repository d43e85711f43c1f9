use std::{fmt::Write, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{Actor, Node};
use serde_json::json;

use crate::Problem;

/// The program runs.
#[utoipa::path(get, path = "/health/live", tag = "operation", responses((status = 200, description = "Alive")))]
pub(crate) async fn live() -> &'static str {
    "alive\n"
}

/// The node can do its work.
#[utoipa::path(get, path = "/health/ready", tag = "operation", responses((status = 200, description = "Ready"), (status = 503, description = "Not ready; `failing` says why")))]
pub(crate) async fn ready(State(node): State<Arc<Node>>) -> Response {
    let failing = node.failing();
    let status = if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // A damaged file, or a full disk, is for the operator to see; all others are served as ever.
    let attention = node.needs_attention();
    (status, Json(json!({"ready": failing.is_empty(), "failing": failing, "attention": attention}))).into_response()
}

/// Counters in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, description = "Prometheus text format", content_type = "text/plain")))]
pub(crate) async fn metrics(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let holdings = node.holdings(&Actor::Anonymous).await?;
    let mut text = String::new();
    gauge(&mut text, "heliograph_records", "Records in the search index", [(String::new(), holdings.total)]);
    let size = node.description()?.log_size;
    gauge(&mut text, "heliograph_log_entries", "Entries of this node's log", [(String::new(), size)]);
    let peers = node.peers(&Actor::Anonymous)?;
    let rows = |value: fn(&node::PeerStatus) -> u64| {
        peers.iter().map(move |peer| (format!("{{peer=\"{}\"}}", peer.id), value(peer)))
    };
    gauge(&mut text, "heliograph_peer_entries", "Verified entries held of a peer", rows(|peer| peer.held));
    gauge(&mut text, "heliograph_peer_lag", "Entries a peer has and we do not hold yet", rows(node::PeerStatus::lag));
    gauge(
        &mut text,
        "heliograph_peer_failures",
        "Passes over a peer's log that failed in a row",
        rows(|peer| u64::from(peer.failures)),
    );
    gauge(
        &mut text,
        "heliograph_damaged_files",
        "Stored files that are damaged and not healed",
        [(String::new(), node.damaged_count())],
    );
    let mirrors = node.mirror_states(&Actor::Anonymous)?;
    let rows = |value: fn(&node::MirrorState) -> u64| {
        mirrors.iter().map(move |(peer, state)| (format!("{{peer=\"{peer}\"}}"), value(state)))
    };
    gauge(
        &mut text,
        "heliograph_mirror_versions",
        "Complete copies held of a peer's versions",
        rows(|state| state.versions),
    );
    gauge(&mut text, "heliograph_mirror_bytes", "Bytes of the copies held of a peer", rows(|state| state.bytes));
    gauge(
        &mut text,
        "heliograph_mirror_pending",
        "Versions of a peer that are wanted and not complete",
        rows(|state| state.pending),
    );
    gauge(
        &mut text,
        "heliograph_mirror_failing",
        "Whether the last attempt to copy from a peer failed",
        rows(|state| u64::from(state.error.is_some())),
    );
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn gauge(text: &mut String, name: &str, help: &str, rows: impl IntoIterator<Item = (String, u64)>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in rows {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
