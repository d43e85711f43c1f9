//! Adding nodes to those that are followed, and taking them out again.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use dataset_model::NodeId;
use node::{NewPeer, Node, PeerCopies, PeerOffer, SuggestedPeer};

use crate::{Problem, authentication::Asking};

/// Looks at a node; with `public_key`, pins that key and follows the node from now on.
#[utoipa::path(post, path = "/api/v1/peers", tag = "federation", request_body(content = serde_json::Value, description = "`{\"url\", \"public_key\"?, \"mirror\"?, \"mirror_bytes_per_second\"?}`"),
    responses((status = 200, description = "What would be pinned: name, title, key, fingerprint, size of the log, and whom it follows"), (status = 201, description = "The key is pinned, the node is followed"), (status = 409, description = "It presents another key, or its name or key is taken"), (status = 502, description = "It does not answer as a node does")), security(("token" = ["admin"])))]
pub(crate) async fn add(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Json(wanted): Json<NewPeer>,
) -> Result<(StatusCode, Json<PeerOffer>), Problem> {
    let offer = node.add_peer(&actor, &wanted).await?;
    let status = if wanted.public_key.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(offer)))
}

/// Changes what is copied of a peer that was added at run time. Copies that are held stay.
#[utoipa::path(patch, path = "/api/v1/peers/{id}", tag = "federation", params(("id" = String, Path, description = "The peer's name")),
    request_body(content = serde_json::Value, description = "`{\"mirror\": \"none\" | \"all\" | {\"query\"?, \"max_dataset_bytes\"?, \"max_total_bytes\"?}, \"mirror_bytes_per_second\"?}`"),
    responses((status = 204, description = "From now on this is copied"), (status = 409, description = "It is in the configuration"), (status = 422, description = "That is no policy")), security(("token" = ["admin"])))]
pub(crate) async fn change(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    Json(copies): Json<PeerCopies>,
) -> Result<StatusCode, Problem> {
    node.set_peer_copies(&actor, &peer_named(&id)?, copies).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops following a peer that was added at run time. What is held of it stays.
#[utoipa::path(delete, path = "/api/v1/peers/{id}", tag = "federation", params(("id" = String, Path, description = "The peer's name")),
    responses((status = 204, description = "It is not followed any more"), (status = 409, description = "It is in the configuration")), security(("token" = ["admin"])))]
pub(crate) async fn remove(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    node.remove_peer(&actor, &peer_named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Nodes that peers follow and this node does not.
#[utoipa::path(get, path = "/api/v1/peers/suggested", tag = "federation", responses((status = 200, description = "Name, address, key and fingerprint of each, and who named it")))]
pub(crate) async fn suggested(State(node): State<Arc<Node>>) -> Json<Vec<SuggestedPeer>> {
    Json(node.suggested_peers())
}

/// Reads a peer's name.
pub(crate) fn peer_named(id: &str) -> Result<NodeId, Problem> {
    id.parse().map_err(|error| Problem::invalid(format!("{error}")))
}
