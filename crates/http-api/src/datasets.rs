//! Published datasets: `/api/v1/datasets/{id}`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use dataset_model::{FilePath, ManifestFile, NodeId};
use node::{Node, RecordView, StudyRecord, Tombstone, VersionChoice, VersionProof};
use serde_json::Value;

use crate::{Problem, authentication::Asking, deposits::dataset_id, request_body};

fn version(text: &str) -> Result<VersionChoice, Problem> {
    text.parse().map_err(|error| Problem::invalid(format!("{error}")))
}

/// A dataset's record, whichever node announced it.
#[utoipa::path(get, path = "/api/v1/datasets/{id}", tag = "datasets", params(("id" = String, Path, description = "Dataset id")),
    responses((status = 200, description = "The record"), (status = 404, description = "No such dataset"), (status = 410, description = "Withdrawn; `tombstone` says when and why")))]
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<Json<RecordView>, Problem> {
    Ok(Json(node.record(&actor, &dataset_id(&id)?, None, VersionChoice::Latest).await?))
}

/// Where else the study is described, why that is believed, and what is related to it.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/study", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("node" = Option<String>, Query, description = "The node that announced it, where several have the id")),
    responses((status = 200, description = "`{id, locations, evidence, related}`")))]
pub(crate) async fn show_study(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    Query(at): Query<AtNode>,
) -> Result<Json<StudyRecord>, Problem> {
    let at = at.node.map(|name| name.parse()).transpose();
    let at: Option<NodeId> = at.map_err(|error| Problem::invalid(format!("node: {error}")))?;
    Ok(Json(node.study(&actor, &dataset_id(&id)?, at.as_ref()).await?))
}

/// Which of the nodes that announced an id is meant.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct AtNode {
    node: Option<String>,
}

/// One version's record.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/versions/{version}", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("version" = String, Path, description = "`v1`, `1` or `latest`")), responses((status = 200, description = "The record")))]
pub(crate) async fn show_version(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<RecordView>, Problem> {
    Ok(Json(node.record(&actor, &dataset_id(&id)?, None, version(&number)?).await?))
}

/// A version's RO-Crate, byte for byte as the log's digest covers it.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/versions/{version}/crate", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("version" = String, Path, description = "`v1`, `1` or `latest`")), responses((status = 200, description = "RO-Crate metadata document")))]
pub(crate) async fn show_crate(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let bytes = node.crate_bytes(&actor, &dataset_id(&id)?, None, version(&number)?)?;
    Ok(([(header::CONTENT_TYPE, "application/ld+json")], bytes).into_response())
}

/// A version's complete list of files with sizes and digests, in order of path.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/versions/{version}/manifest", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("version" = String, Path, description = "`v1`, `1` or `latest`")), responses((status = 200, description = "Files")))]
pub(crate) async fn show_manifest(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<Vec<ManifestFile>>, Problem> {
    Ok(Json(node.manifest(&actor, &dataset_id(&id)?, version(&number)?).await?))
}

/// Proof that the version is in the signed log of its node; with `path`, that the file is one of the version's.
#[utoipa::path(get, path = "/api/v1/datasets/{id}/versions/{version}/proof", tag = "datasets",
    params(("id" = String, Path, description = "Dataset id"), ("version" = String, Path, description = "`v1`, `1` or `latest`"), ("path" = Option<String>, Query, description = "A file of the version")),
    responses((status = 200, description = "Entry, inclusion proof and checkpoint; the file and its inclusion proof"), (status = 404, description = "No such version or file; or its files are not here"), (status = 503, description = "No signed checkpoint of the node is held yet")))]
pub(crate) async fn show_proof(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, number)): Path<(String, String)>,
    Query(of): Query<OfFile>,
) -> Result<Json<VersionProof>, Problem> {
    let path = of.path.map(|path| path.parse::<FilePath>()).transpose();
    let path = path.map_err(|error| Problem::invalid(format!("path: {error}")))?;
    Ok(Json(node.proof(&actor, &dataset_id(&id)?, version(&number)?, path.as_ref()).await?))
}

/// The file that is asked about.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct OfFile {
    path: Option<String>,
}

/// Takes a dataset back. Body, optional: `{"reason": "retracted"}`.
#[utoipa::path(post, path = "/api/v1/datasets/{id}/withdraw", tag = "datasets", params(("id" = String, Path, description = "Dataset id")), request_body(content = Value, description = "`{\"reason\": …}`"),
    responses((status = 200, description = "The tombstone"), (status = 410, description = "Already withdrawn")), security(("token" = ["deposit"])))]
pub(crate) async fn withdraw(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Tombstone>, Problem> {
    let text = request_body::read_text(&node, body).await?;
    let value: Value = if text.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).map_err(|error| Problem::invalid(format!("the body is not JSON: {error}")))?
    };
    let reason = value.get("reason").and_then(Value::as_str);
    Ok(Json(node.withdraw(&actor, &dataset_id(&id)?, reason).await?))
}
