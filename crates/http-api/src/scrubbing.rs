//! Reading stored bytes again.

use std::sync::Arc;

use axum::{Json, extract::State};
use node::{Node, ScrubReport, ScrubState};

use crate::{Problem, authentication::Asking};

/// How scrubbing stands: the last pass, and the files that are damaged.
#[utoipa::path(get, path = "/api/v1/scrub", tag = "operation", responses((status = 200, description = "`{pass, damaged}`")))]
pub(crate) async fn show(State(node): State<Arc<Node>>, Asking(actor): Asking) -> Result<Json<ScrubState>, Problem> {
    Ok(Json(node.scrub_state(&actor)?))
}

/// Reads every stored file now, and heals what is damaged. The answer comes when all is read; hanging up ends nothing.
#[utoipa::path(post, path = "/api/v1/scrub", tag = "operation", responses((status = 200, description = "What was read, what was damaged, what is healed")), security(("token" = ["admin"])))]
pub(crate) async fn run(State(node): State<Arc<Node>>, Asking(actor): Asking) -> Result<Json<ScrubReport>, Problem> {
    Ok(Json(node.scrub(&actor).await?))
}
