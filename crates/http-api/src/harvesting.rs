//! Peers as this node sees them, and a harvest on demand.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
};
use dataset_model::NodeId;
use node::{HarvestReport, MirrorState, Node, PeerStatus};
use serde::Serialize;

use crate::{Problem, authentication::Asking};

/// A peer's state with how far behind we are.
#[derive(Debug, Serialize)]
pub(crate) struct PeerView {
    #[serde(flatten)]
    status: PeerStatus,
    lag: u64,
    /// How copying its bytes stands, once there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<MirrorState>,
}

/// State and lag of each peer.
#[utoipa::path(get, path = "/api/v1/peers", tag = "federation", responses((status = 200, description = "Peers")))]
pub(crate) async fn peers(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
) -> Result<Json<Vec<PeerView>>, Problem> {
    let mut mirrors = node.mirror_states(&actor)?;
    let views = node.peers(&actor)?.into_iter().map(|status| PeerView {
        lag: status.lag(),
        mirror: mirrors.remove(&status.id),
        status,
    });
    Ok(Json(views.collect()))
}

/// One pass over one peer's log (`?peer=`), or over all.
#[utoipa::path(post, path = "/api/v1/harvest", tag = "federation", params(("peer" = Option<String>, Query, description = "A peer's name")),
    responses((status = 200, description = "One report a peer; each adds up"), (status = 502, description = "The peer failed; what is held of it stays")), security(("token" = ["harvest"])))]
pub(crate) async fn harvest(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<HarvestReport>>, Problem> {
    let query = query.unwrap_or_default();
    let peer = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "peer");
    let peer: Option<NodeId> =
        peer.map(|(_, id)| id.parse()).transpose().map_err(|error| Problem::invalid(format!("{error}")))?;
    Ok(Json(node.harvest(&actor, peer.as_ref()).await?))
}
