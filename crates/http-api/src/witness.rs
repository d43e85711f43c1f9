//! This node as a witness (C2SP `tlog-witness`), and what nodes tell each other of logs: checkpoints seen, forks, keys.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{ForkEvidence, KeyChain, MAX_ADD_CHECKPOINT_BYTES, Node, NodeError, Witnessed};
use serde::{Deserialize, Serialize};

use crate::{
    Problem,
    authentication::Asking,
    conditions::{self, Verdict},
    joining::peer_named,
};

/// Cosigns a checkpoint of a log that is followed here. Body: `old <size>`, hashes of the proof, an empty line, the checkpoint.
#[utoipa::path(post, path = "/witness/v1/add-checkpoint", tag = "federation", request_body(content = String, content_type = "text/plain"),
    responses((status = 200, description = "Signature lines of the cosignature", content_type = "text/plain"), (status = 400, description = "The request cannot be read"), (status = 403, description = "Not signed by the pinned key"), (status = 404, description = "A log that is not followed here"), (status = 409, description = "The size of the latest checkpoint verified here", content_type = "text/x.tlog.size"), (status = 422, description = "The proof does not fit")))]
pub(crate) async fn add_checkpoint(State(node): State<Arc<Node>>, body: Body) -> Result<Response, Problem> {
    let too_large = |_| NodeError::TooLarge(format!("at most {MAX_ADD_CHECKPOINT_BYTES} bytes"));
    let body = to_bytes(body, MAX_ADD_CHECKPOINT_BYTES).await.map_err(too_large)?;
    Ok(match node.witness(&body)? {
        Witnessed::Cosigned(line) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response(),
        Witnessed::Conflict(size) => {
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n")).into_response()
        }
    })
}

/// The last verified checkpoint of every log that is followed here, and the own one.
#[utoipa::path(get, path = "/federation/v1/checkpoints", tag = "federation", responses((status = 200, description = "`{\"checkpoints\": [\"<signed note>\", …]}`"), (status = 304, description = "Nothing new since the answer of that tag")))]
pub(crate) async fn checkpoints(State(node): State<Arc<Node>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (body, tag) = node.seen_checkpoints()?;
    let fixed = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if conditions::weigh(&headers, &tag) == Verdict::NotModified {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    Ok((fixed, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Contradictions found in logs that are followed here.
#[derive(Debug, Serialize)]
pub(crate) struct Forks {
    forks: Vec<ForkEvidence>,
}

/// Proofs that a log has two histories: both signed checkpoints and what shows that they contradict each other.
#[utoipa::path(get, path = "/federation/v1/forks", tag = "federation", responses((status = 200, description = "`{\"forks\": […]}`")))]
pub(crate) async fn forks(State(node): State<Arc<Node>>) -> Result<Json<Forks>, Problem> {
    Ok(Json(Forks { forks: node.forks()? }))
}

/// Whose keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    node: Option<String>,
}

/// The changes of this node's key, or of a peer's, each signed by the old key and the new one.
#[utoipa::path(get, path = "/federation/v1/keys", tag = "federation", params(("node" = Option<String>, Query, description = "A node that is followed here: the changes of its key since then, as they were verified")), responses((status = 200, description = "`{\"log\", \"public_key\", \"changes\"}`")))]
pub(crate) async fn keys(State(node): State<Arc<Node>>, Query(whose): Query<Whose>) -> Result<Json<KeyChain>, Problem> {
    let of = whose.node.map(|name| peer_named(&name)).transpose()?;
    Ok(Json(node.key_chain(of.as_ref())?))
}

/// Why a contradiction is forgiven.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Forgiving {
    note: String,
}

/// Goes on following a peer whose log was found to have two histories.
#[utoipa::path(post, path = "/api/v1/peers/{id}/forgive", tag = "federation", params(("id" = String, Path, description = "The peer's name")), request_body(content = serde_json::Value, description = "`{\"note\"}`"),
    responses((status = 204, description = "Its log is read again"), (status = 409, description = "There is nothing to forgive")), security(("token" = ["admin"])))]
pub(crate) async fn forgive(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    Json(forgiving): Json<Forgiving>,
) -> Result<StatusCode, Problem> {
    node.forgive_peer(&actor, &peer_named(&id)?, &forgiving.note)?;
    Ok(StatusCode::NO_CONTENT)
}
