use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use node::{NewToken, Node, Scope, TokenView};
use serde::Deserialize;

use crate::{Problem, authentication::Asking};

/// What to make.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    label: String,
    scopes: Vec<Scope>,
}

/// Makes a token; its text is shown this once.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "operation", request_body(content = serde_json::Value, description = "`{\"label\", \"scopes\": [\"deposit\"]}`"), responses((status = 201, description = "`{id, token}`")), security(("token" = ["admin"])))]
pub(crate) async fn create(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    Ok((StatusCode::CREATED, Json(node.create_token(&actor, &wanted.label, &wanted.scopes)?)))
}

/// All tokens, without their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "operation", responses((status = 200, description = "Tokens")), security(("token" = ["admin"])))]
pub(crate) async fn list(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
) -> Result<Json<Vec<TokenView>>, Problem> {
    Ok(Json(node.list_tokens(&actor)?))
}

/// Ends a token's life.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "operation", params(("id" = String, Path, description = "Token id")), responses((status = 204, description = "Revoked")), security(("token" = ["admin"])))]
pub(crate) async fn revoke(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    node.revoke_token(&actor, &id)?;
    Ok(StatusCode::NO_CONTENT)
}
