//! Drafts: `/api/v1/deposits`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use dataset_model::DatasetId;
use node::{ConversionRequest, DraftView, JobKind, NewDraft, Node, NodeError};
use serde_json::{Value, json};

use crate::{
    Problem,
    authentication::{Asking, IdempotencyKey},
    jobs::{accepted, prefers_async},
    request_body,
};

pub(crate) fn dataset_id(text: &str) -> Result<DatasetId, Problem> {
    text.parse().map_err(|error| NodeError::NotFound(format!("{error}")).into())
}

/// A draft with the addresses a client goes to next.
fn with_links(view: &DraftView) -> Value {
    let base = format!("/api/v1/deposits/{}", view.id);
    let mut value = json!(view);
    value["links"] = json!({
        "self": base,
        "files": format!("{base}/files"),
        "validate": format!("{base}/validate"),
        "publish": format!("{base}/publish"),
        "convert": format!("{base}/convert"),
        "jobs": format!("{base}/jobs"),
    });
    value
}

fn created(view: &DraftView) -> Response {
    let location = [("location", format!("/api/v1/deposits/{}", view.id))];
    (StatusCode::CREATED, location, Json(with_links(view))).into_response()
}

/// Makes a draft from its RO-Crate. With an `Idempotency-Key`, asking again finds the same draft.
#[utoipa::path(post, path = "/api/v1/deposits", tag = "deposit", request_body(content = Value, description = "The RO-Crate as it is, or `{\"crate\": {…}, \"new_version_of\": id, \"convert\": false}`"),
    responses((status = 201, description = "The draft"), (status = 401, description = "No token"), (status = 422, description = "Not an RO-Crate")), security(("token" = ["deposit"])))]
pub(crate) async fn create(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    let body = request_body::read_draft(&node, body).await?;
    let new_version_of = body.new_version_of.as_deref().map(dataset_id).transpose()?;
    let client_key = key.map(|key| key.0);
    let new = NewDraft { crate_json: body.crate_json, client_key, new_version_of, convert: body.convert };
    Ok(created(&node.create_draft(&actor, new)?))
}

/// The drafts of the token's holder.
#[utoipa::path(get, path = "/api/v1/deposits", tag = "deposit", responses((status = 200, description = "Drafts")), security(("token" = ["deposit"])))]
pub(crate) async fn list(State(node): State<Arc<Node>>, Asking(actor): Asking) -> Result<Json<Value>, Problem> {
    let drafts: Vec<Value> = node.list_drafts(&actor)?.iter().map(with_links).collect();
    Ok(Json(json!({"deposits": drafts})))
}

/// One draft.
#[utoipa::path(get, path = "/api/v1/deposits/{id}", tag = "deposit", params(("id" = String, Path, description = "Draft id")), responses((status = 200, description = "The draft"), (status = 404, description = "No such draft")), security(("token" = ["deposit"])))]
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(with_links(&node.draft(&actor, &dataset_id(&id)?)?)))
}

/// Replaces the draft's RO-Crate, or says whether its microscope files become images.
#[utoipa::path(patch, path = "/api/v1/deposits/{id}", tag = "deposit", params(("id" = String, Path, description = "Draft id")), request_body(content = Value, description = "The RO-Crate, or `{\"convert\": false}`"),
    responses((status = 200, description = "The draft"), (status = 422, description = "Not an RO-Crate")), security(("token" = ["deposit"])))]
pub(crate) async fn replace(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let body = request_body::read_draft(&node, body).await?;
    let id = dataset_id(&id)?;
    let chosen = body.convert.map(|convert| node.choose_conversion(&actor, &id, convert)).transpose()?;
    let view = match body.crate_json {
        Some(text) => node.replace_crate(&actor, &id, text)?,
        None => chosen.ok_or_else(|| Problem::invalid("send the RO-Crate as the body"))?,
    };
    Ok(Json(with_links(&view)))
}

/// Throws a draft and its files away.
#[utoipa::path(delete, path = "/api/v1/deposits/{id}", tag = "deposit", params(("id" = String, Path, description = "Draft id")), responses((status = 204, description = "Gone")), security(("token" = ["deposit"])))]
pub(crate) async fn delete(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    node.delete_draft(&actor, &dataset_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks a draft without changing it. With `Prefer: respond-async`, as a job.
#[utoipa::path(post, path = "/api/v1/deposits/{id}/validate", tag = "deposit", params(("id" = String, Path, description = "Draft id")), responses((status = 200, description = "Findings"), (status = 202, description = "The job, where the client would rather not wait")), security(("token" = ["deposit"])))]
pub(crate) async fn validate(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = dataset_id(&id)?;
    if prefers_async(&headers) {
        return Ok(accepted(&node.start_job(&actor, &id, JobKind::Validate, ConversionRequest::default())?));
    }
    Ok(Json(node.validate_draft(&actor, &id).await?).into_response())
}

/// Publishes a draft as an immutable version, after making images of its microscope files; the answer survives a crash of the
/// server. With `Prefer: respond-async`, as a job.
#[utoipa::path(post, path = "/api/v1/deposits/{id}/publish", tag = "deposit", 
    params(("id" = String, Path, description = "Draft id"), ("confirm" = Option<Vec<String>>, Query, description = "Rules whose findings are meant as written: `term.label.conflict`")),
    responses((status = 201, description = "Published"), (status = 202, description = "The job, where the client would rather not wait"), (status = 409, description = "Files are still arriving, or another version came first"), (status = 422, description = "A MUST is broken; `findings` say which")), security(("token" = ["deposit"])))]
pub(crate) async fn publish(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = dataset_id(&id)?;
    let confirmed = confirmed(&query.unwrap_or_default());
    if !confirmed.is_empty() {
        node.confirm(&actor, &id, confirmed)?;
    }
    if prefers_async(&headers) {
        return Ok(accepted(&node.start_job(&actor, &id, JobKind::Publish, ConversionRequest::default())?));
    }
    Ok((StatusCode::CREATED, Json(node.publish(&actor, &id).await?)).into_response())
}

/// The values of `confirm`, given several times or with commas.
fn confirmed(query: &str) -> Vec<String> {
    let values = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "confirm");
    let rules = values.flat_map(|(_, value)| value.split(',').map(|rule| rule.trim().to_owned()).collect::<Vec<_>>());
    rules.filter(|rule| !rule.is_empty()).collect()
}

/// Starts a new version of a dataset: a draft that has the files of the latest one already.
#[utoipa::path(post, path = "/api/v1/datasets/{id}/versions", tag = "deposit", params(("id" = String, Path, description = "Dataset id")), request_body(content = Value, description = "The new RO-Crate, or nothing to keep the one before"),
    responses((status = 201, description = "The draft")), security(("token" = ["deposit"])))]
pub(crate) async fn create_version(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    let body = request_body::read_draft(&node, body).await?;
    let new = NewDraft {
        crate_json: body.crate_json,
        client_key: key.map(|key| key.0),
        new_version_of: Some(dataset_id(&id)?),
        convert: body.convert,
    };
    Ok(created(&node.create_draft(&actor, new)?))
}
